#include "infer/band.h"

#include <math.h>

int dq_band_solve(double *a, double *b, int n, int half)
{
    for (int i = 0; i < n; i++)
        for (int j = i > half ? i - half : 0; j <= i; j++) {
            double v = *dq_band_at(a, half, i, j);

            for (int k = i > half ? i - half : 0; k < j; k++)
                v -= *dq_band_at(a, half, i, k) * *dq_band_at(a, half, j, k);
            if (i == j && !(v > 0))
                return -1;
            *dq_band_at(a, half, i, j) =
                i == j ? sqrt(v) : v / *dq_band_at(a, half, j, j);
        }
    for (int i = 0; i < n; i++) {
        for (int k = i > half ? i - half : 0; k < i; k++)
            b[i] -= *dq_band_at(a, half, i, k) * b[k];
        b[i] /= *dq_band_at(a, half, i, i);
    }
    for (int i = n - 1; i >= 0; i--) {
        for (int k = i + 1; k < n && k <= i + half; k++)
            b[i] -= *dq_band_at(a, half, k, i) * b[k];
        b[i] /= *dq_band_at(a, half, i, i);
    }
    return 0;
}
