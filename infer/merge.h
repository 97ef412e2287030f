/* merge: a network's answers to a frame's tiles become one frame.
 *
 *   answers -> align (align.h) -> blend (blend.h) -> low band -> depth
 *
 * No network, no I/O. Any thread: what is written is the caller's.
 */
#ifndef DQ_INFER_MERGE_H
#define DQ_INFER_MERGE_H

#include "infer/answers.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Answers that a session has filled for this plan, model and picture. depth
 * receives height x width of the network's quantity, aligned to the guide
 * where there is one and blended; sky (NULL: not wanted) the network's sky
 * channel. counts are added to. DQ_MEMORY. Same answers, same bits. */
int dq_merge(struct dq_answers *answers, const struct dq_tile_plan *plan,
             const struct dq_model *model, const struct dq_picture *picture,
             float *depth, float *sky, struct dq_tile_counts *counts,
             struct dq_err *err);

#ifdef __cplusplus
}
#endif
#endif
