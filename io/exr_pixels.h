/* exr_pixels: channels of a flat part into planes, chunk by chunk, with one
 * decode pipeline. Private to io.
 */
#ifndef DQ_IO_EXR_PIXELS_H
#define DQ_IO_EXR_PIXELS_H

#include <stdint.h>

#include "io/exr_context.h"
#include "io/exr_walk.h"

/* Where one channel goes. The plane begins at the data window's first pixel
 * and holds every sample of the channel: width / x_sampling a row. */
struct dq_exr_target {
    int channel; /* index into the part's list of channels */
    void *plane;
    int64_t row_bytes;
    exr_pixel_type_t type; /* what plane holds; converted where it differs */
};

/* Decode the full-size level of a part into targets. Every chunk must be
 * there and whole: DQ_PLATE names the scan lines that are not. */
int dq_exr_pixels_read(exr_context_t exr, int part,
                       const struct dq_exr_target *targets, int count,
                       struct dq_err *err);

/* Decompress every chunk of every level of a part and drop it. */
int dq_exr_pixels_check(exr_context_t exr, int part, struct dq_err *err);

#endif
