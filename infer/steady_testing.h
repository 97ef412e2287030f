/* steady_testing: worlds and guides of them whose answer is known, for the
 * tests of what holds a shot together. */
#ifndef DQ_INFER_STEADY_TESTING_H
#define DQ_INFER_STEADY_TESTING_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "infer/steady.h"

enum { W = 128, H = 96 };

static inline uint32_t hash(uint32_t v)
{
    v = (v ^ (v >> 16)) * 0x45d9f3bU;
    v = (v ^ (v >> 16)) * 0x45d9f3bU;
    return v ^ (v >> 16);
}

static inline double noise(int seed, int y, int x)
{
    return hash((uint32_t)(seed * 7919 + y * 131071 + x)) / 4294967296.0;
}

/* Smooth spots: what stands in world `seed` at (y, x). */
static inline double spots(int seed, double y, double x)
{
    double sum = 0;

    for (int i = 0; i < 40; i++) {
        double dy = y - H * noise(seed, i, 1), dx = x - W * noise(seed, i, 2);
        double r = 4 + 12 * noise(seed, i, 3);

        sum += (noise(seed, i, 4) - 0.5) * exp(-(dy * dy + dx * dx) / (r * r));
    }
    return sum;
}

/* True disparity, and luma that knows nothing of it. */
static inline double truth(int world, int y, int x)
{
    return 1 + 0.5 * y / H + spots(world, y, x);
}

/* The guide of world `world` as a network tells it: scale u + shift. */
static inline void guide_of(struct dq_guide *g, int world, double scale,
                            double shift)
{
    struct dq_err err = {0};

    assert_int_equal(dq_guide_shape(g, W, H, &err), DQ_OK);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            int i = y * W + x;

            g->depth[i] = (float)(scale * truth(world, y, x) + shift);
            g->luma[i] = (float)(0.5 + 0.4 * spots(world + 100, y, x));
            g->real[i] = 1;
        }
}

static inline double scale_of(int t)
{
    return exp(1.1 * (noise(5, t, 0) - 0.5));
}

static inline double shift_of(int t)
{
    return noise(6, t, 0) - 0.5;
}

static inline struct dq_recipe recipe_of(struct dq_model *model,
                                         enum dq_model_scale scale)
{
    struct dq_recipe recipe = {.model = model};

    memset(model, 0, sizeof *model);
    model->scale = scale;
    return recipe;
}

#endif
