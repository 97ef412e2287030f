#include "infer/shot_match.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sorted.h"
#include "infer/phase.h"
#include "infer/shot_motion.h"

/* Spectra and pictures kept: the longest lag, both ends, and the anchor's. */
enum { KEPT = DQ_SHOT_LAG + 2 };

/* Lumas that correlate less at matched blocks show other things. */
static const double SAME = 0.6, CUT = 0.35, STILL = 0.25;

/* A pattern weaker than this is grain. */
static const double FLAT = 0.003;

/* Pixels of luma that are no motion; correlation that is no loss. */
static const double NOTHING = 0.02, AS_GOOD = 0.005;

struct kept {
    int frame; /* -1: none */
    long used;
    struct dq_spectrum *spectrum;
    struct dq_scape *scape;
};

struct dq_matcher {
    const struct dq_shot_views *views;
    struct kept kept[KEPT];
    long clock;
    float **weight;    /* a frame: low at depth edges, 0 unreal; lazily */
    double *u, *v, *w; /* of a pair's blocks */
    double *luma_a, *luma_c;
    double *turn;    /* by how much a camera's turn alone changes depth */
    double *scratch; /* n values */
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
    m->u = dq_new_array(n * 7, sizeof *m->u);
    m->v = m->u + n;
    m->w = m->v + n;
    m->luma_a = m->w + n;
    m->luma_c = m->luma_a + n;
    m->turn = m->luma_c + n;
    m->scratch = m->turn + n;
    return m;
}

void dq_matcher_free(struct dq_matcher *m)
{
    if (!m)
        return;
    for (int i = 0; i < KEPT; i++) {
        dq_spectrum_free(m->kept[i].spectrum);
        dq_scape_free(m->kept[i].scape);
    }
    for (int t = 0; t < m->views->count; t++)
        free(m->weight[t]);
    free(m->weight);
    free(m->u);
    free(m);
}

/* ---- of one frame -------------------------------------------------------- */

static const struct kept *kept_of(struct dq_matcher *m, int t)
{
    const struct dq_shot_view *f = &m->views->frames[t];
    struct kept *oldest = &m->kept[0];

    for (int i = 0; i < KEPT; i++) {
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

/* ---- the camera's motion ------------------------------------------------- */

/* What a guide says at infinity, where going along the axis moves nothing: m =
 * 0. Where there is no such place near its values it is no going (*goes 0):
 * the least of them. */
static double horizon_of(const struct dq_scape *scape,
                         const struct dq_motion *motion, const double *u, int n,
                         int *goes)
{
    double low = INFINITY, high = -INFINITY, spread = dq_scape_spread(scape);
    double zero = dq_scape_depth(scape, 0), at = -INFINITY; /* u = 0 as g */

    for (int i = 0; i < n; i++) {
        low = fmin(low, u[i]);
        high = fmax(high, u[i]);
    }
    if (fabs(motion->tz) > 1e-6)
        at = (-motion->zeta / motion->tz - zero) * spread;
    *goes = at >= low - 2 * (high - low);
    return *goes ? fmin(at, low + 0.1 * (high - low)) : low;
}

/* u as it would be said from where c stands. */
static void move_values(struct dq_matcher *m, const struct dq_scape *scape,
                        const struct dq_motion *motion, int n)
{
    int goes;
    double at;

    if (m->views->log_space || !(dq_scape_spread(scape) > 0))
        return;
    at = horizon_of(scape, motion, m->u, n, &goes);
    for (int i = 0; i < n; i++) {
        double d = m->turn[i];

        if (goes)
            d -= motion->zeta + motion->tz * dq_scape_depth(scape, m->u[i]);
        m->u[i] = at + (m->u[i] - at) / d;
    }
}

/* Blocks whose lumas do not agree are not the same points: what moves by
 * itself, what comes into view. */
static void trust_lumas(struct dq_matcher *m, int n)
{
    double *size = m->scratch, reach;

    for (int i = 0; i < n; i++)
        size[i] = fabs(m->luma_a[i] - m->luma_c[i]);
    dq_sort_doubles(size, (size_t)n);
    reach = n ? 3 * 1.4826 * size[n / 2] + 1e-4 : 1;
    for (int i = 0; i < n; i++) {
        double r = (m->luma_a[i] - m->luma_c[i]) / reach;

        m->w[i] /= 1 + r * r;
    }
}

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

/* As gather, by a motion; values of a brought to where c stands. */
static int gather_motion(struct dq_matcher *m, int a, int c,
                         const struct dq_motion *motion)
{
    const struct dq_shot_views *v = m->views;
    const struct dq_shot_view *fa = &v->frames[a], *fc = &v->frames[c];
    const struct dq_scape *scape = kept_of(m, a)->scape;
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
            sample_luma(v, fa->luma, p[0], p[1], &m->luma_a[n]);
            sample_luma(v, fc->luma, q[0], q[1], &m->luma_c[n]);
            n++;
        }
    move_values(m, scape, motion, n);
    return n;
}

/* Whether nothing moves by as much as a blur of the picture would show. */
static int stands(const struct dq_matcher *m, const struct dq_motion *t)
{
    double most = fabs(t->t[0]) + fabs(t->t[1]) + 2 * fabs(t->s[0]) +
                  2 * fabs(t->s[1]) + fabs(t->zeta) + 2 * fabs(t->tz) +
                  fabs(t->roll);

    return most < 2 * NOTHING / m->views->luma_cols;
}

/* ---- a pair -------------------------------------------------------------- */

/* The better of standing still and the phase's shift: gathers it -> how many
 * points, and how well the lumas correlate there. */
static int best_shift(struct dq_matcher *m, int a, int c, double *same,
                      double shift[2])
{
    const struct dq_shot_views *v = m->views;
    double dy, dx, still;
    int n = gather(m, a, c, 0, 0);

    shift[0] = shift[1] = 0;
    *same = still = correlation(m->luma_a, m->luma_c, n);
    if (still < -1)
        return n;
    dq_phase_shift(kept_of(m, a)->spectrum, kept_of(m, c)->spectrum, &dy, &dx);
    if (fabs(dy) < STILL && fabs(dx) < STILL)
        return n;
    dy *= (double)v->rows / v->luma_rows;
    dx *= (double)v->cols / v->luma_cols;
    n = gather(m, a, c, dy, dx);
    *same = correlation(m->luma_a, m->luma_c, n);
    shift[0] = dy;
    shift[1] = dx;
    if (*same > still && n >= v->rows * v->cols / 5)
        return n;
    *same = still;
    shift[0] = shift[1] = 0;
    return gather(m, a, c, 0, 0);
}

/* A shift of the whole picture, made better by what depth makes of it. */
static int best_match(struct dq_matcher *m, int a, int c, double *same)
{
    const struct dq_shot_views *v = m->views;
    double shift[2], moved;
    int n = best_shift(m, a, c, same, shift);
    struct dq_motion motion = dq_motion_none();

    motion.t[0] = 2 * shift[1] / v->cols;
    motion.t[1] = 2 * shift[0] / v->cols;
    if (*same < -1 ||
        !dq_motion_find(kept_of(m, a)->scape, kept_of(m, c)->scape, &motion))
        return n;
    if (stands(m, &motion))
        return gather(m, a, c, 0, 0);
    n = gather_motion(m, a, c, &motion);
    moved = correlation(m->luma_a, m->luma_c, n);
    if (moved > *same - AS_GOOD && n >= v->rows * v->cols / 5) {
        *same = moved;
        return n;
    }
    return gather(m, a, c, shift[0], shift[1]);
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
    trust_lumas(m, n);
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
