#include "infer/phase.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const double PI = 3.14159265358979323846;

struct dq_spectrum {
    int rows, cols;
    double *v; /* rows x cols pairs of real and imaginary part */
};

/* ---- Fourier ------------------------------------------------------------- */

/* Bits of i in reverse order. */
static void shuffle(double *v, int n)
{
    for (int i = 1, j = 0; i < n; i++) {
        int bit = n >> 1;

        for (; j & bit; bit >>= 1)
            j ^= bit;
        j ^= bit;
        if (i < j)
            for (int k = 0; k < 2; k++) {
                double was = v[2 * i + k];

                v[2 * i + k] = v[2 * j + k];
                v[2 * j + k] = was;
            }
    }
}

/* Radix 2, in place; turns: n / 2 pairs of cosine and sine of -2 pi i / n. */
static void transform(double *v, int n, const double *turns, int back)
{
    shuffle(v, n);
    for (int half = 1; half < n; half *= 2) {
        int step = n / (2 * half);

        for (int at = 0; at < n; at += 2 * half)
            for (int i = 0; i < half; i++) {
                double c = turns[2 * i * step];
                double s =
                    back ? -turns[2 * i * step + 1] : turns[2 * i * step + 1];
                double *a = v + 2 * (at + i), *b = a + 2 * half;
                double re = b[0] * c - b[1] * s, im = b[0] * s + b[1] * c;

                b[0] = a[0] - re;
                b[1] = a[1] - im;
                a[0] += re;
                a[1] += im;
            }
    }
}

static double *turns_new(int n)
{
    double *turns = dq_new_array((size_t)n + 2, sizeof *turns);

    for (int i = 0; i < n / 2; i++) {
        turns[2 * i] = cos(2 * PI * i / n);
        turns[2 * i + 1] = -sin(2 * PI * i / n);
    }
    return turns;
}

/* Columns that share what a cache fetches. */
enum { TOGETHER = 4 };

/* Some columns from x on, through a buffer of as many lines. */
static void transform_columns(double *v, int rows, int cols, int x, int count,
                              const double *turns, int back, double *lines)
{
    size_t w = (size_t)cols * 2, length = (size_t)rows * 2;

    for (int y = 0; y < rows; y++)
        for (int i = 0; i < count; i++)
            memcpy(lines + (size_t)i * length + 2 * y,
                   v + (size_t)y * w + 2 * (size_t)(x + i), 2 * sizeof *v);
    for (int i = 0; i < count; i++)
        transform(lines + (size_t)i * length, rows, turns, back);
    for (int y = 0; y < rows; y++)
        for (int i = 0; i < count; i++)
            memcpy(v + (size_t)y * w + 2 * (size_t)(x + i),
                   lines + (size_t)i * length + 2 * y, 2 * sizeof *v);
}

/* Rows, then columns. */
static void transform_2d(double *v, int rows, int cols, int back)
{
    double *across = turns_new(cols), *down = turns_new(rows);
    double *lines = dq_new_array((size_t)rows * 2 * TOGETHER, sizeof *lines);
    int together = cols < TOGETHER ? cols : TOGETHER;

    for (int y = 0; y < rows; y++)
        transform(v + (size_t)y * (size_t)cols * 2, cols, across, back);
    for (int x = 0; x < cols; x += together)
        transform_columns(v, rows, cols, x, together, down, back, lines);
    free(lines);
    free(down);
    free(across);
}

/* ---- spectra ------------------------------------------------------------- */

static int is_power(int n)
{
    return n > 1 && (n & (n - 1)) == 0;
}

static double *hann_new(int n)
{
    double *window = dq_new_array((size_t)n, sizeof *window);

    for (int i = 0; i < n; i++)
        window[i] = 0.5 - 0.5 * cos(2 * PI * (i + 0.5) / n);
    return window;
}

/* Central differences; one-sided at the rim. */
static double gradient(const float *p, int rows, int cols, int y, int x)
{
    int l = x > 0 ? x - 1 : x, r = x < cols - 1 ? x + 1 : x;
    int t = y > 0 ? y - 1 : y, b = y < rows - 1 ? y + 1 : y;
    double dx = (double)(p[y * cols + r] - p[y * cols + l]) / (r - l);
    double dy = (double)(p[b * cols + x] - p[t * cols + x]) / (b - t);

    return sqrt(dx * dx + dy * dy);
}

/* Times a window, so that the rim is no pattern. */
static void fade_out(struct dq_spectrum *s, double mean)
{
    double *down = hann_new(s->rows), *across = hann_new(s->cols);

    for (int y = 0; y < s->rows; y++)
        for (int x = 0; x < s->cols; x++) {
            size_t at = (size_t)y * (size_t)s->cols + (size_t)x;

            s->v[2 * at] = (s->v[2 * at] - mean) * down[y] * across[x];
        }
    free(across);
    free(down);
}

struct dq_spectrum *dq_spectrum_new(const float *picture, int rows, int cols)
{
    struct dq_spectrum *s = dq_new(sizeof *s);
    size_t n = (size_t)rows * (size_t)cols;
    double sum = 0;

    assert(is_power(rows) && is_power(cols));
    s->rows = rows;
    s->cols = cols;
    s->v = dq_new_array(2 * n, sizeof *s->v);
    for (int y = 0; y < rows; y++)
        for (int x = 0; x < cols; x++) {
            size_t at = (size_t)y * (size_t)cols + (size_t)x;

            s->v[2 * at] = gradient(picture, rows, cols, y, x);
            sum += s->v[2 * at];
        }
    fade_out(s, sum / (double)n);
    transform_2d(s->v, rows, cols, 0);
    return s;
}

void dq_spectrum_free(struct dq_spectrum *s)
{
    if (!s)
        return;
    free(s->v);
    free(s);
}

/* ---- the peak ------------------------------------------------------------ */

/* conj(one) * two of length 1; what is noughts stays nought. */
static void cross(const struct dq_spectrum *one, const struct dq_spectrum *two,
                  double *out)
{
    size_t n = (size_t)one->rows * (size_t)one->cols;

    for (size_t i = 0; i < n; i++) {
        const double *a = one->v + 2 * i, *b = two->v + 2 * i;
        double re = a[0] * b[0] + a[1] * b[1], im = a[0] * b[1] - a[1] * b[0];
        double size = sqrt(re * re + im * im) + 1e-12;

        out[2 * i] = re / size;
        out[2 * i + 1] = im / size;
    }
}

/* Where a parabola through three samples about a peak has its top. */
static double fraction(double before, double at, double after)
{
    double bend = before - 2 * at + after;

    return bend >= 0 ? 0 : 0.5 * (before - after) / bend;
}

static double centred(double at, int n)
{
    return at > n / 2.0 ? at - n : at;
}

void dq_phase_shift(const struct dq_spectrum *one,
                    const struct dq_spectrum *two, double *dy, double *dx)
{
    int rows = one->rows, cols = one->cols, y, x;
    size_t n = (size_t)rows * (size_t)cols, best = 0;
    double *p = dq_new_array(2 * n, sizeof *p);

    assert(two->rows == rows && two->cols == cols);
    cross(one, two, p);
    transform_2d(p, rows, cols, 1);
    for (size_t i = 1; i < n; i++)
        if (p[2 * i] > p[2 * best])
            best = i;
    y = (int)(best / (size_t)cols);
    x = (int)(best % (size_t)cols);
#define AT(row, col)                                        \
    p[2 * ((size_t)(((row) + rows) % rows) * (size_t)cols + \
           (size_t)(((col) + cols) % cols))]
    *dy = centred(y + fraction(AT(y - 1, x), AT(y, x), AT(y + 1, x)), rows);
    *dx = centred(x + fraction(AT(y, x - 1), AT(y, x), AT(y, x + 1)), cols);
#undef AT
    free(p);
}
