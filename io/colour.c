#include "io/colour.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#if DQ_OIIO
#include "io/oiio_shim.h"
#endif

/* Rec.709 luminance weights, of linear values. */
static const double LUMA[3] = {0.2126, 0.7152, 0.0722};

/* A channel that is at least this after exposure is counted as saturated. */
static const float SATURATED = 1.0F;

/* ---- tone and transfer --------------------------------------------------- */

/* Straight up to 0.8, then an exponential that nears 1 (docs/depth.md,
 * 1): a plain clamp burns sky and highlights to one flat value. */
static float shoulder(float x)
{
    const float knee = 0.8F, rest = 0.2F;

    return x <= knee ? x : knee + rest * (1 - expf((knee - x) / rest));
}

/* IEC 61966-2-1 */
static float srgb(float x)
{
    return x <= 0.0031308F ? 12.92F * x : 1.055F * powf(x, 1 / 2.4F) - 0.055F;
}

static float finish(const struct dq_colour *colour, float x)
{
    x = colour->tonemap == DQ_TONEMAP_SHOULDER ? shoulder(x) : fminf(x, 1);
    return colour->transfer == DQ_TRANSFER_SRGB ? srgb(x) : x;
}

/* The curve as a table over the top bits of a positive float: powf and expf
 * for each of 26 million values of a 4K frame would cost more than reading
 * it. 2^9 steps an octave, linear between: within 1e-6 of the formula. */
enum { STEP_BITS = 9, OCTAVES = 24, LOWEST = 127 - 14 };
enum { STEPS = OCTAVES << STEP_BITS };

struct curve {
    float at[STEPS + 2];
    float low_slope; /* below the table the curve is a line through 0 */
};

static float float_of_bits(uint32_t bits)
{
    float x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint32_t bits_of_float(float x)
{
    uint32_t bits;

    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static struct curve *curve_new(const struct dq_colour *colour)
{
    struct curve *c = dq_new(sizeof *c);
    float lowest = float_of_bits((uint32_t)LOWEST << 23);

    for (uint32_t i = 0; i < STEPS + 2; i++)
        c->at[i] = finish(colour, float_of_bits(((uint32_t)LOWEST << 23) +
                                                (i << (23 - STEP_BITS))));
    c->low_slope = c->at[0] / lowest;
    return c;
}

static float curve_at(const struct curve *c, float x)
{
    uint32_t above = bits_of_float(x) - ((uint32_t)LOWEST << 23);
    uint32_t step = above >> (23 - STEP_BITS);
    uint32_t rest = above & ((1U << (23 - STEP_BITS)) - 1);
    float part = (float)rest * (1.0F / (1U << (23 - STEP_BITS)));

    if (x < float_of_bits((uint32_t)LOWEST << 23))
        return x * c->low_slope;
    if (step >= STEPS)
        return c->at[STEPS];
    return c->at[step] + part * (c->at[step + 1] - c->at[step]);
}

/* ---- one row ------------------------------------------------------------- */

/* IEC 61966-2-1 and ITU-R BT.709, undone. */
static float decode(enum dq_encoding encoding, float v)
{
    if (encoding == DQ_ENCODING_SRGB)
        return v <= 0.04045F ? v / 12.92F : powf((v + 0.055F) / 1.055F, 2.4F);
    return v < 0.081F ? v / 4.5F : powf((v + 0.099F) / 1.099F, 1 / 0.45F);
}

static float clean(float x, struct dq_pixel_counts *counts)
{
    if (x > 0 && x <= 3.4e38F)
        return x;
    if (isnan(x))
        counts->nan++;
    else if (isinf(x))
        counts->inf++;
    else if (x < 0)
        counts->negative++;
    return 0;
}

static void clean_row(float *row, int64_t n, struct dq_pixel_counts *counts)
{
    for (int64_t i = 0; i < n; i++)
        row[i] = clean(row[i], counts);
}

static void unpremultiply(float *const rgb[3], const float *alpha, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        if (alpha[i] <= 0 || alpha[i] >= 1)
            continue;
        for (int c = 0; c < 3; c++)
            rgb[c][i] /= alpha[i];
    }
}

/* No call for every pixel, as fmaxf is. */
static float not_negative(float x)
{
    return x > 0 ? x : 0;
}

static void apply_matrix(const float m[9], float *const rgb[3], int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        float r = rgb[0][i], g = rgb[1][i], b = rgb[2][i];

        rgb[0][i] = not_negative(m[0] * r + m[1] * g + m[2] * b);
        rgb[1][i] = not_negative(m[3] * r + m[4] * g + m[5] * b);
        rgb[2][i] = not_negative(m[6] * r + m[7] * g + m[8] * b);
    }
}

/* Through OpenColorIO, whose pixels are interleaved. */
static void apply_ocio(const struct dq_ocio *ocio, float *const rgb[3],
                       int64_t n)
{
#if DQ_OIIO
    float *pixels = dq_new_array((size_t)n * 3, sizeof *pixels);
    struct dq_err err = {0};

    for (int64_t i = 0; i < n; i++)
        for (int c = 0; c < 3; c++)
            pixels[3 * i + c] = rgb[c][i];
    dq_ocio_apply(ocio, pixels, (int)n, &err);
    for (int64_t i = 0; i < n; i++)
        for (int c = 0; c < 3; c++)
            rgb[c][i] = not_negative(pixels[3 * i + c]);
    free(pixels);
#else
    (void)ocio;
    (void)rgb;
    (void)n;
#endif
}

static void row_alpha(const struct dq_frame *frame, int64_t y, float *alpha)
{
    int64_t n = dq_box_width(&frame->data);
    struct dq_pixel_counts ignored = {0};

    if (!frame->plane[DQ_PLANE_A]) {
        for (int64_t i = 0; i < n; i++)
            alpha[i] = 1;
        return;
    }
    dq_frame_row(frame, DQ_PLANE_A, y, 0, n, alpha);
    for (int64_t i = 0; i < n; i++)
        alpha[i] = fminf(clean(alpha[i], &ignored), 1);
}

/* Linear Rec.709 of one row, before exposure. */
static void row_linear(const struct dq_colour *colour,
                       const struct dq_frame *frame, int64_t y,
                       float *const rgb[3], float *alpha,
                       struct dq_pixel_counts *counts)
{
    int64_t n = dq_box_width(&frame->data);
    int grey = frame->plane[DQ_PLANE_G] == frame->plane[DQ_PLANE_R];

    row_alpha(frame, y, alpha);
    for (int c = 0; c < 3; c++) {
        if (grey && c > 0) {
            memcpy(rgb[c], rgb[0], (size_t)n * sizeof *rgb[c]);
            continue;
        }
        dq_frame_row(frame, (enum dq_plane)c, y, 0, n, rgb[c]);
        clean_row(rgb[c], n, counts);
    }
    if (frame->plane[DQ_PLANE_A])
        unpremultiply(rgb, alpha, n);
    if (colour->ocio)
        apply_ocio(colour->ocio, rgb, n);
    else if (colour->encoding != DQ_ENCODING_LINEAR)
        for (int64_t i = 0; i < n; i++)
            for (int c = 0; c < 3; c++)
                rgb[c][i] = decode(colour->encoding, rgb[c][i]);
    if (colour->has_matrix)
        apply_matrix(colour->matrix, rgb, n);
}

static void row_finish(const struct dq_colour *colour, const struct curve *c,
                       float *row, int64_t n, struct dq_pixel_counts *counts)
{
    for (int64_t i = 0; i < n; i++) {
        float x = row[i] * colour->gain;

        if (x >= SATURATED)
            counts->saturated++;
        row[i] = curve_at(c, x);
    }
}

void dq_colour_apply(const struct dq_colour *colour,
                     const struct dq_frame *frame, float *out, float *alpha,
                     struct dq_pixel_counts *counts)
{
    int64_t w = dq_box_width(&frame->data), h = dq_box_height(&frame->data);
    struct curve *curve = curve_new(colour);
    float *own = dq_new_array((size_t)w, sizeof *own);

    for (int64_t y = 0; y < h; y++) {
        float *const rgb[3] = {out + y * w, out + (h + y) * w,
                               out + (2 * h + y) * w};

        row_linear(colour, frame, y, rgb, alpha ? alpha + y * w : own, counts);
        for (int c = 0; c < 3; c++)
            row_finish(colour, curve, rgb[c], w, counts);
    }
    free(own);
    free(curve);
}

/* ---- exposure ------------------------------------------------------------ */

/* Darker than this is a hole or a black border, not the scene. */
static const double DARKEST = 1e-6;

/* So many pixels say what all of them do; a logarithm is dear. */
enum { EXPOSURE_PIXELS = 1 << 18 };

void dq_colour_log_luminance(const struct dq_colour *colour,
                             const struct dq_frame *frame, double *sum,
                             int64_t *count)
{
    int64_t w = dq_box_width(&frame->data), h = dq_box_height(&frame->data);
    float *rows = dq_new_array((size_t)w * 4, sizeof *rows);
    float *const rgb[3] = {rows, rows + w, rows + 2 * w};
    float *alpha = rows + 3 * w;
    struct dq_pixel_counts ignored = {0};
    int64_t step = dq_grid_step(w, h, EXPOSURE_PIXELS);

    for (int64_t y = step / 2; y < h; y += step) {
        row_linear(colour, frame, y, rgb, alpha, &ignored);
        for (int64_t i = step / 2; i < w; i += step) {
            double luma = LUMA[0] * (double)rgb[0][i] +
                          LUMA[1] * (double)rgb[1][i] +
                          LUMA[2] * (double)rgb[2][i];

            if (luma <= DARKEST || alpha[i] <= 0.5F)
                continue;
            *sum += log(luma);
            ++*count;
        }
    }
    free(rows);
}

float dq_colour_exposure(double log_sum, int64_t count)
{
    double ev;

    if (count == 0)
        return 0;
    ev = log2(0.18) - log_sum / (double)count / log(2.0);
    return (float)fmax(-2, fmin(2, ev));
}
