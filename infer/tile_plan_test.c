#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "infer/tile_plan.h"

static char name[] = "net";

static struct dq_model free_sizes(int multiple, int preferred, int min, int max)
{
    struct dq_model m = {.name = name,
                         .multiple = multiple,
                         .preferred = preferred,
                         .min = min,
                         .max = max};

    return m;
}

static struct dq_model fixed_size(int multiple, int h, int w)
{
    struct dq_model m =
        free_sizes(multiple, h < w ? h : w, h < w ? h : w, h > w ? h : w);

    m.fixed[0] = h;
    m.fixed[1] = w;
    return m;
}

static struct dq_tile_plan *plan(int width, int height, int size,
                                 double overlap, const struct dq_model *m)
{
    struct dq_err err = {0};
    struct dq_tile_plan *p =
        dq_tile_plan_new(width, height, size, overlap, m, &err);

    if (!p)
        fail_msg("%d x %d: %s", width, height, err.text);
    return p;
}

static void refuses(int width, int height, int size, const struct dq_model *m,
                    const char *told)
{
    struct dq_err err = {0};

    assert_null(dq_tile_plan_new(width, height, size, 0.25, m, &err));
    assert_int_equal(err.code, DQ_MODEL);
    if (!strstr(err.text, told))
        fail_msg("'%s' says nothing of '%s'", err.text, told);
}

/* Tiles in their order cover every pixel; neighbours share at least the
 * overlap; the last ends at the rim. */
static void assert_axis(const int *starts, int n, int side, int tile,
                        int overlap)
{
    assert_int_equal(starts[0], 0);
    if (n == 1)
        assert_true(tile >= side);
    else
        assert_int_equal(starts[n - 1] + tile, side);
    for (int i = 1; i < n; i++) {
        /* evenly: within half a pixel of i (side - tile) / (n - 1) */
        assert_true(2 * abs(starts[i] * (n - 1) - i * (side - tile)) < n);
        assert_true(starts[i] > starts[i - 1]);
        assert_true(starts[i - 1] + tile - starts[i] >= overlap);
    }
}

static void assert_sound(const struct dq_tile_plan *p)
{
    int *xs = dq_new_array((size_t)p->columns, sizeof *xs);
    int *ys = dq_new_array((size_t)p->rows, sizeof *ys);

    assert_int_equal(p->count, p->columns * p->rows);
    for (int k = 0; k < p->count; k++) {
        xs[k % p->columns] = p->tiles[k].x;
        ys[k / p->columns] = p->tiles[k].y;
        assert_int_equal(p->tiles[k].x, p->tiles[k % p->columns].x);
        assert_int_equal(p->tiles[k].y,
                         p->tiles[k / p->columns * p->columns].y);
    }
    assert_axis(xs, p->columns, p->width, p->tile_w, p->overlap_x);
    assert_axis(ys, p->rows, p->height, p->tile_h, p->overlap_y);
    free(xs);
    free(ys);
}

/* Fewest tiles by trying: n tiles reach n T - (n - 1) o pixels. */
static int fewest(int side, int tile, int overlap)
{
    int n = 1;

    while (n * tile - (n - 1) * overlap < side)
        n++;
    return n;
}

static void tiles_cover_every_lattice_with_the_fewest(void **state)
{
    struct dq_model m = free_sizes(2, 16, 4, 64);
    static const double shares[] = {0, 0.1, 0.25, 0.4, 0.5};

    (void)state;
    for (int side = 1; side < 200; side++)
        for (size_t k = 0; k < 5; k++) {
            struct dq_tile_plan *p = plan(side, 211 - side, 0, shares[k], &m);

            assert_sound(p);
            assert_int_equal(p->columns, fewest(side, p->tile_w, p->overlap_x));
            assert_int_equal(p->rows,
                             fewest(211 - side, p->tile_h, p->overlap_y));
            dq_tile_plan_free(p);
        }
}

static void plates_of_the_field_get_the_known_counts(void **state)
{
    static const int known[][3] = {
        {2058, 1092, 15}, {4096, 2160, 66}, {4102, 2170, 66}, {8190, 4326, 231},
        {518, 518, 1},    {519, 518, 2},    {517, 517, 1},    {1, 1, 1}};
    struct dq_model m = free_sizes(14, 518, 14, 4096);

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct dq_tile_plan *p = plan(known[i][0], known[i][1], 0, 0.25, &m);

        assert_int_equal(p->count, known[i][2]);
        assert_sound(p);
        dq_tile_plan_free(p);
    }
}

static void the_overlap_is_a_share_in_whole_multiples(void **state)
{
    struct dq_model vit = free_sizes(14, 518, 14, 4096);
    struct dq_model square = fixed_size(518, 518, 518);
    struct dq_tile_plan *p = plan(4096, 2160, 0, 0.25, &vit);

    (void)state;
    assert_int_equal(p->overlap_x, 126);
    assert_int_equal(p->overlap_y, 126);
    dq_tile_plan_free(p);
    p = plan(4096, 2160, 0, 0.5, &vit);
    assert_true(p->overlap_x <= 259 && p->overlap_x > 240);
    dq_tile_plan_free(p);
    p = plan(4096, 2160, 0, 0, &vit);
    assert_int_equal(p->overlap_x, 0);
    dq_tile_plan_free(p);
    /* a size that is its own multiple still overlaps */
    p = plan(4096, 2160, 0, 0.25, &square);
    assert_int_equal(p->overlap_x, 130);
    dq_tile_plan_free(p);
}

static void a_small_lattice_takes_no_larger_tile_than_it_needs(void **state)
{
    struct dq_model m = free_sizes(14, 518, 140, 1036);
    struct dq_tile_plan *p = plan(300, 1, 0, 0.25, &m);

    (void)state;
    assert_int_equal(p->tile_w, 308); /* the least multiple of 14 >= 300 */
    assert_int_equal(p->tile_h, 140); /* the model's least */
    assert_int_equal(p->count, 1);
    assert_false(p->needs_guide);
    dq_tile_plan_free(p);
}

static void a_fixed_network_keeps_its_size(void **state)
{
    struct dq_model m = fixed_size(32, 224, 320);
    struct dq_tile_plan *p = plan(100, 500, 0, 0.25, &m);

    (void)state;
    assert_int_equal(p->tile_w, 320);
    assert_int_equal(p->tile_h, 224);
    assert_int_equal(p->columns, 1);
    assert_int_equal(p->rows, 3);
    assert_sound(p);
    /* 100 x 500 fits 320 x 224 at 0.448 */
    assert_int_equal(p->guide_w, 320);
    assert_int_equal(p->guide_h, 224);
    assert_int_equal(p->content_w, 45);
    assert_int_equal(p->content_h, 224);
    dq_tile_plan_free(p);
    refuses(100, 500, 224, &m, "takes 320 x 224 and no other");
    refuses(100, 500, DQ_TILES_WHOLE, &m, "use auto");
    m = fixed_size(32, 224, 224);
    p = plan(100, 500, 224, 0.25, &m);
    assert_int_equal(p->tile_w, 224);
    dq_tile_plan_free(p);
}

static void a_size_that_is_asked_for_is_taken_or_refused(void **state)
{
    struct dq_model m = free_sizes(14, 518, 140, 1036);
    struct dq_tile_plan *p = plan(4096, 2160, 700, 0.25, &m);

    (void)state;
    assert_int_equal(p->tile_w, 700);
    assert_int_equal(p->tile_h, 700);
    dq_tile_plan_free(p);
    refuses(4096, 2160, 512, &m, "the nearest is 518");
    refuses(4096, 2160, 14, &m, "from 140 to 1036; the nearest is 140");
    refuses(4096, 2160, 1400, &m, "the nearest is 1036");
}

static void whole_is_one_tile_or_an_error(void **state)
{
    struct dq_model m = free_sizes(14, 518, 140, 1036);
    struct dq_tile_plan *p = plan(1030, 600, DQ_TILES_WHOLE, 0.25, &m);

    (void)state;
    assert_int_equal(p->count, 1);
    assert_int_equal(p->tile_w, 1036);
    assert_int_equal(p->tile_h, 602);
    assert_false(p->needs_guide);
    dq_tile_plan_free(p);
    refuses(1037, 600, DQ_TILES_WHOLE, &m, "whole: 1037 pixels are more than");
}

static void more_tiles_than_anybody_means_are_refused(void **state)
{
    struct dq_model m = {
        .multiple = 32, .preferred = 64, .min = 32, .max = 1024};
    struct dq_err err = {0};
    struct dq_tile_plan *plan;

    (void)state;
    plan = dq_tile_plan_new(64 * 90, 64 * 90, 64, 0, &m, &err);
    assert_non_null(plan); /* 8100 */
    dq_tile_plan_free(plan);
    plan = dq_tile_plan_new(64 * 91, 64 * 91, 64, 0, &m, &err);
    assert_null(plan); /* 8281 */
    assert_int_equal(err.code, DQ_MODEL);
    assert_non_null(strstr(err.text, "8281 tiles of 64 x 64"));
}

static void an_overlap_beyond_half_is_refused(void **state)
{
    struct dq_model m = free_sizes(14, 518, 140, 1036);
    struct dq_err err = {0};

    (void)state;
    assert_null(dq_tile_plan_new(4096, 2160, 0, 0.51, &m, &err));
    assert_non_null(strstr(err.text, "0 to 0.5"));
    assert_null(dq_tile_plan_new(4096, 2160, 0, -0.1, &m, &err));
}

static void the_guides_short_side_is_the_preferred_one(void **state)
{
    struct dq_model m = free_sizes(14, 518, 14, 1036);
    struct dq_tile_plan *p = plan(4096, 2160, 0, 0.25, &m);

    (void)state;
    assert_true(p->needs_guide);
    assert_int_equal(p->content_h, 518);
    assert_int_equal(p->content_w, 982); /* 4096 x 518 / 2160 = 982.3 */
    assert_int_equal(p->guide_h, 518);
    assert_int_equal(p->guide_w, 994); /* 71 x 14 */
    dq_tile_plan_free(p);
    /* the long side is bounded by what the network takes */
    p = plan(8192, 2048, 0, 0.25, &m);
    assert_int_equal(p->content_w, 1036);
    assert_int_equal(p->content_h, 259);
    assert_int_equal(p->guide_h, 266);
    dq_tile_plan_free(p);
    /* a picture is never made larger than it is */
    p = plan(900, 300, 0, 0.25, &m);
    assert_int_equal(p->content_w, 900);
    assert_int_equal(p->content_h, 300);
    assert_int_equal(p->guide_w, 910);
    dq_tile_plan_free(p);
    /* one pixel high, and still a guide that the network takes */
    m = free_sizes(14, 518, 140, 1036);
    p = plan(30000, 1, 0, 0.25, &m);
    assert_int_equal(p->content_h, 1);
    assert_int_equal(p->guide_h, 140);
    dq_tile_plan_free(p);
}

static void a_bound_that_is_no_multiple_is_kept(void **state)
{
    struct dq_model m = free_sizes(14, 518, 15, 1000);
    struct dq_tile_plan *p = plan(8192, 2048, 0, 0.25, &m);

    (void)state;
    assert_int_equal(p->guide_w, 994);
    dq_tile_plan_free(p);
    p = plan(1, 1, 0, 0.25, &m);
    assert_int_equal(p->tile_w, 28);
    dq_tile_plan_free(p);
}

static void ramps_are_above_zero_and_one_inside_and_at_the_rim(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        float w = dq_tile_ramp(i, 20, 6, 0, 0);

        assert_true(w > 0 && w <= 1);
        assert_true(w == dq_tile_ramp(19 - i, 20, 6, 0, 0));
        if (i >= 6 && i < 14)
            assert_true(w == 1);
        if (i < 10) {
            assert_true(dq_tile_ramp(i, 20, 6, 1, 0) == 1);
            assert_true(dq_tile_ramp(i, 20, 6, 0, 1) == w);
        } else {
            assert_true(dq_tile_ramp(i, 20, 6, 0, 1) == 1);
            assert_true(dq_tile_ramp(i, 20, 6, 1, 0) == w);
        }
    }
    assert_true(dq_tile_ramp(0, 20, 6, 0, 0) == 0.5F / 6);
    assert_true(dq_tile_ramp(1, 20, 6, 0, 0) == 1.5F / 6);
    assert_true(dq_tile_ramp(0, 20, 0, 0, 0) == 1);
    assert_true(dq_tile_ramp(0, 1, 0, 1, 1) == 1);
}

/* Where two tiles overlap by just the overlap, their ramps sum to one. */
static void ramps_of_neighbours_sum_to_one(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        float a = dq_tile_ramp(14 + i, 20, 6, 0, 0);
        float b = dq_tile_ramp(i, 20, 6, 0, 0);

        assert_true(a + b > 0.999999F && a + b < 1.000001F);
    }
}

static void a_plan_as_text(void **state)
{
    struct dq_model m = free_sizes(14, 518, 14, 1036);
    struct dq_tile_plan *p = plan(4096, 2160, 0, 0.25, &m);
    char text[100];

    (void)state;
    dq_tile_plan_text(p, text, sizeof text);
    assert_string_equal(text, "11x6 of 518x518 overlap 126 guide 982x518");
    dq_tile_plan_free(p);
    p = plan(100, 30, 0, 0.25, &m);
    dq_tile_plan_text(p, text, sizeof text);
    assert_string_equal(text, "1 of 112x42");
    dq_tile_plan_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiles_cover_every_lattice_with_the_fewest),
        cmocka_unit_test(plates_of_the_field_get_the_known_counts),
        cmocka_unit_test(the_overlap_is_a_share_in_whole_multiples),
        cmocka_unit_test(a_small_lattice_takes_no_larger_tile_than_it_needs),
        cmocka_unit_test(a_fixed_network_keeps_its_size),
        cmocka_unit_test(a_size_that_is_asked_for_is_taken_or_refused),
        cmocka_unit_test(whole_is_one_tile_or_an_error),
        cmocka_unit_test(more_tiles_than_anybody_means_are_refused),
        cmocka_unit_test(an_overlap_beyond_half_is_refused),
        cmocka_unit_test(the_guides_short_side_is_the_preferred_one),
        cmocka_unit_test(a_bound_that_is_no_multiple_is_kept),
        cmocka_unit_test(ramps_are_above_zero_and_one_inside_and_at_the_rim),
        cmocka_unit_test(ramps_of_neighbours_sum_to_one),
        cmocka_unit_test(a_plan_as_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
