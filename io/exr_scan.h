/* exr_scan: how much a header lists, counted before the library sees it.
 *
 * OpenEXRCore keeps channels and attributes as sorted lists that it fills by
 * moving: a header of a hundred thousand channels costs it half a minute
 * before it refuses them, and ten times as many cost an hour. This walks the
 * same bytes once (openexr.com, "OpenEXR File Layout": magic, version, and
 * per attribute a name, a type, a size and so many bytes).
 */
#ifndef DQ_IO_EXR_SCAN_H
#define DQ_IO_EXR_SCAN_H

#include "io/exr_context.h"

#define DQ_EXR_MAX_PARTS 64
#define DQ_EXR_MAX_CHANNELS 1024   /* of a part */
#define DQ_EXR_MAX_ATTRIBUTES 4096 /* of a part */

/* DQ_PLATE when a part lists more channels or attributes than that, or the
 * file more parts. What is damaged in another way is left to the library,
 * which says it better. stream as for dq_exr_open_read. */
int dq_exr_scan(const struct dq_exr_stream *stream, struct dq_err *err);

#endif
