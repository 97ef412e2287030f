#include "io/exr_chroma.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

static const float rec709[8] = {0.64f, 0.33f, 0.30f,   0.60f,
                                0.15f, 0.06f, 0.3127f, 0.3290f};

/* CIE XYZ of a chromaticity at luminance 1. */
static int xyz_of(const float xy[2], double xyz[3])
{
    double x = (double)xy[0], y = (double)xy[1];

    xyz[0] = xyz[1] = xyz[2] = 1;
    if (!(fabs(y) > 1e-6))
        return 0;
    xyz[0] = x / y;
    xyz[2] = (1 - x - y) / y;
    return 1;
}

static double triple(const double a[3], const double b[3], const double c[3])
{
    return a[0] * (b[1] * c[2] - b[2] * c[1]) -
           a[1] * (b[0] * c[2] - b[2] * c[0]) +
           a[2] * (b[0] * c[1] - b[1] * c[0]);
}

/* How much luminance each primary brings so that all three make the white
 * point at luminance 1: Cramer's rule. These are the Y row of the matrix from
 * RGB to XYZ. */
static int solve_weights(const float c[8], double w[3])
{
    double red[3], green[3], blue[3], white[3], det;
    int ok = xyz_of(c, red);

    ok &= xyz_of(c + 2, green);
    ok &= xyz_of(c + 4, blue);
    ok &= xyz_of(c + 6, white);
    det = triple(red, green, blue);
    if (!ok || !(fabs(det) > 1e-9))
        return 0;
    w[0] = triple(white, green, blue) / det;
    w[1] = triple(red, white, blue) / det;
    w[2] = triple(red, green, white) / det;
    return 1;
}

void dq_exr_chroma_weights(const float chromaticities[8], float weights[3])
{
    double w[3] = {0, 1, 0};
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
