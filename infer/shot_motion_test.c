#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "infer/shot_motion.h"

enum { ROWS = 128, COLS = 256, BLOCK_ROWS = 64, BLOCK_COLS = 128 };

static const double ASPECT = 0.5;

/* Depth, as the network tells it: a slope and a hill, up to scale and shift. */
static double guide_at(double x, double y)
{
    return 3 + 2 * (0.6 * y + 0.5 * exp(-8 * (x * x + y * y)));
}

/* A picture that knows nothing of it. */
static double luma_at(double x, double y)
{
    return 0.1 * (sin(23 * x + 5 * y) + sin(17 * y - 9 * x + 1) +
                  sin(31 * x * y + 11 * x) + sin(41 * y + 3));
}

struct frames {
    float guide[BLOCK_ROWS * BLOCK_COLS];
    float a[ROWS * COLS], c[ROWS * COLS];
    struct dq_scape *one, *two;
};

static void place_of(int j, int i, int rows, int cols, double *x, double *y)
{
    *x = ((i + 0.5) / cols - 0.5) * 2;
    *y = ((j + 0.5) / rows - 0.5) * 2 * ASPECT;
}

/* What frame c shows at a place: the point of a that comes there. */
static double seen(const struct dq_scape *one, const struct dq_motion *m,
                   double x, double y)
{
    const struct dq_turn turn = dq_motion_turn(m);
    double px = x, py = y;

    for (int round = 0; round < 30; round++) {
        double to_x, to_y, g = dq_scape_depth(one, guide_at(px, py));

        dq_motion_to(m, &turn, px, py, g, &to_x, &to_y);
        px -= to_x - x;
        py -= to_y - y;
    }
    return luma_at(px, py);
}

static struct frames *frames_of(const struct dq_motion *m)
{
    struct frames *f = calloc(1, sizeof *f);
    double x, y;

    assert_non_null(f);
    for (int j = 0; j < BLOCK_ROWS; j++)
        for (int i = 0; i < BLOCK_COLS; i++) {
            place_of(j, i, BLOCK_ROWS, BLOCK_COLS, &x, &y);
            f->guide[j * BLOCK_COLS + i] = (float)guide_at(x, y);
        }
    for (int j = 0; j < ROWS; j++)
        for (int i = 0; i < COLS; i++) {
            place_of(j, i, ROWS, COLS, &x, &y);
            f->a[j * COLS + i] = (float)luma_at(x, y);
        }
    f->one = dq_scape_new(f->a, ROWS, COLS, f->guide, BLOCK_ROWS, BLOCK_COLS);
    for (int j = 0; j < ROWS; j++)
        for (int i = 0; i < COLS; i++) {
            place_of(j, i, ROWS, COLS, &x, &y);
            f->c[j * COLS + i] = (float)seen(f->one, m, x, y);
        }
    f->two = dq_scape_new(f->c, ROWS, COLS, f->guide, BLOCK_ROWS, BLOCK_COLS);
    return f;
}

static void frames_free(struct frames *f)
{
    dq_scape_free(f->one);
    dq_scape_free(f->two);
    free(f);
}

/* Found from nothing, to a twentieth of a pixel wherever it may be. */
static void expect_found(const struct dq_motion *was)
{
    struct frames *f = frames_of(was);
    struct dq_motion m = dq_motion_none();
    struct dq_turn one_turn, two_turn;
    double worst = 0, worst_depth = 0;

    assert_true(dq_motion_find(f->one, f->two, DQ_MOTION_FREE, &m));
    one_turn = dq_motion_turn(was);
    two_turn = dq_motion_turn(&m);
    for (int j = 8; j < ROWS - 8; j += 10)
        for (int i = 16; i < COLS - 16; i += 10) {
            double x, y, g, one[2], two[2], d, e;

            place_of(j, i, ROWS, COLS, &x, &y);
            g = dq_scape_depth(f->one, guide_at(x, y));
            d = dq_motion_to(was, &one_turn, x, y, g, &one[0], &one[1]);
            e = dq_motion_to(&m, &two_turn, x, y, g, &two[0], &two[1]);
            worst = fmax(worst, hypot(one[0] - two[0], one[1] - two[1]));
            worst_depth = fmax(worst_depth, fabs(d - e));
        }
    assert_true(worst * COLS / 2 < 0.1);
    assert_true(worst_depth < 0.004);
    frames_free(f);
}

static void a_camera_that_stands_is_found_to(void **state)
{
    struct dq_motion none = dq_motion_none();

    (void)state;
    expect_found(&none);
}

static void a_turn_is_found_with_its_lens_and_roll(void **state)
{
    struct dq_motion turn = {.t = {0.05, -0.01}, .kappa = 0.35, .roll = 0.01};

    (void)state;
    expect_found(&turn);
}

/* By nearly half a picture: what is across the turn grows by one over its
 * cosine. Compared with the rays turned themselves. */
static void a_wide_turn_is_what_rays_do(void **state)
{
    const double half = 0.5, angle = 0.4; /* tangent of half the view */
    struct dq_motion m = {.t = {tan(angle) / half, 0}, .kappa = half * half};
    const struct dq_turn turn = dq_motion_turn(&m);

    (void)state;
    for (double y = -0.5; y <= 0.5; y += 0.25)
        for (double x = -1; x <= 1; x += 0.25) {
            double right = half * x * cos(angle) + sin(angle);
            double ahead = cos(angle) - half * x * sin(angle);
            double to_x, to_y, d;

            d = dq_motion_to(&m, &turn, x, y, 0, &to_x, &to_y);
            assert_true(fabs(to_x - right / ahead / half) < 1e-12);
            assert_true(fabs(to_y - y / ahead) < 1e-12);
            assert_true(fabs(d / turn.c - ahead) < 1e-12);
        }
}

static void going_forward_is_found_by_what_is_near(void **state)
{
    struct dq_motion going = {.zeta = 0.03, .tz = 0.012, .kappa = 0.2};

    (void)state;
    expect_found(&going);
}

static void going_aside_is_found_too(void **state)
{
    struct dq_motion aside = {.s = {0.012, 0}, .t = {0.02, 0}, .kappa = 0.2};

    (void)state;
    expect_found(&aside);
}

/* The near hill moves of itself: free to go aside, a camera takes that for its
 * own parallax; one that only turns cannot. */
static void a_turn_is_found_beside_a_mover(void **state)
{
    struct dq_motion turn = {.t = {0.04, 0}, .s = {0.02, 0}, .kappa = 0.2};
    struct frames *f = frames_of(&turn);
    struct dq_motion still = {.t = {0.04, 0}, .kappa = 0.2};
    struct frames *stands = frames_of(&still);
    struct dq_motion m = dq_motion_none();

    (void)state;
    for (int j = 0; j < ROWS; j++) /* left of the middle all but turns */
        for (int i = 0; i < 3 * COLS / 5; i++)
            f->c[j * COLS + i] = stands->c[j * COLS + i];
    dq_scape_free(f->two);
    f->two = dq_scape_new(f->c, ROWS, COLS, f->guide, BLOCK_ROWS, BLOCK_COLS);
    assert_true(dq_motion_find(f->one, f->two, DQ_MOTION_TURN, &m));
    assert_true(fabs(m.t[0] - 0.04) < 0.002);
    assert_true(!(fabs(m.s[0]) > 0) && !(fabs(m.tz) > 0));
    frames_free(stands);
    frames_free(f);
}

static void what_a_kind_does_not_do_is_taken_out(void **state)
{
    struct dq_motion all = {.t = {1, 2}, .s = {3, 4}, .zeta = 5, .tz = 6},
                     m = all, twice = dq_motion_twice(&all);

    (void)state;
    dq_motion_limit(DQ_MOTION_FREE, &m);
    assert_memory_equal(&m, &all, sizeof m);
    dq_motion_limit(DQ_MOTION_GO, &m);
    assert_true(!(fabs(m.s[0]) > 0) && !(fabs(m.s[1]) > 0) && m.tz > 5);
    dq_motion_limit(DQ_MOTION_TURN, &m);
    assert_true(!(fabs(m.zeta) > 0) && !(fabs(m.tz) > 0) && m.t[1] > 1);
    assert_true(twice.t[0] > 1.9 && twice.s[1] > 7.9 && twice.tz > 11.9);
}

static void a_flat_picture_holds_none(void **state)
{
    struct dq_motion none = dq_motion_none(), m = none;
    static float flat[ROWS * COLS];
    struct frames *f = frames_of(&none);
    struct dq_scape *s =
        dq_scape_new(flat, ROWS, COLS, f->guide, BLOCK_ROWS, BLOCK_COLS);

    (void)state;
    m.t[0] = 0.125;
    if (dq_motion_find(s, s, DQ_MOTION_FREE,
                       &m)) { /* nothing pulls it anywhere */
        assert_true(fabs(m.t[0] - 0.125) < 1e-9);
        assert_true(fabs(m.tz) < 1e-9);
    }
    dq_scape_free(s);
    frames_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_camera_that_stands_is_found_to),
        cmocka_unit_test(a_turn_is_found_with_its_lens_and_roll),
        cmocka_unit_test(a_wide_turn_is_what_rays_do),
        cmocka_unit_test(going_forward_is_found_by_what_is_near),
        cmocka_unit_test(going_aside_is_found_too),
        cmocka_unit_test(a_turn_is_found_beside_a_mover),
        cmocka_unit_test(what_a_kind_does_not_do_is_taken_out),
        cmocka_unit_test(a_flat_picture_holds_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
