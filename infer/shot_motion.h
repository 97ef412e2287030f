/* shot_motion: how the picture of frame a becomes that of frame c, for a
 * camera that turns, goes or zooms in a world that stands. Internal to
 * shot_match.
 *
 * The guide is the world's depth up to a scale and shift, and those drop into
 * the unknowns: with X, Y in half picture widths about the middle and g the
 * guide of a in units of its spread about its mean,
 *
 *   D = 1 - m - kappa t . (X, Y)        m = zeta + tz g
 *   (X, Y) -> ((X, Y) + roll (-Y, X) + t + s g) / D
 *
 * t and roll turn the camera (kappa: the lens's (half width / focal length)^2),
 * s moves it aside, m along its axis (or zooms). Depth along the axis becomes z
 * D, so disparity becomes u / D. Eight unknowns, found by Gauss-Newton on the
 * lumas over three sizes of the picture, with Huber's weights against what
 * moves by itself. Sums in double, in a fixed order. Pure; any thread.
 */
#ifndef DQ_INFER_SHOT_MOTION_H
#define DQ_INFER_SHOT_MOTION_H

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

/* Where the point at (x, y) of a with depth g is in c; returns D. */
static inline double dq_motion_to(const struct dq_motion *motion, double x,
                                  double y, double g, double *to_x,
                                  double *to_y)
{
    const struct dq_motion *m = motion;
    double d = 1 - m->zeta - m->tz * g - m->kappa * (m->t[0] * x + m->t[1] * y);
    double by = 1 / d;

    *to_x = (x - m->roll * y + m->t[0] + m->s[0] * g) * by;
    *to_y = (y + m->roll * x + m->t[1] + m->s[1] * g) * by;
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
