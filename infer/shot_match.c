#include "infer/shot_match.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "infer/phase.h"

/* Spectra kept: the longest lag, both ends, and the anchor's. */
enum { KEPT = DQ_SHOT_LAG + 2 };

/* Lumas that correlate less at matched blocks show other things. */
static const double SAME = 0.6, CUT = 0.35, STILL = 0.25;

/* A pattern weaker than this is grain. */
static const double FLAT = 0.003;

struct kept {
    int frame; /* -1: none */
    long used;
    struct dq_spectrum *spectrum;
};

struct dq_matcher {
    const struct dq_shot_views *views;
    struct kept kept[KEPT];
    long clock;
    float **weight;    /* a frame: low at depth edges, 0 unreal; lazily */
    double *u, *v, *w; /* of a pair's blocks */
    double *luma_a, *luma_c;
};

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
    for (int i = 0; i < KEPT; i++)
        m->kept[i].frame = -1;
    m->weight = dq_new_array((size_t)v->count, sizeof *m->weight);
    m->u = dq_new_array(n * 5, sizeof *m->u);
    m->v = m->u + n;
    m->w = m->v + n;
    m->luma_a = m->w + n;
    m->luma_c = m->luma_a + n;
    return m;
}

void dq_matcher_free(struct dq_matcher *m)
{
    if (!m)
        return;
    for (int i = 0; i < KEPT; i++)
        dq_spectrum_free(m->kept[i].spectrum);
    for (int t = 0; t < m->views->count; t++)
        free(m->weight[t]);
    free(m->weight);
    free(m->u);
    free(m);
}

/* ---- of one frame -------------------------------------------------------- */

static const struct dq_spectrum *spectrum_of(struct dq_matcher *m, int t)
{
    struct kept *oldest = &m->kept[0];

    for (int i = 0; i < KEPT; i++) {
        if (m->kept[i].frame == t) {
            m->kept[i].used = ++m->clock;
            return m->kept[i].spectrum;
        }
        if (m->kept[i].used < oldest->used)
            oldest = &m->kept[i];
    }
    dq_spectrum_free(oldest->spectrum);
    oldest->spectrum = dq_spectrum_new(
        m->views->frames[t].luma, m->views->luma_rows, m->views->luma_cols);
    oldest->frame = t;
    oldest->used = ++m->clock;
    return oldest->spectrum;
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
static int gather(struct dq_matcher *m, int a, int c, double dy, double dx)
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
            sample_luma(v, fa->luma, ya, xa, &m->luma_a[n]);
            sample_luma(v, fc->luma, yc, xc, &m->luma_c[n]);
            n++;
        }
    return n;
}

/* -2: one of them is flat. */
static double correlation(const double *a, const double *c, int n)
{
    double ma = 0, mc = 0, aa = 0, cc = 0, ac = 0;

    if (n < 16)
        return -2;
    for (int i = 0; i < n; i++) {
        ma += a[i] / n;
        mc += c[i] / n;
    }
    for (int i = 0; i < n; i++) {
        aa += (a[i] - ma) * (a[i] - ma) / n;
        cc += (c[i] - mc) * (c[i] - mc) / n;
        ac += (a[i] - ma) * (c[i] - mc) / n;
    }
    if (sqrt(aa) < FLAT || sqrt(cc) < FLAT)
        return -2;
    return ac / sqrt(aa * cc);
}

/* The better of standing still and the phase's shift: gathers it -> how many
 * points, and how well the lumas correlate there. */
static int best_match(struct dq_matcher *m, int a, int c, double *same)
{
    const struct dq_shot_views *v = m->views;
    double dy, dx, still;
    int n = gather(m, a, c, 0, 0);

    *same = still = correlation(m->luma_a, m->luma_c, n);
    if (still < -1)
        return n;
    dq_phase_shift(spectrum_of(m, a), spectrum_of(m, c), &dy, &dx);
    if (fabs(dy) < STILL && fabs(dx) < STILL)
        return n;
    dy *= (double)v->rows / v->luma_rows;
    dx *= (double)v->cols / v->luma_cols;
    n = gather(m, a, c, dy, dx);
    *same = correlation(m->luma_a, m->luma_c, n);
    if (*same > still && n >= v->rows * v->cols / 5)
        return n;
    *same = still;
    return gather(m, a, c, 0, 0);
}

static int both_there(const struct dq_matcher *m, int a, int c)
{
    return m->views->frames[a].guide && m->views->frames[c].guide;
}

int dq_match_pair(struct dq_matcher *m, int a, int c, struct dq_pair *pair)
{
    double same;
    int n;

    if (!both_there(m, a, c))
        return 0;
    n = best_match(m, a, c, &same);
    pair->a = a;
    pair->c = c;
    return same >= SAME && dq_pair_affine(m->u, m->v, m->w, n, pair);
}

int dq_match_is_cut(struct dq_matcher *m, int a, int c)
{
    double same;

    if (!both_there(m, a, c))
        return 0;
    best_match(m, a, c, &same);
    return same > -1 && same < CUT;
}
