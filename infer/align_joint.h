/* align_joint: all tiles of a frame together. Internal to align.
 *
 *   min  sum_k sum w (s_k t_k + b_k - g)^2
 *      + mu sum_kl sum_overlap w (s_k t_k + b_k - s_l t_l - b_l)^2
 *
 * (docs/depth.md, 5). Weights to the guide are frozen; those of the
 * overlaps go through Huber rounds. Overlaps are taken from the tiles at
 * their own resolution: neighbours agree there, which rescues a tile of sky
 * with one thin wire. */
#ifndef DQ_INFER_ALIGN_JOINT_H
#define DQ_INFER_ALIGN_JOINT_H

#include "infer/align_fit.h"

/* Where two tiles show the same pixels: means of 4 x 4 of them, from each. */
struct dq_lap {
    int k, l, n;
    double *p, *q; /* of tile k and of tile l; one allocation at p */
    double mu;     /* its own weight against the guide */
};

struct dq_laps {
    struct dq_lap *list;
    int count;
};

int dq_laps_new(const struct dq_align_job *job, struct dq_laps *laps,
                struct dq_err *err);
void dq_laps_free(struct dq_laps *laps);

/* What overlaps weigh against the guide, into laps: for the frame mu = (MAD of
 * the fits to the guide / MAD of the overlaps after their own best line)^2
 * within 0.3 .. 100, for they count as far as the network is affine from call
 * to call. An overlap that agrees less than the others weighs what the same
 * formula gives for it alone: else one bad tile pulls the whole frame's
 * scales down. Returns the frame's. */
double dq_align_mu(const struct dq_align_job *job, const struct dq_fit *fits,
                   double s0, struct dq_laps *laps);

/* Solve for x = s_0, b_0, s_1, b_1, ... of all tiles; s0 is the median scale
 * that the ridge ties undetermined ones to. DQ_MEMORY. */
int dq_align_joint(const struct dq_align_job *job,
                   const struct dq_blocks *blocks, const struct dq_fit *fits,
                   const struct dq_laps *laps, double s0, double *x,
                   struct dq_err *err);

#endif
