#include "infer/shot_match.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 64, COLS = 128, LUMA_ROWS = 128, LUMA_COLS = 256, FRAMES = 4 };

static const double ASPECT = 0.5;

/* Disparity of the world from where frame 0 stands: a slope and a hill, with
 * nothing at infinity. */
static double disparity(double x, double y)
{
    return 0.3 + 0.2 * (y + 0.5) + 0.2 * exp(-8 * (x * x + y * y));
}

/* A picture that knows nothing of it. */
static double paint(double x, double y)
{
    return 0.1 * (sin(23 * x + 5 * y) + sin(17 * y - 9 * x + 1) +
                  sin(31 * x * y + 11 * x) + sin(41 * y + 3));
}

struct shot {
    struct dq_shot_views views;
    struct dq_shot_view frames[FRAMES];
    float guide[FRAMES][ROWS * COLS], luma[FRAMES][LUMA_ROWS * LUMA_COLS];
    double scale[FRAMES], shift[FRAMES];
};

static void place_of(int j, int i, int rows, int cols, double *x, double *y)
{
    *x = ((i + 0.5) / cols - 0.5) * 2;
    *y = ((j + 0.5) / rows - 0.5) * 2 * ASPECT;
}

/* The point of frame 0 that a camera which has gone by dz and turned by `turn`
 * sees at (x, y), and what became of its disparity. */
static double origin(double dz, double turn, double *x, double *y)
{
    double px = *x, py = *y, d = 1;

    for (int round = 0; round < 40; round++) {
        d = 1 - dz * disparity(px, py);
        px = (*x) * d - turn;
        py = (*y) * d;
    }
    *x = px;
    *y = py;
    return disparity(px, py) / d;
}

static void see(struct shot *s, int t, double dz, double turn)
{
    double x, y;

    s->scale[t] = 1 + 0.3 * t;
    s->shift[t] = 0.2 * t - 0.1;
    for (int j = 0; j < ROWS; j++)
        for (int i = 0; i < COLS; i++) {
            place_of(j, i, ROWS, COLS, &x, &y);
            s->guide[t][j * COLS + i] =
                (float)(s->scale[t] * origin(dz, turn, &x, &y) + s->shift[t]);
        }
    for (int j = 0; j < LUMA_ROWS; j++)
        for (int i = 0; i < LUMA_COLS; i++) {
            place_of(j, i, LUMA_ROWS, LUMA_COLS, &x, &y);
            origin(dz, turn, &x, &y);
            s->luma[t][j * LUMA_COLS + i] = (float)paint(x, y);
        }
    s->frames[t].guide = s->guide[t];
    s->frames[t].luma = s->luma[t];
}

/* A camera that goes so far and turns so much a frame. */
static struct shot *shot_new(double dz, double turn)
{
    struct shot *s = calloc(1, sizeof *s);

    assert_non_null(s);
    for (int t = 0; t < FRAMES; t++)
        see(s, t, t * dz, t * turn);
    s->views = (struct dq_shot_views){.count = FRAMES,
                                      .rows = ROWS,
                                      .cols = COLS,
                                      .luma_rows = LUMA_ROWS,
                                      .luma_cols = LUMA_COLS,
                                      .frames = s->frames};
    return s;
}

static struct dq_matcher *matcher_of(const struct shot *s)
{
    struct dq_err err = {0};
    struct dq_matcher *m = dq_matcher_new(&s->views, &err);

    assert_non_null(m);
    return m;
}

/* Of frames 0 and c: the scale to one in a thousand, the level to two of the
 * range. */
static void expect_affine(const struct shot *s, const struct dq_match *match)
{
    const struct dq_pair *p = &match->pair;
    double ratio = s->scale[p->c] / s->scale[p->a];
    double level = (p->m_a - s->shift[p->a]) / s->scale[p->a];
    double same = (p->m_c - s->shift[p->c]) / s->scale[p->c];

    assert_true(match->tells);
    assert_true(fabs(p->rho / ratio - 1) < 0.01);
    assert_true(fabs(level - same) < 0.02 * 0.4);
}

static void a_camera_that_stands_tells_scale_and_level(void **state)
{
    struct shot *s = shot_new(0, 0);
    struct dq_matcher *m = matcher_of(s);
    struct dq_match match;

    (void)state;
    dq_match(m, 0, 1, NULL, &match);
    expect_affine(s, &match);
    assert_int_equal(match.moved, 0);
    assert_int_equal(match.pair.level, 1);
    assert_true(match.same > 0.99);
    assert_false(dq_match_is_cut(&match));
    dq_matcher_free(m);
    free(s);
}

static void one_that_goes_tells_its_scale_and_that_the_level_is_a_guess(
    void **state)
{
    struct shot *s = shot_new(0.05, 0);
    struct dq_matcher *m = matcher_of(s);
    struct dq_match match;

    (void)state;
    dq_match(m, 0, 1, NULL, &match);
    assert_int_equal(match.moved, 1);
    assert_int_equal(match.pair.level, 0);
    assert_true(match.tells);
    assert_true(fabs(match.pair.rho / (s->scale[1] / s->scale[0]) - 1) < 0.01);
    dq_matcher_free(m);
    free(s);
}

/* The upper part says one thing, without a pattern, and nothing lies beyond:
 * that is a sky, and where infinity is. */
static void with_a_sky_in_view_its_level_is_known(void **state)
{
    struct shot *s = shot_new(0.05, 0);
    struct dq_matcher *m = matcher_of(s);
    struct dq_match match;

    (void)state;
    for (int t = 0; t < 2; t++) {
        for (int i = 0; i < ROWS / 4 * COLS; i++)
            s->guide[t][i] = (float)s->shift[t];
        for (int i = 0; i < LUMA_ROWS / 4 * LUMA_COLS; i++)
            s->luma[t][i] = 0;
    }
    dq_match(m, 0, 1, NULL, &match);
    assert_int_equal(match.moved, 1);
    assert_int_equal(match.pair.level, 1);
    expect_affine(s, &match);
    dq_matcher_free(m);
    free(s);
}

static void a_motion_over_half_of_the_time_goes_on(void **state)
{
    struct shot *s = shot_new(0, 0.03);
    struct dq_matcher *m = matcher_of(s);
    struct dq_match half, match;

    (void)state;
    dq_match(m, 0, 1, NULL, &half);
    dq_match(m, 0, 2, &half, &match);
    assert_int_equal(half.moved, 1);
    assert_int_equal(match.moved, 1);
    assert_true(fabs(match.motion.t[0] - 2 * half.motion.t[0]) < 0.002);
    expect_affine(s, &match);
    dq_matcher_free(m);
    free(s);
}

static void a_wide_turn_counts_for_little(void **state)
{
    struct shot *s = shot_new(0, 0.09);
    struct dq_matcher *m = matcher_of(s);
    struct dq_match near, wide;

    (void)state;
    dq_match(m, 0, 1, NULL, &near);
    dq_match(m, 0, 3, NULL, &wide);
    expect_affine(s, &near);
    expect_affine(s, &wide);
    /* by what is seen twice alone it would be more than a half */
    assert_true(wide.pair.q < 0.2 * near.pair.q);
    dq_matcher_free(m);
    free(s);
}

static void a_pair_is_the_same_whatever_was_matched_before(void **state)
{
    struct shot *s = shot_new(0.02, 0.02);
    struct dq_matcher *used = matcher_of(s), *fresh = matcher_of(s);
    struct dq_match match[2];

    (void)state;
    memset(match, 0, sizeof match); /* padding is compared too */
    for (int a = 0; a < FRAMES; a++)
        for (int c = a + 1; c < FRAMES; c++)
            dq_match(used, a, c, NULL, &match[0]);
    dq_match(used, 1, 2, NULL, &match[0]);
    dq_match(fresh, 1, 2, NULL, &match[1]);
    assert_memory_equal(&match[0].pair, &match[1].pair, sizeof match[0].pair);
    assert_memory_equal(&match[0].motion, &match[1].motion,
                        sizeof match[0].motion);
    dq_matcher_free(used);
    dq_matcher_free(fresh);
    free(s);
}

static void another_place_is_a_cut_and_a_flat_or_missing_one_is_none(
    void **state)
{
    struct shot *s = shot_new(0, 0);
    struct dq_matcher *m = matcher_of(s);
    struct dq_match match;

    (void)state;
    see(s, 1, 0, 7); /* far aside: other paint */
    memset(s->luma[2], 0, sizeof s->luma[2]);
    s->frames[3].guide = NULL;
    dq_match(m, 0, 1, NULL, &match);
    assert_true(dq_match_is_cut(&match));
    assert_false(match.tells);
    for (int c = 2; c < FRAMES; c++) {
        dq_match(m, 0, c, NULL, &match);
        assert_false(dq_match_is_cut(&match));
        assert_false(match.tells);
    }
    dq_matcher_free(m);
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_camera_that_stands_tells_scale_and_level),
        cmocka_unit_test(
            one_that_goes_tells_its_scale_and_that_the_level_is_a_guess),
        cmocka_unit_test(with_a_sky_in_view_its_level_is_known),
        cmocka_unit_test(a_motion_over_half_of_the_time_goes_on),
        cmocka_unit_test(a_wide_turn_counts_for_little),
        cmocka_unit_test(a_pair_is_the_same_whatever_was_matched_before),
        cmocka_unit_test(
            another_place_is_a_cut_and_a_flat_or_missing_one_is_none),
    };

    return cmocka_run_group_tests_name("shot_match", tests, NULL, NULL);
}
