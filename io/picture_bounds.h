/* picture_bounds: whether a picture's file holds all that it says it has.
 *
 * Decoders of TIFF and JPEG fill what is missing and say nothing, so a plate
 * that was cut short would pass as a half-black one. Here the file's own map
 * is followed before any decoder sees it. Pure: bytes in memory, no pixels,
 * no allocation, time linear in the file. Any thread.
 */
#ifndef DQ_IO_PICTURE_BOUNDS_H
#define DQ_IO_PICTURE_BOUNDS_H

#include <stddef.h>
#include "base/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* DQ_PLATE when the file ends before what its header promises:
 *   TIFF, BigTIFF  strips or tiles of the first picture lie inside the file
 *                  and are as many as its size asks for (TIFF 6.0, 2 and 15)
 *   JPEG           markers up to the end of the image (ITU-T T.81, B.1)
 *   PNG            chunks up to IEND (PNG 3rd edition, 5)
 *   DPX            the first element's pixels (SMPTE 268M); run-length
 *                  encoded ones by the size that the header tells
 * The text says what is missing and what to do. Damage inside compressed data
 * is the decoder's to find. Bytes of no such format are DQ_OK. */
int dq_picture_bounds(const void *bytes, size_t count, struct dq_err *err);

#ifdef __cplusplus
}
#endif
#endif
