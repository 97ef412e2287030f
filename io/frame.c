/* frame: boxes, and planes in one recycled buffer. */
#include "io/frame.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define PLANE_ALIGN ((size_t)64) /* a cache line, and any vector */

int64_t dq_box_width(const struct dq_box *box)
{
    int64_t width = (int64_t)box->x1 - box->x0 + 1;

    return width > 0 ? width : 0;
}

int64_t dq_box_height(const struct dq_box *box)
{
    int64_t height = (int64_t)box->y1 - box->y0 + 1;

    return height > 0 ? height : 0;
}

int dq_box_equal(const struct dq_box *a, const struct dq_box *b)
{
    return a->x0 == b->x0 && a->y0 == b->y0 && a->x1 == b->x1 && a->y1 == b->y1;
}

static int32_t least(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static int32_t most(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

struct dq_box dq_box_union(const struct dq_box *a, const struct dq_box *b)
{
    struct dq_box box = {least(a->x0, b->x0), least(a->y0, b->y0),
                         most(a->x1, b->x1), most(a->y1, b->y1)};

    return box;
}

struct dq_box dq_box_common(const struct dq_box *a, const struct dq_box *b)
{
    struct dq_box box = {most(a->x0, b->x0), most(a->y0, b->y0),
                         least(a->x1, b->x1), least(a->y1, b->y1)};

    return box;
}

int64_t dq_grid_step(int64_t width, int64_t height, int64_t most)
{
    int64_t step = 1;

    while ((width / step) * (height / step) > most)
        step++;
    return step;
}

static size_t pixel_bytes(enum dq_pixel type)
{
    return type == DQ_PIXEL_HALF ? 2 : 4;
}

/* Bytes of one plane, rounded up so that the next one is aligned too. */
static int plane_room(const struct dq_box *data, enum dq_pixel type,
                      size_t *room)
{
    size_t bytes;

    if (!dq_mul((size_t)dq_box_width(data), (size_t)dq_box_height(data),
                &bytes) ||
        !dq_mul(bytes, pixel_bytes(type), &bytes) ||
        bytes > SIZE_MAX - PLANE_ALIGN)
        return 0;
    *room = (bytes + PLANE_ALIGN - 1) & ~(PLANE_ALIGN - 1);
    return 1;
}

static int make_room(struct dq_frame *frame, size_t room, struct dq_err *err)
{
    void *buffer;

    if (room <= frame->room)
        return DQ_OK;
    buffer = aligned_alloc(PLANE_ALIGN, room);
    if (!buffer)
        return dq_fail(err, DQ_MEMORY, "no %zu bytes for the pixels of a frame",
                       room);
    free(frame->buffer);
    frame->buffer = buffer;
    frame->room = room;
    return DQ_OK;
}

static void place_planes(struct dq_frame *frame, size_t plane, int grey,
                         int alpha)
{
    char *at = frame->buffer;
    size_t step = grey ? 0 : plane;

    frame->plane[DQ_PLANE_R] = at;
    frame->plane[DQ_PLANE_G] = at + step;
    frame->plane[DQ_PLANE_B] = at + 2 * step;
    frame->plane[DQ_PLANE_A] = alpha ? at + 2 * step + plane : NULL;
}

int dq_frame_shape(struct dq_frame *frame, const struct dq_box *data,
                   enum dq_pixel type, int grey, int alpha, struct dq_err *err)
{
    size_t plane, room;
    size_t count = (size_t)(grey ? 1 : 3) + (alpha ? 1 : 0);

    if (!plane_room(data, type, &plane) || !dq_mul(plane, count, &room))
        return dq_fail(err, DQ_PLATE, "a frame of %lld x %lld is too large",
                       (long long)dq_box_width(data),
                       (long long)dq_box_height(data));
    if (make_room(frame, room ? room : PLANE_ALIGN, err))
        return err ? err->code : DQ_MEMORY;
    memset(frame->buffer, 0, room);
    frame->data = *data;
    frame->type = type;
    place_planes(frame, plane, grey, alpha);
    return DQ_OK;
}

void dq_frame_free(struct dq_frame *frame)
{
    if (!frame)
        return;
    free(frame->buffer);
    memset(frame, 0, sizeof *frame);
}

void dq_frame_row(const struct dq_frame *frame, enum dq_plane plane,
                  int64_t row, int64_t from, int64_t count, float *out)
{
    size_t at = (size_t)(row * dq_box_width(&frame->data) + from);
    size_t n = (size_t)count;

    if (frame->type == DQ_PIXEL_HALF)
        dq_half_to_float((const uint16_t *)frame->plane[plane] + at, out, n);
    else
        memcpy(out, (const float *)frame->plane[plane] + at, n * sizeof *out);
}
