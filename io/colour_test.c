#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "io/colour.h"

/* A float frame of n pixels in one row. */
static void frame_of(struct dq_frame *frame, int n, int alpha)
{
    struct dq_box data = {0, 0, n - 1, 0};
    struct dq_err err = {0};

    assert_int_equal(
        dq_frame_shape(frame, &data, DQ_PIXEL_FLOAT, 0, alpha, &err), 0);
    frame->display = data;
    frame->pixel_aspect = 1;
}

static float *plane(struct dq_frame *frame, enum dq_plane which)
{
    return frame->plane[which];
}

static double srgb_formula(double x)
{
    return x <= 0.0031308 ? 12.92 * x : 1.055 * pow(x, 1 / 2.4) - 0.055;
}

static double shoulder_formula(double x)
{
    return x <= 0.8 ? x : 0.8 + 0.2 * (1 - exp(-(x - 0.8) / 0.2));
}

static void curve_follows_shoulder_and_srgb(void **state)
{
    enum { N = 20000 };
    static float out[3 * N];
    struct dq_colour colour = {.gain = 2, .tonemap = DQ_TONEMAP_SHOULDER};
    struct dq_pixel_counts counts = {0};
    struct dq_frame frame = {0};

    (void)state;
    frame_of(&frame, N, 0);
    for (int i = 0; i < N; i++)
        for (int c = 0; c < 3; c++)
            plane(&frame, (enum dq_plane)c)[i] =
                (float)pow(10, -6 + 10.0 * i / N);
    dq_colour_apply(&colour, &frame, out, NULL, &counts);
    for (int i = 0; i < N; i++) {
        double x = 2.0 * (double)plane(&frame, DQ_PLANE_R)[i];

        assert_true(fabs((double)out[i] - srgb_formula(shoulder_formula(x))) <
                    1e-6);
    }
    dq_frame_free(&frame);
}

static void clip_stops_at_one_and_linear_stays_linear(void **state)
{
    struct dq_colour colour = {
        .gain = 1, .tonemap = DQ_TONEMAP_CLIP, .transfer = DQ_TRANSFER_LINEAR};
    struct dq_pixel_counts counts = {0};
    struct dq_frame frame = {0};
    const float in[4] = {0.25F, 0.9999F, 1.0F, 7.5F};
    float out[12];

    (void)state;
    frame_of(&frame, 4, 0);
    memcpy(frame.plane[DQ_PLANE_G], in, sizeof in);
    dq_colour_apply(&colour, &frame, out, NULL, &counts);
    for (int i = 0; i < 4; i++)
        assert_true(fabsf(out[4 + i] - fminf(in[i], 1)) < 1e-6F);
    assert_int_equal(counts.saturated, 2);
    dq_frame_free(&frame);
}

static void bad_pixels_become_black_and_are_counted(void **state)
{
    struct dq_colour colour = {.gain = 1};
    struct dq_pixel_counts counts = {0};
    struct dq_frame frame = {0};
    const float in[5] = {NAN, INFINITY, -INFINITY, -0.5F, 0.5F};
    float out[15];

    (void)state;
    frame_of(&frame, 5, 0);
    memcpy(frame.plane[DQ_PLANE_R], in, sizeof in);
    dq_colour_apply(&colour, &frame, out, NULL, &counts);
    for (int i = 0; i < 4; i++)
        assert_true(out[i] >= 0 && out[i] <= 0);
    assert_true(out[4] > 0.7F);
    assert_int_equal(counts.nan, 1);
    assert_int_equal(counts.inf, 2);
    assert_int_equal(counts.negative, 1);
    dq_frame_free(&frame);
}

static void premultiplied_edges_get_their_own_colour_back(void **state)
{
    struct dq_colour colour = {.gain = 1, .transfer = DQ_TRANSFER_LINEAR};
    struct dq_pixel_counts counts = {0};
    struct dq_frame frame = {0};
    const float red[3] = {0.4F, 0.1F, 0.0F}, a[3] = {1.0F, 0.25F, 0.0F};
    float out[9], alpha[3];

    (void)state;
    frame_of(&frame, 3, 1);
    memcpy(frame.plane[DQ_PLANE_R], red, sizeof red);
    memcpy(frame.plane[DQ_PLANE_A], a, sizeof a);
    dq_colour_apply(&colour, &frame, out, alpha, &counts);
    assert_true(fabsf(out[0] - 0.4F) < 1e-6F);
    assert_true(fabsf(out[1] - 0.4F) < 1e-6F);
    assert_true(out[2] >= 0 && out[2] <= 0);
    assert_memory_equal(alpha, a, sizeof a);
    dq_frame_free(&frame);
}

/* Published ACEScg -> linear Rec.709 with Bradford adaptation. */
static void acescg_has_the_published_matrix(void **state)
{
    static const double want[9] = {1.70505,  -0.62179, -0.08326,
                                   -0.13026, 1.14080,  -0.01055,
                                   -0.02400, -0.12897, 1.15297};
    struct dq_plate_info info = {0};
    struct dq_colour colour = {0};
    struct dq_err err = {0};
    int guessed = 1;

    (void)state;
    assert_int_equal(dq_colour_matrix("ACEScg", &info, &colour, &guessed, &err),
                     0);
    assert_false(guessed);
    assert_true(colour.has_matrix);
    for (int i = 0; i < 9; i++)
        assert_true(fabs((double)colour.matrix[i] - want[i]) < 5e-5);
}

static void every_white_stays_white(void **state)
{
    static const char *const names[] = {"lin_ap0", "lin_ap1", "lin_rec2020",
                                        "lin_p3d65"};
    struct dq_plate_info info = {0};
    struct dq_err err = {0};
    int guessed;

    (void)state;
    for (size_t n = 0; n < 4; n++) {
        struct dq_colour colour = {0};

        assert_int_equal(
            dq_colour_matrix(names[n], &info, &colour, &guessed, &err), 0);
        for (int r = 0; r < 3; r++)
            assert_true(fabsf(colour.matrix[3 * r] + colour.matrix[3 * r + 1] +
                              colour.matrix[3 * r + 2] - 1) < 1e-5F);
    }
}

static void auto_believes_the_id_then_chromaticities_then_guesses(void **state)
{
    static const float ap0[8] = {0.7347F, 0.2653F,  0.0F,     1.0F,
                                 0.0001F, -0.0770F, 0.32168F, 0.33767F};
    struct dq_plate_info info = {.interop_id = "lin_rec709_scene",
                                 .has_chromaticities = 1};
    struct dq_colour colour = {0};
    struct dq_err err = {0};
    int guessed = 1;

    (void)state;
    memcpy(info.chromaticities, ap0, sizeof ap0);
    assert_int_equal(dq_colour_matrix("auto", &info, &colour, &guessed, &err),
                     0);
    assert_false(colour.has_matrix || guessed);
    info.interop_id = NULL;
    assert_int_equal(dq_colour_matrix("auto", &info, &colour, &guessed, &err),
                     0);
    assert_true(colour.has_matrix && !guessed);
    info.has_chromaticities = 0;
    assert_int_equal(dq_colour_matrix("auto", &info, &colour, &guessed, &err),
                     0);
    assert_true(!colour.has_matrix && guessed);
}

static void an_unknown_space_is_told_with_what_was_meant(void **state)
{
    struct dq_plate_info info = {0};
    struct dq_colour colour = {0};
    struct dq_err err = {0};
    int guessed;

    (void)state;
    assert_int_equal(
        dq_colour_matrix("ACEScgg", &info, &colour, &guessed, &err), DQ_SPEC);
    assert_non_null(strstr(err.text, "did you mean 'ACEScg'"));
}

static void exposure_puts_the_geometric_mean_on_middle_grey(void **state)
{
    struct dq_colour colour = {.gain = 1};
    struct dq_frame frame = {0};
    int64_t count = 0;
    double sum = 0;

    (void)state;
    frame_of(&frame, 4, 0);
    for (int i = 0; i < 4; i++)
        for (int c = 0; c < 3; c++) /* 0 is no scene; mean of the rest .09 */
            plane(&frame, (enum dq_plane)c)[i] =
                i == 3 ? 0.0F : 0.09F * powf(2, (float)(i - 1));
    dq_colour_log_luminance(&colour, &frame, &sum, &count);
    assert_int_equal(count, 3);
    assert_true(fabsf(dq_colour_exposure(sum, count) - 1) < 1e-5F);
    assert_true(fabsf(dq_colour_exposure(sum - 30, count) - 2) < 1e-6F);
    assert_true(fabsf(dq_colour_exposure(0, 0)) < 1e-6F);
    dq_frame_free(&frame);
}

/* A picture whose logarithm rises along both axes: the mean over the grid is
 * that over all pixels, but for the grid's own width. */
static void a_large_picture_is_exposed_by_a_grid_of_its_pixels(void **state)
{
    enum { W = 1500, H = 1100 };
    struct dq_colour colour = {.gain = 1};
    struct dq_frame frame = {0};
    struct dq_box data = {-7, 3, W - 8, H + 2};
    struct dq_err err = {0};
    int64_t count = 0;
    double sum = 0;

    (void)state;
    assert_int_equal(dq_frame_shape(&frame, &data, DQ_PIXEL_FLOAT, 0, 0, &err),
                     0);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            for (int c = 0; c < 3; c++)
                plane(&frame, (enum dq_plane)c)[y * W + x] =
                    (float)exp(3.0 * x / W - 2.0 * y / H);
    dq_colour_log_luminance(&colour, &frame, &sum, &count);
    assert_in_range(count, 1 << 17, 1 << 18);
    assert_true(fabs(sum / (double)count - (1.5 - 1.0)) < 0.005);
    dq_frame_free(&frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(curve_follows_shoulder_and_srgb),
        cmocka_unit_test(clip_stops_at_one_and_linear_stays_linear),
        cmocka_unit_test(bad_pixels_become_black_and_are_counted),
        cmocka_unit_test(premultiplied_edges_get_their_own_colour_back),
        cmocka_unit_test(acescg_has_the_published_matrix),
        cmocka_unit_test(every_white_stays_white),
        cmocka_unit_test(auto_believes_the_id_then_chromaticities_then_guesses),
        cmocka_unit_test(an_unknown_space_is_told_with_what_was_meant),
        cmocka_unit_test(exposure_puts_the_geometric_mean_on_middle_grey),
        cmocka_unit_test(a_large_picture_is_exposed_by_a_grid_of_its_pixels),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
