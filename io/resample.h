/* resample: float32 planes to other sizes. Pure; any thread; sums in double
 * and in a fixed order, so the same bits everywhere.
 *
 * Planes are row by row without gaps. Pixel centres lie at half pixels.
 */
#ifndef DQ_IO_RESAMPLE_H
#define DQ_IO_RESAMPLE_H

#include <stddef.h>
#include "base/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Area average (box filter, exact fractions): the shimmer-free way down. Also
 * correct upwards, where it repeats pixels. out is oh x ow. DQ_MEMORY. */
int dq_resample_area(const float *in, int h, int w, float *out, int oh, int ow,
                     struct dq_err *err);

/* The same over a box of the picture's own coordinates, x0..x1 by y0..y1 (real
 * numbers, ends excluded), cut into oh x ow equal parts. The box may reach
 * beyond the picture: only what lies inside a part counts, and a part that
 * holds nothing takes the nearest pixels. stride: values from one row of in
 * to the next. */
struct dq_window {
    double x0, y0, x1, y1;
};
int dq_resample_window(const float *in, int h, int w, int stride,
                       const struct dq_window *window, float *out, int oh,
                       int ow, struct dq_err *err);

/* Bilinear with half-pixel centres, clamped at the ends. */
int dq_resample_linear(const float *in, int h, int w, float *out, int oh,
                       int ow, struct dq_err *err);

/* Nearest neighbour: invents no value between two depths. */
void dq_resample_nearest(const float *in, int h, int w, float *out, int oh,
                         int ow);

/* Separable Gaussian cut at 3 sigma, ends replicated. */
int dq_resample_gauss(const float *in, int h, int w, double sigma, float *out,
                      struct dq_err *err);

#ifdef __cplusplus
}
#endif
#endif
