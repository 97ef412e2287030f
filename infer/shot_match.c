#include "infer/shot_match.h"

#include <math.h>

#include "base/sorted.h"
#include "infer/shot_points.h"

/* Lumas that correlate less at matched blocks show other things; a shift of
 * less is none. */
static const double SAME = 0.6, CUT = 0.35, STILL = 0.25;

/* Pixels of luma that are no motion; luma that is always noise. */
static const double NOTHING = 0.02, GRAIN = 5e-4;

/* Of two ways to match the simpler is taken when it explains this share of
 * what the other does, and is off by at most so much more. */
static const double NEARLY = 0.9, SHARPLY = 1.6;

/* ---- ways ---------------------------------------------------------------- */

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
    if (sqrt(aa) < DQ_POINTS_FLAT || sqrt(cc) < DQ_POINTS_FLAT)
        return -2;
    return ac / sqrt(aa * cc);
}

/* A still or shifted picture's: no value changes. */
static int is_none(const struct dq_motion *t)
{
    double sum = fabs(t->t[0]) + fabs(t->t[1]) + fabs(t->s[0]) + fabs(t->s[1]) +
                 fabs(t->zeta) + fabs(t->tz) + fabs(t->roll);

    return !(sum > 0);
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

/* One way in which points of a may have come to c. */
struct way {
    int n;        /* points that it matches; 0: none */
    double same;  /* correlation of their lumas */
    double *off;  /* how far their lumas are apart */
    double noise; /* of most of them */
};

/* What was gathered last, as a way. */
static void judge(struct dq_matcher *m, int n, struct way *w)
{
    w->n = n;
    w->same = correlation(m->luma_a, m->luma_c, n);
    for (int i = 0; i < n; i++)
        w->off[i] = m->scratch[i] = fabs(m->luma_a[i] - m->luma_c[i]);
    w->noise = n ? dq_nth_double(m->scratch, (size_t)n, (size_t)n / 2) : 0;
}

/* The share of the points that a way leaves apart, 0 .. 1, by as much as is no
 * noise. By area, not by contrast: a mover with a strong pattern has no more
 * of a vote than its size. */
static double apart(const struct way *w, double noise)
{
    double sum = 0;

    for (int i = 0; i < w->n; i++) {
        double rr = w->off[i] * w->off[i];

        sum += rr / (rr + noise * noise);
    }
    return w->n ? sum / w->n : 1;
}

/* Whether a way that knows less explains nearly as much, as sharply. */
static int does_as_well(const struct way *simple, const struct way *other)
{
    double noise = 4 * fmin(simple->noise, other->noise) + GRAIN;
    double does = 1 - apart(simple, noise), others = 1 - apart(other, noise);

    return does >= NEARLY * others &&
           simple->noise <= SHARPLY * other->noise + GRAIN / 10;
}

static int is_whole(const struct dq_matcher *m, const struct way *w)
{
    return w->n >= m->views->rows * m->views->cols / 5;
}

/* A way by a motion of that kind, from a start; none where there is none. */
static void move(struct dq_matcher *m, int a, int c, enum dq_motion_kind kind,
                 const struct dq_motion *start, struct dq_motion *motion,
                 struct way *way)
{
    *motion = *start;
    dq_motion_limit(kind, motion);
    way->n = 0;
    if (!dq_motion_find(dq_points_kept(m, a)->scape,
                        dq_points_kept(m, c)->scape, kind, motion) ||
        stands(m, motion))
        return;
    judge(m, dq_points_motion(m, a, c, motion), way);
    if (!is_whole(m, way))
        way->n = 0;
}

/* The phase's shift, in blocks, if the picture has shifted. */
static void find_shift(struct dq_matcher *m, int a, int c,
                       const struct way *still, double shift[2],
                       struct way *shifted)
{
    const struct dq_shot_views *v = m->views;
    double dy, dx;

    shift[0] = shift[1] = 0;
    shifted->n = 0;
    dq_phase_shift(dq_points_kept(m, a)->spectrum,
                   dq_points_kept(m, c)->spectrum, &dy, &dx);
    if (fabs(dy) < STILL && fabs(dx) < STILL)
        return;
    dy *= (double)v->rows / v->luma_rows;
    dx *= (double)v->cols / v->luma_cols;
    judge(m, dq_points_shift(m, a, c, dy, dx), shifted);
    if (!is_whole(m, shifted) || does_as_well(still, shifted)) {
        shifted->n = 0;
        return;
    }
    shift[0] = dy;
    shift[1] = dx;
}

/* Where to look for a pair's motion: what was found over half of the time goes
 * on; else the shift. (A shift over a long time is a guess: with a large mover
 * the phase's peak may be the mover's.) */
static struct dq_motion start_of(const struct dq_matcher *m, int a, int c,
                                 const double shift[2])
{
    struct dq_motion start = dq_motion_none();

    if (m->from == a && c - a == 2 * (m->to - a))
        return dq_motion_twice(&m->found);
    start.t[0] = 2 * shift[1] / m->views->cols;
    start.t[1] = 2 * shift[0] / m->views->cols;
    return start;
}

static void remember(struct dq_matcher *m, int a, int c,
                     const struct dq_motion *motion)
{
    m->from = a;
    m->to = c;
    m->found = *motion;
}

/* The camera stands, the picture shifts, or the world moves by its depth:
 * gathers the points of the simplest way that explains as much of the picture
 * as any -> how many, and how well their lumas correlate. A camera that is
 * free to do everything explains a mover as its own doing, and the world's
 * scale with it; that it only turns, or goes, must be asked first. */
static int best_match(struct dq_matcher *m, int a, int c, double *same,
                      struct dq_motion *how)
{
    static const enum dq_motion_kind kinds[] = {DQ_MOTION_TURN, DQ_MOTION_GO};
    struct way still = {.off = m->off[0]}, shifted = {.off = m->off[1]},
               freely = {.off = m->off[2]}, simple = {.off = m->off[3]};
    struct dq_motion start, motion;
    double shift[2];

    *how = dq_motion_none();
    judge(m, dq_points_shift(m, a, c, 0, 0), &still);
    *same = still.same;
    if (still.same < -1)
        return still.n;
    find_shift(m, a, c, &still, shift, &shifted);
    start = start_of(m, a, c, shift);
    move(m, a, c, DQ_MOTION_FREE, &start, &motion, &freely);
    if (!freely.n || does_as_well(&still, &freely) ||
        (shifted.n && !does_as_well(&freely, &shifted))) {
        *same = shifted.n ? shifted.same : still.same;
        return dq_points_shift(m, a, c, shift[0], shift[1]);
    }
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        move(m, a, c, kinds[k], &start, how, &simple);
        if (!simple.n || !does_as_well(&simple, &freely))
            continue;
        remember(m, a, c, how);
        *same = simple.same;
        return simple.n;
    }
    *how = motion;
    remember(m, a, c, how);
    *same = freely.same;
    return dq_points_motion(m, a, c, &motion);
}

static int both_there(const struct dq_matcher *m, int a, int c)
{
    return m->views->frames[a].guide && m->views->frames[c].guide;
}

int dq_match_pair(struct dq_matcher *m, int a, int c, struct dq_pair *pair)
{
    struct dq_motion how;
    double same;
    int n;

    if (!both_there(m, a, c))
        return 0;
    n = best_match(m, a, c, &same, &how);
    pair->a = a;
    pair->c = c;
    dq_points_trust(m, n);
    if (!is_none(&how))
        dq_points_move(m, a, &how, n);
    return same >= SAME && dq_pair_affine(m->u, m->v, m->w, n, pair);
}

int dq_match_is_cut(struct dq_matcher *m, int a, int c)
{
    struct dq_motion how;
    double same;

    if (!both_there(m, a, c))
        return 0;
    best_match(m, a, c, &same, &how);
    return same > -1 && same < CUT;
}
