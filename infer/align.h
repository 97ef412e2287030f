/* align: one scale and shift for every tile, so that all of a frame's tiles
 * tell one story: the guide's.
 *
 * docs/depth.md, 4 (fit to the guide) and 5 (joint solve), and then one
 * robust line for the whole frame: overlaps that disagree shrink all scales
 * alike (0 is where they agree best), which the guide has to undo. For networks
 * whose answer has an unknown scale and shift both are found; for the others
 * (scale known up to a factor, or metric) only a factor, in log space, where
 * it is a shift. Sums in double, in a fixed order: the same bits whatever the
 * order of tiles' making. One thread; no pixels are changed here.
 */
#ifndef DQ_INFER_ALIGN_H
#define DQ_INFER_ALIGN_H

#include "base/err.h"
#include "infer/answers.h"
#include "infer/tile_plan.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a tile ends as: A = scale * t + shift in the guide's units (in log
 * space: scale is the factor and shift is 0). */
enum dq_tile_fate {
    DQ_TILE_SKIPPED,    /* does not touch the picture */
    DQ_TILE_ALIGNED,    /* the guide and its neighbours fixed both */
    DQ_TILE_SHIFT_ONLY, /* the guide fixed the level, neighbours or the
                           others' median the scale */
    DQ_TILE_GUIDE_ONLY  /* it says nothing, or nothing holds its level: the
                           guide stands for it */
};

struct dq_tile_affine {
    float scale, shift;
    enum dq_tile_fate fate;
};

struct dq_align_job {
    const struct dq_tile_plan *plan;
    const struct dq_picture *picture; /* where real pixels are */
    const float *guide;               /* content_h x content_w */
    const float *const *tiles; /* count pointers to tile_h x tile_w; NULL:
                                  skipped */
    int log_space;             /* factor only */
};

/* Find affine[plan->count]. DQ_MEMORY. Nothing is invented: where the guide
 * is flat every tile keeps scale 1 and takes the guide's level. In log space
 * what is not above 0 has no say. */
int dq_align(const struct dq_align_job *job, struct dq_tile_affine *affine,
             struct dq_err *err);

/* After the blend (docs/depth.md, 7): the low band follows the guide,
 * D += up(LP(g - down(D))), LP a Gaussian of 8 guide pixels, over what the
 * picture covers. In log space the correction is a factor. */
int dq_align_low_band(const struct dq_align_job *job, float *depth,
                      struct dq_err *err);

#ifdef __cplusplus
}
#endif
#endif
