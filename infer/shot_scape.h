/* shot_scape: a frame as shot_motion wants it: its lumas in three sizes with
 * their slopes, and its guide as the world's depth. Internal to shot_match.
 *
 * Made once a frame, whatever it is matched with. Pure; any thread.
 */
#ifndef DQ_INFER_SHOT_SCAPE_H
#define DQ_INFER_SHOT_SCAPE_H

enum { DQ_SCAPE_SIZES = 3 };

struct dq_scape_size {
    int rows, cols; /* 0: the picture is too small for it */
    float *luma;    /* rows x cols, as the other two; owns all */
    float *depth;   /* the guide in units of its spread about its mean */
    float *shades;  /* 4 a pixel: luma, its slope across and down, 0 */
};

struct dq_scape {
    struct dq_scape_size sizes[DQ_SCAPE_SIZES]; /* the largest first: half of
                                                   the luma's sides */
    double mean, spread;                        /* of the guide */
    double aspect;                              /* height over width */
};

/* luma: rows x cols; guide: guide_rows x guide_cols over the same picture.
 * The caller frees. */
struct dq_scape *dq_scape_new(const float *luma, int rows, int cols,
                              const float *guide, int guide_rows,
                              int guide_cols);
void dq_scape_free(struct dq_scape *scape); /* NULL is fine */

/* p (rows x cols) at (y, x), which is inside: bilinear. */
static inline double dq_scape_sample(const float *p, int rows, int cols,
                                     double y, double x)
{
    int j = (int)y < rows - 2 ? (int)y : rows - 2;
    int i = (int)x < cols - 2 ? (int)x : cols - 2;
    double fy = y - j, fx = x - i, top, low;

    p += j * cols + i;
    top = (double)p[0] + fx * (double)(p[1] - p[0]);
    low = (double)p[cols] + fx * (double)(p[cols + 1] - p[cols]);
    return top + fy * (low - top);
}

/* A guide's value as g. */
static inline double dq_scape_depth(const struct dq_scape *scape, double value)
{
    return scape->spread > 0 ? (value - scape->mean) / scape->spread : 0;
}

#endif
