/* What a pair of frames shows of the world that stands: whose lumas agree, and
 * what depth becomes of where the camera goes. */
#include "infer/shot_points.h"

#include <math.h>
#include <string.h>

#include "base/sorted.h"

/* How far below the least value of a guide infinity may lie, in its range. */
static const double FAR_OFF = 10;

/* So much of the picture without a pattern at the least value is a sky. */
static const double SKY = 0.02;

/* Blocks about a block that speak for it. */
enum { AROUND = 4 };

/* ---- the camera's motion ------------------------------------------------- */

struct ends {
    double low, high;
};

static struct ends ends_of(const double *u, int n)
{
    struct ends r = {INFINITY, -INFINITY};

    for (int i = 0; i < n; i++) {
        r.low = u[i] < r.low ? u[i] : r.low;
        r.high = u[i] > r.high ? u[i] : r.high;
    }
    return r;
}

/* Whether the least value is that of a sky: many blocks say just that, and
 * show no pattern. It is infinity then. */
static int is_sky(const struct dq_matcher *m, const struct ends *r, int n)
{
    double flat = r->low + 1e-3 * (r->high - r->low);
    int count = 0;

    for (int i = 0; i < n; i++)
        count += m->u[i] <= flat && fabs(m->luma_a[i]) < DQ_POINTS_FLAT;
    return count > SKY * n;
}

/* An estimate of infinity, where it can be: below what is seen. */
static double sane(double at, const struct ends *r)
{
    double range = r->high - r->low;

    return fmax(fmin(at, r->low + 0.1 * range), r->low - FAR_OFF * range);
}

/* What a guide says at infinity, where going along the axis moves nothing: m =
 * 0. Where there is no such place near its values it is no going (*goes 0):
 * the least of them. */
static double horizon_of(const struct dq_scape *scape,
                         const struct dq_motion *motion, const struct ends *r,
                         int *goes)
{
    double spread = scape->spread, at = -INFINITY;
    double zero = dq_scape_depth(scape, 0); /* u = 0 as g */

    if (fabs(motion->tz) > 1e-6)
        at = (-motion->zeta / motion->tz - zero) * spread;
    *goes = at >= r->low - FAR_OFF * (r->high - r->low);
    return *goes ? sane(at, r) : r->low;
}

/* The same from how a turn has changed depths. */
static double zero_of(struct dq_matcher *m, const struct ends *r, int n)
{
    double at;

    if (!dq_pair_zero(m->u, m->v, m->w, m->turn, n, &at))
        return r->low;
    return sane(at, r);
}

int dq_points_move(struct dq_matcher *m, int a, const struct dq_motion *motion,
                   int n)
{
    const struct dq_scape *scape = dq_points_kept(m, a)->scape;
    int goes = motion->zeta < 0 || motion->zeta > 0 || motion->tz < 0 ||
               motion->tz > 0;
    const struct dq_turn turn = dq_motion_turn(motion);
    struct ends range = ends_of(m->u, n);
    double at;
    int sky;

    if (m->views->log_space || !(scape->spread > 0))
        return 1;
    at =
        goes ? horizon_of(scape, motion, &range, &goes) : zero_of(m, &range, n);
    sky = is_sky(m, &range, n);
    if (sky)
        at = range.low;
    for (int i = 0; i < n; i++) {
        double d = m->turn[i];

        if (goes)
            d -= (motion->zeta + motion->tz * dq_scape_depth(scape, m->u[i])) /
                 turn.c;
        m->u[i] = at + (m->u[i] - at) / d;
    }
    return !goes || sky;
}

/* ---- trust --------------------------------------------------------------- */

/* Sums over all blocks above and to the left of each, of what the points
 * hold: (rows + 1) x (cols + 1). */
static void sum_up(const struct dq_matcher *m, const double *of, int n,
                   double *sums)
{
    int rows = m->views->rows, w = m->views->cols + 1;

    memset(sums, 0, (size_t)(rows + 1) * (size_t)w * sizeof *sums);
    for (int i = 0; i < n; i++)
        sums[(m->at[i] / (w - 1) + 1) * w + m->at[i] % (w - 1) + 1] = of[i];
    for (int y = 1; y <= rows; y++)
        for (int x = 1; x < w; x++)
            sums[y * w + x] += sums[y * w + x - 1] + sums[(y - 1) * w + x] -
                               sums[(y - 1) * w + x - 1];
}

/* The sum over the blocks about one. */
static double about(const struct dq_matcher *m, const double *sums, int at)
{
    int rows = m->views->rows, cols = m->views->cols, w = cols + 1;
    int y = at / cols, x = at % cols;
    int top = y > AROUND ? y - AROUND : 0, left = x > AROUND ? x - AROUND : 0;
    int low = y + AROUND + 1 < rows ? y + AROUND + 1 : rows;
    int right = x + AROUND + 1 < cols ? x + AROUND + 1 : cols;

    return sums[low * w + right] - sums[top * w + right] -
           sums[low * w + left] + sums[top * w + left];
}

/* How far the lumas about each point are apart (root of the mean square): one
 * alone may agree by chance, where a mover's pattern is flat. */
static void spread_doubt(struct dq_matcher *m, int n, double *doubt)
{
    double *ones =
        m->sums + (size_t)(m->views->rows + 1) * (size_t)(m->views->cols + 1);

    for (int i = 0; i < n; i++)
        doubt[i] = 1;
    sum_up(m, doubt, n, ones);
    for (int i = 0; i < n; i++) {
        double off = m->luma_a[i] - m->luma_c[i];

        doubt[i] = off * off;
    }
    sum_up(m, doubt, n, m->sums);
    for (int i = 0; i < n; i++) {
        double sum = about(m, m->sums, m->at[i]);
        double count = about(m, ones, m->at[i]);

        doubt[i] = sum > 0 ? sqrt(sum / (count > 1 ? count : 1)) : 0;
    }
}

/* Blocks whose lumas do not agree are not the same points: what moves by
 * itself, what comes into view. */
void dq_points_trust(struct dq_matcher *m, int n)
{
    double *doubt = m->off[0], reach;

    if (n < 1)
        return;
    spread_doubt(m, n, doubt);
    memcpy(m->scratch, doubt, (size_t)n * sizeof *doubt);
    reach = 2 * dq_nth_double(m->scratch, (size_t)n, (size_t)n / 2) + 1e-4;
    for (int i = 0; i < n; i++) {
        double r = doubt[i] / reach, k = 1 + r * r;

        m->w[i] /= k * k;
    }
}
