/* frame: the pixels of one picture, plane by plane, as they were stored.
 *
 * Boxes are inclusive at both ends, as in EXR; coordinates may be negative.
 * A frame owns one buffer for all planes, which is used again when the frame
 * is (frames are recycled with their ticket). One thread at a time.
 */
#ifndef DQ_IO_FRAME_H
#define DQ_IO_FRAME_H

#include <stddef.h>
#include <stdint.h>
#include "base/err.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dq_box {
    int32_t x0, y0, x1, y1; /* x0..x1 and y0..y1, both ends included */
};

/* Sides in pixels; 0 when the box is empty (x1 < x0). Never overflow. */
int64_t dq_box_width(const struct dq_box *box);
int64_t dq_box_height(const struct dq_box *box);
int dq_box_equal(const struct dq_box *a, const struct dq_box *b);
struct dq_box dq_box_union(const struct dq_box *a, const struct dq_box *b);
/* The common part; empty (x1 < x0 or y1 < y0) when there is none. */
struct dq_box dq_box_common(const struct dq_box *a, const struct dq_box *b);

/* How far apart the pixels of a grid lie that stands for a large picture: the
 * least step at which width / step x height / step (rounded down) are no more
 * than most. The grid begins at half a step. Pure. */
int64_t dq_grid_step(int64_t width, int64_t height, int64_t most);

enum dq_pixel { DQ_PIXEL_HALF, DQ_PIXEL_FLOAT };

/* Which plane holds what. A grey picture has R, G and B at the same data. */
enum dq_plane { DQ_PLANE_R, DQ_PLANE_G, DQ_PLANE_B, DQ_PLANE_A, DQ_PLANES };

struct dq_frame {
    struct dq_box data; /* what the planes hold, row by row, no gaps */
    struct dq_box display;
    float pixel_aspect;     /* width of a pixel over its height */
    enum dq_pixel type;     /* of all planes: half stays half */
    void *plane[DQ_PLANES]; /* A is NULL when there is none */
    void *buffer;           /* owned; 64-byte aligned */
    size_t room;            /* bytes of buffer */
};

/* Give frame planes for data: three or one (grey), and alpha if asked. The
 * buffer grows when it must and is zeroed (a damaged file may leave pixels
 * unwritten; the last frame must not show through). DQ_MEMORY, DQ_PLATE
 * when the size overflows. */
int dq_frame_shape(struct dq_frame *frame, const struct dq_box *data,
                   enum dq_pixel type, int grey, int alpha, struct dq_err *err);

void dq_frame_free(struct dq_frame *frame); /* and zero it; NULL is fine */

/* One row of a plane as float32: count pixels from column `from` (0 is
 * data.x0) of row `row` (0 is data.y0). */
void dq_frame_row(const struct dq_frame *frame, enum dq_plane plane,
                  int64_t row, int64_t from, int64_t count, float *out);

/* IEEE half to float and back (round to nearest even), n values; F16C where
 * the processor has it. Both give the same bits on every processor. */
void dq_half_to_float(const uint16_t *in, float *out, size_t n);
void dq_float_to_half(const float *in, uint16_t *out, size_t n);

#ifdef __cplusplus
}
#endif
#endif
