#include "infer/shot_pair.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sorted.h"

enum { ROUNDS = 6, LEAST_POINTS = 16 };

/* Lines that are tried to begin with, on so many points; points less than
 * APART of the spread from each other tell no slope; a residual of AGREES of
 * the spread is none. */
enum { TRIED = 256, TRIED_ON = 1024 };
static const double APART = 0.25, AGREES = 0.02;

static const double TUKEY = 4.685, COUNTS = 0.01, FAR_END = 0.05;

/* Differences below this share of the spread are agreement: sky is flat to
 * the last bit, and where it fills half of the picture the MAD is nought. */
static const double EXACT = 1e-3;

/* The share-quantile of the values whose base counts; scratch: n values. */
static double quantile(const double *v, const double *base, int n, double share,
                       double *scratch)
{
    int kept = 0;

    for (int i = 0; i < n; i++)
        if (base[i] > COUNTS)
            scratch[kept++] = v[i];
    if (kept == 0)
        return 0;
    return dq_nth_double(scratch, (size_t)kept,
                         dq_quantile_at(share, (size_t)kept));
}

/* w = base (1 - (r / d)^2)^2, d = 4.685 * 1.4826 * MAD; never quite 0. */
static void tukey(const double *r, const double *base, int n, double floor,
                  double *scratch, double *w)
{
    double *size = scratch + n, reach, by;

    for (int i = 0; i < n; i++)
        size[i] = fabs(r[i]);
    reach = TUKEY * (1.4826 * quantile(size, base, n, 0.5, scratch) + floor) +
            1e-30;
    by = 1 / (reach * reach);
    for (int i = 0; i < n; i++) {
        double k = 1 - r[i] * r[i] * by;

        k = k > 0 ? k : 0;
        w[i] = base[i] * k * k + 1e-9 * base[i];
    }
}

static int enough(const double *w, int n)
{
    int count = 0;

    for (int i = 0; i < n; i++)
        count += w[i] > COUNTS;
    return count >= LEAST_POINTS;
}

/* ---- moments ------------------------------------------------------------- */

struct moments {
    double total, mu, mv, uu, vv, uv;
};

static void moments(const double *u, const double *v, const double *w, int n,
                    struct moments *m)
{
    memset(m, 0, sizeof *m);
    for (int i = 0; i < n; i++) {
        m->total += w[i];
        m->mu += w[i] * u[i];
        m->mv += w[i] * v[i];
    }
    m->mu /= m->total;
    m->mv /= m->total;
    for (int i = 0; i < n; i++) {
        double du = u[i] - m->mu, dv = v[i] - m->mv;

        m->uu += w[i] * du * du;
        m->vv += w[i] * dv * dv;
        m->uv += w[i] * du * dv;
    }
    m->uu /= m->total;
    m->vv /= m->total;
    m->uv /= m->total;
}

/* ---- a line to start from ------------------------------------------------ */

/* A line of those that go through two of the points. */
struct line {
    double rho, u, v; /* v = v + rho (u - u) */
};

/* Points to try lines with and on, evenly spread over those that count. */
static int some_of(const double *base, int n, int *chosen)
{
    int counting = 0, count = 0;

    for (int i = 0; i < n; i++)
        counting += base[i] > COUNTS;
    for (int i = 0, k = 0; i < n && count < TRIED_ON; i++)
        if (base[i] > COUNTS) {
            if ((int64_t)k * TRIED_ON / counting >= count)
                chosen[count++] = i;
            k++;
        }
    return count;
}

/* How much of the points' weight a line leaves unexplained: each counts by its
 * residual, and no more than one that is off by `near`. */
static double unexplained(const struct line *l, const double *u,
                          const double *v, const double *base,
                          const int *chosen, int count, double near)
{
    double sum = 0, by = 1 / near;

    for (int i = 0; i < count; i++) {
        int k = chosen[i];
        double r = (v[k] - l->v - l->rho * (u[k] - l->u)) * by, rr = r * r;

        sum += base[k] * (rr < 1 ? rr : 1);
    }
    return sum;
}

/* The line that explains the most of the points, of TRIED through two of them
 * (MSAC, its dice always the same). Least squares, and quartiles too, start
 * where movers and stretches of sky pull them; this starts at what the largest
 * part of the picture agrees on. Residuals to it; false: no line rises. */
static int first_residuals(const double *u, const double *v, const double *base,
                           int n, const struct moments *m, double *r)
{
    struct line best = {0};
    int chosen[TRIED_ON], count = some_of(base, n, chosen);
    double least = INFINITY, near = AGREES * sqrt(m->vv);
    uint32_t dice = 1;

    for (int i = 0; i < TRIED && count > 1; i++) {
        uint32_t one = (dice = dice * 1664525U + 1013904223U) >> 8;
        uint32_t two = (dice = dice * 1664525U + 1013904223U) >> 8;
        int a = chosen[one % (uint32_t)count],
            c = chosen[two % (uint32_t)count];
        struct line l = {
            .rho = (v[c] - v[a]) / (u[c] - u[a]), .u = u[a], .v = v[a]};
        double left;

        if (!(fabs(u[c] - u[a]) > APART * sqrt(m->uu)) || !(l.rho > 0))
            continue;
        left = unexplained(&l, u, v, base, chosen, count, near);
        if (left < least) {
            least = left;
            best = l;
        }
    }
    for (int i = 0; i < n; i++)
        r[i] = v[i] - best.v - best.rho * (u[i] - best.u);
    return best.rho > 0;
}

/* ---- affine -------------------------------------------------------------- */

static int affine_rounds(const double *u, const double *v, const double *base,
                         int n, double *scratch, struct moments *m)
{
    double *w = scratch, *r = scratch + n;

    moments(u, v, base, n, m);
    if (first_residuals(u, v, base, n, m, r))
        tukey(r, base, n, EXACT * sqrt(m->vv), r + n, w);
    else
        memcpy(w, base, (size_t)n * sizeof *w);
    for (int round = 0;; round++) {
        double rho;

        moments(u, v, w, n, m);
        if (!(m->uv > 0) || !(m->uu > 0))
            return 0;
        if (round == ROUNDS)
            return 1;
        rho = sqrt(m->vv / m->uu);
        for (int i = 0; i < n; i++)
            r[i] = v[i] - m->mv - rho * (u[i] - m->mu);
        tukey(r, base, n, EXACT * sqrt(m->vv), r + n, w);
    }
}

int dq_pair_affine(const double *u, const double *v, const double *w, int n,
                   struct dq_pair *pair)
{
    double *scratch;
    struct moments m;
    int found;

    if (!enough(w, n))
        return 0;
    scratch = dq_new_array((size_t)n * 4, sizeof *scratch);
    found = affine_rounds(u, v, w, n, scratch, &m);
    free(scratch);
    if (!found)
        return 0;
    pair->rho = sqrt(m.vv / m.uu);
    pair->q = m.total * m.uv * m.uv / (m.uu * m.vv);
    pair->m_a = m.mu;
    pair->m_c = m.mv;
    return isfinite(pair->rho) && pair->q > 0;
}

/* ---- three unknowns ------------------------------------------------------ */

/* Solve the 3 x 3 a p = b by elimination with pivots; false: singular. */
static int solve_3(double a[3][4], double p[3])
{
    for (int k = 0; k < 3; k++) {
        int best = k;

        for (int i = k + 1; i < 3; i++)
            if (fabs(a[i][k]) > fabs(a[best][k]))
                best = i;
        if (!(fabs(a[best][k]) > 1e-14))
            return 0;
        for (int j = 0; j < 4; j++) {
            double was = a[k][j];

            a[k][j] = a[best][j];
            a[best][j] = was;
        }
        for (int i = k + 1; i < 3; i++)
            for (int j = 3; j >= k; j--)
                a[i][j] -= a[k][j] * a[i][k] / a[k][k];
    }
    for (int k = 2; k >= 0; k--) {
        p[k] = a[k][3];
        for (int j = k + 1; j < 3; j++)
            p[k] -= a[k][j] * p[j];
        p[k] /= a[k][k];
    }
    return 1;
}

/* Weighted least squares of v = p0 + p1 x + p2 y. */
static int fit_plane(const double *x, const double *y, const double *v,
                     const double *w, int n, double p[3])
{
    double a[3][4] = {{0}}, total = 1e-300;

    for (int i = 0; i < n; i++)
        total += w[i];
    for (int i = 0; i < n; i++) {
        double c[3] = {1, x[i], y[i]};

        for (int r = 0; r < 3; r++) {
            for (int s = 0; s < 3; s++)
                a[r][s] += w[i] / total * c[r] * c[s];
            a[r][3] += w[i] / total * c[r] * v[i];
        }
    }
    return solve_3(a, p);
}

/* ---- a turn -------------------------------------------------------------- */

/* x: u / turn about its mean, in units of its spread; y: 1 / turn - 1 in units
 * of its own. Returns the rounds' outcome in p. */
static int plane_rounds(const double *x, const double *y, const double *v,
                        const double *base, int n, double *scratch, double p[3])
{
    double *w = scratch, *r = scratch + n;
    struct moments m;

    moments(x, v, base, n, &m);
    if (first_residuals(x, v, base, n, &m, r))
        tukey(r, base, n, AGREES * sqrt(m.vv), r + n, w);
    else
        memcpy(w, base, (size_t)n * sizeof *w);
    for (int round = 0;; round++) {
        if (!fit_plane(x, y, v, w, n, p))
            return 0;
        if (round == 2 * ROUNDS)
            return 1;
        for (int i = 0; i < n; i++)
            r[i] = v[i] - p[0] - p[1] * x[i] - p[2] * y[i];
        tukey(r, base, n, EXACT * sqrt(m.vv), r + n, w);
    }
}

int dq_pair_zero(const double *u, const double *v, const double *w,
                 const double *turn, int n, double *zero)
{
    double *x, *y, *scratch, p[3] = {0}, unit = 0;
    struct moments m;
    int found;

    if (!enough(w, n))
        return 0;
    x = dq_new_array((size_t)n * 6, sizeof *x);
    y = x + n;
    scratch = y + n;
    for (int i = 0; i < n; i++) {
        x[i] = u[i] / turn[i];
        y[i] = 1 / turn[i] - 1;
        unit = fmax(unit, fabs(y[i]));
    }
    moments(x, v, w, n, &m);
    for (int i = 0; i < n; i++) {
        x[i] = (x[i] - m.mu) / (sqrt(m.uu) + 1e-30);
        y[i] /= unit + 1e-30;
    }
    found = unit > 0 && m.uu > 0 && plane_rounds(x, y, v, w, n, scratch, p) &&
            p[1] > 0;
    free(x);
    if (found)
        *zero = -(p[2] / unit) / (p[1] / sqrt(m.uu));
    return found && isfinite(*zero);
}

/* ---- dolly --------------------------------------------------------------- */

/* Weighted least squares of the parabola, in units of u's spread. */
static int fit_parabola(const double *u, const double *v, const double *w,
                        int n, double z, double unit, double p[3])
{
    double a[3][4] = {{0}}, total = 1e-300;

    for (int i = 0; i < n; i++)
        total += w[i];
    for (int i = 0; i < n; i++) {
        double x = (u[i] - z) / unit, c[3] = {1, x, x * x};

        for (int r = 0; r < 3; r++) {
            for (int s = 0; s < 3; s++)
                a[r][s] += w[i] / total * c[r] * c[s];
            a[r][3] += w[i] / total * c[r] * v[i];
        }
    }
    return solve_3(a, p);
}

/* Robust; slope and level at the far end. Returns the weight left, 0: none. */
static double parabola(const double *u, const double *v, const double *base,
                       int n, double *scratch, double *slope, double *at,
                       double *level)
{
    double *w = scratch, *r = scratch + n, p[3] = {0}, total = 0, unit;
    struct moments m;

    moments(u, v, base, n, &m);
    unit = sqrt(m.uu);
    *at = quantile(u, base, n, FAR_END, r);
    memcpy(w, base, (size_t)n * sizeof *w);
    for (int round = 0; unit > 0; round++) {
        if (!fit_parabola(u, v, w, n, *at, unit, p))
            return 0;
        if (round == ROUNDS)
            break;
        for (int i = 0; i < n; i++) {
            double x = (u[i] - *at) / unit;

            r[i] = v[i] - p[0] - p[1] * x - p[2] * x * x;
        }
        tukey(r, base, n, EXACT * sqrt(m.vv), r + n, w);
    }
    for (int i = 0; i < n; i++)
        total += w[i];
    *slope = unit > 0 ? p[1] / unit : 0;
    *level = p[0];
    return *slope > 0 ? total : 0;
}

int dq_pair_dolly(const double *u, const double *v, const double *w, int n,
                  struct dq_pair *pair)
{
    double *scratch, forth, back, from, level, q = 0;

    if (!enough(w, n))
        return 0;
    scratch = dq_new_array((size_t)n * 4, sizeof *scratch);
    if (parabola(v, u, w, n, scratch, &back, &from, &level) > 0)
        q = parabola(u, v, w, n, scratch, &forth, &from, &level);
    free(scratch);
    if (!(q > 0))
        return 0;
    pair->rho = sqrt(forth / back);
    pair->q = q;
    pair->m_a = from;
    pair->m_c = level;
    return isfinite(pair->rho);
}
