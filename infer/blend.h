/* blend: overlapping tiles into one picture, with weights that sum to one.
 *
 * A running mean in tile order, W += w; D += (w / W)(x - D): equal inputs give
 * bit-equal output, which a sum of w x over a sum of w does not
 * (docs/depth.md, 6). One thread.
 */
#ifndef DQ_INFER_BLEND_H
#define DQ_INFER_BLEND_H

#include "infer/answers.h"
#include "infer/tile_plan.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dq_blend {
    float *depth;  /* height x width of the picture; lent */
    float *weight; /* the same; lent */
    int width, height;
    int x, y; /* the picture's place on the lattice */
};

void dq_blend_clear(struct dq_blend *blend);

/* Add tile k of the plan: values scale * v + shift of tile_h x tile_w v. Only
 * what lies inside the picture counts. scale 1 and shift 0 keep every bit. */
void dq_blend_add(struct dq_blend *blend, const struct dq_tile_plan *plan,
                  int k, const float *values, float scale, float shift);

#ifdef __cplusplus
}
#endif
#endif
