/* band: symmetric systems whose unknowns meet only near neighbours: tiles that
 * overlap (align_joint), frames a few lags apart (shot_solve). Pure; sums in a
 * fixed order, so the same bits every time.
 *
 * a is n x n and zero for |i - j| > half. Row i of its lower half is
 * a[i * (half + 1) ...]: the elements (i, i - half) to (i, i), those left of
 * column 0 unused.
 */
#ifndef DQ_INFER_BAND_H
#define DQ_INFER_BAND_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The element (i, j), i - half <= j <= i. */
static inline double *dq_band_at(double *a, int half, int i, int j)
{
    return a + (size_t)i * ((size_t)half + 1) + (size_t)(j - i + half);
}

/* a x = b by Cholesky in place, x in b; -1 when a is not positive definite.
 * n (half + 1)^2 steps. */
int dq_band_solve(double *a, double *b, int n, int half);

#ifdef __cplusplus
}
#endif
#endif
