/* align_low_band: layout from the guide, detail from the tiles
 * (docs/depth.md, 7). A short Gaussian makes halos where the guide's edges
 * stand wrong; 8 guide pixels do not. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "infer/align_fit.h"
#include "io/resample.h"

static const double SIGMA = 8;

/* miss: the guide less the blend, at the guide's size; share: how much of
 * each guide pixel the picture covers with real pixels. */
struct bands {
    float *miss, *share, *spare;
    int w, h;
};

static int measure(const struct dq_align_job *job, const float *depth,
                   struct bands *b, struct dq_err *err)
{
    const struct dq_tile_plan *plan = job->plan;
    const struct dq_picture *p = job->picture;
    struct dq_window lattice = {-p->x, -p->y, (double)plan->width - p->x,
                                (double)plan->height - p->y};
    double sx = (double)plan->width / b->w, sy = (double)plan->height / b->h;

    if (dq_resample_window(depth, p->height, p->width, p->width, &lattice,
                           b->spare, b->h, b->w, err))
        return err->code;
    if (p->valid && dq_resample_window(p->valid, p->height, p->width, p->width,
                                       &lattice, b->share, b->h, b->w, err))
        return err->code;
    for (int y = 0; y < b->h; y++)
        for (int x = 0; x < b->w; x++) {
            int at = y * b->w + x;
            double want = dq_align_unit(job, (double)job->guide[at]);
            double is = dq_align_unit(job, (double)b->spare[at]);
            int covered = (x + 1) * sx > p->x && x * sx < p->x + p->width &&
                          (y + 1) * sy > p->y && y * sy < p->y + p->height;

            if (!p->valid)
                b->share[at] = 1;
            if (!covered || !dq_align_tells(job, want) ||
                !dq_align_tells(job, is))
                b->share[at] = 0;
            b->miss[at] = (float)(want - is) * b->share[at];
        }
    return DQ_OK;
}

/* Normalised: pixels that are not real pull nothing. */
static int smooth(struct bands *b, struct dq_err *err)
{
    size_t n = (size_t)b->w * (size_t)b->h;

    if (dq_resample_gauss(b->miss, b->h, b->w, SIGMA, b->spare, err))
        return err->code;
    memcpy(b->miss, b->spare, n * sizeof *b->miss);
    if (dq_resample_gauss(b->share, b->h, b->w, SIGMA, b->spare, err))
        return err->code;
    for (size_t i = 0; i < n; i++)
        b->miss[i] = b->spare[i] > 1e-3F ? b->miss[i] / b->spare[i] : 0;
    return DQ_OK;
}

/* Where pixel i of the lattice lies between two of n guide pixels. */
static int between(int i, int side, int n, float *part)
{
    double at = (i + 0.5) * n / side - 0.5;
    int low;

    at = fmax(0, fmin(n - 1, at));
    low = (int)at;
    if (low > n - 2)
        low = n > 1 ? n - 2 : 0;
    *part = n > 1 ? (float)(at - low) : 0;
    return low;
}

/* Bilinear upwards, row by row, straight into the picture. */
static void add_up(const struct dq_align_job *job, const struct bands *b,
                   float *depth)
{
    const struct dq_tile_plan *plan = job->plan;
    const struct dq_picture *p = job->picture;
    float *row = dq_new_array((size_t)b->w + 1, sizeof *row);
    int *low = dq_new_array((size_t)p->width, sizeof *low);
    float *part = dq_new_array((size_t)p->width, sizeof *part);

    for (int x = 0; x < p->width; x++)
        low[x] = between(p->x + x, plan->width, b->w, &part[x]);
    for (int y = 0; y < p->height; y++) {
        float v;
        int top = between(p->y + y, plan->height, b->h, &v);
        const float *a = b->miss + (size_t)top * (size_t)b->w;
        const float *c = b->h > 1 ? a + b->w : a;
        float *out = depth + (size_t)y * (size_t)p->width;

        for (int x = 0; x < b->w; x++)
            row[x] = a[x] + v * (c[x] - a[x]);
        row[b->w] = row[b->w - 1];
        for (int x = 0; x < p->width; x++) {
            float d = row[low[x]] + part[x] * (row[low[x] + 1] - row[low[x]]);

            out[x] = job->log_space ? out[x] * expf(d) : out[x] + d;
        }
    }
    free(part);
    free(low);
    free(row);
}

int dq_align_low_band(const struct dq_align_job *job, float *depth,
                      struct dq_err *err)
{
    struct bands b = {.w = job->plan->content_w, .h = job->plan->content_h};
    size_t n = (size_t)b.w * (size_t)b.h;
    int code;

    b.miss = dq_new_array(n * 3, sizeof *b.miss);
    b.share = b.miss + n;
    b.spare = b.share + n;
    code = measure(job, depth, &b, err);
    if (!code)
        code = smooth(&b, err);
    if (!code)
        add_up(job, &b, depth);
    free(b.miss);
    return code;
}
