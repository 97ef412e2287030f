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

/* A motion that went on as expected and makes lumas correlate like this is the
 * right one. */
static const double SURE = 0.9;

/* A turn by so many half pictures tells scale to twice what others do: the
 * lens is known less exactly the farther it is turned, and the error grows
 * with the square (measured: 0.3 % at 0.43). */
static const double WIDE = 0.14;

/* ---- ways ---------------------------------------------------------------- */

/* -2: one of them is flat. */
static double correlation(const double *a, const double *c, int n)
{
    double ma = 0, mc = 0, aa = 0, cc = 0, ac = 0;

    if (n < 16)
        return -2;
    for (int i = 0; i < n; i++) {
        ma += a[i];
        mc += c[i];
    }
    ma /= n;
    mc /= n;
    for (int i = 0; i < n; i++) {
        aa += (a[i] - ma) * (a[i] - ma);
        cc += (c[i] - mc) * (c[i] - mc);
        ac += (a[i] - ma) * (c[i] - mc);
    }
    if (sqrt(aa / n) < DQ_POINTS_FLAT || sqrt(cc / n) < DQ_POINTS_FLAT)
        return -2;
    return ac / sqrt(aa * cc);
}

/* Whether nothing moves by as much as a blur of the picture would show. */
static int stands(const struct dq_matcher *m, const struct dq_motion *t)
{
    double most = fabs(t->t[0]) + fabs(t->t[1]) + 2 * fabs(t->s[0]) +
                  2 * fabs(t->s[1]) + fabs(t->zeta) + 2 * fabs(t->tz) +
                  fabs(t->roll);

    return most < 2 * NOTHING / m->views->luma_cols;
}

/* One way in which points of a may have come to c. */
struct way {
    int n;        /* points that it matches; 0: none */
    double same;  /* correlation of their lumas */
    double *off;  /* how far their lumas are apart */
    double noise; /* of most of them */
};

/* What was looked at last, as a way. */
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
    return w->n >= dq_points_looked(m) / 5;
}

/* A way by a motion of that kind, from a start; none where there is none. */
static void move(struct dq_matcher *m, int a, int c, enum dq_motion_kind kind,
                 const struct dq_motion *start, struct dq_motion *motion,
                 struct way *way)
{
    const struct dq_course course = {.motion = motion};

    *motion = *start;
    dq_motion_limit(kind, motion);
    way->n = 0;
    if (!dq_motion_find(dq_points_kept(m, a)->scape,
                        dq_points_kept(m, c)->scape, kind, motion) ||
        stands(m, motion))
        return;
    judge(m, dq_points_look(m, a, c, &course), way);
    if (!is_whole(m, way))
        way->n = 0;
}

/* The phase's shift, in blocks, if the picture has shifted. */
static void find_shift(struct dq_matcher *m, int a, int c,
                       const struct way *still, struct dq_course *shift,
                       struct way *shifted)
{
    const struct dq_shot_views *v = m->views;
    const struct dq_spectrum *one = dq_points_spectrum(m, a);
    const struct dq_spectrum *two = dq_points_spectrum(m, c);
    struct dq_course course = {.motion = NULL};

    dq_phase_shift(one, two, &course.dy, &course.dx);
    if (fabs(course.dy) < STILL && fabs(course.dx) < STILL)
        return;
    course.dy *= (double)v->rows / v->luma_rows;
    course.dx *= (double)v->cols / v->luma_cols;
    judge(m, dq_points_look(m, a, c, &course), shifted);
    if (is_whole(m, shifted) && !does_as_well(still, shifted))
        *shift = course;
    else
        shifted->n = 0;
}

/* ---- the simplest of them ------------------------------------------------ */

struct ways {
    struct way still, shifted, freely;
    struct dq_course shift;  /* of shifted; none without */
    struct dq_motion start;  /* where to look for a motion */
    struct dq_motion motion; /* of freely */
};

/* The camera may do everything. Where its motion over half of the time is
 * known that goes on, and the picture's shift is asked only when nothing good
 * comes of it; else it begins with the shift. (A shift over a long time is a
 * guess: with a large mover the phase's peak may be the mover's.) */
static void move_freely(struct dq_matcher *m, int a, int c,
                        const struct dq_match *half, struct ways *k)
{
    int goes_on = half && half->moved;

    k->start = dq_motion_none();
    if (goes_on) {
        k->start = dq_motion_twice(&half->motion);
        move(m, a, c, DQ_MOTION_FREE, &k->start, &k->motion, &k->freely);
        if (k->freely.n && k->freely.same >= SURE)
            return;
    }
    find_shift(m, a, c, &k->still, &k->shift, &k->shifted);
    if (goes_on)
        return;
    k->start.t[0] = 2 * k->shift.dx / m->views->cols;
    k->start.t[1] = 2 * k->shift.dy / m->views->cols;
    move(m, a, c, DQ_MOTION_FREE, &k->start, &k->motion, &k->freely);
}

/* Whether a camera that is free to do everything explains no more than one
 * that stands, or a picture that shifts. */
static int stands_or_shifts(const struct ways *k)
{
    return !k->freely.n || does_as_well(&k->still, &k->freely) ||
           (k->shifted.n && !does_as_well(&k->freely, &k->shifted));
}

/* The camera stands, the picture shifts, or the world moves by its depth: the
 * simplest that explains as much of the picture as any. A camera that is free
 * to do everything explains a mover as its own doing, and the world's scale
 * with it; that it only turns, or goes, must be asked first. */
static struct dq_course find_course(struct dq_matcher *m, int a, int c,
                                    const struct dq_match *half,
                                    struct dq_match *match)
{
    static const enum dq_motion_kind kinds[] = {DQ_MOTION_TURN, DQ_MOTION_GO};
    struct ways k = {.still.off = m->off[0],
                     .shifted.off = m->off[1],
                     .freely.off = m->off[2]};
    struct way simple = {.off = m->off[3]};
    const struct dq_course moved = {.motion = &match->motion};

    judge(m, dq_points_look(m, a, c, &k.shift), &k.still);
    match->same = k.still.same;
    if (k.still.same < -1)
        return k.shift;
    move_freely(m, a, c, half, &k);
    if (stands_or_shifts(&k)) {
        match->same = k.shifted.n ? k.shifted.same : k.still.same;
        return k.shift;
    }
    match->moved = 1;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        move(m, a, c, kinds[i], &k.start, &match->motion, &simple);
        match->same = simple.same;
        if (simple.n && does_as_well(&simple, &k.freely))
            return moved;
    }
    match->motion = k.motion;
    match->same = k.freely.same;
    return moved;
}

/* By how many half pictures the camera turned. */
static double turned(const struct dq_match *match)
{
    return match->moved ? hypot(match->motion.t[0], match->motion.t[1]) : 0;
}

void dq_match(struct dq_matcher *m, int a, int c, const struct dq_match *half,
              struct dq_match *match)
{
    struct dq_course course;
    int n;

    *match = (struct dq_match){.same = -2, .pair = {.a = a, .c = c}};
    if (!m->views->frames[a].guide || !m->views->frames[c].guide)
        return;
    course = find_course(m, a, c, half, match);
    if (match->same < SAME)
        return;
    n = dq_points_gather(m, a, c, &course);
    dq_points_trust(m, n);
    match->pair.level =
        !course.motion || dq_points_move(m, a, course.motion, n);
    match->tells = dq_pair_affine(m->u, m->v, m->w, n, &match->pair);
    match->pair.q /= 1 + pow(turned(match) / WIDE, 4);
}

int dq_match_is_cut(const struct dq_match *match)
{
    return match->same > -1 && match->same < CUT;
}
