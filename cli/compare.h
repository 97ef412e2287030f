/* compare: two depth passes of one shot, number by number. Private to
 * depthq-compare.
 *
 * A depth network knows no metres, so another one's answer differs by a scale
 * and a shift that mean nothing: one pair for the whole shot is fitted and
 * taken out (least squares over every pixel that both have; one a frame would
 * hide flicker). What is left is told in shares of the old pass's range, its
 * 1 % to 99 % quantiles. Sky and what is not finite is left out. One thread.
 */
#ifndef DQ_CLI_COMPARE_H
#define DQ_CLI_COMPARE_H

#include <stddef.h>
#include <stdint.h>
#include "base/err.h"
#include "base/range.h"
#include "base/sequence.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dq_compare_frame {
    int32_t frame;
    int64_t pixels;          /* that both have */
    double mean, p95, worst; /* of |old - (scale new + shift)|, shares */
    double correlation;      /* Pearson's, of old and new; 0 when flat */
    /* mean |change since the frame before|, as a share of the pass's own
     * range: where a pass flickers the fit is poor. -1: that frame is not
     * there */
    double flicker_old, flicker_new;
    struct dq_err err; /* code 0, or why it was not compared */
};

struct dq_compare {
    double scale, shift;      /* old ~ scale new + shift */
    double low, high;         /* old's quantiles, */
    double new_low, new_high; /* and new's */
    struct dq_compare_frame *frames;
    size_t count, failed;
};

/* Compare the frames (of old and new, on disk). A frame that cannot be read, or
 * whose windows differ, fails alone. DQ_PLATE: nothing is left to be fitted
 * (flat, or no frame could be read). Free in every case. */
int dq_compare_run(const struct dq_sequence *old,
                   const struct dq_sequence *newer,
                   const struct dq_range *frames, struct dq_compare *compare,
                   struct dq_err *err);
void dq_compare_free(struct dq_compare *compare);

/* compare_sheet.c: old over new, of at most 8 frames, each `width` across, in
 * one range of colours, as a PNG. DQ_CONFIG in a build that cannot draw. */
int dq_compare_sheet(const struct dq_sequence *old,
                     const struct dq_sequence *newer,
                     const struct dq_compare *compare, int width,
                     const char *output, struct dq_err *err);

#ifdef __cplusplus
}
#endif
#endif
