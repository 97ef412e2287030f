/* shot_pairs: all the pairs of a shot, matched: which frames see the same
 * points, where the cuts are, which frame anchors each stretch. Internal to
 * shot_solve.
 *
 * Pairs are at lags 1, 2, 4, 8, 16 and, farther, with the stretch's anchor.
 * On views->threads threads; what is found, and its order, is the same for any
 * number of them: every frame's pairs have a place of their own, and a pair
 * comes out the same whoever matched what before.
 */
#ifndef DQ_INFER_SHOT_PAIRS_H
#define DQ_INFER_SHOT_PAIRS_H

#include "base/err.h"
#include "infer/shot_solve.h"

struct dq_pairs {
    struct dq_pair *list; /* by rising first frame; owned */
    int count;
};

/* How many of views->threads have work in it, each with a matcher of its own;
 * at least 1. */
int dq_pairs_threads(const struct dq_shot_views *views);

/* Sets affine[t].stretch, anchors[stretch] (the middle one of the frames that
 * are there; -1: none is; count of them at most) and pairs, whose list the
 * caller frees. DQ_BUG for sizes that make no sense. */
int dq_pairs_find(const struct dq_shot_views *views,
                  struct dq_frame_affine *affine, int *anchors,
                  struct dq_pairs *pairs, struct dq_err *err);

/* The frame after the last of the stretch that first is in. */
int dq_stretch_end(const struct dq_frame_affine *affine, int count, int first);

#endif
