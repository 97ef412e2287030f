/* shot_motion: how the picture of frame a becomes that of frame c, for a
 * camera that turns, goes or zooms in a world that stands. Internal to
 * shot_match.
 *
 * The guide is the world's depth up to a scale and shift, and those drop into
 * the unknowns: with X, Y in half picture widths about the middle and g the
 * guide of a in units of its spread about its mean,
 *
 *   D = 1 - m - kappa t . (X, Y)        m = zeta + tz g
 *   (X, Y) -> ((X, Y) + roll (-Y, X) + t + s g + (c - 1) N) / D
 *
 * t and roll turn the camera (kappa: the lens's (half width / focal length)^2),
 * c = sqrt(1 + kappa t^2) is one over the turn's cosine and N the part of (X,
 * Y) across t: without it a turn by half a picture looks like a zoom by 2 %,
 * and is taken for going. s moves it aside, m along its axis (or zooms). Depth
 * along the axis becomes z D / c, so disparity becomes u c / D. Eight unknowns,
 * found by Gauss-Newton on the lumas over three sizes of the picture, with
 * Huber's weights against what moves by itself. Sums in double, in a fixed
 * order. Pure; any thread.
 */
#ifndef DQ_INFER_SHOT_MOTION_H
#define DQ_INFER_SHOT_MOTION_H

#include <math.h>

#include "infer/shot_scape.h"

enum { DQ_MOTION_UNKNOWNS = 8 };

/* What a camera may do; the fewer unknowns, the less of what moves of itself
 * can be taken for the camera's doing. */
enum dq_motion_kind {
    DQ_MOTION_TURN, /* t, kappa, roll */
    DQ_MOTION_GO,   /* and zeta, tz: along its axis */
    DQ_MOTION_FREE  /* and s: aside */
};

struct dq_motion {
    double t[2], s[2], zeta, tz, kappa, roll; /* [0]: across, [1]: down */
};

/* What a motion makes of every point alike. */
struct dq_turn {
    double c;      /* one over the turn's cosine */
    double across; /* (c - 1) / t^2 */
};

static inline struct dq_turn dq_motion_turn(const struct dq_motion *m)
{
    double c = sqrt(1 + m->kappa * (m->t[0] * m->t[0] + m->t[1] * m->t[1]));
    struct dq_turn turn = {.c = c, .across = m->kappa / (1 + c)};

    return turn;
}

/* Where the point at (x, y) of a with depth g is in c; returns D. */
static inline double dq_motion_to(const struct dq_motion *m,
                                  const struct dq_turn *turn, double x,
                                  double y, double g, double *to_x,
                                  double *to_y)
{
    double tx = m->t[0] * x + m->t[1] * y;
    double d = 1 - m->zeta - m->tz * g - m->kappa * tx;
    double by = 1 / d, rest = 1 - turn->across * tx;

    *to_x = (turn->c * x - m->roll * y + m->t[0] * rest + m->s[0] * g) * by;
    *to_y = (turn->c * y + m->roll * x + m->t[1] * rest + m->s[1] * g) * by;
    return d;
}

/* Find one of a kind, from what motion says at first; what the kind does not
 * do stays. False: the pictures do not hold it (flat, or it runs away); motion
 * is left as it was. */
int dq_motion_find(const struct dq_scape *a, const struct dq_scape *c,
                   enum dq_motion_kind kind, struct dq_motion *motion);

/* What is to be found begun with: standing still, a usual lens. */
struct dq_motion dq_motion_none(void);

/* Without what a camera of that kind does not do. */
void dq_motion_limit(enum dq_motion_kind kind, struct dq_motion *motion);

/* Twice as far: what a camera that goes on as it does will have done. */
struct dq_motion dq_motion_twice(const struct dq_motion *motion);

#endif
