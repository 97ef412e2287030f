#include "infer/steady.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "infer/quantity.h"
#include "infer/shot_match.h"
#include "infer/shot_pairs.h"
#include "io/resample.h"

enum { BLOCK = 4, LUMA_ROWS = 256, LUMA_COLS = 512, TREND = 16 };

/* What is not above 0 has no logarithm; it is left out by its mask. */
static const double LEAST = 1e-30;

/* A block counts where this much of it is real. */
static const float MOSTLY = 0.99F;

struct dq_steady {
    int width, height; /* of the guides */
    int metric;        /* the network's scale is right already */
    struct dq_shot_views views;
    struct dq_shot_view *frames; /* views.frames; their planes are owned */
};

/* ---- guides as the solver wants them ------------------------------------- */

static int power_of_two(int size, int most)
{
    int p = 4;

    while (2 * p <= size && 2 * p <= most)
        p *= 2;
    return p;
}

static int blocks_of(int size)
{
    return size / BLOCK > 2 ? size / BLOCK : 2;
}

struct dq_steady *dq_steady_new(const struct dq_recipe *recipe, int count,
                                int width, int height)
{
    struct dq_steady *s = dq_new(sizeof *s);

    s->width = width;
    s->height = height;
    s->metric = recipe->model->scale == DQ_SCALE_METRIC;
    s->frames = dq_new_array((size_t)count, sizeof *s->frames);
    s->views.frames = s->frames;
    s->views.count = count;
    s->views.rows = blocks_of(height);
    s->views.cols = blocks_of(width);
    s->views.luma_rows = power_of_two(height, LUMA_ROWS);
    s->views.luma_cols = power_of_two(width, LUMA_COLS);
    s->views.log_space = recipe->model->scale != DQ_SCALE_AFFINE;
    return s;
}

void dq_steady_tell(struct dq_steady *s, void (*going)(void *context),
                    void *context)
{
    s->views.going = going;
    s->views.context = context;
}

void dq_steady_threads(struct dq_steady *s, int threads)
{
    s->views.threads = threads;
}

/* Planes of a frame, and its values where quantiles are taken; what each
 * thread matches with. */
size_t dq_steady_bytes(const struct dq_steady *s)
{
    size_t blocks = (size_t)s->views.rows * (size_t)s->views.cols;
    size_t lumas = (size_t)s->views.luma_rows * (size_t)s->views.luma_cols;
    size_t frames = (size_t)s->views.count * (3 * blocks + lumas);

    return frames * sizeof(float) +
           (size_t)dq_pairs_threads(&s->views) * dq_matcher_bytes(&s->views);
}

/* A frame's planes are one buffer that begins with the guide. */
static void drop_frame(struct dq_shot_view *f)
{
    free((float *)(size_t)f->guide);
    memset(f, 0, sizeof *f);
}

void dq_steady_free(struct dq_steady *s)
{
    if (!s)
        return;
    for (int t = 0; t < s->views.count; t++)
        drop_frame(&s->frames[t]);
    free(s->frames);
    free(s);
}

static void settle_blocks(const struct dq_steady *s, float *guide, float *real,
                          size_t n)
{
    for (size_t i = 0; i < n; i++) {
        real[i] = real[i] >= MOSTLY ? 1.0F : 0.0F;
        if (!s->views.log_space)
            continue;
        if (!((double)guide[i] > LEAST))
            real[i] = 0;
        guide[i] = (float)log(fmax((double)guide[i], LEAST));
    }
}

/* Sky above and ground below are alike in all of the world's pictures: what
 * tells one place from another is finer than a 64th of the picture. */
static int keep_pattern(const struct dq_shot_views *v, float *luma,
                        struct dq_err *err)
{
    size_t n = (size_t)v->luma_rows * (size_t)v->luma_cols;
    float *low = malloc(n * sizeof *low);

    if (!low)
        return dq_fail(err, DQ_MEMORY, "no memory for a picture's pattern");
    dq_resample_gauss(luma, v->luma_rows, v->luma_cols,
                      fmax(2, v->luma_cols / 64.0), low, err);
    for (size_t i = 0; i < n; i++)
        luma[i] -= low[i];
    free(low);
    return err->code;
}

int dq_steady_add(struct dq_steady *s, int at, const struct dq_guide *g,
                  struct dq_err *err)
{
    const struct dq_shot_views *v = &s->views;
    size_t blocks = (size_t)v->rows * (size_t)v->cols;
    size_t lumas = (size_t)v->luma_rows * (size_t)v->luma_cols;
    float *guide, *real, *luma;

    if (g->width != s->width || g->height != s->height)
        return dq_fail(err, DQ_PLATE, "a guide of %d x %d among %d x %d",
                       g->width, g->height, s->width, s->height);
    drop_frame(&s->frames[at]);
    guide = malloc((2 * blocks + lumas) * sizeof *guide);
    if (!guide)
        return dq_fail(err, DQ_MEMORY, "no memory for a shot of %d guides",
                       v->count);
    real = guide + blocks;
    luma = real + blocks;
    if (dq_resample_area(g->depth, g->height, g->width, guide, v->rows, v->cols,
                         err) ||
        dq_resample_area(g->real, g->height, g->width, real, v->rows, v->cols,
                         err) ||
        dq_resample_area(g->luma, g->height, g->width, luma, v->luma_rows,
                         v->luma_cols, err) ||
        keep_pattern(v, luma, err)) {
        free(guide);
        return err->code;
    }
    settle_blocks(s, guide, real, blocks);
    s->frames[at].guide = guide;
    s->frames[at].real = real;
    s->frames[at].luma = luma;
    return DQ_OK;
}

/* ---- quantiles ----------------------------------------------------------- */

struct values {
    float *list;
    size_t count;
};

/* The network's quantity in the frame's real blocks, brought to its place. */
static void pool(const struct dq_steady *s, int t,
                 const struct dq_frame_affine *place, int all,
                 struct values *into)
{
    const struct dq_shot_view *f = &s->frames[t];
    size_t n = (size_t)s->views.rows * (size_t)s->views.cols;

    for (size_t i = 0; f->guide && i < n; i++) {
        double u = (double)f->guide[i];

        if (!all && f->real[i] < 0.5F)
            continue;
        if (s->views.log_space)
            u = exp(u);
        into->list[into->count++] = (float)(place->scale * u + place->shift);
    }
}

/* The 0.5 % and 99.5 % quantile over the frames of a stretch (-1: of all);
 * where nothing is real, over everything. */
static void range_of(const struct dq_steady *s,
                     const struct dq_frame_affine *place, int stretch,
                     struct values *scratch, double *low, double *high)
{
    for (int all = 0; all <= 1 && (all == 0 || scratch->count == 0); all++) {
        scratch->count = 0;
        for (int t = 0; t < s->views.count; t++)
            if (stretch < 0 || place[t].stretch == stretch)
                pool(s, t, &place[t], all, scratch);
    }
    dq_quantity_ends(scratch->list, scratch->count, low, high);
}

static struct values room_for(const struct dq_steady *s)
{
    size_t n = (size_t)s->views.rows * (size_t)s->views.cols;
    struct values v = {
        .list = dq_new_array(n * (size_t)s->views.count, sizeof *v.list)};

    return v;
}

/* Place whose quantiles are low and high, moved to the others. A flat picture
 * has no scale to change. */
static void move_range(struct dq_frame_affine *place, double low, double high,
                       double to_low, double to_high)
{
    double by = 1;

    if (high > low && to_high > to_low)
        by = (to_high - to_low) / (high - low);
    if (!isfinite(by * place->scale))
        by = 1;
    place->scale *= by;
    place->shift = by * (place->shift - low) + to_low;
}

/* ---- a metric network's trend -------------------------------------------- */

/* The straight line about t through x of the frames of its stretch. */
static double trend_at(const struct dq_steady *s,
                       const struct dq_frame_affine *place, int t)
{
    double w = 0, wd = 0, wdd = 0, wx = 0, wdx = 0, det;

    for (int k = 0; k < s->views.count; k++) {
        double d = k - t, weight = 1 - fabs(d) / (TREND + 1);

        if (weight <= 0 || !s->frames[k].guide ||
            place[k].stretch != place[t].stretch)
            continue;
        w += weight;
        wd += weight * d;
        wdd += weight * d * d;
        wx += weight * place[k].shift;
        wdx += weight * d * place[k].shift;
    }
    det = w * wdd - wd * wd;
    if (!(w > 0))
        return place[t].shift;
    return det > 1e-9 * w * w ? (wdd * wx - wd * wdx) / det : wx / w;
}

static void keep_trend(const struct dq_steady *s, struct dq_frame_affine *place)
{
    size_t n = (size_t)s->views.count;
    double *trend = dq_new_array(n, sizeof *trend);

    for (int t = 0; t < s->views.count; t++)
        trend[t] = trend_at(s, place, t);
    for (int t = 0; t < s->views.count; t++)
        place[t].shift -= trend[t];
    free(trend);
}

/* ---- the shot ------------------------------------------------------------ */

/* From the solver's space to the network's quantity; never anything odd. */
static void leave_log_space(const struct dq_steady *s,
                            struct dq_frame_affine *place)
{
    if (s->views.log_space) {
        place->scale = exp(place->shift);
        place->shift = 0;
    }
    if (!(place->scale > 0) || !isfinite(place->scale) ||
        !isfinite(place->shift)) {
        place->scale = 1;
        place->shift = 0;
    }
}

static int longest_stretch(const struct dq_steady *s,
                           const struct dq_frame_affine *place)
{
    int best = 0, most = 0, frames = 0;

    for (int t = 0; t < s->views.count; t++) {
        if (t > 0 && place[t].stretch != place[t - 1].stretch)
            frames = 0;
        frames += s->frames[t].guide != NULL;
        if (frames > most) {
            most = frames;
            best = place[t].stretch;
        }
    }
    return best;
}

/* All stretches to the range of the longest. */
static void join_stretches(const struct dq_steady *s,
                           struct dq_frame_affine *place,
                           struct values *scratch)
{
    int longest = longest_stretch(s, place), last;
    double to_low, to_high;

    last = place[s->views.count - 1].stretch;
    range_of(s, place, longest, scratch, &to_low, &to_high);
    for (int k = 0; k <= last; k++) {
        double low, high;

        if (k == longest)
            continue;
        range_of(s, place, k, scratch, &low, &high);
        for (int t = 0; t < s->views.count; t++)
            if (place[t].stretch == k)
                move_range(&place[t], low, high, to_low, to_high);
    }
}

static int any_guide(const struct dq_steady *s)
{
    for (int t = 0; t < s->views.count; t++)
        if (s->frames[t].guide)
            return 1;
    return 0;
}

int dq_steady_solve(struct dq_steady *s, struct dq_frame_affine *place,
                    double *range_low, double *range_high, struct dq_err *err)
{
    struct values scratch;

    if (!any_guide(s))
        return dq_fail(err, DQ_MISSING,
                       "none of the shot's %d frames could be scanned",
                       s->views.count);
    if (dq_shot_solve(&s->views, place, err))
        return err->code;
    if (s->metric)
        keep_trend(s, place);
    for (int t = 0; t < s->views.count; t++)
        leave_log_space(s, &place[t]);
    scratch = room_for(s);
    if (!s->views.log_space)
        join_stretches(s, place, &scratch);
    range_of(s, place, -1, &scratch, range_low, range_high);
    free(scratch.list);
    return DQ_OK;
}

/* ---- one more frame ------------------------------------------------------ */

/* Pairs of the frozen frames with the late one, as differences of two
 * unknowns: what is known of each frozen frame goes into the target, so all
 * of them are one anchor. */
struct fit {
    struct dq_pair *pairs;
    double *target;
    int *frozen; /* which frame each pair is with */
    int count;
};

static double solve_fit(const struct fit *f)
{
    double x[2] = {0, 0};

    dq_shot_differences(f->pairs, f->target, f->count, 0, 2, 0, x);
    return x[1];
}

static void gather_pairs(const struct dq_steady *s, struct dq_matcher *matcher,
                         int late, struct fit *f)
{
    for (int t = 0; t < s->views.count; t++) {
        struct dq_match match;

        if (t == late)
            continue;
        dq_match(matcher, t, late, NULL, &match);
        if (!match.tells)
            continue;
        match.pair.a = 0;
        match.pair.c = 1;
        f->pairs[f->count] = match.pair;
        f->frozen[f->count++] = t;
    }
}

static void fit_scale(const struct dq_steady *s, struct fit *f,
                      const struct dq_frame_affine *frozen,
                      struct dq_frame_affine *place)
{
    place->scale = 1;
    if (s->views.log_space)
        return;
    for (int i = 0; i < f->count; i++)
        f->target[i] = log(f->pairs[i].rho) - log(frozen[f->frozen[i]].scale);
    place->scale = exp(solve_fit(f));
}

static void fit_shift(const struct dq_steady *s, struct fit *f,
                      const struct dq_frame_affine *frozen,
                      struct dq_frame_affine *place)
{
    for (int i = 0; i < f->count; i++) {
        const struct dq_frame_affine *a = &frozen[f->frozen[i]];
        const struct dq_pair *p = &f->pairs[i];

        f->target[i] = s->views.log_space ? p->m_c - p->m_a - log(a->scale)
                                          : place->scale * p->m_c -
                                                a->scale * p->m_a - a->shift;
    }
    place->shift = solve_fit(f);
}

/* Nothing tells of its place. */
static void stand_alone(const struct dq_steady *s, struct dq_matcher *matcher,
                        const struct dq_frame_affine *frozen, int late,
                        int nearest, double low, double high,
                        struct dq_frame_affine *place)
{
    struct values scratch;
    struct dq_frame_affine own = {.scale = 1};
    struct dq_match match;
    double own_low, own_high;

    *place = frozen[nearest];
    dq_match(matcher, nearest, late, NULL, &match);
    if (s->views.log_space || !dq_match_is_cut(&match))
        return;
    scratch = room_for(s);
    scratch.count = 0;
    pool(s, late, &own, 0, &scratch);
    if (scratch.count == 0)
        pool(s, late, &own, 1, &scratch);
    dq_quantity_ends(scratch.list, scratch.count, &own_low, &own_high);
    move_range(&own, own_low, own_high, low, high);
    *place = own;
    free(scratch.list);
}

int dq_steady_fit(struct dq_steady *s, const struct dq_frame_affine *frozen,
                  int late, int nearest, double range_low, double range_high,
                  struct dq_frame_affine *place, struct dq_err *err)
{
    struct dq_matcher *matcher = dq_matcher_new(&s->views, err);
    size_t n = (size_t)s->views.count;
    struct fit f = {.pairs = dq_new_array(n, sizeof *f.pairs),
                    .target = dq_new_array(n, sizeof *f.target),
                    .frozen = dq_new_array(n, sizeof *f.frozen)};

    memset(place, 0, sizeof *place);
    if (matcher) {
        gather_pairs(s, matcher, late, &f);
        place->evidence = f.count;
        if (f.count == 0) {
            stand_alone(s, matcher, frozen, late, nearest, range_low,
                        range_high, place);
        } else {
            fit_scale(s, &f, frozen, place);
            fit_shift(s, &f, frozen, place);
            leave_log_space(s, place);
        }
    }
    dq_matcher_free(matcher);
    free(f.frozen);
    free(f.target);
    free(f.pairs);
    return err->code;
}
