/* exr_chroma: OpenEXR's luminance-chroma form to RGB. Private to io.
 *
 * Y is luminance; RY = (R - Y) / Y and BY = (B - Y) / Y stand at every second
 * pixel of every second row, on the pixel itself. The weights of R, G and B in
 * Y are the Y row of the matrix from RGB to CIE XYZ that the file's
 * chromaticities give (Rec. 709's when it has none), as the OpenEXR library
 * defines them ("Technical Introduction to OpenEXR", luminance-chroma).
 * Between samples chroma is interpolated linearly; OpenEXR's own C++ reader
 * uses a longer filter and tames saturation at edges, so the two differ where
 * chroma changes from one sample to the next, and nowhere else.
 */
#ifndef DQ_IO_EXR_CHROMA_H
#define DQ_IO_EXR_CHROMA_H

#include <stdint.h>

#include "io/plate.h"

/* Weights of R, G and B in Y, from red, green, blue and white x, y pairs, or
 * Rec. 709's for NULL and for pairs that span no colours. */
void dq_exr_chroma_weights(const float chromaticities[8], float weights[3]);

/* Convert in place. y holds width x height luminances and becomes R; g and b
 * are filled; ry and by hold ceil(width / 2) x ceil(height / 2) samples. */
void dq_exr_chroma_to_rgb(const float weights[3], int64_t width, int64_t height,
                          const float *ry, const float *by, float *y_to_r,
                          float *g, float *b);

#endif
