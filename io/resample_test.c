#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "io/resample.h"

enum { ROOM = 64 };

static float made_up(int i)
{
    return (float)((i * 7919 + 13) % 101) / 101 - 0.3F;
}

static void fill(float *plane, int n)
{
    for (int i = 0; i < n; i++)
        plane[i] = made_up(i);
}

static void assert_near(double a, double b, double bound)
{
    if (!(fabs(a - b) <= bound))
        fail_msg("%.9g is not %.9g", a, b);
}

/* The same average another way: repeat every sample `count` times, so that
 * `n` repeats make one part exactly. */
static double average_of(const float *in, int w, int y, int oh, int h, int x,
                         int ow)
{
    double sum = 0;

    for (int j = y * h; j < (y + 1) * h; j++)
        for (int i = x * w; i < (x + 1) * w; i++)
            sum += (double)in[j / oh * w + i / ow];
    return sum / ((double)h * w);
}

static void area_is_the_mean_of_what_a_pixel_covers(void **state)
{
    static const int sizes[][4] = {{6, 8, 3, 4}, {5, 7, 3, 2}, {7, 5, 7, 5},
                                   {3, 2, 5, 7}, {1, 1, 4, 3}, {8, 1, 1, 1},
                                   {7, 8, 5, 3}, {2, 8, 3, 8}};
    float in[ROOM], out[ROOM];
    struct dq_err err = {0};

    (void)state;
    fill(in, ROOM);
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        int h = sizes[k][0], w = sizes[k][1], oh = sizes[k][2],
            ow = sizes[k][3];

        assert_int_equal(dq_resample_area(in, h, w, out, oh, ow, &err), 0);
        for (int y = 0; y < oh; y++)
            for (int x = 0; x < ow; x++)
                assert_near((double)out[y * ow + x],
                            average_of(in, w, y, oh, h, x, ow), 1e-6);
    }
}

static void the_same_size_keeps_every_bit(void **state)
{
    float in[ROOM], out[ROOM];
    struct dq_err err = {0};

    (void)state;
    fill(in, ROOM);
    dq_resample_area(in, 7, 9, out, 7, 9, &err);
    assert_memory_equal(in, out, 63 * sizeof *in);
    dq_resample_linear(in, 7, 9, out, 7, 9, &err);
    assert_memory_equal(in, out, 63 * sizeof *in);
    dq_resample_nearest(in, 7, 9, out, 7, 9);
    assert_memory_equal(in, out, 63 * sizeof *in);
}

static void a_window_counts_only_what_lies_inside(void **state)
{
    static const float in[6] = {1, 2, 3, 4, 5, 6}; /* 2 x 3 */
    struct dq_window window = {-2, -1, 4, 3};      /* 6 x 4 */
    struct dq_err err = {0};
    float out[4];

    (void)state;
    /* parts of 3 x 2: the first holds only the pixel (0,0), and so on */
    assert_int_equal(dq_resample_window(in, 2, 3, 3, &window, out, 2, 2, &err),
                     0);
    assert_near((double)out[0], 1, 1e-7);
    assert_near((double)out[1], 2.5, 1e-7);
    assert_near((double)out[2], 4, 1e-7);
    assert_near((double)out[3], 5.5, 1e-7);
}

static void a_part_that_holds_nothing_takes_the_nearest(void **state)
{
    static const float in[6] = {1, 2, 3, 4, 5, 6}; /* 2 x 3 */
    struct dq_window left = {-4, 0, 0, 2}, far = {10, 10, 12, 12};
    struct dq_err err = {0};
    float out[4];

    (void)state;
    dq_resample_window(in, 2, 3, 3, &left, out, 2, 2, &err);
    assert_near((double)out[0], 1, 0);
    assert_near((double)out[1], 1, 0);
    assert_near((double)out[2], 4, 0);
    assert_near((double)out[3], 4, 0);
    dq_resample_window(in, 2, 3, 3, &far, out, 1, 1, &err);
    assert_near((double)out[0], 6, 0);
}

static void a_window_of_fractions_weighs_the_ends(void **state)
{
    static const float in[4] = {0, 1, 10, 100};
    struct dq_window window = {0.75, 0, 2.5, 1};
    struct dq_err err = {0};
    float out[1];

    (void)state;
    dq_resample_window(in, 1, 4, 4, &window, out, 1, 1, &err);
    assert_near((double)out[0], (0.25 * 0 + 1 * 1 + 0.5 * 10) / 1.75, 1e-6);
}

static void a_row_may_lie_in_a_wider_picture(void **state)
{
    static const float in[8] = {1, 2, 99, 99, 3, 4, 99, 99};
    struct dq_window whole = {0, 0, 2, 2};
    struct dq_err err = {0};
    float out[1];

    (void)state;
    dq_resample_window(in, 2, 2, 4, &whole, out, 1, 1, &err);
    assert_near((double)out[0], 2.5, 1e-7);
}

static void linear_keeps_a_ramp_and_clamps_its_ends(void **state)
{
    static const float in[4] = {0, 1, 2, 3};
    struct dq_err err = {0};
    float out[8];

    (void)state;
    dq_resample_linear(in, 1, 4, out, 1, 8, &err);
    for (int i = 1; i < 7; i++)
        assert_near((double)out[i], (i + 0.5) / 2 - 0.5, 1e-6);
    assert_near((double)out[0], 0, 0);
    assert_near((double)out[7], 3, 0);
}

static void linear_mixes_four_neighbours(void **state)
{
    static const float in[4] = {0, 1, 10, 11};
    struct dq_err err = {0};
    float out[9];

    (void)state;
    dq_resample_linear(in, 2, 2, out, 3, 3, &err);
    assert_near((double)out[4], 5.5, 1e-6);
    assert_near((double)out[1], 0.5, 1e-6);
    assert_near((double)out[3], 5, 1e-6);
    assert_near((double)out[8], 11, 0);
}

static void nearest_invents_no_value(void **state)
{
    static const int sizes[][4] = {{2, 3, 4, 5}, {3, 5, 2, 2}, {7, 9, 3, 4}};
    float in[ROOM], out[20];

    (void)state;
    fill(in, ROOM);
    for (size_t k = 0; k < 3; k++) {
        int h = sizes[k][0], w = sizes[k][1], oh = sizes[k][2],
            ow = sizes[k][3];

        dq_resample_nearest(in, h, w, out, oh, ow);
        for (int i = 0; i < oh * ow; i++) {
            int y = (int)((i / ow + 0.5) * h / oh);
            int x = (int)((i % ow + 0.5) * w / ow);

            assert_near((double)out[i], (double)in[y * w + x], 0);
        }
    }
}

/* Two dimensions at once, straight from the definition. */
static double blurred(const float *in, int h, int w, double sigma, int y, int x)
{
    int reach = (int)(3 * sigma + 0.5);
    double sum = 0, total = 0;

    for (int j = -reach; j <= reach; j++)
        for (int i = -reach; i <= reach; i++) {
            double k = exp(-0.5 * (i * i + j * j) / (sigma * sigma));
            int v = y + j < 0 ? 0 : y + j >= h ? h - 1 : y + j;
            int u = x + i < 0 ? 0 : x + i >= w ? w - 1 : x + i;

            sum += k * (double)in[v * w + u];
            total += k;
        }
    return sum / total;
}

static void gauss_is_what_its_definition_says(void **state)
{
    static const double sigmas[] = {0.6, 1.5, 8};
    float in[ROOM], out[ROOM];
    struct dq_err err = {0};

    (void)state;
    fill(in, ROOM);
    for (size_t k = 0; k < 3; k++) {
        assert_int_equal(dq_resample_gauss(in, 7, 9, sigmas[k], out, &err), 0);
        for (int i = 0; i < 63; i++)
            assert_near((double)out[i],
                        blurred(in, 7, 9, sigmas[k], i / 9, i % 9), 1e-6);
    }
    dq_resample_gauss(in, 1, 1, 8, out, &err);
    assert_near((double)out[0], (double)in[0], 1e-7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(area_is_the_mean_of_what_a_pixel_covers),
        cmocka_unit_test(the_same_size_keeps_every_bit),
        cmocka_unit_test(a_window_counts_only_what_lies_inside),
        cmocka_unit_test(a_part_that_holds_nothing_takes_the_nearest),
        cmocka_unit_test(a_window_of_fractions_weighs_the_ends),
        cmocka_unit_test(a_row_may_lie_in_a_wider_picture),
        cmocka_unit_test(linear_keeps_a_ramp_and_clamps_its_ends),
        cmocka_unit_test(linear_mixes_four_neighbours),
        cmocka_unit_test(nearest_invents_no_value),
        cmocka_unit_test(gauss_is_what_its_definition_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
