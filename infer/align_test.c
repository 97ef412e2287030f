#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "infer/align.h"
#include "infer/align_joint.h"
#include "infer/band.h"
#include "io/resample.h"

/* A stage: a truth, its guide, and tiles that tell it each in their own
 * scale and shift, t = (u - shift) / scale, which alignment is to find. */
enum { W = 320, H = 240, TILE = 96, GUIDE = 192, SKY = 200, MOST = 64 };

struct stage {
    struct dq_tile_plan *plan;
    struct dq_picture picture;
    float *truth; /* H x W */
    float *guide, *valid, *memory;
    const float *tiles[MOST];
    float scale[MOST], shift[MOST];
    struct dq_tile_affine found[MOST];
    int log_space;
};

typedef double (*truth_fn)(int x, int y);

static double hills(int x, int y)
{
    return 2 + sin(0.013 * x + 0.3) + cos(0.017 * y) +
           0.02 * sin(0.1 * (x + y));
}

static double level_two(int x, int y)
{
    (void)x;
    (void)y;
    return 2;
}

static double bare_sky(int x, int y)
{
    return y < TILE ? 0.25 : hills(x, y);
}

/* Nothing above row 96 but one wire, hills below. */
static double wire_in_the_sky(int x, int y)
{
    if (y >= TILE)
        return hills(x, y);
    return abs(y - 30 - x / 20) < 2 ? 2.5 : 0.25;
}

/* A sky at disparity 0 over most of the picture and of its lowest tiles. */
static double zero_sky(int x, int y)
{
    return y < SKY ? 0 : hills(x, y);
}

static struct dq_tile_plan *plan_of(int w, int h, double overlap)
{
    static char name[] = "net";
    struct dq_model model = {.name = name,
                             .multiple = 8,
                             .preferred = GUIDE,
                             .min = 8,
                             .max = 512,
                             .output_channels = 1,
                             .sky_channel = -1};
    struct dq_err err = {0};
    struct dq_tile_plan *plan =
        dq_tile_plan_new(w, h, w < TILE ? 0 : TILE, overlap, &model, &err);

    assert_non_null(plan);
    assert_in_range(plan->count, 1, MOST);
    return plan;
}

static void tell(struct stage *s, int k)
{
    const struct dq_tile *t = &s->plan->tiles[k];
    float *out = s->memory + (size_t)k * TILE * TILE;

    for (int y = 0; y < TILE; y++)
        for (int x = 0; x < TILE; x++) {
            float u = s->truth[(t->y + y) * W + t->x + x];

            out[y * TILE + x] = s->log_space ? u / s->scale[k]
                                             : (u - s->shift[k]) / s->scale[k];
        }
    s->tiles[k] = out;
}

static struct stage *stage_of(truth_fn truth, double overlap, int log_space)
{
    struct stage *s = dq_new(sizeof *s);
    struct dq_err err = {0};

    s->plan = plan_of(W, H, overlap);
    s->picture.width = W;
    s->picture.height = H;
    s->log_space = log_space;
    s->truth = dq_new_array(W * H, sizeof *s->truth);
    for (int i = 0; i < W * H; i++)
        s->truth[i] = (float)truth(i % W, i / W);
    s->guide = dq_new_array(W * H, sizeof *s->guide);
    assert_int_equal(dq_resample_area(s->truth, H, W, s->guide,
                                      s->plan->content_h, s->plan->content_w,
                                      &err),
                     0);
    s->memory =
        dq_new_array((size_t)s->plan->count * TILE * TILE, sizeof *s->memory);
    for (int k = 0; k < s->plan->count; k++) {
        s->scale[k] = (float)exp(0.8 * sin(2.3 * k + 1));
        s->shift[k] = (float)cos(1.7 * k);
        tell(s, k);
    }
    return s;
}

static void stage_free(struct stage *s)
{
    dq_tile_plan_free(s->plan);
    free(s->truth);
    free(s->guide);
    free(s->valid);
    free(s->memory);
    free(s);
}

static struct dq_align_job job_of(struct stage *s)
{
    struct dq_align_job job = {.plan = s->plan,
                               .picture = &s->picture,
                               .guide = s->guide,
                               .tiles = s->tiles,
                               .log_space = s->log_space};

    return job;
}

static void align(struct stage *s)
{
    struct dq_align_job job = job_of(s);
    struct dq_err err = {0};

    assert_int_equal(dq_align(&job, s->found, &err), 0);
}

/* The largest miss of an aligned tile against what it was made from. */
static double miss_of(const struct stage *s, int k)
{
    const struct dq_tile_affine *a = &s->found[k];
    const struct dq_tile *t = &s->plan->tiles[k];
    double most = 0;

    for (int i = 0; i < TILE * TILE; i++) {
        int at = (t->y + i / TILE) * W + t->x + i % TILE;
        double is = (double)(a->scale * s->tiles[k][i] + a->shift);

        most = fmax(most, fabs(is - (double)s->truth[at]));
    }
    return most;
}

static int count_fate(const struct stage *s, enum dq_tile_fate fate)
{
    int n = 0;

    for (int k = 0; k < s->plan->count; k++)
        n += s->found[k].fate == fate;
    return n;
}

/* ---- what can be found is found ------------------------------------------ */

static void known_scales_and_shifts_come_back(void **state)
{
    struct stage *s = stage_of(hills, 0.25, 0);

    (void)state;
    align(s);
    assert_int_equal(s->plan->count, 15);
    for (int k = 0; k < s->plan->count; k++) {
        assert_int_equal(s->found[k].fate, DQ_TILE_ALIGNED);
        assert_true(fabsf(s->found[k].scale / s->scale[k] - 1) < 1e-4F);
        assert_true(fabsf(s->found[k].shift - s->shift[k]) < 1e-4F);
        assert_true(miss_of(s, k) < 1e-4);
    }
    stage_free(s);
}

static void known_factors_of_a_metric_network_come_back(void **state)
{
    struct stage *s = stage_of(hills, 0.25, 1);

    (void)state;
    align(s);
    for (int k = 0; k < s->plan->count; k++) {
        assert_int_equal(s->found[k].fate, DQ_TILE_ALIGNED);
        /* the mean of a block's logs is not the log of its mean */
        assert_true(fabsf(s->found[k].scale / s->scale[k] - 1) < 2e-3F);
        assert_true(s->found[k].shift == 0);
    }
    stage_free(s);
}

static void the_order_of_tiles_makes_no_difference(void **state)
{
    struct stage *a = stage_of(hills, 0.25, 0);
    struct stage *b = stage_of(hills, 0.25, 0);
    int n = a->plan->count;

    (void)state;
    for (int k = 0; k < n; k++) {
        b->plan->tiles[k] = a->plan->tiles[k * 7 % n];
        b->tiles[k] = a->tiles[k * 7 % n];
    }
    align(a);
    align(b);
    for (int k = 0; k < n; k++) {
        const struct dq_tile_affine *x = &a->found[k * 7 % n];

        assert_true(fabsf(b->found[k].scale / x->scale - 1) < 1e-6F);
        assert_true(fabsf(b->found[k].shift - x->shift) < 1e-5F);
    }
    stage_free(a);
    stage_free(b);
}

static void the_same_tiles_give_the_same_bits(void **state)
{
    struct stage *s = stage_of(hills, 0.25, 0);
    struct dq_tile_affine first[MOST];

    (void)state;
    align(s);
    memcpy(first, s->found, sizeof first);
    memset(s->found, 0, sizeof s->found);
    align(s);
    assert_memory_equal(first, s->found, sizeof first);
    stage_free(s);
}

/* ---- what cannot be found is not invented -------------------------------- */

static void a_flat_guide_gives_its_level_and_no_scale(void **state)
{
    for (int log_space = 0; log_space < 2; log_space++) {
        struct stage *s = stage_of(level_two, 0.25, log_space);

        (void)state;
        align(s);
        assert_int_equal(count_fate(s, DQ_TILE_SHIFT_ONLY), s->plan->count);
        for (int k = 0; k < s->plan->count; k++) {
            assert_true(log_space || s->found[k].scale == 1);
            assert_true(miss_of(s, k) < 1e-5);
        }
        stage_free(s);
    }
}

static void a_tile_of_bare_sky_takes_the_guides_level(void **state)
{
    struct stage *s = stage_of(bare_sky, 0.25, 0);

    (void)state;
    align(s);
    for (int k = 0; k < s->plan->columns; k++) {
        assert_int_equal(s->found[k].fate, DQ_TILE_SHIFT_ONLY);
        assert_true(miss_of(s, k) < 0.01);
    }
    stage_free(s);
}

/* The guide's wire is soft; the neighbours know the scale. */
static void a_wire_in_the_sky_is_rescued_by_the_neighbours(void **state)
{
    struct stage *s = stage_of(wire_in_the_sky, 0.25, 0);

    (void)state;
    align(s);
    for (int k = 0; k < s->plan->count; k++)
        assert_true(miss_of(s, k) < 0.03);
    stage_free(s);
}

/* The ground of a tile as a real network bends it: by up to 1 %. */
static void bend(struct stage *s, int k)
{
    float *tile = s->memory + (size_t)k * TILE * TILE;

    for (int i = 0; i < TILE * TILE; i++) {
        float x = (float)(i % TILE) / TILE - 0.5F;
        float u = s->truth[(s->plan->tiles[k].y + i / TILE) * W +
                           s->plan->tiles[k].x + i % TILE];

        u *= 1 + (k % 2 ? 0.04F : -0.04F) * (x * x - 0.125F);
        tile[i] = (u - s->shift[k]) / s->scale[k];
    }
}

/* Sky agrees to the last bit; it must not make outliers of all that has
 * depth. */
static void a_sky_that_fills_most_of_a_tile_leaves_the_ground_its_say(
    void **state)
{
    struct stage *s = stage_of(zero_sky, 0.25, 0);
    int mixed = 0;

    (void)state;
    for (int k = 0; k < s->plan->count; k++)
        bend(s, k);
    align(s);
    for (int k = 0; k < s->plan->count; k++) {
        if (s->plan->tiles[k].y + TILE <= SKY)
            continue;
        mixed++;
        assert_int_equal(s->found[k].fate, DQ_TILE_ALIGNED);
        assert_true(fabsf(s->found[k].scale / s->scale[k] - 1) < 0.02F);
    }
    assert_true(mixed > 0);
    stage_free(s);
}

static void a_tile_that_clips_is_fitted_by_what_it_does_not_clip(void **state)
{
    struct stage *s = stage_of(hills, 0.25, 0);
    float *tile = s->memory + (size_t)7 * TILE * TILE;
    float low = tile[0], high = tile[0];
    int clipped = 0;

    (void)state;
    for (int i = 0; i < TILE * TILE; i++) {
        low = fminf(low, tile[i]);
        high = fmaxf(high, tile[i]);
    }
    high = low + 0.7F * (high - low);
    for (int i = 0; i < TILE * TILE; i++)
        if (tile[i] > high) {
            tile[i] = high;
            clipped++;
        }
    assert_in_range(clipped, TILE * TILE / 50, TILE * TILE / 2);
    align(s);
    for (int k = 0; k < s->plan->count; k++)
        assert_true(k == 7 || miss_of(s, k) < 0.05);
    assert_true(fabsf(s->found[7].scale / s->scale[7] - 1) < 0.15F);
    stage_free(s);
}

static void a_tile_that_says_the_opposite_is_not_turned_round(void **state)
{
    struct stage *s = stage_of(hills, 0.25, 0);
    float *tile = s->memory + (size_t)7 * TILE * TILE;

    (void)state;
    for (int i = 0; i < TILE * TILE; i++)
        tile[i] = -tile[i];
    align(s);
    assert_int_not_equal(s->found[7].fate, DQ_TILE_ALIGNED);
    assert_true(s->found[7].scale > 0);
    assert_true(isfinite(s->found[7].shift));
    assert_int_equal(s->found[0].fate, DQ_TILE_ALIGNED);
    stage_free(s);
}

static void hide(struct stage *s, int k)
{
    const struct dq_tile *t = &s->plan->tiles[k];

    s->valid = dq_new_array(W * H, sizeof *s->valid);
    for (int i = 0; i < W * H; i++)
        s->valid[i] = i / W >= t->y && i / W < t->y + TILE && i % W >= t->x &&
                              i % W < t->x + TILE
                          ? 0.0F
                          : 1.0F;
    s->picture.valid = s->valid;
}

/* Its pixels are not real, and it has no neighbours. */
static void a_tile_that_nothing_holds_is_left_to_the_guide(void **state)
{
    struct stage *s = stage_of(hills, 0.25, 0);
    int columns = s->plan->columns;

    (void)state;
    hide(s, 0);
    align(s); /* neighbours suffice */
    assert_true(miss_of(s, 0) < 1e-3);
    s->tiles[1] = s->tiles[columns] = s->tiles[columns + 1] = NULL;
    align(s);
    assert_int_equal(s->found[0].fate, DQ_TILE_GUIDE_ONLY);
    assert_int_equal(count_fate(s, DQ_TILE_GUIDE_ONLY), 1);
    stage_free(s);
}

static void a_tile_beside_the_picture_is_skipped(void **state)
{
    struct stage *s = stage_of(hills, 0.25, 0);

    (void)state;
    s->tiles[3] = NULL;
    align(s);
    assert_int_equal(s->found[3].fate, DQ_TILE_SKIPPED);
    assert_int_equal(count_fate(s, DQ_TILE_ALIGNED), s->plan->count - 1);
    stage_free(s);
}

static void check_lowest(const struct stage *s)
{
    for (int k = 0; k < s->plan->count; k++)
        if (s->plan->tiles[k].y + TILE == H)
            assert_true(fabsf(s->found[k].scale / s->scale[k] - 1) < 0.05F);
}

static void sky_at_zero_does_not_pull_a_factor(void **state)
{
    struct stage *s = stage_of(zero_sky, 0.25, 1);

    (void)state;
    align(s);
    check_lowest(s);
    hide(s, 12); /* now its neighbours alone tell */
    align(s);
    check_lowest(s);
    stage_free(s);
}

static void a_picture_smaller_than_a_block_is_survived(void **state)
{
    struct dq_tile_plan *plan = plan_of(3, 5, 0.25);
    float values[TILE * TILE], guide[15] = {0};
    const float *tiles[1] = {values};
    struct dq_picture picture = {.width = 3, .height = 5};
    struct dq_align_job job = {
        .plan = plan, .picture = &picture, .guide = guide, .tiles = tiles};
    struct dq_tile_affine a = {0};
    struct dq_err err = {0};

    (void)state;
    for (int i = 0; i < 15; i++)
        guide[i] = (float)i;
    for (int i = 0; i < TILE * TILE; i++)
        values[i] = (float)(i % 7);
    assert_int_equal(dq_align(&job, &a, &err), 0);
    assert_true(isfinite(a.scale) && isfinite(a.shift) && a.scale > 0);
    dq_tile_plan_free(plan);
}

/* ---- the low band -------------------------------------------------------- */

static float *with_error(const struct stage *s, double (*error)(int x, int y))
{
    float *depth = dq_new_array(W * H, sizeof *depth);

    for (int i = 0; i < W * H; i++)
        depth[i] = s->truth[i] + (float)error(i % W, i / W);
    return depth;
}

static double third(int x, int y)
{
    (void)x;
    (void)y;
    return 1.0 / 3;
}

static double checks(int x, int y)
{
    return (x + y) % 2 ? 0.05 : -0.05;
}

static void low_band(struct stage *s, float *depth)
{
    struct dq_align_job job = job_of(s);
    struct dq_err err = {0};

    assert_int_equal(dq_align_low_band(&job, depth, &err), 0);
}

static void the_low_band_follows_the_guide(void **state)
{
    struct stage *s = stage_of(hills, 0.25, 0);
    float *depth = with_error(s, third);

    (void)state;
    low_band(s, depth);
    for (int i = 0; i < W * H; i++)
        assert_true(fabsf(depth[i] - s->truth[i]) < 1e-5F);
    free(depth);
    stage_free(s);
}

static void detail_is_the_tiles_own(void **state)
{
    struct stage *s = stage_of(hills, 0.25, 0);
    float *depth = with_error(s, checks);

    (void)state;
    low_band(s, depth);
    for (int i = 0; i < W * H; i++) {
        float kept = depth[i] - s->truth[i];

        assert_true(fabsf(kept - (float)checks(i % W, i / W)) < 0.01F);
    }
    free(depth);
    stage_free(s);
}

static void a_guide_of_nought_makes_no_halo(void **state)
{
    struct stage *s = stage_of(zero_sky, 0.25, 1);
    float *depth = dq_new_array(W * H, sizeof *depth);

    (void)state;
    /* the tiles see a little haze where the guide sees none */
    for (int i = 0; i < W * H; i++)
        depth[i] = fmaxf(s->truth[i], 0.001F);
    low_band(s, depth);
    for (int i = W * (SKY + 16); i < W * H; i++)
        assert_true(fabsf(depth[i] / s->truth[i] - 1) < 0.05F);
    free(depth);
    stage_free(s);
}

/* ---- numbers ------------------------------------------------------------- */

/* Row i of the lower half, from (i, i - band) to (i, i). */
static void cholesky_solves_what_is_positive_and_refuses_the_rest(void **state)
{
    double full[9] = {0, 0, 4, 0, 2, 5, 1, 3, 6}, b[3] = {11, 21, 25};
    double banded[8] = {0, 4, 2, 5, 3, 6, 1, 7}, d[4] = {8, 21, 28, 31};
    double not_positive[4] = {0, 1, 2, 1}, c[2] = {1, 1};

    (void)state;
    assert_int_equal(dq_band_solve(full, b, 3, 2), 0);
    for (int i = 0; i < 3; i++) /* the matrix times 1, 2, 3 */
        assert_true(fabs(b[i] - (i + 1)) < 1e-12);
    assert_int_equal(dq_band_solve(banded, d, 4, 1), 0);
    for (int i = 0; i < 4; i++) /* times 1, 2, 3, 4 */
        assert_true(fabs(d[i] - (i + 1)) < 1e-12);
    assert_int_equal(dq_band_solve(not_positive, c, 2, 1), -1);
}

static void one_far_value_loses_its_weight(void **state)
{
    double r[5] = {1, -1, 1, -1, 100}, scratch[5], w[5];

    (void)state;
    dq_huber(r, NULL, 5, 0, scratch, w);
    /* median 1, deviations 0 2 0 2 99: MAD 2, reach 1.345 * 1.4826 * 2 */
    for (int i = 0; i < 4; i++)
        assert_true(fabs(w[i] - 1) < 1e-12);
    assert_true(fabs(w[4] - 1.345 * 1.4826 * 2 / 100) < 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_scales_and_shifts_come_back),
        cmocka_unit_test(known_factors_of_a_metric_network_come_back),
        cmocka_unit_test(the_order_of_tiles_makes_no_difference),
        cmocka_unit_test(the_same_tiles_give_the_same_bits),
        cmocka_unit_test(a_flat_guide_gives_its_level_and_no_scale),
        cmocka_unit_test(a_tile_of_bare_sky_takes_the_guides_level),
        cmocka_unit_test(a_wire_in_the_sky_is_rescued_by_the_neighbours),
        cmocka_unit_test(
            a_sky_that_fills_most_of_a_tile_leaves_the_ground_its_say),
        cmocka_unit_test(a_tile_that_clips_is_fitted_by_what_it_does_not_clip),
        cmocka_unit_test(a_tile_that_says_the_opposite_is_not_turned_round),
        cmocka_unit_test(a_tile_that_nothing_holds_is_left_to_the_guide),
        cmocka_unit_test(a_tile_beside_the_picture_is_skipped),
        cmocka_unit_test(sky_at_zero_does_not_pull_a_factor),
        cmocka_unit_test(a_picture_smaller_than_a_block_is_survived),
        cmocka_unit_test(the_low_band_follows_the_guide),
        cmocka_unit_test(detail_is_the_tiles_own),
        cmocka_unit_test(a_guide_of_nought_makes_no_halo),
        cmocka_unit_test(cholesky_solves_what_is_positive_and_refuses_the_rest),
        cmocka_unit_test(one_far_value_loses_its_weight),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
