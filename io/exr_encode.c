#include "io/exr_encode.h"

#include <stdlib.h>
#include <string.h>

#include "io/frame.h"

#define HALF_MAX 65504.0f
#define ROW_ROOM 1024 /* floats clamped at a time */

exr_result_t dq_exr_encoder_take(struct dq_exr_encoder *encoder,
                                 const exr_chunk_info_t *chunk)
{
    exr_result_t result;

    if (encoder->begun)
        return exr_encoding_update(encoder->exr, encoder->part, chunk,
                                   &encoder->pipe);
    result = exr_encoding_initialize(encoder->exr, encoder->part, chunk,
                                     &encoder->pipe);
    encoder->begun = result == EXR_ERR_SUCCESS;
    return result;
}

static exr_coding_channel_info_t *channel_named(exr_encode_pipeline_t *pipe,
                                                const char *name)
{
    int i;

    for (i = 0; i < pipe->channel_count; i++)
        if (!strcmp(pipe->channels[i].channel_name, name))
            return &pipe->channels[i];
    return NULL;
}

/* What is beyond half's range becomes its largest value: an infinity would
 * read as a hole in every compositor. */
static void clamp_to_half(const float *in, uint16_t *out, int64_t count)
{
    float row[ROW_ROOM];
    int64_t i, n;

    for (; count > 0; count -= n, in += n, out += n) {
        n = count < ROW_ROOM ? count : ROW_ROOM;
        for (i = 0; i < n; i++) {
            float v = in[i];

            v = v > HALF_MAX ? HALF_MAX : v;
            row[i] = v < -HALF_MAX ? -HALF_MAX : v;
        }
        dq_float_to_half(row, out, (size_t)n);
    }
}

static exr_result_t make_scratch(struct dq_exr_encoder *encoder)
{
    const exr_chunk_info_t *chunk = &encoder->pipe.chunk;
    size_t need = (size_t)chunk->width * (size_t)chunk->height *
                  (size_t)encoder->layer_count;
    uint16_t *grown;

    if (need <= encoder->room)
        return EXR_ERR_SUCCESS;
    grown = realloc(encoder->scratch, need * sizeof *grown);
    if (!grown)
        return EXR_ERR_OUT_OF_MEMORY;
    encoder->scratch = grown;
    encoder->room = need;
    return EXR_ERR_SUCCESS;
}

static void aim_float(exr_coding_channel_info_t *c,
                      const struct dq_exr_layer *layer, const float *from)
{
    c->encode_from_ptr = (const uint8_t *)from;
    c->user_data_type = EXR_PIXEL_FLOAT;
    c->user_bytes_per_element = 4;
    c->user_pixel_stride = 4;
    c->user_line_stride = (int32_t)(layer->width * 4);
}

static void aim_half(exr_coding_channel_info_t *c,
                     const struct dq_exr_layer *layer, const float *from,
                     uint16_t *scratch)
{
    int32_t row;

    for (row = 0; row < c->height; row++)
        clamp_to_half(from + row * layer->width,
                      scratch + (int64_t)row * c->width, c->width);
    c->encode_from_ptr = (const uint8_t *)scratch;
    c->user_data_type = EXR_PIXEL_HALF;
    c->user_bytes_per_element = 2;
    c->user_pixel_stride = 2;
    c->user_line_stride = c->width * 2;
}

exr_result_t dq_exr_encoder_aim(struct dq_exr_encoder *encoder,
                                const struct dq_exr_walk *walk)
{
    const exr_chunk_info_t *chunk = &encoder->pipe.chunk;
    int i;

    if (encoder->half && make_scratch(encoder) != EXR_ERR_SUCCESS)
        return EXR_ERR_OUT_OF_MEMORY;
    for (i = 0; i < encoder->layer_count; i++) {
        const struct dq_exr_layer *layer = &encoder->layers[i];
        exr_coding_channel_info_t *c =
            channel_named(&encoder->pipe, layer->name);
        const float *from = layer->plane +
                            dq_exr_walk_row(walk) * layer->width +
                            dq_exr_walk_column(walk);

        if (!c)
            return EXR_ERR_INVALID_ARGUMENT;
        if (encoder->half)
            aim_half(c, layer, from,
                     encoder->scratch + (size_t)i * (size_t)chunk->width *
                                            (size_t)chunk->height);
        else
            aim_float(c, layer, from);
    }
    return EXR_ERR_SUCCESS;
}

/* A chunk that is as large compressed as raw is read as raw by everybody; yet
 * OpenEXR 3.5.3 writes the compressed form of B44 and PXR24 then (they test
 * for larger, not for as large), and the chunk is garbage ever after. */
static exr_result_t compress(exr_encode_pipeline_t *pipe)
{
    exr_result_t result = exr_compress_chunk(pipe);

    if (result != EXR_ERR_SUCCESS ||
        pipe->compressed_bytes < pipe->packed_bytes)
        return result;
    memcpy(pipe->compressed_buffer, pipe->packed_buffer, pipe->packed_bytes);
    pipe->compressed_bytes = pipe->packed_bytes;
    return EXR_ERR_SUCCESS;
}

exr_result_t dq_exr_encoder_run(struct dq_exr_encoder *encoder)
{
    exr_result_t result = EXR_ERR_SUCCESS;

    if (!encoder->pipe.write_fn) {
        result = exr_encoding_choose_default_routines(
            encoder->exr, encoder->part, &encoder->pipe);
        if (encoder->pipe.compress_fn)
            encoder->pipe.compress_fn = compress;
    }
    if (result == EXR_ERR_SUCCESS)
        result = exr_encoding_run(encoder->exr, encoder->part, &encoder->pipe);
    if (result == EXR_ERR_SUCCESS)
        encoder->written++;
    return result;
}

void dq_exr_encoder_free(struct dq_exr_encoder *encoder)
{
    if (encoder->begun)
        exr_encoding_destroy(encoder->exr, &encoder->pipe);
    free(encoder->scratch);
    memset(encoder, 0, sizeof *encoder);
}

static exr_result_t write_chunk(struct dq_exr_encoder *encoder,
                                const struct dq_exr_walk *walk)
{
    exr_chunk_info_t chunk;
    exr_result_t result = dq_exr_walk_write(walk, &chunk);

    if (result == EXR_ERR_SUCCESS)
        result = dq_exr_encoder_take(encoder, &chunk);
    if (result == EXR_ERR_SUCCESS)
        result = dq_exr_encoder_aim(encoder, walk);
    if (result == EXR_ERR_SUCCESS)
        result = dq_exr_encoder_run(encoder);
    return result;
}

int dq_exr_encoder_write(struct dq_exr_encoder *encoder, struct dq_err *err)
{
    struct dq_exr_walk walk;
    char place[DQ_EXR_PLACE];
    exr_result_t result =
        dq_exr_walk_start(&walk, encoder->exr, encoder->part, 0);

    while (result == EXR_ERR_SUCCESS && dq_exr_walk_next(&walk))
        result = write_chunk(encoder, &walk);
    if (result != EXR_ERR_SUCCESS) {
        dq_exr_walk_place(&walk, place);
        return dq_exr_fail(dq_exr_stream_of(encoder->exr), result, DQ_BUG, err,
                           "depth: %s cannot be encoded", place);
    }
    return dq_exr_all_written(encoder->exr, encoder->part, encoder->written,
                              err);
}

int dq_exr_all_written(exr_context_t exr, int part, int32_t written,
                       struct dq_err *err)
{
    int32_t count = -1;

    exr_get_chunk_count(exr, part, &count);
    if (written == count)
        return DQ_OK;
    return dq_fail(err, DQ_BUG, "%d of %d chunks of part %d were written",
                   written, count, part);
}
