#include "io/exr_chroma.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

static const float rec709[8] = {0.64f, 0.33f, 0.30f,   0.60f,
                                0.15f, 0.06f, 0.3127f, 0.3290f};

/* Luminances Yr, Yg, Yb of the primaries such that together they make the
 * white point with Y = 1: for each primary (x/y, 1, z/y) Y is its column of
 * the RGB to XYZ matrix. Solved by Cramer's rule. */
static int solve_weights(const float c[8], double w[3])
{
    double m[3][3], white[3], det;
    int i;

    for (i = 0; i < 4; i++) {
        double x = (double)c[2 * i], y = (double)c[2 * i + 1];

        if (!(fabs(y) > 1e-6))
            return 0;
        if (i < 3) {
            m[0][i] = x / y;
            m[1][i] = 1;
            m[2][i] = (1 - x - y) / y;
        } else {
            white[0] = x / y;
            white[1] = 1;
            white[2] = (1 - x - y) / y;
        }
    }
    for (i = 0; i < 3; i++) {
        int j = (i + 1) % 3, k = (i + 2) % 3;

        w[i] = white[0] * (m[1][j] * m[2][k] - m[1][k] * m[2][j]) -
               white[1] * (m[0][j] * m[2][k] - m[0][k] * m[2][j]) +
               white[2] * (m[0][j] * m[1][k] - m[0][k] * m[1][j]);
    }
    /* The same with the primaries' own first column is the determinant. */
    det = m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) -
          m[1][0] * (m[0][1] * m[2][2] - m[0][2] * m[2][1]) +
          m[2][0] * (m[0][1] * m[1][2] - m[0][2] * m[1][1]);
    if (!(fabs(det) > 1e-9))
        return 0;
    for (i = 0; i < 3; i++)
        w[i] /= det;
    return 1;
}

void dq_exr_chroma_weights(const float chromaticities[8], float weights[3])
{
    double w[3];
    int i;

    if (!chromaticities || !solve_weights(chromaticities, w) ||
        !(fabs(w[1]) > 1e-3))
        solve_weights(rec709, w);
    for (i = 0; i < 3; i++)
        weights[i] = (float)(w[i] / (w[0] + w[1] + w[2]));
}

/* The sample at a pixel: its own where both coordinates are even, else the
 * mean of the two or four around; the last sample stands for what lies beyond
 * the edge. */
static float sample_at(const float *plane, int64_t columns, int64_t rows,
                       int64_t x, int64_t y)
{
    int64_t x0 = x / 2, y0 = y / 2;
    int64_t x1 = (x & 1) && x0 + 1 < columns ? x0 + 1 : x0;
    int64_t y1 = (y & 1) && y0 + 1 < rows ? y0 + 1 : y0;
    const float *upper = plane + y0 * columns, *lower = plane + y1 * columns;

    return 0.25f * (upper[x0] + upper[x1] + lower[x0] + lower[x1]);
}

void dq_exr_chroma_to_rgb(const float weights[3], int64_t width, int64_t height,
                          const float *ry, const float *by, float *y_to_r,
                          float *g, float *b)
{
    int64_t columns = (width + 1) / 2, rows = (height + 1) / 2;
    int64_t x, y, at = 0;

    for (y = 0; y < height; y++) {
        for (x = 0; x < width; x++, at++) {
            float luminance = y_to_r[at];
            float red = (sample_at(ry, columns, rows, x, y) + 1) * luminance;
            float blue = (sample_at(by, columns, rows, x, y) + 1) * luminance;

            y_to_r[at] = red;
            b[at] = blue;
            g[at] =
                (luminance - red * weights[0] - blue * weights[2]) / weights[1];
        }
    }
}
