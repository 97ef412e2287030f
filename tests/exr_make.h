/* exr_make: EXR files of every kind for tests, in memory.
 *
 * A description (struct made_file) becomes bytes through OpenEXRCore. Pixels
 * are a function of channel, x and y, so that any reader can be checked
 * against made_bits without a second copy of the picture. For tests only;
 * out of memory ends the test.
 */
#ifndef DQ_TESTS_EXR_MAKE_H
#define DQ_TESTS_EXR_MAKE_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openexr.h>

#include "base/bytes.h"
#include "io/frame.h"

enum made_pixels {
    MADE_WILD,  /* any bit pattern but NaN */
    MADE_SMOOTH /* a gentle slope from 0.1 to 0.9, for lossy codecs */
};

struct made_channel {
    const char *name;
    exr_pixel_type_t type;
    int sampling; /* 0 and 1: every pixel */
};

struct made_part {
    const char *name, *view; /* or NULL */
    exr_storage_t storage;
    exr_compression_t codec;
    exr_lineorder_t order;
    struct dq_box data;
    int tile_x, tile_y;
    exr_tile_level_mode_t levels;
    const struct made_channel *channels;
    int channel_count;
};

struct made_file {
    struct dq_box display;
    float aspect; /* 0: 1 */
    enum made_pixels pixels;
    const char *const *views; /* multiView of the first part */
    int view_count;
    const struct made_part *parts;
    int part_count;
    /* Attributes to add to part `part`, before its header is written. */
    void (*decorate)(exr_context_t exr, int part);
};

static inline void made_check(exr_result_t result)
{
    if (result != EXR_ERR_SUCCESS)
        abort();
}

/* A channel's value: as a float it lies between 0.1 and 0.9. */
static inline float made_slope(int channel, int64_t x, int64_t y)
{
    double v = 0.5 + 0.4 * sin(0.05 * (double)x + 0.03 * (double)y +
                               0.7 * (double)channel);

    return (float)v;
}

static inline uint32_t made_noise(int channel, int64_t x, int64_t y)
{
    uint64_t h = (uint64_t)(x + 100000) * 0x9e3779b97f4a7c15u;

    h ^= (uint64_t)(y + 100000) * 0xc2b2ae3d27d4eb4fu;
    h ^= (uint64_t)(channel + 1) * 0x165667b19e3779f9u;
    h ^= h >> 29;
    h *= 0xbf58476d1ce4e5b9u;
    return (uint32_t)(h >> 32);
}

/* The bits stored for a pixel: 16 of a half, 32 of a float or uint. */
static inline uint32_t made_bits(enum made_pixels pixels, exr_pixel_type_t type,
                                 int channel, int64_t x, int64_t y)
{
    float slope = made_slope(channel, x, y);
    uint32_t bits = made_noise(channel, x, y);
    uint16_t half;

    if (type == EXR_PIXEL_HALF) {
        if (pixels == MADE_SMOOTH) {
            dq_float_to_half(&slope, &half, 1);
            return half;
        }
        bits &= 0xffffu;
        return (bits & 0x7c00u) == 0x7c00u ? bits & 0x83ffu : bits;
    }
    if (type == EXR_PIXEL_FLOAT) {
        if (pixels == MADE_SMOOTH) {
            memcpy(&bits, &slope, sizeof bits);
            return bits;
        }
        return (bits & 0x7f800000u) == 0x7f800000u ? bits & 0x807fffffu : bits;
    }
    return bits;
}

/* What a frame of floats shows for those bits. */
static inline float made_float(enum made_pixels pixels, exr_pixel_type_t type,
                               int channel, int64_t x, int64_t y)
{
    uint32_t bits = made_bits(pixels, type, channel, x, y);
    uint16_t half = (uint16_t)bits;
    float value;

    if (type == EXR_PIXEL_UINT)
        return (float)bits;
    if (type == EXR_PIXEL_HALF)
        dq_half_to_float(&half, &value, 1);
    else
        memcpy(&value, &bits, sizeof value);
    return value;
}

/* ---- writing ------------------------------------------------------------- */

static inline int64_t made_write(exr_const_context_t exr, void *data,
                                 const void *buffer, uint64_t count,
                                 uint64_t offset,
                                 exr_stream_error_func_ptr_t fail)
{
    struct dq_bytes *out = data;
    size_t end = offset + count;

    (void)exr;
    (void)fail;
    if (end > out->room && dq_bytes_reserve(out, end * 2, NULL))
        abort();
    if (offset > out->count)
        memset(out->data + out->count, 0, offset - out->count);
    memcpy(out->data + offset, buffer, count);
    out->count = end > out->count ? end : out->count;
    return (int64_t)count;
}

static inline exr_attr_box2i_t made_box(const struct dq_box *b)
{
    exr_attr_box2i_t box = {{b->x0, b->y0}, {b->x1, b->y1}};

    return box;
}

static inline void made_header(exr_context_t exr, const struct made_file *file,
                               int index)
{
    const struct made_part *p = &file->parts[index];
    exr_attr_box2i_t display = made_box(&file->display);
    exr_attr_box2i_t data = made_box(&p->data);
    exr_attr_v2f_t centre = {0, 0};
    const char *views[8];
    int i, part;

    made_check(exr_add_part(exr, p->name, p->storage, &part));
    made_check(exr_initialize_required_attr(exr, part, &display, &data,
                                            file->aspect > 0 ? file->aspect : 1,
                                            &centre, 1, p->order, p->codec));
    if (p->storage == EXR_STORAGE_TILED)
        made_check(exr_set_tile_descriptor(exr, part, (uint32_t)p->tile_x,
                                           (uint32_t)p->tile_y, p->levels,
                                           EXR_TILE_ROUND_DOWN));
    for (i = 0; i < p->channel_count; i++) {
        int sampling = p->channels[i].sampling ? p->channels[i].sampling : 1;

        made_check(
            exr_add_channel(exr, part, p->channels[i].name, p->channels[i].type,
                            EXR_PERCEPTUALLY_LOGARITHMIC, sampling, sampling));
    }
    if (p->view)
        made_check(exr_attr_set_string(exr, part, "view", p->view));
    for (i = 0; i < file->view_count; i++)
        views[i] = file->views[i];
    if (file->view_count && index == 0)
        made_check(exr_attr_set_string_vector(exr, part, "multiView",
                                              file->view_count, views));
    if (file->decorate)
        file->decorate(exr, part);
}

static inline int made_index(const struct made_part *p, const char *name)
{
    int i;

    for (i = 0; i < p->channel_count; i++)
        if (!strcmp(p->channels[i].name, name))
            return i;
    abort();
}

/* The library stores B44 and PXR24 wrongly when they save nothing. */
static inline exr_result_t made_compress(exr_encode_pipeline_t *pipe)
{
    exr_result_t result = exr_compress_chunk(pipe);

    if (result == EXR_ERR_SUCCESS &&
        pipe->compressed_bytes >= pipe->packed_bytes) {
        memcpy(pipe->compressed_buffer, pipe->packed_buffer,
               pipe->packed_bytes);
        pipe->compressed_bytes = pipe->packed_bytes;
    }
    return result;
}

/* Encode one chunk whose first pixel is (x0, y0) of its level. */
static inline void made_chunk(exr_context_t exr, const struct made_file *file,
                              int part, const exr_chunk_info_t *chunk,
                              int64_t x0, int64_t y0)
{
    const struct made_part *p = &file->parts[part];
    exr_encode_pipeline_t pipe;
    uint8_t *planes[64] = {0};
    int i, x, y;

    memset(&pipe, 0, sizeof pipe);
    pipe.pipe_size = sizeof pipe;
    made_check(exr_encoding_initialize(exr, part, chunk, &pipe));
    for (i = 0; i < pipe.channel_count; i++) {
        exr_coding_channel_info_t *c = &pipe.channels[i];
        int which = made_index(p, c->channel_name);
        int size = c->bytes_per_element;

        planes[i] =
            malloc((size_t)c->width * (size_t)c->height * (size_t)size + 1);
        if (!planes[i])
            abort();
        for (y = 0; y < c->height; y++)
            for (x = 0; x < c->width; x++) {
                uint32_t bits = made_bits(file->pixels, p->channels[which].type,
                                          which, x0 + (int64_t)x * c->x_samples,
                                          y0 + (int64_t)y * c->y_samples);

                memcpy(planes[i] + ((size_t)y * (size_t)c->width + (size_t)x) *
                                       (size_t)size,
                       &bits, (size_t)size); /* little end first */
            }
        c->encode_from_ptr = planes[i];
        c->user_pixel_stride = size;
        c->user_line_stride = size * c->width;
        c->user_bytes_per_element = (int16_t)size;
        c->user_data_type = c->data_type;
    }
    made_check(exr_encoding_choose_default_routines(exr, part, &pipe));
    if (pipe.compress_fn)
        pipe.compress_fn = made_compress;
    made_check(exr_encoding_run(exr, part, &pipe));
    made_check(exr_encoding_destroy(exr, &pipe));
    for (i = 0; i < 64; i++)
        free(planes[i]);
}

/* Cut a tile to its level: the library cuts it to the full-size one. */
static inline void made_cut(exr_context_t exr, int part,
                            const struct made_part *p, exr_chunk_info_t *c)
{
    uint64_t pixel =
        c->unpacked_size / ((uint64_t)c->width * (uint64_t)c->height);
    int32_t width, height;

    made_check(exr_get_level_sizes(exr, part, c->level_x, c->level_y, &width,
                                   &height));
    width -= c->start_x * p->tile_x;
    height -= c->start_y * p->tile_y;
    c->width = width < p->tile_x ? width : p->tile_x;
    c->height = height < p->tile_y ? height : p->tile_y;
    c->unpacked_size = pixel * (uint64_t)c->width * (uint64_t)c->height;
}

static inline void made_tiles(exr_context_t exr, const struct made_file *file,
                              int part, int level_x, int level_y)
{
    const struct made_part *p = &file->parts[part];
    exr_chunk_info_t chunk;
    int32_t nx, ny;
    int x, y;

    made_check(exr_get_tile_counts(exr, part, level_x, level_y, &nx, &ny));
    for (y = 0; y < ny; y++)
        for (x = 0; x < nx; x++) {
            /* Random order: the last row first. */
            int ty = p->order == EXR_LINEORDER_RANDOM_Y ? ny - 1 - y : y;

            made_check(exr_write_tile_chunk_info(exr, part, x, ty, level_x,
                                                 level_y, &chunk));
            made_cut(exr, part, p, &chunk);
            made_chunk(exr, file, part, &chunk,
                       p->data.x0 + (int64_t)x * p->tile_x,
                       p->data.y0 + (int64_t)ty * p->tile_y);
        }
}

static inline void made_part_chunks(exr_context_t exr,
                                    const struct made_file *file, int part)
{
    const struct made_part *p = &file->parts[part];
    exr_chunk_info_t chunk;
    int32_t i, k, y, lines, nx, ny;

    if (p->storage == EXR_STORAGE_SCANLINE) {
        made_check(exr_get_scanlines_per_chunk(exr, part, &lines));
        for (y = p->data.y0; y <= p->data.y1; y += lines) {
            made_check(exr_write_scanline_chunk_info(exr, part, y, &chunk));
            made_chunk(exr, file, part, &chunk, p->data.x0, y);
        }
        return;
    }
    made_check(exr_get_tile_levels(exr, part, &nx, &ny));
    if (p->levels == EXR_TILE_RIPMAP_LEVELS) {
        for (k = 0; k < ny; k++)
            for (i = 0; i < nx; i++)
                made_tiles(exr, file, part, i, k);
        return;
    }
    for (i = 0; i < nx; i++)
        made_tiles(exr, file, part, i, i);
}

static inline void made_quiet(exr_const_context_t exr, exr_result_t code,
                              const char *text)
{
    (void)exr;
    (void)code;
    (void)text;
}

static inline exr_context_t made_open(struct dq_bytes *out)
{
    exr_context_initializer_t init = EXR_DEFAULT_CONTEXT_INITIALIZER;
    exr_context_t exr = NULL;

    out->count = 0;
    init.user_data = out;
    init.write_fn = made_write;
    init.error_handler_fn = made_quiet;
    made_check(exr_start_write(&exr, "made", EXR_WRITE_FILE_DIRECTLY, &init));
    return exr;
}

/* The whole file; the caller frees. */
static inline struct dq_bytes made_bytes(const struct made_file *file)
{
    struct dq_bytes out = {0};
    exr_context_t exr = made_open(&out);
    int i;

    for (i = 0; i < file->part_count; i++)
        made_header(exr, file, i);
    made_check(exr_write_header(exr));
    for (i = 0; i < file->part_count; i++)
        made_part_chunks(exr, file, i);
    made_check(exr_finish(&exr));
    return out;
}

#endif
