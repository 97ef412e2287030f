#include "infer/align_joint.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "infer/band.h"

enum { FINE = 4, LEAST_OVERLAP = 16, ROUNDS = 3 };
static const double MU_LOW = 0.3, MU_HIGH = 100;

/* 1e-5 would outweigh the only evidence of a tile that holds sky and one thin
 * line, once Huber has cut it down. */
static const double RIDGE = 1e-7;

/* ---- overlaps ------------------------------------------------------------ */

struct rect {
    int x0, y0, x1, y1; /* ends excluded */
};

static int least(int a, int b)
{
    return a < b ? a : b;
}

static int most(int a, int b)
{
    return a > b ? a : b;
}

/* Real pixels that both tiles show. */
static struct rect shared(const struct dq_align_job *job, int k, int l)
{
    const struct dq_tile_plan *plan = job->plan;
    const struct dq_picture *p = job->picture;
    const struct dq_tile *a = &plan->tiles[k], *b = &plan->tiles[l];
    struct rect r = {most(most(a->x, b->x), most(p->x, 0)),
                     most(most(a->y, b->y), most(p->y, 0)),
                     least(a->x, b->x) + plan->tile_w,
                     least(a->y, b->y) + plan->tile_h};

    r.x1 = least(r.x1, least(p->x + p->width, plan->width));
    r.y1 = least(r.y1, least(p->y + p->height, plan->height));
    return r;
}

static double mean_of_square(const float *at, int stride)
{
    double sum = 0;

    for (int y = 0; y < FINE; y++)
        for (int x = 0; x < FINE; x++)
            sum += (double)at[(size_t)y * (size_t)stride + (size_t)x];
    return sum / (FINE * FINE);
}

static void fine_means(const struct dq_align_job *job, int k,
                       const struct rect *r, double *out)
{
    const struct dq_tile *t = &job->plan->tiles[k];
    int w = job->plan->tile_w;

    for (int y = r->y0; y + FINE <= r->y1; y += FINE)
        for (int x = r->x0; x + FINE <= r->x1; x += FINE) {
            const float *at = job->tiles[k] + (size_t)(y - t->y) * (size_t)w +
                              (size_t)(x - t->x);

            *out++ = dq_align_unit(job, mean_of_square(at, w));
        }
}

/* Pairs of which one says nothing go. */
static int keep_telling(const struct dq_align_job *job, struct dq_lap *lap)
{
    int kept = 0;

    for (int i = 0; i < lap->n; i++) {
        if (!dq_align_tells(job, lap->p[i]) || !dq_align_tells(job, lap->q[i]))
            continue;
        lap->p[kept] = lap->p[i];
        lap->q[kept++] = lap->q[i];
    }
    return kept;
}

static void add_lap(const struct dq_align_job *job, int k, int l,
                    struct dq_laps *laps)
{
    struct rect r = shared(job, k, l);
    struct dq_lap *lap;
    int n;

    if (r.x1 - r.x0 < LEAST_OVERLAP || r.y1 - r.y0 < LEAST_OVERLAP)
        return;
    n = (r.x1 - r.x0) / FINE * ((r.y1 - r.y0) / FINE);
    laps->list =
        dq_grow(laps->list, (size_t)laps->count + 1, sizeof *laps->list);
    lap = &laps->list[laps->count++];
    lap->k = k;
    lap->l = l;
    lap->n = n;
    lap->p = dq_new_array((size_t)n * 2, sizeof *lap->p);
    lap->q = lap->p + n;
    fine_means(job, k, &r, lap->p);
    fine_means(job, l, &r, lap->q);
    lap->n = keep_telling(job, lap);
}

int dq_laps_new(const struct dq_align_job *job, struct dq_laps *laps,
                struct dq_err *err)
{
    const struct dq_tile_plan *plan = job->plan;

    (void)err;
    memset(laps, 0, sizeof *laps);
    for (int k = 0; k < plan->count; k++)
        for (int l = k + 1; l < plan->count && job->tiles[k]; l++)
            if (job->tiles[l] &&
                plan->tiles[l].y < plan->tiles[k].y + plan->tile_h)
                add_lap(job, k, l, laps);
    return DQ_OK;
}

void dq_laps_free(struct dq_laps *laps)
{
    for (int i = 0; i < laps->count; i++)
        free(laps->list[i].p);
    free(laps->list);
    memset(laps, 0, sizeof *laps);
}

/* ---- mu ------------------------------------------------------------------ */

struct pool {
    double *v;
    int n, room;
};

static void pool_add(struct pool *p, double value)
{
    if (p->n == p->room) {
        p->room = p->room ? 2 * p->room : 4096;
        p->v = dq_grow(p->v, (size_t)p->room, sizeof *p->v);
    }
    p->v[p->n++] = value;
}

static double pool_median(struct pool *p)
{
    double m = dq_median(p->v, p->n);

    free(p->v);
    return m;
}

/* p = s q + b, unweighted, about the means. */
static void own_line(const struct dq_lap *lap, int log_space, double *s,
                     double *b)
{
    double mp = 0, mq = 0, qq = 0, pq = 0;

    for (int i = 0; i < lap->n; i++) {
        mp += lap->p[i] / lap->n;
        mq += lap->q[i] / lap->n;
    }
    for (int i = 0; i < lap->n; i++) {
        qq += (lap->q[i] - mq) * (lap->q[i] - mq);
        pq += (lap->q[i] - mq) * (lap->p[i] - mp);
    }
    *s = log_space ? 1 : qq > 0 ? pq / qq : 0;
    *b = mp - *s * mq;
}

/* How far the overlap is from its own best line, in guide units: the median,
 * and all of it into the pool (NULL: not). Negative: there is no line. */
static double own_miss(const struct dq_align_job *job, const struct dq_lap *lap,
                       double scale, struct pool *all)
{
    struct pool own = {0};
    double s, b;

    own_line(lap, job->log_space, &s, &b);
    if (!(s > 0) || !lap->n)
        return -1;
    for (int i = 0; i < lap->n; i++) {
        double miss = scale * fabs(s * lap->q[i] + b - lap->p[i]);

        pool_add(&own, miss);
        if (all)
            pool_add(all, miss);
    }
    return pool_median(&own);
}

static double guide_miss(const struct dq_align_job *job,
                         const struct dq_fit *fits, int *empty)
{
    struct pool all = {0};

    for (int k = 0; k < job->plan->count; k++) {
        const struct dq_fit *f = &fits[k];

        for (int i = 0; i < f->n && f->determined; i++)
            if (f->w[i] > 0.2)
                pool_add(&all, fabs(f->s * f->t[i] + f->b - f->g[i]));
    }
    *empty = all.n == 0;
    return pool_median(&all);
}

static double trust(double fit, double own, double most)
{
    double ratio = fit / (own + 1e-30);

    return fmax(MU_LOW, fmin(most, ratio * ratio));
}

double dq_align_mu(const struct dq_align_job *job, const struct dq_fit *fits,
                   double s0, struct dq_laps *laps)
{
    struct pool own = {0};
    int no_fits, no_laps;
    double fit = guide_miss(job, fits, &no_fits), mu;

    for (int i = 0; i < laps->count; i++) {
        struct dq_lap *l = &laps->list[i];
        const struct dq_fit *k = &fits[l->k];

        l->mu = own_miss(job, l, k->determined ? k->s : s0,
                         k->determined && fits[l->l].determined ? &own : NULL);
    }
    no_laps = own.n == 0;
    mu = trust(fit, pool_median(&own), MU_HIGH);
    if (no_fits || no_laps)
        mu = 1;
    for (int i = 0; i < laps->count; i++) {
        struct dq_lap *l = &laps->list[i];

        l->mu = no_fits || l->mu < 0 ? fmin(mu, 1) : trust(fit, l->mu, mu);
    }
    return mu;
}

/* ---- normal equations ---------------------------------------------------- */

/* Only tiles that overlap meet in an equation, and they stand a row of tiles
 * apart at most: a band. */
struct system {
    int n;         /* unknowns: 2 a tile */
    int band;      /* a[i][j] is 0 for |i - j| > band */
    double *a, *b; /* rows of the lower half (infer/band.h), n */
};

/* j <= i: the other half is the same. */
static void add(struct system *s, int i, int j, double value)
{
    *dq_band_at(s->a, s->band, i, j) += value;
}

/* A tile's tie to the guide; an undetermined one is held by its mean. */
static void add_guide(struct system *sys, int k, const struct dq_fit *f,
                      double s0, double spread)
{
    double total = 1e-300, t = 0, g = 0, tt = 0, tg = 0, ridge;
    int i = 2 * k;

    for (int j = 0; j < f->n; j++) {
        total += f->w[j];
        t += f->w[j] * f->t[j];
        g += f->w[j] * f->g[j];
        tt += f->w[j] * f->t[j] * f->t[j];
        tg += f->w[j] * f->t[j] * f->g[j];
    }
    if (!f->determined) {
        tt = t * t / total;
        tg = t * g / total;
    }
    ridge =
        RIDGE * (total + 1e-3 * f->n + 1e-9) * (spread / s0) * (spread / s0);
    add(sys, i, i, tt + ridge + 1e-300);
    add(sys, i + 1, i, t);
    add(sys, i + 1, i + 1, total + 1e-9 * (f->n + 1));
    sys->b[i] += tg + ridge * s0;
    sys->b[i + 1] += g;
}

/* The overlap's six sums, as the Gram matrix of (p, 1, -q, -1). */
static void add_lap_terms(struct system *sys, const struct dq_lap *lap,
                          const double *w)
{
    int to[4] = {2 * lap->k, 2 * lap->k + 1, 2 * lap->l, 2 * lap->l + 1};
    double gram[4][4] = {{0}};

    for (int i = 0; i < lap->n; i++) {
        double v[4] = {lap->p[i], 1, -lap->q[i], -1};

        for (int r = 0; r < 4; r++)
            for (int c = r; c < 4; c++)
                gram[r][c] += w[i] * v[r] * v[c];
    }
    for (int r = 0; r < 4; r++) /* k < l, so to[] rises */
        for (int c = r; c < 4; c++)
            add(sys, to[c], to[r], gram[r][c]);
}

/* Weights of one overlap, given the last round's answer (NULL: the first). */
static void lap_weights(const struct dq_lap *lap, const double *x, double mu,
                        double floor, double *scratch, double *w)
{
    double *r = scratch + lap->n;

    for (int i = 0; i < lap->n; i++)
        w[i] = 1;
    if (x) {
        const double *a = x + 2 * lap->k, *b = x + 2 * lap->l;

        for (int i = 0; i < lap->n; i++)
            r[i] = a[0] * lap->p[i] + a[1] - b[0] * lap->q[i] - b[1];
        dq_huber(r, NULL, lap->n, floor, scratch, w);
    }
    for (int i = 0; i < lap->n; i++)
        w[i] *= mu;
}

/* In log space the scale is known: s = 1 leaves the equations. */
static void pin_scales(struct system *sys)
{
    for (int i = 0; i < sys->n; i += 2) {
        for (int j = most(0, i - sys->band);
             j <= least(i + sys->band, sys->n - 1); j++) {
            double *a = dq_band_at(sys->a, sys->band, most(i, j), least(i, j));

            sys->b[j] -= *a;
            *a = 0;
        }
        add(sys, i, i, 1);
        sys->b[i] = 1;
    }
}

/* How far apart the unknowns of two tiles that overlap stand. */
static int band_of(const struct dq_laps *laps)
{
    int tiles = 0;

    for (int i = 0; i < laps->count; i++)
        tiles = most(tiles, laps->list[i].l - laps->list[i].k);
    return 2 * tiles + 1;
}

static int longest(const struct dq_laps *laps)
{
    int n = 1;

    for (int i = 0; i < laps->count; i++)
        n = most(n, laps->list[i].n);
    return n;
}

/* One round: x holds the last answer when `again`, and the new one after. */
static int solve_round(const struct dq_align_job *job, struct system *sys,
                       const struct dq_fit *fits, const struct dq_laps *laps,
                       double weight, double s0, double spread, int again,
                       double *scratch, double *x)
{
    size_t n = (size_t)sys->n;
    int room = longest(laps);

    memset(sys->a, 0, n * (size_t)(sys->band + 1) * sizeof *sys->a);
    memset(sys->b, 0, n * sizeof *sys->b);
    for (int k = 0; k < job->plan->count; k++)
        add_guide(sys, k, &fits[k], s0, spread);
    for (int i = 0; i < laps->count; i++) {
        lap_weights(&laps->list[i], again ? x : NULL, weight * laps->list[i].mu,
                    DQ_ALIGN_EXACT * spread, scratch, scratch + 2 * room);
        add_lap_terms(sys, &laps->list[i], scratch + 2 * room);
    }
    if (job->log_space)
        pin_scales(sys);
    if (dq_band_solve(sys->a, sys->b, sys->n, sys->band))
        return -1;
    memcpy(x, sys->b, n * sizeof *x);
    return 0;
}

int dq_align_joint(const struct dq_align_job *job,
                   const struct dq_blocks *blocks, const struct dq_fit *fits,
                   const struct dq_laps *laps, double s0, double *x,
                   struct dq_err *err)
{
    struct system sys = {.n = 2 * job->plan->count, .band = band_of(laps)};
    size_t n = (size_t)sys.n;
    double *scratch = dq_new_array((size_t)longest(laps) * 3, sizeof *scratch);
    /* a plate pixel weighs the same in both terms */
    double weight = FINE * FINE / (blocks->width * blocks->height);
    int again = 0;

    (void)err;
    sys.a = dq_new_array(n * (size_t)(sys.band + 1), sizeof *sys.a);
    sys.b = dq_new_array(n, sizeof *sys.b);
    for (int round = 0; round < ROUNDS; round++)
        if (!solve_round(job, &sys, fits, laps, weight, s0, blocks->spread,
                         again, scratch, x))
            again = 1;
    free(sys.a);
    free(sys.b);
    free(scratch);
    return again ? DQ_OK : -1;
}
