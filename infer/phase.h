/* phase: how far one picture has moved against another, by the phase of
 * their spectra.
 *
 * For a camera that pans: one shift of the whole picture, to a fraction of a
 * pixel. Gradient magnitudes (light may change), a Hann window, the peak of
 * the cross-spectrum's phase and a parabola through it (docs/depth.md, 9).
 * Sums in double, in a fixed order. Pure; any thread.
 */
#ifndef DQ_INFER_PHASE_H
#define DQ_INFER_PHASE_H

#ifdef __cplusplus
extern "C" {
#endif

struct dq_spectrum; /* of one picture: rows x cols complex numbers */

/* Of a picture of rows x cols values, both powers of two (else a bug of ours).
 * The caller frees. */
struct dq_spectrum *dq_spectrum_new(const float *picture, int rows, int cols);
void dq_spectrum_free(struct dq_spectrum *spectrum); /* NULL is fine */

/* The shift (dy, dx) in pixels for which two(p + shift) = one(p), from -n/2 to
 * n/2 a side. Both spectra have one size. */
void dq_phase_shift(const struct dq_spectrum *one,
                    const struct dq_spectrum *two, double *dy, double *dx);

#ifdef __cplusplus
}
#endif
#endif
