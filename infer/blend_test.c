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

enum { W = 150, H = 90, N = W * H };

static struct dq_tile_plan *plan_of(void)
{
    struct dq_model model = {
        .multiple = 8, .preferred = 32, .min = 8, .max = 1024};
    struct dq_err err = {0};
    struct dq_tile_plan *plan = dq_tile_plan_new(W, H, 48, 0.25, &model, &err);

    if (!plan)
        fail_msg("%s", err.text);
    return plan;
}

static float told(int k, int x, int y)
{
    return (float)(3 + k % 5 + sin(0.3 * x + k) * cos(0.2 * y));
}

/* All tiles into depth and weight: one value, or (value NAN) told(). */
static void blend(const struct dq_tile_plan *plan, struct dq_blend *b,
                  float value)
{
    int w = plan->tile_w, n = w * plan->tile_h;
    float *tile = dq_new_array((size_t)n, sizeof *tile);

    dq_blend_clear(b);
    for (int k = 0; k < plan->count; k++) {
        for (int i = 0; i < n; i++)
            tile[i] = isnan(value) ? told(k, i % w, i / w) : value;
        dq_blend_add(b, plan, k, tile, 1, 0);
    }
    free(tile);
}

static void equal_inputs_give_equal_bits(void **state)
{
    static float depth[N], weight[N];
    static const float values[] = {0.1F, 1.0F / 3, 7.7e-8F, 12345.678F};
    struct dq_blend b = {depth, weight, W, H, 0, 0};
    struct dq_tile_plan *plan = plan_of();

    (void)state;
    for (int v = 0; v < 4; v++) {
        blend(plan, &b, values[v]);
        for (int i = 0; i < N; i++)
            if (memcmp(&depth[i], &values[v], sizeof *depth) != 0)
                fail_msg("pixel %d: %.9g", i, (double)depth[i]);
    }
    dq_tile_plan_free(plan);
}

/* Sum of w x over sum of w, in double, at one pixel. */
static double mean_at(const struct dq_tile_plan *plan, int x, int y)
{
    double sum = 0, weights = 0;

    for (int k = 0; k < plan->count; k++) {
        const struct dq_tile *t = &plan->tiles[k];
        int i = x - t->x, j = y - t->y;
        double w;

        if (i < 0 || j < 0 || i >= plan->tile_w || j >= plan->tile_h)
            continue;
        w = (double)dq_tile_ramp(i, plan->tile_w, plan->overlap_x, t->x == 0,
                                 t->x + plan->tile_w >= W) *
            (double)dq_tile_ramp(j, plan->tile_h, plan->overlap_y, t->y == 0,
                                 t->y + plan->tile_h >= H);
        sum += w * (double)told(k, i, j);
        weights += w;
    }
    return sum / weights;
}

static void weights_sum_to_one(void **state)
{
    static float depth[N], weight[N];
    struct dq_blend b = {depth, weight, W, H, 0, 0};
    struct dq_tile_plan *plan = plan_of();

    (void)state;
    assert_true(plan->count > 4);
    blend(plan, &b, NAN);
    for (int i = 0; i < N; i++)
        if (!(fabs((double)depth[i] - mean_at(plan, i % W, i / W)) < 1e-5))
            fail_msg("pixel %d", i);
    dq_tile_plan_free(plan);
}

static void a_piece_of_the_lattice_has_the_bits_of_the_whole(void **state)
{
    static float depth[N], weight[N], part[40 * 30], part_weight[40 * 30];
    struct dq_blend b = {depth, weight, W, H, 0, 0};
    struct dq_blend piece = {part, part_weight, 40, 30, 61, 33};
    struct dq_tile_plan *plan = plan_of();

    (void)state;
    blend(plan, &b, NAN);
    blend(plan, &piece, NAN);
    for (int y = 0; y < 30; y++)
        assert_memory_equal(part + (ptrdiff_t)y * 40,
                            depth + (ptrdiff_t)(y + 33) * W + 61,
                            40 * sizeof *part);
    dq_tile_plan_free(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_inputs_give_equal_bits),
        cmocka_unit_test(weights_sum_to_one),
        cmocka_unit_test(a_piece_of_the_lattice_has_the_bits_of_the_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
