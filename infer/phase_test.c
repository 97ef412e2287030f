#include "infer/phase.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 64, COLS = 128 };

/* Waves of seven pixels and more without end, sampled at any place. */
static float pattern(double y, double x)
{
    double sum = 0;

    for (int i = 1; i < 40; i++)
        sum += sin(0.9 * sin(1.7 * i) * x + 0.9 * cos(2.3 * i) * y + i * i);
    return (float)sum;
}

static void fill(float *out, double y0, double x0)
{
    for (int y = 0; y < ROWS; y++)
        for (int x = 0; x < COLS; x++)
            out[y * COLS + x] = pattern(y - y0, x - x0);
}

static void measure(const float *a, const float *b, double *dy, double *dx)
{
    struct dq_spectrum *one = dq_spectrum_new(a, ROWS, COLS);
    struct dq_spectrum *two = dq_spectrum_new(b, ROWS, COLS);

    dq_phase_shift(one, two, dy, dx);
    dq_spectrum_free(one);
    dq_spectrum_free(two);
}

static void the_same_picture_has_not_moved(void **state)
{
    static float a[ROWS * COLS];
    double dy = 9, dx = 9;

    (void)state;
    fill(a, 0, 0);
    measure(a, a, &dy, &dx);
    assert_true(fabs(dy) < 1e-9 && fabs(dx) < 1e-9);
}

static void whole_shifts_are_found_in_every_direction(void **state)
{
    static const int shifts[][2] = {{0, 9}, {5, 0}, {-7, 3}, {4, -21}};
    static float a[ROWS * COLS], b[ROWS * COLS];

    (void)state;
    fill(a, 0, 0);
    for (size_t i = 0; i < sizeof shifts / sizeof *shifts; i++) {
        double dy, dx;

        fill(b, shifts[i][0], shifts[i][1]);
        measure(a, b, &dy, &dx);
        assert_true(fabs(dy - shifts[i][0]) < 0.1);
        assert_true(fabs(dx - shifts[i][1]) < 0.1);
    }
}

static void half_a_pixel_is_told_from_a_whole_one(void **state)
{
    static float a[ROWS * COLS], b[ROWS * COLS];
    double dy, dx;

    (void)state;
    fill(a, 0, 0);
    fill(b, 0.5, -3.5);
    measure(a, b, &dy, &dx);
    assert_true(fabs(dy - 0.5) < 0.2);
    assert_true(fabs(dx + 3.5) < 0.2);
}

static void other_light_moves_nothing(void **state)
{
    static float a[ROWS * COLS], b[ROWS * COLS];
    double dy, dx;

    (void)state;
    fill(a, 0, 0);
    fill(b, 2, 6);
    for (int i = 0; i < ROWS * COLS; i++)
        b[i] = 3 - 0.4F * b[i];
    measure(a, b, &dy, &dx);
    assert_true(fabs(dy - 2) < 0.1 && fabs(dx - 6) < 0.1);
}

static void a_flat_picture_gives_a_number(void **state)
{
    static float a[ROWS * COLS], b[ROWS * COLS];
    double dy, dx;

    (void)state;
    memset(a, 0, sizeof a);
    fill(b, 0, 0);
    measure(a, b, &dy, &dx);
    assert_true(isfinite(dy) && isfinite(dx));
    measure(a, a, &dy, &dx);
    assert_true(isfinite(dy) && isfinite(dx));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_picture_has_not_moved),
        cmocka_unit_test(whole_shifts_are_found_in_every_direction),
        cmocka_unit_test(half_a_pixel_is_told_from_a_whole_one),
        cmocka_unit_test(other_light_moves_nothing),
        cmocka_unit_test(a_flat_picture_gives_a_number),
    };

    return cmocka_run_group_tests_name("phase", tests, NULL, NULL);
}
