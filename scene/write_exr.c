#include "scene/write_exr.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openexr.h>

#include "base/bytes.h"
#include "base/publish.h"

/* The library writes with seeks: to go back and fill the chunk table. */
static int64_t to_memory(exr_const_context_t exr, void *user, const void *data,
                         uint64_t count, uint64_t at,
                         exr_stream_error_func_ptr_t fail)
{
    struct dq_bytes *b = user;
    size_t end = (size_t)at + (size_t)count;
    struct dq_err err = {0};

    if (end > b->room && dq_bytes_reserve(b, end + end / 2, &err)) {
        fail(exr, EXR_ERR_OUT_OF_MEMORY, "%s", err.text);
        return -1;
    }
    if ((size_t)at > b->count)
        memset(b->data + b->count, 0, (size_t)at - b->count);
    memcpy(b->data + at, data, (size_t)count);
    if (end > b->count)
        b->count = end;
    return (int64_t)count;
}

static void silent(exr_const_context_t exr, exr_result_t code,
                   const char *message)
{
    (void)exr;
    (void)code;
    (void)message; /* the code comes back from the call as well */
}

struct file {
    exr_context_t exr;
    int width, height, count, half;
    const struct dq_exr_plane *planes;
};

static exr_result_t write_header(struct file *f)
{
    exr_attr_box2i_t box = {{0, 0}, {f->width - 1, f->height - 1}};
    exr_attr_v2f_t centre = {0, 0};
    exr_attr_chromaticities_t rec709 = {0.64F, 0.33F, 0.30F,   0.60F,
                                        0.15F, 0.06F, 0.3127F, 0.3290F};
    exr_attr_rational_t rate = {24, 1};
    exr_result_t rc;
    int part = 0;

    rc = exr_add_part(f->exr, NULL, EXR_STORAGE_SCANLINE, &part);
    if (!rc)
        rc = exr_initialize_required_attr(f->exr, part, &box, &box, 1, &centre,
                                          1, EXR_LINEORDER_INCREASING_Y,
                                          EXR_COMPRESSION_ZIPS);
    if (!rc)
        rc = exr_attr_set_chromaticities(f->exr, part, "chromaticities",
                                         &rec709);
    if (!rc)
        rc = exr_attr_set_rational(f->exr, part, "framesPerSecond", &rate);
    for (int i = 0; i < f->count && !rc; i++)
        rc = exr_add_channel(f->exr, part, f->planes[i].name,
                             f->half ? EXR_PIXEL_HALF : EXR_PIXEL_FLOAT,
                             EXR_PERCEPTUALLY_LINEAR, 1, 1);
    return rc ? rc : exr_write_header(f->exr);
}

static const float *row_of(const struct file *f, const char *channel, int y)
{
    for (int i = 0; i < f->count; i++)
        if (strcmp(f->planes[i].name, channel) == 0)
            return f->planes[i].values + (size_t)y * (size_t)f->width;
    return NULL;
}

static exr_result_t write_rows(struct file *f)
{
    exr_encode_pipeline_t pipe;
    exr_chunk_info_t chunk;
    exr_result_t rc = EXR_ERR_SUCCESS;

    memset(&pipe, 0, sizeof pipe); /* as its initializer, of which a strict
                                      compiler complains */
    pipe.pipe_size = sizeof pipe;
    for (int y = 0; y < f->height && !rc; y++) {
        rc = exr_write_scanline_chunk_info(f->exr, 0, y, &chunk);
        if (!rc)
            rc = y == 0 ? exr_encoding_initialize(f->exr, 0, &chunk, &pipe)
                        : exr_encoding_update(f->exr, 0, &chunk, &pipe);
        for (int c = 0; c < pipe.channel_count && !rc; c++) {
            exr_coding_channel_info_t *to = &pipe.channels[c];

            to->encode_from_ptr =
                (const uint8_t *)row_of(f, to->channel_name, y);
            to->user_data_type = EXR_PIXEL_FLOAT;
            to->user_bytes_per_element = sizeof(float);
            to->user_pixel_stride = sizeof(float);
            to->user_line_stride = (int32_t)sizeof(float) * f->width;
        }
        if (!rc && y == 0)
            rc = exr_encoding_choose_default_routines(f->exr, 0, &pipe);
        if (!rc)
            rc = exr_encoding_run(f->exr, 0, &pipe);
    }
    exr_encoding_destroy(f->exr, &pipe);
    return rc;
}

int dq_scene_write_exr(const char *path, int width, int height,
                       const struct dq_exr_plane *planes, int count, int half,
                       struct dq_err *err)
{
    struct file f = {.width = width,
                     .height = height,
                     .count = count,
                     .half = half,
                     .planes = planes};
    exr_context_initializer_t init = EXR_DEFAULT_CONTEXT_INITIALIZER;
    struct dq_bytes out = {0};
    exr_result_t rc, closed = EXR_ERR_SUCCESS;
    int code;

    init.user_data = &out;
    init.write_fn = to_memory;
    init.error_handler_fn = silent;
    rc = exr_start_write(&f.exr, path, EXR_WRITE_FILE_DIRECTLY, &init);
    if (!rc) {
        rc = write_header(&f);
        rc = rc ? rc : write_rows(&f);
        closed = exr_finish(&f.exr);
    }
    rc = rc ? rc : closed;
    code = rc ? dq_fail(err, DQ_BUG, "%s: %s", path,
                        exr_get_default_error_message(rc))
              : dq_publish(path, out.data, out.count, "scene",
                           DQ_PUBLISH_REPLACE, NULL, err);
    dq_bytes_free(&out);
    return code;
}
