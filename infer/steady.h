/* steady: a shot's guides to one scale and shift a frame, and one range of
 * output (docs/depth.md, 9). Internal to infer/.
 *
 * Guides become block means (of 4 guide pixels), in log space for networks
 * whose scale is known up to a factor, and lumas of a size that a spectrum
 * takes; shot_solve does the rest. Afterwards
 *
 *   - every stretch between two cuts has an anchor of its own and so numbers
 *     of its own: with an unknown scale its 0.5 % and 99.5 % quantiles are
 *     moved to those of the longest stretch, for one mapping serves the shot;
 *   - a metric network's scale is right already: only what differs from the
 *     trend of the frames around (a straight line by triangular weights, 16
 *     frames to either side) is taken away, never the trend.
 *
 * Pure; the same bits whoever made the guides. One thread may call; a solve
 * has its own besides.
 */
#ifndef DQ_INFER_STEADY_H
#define DQ_INFER_STEADY_H

#include "infer/guide.h"
#include "infer/shot_solve.h"

struct dq_steady; /* guides as the solver wants them */

/* For count frames of guides of one size. */
struct dq_steady *dq_steady_new(const struct dq_recipe *recipe, int count,
                                int width, int height);
void dq_steady_free(struct dq_steady *steady); /* NULL is fine */

/* going is called again and again while dq_steady_solve works, from its
 * thread. */
void dq_steady_tell(struct dq_steady *steady, void (*going)(void *context),
                    void *context);

/* So many threads may solve (1 unless told): the bits are the same. */
void dq_steady_threads(struct dq_steady *steady, int threads);

/* Bytes that it holds once all frames are told, while they are solved. */
size_t dq_steady_bytes(const struct dq_steady *steady);

/* The guide of frame at; those never told are missing. DQ_MEMORY; DQ_PLATE:
 * its size is another. */
int dq_steady_add(struct dq_steady *steady, int at,
                  const struct dq_guide *guide, struct dq_err *err);

/* place[count] and the range of all frames. Every frame gets a finite
 * place, whatever pictures hold. DQ_MISSING: no guide at all. */
int dq_steady_solve(struct dq_steady *steady, struct dq_frame_affine *place,
                    double *range_low, double *range_high, struct dq_err *err);

/* Frame `late` (its guide was added) beside frozen ones whose places are
 * given: fitted to them by their pairs. Without evidence: the nearest one's
 * place, or, when a cut lies between, its own quantiles moved to the range. */
int dq_steady_fit(struct dq_steady *steady,
                  const struct dq_frame_affine *frozen, int late, int nearest,
                  double range_low, double range_high,
                  struct dq_frame_affine *place, struct dq_err *err);

#endif
