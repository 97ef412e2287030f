/* colour: from scene-linear plate pixels to what a network was trained on.
 *
 * In this order: NaN, Inf and negatives become 0 and are counted;
 * unpremultiply where alpha < 1; gamut to Rec.709 by one matrix; one exposure
 * for the shot; shoulder or clip; transfer (sRGB encoding, or linear).
 */
#ifndef DQ_IO_COLOUR_H
#define DQ_IO_COLOUR_H

#include <stdint.h>
#include "base/err.h"
#include "io/frame.h"
#include "io/plate.h"

struct dq_ocio;

#ifdef __cplusplus
extern "C" {
#endif

enum dq_tonemap { DQ_TONEMAP_SHOULDER, DQ_TONEMAP_CLIP };
enum dq_transfer { DQ_TRANSFER_SRGB, DQ_TRANSFER_LINEAR };

/* What undoes a file's own encoding, before everything else. */
enum dq_encoding { DQ_ENCODING_LINEAR, DQ_ENCODING_SRGB, DQ_ENCODING_BT709 };

struct dq_colour {
    enum dq_encoding encoding;
    float matrix[9];            /* row-major, plate RGB -> linear Rec.709 */
    int has_matrix;             /* 0: the identity, skipped */
    const struct dq_ocio *ocio; /* io/oiio_shim.h; replaces encoding and
                              matrix; NULL: none. Borrowed */
    float gain;                 /* 2^EV */
    enum dq_tonemap tonemap;
    enum dq_transfer transfer;
};

struct dq_pixel_counts {
    int64_t nan, inf, negative, saturated;
};

/* The matrix for a plate: colorspace "auto" takes colorInteropID, then
 * chromaticities, else lin_rec709 with *guessed set (the caller warns once).
 * Names known without OCIO: lin_rec709, lin_rec709_scene, lin_srgb,
 * lin_ap0, ACES2065-1, lin_ap1, ACEScg, lin_rec2020, lin_p3d65. DQ_SPEC
 * lists them for another name. White points are
 * adapted to D65 by Bradford. */
int dq_colour_matrix(const char *colorspace, const struct dq_plate_info *info,
                     struct dq_colour *colour, int *guessed,
                     struct dq_err *err);

/* Whether dq_colour_matrix knows a name: "auto" or one of those above. */
int dq_colour_space_known(const char *colorspace);

/* All of frame -> planar float32 RGB, 3 x height x width, in out. alpha, when
 * not NULL, receives the alpha plane (1 where there is none), clamped to
 * 0..1. counts are added to. Any thread; the same bits on every one. */
void dq_colour_apply(const struct dq_colour *colour,
                     const struct dq_frame *frame, float *out, float *alpha,
                     struct dq_pixel_counts *counts);

/* Sum of log luminance (natural log, Rec.709 weights after the matrix) over
 * the pixels that are finite and above 1e-6 and have alpha > 0.5, and their
 * number, both added to; for the shot's one exposure. Of a large picture every
 * n-th pixel of every n-th row, so that about 2^18 are left. Pure. */
void dq_colour_log_luminance(const struct dq_colour *colour,
                             const struct dq_frame *frame, double *sum,
                             int64_t *count);

/* EV for a shot from pooled sums: log2(0.18 / geometric mean), kept within
 * +-2; 0 when there was no pixel. */
float dq_colour_exposure(double log_sum, int64_t count);

#ifdef __cplusplus
}
#endif
#endif
