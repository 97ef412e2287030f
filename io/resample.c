#include "io/resample.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static int no_memory(struct dq_err *err)
{
    return dq_fail(err, DQ_MEMORY, "no memory to resample a picture");
}

/* ---- area ---------------------------------------------------------------- */

/* Which samples one part of an axis averages, and how much of the first and
 * the last of them. */
struct part {
    int first, last;
    double head, tail; /* weight of first and of last; 1 between */
    double total;
};

static struct part part_of(double low, double high, int n)
{
    struct part p;

    if (low < 0)
        low = 0;
    if (high > n)
        high = n;
    if (!(high - low > 1e-9)) { /* outside: the nearest sample */
        p.first = p.last = (int)fmax(0, fmin(n - 1, floor(low)));
        p.head = p.tail = p.total = 1;
        return p;
    }
    p.first = (int)floor(low);
    p.last = (int)ceil(high) - 1;
    p.head = p.first == p.last ? high - low : p.first + 1 - low;
    p.tail = p.first == p.last ? 0 : high - p.last;
    p.total = high - low;
    if (p.first == p.last)
        p.tail = p.head;
    return p;
}

static void parts_of(double low, double high, int n, struct part *parts,
                     int count)
{
    for (int i = 0; i < count; i++)
        parts[i] = part_of(low + (high - low) * i / count,
                           low + (high - low) * (i + 1) / count, n);
}

static double weight_in(const struct part *p, int i)
{
    if (i == p->first)
        return p->head;
    return i == p->last ? p->tail : 1;
}

/* One row of in, averaged across into the parts of the x axis. */
static void average_across(const float *row, const struct part *parts, int ow,
                           double *out)
{
    for (int x = 0; x < ow; x++) {
        const struct part *p = &parts[x];
        double sum = p->head * (double)row[p->first];

        for (int i = p->first + 1; i < p->last; i++)
            sum += (double)row[i];
        if (p->last > p->first)
            sum += p->tail * (double)row[p->last];
        out[x] = sum / p->total;
    }
}

static void average_down(const float *in, int stride, const struct part *down,
                         const struct part *across, int ow, double *row,
                         double *sum, float *out)
{
    memset(sum, 0, (size_t)ow * sizeof *sum);
    for (int y = down->first; y <= down->last; y++) {
        double w = weight_in(down, y) / down->total;

        average_across(in + (size_t)y * (size_t)stride, across, ow, row);
        for (int x = 0; x < ow; x++)
            sum[x] += w * row[x];
    }
    for (int x = 0; x < ow; x++)
        out[x] = (float)sum[x];
}

int dq_resample_window(const float *in, int h, int w, int stride,
                       const struct dq_window *window, float *out, int oh,
                       int ow, struct dq_err *err)
{
    struct part *across = malloc((size_t)ow * sizeof *across);
    struct part *down = malloc((size_t)oh * sizeof *down);
    double *rows = malloc((size_t)ow * 2 * sizeof *rows);
    int code = across && down && rows ? DQ_OK : no_memory(err);

    if (!code) {
        parts_of(window->x0, window->x1, w, across, ow);
        parts_of(window->y0, window->y1, h, down, oh);
        for (int y = 0; y < oh; y++)
            average_down(in, stride, &down[y], across, ow, rows, rows + ow,
                         out + (size_t)y * (size_t)ow);
    }
    free(rows);
    free(down);
    free(across);
    return code;
}

int dq_resample_area(const float *in, int h, int w, float *out, int oh, int ow,
                     struct dq_err *err)
{
    struct dq_window whole = {0, 0, w, h};

    return dq_resample_window(in, h, w, w, &whole, out, oh, ow, err);
}

/* ---- linear and nearest -------------------------------------------------- */

struct between {
    int low, high;
    float part;
};

static void between_of(int n, int count, struct between *at)
{
    for (int i = 0; i < count; i++) {
        double x = (i + 0.5) * n / count - 0.5;

        x = fmax(0, fmin(n - 1, x));
        at[i].low = (int)x;
        at[i].high = at[i].low + 1 < n ? at[i].low + 1 : at[i].low;
        at[i].part = (float)(x - at[i].low);
    }
}

int dq_resample_linear(const float *in, int h, int w, float *out, int oh,
                       int ow, struct dq_err *err)
{
    struct between *across = malloc((size_t)ow * sizeof *across);
    struct between *down = malloc((size_t)oh * sizeof *down);
    int code = across && down ? DQ_OK : no_memory(err);

    if (!code) {
        between_of(w, ow, across);
        between_of(h, oh, down);
    }
    for (int y = 0; y < oh && !code; y++) {
        const float *a = in + (size_t)down[y].low * (size_t)w;
        const float *b = in + (size_t)down[y].high * (size_t)w;
        float v = down[y].part;

        for (int x = 0; x < ow; x++) {
            const struct between *c = &across[x];
            float top = a[c->low] + c->part * (a[c->high] - a[c->low]);
            float low = b[c->low] + c->part * (b[c->high] - b[c->low]);

            out[(size_t)y * (size_t)ow + (size_t)x] = top + v * (low - top);
        }
    }
    free(down);
    free(across);
    return code;
}

void dq_resample_nearest(const float *in, int h, int w, float *out, int oh,
                         int ow)
{
    for (int y = 0; y < oh; y++) {
        int64_t from = (2 * (int64_t)y + 1) * h / (2 * (int64_t)oh);

        for (int x = 0; x < ow; x++)
            out[(size_t)y * (size_t)ow + (size_t)x] =
                in[from * w + (2 * (int64_t)x + 1) * w / (2 * (int64_t)ow)];
    }
}

/* ---- Gaussian ------------------------------------------------------------ */

/* What a blur works with: the kernel, a row with its ends repeated, and the
 * sums of a row. One allocation. */
struct blur {
    int reach;
    double *kernel; /* 2 reach + 1 values that sum to one */
    double *padded; /* w + 2 reach */
    double *sum;    /* w */
};

static int blur_new(struct blur *b, double sigma, int w)
{
    size_t taps;
    double total = 0;

    b->reach = (int)(3 * sigma + 0.5);
    taps = 2 * (size_t)b->reach + 1;
    b->kernel = malloc((2 * taps + 2 * (size_t)w) * sizeof *b->kernel);
    if (!b->kernel)
        return -1;
    b->padded = b->kernel + taps;
    b->sum = b->padded + taps + w;
    for (int k = -b->reach; k <= b->reach; k++) {
        b->kernel[k + b->reach] = exp(-0.5 * (k / sigma) * (k / sigma));
        total += b->kernel[k + b->reach];
    }
    for (size_t k = 0; k < taps; k++)
        b->kernel[k] /= total;
    return 0;
}

static int within(int i, int n)
{
    return i < 0 ? 0 : i >= n ? n - 1 : i;
}

/* sum += weight * row; tap by tap over a whole row, so that the inner loop
 * has no ends to think of. */
static void add_row(double *sum, double weight, const double *row, int w)
{
    for (int x = 0; x < w; x++)
        sum[x] += weight * row[x];
}

static void blur_across(const struct blur *b, const float *in, int w,
                        float *out)
{
    for (int x = -b->reach; x < w + b->reach; x++)
        b->padded[x + b->reach] = (double)in[within(x, w)];
    memset(b->sum, 0, (size_t)w * sizeof *b->sum);
    for (int k = 0; k <= 2 * b->reach; k++)
        add_row(b->sum, b->kernel[k], b->padded + k, w);
    for (int x = 0; x < w; x++)
        out[x] = (float)b->sum[x];
}

static void blur_down(const struct blur *b, const float *in, int h, int w,
                      int y, float *out)
{
    memset(b->sum, 0, (size_t)w * sizeof *b->sum);
    for (int k = -b->reach; k <= b->reach; k++) {
        const float *row = in + (size_t)within(y + k, h) * (size_t)w;
        double weight = b->kernel[k + b->reach];

        for (int x = 0; x < w; x++)
            b->sum[x] += weight * (double)row[x];
    }
    for (int x = 0; x < w; x++)
        out[x] = (float)b->sum[x];
}

int dq_resample_gauss(const float *in, int h, int w, double sigma, float *out,
                      struct dq_err *err)
{
    float *half = malloc((size_t)h * (size_t)w * sizeof *half);
    struct blur b = {0};
    int code = half && !blur_new(&b, sigma, w) ? DQ_OK : no_memory(err);

    for (int y = 0; y < h && !code; y++)
        blur_across(&b, in + (size_t)y * (size_t)w, w,
                    half + (size_t)y * (size_t)w);
    for (int y = 0; y < h && !code; y++)
        blur_down(&b, half, h, w, y, out + (size_t)y * (size_t)w);
    free(b.kernel);
    free(half);
    return code;
}
