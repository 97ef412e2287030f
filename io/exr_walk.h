/* exr_walk: the chunks of a part, one after another in index order, whether
 * the part is cut into scan lines or tiles, read or written. Private to io.
 */
#ifndef DQ_IO_EXR_WALK_H
#define DQ_IO_EXR_WALK_H

#include <stdint.h>

#include "io/exr_context.h"

#define DQ_EXR_PLACE 96

struct dq_exr_walk {
    exr_context_t exr;
    int part;
    int tiled, deep;
    exr_attr_box2i_t data;  /* the part's data window */
    int32_t step_x, step_y; /* pixels of a whole tile; lines of a chunk */
    int32_t levels_x, levels_y;
    int ripmap;
    int all_levels;
    /* Where the walk stands. */
    int32_t level_x, level_y;
    int32_t count_x, count_y; /* tiles of this level; 1 x chunks */
    int32_t x, y;             /* tile, or 0 and the chunk's number */
    int begun;
};

/* Begin before the first chunk of a part: of the full-size level, or of all
 * levels. Of a part that is neither scan lines nor tiles there is no walk. */
exr_result_t dq_exr_walk_start(struct dq_exr_walk *walk, exr_context_t exr,
                               int part, int all_levels);

/* Step to the next chunk; 0 when there is none. */
int dq_exr_walk_next(struct dq_exr_walk *walk);

/* What the file says about the chunk here; what a chunk to be written here
 * has to be. */
exr_result_t dq_exr_walk_read(const struct dq_exr_walk *walk,
                              exr_chunk_info_t *chunk);
exr_result_t dq_exr_walk_write(const struct dq_exr_walk *walk,
                               exr_chunk_info_t *chunk);

/* Offset of this chunk's first pixel from the data window's, in pixels (of
 * the full-size level). */
int64_t dq_exr_walk_column(const struct dq_exr_walk *walk);
int64_t dq_exr_walk_row(const struct dq_exr_walk *walk);

/* The chunk's place for messages: "scan lines 32 to 47", or "scan lines 64 to
 * 127, tile (3, 1)". */
void dq_exr_walk_place(const struct dq_exr_walk *walk, char text[DQ_EXR_PLACE]);

#endif
