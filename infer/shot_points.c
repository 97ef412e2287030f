#include "infer/shot_points.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct dq_matcher *dq_matcher_new(const struct dq_shot_views *v,
                                  struct dq_err *err)
{
    struct dq_matcher *m;
    size_t n = (size_t)v->rows * (size_t)v->cols;

    if (v->count < 1 || v->rows < 2 || v->cols < 2 || v->luma_rows < 4 ||
        v->luma_cols < 4 || (v->luma_rows & (v->luma_rows - 1)) ||
        (v->luma_cols & (v->luma_cols - 1))) {
        dq_fail(err, DQ_BUG,
                "a shot of %d frames, %d x %d blocks, luma %d x %d", v->count,
                v->cols, v->rows, v->luma_cols, v->luma_rows);
        return NULL;
    }
    m = dq_new(sizeof *m);
    m->views = v;
    for (int i = 0; i < DQ_POINTS_KEPT; i++)
        m->kept[i].frame = -1;
    m->weight = dq_new_array((size_t)v->count, sizeof *m->weight);
    m->u = dq_new_array(n * 11, sizeof *m->u);
    m->v = m->u + n;
    m->w = m->v + n;
    m->luma_a = m->w + n;
    m->luma_c = m->luma_a + n;
    m->turn = m->luma_c + n;
    m->scratch = m->turn + n;
    for (int i = 0; i < 4; i++)
        m->off[i] = m->scratch + (size_t)(i + 1) * n;
    m->sums = dq_new_array(2 * (size_t)(v->rows + 1) * (size_t)(v->cols + 1),
                           sizeof *m->sums);
    m->at = dq_new_array(n, sizeof *m->at);
    m->from = m->to = -1;
    return m;
}

void dq_matcher_free(struct dq_matcher *m)
{
    if (!m)
        return;
    for (int i = 0; i < DQ_POINTS_KEPT; i++) {
        dq_spectrum_free(m->kept[i].spectrum);
        dq_scape_free(m->kept[i].scape);
    }
    for (int t = 0; t < m->views->count; t++)
        free(m->weight[t]);
    free(m->weight);
    free(m->at);
    free(m->sums);
    free(m->u);
    free(m);
}

/* ---- of one frame -------------------------------------------------------- */

const struct dq_kept *dq_points_kept(struct dq_matcher *m, int t)
{
    const struct dq_shot_view *f = &m->views->frames[t];
    struct dq_kept *oldest = &m->kept[0];

    for (int i = 0; i < DQ_POINTS_KEPT; i++) {
        if (m->kept[i].frame == t) {
            m->kept[i].used = ++m->clock;
            return &m->kept[i];
        }
        if (m->kept[i].used < oldest->used)
            oldest = &m->kept[i];
    }
    dq_spectrum_free(oldest->spectrum);
    dq_scape_free(oldest->scape);
    oldest->spectrum =
        dq_spectrum_new(f->luma, m->views->luma_rows, m->views->luma_cols);
    oldest->scape =
        dq_scape_new(f->luma, m->views->luma_rows, m->views->luma_cols,
                     f->guide, m->views->rows, m->views->cols);
    oldest->frame = t;
    oldest->used = ++m->clock;
    return oldest;
}

static double spread_of(const float *v, int n)
{
    double mean = 0, sum = 0;

    for (int i = 0; i < n; i++)
        mean += (double)v[i] / n;
    for (int i = 0; i < n; i++)
        sum += ((double)v[i] - mean) * ((double)v[i] - mean);
    return sqrt(sum / n);
}

/* 1 / (1 + (r / (0.05 spread))^2), r the range over 3 x 3 blocks. */
static const float *weight_of(struct dq_matcher *m, int t)
{
    const struct dq_shot_view *f = &m->views->frames[t];
    int rows = m->views->rows, cols = m->views->cols;
    double spread = spread_of(f->guide, rows * cols);

    if (m->weight[t])
        return m->weight[t];
    m->weight[t] =
        dq_new_array((size_t)rows * (size_t)cols, sizeof *m->weight[t]);
    for (int y = 0; y < rows; y++)
        for (int x = 0; x < cols; x++) {
            float low = INFINITY, high = -INFINITY;
            double r;

            for (int j = y > 0 ? y - 1 : 0; j <= y + 1 && j < rows; j++)
                for (int i = x > 0 ? x - 1 : 0; i <= x + 1 && i < cols; i++) {
                    low = fminf(low, f->guide[j * cols + i]);
                    high = fmaxf(high, f->guide[j * cols + i]);
                }
            r = (double)(high - low) / (0.05 * spread + 1e-30);
            m->weight[t][y * cols + x] = (float)(1 / (1 + r * r)) *
                                         (f->real ? f->real[y * cols + x] : 1);
        }
    return m->weight[t];
}

/* ---- sampling ------------------------------------------------------------ */

/* Bilinear p at (y, x); false outside. */
static int sample(const float *p, int rows, int cols, double y, double x,
                  double *value)
{
    int j = (int)floor(y), i = (int)floor(x);
    double fy, fx, top, low;

    if (!(y >= 0 && x >= 0 && y <= rows - 1 && x <= cols - 1))
        return 0;
    j = j > rows - 2 ? rows - 2 : j;
    i = i > cols - 2 ? cols - 2 : i;
    fy = y - j;
    fx = x - i;
    p += j * cols + i;
    top = (double)p[0] + fx * (double)(p[1] - p[0]);
    low = (double)p[cols] + fx * (double)(p[cols + 1] - p[cols]);
    *value = top + fy * (low - top);
    return 1;
}

/* The luma at a place in blocks. */
static int sample_luma(const struct dq_shot_views *v, const float *luma,
                       double y, double x, double *value)
{
    double ry = (double)v->luma_rows / v->rows;
    double rx = (double)v->luma_cols / v->cols;
    double at_y = (y + 0.5) * ry - 0.5, at_x = (x + 0.5) * rx - 0.5;

    at_y = fmin(fmax(at_y, 0), v->luma_rows - 1);
    at_x = fmin(fmax(at_x, 0), v->luma_cols - 1);
    return sample(luma, v->luma_rows, v->luma_cols, at_y, at_x, value);
}

/* Fill u, v, w and the lumas for a shift (in blocks) -> how many. */
int dq_points_shift(struct dq_matcher *m, int a, int c, double dy, double dx)
{
    const struct dq_shot_views *v = m->views;
    const struct dq_shot_view *fa = &v->frames[a], *fc = &v->frames[c];
    const float *wa = weight_of(m, a), *wc = weight_of(m, c);
    int n = 0;

    for (int y = 0; y < v->rows; y++)
        for (int x = 0; x < v->cols; x++) {
            double ya = y - dy / 2, xa = x - dx / 2;
            double yc = y + dy / 2, xc = x + dx / 2, one, two;

            if (!sample(fa->guide, v->rows, v->cols, ya, xa, &m->u[n]) ||
                !sample(fc->guide, v->rows, v->cols, yc, xc, &m->v[n]))
                continue;
            sample(wa, v->rows, v->cols, ya, xa, &one);
            sample(wc, v->rows, v->cols, yc, xc, &two);
            m->w[n] = fmin(one, two);
            m->at[n] = y * v->cols + x;
            sample_luma(v, fa->luma, ya, xa, &m->luma_a[n]);
            sample_luma(v, fc->luma, yc, xc, &m->luma_c[n]);
            n++;
        }
    return n;
}

/* ---- by a motion --------------------------------------------------------- */

/* The places in a and in c (blocks) that meet half way at the block (y, x). */
static int meet(const struct dq_shot_views *v, const float *guide,
                const struct dq_scape *scape, const struct dq_motion *motion,
                const int at[2], double in_a[2], double in_c[2], double *turn)
{
    double aspect = (double)v->rows / v->cols, x, y, g, to_x, to_y, value;

    in_a[0] = at[0];
    in_a[1] = at[1];
    for (int round = 0; round < 3; round++) {
        if (!sample(guide, v->rows, v->cols, in_a[0], in_a[1], &value))
            return 0;
        x = ((in_a[1] + 0.5) / v->cols - 0.5) * 2;
        y = ((in_a[0] + 0.5) / v->rows - 0.5) * 2 * aspect;
        g = dq_scape_depth(scape, value);
        if (!(dq_motion_to(motion, x, y, g, &to_x, &to_y) > 0.2))
            return 0;
        *turn = 1 - motion->kappa * (motion->t[0] * x + motion->t[1] * y);
        in_c[0] = (to_y / (2 * aspect) + 0.5) * v->rows - 0.5;
        in_c[1] = (to_x / 2 + 0.5) * v->cols - 0.5;
        for (int k = 0; k < 2; k++) {
            double half = (in_c[k] - in_a[k]) / 2;

            in_a[k] = at[k] - half;
            in_c[k] = at[k] + half;
        }
    }
    return 1;
}

/* As gather, by a motion. */
int dq_points_motion(struct dq_matcher *m, int a, int c,
                     const struct dq_motion *motion)
{
    const struct dq_shot_views *v = m->views;
    const struct dq_shot_view *fa = &v->frames[a], *fc = &v->frames[c];
    const struct dq_scape *scape = dq_points_kept(m, a)->scape;
    const float *wa = weight_of(m, a), *wc = weight_of(m, c);
    int n = 0;

    for (int y = 0; y < v->rows; y++)
        for (int x = 0; x < v->cols; x++) {
            const int at[2] = {y, x};
            double p[2], q[2], one, two;

            if (!meet(v, fa->guide, scape, motion, at, p, q, &m->turn[n]) ||
                !sample(fa->guide, v->rows, v->cols, p[0], p[1], &m->u[n]) ||
                !sample(fc->guide, v->rows, v->cols, q[0], q[1], &m->v[n]))
                continue;
            sample(wa, v->rows, v->cols, p[0], p[1], &one);
            sample(wc, v->rows, v->cols, q[0], q[1], &two);
            m->w[n] = fmin(one, two);
            m->at[n] = y * v->cols + x;
            sample_luma(v, fa->luma, p[0], p[1], &m->luma_a[n]);
            sample_luma(v, fc->luma, q[0], q[1], &m->luma_c[n]);
            n++;
        }
    return n;
}
