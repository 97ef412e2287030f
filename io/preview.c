#include "io/preview.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/sorted.h"
#include "base/text.h"
#include "io/colour.h"
#include "io/depth_stats.h"
#include "io/plate.h"
#include "io/provenance.h"
#include "io/resample.h"

/* ---- files --------------------------------------------------------------- */

struct opened {
    struct dq_bytes bytes;
    struct dq_plate *plate;
    struct dq_frame frame;
};

static void close_opened(struct opened *o)
{
    dq_frame_free(&o->frame);
    dq_plate_close(o->plate);
    dq_bytes_free(&o->bytes);
}

static int open_file(const char *path, struct opened *o, struct dq_err *err)
{
    if (dq_bytes_read_file(&o->bytes, path, DQ_PLATE_MAX_BYTES, DQ_PLATE, err))
        return err->code;
    o->plate = dq_plate_open(o->bytes.data, o->bytes.count, path, err);
    return o->plate ? DQ_OK : err->code;
}

/* Sides that fit `width` with square pixels. */
static void fit(const struct opened *o, int width, int *w, int *h)
{
    double across =
        (double)dq_box_width(&o->frame.data) * (double)o->frame.pixel_aspect;
    double down = (double)dq_box_height(&o->frame.data);
    double scale = across > width ? width / across : 1;

    *w = (int)fmax(1, floor(across * scale + 0.5));
    *h = (int)fmax(1, floor(down * scale + 0.5));
}

/* ---- plate --------------------------------------------------------------- */

static int expose(struct opened *o, const double *exposure_ev,
                  struct dq_colour *colour, struct dq_err *err)
{
    int guessed = 0;
    double sum = 0;
    int64_t count = 0;

    if (dq_colour_matrix("auto", dq_plate_info(o->plate), colour, &guessed,
                         err))
        return err->code;
    if (!exposure_ev)
        dq_colour_log_luminance(colour, &o->frame, &sum, &count);
    colour->gain = exp2f(exposure_ev ? (float)*exposure_ev
                                     : dq_colour_exposure(sum, count));
    return DQ_OK;
}

static void quantise(const float *plane, size_t n, uint8_t *rgb, int channel)
{
    for (size_t i = 0; i < n; i++)
        rgb[3 * i + (size_t)channel] =
            (uint8_t)(255 * fminf(fmaxf(plane[i], 0), 1) + 0.5F);
}

static int shrink_plate(const struct opened *o, const float *rgb,
                        struct dq_picture8 *out, struct dq_err *err)
{
    int w = (int)dq_box_width(&o->frame.data);
    int h = (int)dq_box_height(&o->frame.data);
    size_t n = (size_t)out->width * (size_t)out->height;
    float *small = malloc(n * sizeof *small);
    int code = small ? DQ_OK : dq_fail(err, DQ_MEMORY, "no memory");

    for (int c = 0; c < 3 && !code; c++) {
        code = dq_resample_area(rgb + (size_t)c * (size_t)w * (size_t)h, h, w,
                                small, out->height, out->width, err);
        quantise(small, n, out->rgb, c);
    }
    free(small);
    return code;
}

static int develop(struct opened *o, int width, const double *exposure_ev,
                   struct dq_picture8 *out, struct dq_err *err)
{
    struct dq_plate_wish any = {0};
    struct dq_plate_choice choice;
    struct dq_colour colour = {.gain = 1};
    struct dq_pixel_counts counts = {0};
    float *rgb = NULL;
    int w, h, code;

    if (dq_plate_choose(o->plate, &any, &choice, err) ||
        dq_plate_decode(o->plate, &choice, &o->frame, err) ||
        expose(o, exposure_ev, &colour, err))
        return err->code;
    fit(o, width, &w, &h);
    rgb = malloc((size_t)dq_box_width(&o->frame.data) *
                 (size_t)dq_box_height(&o->frame.data) * 3 * sizeof *rgb);
    if (!rgb)
        return dq_fail(err, DQ_MEMORY, "no memory for a preview");
    dq_colour_apply(&colour, &o->frame, rgb, NULL, &counts);
    code = dq_picture8_new(out, w, h, err);
    if (!code)
        code = shrink_plate(o, rgb, out, err);
    free(rgb);
    return code;
}

int dq_preview_plate(const char *path, int width, const double *exposure_ev,
                     struct dq_picture8 *out, struct dq_err *err)
{
    struct opened o = {0};

    memset(out, 0, sizeof *out);
    if (!open_file(path, &o, err) && develop(&o, width, exposure_ev, out, err))
        dq_because(err, "%s", path);
    close_opened(&o);
    return err->code;
}

/* ---- depth --------------------------------------------------------------- */

struct depth {
    struct opened file;
    int part;
    int has_sky;
    float sky;
    int is_distance;
};

/* The last part with a depth channel: depthq adds its own at the end. */
static int find_depth(struct depth *d, const char *path, struct dq_err *err)
{
    const struct dq_plate_info *info = dq_plate_info(d->file.plate);
    const char *kind = NULL;

    for (int i = info->part_count - 1; i >= 0; i--) {
        int channel = dq_depth_channel_of(d->file.plate, i);

        if (channel < 0 || info->parts[i].deep)
            continue;
        d->part = i;
        d->has_sky = dq_depth_sky(d->file.plate, i, &d->sky);
        kind = dq_plate_attribute(d->file.plate, i,
                                  dq_provenance_name(DQ_ATTR_KIND));
        d->is_distance = !kind || strcmp(kind, "distance") == 0;
        return dq_depth_decode(d->file.plate, i, channel, &d->file.frame, err);
    }
    return dq_fail(err, DQ_PLATE, "%s: has no depth channel (Z or depth)",
                   path);
}

static int is_empty(const struct depth *d, float v)
{
    return !isfinite(v) || (d->has_sky && !(v < d->sky) && !(v > d->sky));
}

/* All values, row by row. */
static float *values_of(const struct depth *d, struct dq_err *err)
{
    int64_t w = dq_box_width(&d->file.frame.data);
    int64_t h = dq_box_height(&d->file.frame.data);
    float *v = malloc((size_t)(w * h) * sizeof *v);

    if (!v)
        dq_fail(err, DQ_MEMORY, "no memory for a preview");
    for (int64_t y = 0; v && y < h; y++)
        dq_frame_row(&d->file.frame, DQ_PLANE_R, y, 0, w, v + y * w);
    return v;
}

static int quantiles(const struct depth *d, double *low, double *high,
                     struct dq_err *err)
{
    size_t all = (size_t)dq_box_width(&d->file.frame.data) *
                 (size_t)dq_box_height(&d->file.frame.data);
    float *v = values_of(d, err);
    size_t n = 0;

    if (!v)
        return err->code;
    for (size_t i = 0; i < all; i++)
        if (!is_empty(d, v[i]))
            v[n++] = v[i];
    dq_sort_floats(v, n);
    *low = n ? (double)v[n / 100] : 0;
    *high = n ? (double)v[n - 1 - n / 100] : 1;
    free(v);
    return DQ_OK;
}

static void note(const struct depth *d, enum dq_provenance which, char *to,
                 size_t room)
{
    const char *value =
        dq_plate_attribute(d->file.plate, d->part, dq_provenance_name(which));

    snprintf(to, room, "%s", value ? value : "");
}

/* What the first file of a shot says holds for all. */
static void take_notes(const struct depth *d, struct dq_preview_shot *shot)
{
    char ev[32];

    note(d, DQ_ATTR_MODEL, shot->model, sizeof shot->model);
    note(d, DQ_ATTR_MODEL_VERSION, shot->version, sizeof shot->version);
    note(d, DQ_ATTR_KIND, shot->kind, sizeof shot->kind);
    note(d, DQ_ATTR_UNIT, shot->unit, sizeof shot->unit);
    note(d, DQ_ATTR_EXPOSURE, ev, sizeof ev);
    shot->has_exposure = dq_text_double(ev, &shot->exposure_ev) == 0;
    shot->is_distance = d->is_distance;
}

int dq_preview_measure(const char *path, struct dq_preview_shot *shot,
                       struct dq_err *err)
{
    struct depth d = {0};
    struct dq_preview_range *range = &shot->range;
    double low = 0, high = 1;

    if (!open_file(path, &d.file, err) && !find_depth(&d, path, err) &&
        !quantiles(&d, &low, &high, err)) {
        if (!shot->files++) {
            take_notes(&d, shot);
            *range = (struct dq_preview_range){low, high};
        }
        range->low = fmin(low, range->low);
        range->high = fmax(high, range->high);
    }
    close_opened(&d.file);
    return err->code;
}

/* Distance is shown by its inverse: equal steps of colour are then equal
 * steps of parallax, and a far horizon does not eat the whole scale. */
static float shade(const struct dq_preview_range *r, int is_distance, float v)
{
    double a = r->low, b = r->high, x = (double)v;

    if (is_distance && a > 0) {
        a = 1 / r->high;
        b = 1 / r->low;
        x = 1 / fmax(x, 1e-6);
    } else if (is_distance) {
        x = a + b - x;
    }
    return b > a ? (float)fmax(0, fmin(1, (x - a) / (b - a))) : 0.5F;
}

/* Nearest sample: an average of two depths would show a third thing. */
static void shrink_depth(const struct depth *d, const float *values,
                         const struct dq_preview_range *range,
                         const struct dq_picture8 *size, float *shades,
                         uint8_t *empty)
{
    int64_t w = dq_box_width(&d->file.frame.data);
    int64_t h = dq_box_height(&d->file.frame.data);

    for (int y = 0; y < size->height; y++)
        for (int x = 0; x < size->width; x++) {
            int64_t fy = (2 * (int64_t)y + 1) * h / (2 * size->height);
            int64_t fx = (2 * (int64_t)x + 1) * w / (2 * size->width);
            float v = values[fy * w + fx];
            size_t at = (size_t)y * (size_t)size->width + (size_t)x;

            empty[at] = (uint8_t)is_empty(d, v);
            shades[at] = empty[at] ? 0 : shade(range, d->is_distance, v);
        }
}

static int colour_in(const struct depth *d,
                     const struct dq_preview_range *range,
                     struct dq_picture8 *out, struct dq_err *err)
{
    size_t n = (size_t)out->width * (size_t)out->height;
    float *values = values_of(d, err);
    float *shades = malloc(n * sizeof *shades);
    uint8_t *empty = malloc(n);
    int code = err->code;

    if (!code && (!values || !shades || !empty))
        code = dq_fail(err, DQ_MEMORY, "no memory for a preview");
    if (!code) {
        shrink_depth(d, values, range, out, shades, empty);
        code =
            dq_picture8_turbo(shades, out->width, out->height, out->rgb, err);
    }
    for (size_t i = 0; i < n && !code; i++)
        if (empty[i])
            memset(out->rgb + 3 * i, 0, 3);
    free(empty);
    free(shades);
    free(values);
    return code;
}

static int paint(struct depth *d, int width,
                 const struct dq_preview_range *range, struct dq_picture8 *out,
                 struct dq_err *err)
{
    struct dq_preview_range own;
    int w, h;

    if (!range && quantiles(d, &own.low, &own.high, err))
        return err->code;
    fit(&d->file, width, &w, &h);
    if (dq_picture8_new(out, w, h, err))
        return err->code;
    return colour_in(d, range ? range : &own, out, err);
}

int dq_preview_depth(const char *path, int width,
                     const struct dq_preview_range *range,
                     struct dq_picture8 *out, struct dq_err *err)
{
    struct depth d = {0};

    memset(out, 0, sizeof *out);
    if (!open_file(path, &d.file, err) && !find_depth(&d, path, err) &&
        paint(&d, width, range, out, err))
        dq_because(err, "%s", path);
    close_opened(&d.file);
    return err->code;
}
