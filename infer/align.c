#include "infer/align.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "infer/align_joint.h"

/* A guide whose blocks differ by less than this share of their size is flat:
 * no scale can be had from it. */
static const double FLAT = 1e-6;

/* Median scale of the tiles that the guide determines, in log; 1 if none. */
static double median_scale(const struct dq_fit *fits, int count)
{
    double *logs = dq_new_array((size_t)count, sizeof *logs);
    int n = 0;
    double s0;

    for (int k = 0; k < count; k++)
        if (fits[k].determined)
            logs[n++] = log(fits[k].s);
    s0 = n ? exp(dq_median(logs, n)) : 1;
    free(logs);
    return s0;
}

static void judge_scales(struct dq_fit *fits, int count, double s0)
{
    for (int k = 0; k < count; k++)
        if (!(fits[k].s > 0.25 * s0 && fits[k].s < 4 * s0))
            fits[k].determined = 0;
}

/* Weighted mean of a tile's blocks, or of the guide's there. */
static double mean_of(const struct dq_fit *f, const double *v)
{
    double total = 1e-300, sum = 0;

    for (int i = 0; i < f->n; i++) {
        total += f->w[i];
        sum += f->w[i] * v[i];
    }
    return sum / total;
}

/* What a tile becomes, from the solve's answer or, where that is no sane one,
 * by the next best: its level from the guide, then the guide itself. */
static struct dq_tile_affine settle(const struct dq_align_job *job,
                                    const struct dq_fit *f, const double *x,
                                    double s0)
{
    struct dq_tile_affine a = {1, 0, DQ_TILE_GUIDE_ONLY};
    int sane = x && isfinite(x[0]) && isfinite(x[1]) && x[0] > 0.25 * s0 &&
               x[0] < 4 * s0;
    double s, b;

    if (!sane && !(f->total > 0))
        return a;
    s = sane ? x[0] : job->log_space ? 1 : s0;
    b = sane ? x[1] : mean_of(f, f->g) - s * mean_of(f, f->t);
    a.fate = sane && f->determined ? DQ_TILE_ALIGNED : DQ_TILE_SHIFT_ONLY;
    a.scale = (float)(job->log_space ? exp(b) : s);
    a.shift = (float)(job->log_space ? 0 : b);
    if (!isfinite(a.scale) || !isfinite(a.shift))
        a.fate = DQ_TILE_GUIDE_ONLY;
    return a;
}

static int fit_all(const struct dq_align_job *job,
                   const struct dq_blocks *blocks, struct dq_fit *fits,
                   struct dq_err *err)
{
    for (int k = 0; k < job->plan->count; k++)
        if (job->tiles[k] && dq_fit_tile(job, blocks, k, &fits[k], err))
            return err->code;
    return DQ_OK;
}

/* Which tiles the guide holds, themselves or through their neighbours: the
 * level of the others is anybody's. */
static char *find_held(const struct dq_fit *fits, int count,
                       const struct dq_laps *laps)
{
    char *held = dq_new((size_t)count);
    int more = 1;

    for (int k = 0; k < count; k++)
        held[k] = fits[k].total > 0;
    while (more) {
        more = 0;
        for (int i = 0; i < laps->count; i++) {
            const struct dq_lap *lap = &laps->list[i];

            if (!lap->n || held[lap->k] == held[lap->l])
                continue;
            held[lap->k] = held[lap->l] = 1;
            more = 1;
        }
    }
    return held;
}

/* All determined tiles' blocks, as the joint solve maps them. */
struct mapped {
    int n;
    double *z, *g, *base; /* mapped mean, guide's, the fit's own weight */
    double *r, *w, *scratch;
};

enum { MAPPED_ARRAYS = 6, ANCHOR_ROUNDS = 5 };

static void map_blocks(const struct dq_fit *fits, int count, const double *x,
                       struct mapped *m)
{
    size_t room = 1;

    for (int k = 0; k < count; k++)
        room += (size_t)fits[k].n;
    m->n = 0;
    m->z = dq_new_array(room * MAPPED_ARRAYS, sizeof *m->z);
    m->g = m->z + room;
    m->base = m->g + room;
    m->r = m->base + room;
    m->w = m->r + room;
    m->scratch = m->w + room;
    for (int k = 0; k < count; k++) {
        const struct dq_fit *f = &fits[k];

        for (int i = 0; i < f->n && f->determined; i++, m->n++) {
            m->z[m->n] = x[2 * k] * f->t[i] + x[2 * k + 1];
            m->g[m->n] = f->g[i];
            m->base[m->n] = m->w[m->n] = f->w[i];
        }
    }
}

/* Weighted least squares g = a z + b; false when there is no sane one. */
static int line_through(const struct mapped *m, double *a, double *b)
{
    double n = 0, z = 0, g = 0, zz = 0, zg = 0, spread;

    for (int i = 0; i < m->n; i++) {
        n += m->w[i];
        z += m->w[i] * m->z[i];
        g += m->w[i] * m->g[i];
        zz += m->w[i] * m->z[i] * m->z[i];
        zg += m->w[i] * m->z[i] * m->g[i];
    }
    spread = n * zz - z * z;
    if (!(spread > 0))
        return 0;
    *a = (n * zg - z * g) / spread;
    *b = (g - *a * z) / n;
    return isfinite(*b) && *a > 0.25 && *a < 4;
}

/* Overlaps that disagree are content with smaller scales for all tiles, down
 * to none. They may say how tiles relate; how large they are all together is
 * the guide's to say: one robust line for the frame. */
static void anchor_scales(const struct dq_fit *fits, int count, double spread,
                          double *x)
{
    struct mapped m;
    double a = 1, b = 0;
    int sane;

    map_blocks(fits, count, x, &m);
    sane = m.n > 0;
    for (int round = 0; round < ANCHOR_ROUNDS && sane; round++) {
        sane = line_through(&m, &a, &b);
        for (int i = 0; i < m.n; i++)
            m.r[i] = a * m.z[i] + b - m.g[i];
        dq_huber(m.r, m.base, m.n, DQ_ALIGN_EXACT * spread, m.scratch, m.w);
    }
    for (int k = 0; k < count && sane; k++) {
        x[2 * k] *= a;
        x[2 * k + 1] = a * x[2 * k + 1] + b;
    }
    free(m.z);
}

static int solve_all(const struct dq_align_job *job,
                     const struct dq_blocks *blocks, struct dq_fit *fits,
                     struct dq_tile_affine *affine, struct dq_err *err)
{
    int count = job->plan->count, solved;
    double *x = dq_new_array((size_t)count * 2, sizeof *x);
    struct dq_laps laps;
    double s0 = median_scale(fits, count);
    char *held;

    judge_scales(fits, count, s0);
    dq_laps_new(job, &laps, err);
    held = find_held(fits, count, &laps);
    dq_align_mu(job, fits, s0, &laps);
    solved = dq_align_joint(job, blocks, fits, &laps, s0, x, err) == 0;
    if (solved && !job->log_space)
        anchor_scales(fits, count, blocks->spread, x);
    for (int k = 0; k < count; k++) {
        if (job->tiles[k])
            affine[k] =
                settle(job, &fits[k], solved && held[k] ? x + 2 * k : NULL, s0);
        else
            affine[k].fate = DQ_TILE_SKIPPED;
    }
    free(held);
    dq_laps_free(&laps);
    free(x);
    return err->code;
}

/* No scale can be had from the guide: tiles keep theirs, and its level. */
static void level_all(const struct dq_align_job *job, const struct dq_fit *fits,
                      struct dq_tile_affine *affine)
{
    for (int k = 0; k < job->plan->count; k++) {
        if (job->tiles[k])
            affine[k] = settle(job, &fits[k], NULL, 1);
        else
            affine[k].fate = DQ_TILE_SKIPPED;
    }
}

int dq_align(const struct dq_align_job *job, struct dq_tile_affine *affine,
             struct dq_err *err)
{
    int count = job->plan->count;
    struct dq_fit *fits = dq_new_array((size_t)count, sizeof *fits);
    struct dq_blocks blocks;
    int code = dq_blocks_new(job, &blocks, err);

    if (!code)
        code = fit_all(job, &blocks, fits, err);
    if (!code && !(blocks.spread > FLAT * blocks.level))
        level_all(job, fits, affine);
    else if (!code)
        code = solve_all(job, &blocks, fits, affine, err);
    for (int k = 0; k < count; k++)
        dq_fit_free(&fits[k]);
    free(fits);
    dq_blocks_free(&blocks);
    return code;
}
