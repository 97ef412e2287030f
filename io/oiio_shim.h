/* oiio_shim: what OpenImageIO and OpenColorIO do for us, as C.
 *
 * Plates that are not EXR, colour spaces that we have no matrix for, and
 * pictures for people. It never opens a plate's EXR nor writes our output.
 * Only in builds with OIIO=1 (DQ_OIIO). The library is loaded by the first
 * call that needs it (io/oiio.c; DQ_CONFIG when it is not there). No exception
 * leaves io/oiio_shim.cc; every error carries the library's own words.
 */
#ifndef DQ_IO_OIIO_SHIM_H
#define DQ_IO_OIIO_SHIM_H

#include <stddef.h>
#include <stdint.h>
#include "base/bytes.h"
#include "base/err.h"
#include "io/frame.h"
#include "io/picture8.h"
#include "io/plate.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- plates: DPX, TIFF, PNG, JPEG, told by their first bytes ------------- */

struct dq_oiio_image;

/* Open over bytes (borrowed until closed). name is for the
 * library alone: messages leave it to the caller. DQ_PLATE when the content is
 * none of the four formats or is damaged. */
struct dq_oiio_image *dq_oiio_open(const void *bytes, size_t count,
                                   const char *name, struct dq_err *err);
void dq_oiio_close(struct dq_oiio_image *image); /* NULL is fine */
const struct dq_plate_info *dq_oiio_info(const struct dq_oiio_image *image);

/* Decode to float planes, 0..1 for integer files, with the encoding that the
 * file has: dq_oiio_info's interop_id names it (lin_rec709_scene,
 * srgb_rec709_scene, or DQ_ENCODED_BT709, DQ_ENCODED_LOG), and the colour
 * stage undoes it. Integer files that say nothing are sRGB. One thread. */
#define DQ_ENCODED_BT709 "encoded_bt709"
#define DQ_ENCODED_LOG "encoded_log"
int dq_oiio_decode(struct dq_oiio_image *image,
                   const struct dq_plate_choice *choice, struct dq_frame *frame,
                   struct dq_err *err);

/* ---- colour -------------------------------------------------------------- */

struct dq_ocio;

/* From a colour space of the OCIO configuration ($OCIO) to linear Rec.709.
 * DQ_SPEC when the configuration lacks it (with its file and names), or has
 * no linear Rec.709 under a known name. */
struct dq_ocio *dq_ocio_open(const char *colorspace, struct dq_err *err);
void dq_ocio_close(struct dq_ocio *ocio); /* NULL is fine */
/* In place over n interleaved RGB pixels. Any thread. */
int dq_ocio_apply(const struct dq_ocio *ocio, float *rgb, int n,
                  struct dq_err *err);

/* ---- pictures for people ------------------------------------------------- */

/* 8-bit RGB, width x height, row by row, as a PNG in out. */
int dq_oiio_png(const uint8_t *rgb, int width, int height, struct dq_bytes *out,
                struct dq_err *err);

/* Values 0..1 through the turbo map: 8-bit sRGB, row by row. */
int dq_oiio_turbo(const float *values, int width, int height, uint8_t *rgb,
                  struct dq_err *err);

/* A line of text into the picture, its top at y. */
int dq_oiio_text(uint8_t *rgb, int width, int height, int x, int y,
                 const struct dq_letters *letters, const char *text,
                 struct dq_err *err);

#ifdef __cplusplus
}
#endif
#endif
