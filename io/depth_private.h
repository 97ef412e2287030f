/* depth_private: shared by the files that make a depth file. Private to io. */
#ifndef DQ_IO_DEPTH_PRIVATE_H
#define DQ_IO_DEPTH_PRIVATE_H

#include "io/depth_file.h"
#include "io/exr_encode.h"
#include "io/plate_private.h"

#define DQ_MASK_CHANNEL "mask"
/* A part without a name gets this one beside others: what compositors call
 * the main picture. */
#define DQ_PLATE_PART "rgba"
#define DQ_DEPTH_NAME 320

/* What is made, from what. */
struct dq_depth_job {
    const struct dq_plate *plate;
    const struct dq_plate_choice *choice;
    const struct dq_depth_format *format;
    const struct dq_depth_attr *attrs;
    size_t attr_count;
    struct dq_exr_encoder encoder; /* of depth and mask */
    char names[DQ_EXR_LAYERS][DQ_DEPTH_NAME];
    struct dq_exr_stream stream;
    exr_context_t exr; /* what is written */
};

/* Add a part to job->exr: one with depth alone, scan lines; one like the
 * chosen part of the plate, with depth among its channels; one that is a copy
 * of the plate's part `from`. The first two become encoder.part. name may be
 * NULL in a file of one part. DQ_MEMORY, DQ_PLATE, DQ_BUG. */
int dq_depth_add_own_part(struct dq_depth_job *job, const char *name,
                          struct dq_err *err);
int dq_depth_add_mixed_part(struct dq_depth_job *job, const char *name,
                            struct dq_err *err);
int dq_depth_add_copied_part(struct dq_depth_job *job, int from,
                             const char *name, struct dq_err *err);

/* The library's codec; EXR_COMPRESSION_LAST_TYPE when this build's is too old
 * for it. */
exr_compression_t dq_depth_codec(enum dq_depth_codec codec);

/* The depth channel's full name: in `channel` mode, in a single part with
 * several views, a view other than the default stands before the last piece
 * of the name. */
void dq_depth_channel_name(const struct dq_plate_info *info,
                           const struct dq_depth_format *format,
                           const char *channel, char name[DQ_DEPTH_NAME]);

/* dq_depth_file_allowed with the mask known. */
int dq_depth_check(const struct dq_plate *plate,
                   const struct dq_plate_choice *choice,
                   const struct dq_depth_format *format, int mask,
                   struct dq_err *err);

#endif
