/* tile_plan: how a picture is cut for a network. Pure geometry: no pixels,
 * no I/O. A plan never changes, so any thread may read it.
 *
 * Per axis, side W, tile T, overlap o (docs/depth.md, 2):
 *   n = max(1, ceil((W - o) / (T - o)))   start_i = round(i (W - T) / (n-1))
 */
#ifndef DQ_INFER_TILE_PLAN_H
#define DQ_INFER_TILE_PLAN_H

#include <stddef.h>
#include "base/err.h"
#include "infer/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Pixels of a tile, a guide, a picture. */
static inline size_t dq_area(int width, int height)
{
    return (size_t)width * (size_t)height;
}

struct dq_tile {
    int x, y; /* top left, in lattice pixels; a tile may reach past the
                 lattice's far rim (padding) when the lattice is smaller */
};

struct dq_tile_plan {
    int width, height;        /* of the lattice */
    int tile_w, tile_h;       /* all tiles have one shape */
    int overlap_x, overlap_y; /* the least real overlap, pixels */
    int columns, rows;
    int count; /* columns x rows, row by row */
    struct dq_tile *tiles;
    /* the guide: the whole lattice at the network's own size */
    int guide_w, guide_h;     /* what the network is given */
    int content_w, content_h; /* the lattice's picture in it, top left; the
                                 rest is padding */
    int needs_guide;          /* 0: one tile covers all at full size */
};

#define DQ_TILES_WHOLE (-1)

/* An 8K frame is 231 tiles of 518; beyond this a window is not meant so, and
 * solving for all tiles together would take minutes and gigabytes. */
enum { DQ_TILES_MOST = 8192 };

/* Plan a lattice of width x height square pixels. size: pixels, 0 for the
 * model's preferred size, DQ_TILES_WHOLE for one tile. overlap: share of a
 * tile, 0..0.5. The caller frees. DQ_MODEL when the contract cannot do it
 * (size outside min..max or not a multiple: the message names the nearest
 * that fits; more than DQ_TILES_MOST tiles). */
struct dq_tile_plan *dq_tile_plan_new(int width, int height, int size,
                                      double overlap,
                                      const struct dq_model *model,
                                      struct dq_err *err);
void dq_tile_plan_free(struct dq_tile_plan *plan); /* NULL is fine */

/* Weight of pixel i of n along an axis: a ramp over the overlap, 1 inside and
 * out to the lattice's own rim; always > 0. */
float dq_tile_ramp(int i, int n, int overlap, int first, int last);

/* A plan as text for provenance and fingerprints: "10x5 of 512x512 overlap
 * 128 guide 896x512". */
void dq_tile_plan_text(const struct dq_tile_plan *plan, char *text,
                       size_t room);

#ifdef __cplusplus
}
#endif
#endif
