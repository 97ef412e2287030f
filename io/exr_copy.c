#include "io/exr_copy.h"

#include <stdlib.h>
#include <string.h>

/* ---- chunks as they are -------------------------------------------------- */

static exr_result_t write_lines(const struct dq_exr_walk *walk,
                                const exr_chunk_info_t *c, const uint8_t *file,
                                exr_context_t to, int part)
{
    if (walk->deep)
        return exr_write_deep_scanline_chunk(
            to, part, c->start_y, file + c->data_offset, c->packed_size,
            c->unpacked_size, file + c->sample_count_data_offset,
            c->sample_count_table_size);
    return exr_write_scanline_chunk(to, part, c->start_y, file + c->data_offset,
                                    c->packed_size);
}

static exr_result_t write_tile(const struct dq_exr_walk *walk,
                               const exr_chunk_info_t *c, const uint8_t *file,
                               exr_context_t to, int part)
{
    if (walk->deep)
        return exr_write_deep_tile_chunk(
            to, part, walk->x, walk->y, walk->level_x, walk->level_y,
            file + c->data_offset, c->packed_size, c->unpacked_size,
            file + c->sample_count_data_offset, c->sample_count_table_size);
    return exr_write_tile_chunk(to, part, walk->x, walk->y, walk->level_x,
                                walk->level_y, file + c->data_offset,
                                c->packed_size);
}

/* What the library said when reading, else when writing. */
static int copy_failed(exr_context_t from, exr_context_t to,
                       exr_result_t result, const struct dq_exr_walk *walk,
                       struct dq_err *err)
{
    struct dq_exr_stream *said = dq_exr_stream_of(from);
    char place[DQ_EXR_PLACE];

    if (!said->message[0])
        said = dq_exr_stream_of(to);
    dq_exr_walk_place(walk, place);
    return dq_exr_fail(said, result, DQ_PLATE, err, "%s cannot be copied",
                       place);
}

int dq_exr_copy_chunks(const struct dq_plate *plate, int part, exr_context_t to,
                       int to_part, struct dq_err *err)
{
    struct dq_exr_walk walk;
    exr_chunk_info_t chunk;
    exr_result_t result;
    int32_t written = 0;

    dq_exr_stream_of(plate->exr)->message[0] = '\0';
    result = dq_exr_walk_start(&walk, plate->exr, part, 1);
    while (result == EXR_ERR_SUCCESS && dq_exr_walk_next(&walk)) {
        result = dq_exr_walk_read(&walk, &chunk);
        if (result != EXR_ERR_SUCCESS)
            break;
        result =
            walk.tiled
                ? write_tile(&walk, &chunk, plate->stream.bytes, to, to_part)
                : write_lines(&walk, &chunk, plate->stream.bytes, to, to_part);
        written++;
    }
    if (result != EXR_ERR_SUCCESS)
        return copy_failed(plate->exr, to, result, &walk, err);
    return dq_exr_all_written(to, to_part, written, err);
}

/* ---- pixels, encoded again ----------------------------------------------- */

struct recoder {
    exr_context_t from;
    struct dq_exr_walk walk;
    exr_decode_pipeline_t pipe;
    int begun;
    struct dq_exr_encoder *encoder;
    uint8_t *pixels; /* a chunk, channel after channel, as stored */
    size_t room;
};

static int is_layer(const struct dq_exr_encoder *encoder, const char *name)
{
    int i;

    for (i = 0; i < encoder->layer_count; i++)
        if (!strcmp(encoder->layers[i].name, name))
            return 1;
    return 0;
}

static exr_result_t make_room(struct recoder *r, uint64_t bytes)
{
    if (bytes <= r->room)
        return EXR_ERR_SUCCESS;
    free(r->pixels);
    r->room = 0;
    r->pixels = malloc(bytes);
    if (!r->pixels)
        return EXR_ERR_OUT_OF_MEMORY;
    r->room = bytes;
    return EXR_ERR_SUCCESS;
}

static void aim_decoder(struct recoder *r)
{
    uint8_t *at = r->pixels;
    int i;

    memset(r->pixels, 0, r->pipe.chunk.unpacked_size);
    for (i = 0; i < r->pipe.channel_count; i++) {
        exr_coding_channel_info_t *c = &r->pipe.channels[i];

        c->decode_to_ptr = NULL;
        if (is_layer(r->encoder, c->channel_name))
            continue;
        c->decode_to_ptr = at;
        c->user_data_type = c->data_type;
        c->user_bytes_per_element = (unsigned char)c->bytes_per_element;
        c->user_pixel_stride = (unsigned char)c->bytes_per_element;
        c->user_line_stride = c->width * (unsigned char)c->bytes_per_element;
        at += (size_t)c->user_line_stride * (size_t)c->height;
    }
}

/* Every channel of the new part that is no layer comes from the decoded one
 * of the same name. Both lists are sorted alike. */
static exr_result_t aim_encoder(struct recoder *r)
{
    exr_encode_pipeline_t *out = &r->encoder->pipe;
    int i, from = 0;

    for (i = 0; i < out->channel_count; i++) {
        exr_coding_channel_info_t *c = &out->channels[i];
        const exr_coding_channel_info_t *source;

        if (is_layer(r->encoder, c->channel_name))
            continue;
        while (from < r->pipe.channel_count &&
               strcmp(r->pipe.channels[from].channel_name, c->channel_name) !=
                   0)
            from++;
        if (from == r->pipe.channel_count)
            return EXR_ERR_INVALID_ARGUMENT;
        source = &r->pipe.channels[from];
        c->encode_from_ptr = source->decode_to_ptr;
        c->user_data_type = source->data_type;
        c->user_bytes_per_element = (unsigned char)source->bytes_per_element;
        c->user_pixel_stride = source->user_pixel_stride;
        c->user_line_stride = source->user_line_stride;
    }
    return EXR_ERR_SUCCESS;
}

static exr_result_t decode_chunk(struct recoder *r)
{
    exr_chunk_info_t chunk;
    int part = r->walk.part;
    exr_result_t result = dq_exr_walk_read(&r->walk, &chunk);

    if (result == EXR_ERR_SUCCESS)
        result = make_room(r, chunk.unpacked_size);
    if (result != EXR_ERR_SUCCESS)
        return result;
    result = r->begun
                 ? exr_decoding_update(r->from, part, &chunk, &r->pipe)
                 : exr_decoding_initialize(r->from, part, &chunk, &r->pipe);
    if (result != EXR_ERR_SUCCESS)
        return result;
    aim_decoder(r);
    if (!r->begun) {
        r->begun = 1;
        result = exr_decoding_choose_default_routines(r->from, part, &r->pipe);
    }
    if (result == EXR_ERR_SUCCESS)
        result = exr_decoding_run(r->from, part, &r->pipe);
    return result;
}

static exr_result_t encode_chunk(struct recoder *r)
{
    struct dq_exr_walk to = r->walk;
    exr_chunk_info_t chunk;
    exr_result_t result;

    to.exr = r->encoder->exr;
    to.part = r->encoder->part;
    result = dq_exr_walk_write(&to, &chunk);
    if (result == EXR_ERR_SUCCESS)
        result = dq_exr_encoder_take(r->encoder, &chunk);
    if (result == EXR_ERR_SUCCESS)
        result = aim_encoder(r);
    if (result == EXR_ERR_SUCCESS)
        result = dq_exr_encoder_aim(r->encoder, &to);
    if (result == EXR_ERR_SUCCESS)
        result = dq_exr_encoder_run(r->encoder);
    return result;
}

int dq_exr_copy_pixels(const struct dq_plate *plate, int part,
                       struct dq_exr_encoder *encoder, struct dq_err *err)
{
    struct recoder r = {
        .from = plate->exr,
        .pipe = {.pipe_size = sizeof(exr_decode_pipeline_t)},
        .encoder = encoder,
    };
    exr_result_t result;

    dq_exr_stream_of(plate->exr)->message[0] = '\0';
    result = dq_exr_walk_start(&r.walk, r.from, part, 0);
    while (result == EXR_ERR_SUCCESS && dq_exr_walk_next(&r.walk)) {
        result = decode_chunk(&r);
        if (result == EXR_ERR_SUCCESS)
            result = encode_chunk(&r);
    }
    if (r.begun)
        exr_decoding_destroy(r.from, &r.pipe);
    free(r.pixels);
    if (result != EXR_ERR_SUCCESS)
        return copy_failed(plate->exr, encoder->exr, result, &r.walk, err);
    return dq_exr_all_written(encoder->exr, encoder->part, encoder->written,
                              err);
}
