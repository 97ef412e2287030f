/* shot_solve: one scale and one shift a frame that hold a shot together.
 *
 * From every frame's guide (block means) and its luma: which frames see the
 * same points, where the cuts are, then two linear problems by banded Cholesky
 * in double (docs/depth.md, 9),
 *
 *   min sum q (x_a - x_c - log rho)^2             + lambda sum (x_t+1 - x_t)^2
 *   min sum q (s_a m_a + b_a - s_c m_c - b_c)^2   + lambda sum (b_t+1 - b_t)^2
 *
 * over pairs at lags 1, 2, 4, 8, 16 and to the stretch's anchor, with x = log
 * s. Both at once would collapse to s = 0; smoothing s would keep the flicker,
 * so lambda only bridges frames without evidence. Pure: the same input gives
 * the same bits, whatever made it, in whatever order, on any number of threads.
 */
#ifndef DQ_INFER_SHOT_SOLVE_H
#define DQ_INFER_SHOT_SOLVE_H

#include "base/err.h"
#include "infer/shot_pair.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { DQ_SHOT_LAG = 16 }; /* the longest of the lags: half the band */

/* What a scan leaves of one frame; borrowed. */
struct dq_shot_view {
    const float *guide; /* rows x cols block means of the network's quantity;
                           NULL: the frame is missing, its neighbours are
                           solved without it */
    const float *real;  /* rows x cols: 1 where the block is picture and not
                           sky or empty, 0 where not; NULL: all is */
    const float *luma;  /* luma_rows x luma_cols, encoded, 0..1; best without
                           its low band */
};

struct dq_shot_views {
    int count;
    int rows, cols;           /* of the guides' blocks */
    int luma_rows, luma_cols; /* powers of two, over the same picture */
    const struct dq_shot_view *frames;
    int log_space; /* the network's scale is known: values are logs, s = 1 */
    int threads;   /* that may match pairs; less than 2: the caller's */
    void (*going)(void *context); /* again and again, from the caller's thread,
                                     or NULL: a long shot takes its time and is
                                     no hang */
    void *context;
};

/* What pairs tell of a frame's place. A camera that goes, without sky in view,
 * tells its scale, and its shift only as well as parallax tells where infinity
 * is. */
enum dq_known { DQ_KNOWN_NOTHING, DQ_KNOWN_SCALE, DQ_KNOWN_BOTH };

/* u of frame t becomes scale u + shift, in its stretch's anchor's numbers. */
struct dq_frame_affine {
    double scale, shift;
    int stretch;  /* 0, 1, ...: a cut begins a new one, with its own anchor */
    int anchor;   /* 1: scale 1 and shift 0 by definition */
    int evidence; /* pairs that speak for the frame; 0: bridged by lambda, or
                     alone in its stretch */
    enum dq_known known;
};

/* Solve a whole shot: affine[count]. Never fails for what pictures hold;
 * DQ_BUG for sizes that make no sense. */
int dq_shot_solve(const struct dq_shot_views *views,
                  struct dq_frame_affine *affine, struct dq_err *err);

/* ---- its parts, for tests ------------------------------------------------ */

/* Robust differences over frames first .. end of one stretch: x[t] with
 * x[anchor] = 0 that fits target[i] = x[a] - x[c] (Huber, 4 rounds on the
 * pairs' residuals, weights q / max q). Pairs outside are left out; of those
 * farther apart than DQ_SHOT_LAG one must be the anchor. */
void dq_shot_differences(const struct dq_pair *pairs, const double *target,
                         int count, int first, int end, int anchor, double *x);

#ifdef __cplusplus
}
#endif
#endif
