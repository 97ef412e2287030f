#include "infer/shot_motion.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sorted.h"

enum { SIZES = 3, ROUNDS = 5, N = DQ_MOTION_UNKNOWNS, LEAST = 200 };

static const double HUBER = 1.345, RIDGE = 1e-7, FARTHEST = 0.5, KAPPA = 0.2,
                    LENS = 1e-5;

struct size {
    int rows, cols;
    float *luma, *depth; /* luma owns both */
};

struct dq_scape {
    struct size sizes[SIZES]; /* the largest first */
    double mean, spread;      /* of the guide */
    double aspect;            /* height over width */
};

/* ---- a frame ------------------------------------------------------------- */

static float bilinear(const float *p, int rows, int cols, double y, double x)
{
    int j, i;
    double fy, fx, top, low;

    y = fmin(fmax(y, 0), rows - 1);
    x = fmin(fmax(x, 0), cols - 1);
    j = (int)y < rows - 2 ? (int)y : rows - 2;
    i = (int)x < cols - 2 ? (int)x : cols - 2;
    fy = y - j;
    fx = x - i;
    p += j * cols + i;
    top = (double)p[0] + fx * (double)(p[1] - p[0]);
    low = (double)p[cols] + fx * (double)(p[cols + 1] - p[cols]);
    return (float)(top + fy * (low - top));
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

static void take_depth(struct dq_scape *s, struct size *z, const float *guide,
                       int rows, int cols)
{
    for (int y = 0; y < z->rows; y++)
        for (int x = 0; x < z->cols; x++) {
            double at_y = (y + 0.5) * rows / z->rows - 0.5;
            double at_x = (x + 0.5) * cols / z->cols - 0.5;
            double v = (double)bilinear(guide, rows, cols, at_y, at_x);

            z->depth[y * z->cols + x] = (float)dq_scape_depth(s, v);
        }
}

static void measure(struct dq_scape *s, const float *guide, int n)
{
    double sum = 0;

    for (int i = 0; i < n; i++)
        s->mean += (double)guide[i] / n;
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
    for (int k = 0; k < SIZES; k++) {
        struct size *z = &s->sizes[k];
        size_t n;

        if (rows < 8 || cols < 8)
            break;
        z->rows = rows / 2;
        z->cols = cols / 2;
        n = (size_t)z->rows * (size_t)z->cols;
        z->luma = dq_new_array(2 * n, sizeof *z->luma);
        z->depth = z->luma + n;
        halve(from, rows, cols, z->luma);
        take_depth(s, z, guide, guide_rows, guide_cols);
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
    for (int k = 0; k < SIZES; k++)
        free(s->sizes[k].luma);
    free(s);
}

double dq_scape_depth(const struct dq_scape *s, double value)
{
    return s->spread > 0 ? (value - s->mean) / s->spread : 0;
}

double dq_scape_spread(const struct dq_scape *s)
{
    return s->spread;
}

/* ---- the motion ---------------------------------------------------------- */

double dq_motion_to(const struct dq_motion *m, double x, double y, double g,
                    double *to_x, double *to_y)
{
    double d = 1 - m->zeta - m->tz * g - m->kappa * (m->t[0] * x + m->t[1] * y);

    *to_x = (x - m->roll * y + m->t[0] + m->s[0] * g) / d;
    *to_y = (y + m->roll * x + m->t[1] + m->s[1] * g) / d;
    return d;
}

/* One pixel: how far its luma is off, and how that changes with each unknown;
 * false where it leaves the picture. */
static int row_of(const struct size *a, const struct size *c, double aspect,
                  const struct dq_motion *m, int j, int i, double row[N],
                  double *off)
{
    double x = ((i + 0.5) / a->cols - 0.5) * 2, g;
    double y = ((j + 0.5) / a->rows - 0.5) * 2 * aspect;
    double to_x, to_y, d, px, py, gx, gy;
    const float *l = c->luma;
    int rows = c->rows, cols = c->cols;

    g = (double)a->depth[j * a->cols + i];
    d = dq_motion_to(m, x, y, g, &to_x, &to_y);
    px = (to_x / 2 + 0.5) * cols - 0.5;
    py = (to_y / (2 * aspect) + 0.5) * rows - 0.5;
    if (!(d > 0.2) || !(px >= 1 && px <= cols - 2 && py >= 1 && py <= rows - 2))
        return 0;
    *off = (double)(bilinear(l, rows, cols, py, px) - a->luma[j * a->cols + i]);
    gx = (double)(bilinear(l, rows, cols, py, px + 0.5) -
                  bilinear(l, rows, cols, py, px - 0.5)) *
         (cols / 2.0) / d;
    gy = (double)(bilinear(l, rows, cols, py + 0.5, px) -
                  bilinear(l, rows, cols, py - 0.5, px)) *
         (rows / (2 * aspect)) / d;
    row[0] = gx + m->kappa * x * (gx * to_x + gy * to_y);
    row[1] = gy + m->kappa * y * (gx * to_x + gy * to_y);
    row[2] = gx * g;
    row[3] = gy * g;
    row[4] = gx * to_x + gy * to_y;
    row[5] = row[4] * g;
    row[7] = gy * x - gx * y;
    row[6] = row[4] * (m->t[0] * x + m->t[1] * y);
    return 1;
}

/* Solve the symmetric a p = b in place by Cholesky; false: it is singular. */
static int solve(double a[N][N], double b[N])
{
    for (int j = 0; j < N; j++) {
        for (int k = 0; k < j; k++)
            a[j][j] -= a[j][k] * a[j][k];
        if (!(a[j][j] > 0))
            return 0;
        a[j][j] = sqrt(a[j][j]);
        for (int i = j + 1; i < N; i++) {
            for (int k = 0; k < j; k++)
                a[i][j] -= a[i][k] * a[j][k];
            a[i][j] /= a[j][j];
        }
    }
    for (int i = 0; i < N; i++) {
        for (int k = 0; k < i; k++)
            b[i] -= a[i][k] * b[k];
        b[i] /= a[i][i];
    }
    for (int i = N - 1; i >= 0; i--) {
        for (int k = i + 1; k < N; k++)
            b[i] -= a[k][i] * b[k];
        b[i] /= a[i][i];
    }
    return 1;
}

/* The Huber bound of what is off; < 0: too few pixels are in both. */
static double reach_of(const struct size *a, const struct size *c,
                       double aspect, const struct dq_motion *m,
                       double *scratch)
{
    double row[N], off;
    int n = 0;

    for (int j = 0; j < a->rows; j += 2)
        for (int i = 0; i < a->cols; i += 2)
            if (row_of(a, c, aspect, m, j, i, row, &off))
                scratch[n++] = fabs(off);
    if (n < LEAST / 4)
        return -1;
    return HUBER * 1.4826 * dq_nth_double(scratch, (size_t)n, (size_t)n / 2) +
           1e-6;
}

/* Geman and McClure's: Huber's still lets a third of the picture that moves
 * of itself pull at the rest. A camera that is free is only asked what could be
 * explained at most. */
static double strict_weight(double r)
{
    double k = 1 + r * r;

    return 1 / (k * k);
}

/* What a camera of that kind does not do stays as it is. */
static void hold(double left[N][N], double right[N], enum dq_motion_kind kind)
{
    int turns = kind == DQ_MOTION_TURN, goes = kind == DQ_MOTION_GO;
    const int held[N] = {[2] = turns || goes, turns || goes, turns, turns};

    for (int k = 0; k < N; k++)
        for (int l = 0; l <= k; l++)
            if (held[k] || held[l])
                left[k][l] = k == l;
    for (int k = 0; k < N; k++)
        right[k] = held[k] ? 0 : right[k];
}

static int one_round(const struct size *a, const struct size *c, double aspect,
                     enum dq_motion_kind kind, int strict, struct dq_motion *m,
                     double *scratch)
{
    double left[N][N] = {{0}}, right[N] = {0}, row[N], off, trace = 0;
    double reach = reach_of(a, c, aspect, m, scratch);

    if (reach < 0)
        return 0;
    for (int j = 0; j < a->rows; j++)
        for (int i = 0; i < a->cols; i++) {
            double w;

            if (!row_of(a, c, aspect, m, j, i, row, &off))
                continue;
            w = strict ? strict_weight(off / reach)
                       : fmin(1, reach / fmax(fabs(off), 1e-30));
            for (int k = 0; k < N; k++) {
                for (int l = 0; l <= k; l++)
                    left[k][l] += w * row[k] * row[l];
                right[k] -= w * row[k] * off;
            }
        }
    for (int k = 0; k < N; k++)
        trace += left[k][k] / N;
    for (int k = 0; k < N; k++)
        left[k][k] += RIDGE * trace + 1e-12;
    left[6][6] += LENS * trace; /* a short way tells little of the lens */
    right[6] += LENS * trace * (KAPPA - m->kappa);
    hold(left, right, kind);
    if (!solve(left, right))
        return 0;
    for (int k = 0; k < 2; k++) {
        m->t[k] += right[k];
        m->s[k] += right[2 + k];
    }
    m->zeta += right[4];
    m->tz += right[5];
    m->roll += right[7];
    m->kappa = fmin(fmax(m->kappa + right[6], 0), 1);
    return 1;
}

static int is_sane(const struct dq_motion *m)
{
    double most = fmax(fmax(fabs(m->zeta), fabs(m->tz)), fabs(m->roll));

    most = fmax(most, fmax(fabs(m->s[0]), fabs(m->s[1])));
    return most < FARTHEST && fabs(m->t[0]) < 2 && fabs(m->t[1]) < 2;
}

struct dq_motion dq_motion_none(void)
{
    struct dq_motion m = {.kappa = KAPPA};

    return m;
}

void dq_motion_limit(enum dq_motion_kind kind, struct dq_motion *m)
{
    if (kind != DQ_MOTION_FREE)
        m->s[0] = m->s[1] = 0;
    if (kind == DQ_MOTION_TURN)
        m->zeta = m->tz = 0;
}

struct dq_motion dq_motion_twice(const struct dq_motion *m)
{
    struct dq_motion twice = {.t = {2 * m->t[0], 2 * m->t[1]},
                              .s = {2 * m->s[0], 2 * m->s[1]},
                              .zeta = 2 * m->zeta,
                              .tz = 2 * m->tz,
                              .kappa = m->kappa,
                              .roll = 2 * m->roll};

    return twice;
}

int dq_motion_find(const struct dq_scape *a, const struct dq_scape *c,
                   enum dq_motion_kind kind, struct dq_motion *motion)
{
    struct dq_motion m = *motion;
    double *scratch;
    int good = a->sizes[0].rows > 0;

    scratch = dq_new_array(
        (size_t)a->sizes[0].rows * (size_t)a->sizes[0].cols / 4 + 1024,
        sizeof *scratch);
    for (int k = SIZES - 1; k >= 0; k--)
        for (int round = 0; a->sizes[k].rows && good && round < ROUNDS; round++)
            good = one_round(&a->sizes[k], &c->sizes[k], a->aspect, kind,
                             kind != DQ_MOTION_FREE && k == 0 && round > 0, &m,
                             scratch) &&
                   is_sane(&m);
    free(scratch);
    if (good)
        *motion = m;
    return good;
}
