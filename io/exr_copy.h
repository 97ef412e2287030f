/* exr_copy: a plate's part into another file: its compressed chunks as they
 * are, or decoded and encoded again with channels added. Private to io.
 */
#ifndef DQ_IO_EXR_COPY_H
#define DQ_IO_EXR_COPY_H

#include "io/exr_encode.h"
#include "io/plate_private.h"

/* Copy every chunk of a part, all levels, deep ones too, to part to_part of a
 * file whose header is written. DQ_PLATE names what cannot be read. */
int dq_exr_copy_chunks(const struct dq_plate *plate, int part, exr_context_t to,
                       int to_part, struct dq_err *err);

/* Decode a flat part with one level chunk by chunk, as it is stored, and
 * encode it into encoder's part, which has the same compression and tiles,
 * the same channels (less those that the encoder's layers replace), and the
 * layers. */
int dq_exr_copy_pixels(const struct dq_plate *plate, int part,
                       struct dq_exr_encoder *encoder, struct dq_err *err);

#endif
