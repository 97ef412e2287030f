/* exr_encode: float planes as channels of a part that is being written, chunk
 * by chunk, with one encode pipeline. Private to io.
 */
#ifndef DQ_IO_EXR_ENCODE_H
#define DQ_IO_EXR_ENCODE_H

#include <stdint.h>

#include "io/exr_context.h"
#include "io/exr_walk.h"

/* A plane over the part's data window, row by row, stored as a channel. */
struct dq_exr_layer {
    const char *name;
    const float *plane;
    int64_t width; /* pixels a row */
};

#define DQ_EXR_LAYERS 3 /* depth and mask; a guide has three */

struct dq_exr_encoder {
    exr_context_t exr;
    int part;
    struct dq_exr_layer layers[DQ_EXR_LAYERS];
    int layer_count;
    int half; /* layers are stored as half, clamped to +-65504 */
    exr_encode_pipeline_t pipe;
    int begun;
    uint16_t *scratch; /* a chunk of each layer as half */
    size_t room;       /* halves in scratch */
    int32_t written;   /* chunks */
};

/* Take the chunk up: pipe.channels are this chunk's. */
exr_result_t dq_exr_encoder_take(struct dq_exr_encoder *encoder,
                                 const exr_chunk_info_t *chunk);

/* Point the layers' channels at this chunk's pixels. EXR_ERR_OUT_OF_MEMORY,
 * or EXR_ERR_INVALID_ARGUMENT when the part lacks such a channel. */
exr_result_t dq_exr_encoder_aim(struct dq_exr_encoder *encoder,
                                const struct dq_exr_walk *walk);

/* Compress the chunk and write it. All channels must point somewhere. */
exr_result_t dq_exr_encoder_run(struct dq_exr_encoder *encoder);

void dq_exr_encoder_free(struct dq_exr_encoder *encoder);

/* A part that has no other channels than the layers: all its chunks.
 * DQ_MEMORY or DQ_BUG. */
int dq_exr_encoder_write(struct dq_exr_encoder *encoder, struct dq_err *err);

/* Whether as many chunks were written as the part has: the library itself
 * calls an unfinished file a success. DQ_BUG. */
int dq_exr_all_written(exr_context_t exr, int part, int32_t written,
                       struct dq_err *err);

#endif
