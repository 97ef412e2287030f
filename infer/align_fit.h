/* align_fit: one tile against the guide, by block means. Internal to align.
 *
 * docs/depth.md, 4. Blocks of 4 guide pixels are laid over guide and
 * tiles alike; a tile uses those that lie wholly inside it. */
#ifndef DQ_INFER_ALIGN_FIT_H
#define DQ_INFER_ALIGN_FIT_H

#include "base/err.h"
#include "infer/align.h"

/* The guide on the grid of blocks. */
struct dq_blocks {
    int rows, cols;
    double height, width; /* of a block, lattice pixels */
    float *guide;         /* rows x cols: mean of the guide */
    float *weight;        /* low at its edges, 0 where nothing is real */
    double spread;        /* standard deviation of all guide blocks */
    double level;         /* the largest of them, without its sign */
};

struct dq_fit {
    int n;             /* blocks */
    double *t, *g, *w; /* tile mean, guide mean, final weight */
    double s, b;
    double total;   /* sum of w */
    int determined; /* the guide fixes the scale too */
};

int dq_blocks_new(const struct dq_align_job *job, struct dq_blocks *blocks,
                  struct dq_err *err);
void dq_blocks_free(struct dq_blocks *blocks);

/* Robust line g = s t + b over tile k's blocks; log_space: s is 1. */
int dq_fit_tile(const struct dq_align_job *job, const struct dq_blocks *blocks,
                int k, struct dq_fit *fit, struct dq_err *err);
void dq_fit_free(struct dq_fit *fit);

/* Shared with the joint solve. */

/* Residuals below this share of the guide's spread are agreement: no robust
 * weight may tell them apart. Sky and other exactly flat ground agree to the
 * last bit; where they fill half of a tile the MAD is nought, and without a
 * floor all that has depth would be an outlier. */
#define DQ_ALIGN_EXACT 2e-4

double dq_median(double *values, int n); /* reorders them */
/* Huber's weights for residuals r: min(1, d / |r|), d = 1.345 * 1.4826 * MAD
 * + floor, times base (NULL: 1). scratch holds n values. */
void dq_huber(const double *r, const double *base, int n, double floor,
              double *scratch, double *w);
/* log of a positive value, or the value. */
double dq_align_unit(const struct dq_align_job *job, double value);
/* Whether a value in that unit says anything: a log of what is not above 0
 * (sky at disparity 0) does not. */
int dq_align_tells(const struct dq_align_job *job, double unit);

#endif
