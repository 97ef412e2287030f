#include "infer/shot_pairs.h"
#include "infer/shot_solve.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "infer/band.h"

/* ---- band ---------------------------------------------------------------- */

static void a_band_system_gives_what_was_put_in(void **state)
{
    enum { N = 9, HALF = 3 };
    double full[N][N] = {{0}}, band[N * (HALF + 1)] = {0}, b[N] = {0};

    (void)state;
    for (int i = 0; i < N; i++)
        for (int j = 0; j <= i; j++)
            if (i - j <= HALF)
                full[i][j] = full[j][i] =
                    i == j ? 8 + i : 1.0 / (1 + i + 2 * j);
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++)
            b[i] += full[i][j] * (j * j - 3.5);
        for (int j = i > HALF ? i - HALF : 0; j <= i; j++)
            band[i * (HALF + 1) + j - i + HALF] = full[i][j];
    }
    assert_int_equal(dq_band_solve(band, b, N, HALF), 0);
    for (int i = 0; i < N; i++)
        assert_true(fabs(b[i] - (i * i - 3.5)) < 1e-12);
}

static void a_band_that_is_not_positive_is_told(void **state)
{
    double band[] = {0, 1, 2, 1}, b[] = {1, 1}; /* 1 2; 2 1 */

    (void)state;
    assert_int_not_equal(dq_band_solve(band, b, 2, 1), 0);
}

/* ---- differences --------------------------------------------------------- */

enum { FRAMES = 60 };

static double truth(int t)
{
    return 0.4 * sin(0.7 * t) + 0.02 * t;
}

/* All pairs at the lags, exact, each with the evidence q. */
static int all_pairs(struct dq_pair *pairs, double *target, double q)
{
    int n = 0;

    for (int lag = 1; lag <= DQ_SHOT_LAG; lag *= 2)
        for (int a = 0; a + lag < FRAMES; a++) {
            struct dq_pair p = {.a = a, .c = a + lag, .q = q};

            target[n] = truth(a) - truth(a + lag);
            pairs[n++] = p;
        }
    return n;
}

static void differences_give_every_frame_back_about_the_anchor(void **state)
{
    struct dq_pair pairs[5 * FRAMES];
    double target[5 * FRAMES], x[FRAMES];
    int n = all_pairs(pairs, target, 3);

    (void)state;
    dq_shot_differences(pairs, target, n, 0, FRAMES, 20, x);
    for (int t = 0; t < FRAMES; t++)
        assert_true(fabs(x[t] - (truth(t) - truth(20))) < 1e-4);
}

static void a_tenth_of_wrong_pairs_is_outvoted(void **state)
{
    struct dq_pair pairs[5 * FRAMES];
    double target[5 * FRAMES], x[FRAMES];
    int n = all_pairs(pairs, target, 3);

    (void)state;
    for (int i = 0; i < n; i += 10)
        target[i] += 1;
    dq_shot_differences(pairs, target, n, 0, FRAMES, 20, x);
    for (int t = 0; t < FRAMES; t++)
        assert_true(fabs(x[t] - (truth(t) - truth(20))) < 0.02);
}

static void a_frame_without_pairs_lies_between_its_neighbours(void **state)
{
    struct dq_pair pairs[5 * FRAMES];
    double target[5 * FRAMES], x[FRAMES];
    int n = all_pairs(pairs, target, 3), kept = 0;

    (void)state;
    for (int i = 0; i < n; i++)
        if (pairs[i].a != 30 && pairs[i].c != 30) {
            pairs[kept] = pairs[i];
            target[kept++] = target[i];
        }
    dq_shot_differences(pairs, target, kept, 0, FRAMES, 20, x);
    assert_true(fabs(x[30] - (x[29] + x[31]) / 2) < 1e-6);
    assert_true(fabs(x[31] - (truth(31) - truth(20))) < 1e-4);
}

static void a_pair_with_the_anchor_may_be_of_any_length(void **state)
{
    struct dq_pair pairs[] = {{.a = 0, .c = 50, .q = 1},
                              {.a = 1, .c = 50, .q = 1}};
    double target[] = {-0.7, 5}, x[FRAMES];

    (void)state;
    dq_shot_differences(pairs, target, 2, 0, FRAMES, 0, x);
    assert_true(fabs(x[50] - 0.7) < 1e-3); /* and 1..50 is not taken */
}

static void what_lies_outside_the_stretch_is_left_alone(void **state)
{
    struct dq_pair pairs[5 * FRAMES];
    double target[5 * FRAMES], x[FRAMES];
    int n = all_pairs(pairs, target, 3);

    (void)state;
    for (int t = 0; t < FRAMES; t++)
        x[t] = 77;
    dq_shot_differences(pairs, target, n, 10, 40, 12, x);
    assert_true(x[9] == 77 && x[40] == 77);
    assert_true(fabs(x[39] - (truth(39) - truth(12))) < 1e-4);
}

/* ---- shots --------------------------------------------------------------- */

enum { ROWS = 32, COLS = 64, COUNT = 40, BLOCKS = ROWS * COLS };

/* World of any size: disparity with a step, a slope and bumps; and a paint
 * that knows nothing of it. */
static double disparity(double y, double x, int place)
{
    double d = 0.1 + 0.004 * y + 0.05 * sin(0.31 * x + place) * cos(0.4 * y);

    return d + (fmod(x + 1000, 40) < 12 ? 0.15 : 0);
}

static double paint(double y, double x, int place)
{
    double sum = 0;

    for (int i = 1; i < 64; i++) {
        double k = i + 101 * place;

        sum += sin(0.9 * sin(1.7 * k) * x + 0.9 * cos(2.3 * k) * y + k * k);
    }
    return 0.5 + 0.03 * sum;
}

struct shot {
    struct dq_shot_views views;
    struct dq_shot_view frames[COUNT];
    float guide[COUNT][BLOCKS], luma[COUNT][BLOCKS];
    double scale[COUNT], shift[COUNT];
    struct dq_frame_affine found[COUNT];
};

/* The camera stands at column speed * t of a place; the network puts every
 * frame through an affine of its own. */
static void see(struct shot *s, int t, double speed, int place)
{
    s->scale[t] = exp(0.5 * sin(3.1 * t * t));
    s->shift[t] = 0.3 * cos(1.7 * t * t);
    for (int y = 0; y < ROWS; y++)
        for (int x = 0; x < COLS; x++) {
            double at = x + speed * t;

            s->guide[t][y * COLS + x] =
                (float)(s->scale[t] * disparity(y, at, place) + s->shift[t]);
            s->luma[t][y * COLS + x] = (float)paint(y, at, place);
        }
}

static struct shot *shot_new(double speed)
{
    struct shot *s = calloc(1, sizeof *s);

    assert_non_null(s);
    for (int t = 0; t < COUNT; t++) {
        see(s, t, speed, 0);
        s->frames[t].guide = s->guide[t];
        s->frames[t].luma = s->luma[t];
    }
    s->views.count = COUNT;
    s->views.rows = s->views.luma_rows = ROWS;
    s->views.cols = s->views.luma_cols = COLS;
    s->views.frames = s->frames;
    return s;
}

static void solve(struct shot *s)
{
    struct dq_err err = {0};

    assert_int_equal(dq_shot_solve(&s->views, s->found, &err), 0);
}

/* Std of log scale over first .. end, and of where 0.2 is put; finite. */
static void spread(const struct shot *s, int first, int end, double *scale,
                   double *level)
{
    double n = end - first, m = 0, mm = 0, l = 0, ll = 0;

    for (int t = first; t < end; t++) {
        double x = log(s->found[t].scale * s->scale[t]);
        double y = s->found[t].scale * (s->scale[t] * 0.2 + s->shift[t]) +
                   s->found[t].shift;

        m += x / n;
        mm += x * x / n;
        l += y / n;
        ll += y * y / n;
    }
    *scale = sqrt(fmax(0, mm - m * m));
    *level = sqrt(fmax(0, ll - l * l));
    assert_true(isfinite(*scale) && isfinite(*level));
}

static void assert_steady(const struct shot *s, int first, int end,
                          double bound)
{
    double scale, level;

    spread(s, first, end, &scale, &level);
    assert_true(scale < bound);
    assert_true(level < bound * 0.5);
}

static void a_standing_camera_is_held_to_a_thousandth(void **state)
{
    struct shot *s = shot_new(0);
    double scale, level;

    (void)state;
    for (int t = 0; t < COUNT; t++)
        s->found[t].scale = 1;
    spread(s, 0, COUNT, &scale, &level);
    assert_true(scale > 0.2); /* it pulses without a solve */
    solve(s);
    assert_steady(s, 0, COUNT, 1e-4);
    assert_int_equal(s->found[20].anchor, 1);
    assert_true(s->found[20].scale == 1 && s->found[20].shift == 0);
    free(s);
}

static void something_near_that_enters_moves_nothing(void **state)
{
    struct shot *s = shot_new(0);

    (void)state;
    for (int t = 0; t < COUNT; t++) /* a tenth of the width, 2.5 units near */
        for (int y = 4; y < 28; y++)
            for (int x = t; x < t + 6 && x < COLS; x++)
                s->guide[t][y * COLS + x] =
                    (float)(s->scale[t] * 2.5 + s->shift[t]);
    solve(s);
    assert_steady(s, 0, COUNT, 1e-3);
    free(s);
}

static void a_pan_is_followed(void **state)
{
    struct shot *s = shot_new(0.75);

    (void)state;
    solve(s);
    assert_steady(s, 0, COUNT, 0.01);
    assert_int_equal(s->found[COUNT - 1].stretch, 0);
    free(s);
}

static void a_cut_begins_a_stretch_of_its_own(void **state)
{
    struct shot *s = shot_new(0);

    (void)state;
    for (int t = 25; t < COUNT; t++)
        see(s, t, 0, 1);
    solve(s);
    assert_int_equal(s->found[24].stretch, 0);
    assert_int_equal(s->found[25].stretch, 1);
    assert_int_equal(s->found[12].anchor, 1);
    assert_int_equal(s->found[32].anchor, 1);
    assert_steady(s, 0, 25, 1e-3);
    assert_steady(s, 25, COUNT, 1e-3);
    free(s);
}

static void a_cut_at_every_frame_leaves_all_as_they_are(void **state)
{
    struct shot *s = shot_new(0);

    (void)state;
    for (int t = 0; t < COUNT; t++)
        see(s, t, 0, t);
    solve(s);
    for (int t = 0; t < COUNT; t++) {
        assert_int_equal(s->found[t].stretch, t);
        assert_true(s->found[t].scale == 1 && s->found[t].shift == 0);
    }
    free(s);
}

static void a_missing_frame_is_bridged_and_its_neighbours_are_not_hurt(
    void **state)
{
    struct shot *s = shot_new(0);

    (void)state;
    s->frames[10].guide = NULL;
    s->frames[10].luma = NULL;
    solve(s);
    assert_int_equal(s->found[10].evidence, 0);
    assert_true(isfinite(s->found[10].scale));
    assert_int_equal(s->found[COUNT - 1].stretch, 0);
    assert_steady(s, 0, 10, 1e-3);
    assert_steady(s, 11, COUNT, 1e-3);
    free(s);
}

static void black_frames_are_no_cut_and_give_no_nan(void **state)
{
    struct shot *s = shot_new(0);

    (void)state;
    for (int t = 15; t < 18; t++) {
        memset(s->guide[t], 0, sizeof s->guide[t]);
        memset(s->luma[t], 0, sizeof s->luma[t]);
    }
    solve(s);
    for (int t = 0; t < COUNT; t++) {
        assert_int_equal(s->found[t].stretch, 0);
        assert_true(isfinite(s->found[t].scale) && isfinite(s->found[t].shift));
    }
    assert_steady(s, 18, COUNT, 1e-3);
    free(s);
}

static void one_two_and_three_frames_are_shots(void **state)
{
    struct shot *s = shot_new(0);

    (void)state;
    for (int n = 1; n <= 3; n++) {
        s->views.count = n;
        solve(s);
        assert_steady(s, 0, n, 1e-4);
    }
    free(s);
}

static void a_network_that_knows_its_scale_gets_shifts_alone(void **state)
{
    struct shot *s = shot_new(0);

    (void)state;
    for (int t = 0; t < COUNT; t++)
        for (int i = 0; i < BLOCKS; i++)
            s->guide[t][i] =
                (float)((s->guide[t][i] - s->shift[t]) / s->scale[t] + 0.1 * t);
    s->views.log_space = 1;
    solve(s);
    for (int t = 0; t < COUNT; t++) {
        assert_true(s->found[t].scale == 1);
        assert_true(fabs(s->found[t].shift - 0.1 * (20 - t)) < 1e-4);
    }
    free(s);
}

static void a_short_shot_takes_no_more_threads_than_it_has_work_for(
    void **state)
{
    static const int expect[][3] = {/* frames, threads, of use */
                                    {5, 64, 1},
                                    {24, 64, 3},
                                    {24, 2, 2},
                                    {24, 0, 1},
                                    {0, 8, 1}};

    (void)state;
    for (size_t i = 0; i < sizeof expect / sizeof *expect; i++) {
        struct dq_shot_views v = {.count = expect[i][0],
                                  .threads = expect[i][1]};

        assert_int_equal(dq_pairs_threads(&v), expect[i][2]);
    }
}

static void the_same_shot_gives_the_same_bits_on_any_number_of_threads(
    void **state)
{
    static const int threads[] = {1, 2, 3, 7};
    struct shot *s = shot_new(0.75);
    struct dq_frame_affine once[COUNT];

    (void)state;
    solve(s);
    memcpy(once, s->found, sizeof once);
    for (size_t k = 0; k < sizeof threads / sizeof *threads; k++) {
        s->views.threads = threads[k];
        memset(s->found, 0x5a, sizeof s->found);
        solve(s);
        for (int t = 0; t < COUNT; t++) {
            assert_memory_equal(&once[t].scale, &s->found[t].scale,
                                sizeof once[t].scale);
            assert_memory_equal(&once[t].shift, &s->found[t].shift,
                                sizeof once[t].shift);
            assert_int_equal(once[t].evidence, s->found[t].evidence);
            assert_int_equal(once[t].known, s->found[t].known);
        }
    }
    free(s);
}

static void a_standing_shot_is_wholly_known_and_a_lonely_frame_is_not(
    void **state)
{
    struct shot *s = shot_new(0);

    (void)state;
    memset(s->guide[30], 0, sizeof s->guide[30]);
    memset(s->luma[30], 0, sizeof s->luma[30]);
    solve(s);
    for (int t = 0; t < COUNT; t++)
        assert_int_equal(s->found[t].known,
                         t == 30 ? DQ_KNOWN_NOTHING : DQ_KNOWN_BOTH);
    free(s);
}

static void impossible_sizes_are_our_bug(void **state)
{
    struct shot *s = shot_new(0);
    struct dq_err err = {0};

    (void)state;
    s->views.luma_cols = 48;
    assert_int_equal(dq_shot_solve(&s->views, s->found, &err), DQ_BUG);
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_band_system_gives_what_was_put_in),
        cmocka_unit_test(a_band_that_is_not_positive_is_told),
        cmocka_unit_test(differences_give_every_frame_back_about_the_anchor),
        cmocka_unit_test(a_tenth_of_wrong_pairs_is_outvoted),
        cmocka_unit_test(a_frame_without_pairs_lies_between_its_neighbours),
        cmocka_unit_test(a_pair_with_the_anchor_may_be_of_any_length),
        cmocka_unit_test(what_lies_outside_the_stretch_is_left_alone),
        cmocka_unit_test(a_standing_camera_is_held_to_a_thousandth),
        cmocka_unit_test(something_near_that_enters_moves_nothing),
        cmocka_unit_test(a_pan_is_followed),
        cmocka_unit_test(a_cut_begins_a_stretch_of_its_own),
        cmocka_unit_test(a_cut_at_every_frame_leaves_all_as_they_are),
        cmocka_unit_test(
            a_missing_frame_is_bridged_and_its_neighbours_are_not_hurt),
        cmocka_unit_test(black_frames_are_no_cut_and_give_no_nan),
        cmocka_unit_test(one_two_and_three_frames_are_shots),
        cmocka_unit_test(a_network_that_knows_its_scale_gets_shifts_alone),
        cmocka_unit_test(
            a_short_shot_takes_no_more_threads_than_it_has_work_for),
        cmocka_unit_test(
            the_same_shot_gives_the_same_bits_on_any_number_of_threads),
        cmocka_unit_test(
            a_standing_shot_is_wholly_known_and_a_lonely_frame_is_not),
        cmocka_unit_test(impossible_sizes_are_our_bug),
    };

    return cmocka_run_group_tests_name("shot_solve", tests, NULL, NULL);
}
