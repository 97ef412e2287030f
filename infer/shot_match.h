/* shot_match: which blocks of two frames show the same points. Internal to
 * shot_solve.
 *
 * First one shift a pair by phase correlation of the luma, then the camera's
 * motion with the guide as the world's depth (shot_motion.h), which starts
 * there and stands back when the lumas agree less by it. Half of the way goes
 * to either frame: if one alone were sampled between blocks it would lose
 * contrast, and every pair would lean the same way. A camera that goes, or
 * turns, changes the depth of what stands: values of a are brought to where c
 * stands before they are compared, so a dolly needs no horizon. Points whose
 * lumas do not agree count less. */
#ifndef DQ_INFER_SHOT_MATCH_H
#define DQ_INFER_SHOT_MATCH_H

#include <stddef.h>

#include "base/err.h"
#include "infer/shot_motion.h"
#include "infer/shot_solve.h"

/* What a thread needs to match pairs: it keeps the last frames' pictures. */
struct dq_matcher;

/* views are borrowed until dq_matcher_free. DQ_BUG for impossible sizes. */
struct dq_matcher *dq_matcher_new(const struct dq_shot_views *views,
                                  struct dq_err *err);
void dq_matcher_free(struct dq_matcher *matcher);

/* Bytes that one holds once it has matched a few pairs. */
size_t dq_matcher_bytes(const struct dq_shot_views *views);

/* What two frames show of each other. */
struct dq_match {
    double same;         /* correlation of the lumas at matched blocks; -2: a
                            frame is missing, or flat */
    int tells;           /* pair holds evidence: not so when a frame is missing,
                            the lumas do not correlate, the guides say nothing */
    struct dq_pair pair; /* its statistics */
    int moved;           /* by this motion */
    struct dq_motion motion;
};

/* Match frames a and c. half: what came of a and the frame half as far away,
 * whose motion is expected to go on; NULL: nothing did. The same whatever the
 * matcher has matched before. */
void dq_match(struct dq_matcher *matcher, int a, int c,
              const struct dq_match *half, struct dq_match *match);

/* Whether c shows another place than a: both lumas have a pattern and do not
 * correlate, however shifted. A black, white or flat frame is no cut. */
int dq_match_is_cut(const struct dq_match *match);

#endif
