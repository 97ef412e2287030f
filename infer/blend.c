#include "infer/blend.h"

#include <string.h>

void dq_blend_clear(struct dq_blend *b)
{
    size_t n = (size_t)b->width * (size_t)b->height;

    memset(b->depth, 0, n * sizeof *b->depth);
    memset(b->weight, 0, n * sizeof *b->weight);
}

static int most(int a, int b)
{
    return a > b ? a : b;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

static void add_row(float *depth, float *weight, const float *values, int n,
                    const float *ramp, float down, float scale, float shift)
{
    for (int i = 0; i < n; i++) {
        float w = ramp[i] * down;

        weight[i] += w;
        depth[i] += w / weight[i] * (scale * values[i] + shift - depth[i]);
    }
}

void dq_blend_add(struct dq_blend *b, const struct dq_tile_plan *plan, int k,
                  const float *values, float scale, float shift)
{
    const struct dq_tile *t = &plan->tiles[k];
    int w = plan->tile_w, h = plan->tile_h;
    int x0 = most(t->x, b->x), x1 = least(t->x + w, b->x + b->width);
    int y0 = most(t->y, b->y), y1 = least(t->y + h, b->y + b->height);
    int right = t->x + w >= plan->width, below = t->y + h >= plan->height;
    float ramp[4096];

    /* rows in pieces that fit the ramp: tiles may be wider than it */
    for (int x = x0; x < x1; x += (int)(sizeof ramp / sizeof *ramp)) {
        int n = least(x1 - x, (int)(sizeof ramp / sizeof *ramp));

        for (int i = 0; i < n; i++)
            ramp[i] = dq_tile_ramp(x + i - t->x, w, plan->overlap_x, t->x == 0,
                                   right);
        for (int y = y0; y < y1; y++) {
            size_t at =
                (size_t)(y - b->y) * (size_t)b->width + (size_t)(x - b->x);
            float down =
                dq_tile_ramp(y - t->y, h, plan->overlap_y, t->y == 0, below);

            add_row(b->depth + at, b->weight + at,
                    values + (size_t)(y - t->y) * (size_t)w +
                        (size_t)(x - t->x),
                    n, ramp, down, scale, shift);
        }
    }
}
