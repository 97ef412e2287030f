/* shot_points: the points of two frames of a shot that a way to match them
 * brings together. Internal to shot_match.
 *
 * One matcher a thread. What is gathered last stands in u, v, w, luma_a,
 * luma_c, at and turn; n is how many points. Sums in double, in a fixed order.
 */
#ifndef DQ_INFER_SHOT_POINTS_H
#define DQ_INFER_SHOT_POINTS_H

#include "infer/phase.h"
#include "infer/shot_match.h"
#include "infer/shot_motion.h"

/* A luma's pattern weaker than this is grain. */
#define DQ_POINTS_FLAT 0.003

/* Spectra and pictures kept: the longest lag, both ends, and the anchor's. */
enum { DQ_POINTS_KEPT = DQ_SHOT_LAG + 2 };

struct dq_kept {
    int frame; /* -1: none */
    long used;
    struct dq_spectrum *spectrum;
    struct dq_scape *scape;
};

struct dq_matcher {
    const struct dq_shot_views *views;
    struct dq_kept kept[DQ_POINTS_KEPT];
    long clock;
    float **weight;    /* a frame: low at depth edges, 0 unreal; lazily */
    double *u, *v, *w; /* of a pair's blocks */
    double *luma_a, *luma_c;
    double *turn;    /* by how much a camera's turn alone changes depth */
    double *scratch; /* n values */
    double *off[4];  /* n values each */
    double *sums;    /* two of (rows + 1) x (cols + 1) */
    int *at;         /* block of each point */
    int from, to;    /* the last pair whose motion was found, */
    struct dq_motion found; /* and its motion */
};

/* A frame's spectrum and scape, made when they are not kept. */
const struct dq_kept *dq_points_kept(struct dq_matcher *m, int t);

/* By one shift of the whole picture (in blocks) -> n. */
int dq_points_shift(struct dq_matcher *m, int a, int c, double dy, double dx);

/* By a motion -> n. */
int dq_points_motion(struct dq_matcher *m, int a, int c,
                     const struct dq_motion *motion);

/* Points whose lumas do not agree, nor those about them, lose their weight:
 * what moves by itself, what comes into view. */
void dq_points_trust(struct dq_matcher *m, int n);

/* u as it would be said from where c stands, after a motion. Needs the weights
 * that trust leaves. */
void dq_points_move(struct dq_matcher *m, int a, const struct dq_motion *motion,
                    int n);

#endif
