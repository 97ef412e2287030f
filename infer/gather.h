/* gather: pieces of a picture as a network takes them, padded at the rim.
 *
 * Real neighbouring pixels fill a tile's overlap; beyond the picture itself
 * pixels are mirrored (without repeating the edge), or repeated where the
 * picture is too small to mirror. Channel order, range, mean and std are the
 * contract's. Pure; any thread.
 */
#ifndef DQ_INFER_GATHER_H
#define DQ_INFER_GATHER_H

#include "infer/model.h"
#include "infer/answers.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The picture's index for position i beyond its n samples: mirrored when
 * `pad`, the deepest that any position lies outside, is below n; else the
 * nearest. */
int dq_gather_index(int i, int n, int pad);

/* Tile at (x, y) of the lattice, w x h -> planar 3 x h x w in out. index is
 * scratch for w + h ints. */
void dq_gather_tile(const struct dq_picture *picture,
                    const struct dq_model *model, int x, int y, int w, int h,
                    int *index, float *out);

/* The whole lattice (width x height) at content size, padded to guide size:
 * planar 3 x guide_h x guide_w in out. What the picture does not cover takes
 * its nearest pixels. content is scratch for content_w * content_h floats,
 * index for guide_w + guide_h ints. DQ_MEMORY. */
int dq_gather_guide(const struct dq_picture *picture,
                    const struct dq_model *model,
                    const struct dq_tile_plan *plan, float *content, int *index,
                    float *out, struct dq_err *err);

#ifdef __cplusplus
}
#endif
#endif
