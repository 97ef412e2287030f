#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "infer/blend.h"
#include "infer/gather.h"

static struct dq_model plain(void)
{
    struct dq_model m = {.channels = "RGB",
                         .range = {0, 1},
                         .std = {1, 1, 1},
                         .multiple = 1,
                         .preferred = 8,
                         .min = 1,
                         .max = 64,
                         .output_channels = 1,
                         .sky_channel = -1};

    return m;
}

/* A value that tells where it came from. */
static float told(int c, int x, int y)
{
    return (float)(c * 10000 + y * 100 + x) / 100000;
}

static float *picture_of(int width, int height)
{
    float *rgb = dq_new_array((size_t)(3 * width * height), sizeof *rgb);

    for (int c = 0; c < 3; c++)
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                rgb[(c * height + y) * width + x] = told(c, x, y);
    return rgb;
}

static void gather(const struct dq_picture *p, const struct dq_model *m, int x,
                   int y, int w, int h, float *out)
{
    int *index = dq_new_array((size_t)(w + h), sizeof *index);

    dq_gather_tile(p, m, x, y, w, h, index, out);
    free(index);
}

/* Walk from the inside outward, turning round at the ends. */
static int mirrored(int i, int n)
{
    int at = 0, step = 1;

    for (int k = 0; k < abs(i); k++) {
        if (at + step < 0 || at + step >= n)
            step = -step;
        at += step;
    }
    return i >= 0 ? at : mirrored(-i, n);
}

static void beyond_the_rim_pixels_are_mirrored(void **state)
{
    (void)state;
    for (int n = 2; n < 9; n++)
        for (int i = 1 - n; i < 2 * n - 1; i++)
            assert_int_equal(dq_gather_index(i, n, n - 1), mirrored(i, n));
}

static void a_pad_too_deep_to_mirror_repeats_the_edge(void **state)
{
    (void)state;
    assert_int_equal(dq_gather_index(-1, 5, 5), 0);
    assert_int_equal(dq_gather_index(-5, 5, 5), 0);
    assert_int_equal(dq_gather_index(5, 5, 5), 4);
    assert_int_equal(dq_gather_index(3, 5, 5), 3);
    assert_int_equal(dq_gather_index(-1, 1, 1), 0);
    assert_int_equal(dq_gather_index(-1, 5, 4), 1);
}

static void a_tile_inside_holds_real_pixels(void **state)
{
    struct dq_model m = plain();
    float *rgb = picture_of(20, 16), out[3 * 6 * 4];
    struct dq_picture p = {.rgb = rgb, .width = 20, .height = 16};

    (void)state;
    gather(&p, &m, 5, 3, 6, 4, out);
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < 4; y++)
            for (int x = 0; x < 6; x++)
                assert_true(out[(c * 4 + y) * 6 + x] == told(c, x + 5, y + 3));
    free(rgb);
}

/* The picture begins at (4, 2) of the lattice: what lies before and behind it
 * is padding, as at any other rim. */
static void a_picture_may_lie_anywhere_on_the_lattice(void **state)
{
    struct dq_model m = plain();
    float *rgb = picture_of(7, 9), out[3 * 10 * 6];
    struct dq_picture p = {.rgb = rgb, .width = 7, .height = 9, .x = 4, .y = 2};

    (void)state;
    gather(&p, &m, 2, 0, 10, 6, out);
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < 6; y++)
            for (int x = 0; x < 10; x++)
                assert_true(
                    out[(c * 6 + y) * 10 + x] ==
                    told(c, mirrored(x + 2 - 4, 7), mirrored(y - 2, 9)));
    free(rgb);
}

static void one_axis_may_mirror_while_the_other_repeats(void **state)
{
    struct dq_model m = plain();
    float *rgb = picture_of(2, 9), out[3 * 5 * 10];
    struct dq_picture p = {.rgb = rgb, .width = 2, .height = 9};

    (void)state;
    gather(&p, &m, 0, 0, 5, 10, out);
    for (int y = 0; y < 10; y++)
        for (int x = 0; x < 5; x++)
            assert_true(out[y * 5 + x] ==
                        told(0, x < 1 ? x : 1, y < 9 ? y : 7));
    free(rgb);
}

static void channels_range_mean_and_std_are_the_contracts(void **state)
{
    struct dq_model m = plain();
    float *rgb = picture_of(3, 2), out[18];
    struct dq_picture p = {.rgb = rgb, .width = 3, .height = 2};

    (void)state;
    memcpy(m.channels, "BGR", 4);
    m.range[0] = -1;
    m.range[1] = 3;
    for (int c = 0; c < 3; c++) {
        m.mean[c] = (float)(c + 1) / 8;
        m.std[c] = (float)(c + 2) / 4;
    }
    gather(&p, &m, 0, 0, 3, 2, out);
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < 6; i++) {
            double v = -1 + 4 * (double)told(2 - c, i % 3, i / 3);
            double want = (v - (c + 1) / 8.0) / ((c + 2) / 4.0);

            assert_true(fabs((double)out[c * 6 + i] - want) < 1e-5);
        }
    free(rgb);
}

/* ---- the guide ------------------------------------------------------------*/

static float *guide_of(const struct dq_picture *p, const struct dq_model *m,
                       const struct dq_tile_plan *plan)
{
    size_t content = (size_t)(plan->content_w * plan->content_h);
    size_t guide = (size_t)(plan->guide_w * plan->guide_h);
    float *scratch = dq_new_array(content, sizeof *scratch);
    float *out = dq_new_array(3 * guide, sizeof *out);
    int *index =
        dq_new_array((size_t)(plan->guide_w + plan->guide_h), sizeof *index);
    struct dq_err err = {0};

    assert_int_equal(dq_gather_guide(p, m, plan, scratch, index, out, &err), 0);
    free(index);
    free(scratch);
    return out;
}

static void a_guide_is_the_area_mean_padded_by_mirroring(void **state)
{
    struct dq_model m = plain();
    struct dq_tile_plan plan = {.width = 8,
                                .height = 6,
                                .guide_w = 6,
                                .guide_h = 5,
                                .content_w = 4,
                                .content_h = 3};
    float *rgb = picture_of(8, 6), *out;
    struct dq_picture p = {.rgb = rgb, .width = 8, .height = 6};

    (void)state;
    out = guide_of(&p, &m, &plan);
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < 5; y++)
            for (int x = 0; x < 6; x++) {
                int u = 2 * mirrored(x, 4), v = 2 * mirrored(y, 3);
                double want =
                    0.25 *
                    ((double)told(c, u, v) + (double)told(c, u + 1, v) +
                     (double)told(c, u, v + 1) + (double)told(c, u + 1, v + 1));

                assert_true(fabs((double)out[(c * 5 + y) * 6 + x] - want) <
                            1e-6);
            }
    free(out);
    free(rgb);
}

/* The lattice is fixed; a picture on a part of it lands at its place. */
static void a_small_picture_lands_at_its_place_in_the_guide(void **state)
{
    struct dq_model m = plain();
    struct dq_tile_plan plan = {.width = 8,
                                .height = 8,
                                .guide_w = 4,
                                .guide_h = 4,
                                .content_w = 4,
                                .content_h = 4};
    float *rgb = picture_of(4, 2), *out;
    struct dq_picture p = {.rgb = rgb, .width = 4, .height = 2, .x = 2, .y = 4};
    double mean;

    (void)state;
    out = guide_of(&p, &m, &plan);
    mean = ((double)told(0, 0, 0) + (double)told(0, 1, 0) +
            (double)told(0, 0, 1) + (double)told(0, 1, 1)) /
           4;
    assert_true(fabs((double)out[2 * 4 + 1] - mean) < 1e-6);
    /* left of it and above: its nearest pixels */
    assert_true(fabs((double)out[2 * 4] -
                     ((double)told(0, 0, 0) + (double)told(0, 0, 1)) / 2) <
                1e-6);
    assert_true(fabs((double)out[0] - (double)told(0, 0, 0)) < 1e-6);
    assert_true(fabs((double)out[15] - (double)told(0, 3, 1)) < 1e-6);
    free(out);
    free(rgb);
}

/* ---- and back again: pad, blend, unpad ------------------------------------*/

static uint32_t noise(uint32_t *seed)
{
    *seed = *seed * 1664525U + 1013904223U;
    return *seed >> 8;
}

/* A picture through all tiles of a plan of its lattice comes back bit for
 * bit, wherever it lies on the lattice. */
static void assert_comes_back(int lattice_w, int lattice_h, int x, int y,
                              int width, int height, int tile, double overlap)
{
    struct dq_model m = plain();
    struct dq_err err = {0};
    struct dq_tile_plan *plan;
    size_t n = (size_t)width * (size_t)height;
    float *rgb = dq_new_array(3 * n, sizeof *rgb);
    float *depth = dq_new_array(n, sizeof *depth);
    float *weight = dq_new_array(n, sizeof *weight), *out;
    struct dq_picture p = {
        .rgb = rgb, .width = width, .height = height, .x = x, .y = y};
    struct dq_blend blend = {depth, weight, width, height, x, y};
    uint32_t seed = (uint32_t)(width * 31 + height);

    m.preferred = tile;
    for (size_t i = 0; i < 3 * n; i++)
        rgb[i] = (float)noise(&seed) / 1e5F - 60;
    plan = dq_tile_plan_new(lattice_w, lattice_h, 0, overlap, &m, &err);
    assert_non_null(plan);
    out = dq_new_array((size_t)(3 * plan->tile_w * plan->tile_h), sizeof *out);
    memset(depth, 255, n * sizeof *depth);
    dq_blend_clear(&blend);
    for (int k = 0; k < plan->count; k++) {
        gather(&p, &m, plan->tiles[k].x, plan->tiles[k].y, plan->tile_w,
               plan->tile_h, out);
        dq_blend_add(&blend, plan, k, out, 1, 0);
    }
    if (memcmp(depth, rgb, n * sizeof *rgb) != 0)
        fail_msg("%d x %d at %d, %d of %d x %d, tiles of %d", width, height, x,
                 y, lattice_w, lattice_h, tile);
    dq_tile_plan_free(plan);
    free(out);
    free(weight);
    free(depth);
    free(rgb);
}

static void identity_comes_back_bit_for_bit_at_every_size(void **state)
{
    static const int sides[] = {1, 2, 3, 5, 7, 8, 9, 13, 15, 16, 17, 31, 37};

    (void)state;
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++)
        for (size_t k = 0; k < sizeof sides / sizeof *sides; k++) {
            assert_comes_back(sides[i], sides[k], 0, 0, sides[i], sides[k], 8,
                              0.25);
            assert_comes_back(sides[i], sides[k], 0, 0, sides[i], sides[k], 7,
                              0.5);
        }
    assert_comes_back(37, 31, 0, 0, 37, 31, 8, 0);
}

static void identity_comes_back_wherever_the_picture_lies(void **state)
{
    (void)state;
    assert_comes_back(40, 40, 3, 5, 20, 11, 8, 0.25);
    assert_comes_back(40, 40, 39, 39, 1, 1, 8, 0.25);
    assert_comes_back(40, 40, 13, 0, 2, 40, 16, 0.5);
    assert_comes_back(5, 40, 1, 7, 3, 29, 8, 0.25);
}

static void a_picture_beyond_the_lattice_is_cut(void **state)
{
    struct dq_model m = plain();
    struct dq_tile tile = {0, 0};
    struct dq_tile_plan plan = {.width = 4,
                                .height = 4,
                                .tile_w = 4,
                                .tile_h = 4,
                                .columns = 1,
                                .rows = 1,
                                .count = 1,
                                .tiles = &tile};
    float *rgb = picture_of(8, 8), out[48], depth[64], weight[64];
    struct dq_picture p = {
        .rgb = rgb, .width = 8, .height = 8, .x = -2, .y = -2};
    struct dq_blend blend = {depth, weight, 8, 8, -2, -2};

    (void)state;
    gather(&p, &m, 0, 0, 4, 4, out);
    dq_blend_clear(&blend);
    dq_blend_add(&blend, &plan, 0, out, 1, 0);
    for (int y = 0; y < 8; y++)
        for (int x = 0; x < 8; x++) {
            int inside = x >= 2 && x < 6 && y >= 2 && y < 6;

            assert_true(depth[y * 8 + x] == (inside ? told(0, x, y) : 0));
        }
    free(rgb);
}

/* ---- blend against its definition -----------------------------------------*/

/* A row of tiles of 8 x 3 that overlap by at least 2. */
static void assert_blend_is_the_mean(struct dq_tile *tiles, int count,
                                     int width)
{
    struct dq_tile_plan plan = {.width = width,
                                .height = 3,
                                .tile_w = 8,
                                .tile_h = 3,
                                .overlap_x = 2,
                                .columns = count,
                                .rows = 1,
                                .count = count,
                                .tiles = tiles};
    static const float scale[3] = {1, 2, -1}, shift[3] = {0, 5, 9};
    float v[3][24], depth[60], weight[60];
    struct dq_blend blend = {depth, weight, width, 3, 0, 0};

    dq_blend_clear(&blend);
    for (int k = 0; k < count; k++) {
        for (int i = 0; i < 24; i++)
            v[k][i] = (float)((i * 37 + k * 11) % 17);
        dq_blend_add(&blend, &plan, k, v[k], scale[k], shift[k]);
    }
    for (int at = 0; at < 3 * width; at++) {
        double sum = 0, total = 0;

        for (int k = 0; k < count; k++) {
            int i = at % width - tiles[k].x;
            double w;

            if (i < 0 || i >= 8)
                continue;
            w = (double)dq_tile_ramp(i, 8, 2, k == 0, k == count - 1);
            total += w;
            sum += w * ((double)scale[k] * (double)v[k][at / width * 8 + i] +
                        (double)shift[k]);
        }
        assert_true(fabs((double)depth[at] - sum / total) < 1e-5);
    }
}

static void blend_is_the_mean_by_ramps(void **state)
{
    struct dq_tile three[3] = {{0, 0}, {6, 0}, {12, 0}};
    struct dq_tile close[2] = {{0, 0}, {1, 0}}; /* rims under one another */

    (void)state;
    assert_blend_is_the_mean(three, 3, 20);
    assert_blend_is_the_mean(close, 2, 9);
}

/* Wider than the pieces that a row is added in. */
static void a_very_wide_tile_is_blended_whole(void **state)
{
    enum { WIDE = 9001 };
    struct dq_tile tile = {0, 0};
    struct dq_tile_plan plan = {.width = WIDE,
                                .height = 1,
                                .tile_w = WIDE,
                                .tile_h = 1,
                                .columns = 1,
                                .rows = 1,
                                .count = 1,
                                .tiles = &tile};
    float *v = dq_new_array(WIDE, sizeof *v);
    float *depth = dq_new_array(WIDE, sizeof *depth);
    float *weight = dq_new_array(WIDE, sizeof *weight);
    struct dq_blend blend = {depth, weight, WIDE, 1, 0, 0};

    (void)state;
    for (int i = 0; i < WIDE; i++)
        v[i] = (float)i / 7;
    dq_blend_clear(&blend);
    dq_blend_add(&blend, &plan, 0, v, 1, 0);
    assert_memory_equal(v, depth, WIDE * sizeof *v);
    free(weight);
    free(depth);
    free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(beyond_the_rim_pixels_are_mirrored),
        cmocka_unit_test(a_pad_too_deep_to_mirror_repeats_the_edge),
        cmocka_unit_test(a_tile_inside_holds_real_pixels),
        cmocka_unit_test(a_picture_may_lie_anywhere_on_the_lattice),
        cmocka_unit_test(one_axis_may_mirror_while_the_other_repeats),
        cmocka_unit_test(channels_range_mean_and_std_are_the_contracts),
        cmocka_unit_test(a_guide_is_the_area_mean_padded_by_mirroring),
        cmocka_unit_test(a_small_picture_lands_at_its_place_in_the_guide),
        cmocka_unit_test(identity_comes_back_bit_for_bit_at_every_size),
        cmocka_unit_test(identity_comes_back_wherever_the_picture_lies),
        cmocka_unit_test(a_picture_beyond_the_lattice_is_cut),
        cmocka_unit_test(blend_is_the_mean_by_ramps),
        cmocka_unit_test(a_very_wide_tile_is_blended_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
