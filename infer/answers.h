/* answers: what a network is shown of a frame, and what it says of its tiles.
 *
 * The session (session.h) fills them on the network's thread, the merge
 * (merge.h) makes one frame of them on any other, so that the network goes on
 * with the next frame meanwhile. Whoever has them owns them alone.
 */
#ifndef DQ_INFER_ANSWERS_H
#define DQ_INFER_ANSWERS_H

#include <stddef.h>
#include "base/err.h"
#include "infer/model.h"
#include "infer/tile_plan.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A picture placed on the shot's lattice: pixel (0,0) of rgb lies at (x, y)
 * of the lattice; what lies outside the lattice is not inferred. */
struct dq_picture {
    const float *rgb;   /* planar 3 x height x width, 0..1 */
    const float *valid; /* height x width, 1 where the plate is real, or NULL */
    int width, height;
    int x, y;
};

/* Zero them before the first use; kept from frame to frame. */
struct dq_answers {
    float *tiles; /* count x tile_h x tile_w: depth, the network's quantity */
    float *skies; /* the same: sky, or NULL */
    const float **at; /* count: tile k, or NULL when it misses the picture */
    float *guide;     /* content_h x content_w: depth of the whole picture */
    int has_guide;    /* tiles are to be aligned to it */
    /* the merge's own */
    struct dq_tile_affine *affine; /* count: scale and shift found */
    float *weight;                 /* height x width of the picture */
    float *upscaled; /* tile_h x tile_w: the guide where a tile says nothing */

    float *buffer; /* owns all floats above, */
    size_t room;   /* so many, */
    int count;     /* and at and affine have so many */
};

/* What happened to a frame's tiles, for its provenance. */
struct dq_tile_counts {
    int tiles;      /* run (those that touch the picture) */
    int aligned;    /* scale and shift from the guide and the overlaps */
    int shift_only; /* the guide fixed the shift, neighbours the scale */
    int guide_only; /* the guide stands for the tile */
    int batch;      /* tiles a forward in the end */
    int halved;     /* how often the batch was halved for memory */
};

/* Room for the answers of this model to a picture's tiles; kept when it is
 * large enough. DQ_MEMORY. */
int dq_answers_shape(struct dq_answers *answers,
                     const struct dq_tile_plan *plan,
                     const struct dq_model *model,
                     const struct dq_picture *picture, struct dq_err *err);
void dq_answers_free(struct dq_answers *answers); /* what it holds; zero it */

/* Bytes that answers take for a picture of the lattice's size, with what the
 * merge needs for a while. Pure. */
size_t dq_answers_bytes(const struct dq_tile_plan *plan,
                        const struct dq_model *model);

#ifdef __cplusplus
}
#endif
#endif
