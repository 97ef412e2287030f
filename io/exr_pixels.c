#include "io/exr_pixels.h"

struct reader {
    exr_context_t exr;
    struct dq_exr_walk walk;
    exr_decode_pipeline_t pipe;
    int begun;
    const struct dq_exr_target *targets;
    int count;
};

/* Point the chosen channels at this chunk's place in their planes; the
 * others stay NULL: decompressed, and not unpacked. */
static void aim(struct reader *reader)
{
    const struct dq_exr_walk *walk = &reader->walk;
    int i;

    for (i = 0; i < reader->count; i++) {
        const struct dq_exr_target *t = &reader->targets[i];
        exr_coding_channel_info_t *c = &reader->pipe.channels[t->channel];
        int size = t->type == EXR_PIXEL_HALF ? 2 : 4;

        c->decode_to_ptr = (uint8_t *)t->plane +
                           dq_exr_walk_row(walk) / c->y_samples * t->row_bytes +
                           dq_exr_walk_column(walk) / c->x_samples * size;
        c->user_bytes_per_element = (int16_t)size;
        c->user_data_type = (uint16_t)t->type;
        c->user_pixel_stride = size;
        c->user_line_stride = (int32_t)t->row_bytes;
    }
}

static exr_result_t begin_pipe(struct reader *reader,
                               const exr_chunk_info_t *chunk)
{
    exr_result_t result;

    result = exr_decoding_initialize(reader->exr, reader->walk.part, chunk,
                                     &reader->pipe);
    if (result != EXR_ERR_SUCCESS)
        return result;
    reader->begun = 1;
    aim(reader);
    result = exr_decoding_choose_default_routines(
        reader->exr, reader->walk.part, &reader->pipe);
    if (!reader->count) /* decompressed only: nowhere to unpack to */
        reader->pipe.unpack_and_convert_fn = NULL;
    return result;
}

static exr_result_t read_chunk(struct reader *reader)
{
    exr_chunk_info_t chunk;
    exr_result_t result = dq_exr_walk_read(&reader->walk, &chunk);

    if (result != EXR_ERR_SUCCESS)
        return result;
    if (!reader->begun) {
        result = begin_pipe(reader, &chunk);
    } else {
        result = exr_decoding_update(reader->exr, reader->walk.part, &chunk,
                                     &reader->pipe);
        if (result == EXR_ERR_SUCCESS)
            aim(reader);
    }
    if (result != EXR_ERR_SUCCESS)
        return result;
    return exr_decoding_run(reader->exr, reader->walk.part, &reader->pipe);
}

static int read_all(struct reader *reader, int part, int all_levels,
                    struct dq_err *err)
{
    struct dq_exr_stream *stream = dq_exr_stream_of(reader->exr);
    char place[DQ_EXR_PLACE];
    exr_result_t result;

    stream->message[0] = '\0';
    result = dq_exr_walk_start(&reader->walk, reader->exr, part, all_levels);
    if (result != EXR_ERR_SUCCESS)
        return dq_exr_fail(stream, result, DQ_PLATE, err,
                           "the part cannot be read");
    while (dq_exr_walk_next(&reader->walk)) {
        result = read_chunk(reader);
        if (result == EXR_ERR_SUCCESS)
            continue;
        dq_exr_walk_place(&reader->walk, place);
        return dq_exr_fail(stream, result, DQ_PLATE, err,
                           "%s cannot be decoded", place);
    }
    return DQ_OK;
}

int dq_exr_pixels_read(exr_context_t exr, int part,
                       const struct dq_exr_target *targets, int count,
                       struct dq_err *err)
{
    struct reader reader = {
        .exr = exr,
        .pipe = {.pipe_size = sizeof(exr_decode_pipeline_t)},
        .targets = targets,
        .count = count,
    };
    int code = read_all(&reader, part, 0, err);

    if (reader.begun)
        exr_decoding_destroy(exr, &reader.pipe);
    return code;
}

int dq_exr_pixels_check(exr_context_t exr, int part, struct dq_err *err)
{
    struct reader reader = {
        .exr = exr,
        .pipe = {.pipe_size = sizeof(exr_decode_pipeline_t)},
    };
    int code = read_all(&reader, part, 1, err);

    if (reader.begun)
        exr_decoding_destroy(exr, &reader.pipe);
    return code;
}
