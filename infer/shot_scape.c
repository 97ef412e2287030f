#include "infer/shot_scape.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

/* At the rim what is outside is as what is inside. */
static float clamped(const float *p, int rows, int cols, double y, double x)
{
    return (float)dq_scape_sample(p, rows, cols, fmin(fmax(y, 0), rows - 1),
                                  fmin(fmax(x, 0), cols - 1));
}

/* Half of each side, by means of 2 x 2. */
static void halve(const float *in, int rows, int cols, float *out)
{
    for (int y = 0; y < rows / 2; y++)
        for (int x = 0; x < cols / 2; x++) {
            const float *p = in + 2 * y * cols + 2 * x;

            *out++ = (p[0] + p[1] + p[cols] + p[cols + 1]) / 4;
        }
}

static void take_depth(struct dq_scape *s, struct dq_scape_size *z,
                       const float *guide, int rows, int cols)
{
    for (int y = 0; y < z->rows; y++)
        for (int x = 0; x < z->cols; x++) {
            double at_y = (y + 0.5) * rows / z->rows - 0.5;
            double at_x = (x + 0.5) * cols / z->cols - 0.5;
            double v = (double)clamped(guide, rows, cols, at_y, at_x);

            z->depth[y * z->cols + x] = (float)dq_scape_depth(s, v);
        }
}

/* Lumas with their slopes, together: the rounds want all at one place. */
static void take_shades(struct dq_scape_size *z)
{
    for (int y = 0; y < z->rows; y++)
        for (int x = 0; x < z->cols; x++) {
            int l = x > 0 ? x - 1 : x, r = x < z->cols - 1 ? x + 1 : x;
            int t = y > 0 ? y - 1 : y, b = y < z->rows - 1 ? y + 1 : y;
            const float *p = z->luma + y * z->cols;
            float *to = z->shades + 4 * (y * z->cols + x);

            to[0] = p[x];
            to[1] = (p[r] - p[l]) / (float)(r - l);
            to[2] = (z->luma[b * z->cols + x] - z->luma[t * z->cols + x]) /
                    (float)(b - t);
        }
}

static void measure(struct dq_scape *s, const float *guide, int n)
{
    double sum = 0;

    for (int i = 0; i < n; i++)
        s->mean += (double)guide[i];
    s->mean /= n;
    for (int i = 0; i < n; i++)
        sum += ((double)guide[i] - s->mean) * ((double)guide[i] - s->mean);
    s->spread = sqrt(sum / n);
}

struct dq_scape *dq_scape_new(const float *luma, int rows, int cols,
                              const float *guide, int guide_rows,
                              int guide_cols)
{
    struct dq_scape *s = dq_new(sizeof *s);
    const float *from = luma;

    measure(s, guide, guide_rows * guide_cols);
    s->aspect = (double)guide_rows / guide_cols;
    for (int k = 0; k < DQ_SCAPE_SIZES; k++) {
        struct dq_scape_size *z = &s->sizes[k];
        size_t n;

        if (rows < 8 || cols < 8)
            break;
        z->rows = rows / 2;
        z->cols = cols / 2;
        n = (size_t)z->rows * (size_t)z->cols;
        z->luma = dq_new_array(6 * n, sizeof *z->luma);
        z->depth = z->luma + n;
        z->shades = z->depth + n;
        halve(from, rows, cols, z->luma);
        take_depth(s, z, guide, guide_rows, guide_cols);
        take_shades(z);
        from = z->luma;
        rows = z->rows;
        cols = z->cols;
    }
    return s;
}

void dq_scape_free(struct dq_scape *s)
{
    if (!s)
        return;
    for (int k = 0; k < DQ_SCAPE_SIZES; k++)
        free(s->sizes[k].luma);
    free(s);
}
