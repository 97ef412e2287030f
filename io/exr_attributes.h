/* exr_attributes: what a part says beside its pixels, from one file into
 * another. Private to io.
 */
#ifndef DQ_IO_EXR_ATTRIBUTES_H
#define DQ_IO_EXR_ATTRIBUTES_H

#include "io/exr_context.h"

/* Which attributes go along. Those that describe how pixels are stored
 * (windows, channels, compression, tiles, names ...) never do: whoever adds
 * the part sets them. `preview` never does either. */
enum dq_exr_keep {
    DQ_EXR_KEEP_ALL,   /* a part of the plate, as it is */
    DQ_EXR_KEEP_MIXED, /* the same with depth added: earlier provenance goes */
    DQ_EXR_KEEP_DEPTH  /* depth alone: views, sample counts and what all parts
                          share (timeCode, chromaticities) go too */
};

/* Copy attributes of a part to another file's part, which must not have its
 * header written. Unknown types go along as bytes. DQ_MEMORY or DQ_PLATE. */
int dq_exr_attributes_copy(exr_context_t from, int from_part, exr_context_t to,
                           int to_part, enum dq_exr_keep keep,
                           struct dq_err *err);

/* Copy one attribute, if it is there. */
int dq_exr_attribute_copy(exr_context_t from, int from_part, const char *name,
                          exr_context_t to, int to_part, struct dq_err *err);

/* Whether any name in the file is longer than the 31 bytes that files hold
 * without saying so. */
int dq_exr_has_long_names(exr_context_t exr);

#endif
