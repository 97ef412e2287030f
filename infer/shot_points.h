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

/* Frames kept as they are matched: the longest lag, both ends, and the
 * anchor; spectra, of which few pairs need one: of a pair, and the anchor. */
enum { DQ_POINTS_KEPT = DQ_SHOT_LAG + 2, DQ_POINTS_SPECTRA = 3 };

struct dq_kept {
    struct dq_scape *scape;
    float *weight; /* a block: low at depth edges, 0 unreal */
};

/* Whose a kept thing is, and when it was asked for last. */
struct dq_place {
    int frame; /* -1: nobody's */
    long used;
};

/* How the points of a come to c: by one shift of the whole picture (blocks),
 * or by a motion. */
struct dq_course {
    double dy, dx;
    const struct dq_motion *motion; /* NULL: by the shift */
};

struct dq_matcher {
    const struct dq_shot_views *views;
    struct dq_kept kept[DQ_POINTS_KEPT];
    struct dq_spectrum *spectra[DQ_POINTS_SPECTRA];
    struct dq_place kept_of[DQ_POINTS_KEPT], spectrum_of[DQ_POINTS_SPECTRA];
    long clock;
    int step;          /* of the blocks that a look takes, either way */
    double *u, *v, *w; /* of a pair's blocks */
    double *luma_a, *luma_c;
    double *turn;    /* by how much a camera's turn alone changes depth */
    double *scratch; /* n values */
    double *off[4];  /* n values each */
    double *sums;    /* two of (rows + 1) x (cols + 1) */
    int *at;         /* block of each point */
};

/* A frame's scape and weights, and its spectrum, made when they are not kept.
 * Good until other frames are asked for. */
const struct dq_kept *dq_points_kept(struct dq_matcher *m, int t);
const struct dq_spectrum *dq_points_spectrum(struct dq_matcher *m, int t);

/* The lumas alone, of some blocks evenly spread -> n: enough to judge by. */
int dq_points_look(struct dq_matcher *m, int a, int c,
                   const struct dq_course *course);

/* How many a look finds when all of a is in c. */
int dq_points_looked(const struct dq_matcher *m);

/* All, of all blocks -> n. */
int dq_points_gather(struct dq_matcher *m, int a, int c,
                     const struct dq_course *course);

/* Points whose lumas do not agree, nor those about them, lose their weight:
 * what moves by itself, what comes into view. */
void dq_points_trust(struct dq_matcher *m, int n);

/* u as it would be said from where c stands, after a motion. Needs the weights
 * that trust leaves. False: the camera goes and no sky is in view, so that only
 * parallax tells what the guide says at infinity: scale holds, the level is as
 * good as that. */
int dq_points_move(struct dq_matcher *m, int a, const struct dq_motion *motion,
                   int n);

#endif
