#include "infer/align_fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sorted.h"
#include "io/resample.h"

enum { BLOCK = 4, LEAST_BLOCKS = 4, ROUNDS = 5 };

/* Below this a metric answer is no distance; its log would rule the fit. */
static const double LEAST_POSITIVE = 1e-6;

/* A tile whose guide blocks spread by 1 % of the frame's has a scale, and so
 * has one of a tenth of that which the guide follows to the letter. */
static const double VARIED = 1e-4, FOLLOWED = 1e-6, LETTER = 0.99;

double dq_align_unit(const struct dq_align_job *job, double value)
{
    return job->log_space ? log(fmax(value, LEAST_POSITIVE)) : value;
}

int dq_align_tells(const struct dq_align_job *job, double unit)
{
    return !job->log_space || unit > log(2 * LEAST_POSITIVE);
}

/* ---- robust tools -------------------------------------------------------- */

double dq_median(double *values, int n)
{
    if (n < 1)
        return 0;
    dq_sort_doubles(values, (size_t)n);
    return n % 2 ? values[n / 2] : 0.5 * (values[n / 2 - 1] + values[n / 2]);
}

void dq_huber(const double *r, const double *base, int n, double floor,
              double *scratch, double *w)
{
    double middle, reach;

    memcpy(scratch, r, (size_t)n * sizeof *r);
    middle = dq_median(scratch, n);
    for (int i = 0; i < n; i++)
        scratch[i] = fabs(r[i] - middle);
    reach = 1.345 * (1.4826 * dq_median(scratch, n) + floor);
    for (int i = 0; i < n; i++) {
        double size = fabs(r[i]); /* 0 within 0 counts in full */

        w[i] = (base ? base[i] : 1) * (size <= reach ? 1 : reach / size);
    }
}

/* ---- the grid ------------------------------------------------------------ */

static int blocks_along(int side)
{
    int n = (side + BLOCK / 2) / BLOCK;

    return n < LEAST_BLOCKS ? LEAST_BLOCKS : n;
}

static double spread_of(const float *v, int n)
{
    double sum = 0, squares = 0;

    for (int i = 0; i < n; i++)
        sum += (double)v[i];
    for (int i = 0; i < n; i++)
        squares += ((double)v[i] - sum / n) * ((double)v[i] - sum / n);
    return sqrt(squares / n);
}

/* 1 / (1 + (r / (0.05 spread))^2), r the range over 3 x 3 blocks: low where
 * the guide's edges may stand in the wrong place. */
static void weigh_edges(struct dq_blocks *b)
{
    for (int y = 0; y < b->rows; y++)
        for (int x = 0; x < b->cols; x++) {
            float low = INFINITY, high = -INFINITY;
            double r;

            for (int j = y > 0 ? y - 1 : 0; j <= y + 1 && j < b->rows; j++)
                for (int i = x > 0 ? x - 1 : 0; i <= x + 1 && i < b->cols;
                     i++) {
                    low = fminf(low, b->guide[j * b->cols + i]);
                    high = fmaxf(high, b->guide[j * b->cols + i]);
                }
            r = (double)(high - low) / (0.05 * b->spread + 1e-30);
            b->weight[y * b->cols + x] = (float)(1 / (1 + r * r));
        }
}

/* Blocks that are not wholly real pixels do not count. */
static int leave_out_unreal(const struct dq_align_job *job, struct dq_blocks *b,
                            struct dq_err *err)
{
    const struct dq_picture *p = job->picture;
    struct dq_window lattice = {-p->x, -p->y, (double)job->plan->width - p->x,
                                (double)job->plan->height - p->y};
    size_t n = (size_t)b->rows * (size_t)b->cols;
    float *real = p->valid ? dq_new_array(n, sizeof *real) : NULL;
    int code = DQ_OK;

    if (real)
        code = dq_resample_window(p->valid, p->height, p->width, p->width,
                                  &lattice, real, b->rows, b->cols, err);
    for (int y = 0; y < b->rows && !code; y++)
        for (int x = 0; x < b->cols; x++) {
            int at = y * b->cols + x;
            int inside = x * b->width >= p->x - 1e-6 &&
                         (x + 1) * b->width <= p->x + p->width + 1e-6 &&
                         y * b->height >= p->y - 1e-6 &&
                         (y + 1) * b->height <= p->y + p->height + 1e-6;

            if (!inside || (real && !(real[at] > 0.999F)))
                b->weight[at] = 0;
        }
    free(real);
    return code;
}

int dq_blocks_new(const struct dq_align_job *job, struct dq_blocks *b,
                  struct dq_err *err)
{
    const struct dq_tile_plan *plan = job->plan;
    size_t n;

    memset(b, 0, sizeof *b);
    b->rows = blocks_along(plan->content_h);
    b->cols = blocks_along(plan->content_w);
    b->height = (double)plan->height / b->rows;
    b->width = (double)plan->width / b->cols;
    n = (size_t)b->rows * (size_t)b->cols;
    b->guide = dq_new_array(n, sizeof *b->guide);
    b->weight = dq_new_array(n, sizeof *b->weight);
    if (dq_resample_area(job->guide, plan->content_h, plan->content_w, b->guide,
                         b->rows, b->cols, err))
        return err->code;
    for (size_t i = 0; i < n; i++)
        b->guide[i] = (float)dq_align_unit(job, (double)b->guide[i]);
    b->spread = spread_of(b->guide, (int)n);
    for (size_t i = 0; i < n; i++)
        b->level = fmax(b->level, fabs((double)b->guide[i]));
    weigh_edges(b);
    return leave_out_unreal(job, b, err);
}

void dq_blocks_free(struct dq_blocks *b)
{
    free(b->guide);
    free(b->weight);
    memset(b, 0, sizeof *b);
}

/* ---- a tile's blocks ----------------------------------------------------- */

/* First and one past the last block that lies wholly in start .. start + n. */
static void inside(double start, double n, double size, int count, int *first,
                   int *end)
{
    *first = (int)ceil((start - 1e-6) / size);
    *end = (int)floor((start + n + 1e-6) / size);
    if (*first < 0)
        *first = 0;
    if (*end > count)
        *end = count;
    if (*end < *first)
        *end = *first;
}

static int take_blocks(const struct dq_align_job *job,
                       const struct dq_blocks *b, int k, struct dq_fit *fit,
                       struct dq_err *err)
{
    const struct dq_tile_plan *plan = job->plan;
    const struct dq_tile *t = &plan->tiles[k];
    int x0, x1, y0, y1, code = DQ_OK;
    struct dq_window box;
    float *mean;

    inside(t->x, plan->tile_w, b->width, b->cols, &x0, &x1);
    inside(t->y, plan->tile_h, b->height, b->rows, &y0, &y1);
    fit->n = (x1 - x0) * (y1 - y0);
    fit->t = dq_new_array((size_t)fit->n * 3 + 1, sizeof *fit->t);
    fit->g = fit->t + fit->n;
    fit->w = fit->g + fit->n;
    if (fit->n == 0)
        return DQ_OK;
    mean = dq_new_array((size_t)fit->n, sizeof *mean);
    box.x0 = x0 * b->width - t->x;
    box.x1 = x1 * b->width - t->x;
    box.y0 = y0 * b->height - t->y;
    box.y1 = y1 * b->height - t->y;
    code = dq_resample_window(job->tiles[k], plan->tile_h, plan->tile_w,
                              plan->tile_w, &box, mean, y1 - y0, x1 - x0, err);
    for (int i = 0; i < fit->n && !code; i++) {
        int at = (y0 + i / (x1 - x0)) * b->cols + x0 + i % (x1 - x0);

        fit->t[i] = dq_align_unit(job, (double)mean[i]);
        fit->g[i] = (double)b->guide[at];
        fit->w[i] =
            dq_align_tells(job, fit->t[i]) && dq_align_tells(job, fit->g[i])
                ? (double)b->weight[at]
                : 0;
    }
    free(mean);
    return code;
}

/* ---- the line ------------------------------------------------------------ */

/* Weighted least squares about the means: the form with a determinant loses
 * digits where the spread is small against the level. */
static void line(struct dq_fit *f, const double *w, int log_space)
{
    double total = 1e-300, mt = 0, mg = 0, tt = 0, tg = 0;

    for (int i = 0; i < f->n; i++) {
        total += w[i];
        mt += w[i] * f->t[i];
        mg += w[i] * f->g[i];
    }
    mt /= total;
    mg /= total;
    for (int i = 0; i < f->n; i++) {
        tt += w[i] * (f->t[i] - mt) * (f->t[i] - mt);
        tg += w[i] * (f->t[i] - mt) * (f->g[i] - mg);
    }
    f->s = log_space ? 1 : tt > 0 ? tg / tt : 0;
    f->b = mg - f->s * mt;
}

/* Whether the blocks left tell a scale: the variance that the line explains,
 * against the frame's and against what it leaves over. */
static int tells_scale(const struct dq_fit *f, double spread)
{
    double total = 1e-300, mean = 0, sum = 0, rest = 0;

    for (int i = 0; i < f->n; i++) {
        total += f->w[i];
        mean += f->w[i] * f->t[i];
    }
    mean /= total;
    for (int i = 0; i < f->n; i++) {
        double r = f->s * f->t[i] + f->b - f->g[i];

        sum += f->w[i] * f->s * f->s * (f->t[i] - mean) * (f->t[i] - mean);
        rest += f->w[i] * r * r;
    }
    return sum / total > VARIED * spread * spread ||
           (sum / total > FOLLOWED * spread * spread &&
            sum > LETTER * (sum + rest));
}

/* Share of the blocks that count at all which kept half of their weight. */
static double inliers(const struct dq_fit *f, const double *base)
{
    int kept = 0, counted = 0;

    for (int i = 0; i < f->n; i++) {
        counted += base[i] > 0;
        kept += base[i] > 0 && f->w[i] > 0.5 * base[i];
    }
    return counted ? (double)kept / counted : 0;
}

static void solve_line(const struct dq_align_job *job,
                       const struct dq_blocks *b, struct dq_fit *f,
                       double *scratch)
{
    size_t bytes = (size_t)f->n * sizeof *f->w;
    double *base = scratch, *r = scratch + f->n, *spare = r + f->n;

    /* what a flat guide leaves are rounding errors: all count */
    double floor = DQ_ALIGN_EXACT * b->spread + 1e-12 * b->level;

    memcpy(base, f->w, bytes);
    for (int round = 0; round < ROUNDS; round++) {
        line(f, f->w, job->log_space);
        for (int i = 0; i < f->n; i++)
            r[i] = f->s * f->t[i] + f->b - f->g[i];
        dq_huber(r, base, f->n, floor, spare, f->w);
    }
    line(f, f->w, job->log_space);
    for (int i = 0; i < f->n; i++)
        f->total += f->w[i];
    f->determined = f->s > 0 && inliers(f, base) >= 0.3 &&
                    (job->log_space || tells_scale(f, b->spread));
}

int dq_fit_tile(const struct dq_align_job *job, const struct dq_blocks *blocks,
                int k, struct dq_fit *fit, struct dq_err *err)
{
    double *scratch;

    memset(fit, 0, sizeof *fit);
    if (take_blocks(job, blocks, k, fit, err))
        return err->code;
    scratch = dq_new_array((size_t)fit->n * 3 + 1, sizeof *scratch);
    if (fit->n > 0)
        solve_line(job, blocks, fit, scratch);
    free(scratch);
    return DQ_OK;
}

void dq_fit_free(struct dq_fit *fit)
{
    free(fit->t);
    memset(fit, 0, sizeof *fit);
}
