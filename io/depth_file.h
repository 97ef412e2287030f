/* depth_file: a depth frame as an EXR file in memory, ready to publish.
 *
 * Three forms (job file, output.mode):
 *   separate  one part with the depth channel (and the mask channel)
 *   part      every part of the plate, its compressed chunks copied as they
 *             are, and the depth as one more part, last
 *   channel   the plate's chosen part decoded and written again with the
 *             depth channel added; its other parts are copied as they are
 * Windows, pixel aspect, timecode, frame rate and the plate's attributes are
 * kept (OpenEXR's list of standard attributes); `preview`, and in a depth-only
 * file `multiView`, are dropped. Same input, same bytes. Any thread.
 *
 * Half depth beyond +-65504, half's largest value, is stored as that: an
 * infinity would read as a hole. In channel mode the compression is the
 * plate's own, whatever the format says: re-encoding a lossy plate costs it
 * a generation (the caller warns). A nameless part becomes "rgba" in a file
 * of several parts; lines are stored in increasing order; names longer than
 * 31 bytes are allowed for.
 */
#ifndef DQ_IO_DEPTH_FILE_H
#define DQ_IO_DEPTH_FILE_H

#include <stddef.h>
#include "base/bytes.h"
#include "base/err.h"
#include "io/plate.h"

#ifdef __cplusplus
extern "C" {
#endif

enum dq_depth_mode { DQ_DEPTH_SEPARATE, DQ_DEPTH_PART, DQ_DEPTH_CHANNEL };

enum dq_depth_codec {
    DQ_CODEC_NONE,
    DQ_CODEC_RLE,
    DQ_CODEC_ZIPS,
    DQ_CODEC_ZIP,
    DQ_CODEC_PIZ,
    DQ_CODEC_PXR24,
    DQ_CODEC_HTJ2K,
    DQ_CODEC_ZSTD
};

struct dq_depth_format {
    enum dq_depth_mode mode;
    enum dq_depth_codec codec;
    int half;            /* store as half instead of float */
    const char *channel; /* "Z" */
    int replace_channel; /* channel mode: an existing one is replaced */
    const char *part;    /* name of the added part: "depth" */
    const char *view;    /* the view that was read, or NULL: the depth part
                            of a multi-view file carries it */
};

/* A string attribute to add: depthq/model = "demo-depth". */
struct dq_depth_attr {
    const char *name;
    const char *value;
};

/* Whether the plate allows this form at all, from its header: an existing
 * channel or part name, a single-part multi-view plate with `part`. DQ_PLATE
 * or DQ_SPEC with the remedy. */
int dq_depth_file_allowed(const struct dq_plate *plate,
                          const struct dq_plate_choice *choice,
                          const struct dq_depth_format *format,
                          struct dq_err *err);

/* Encode. depth and mask (NULL: none) are row by row over the data window of
 * the chosen part, float32, finite. mask is written as channel "mask". out
 * is recycled. DQ_MEMORY, DQ_PLATE (a chunk of the plate cannot be copied),
 * DQ_BUG. Fault point: encode. */
int dq_depth_file_encode(const struct dq_plate *plate,
                         const struct dq_plate_choice *choice,
                         const struct dq_depth_format *format,
                         const float *depth, const float *mask,
                         const struct dq_depth_attr *attrs, size_t attr_count,
                         struct dq_bytes *out, struct dq_err *err);

#ifdef __cplusplus
}
#endif
#endif
