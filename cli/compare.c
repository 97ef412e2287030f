#include "cli/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/sorted.h"
#include "io/depth_stats.h"

/* ---- a frame's depth -----------------------------------------------------*/

struct plane {
    float *values; /* NaN: sky, or not finite */
    size_t count, room;
    struct dq_box data;
};

static int find_depth(const struct dq_plate *plate, int *part, int *channel)
{
    const struct dq_plate_info *info = dq_plate_info(plate);

    for (*part = 0; *part < info->part_count; ++*part) {
        *channel = dq_depth_channel_of(plate, *part);
        if (*channel >= 0 && !info->parts[*part].deep)
            return 0;
    }
    return -1;
}

static void take_rows(const struct dq_frame *frame, int has_sky, float sky,
                      struct plane *p)
{
    int64_t w = dq_box_width(&frame->data), h = dq_box_height(&frame->data);

    for (int64_t y = 0; y < h; y++)
        dq_frame_row(frame, DQ_PLANE_R, y, 0, w, p->values + y * w);
    for (size_t i = 0; i < p->count; i++) {
        float v = p->values[i];

        if (!isfinite(v) || (has_sky && !(v < sky) && !(v > sky)))
            p->values[i] = NAN;
    }
}

static int take(const struct dq_plate *plate, const char *path, struct plane *p,
                struct dq_err *err)
{
    struct dq_frame frame = {0};
    float sky = 0;
    int part, channel, has_sky;

    if (find_depth(plate, &part, &channel))
        return dq_fail(err, DQ_PLATE, "%s: has no depth channel", path);
    has_sky = dq_depth_sky(plate, part, &sky);
    if (!dq_depth_decode(plate, part, channel, &frame, err)) {
        p->data = frame.data;
        p->count = (size_t)dq_box_width(&frame.data) *
                   (size_t)dq_box_height(&frame.data);
        if (p->count > p->room) {
            free(p->values);
            p->values = malloc(p->count * sizeof *p->values);
            p->room = p->values ? p->count : 0;
        }
        if (p->values)
            take_rows(&frame, has_sky, sky, p);
        else
            dq_fail(err, DQ_MEMORY, "no memory for %zu depths", p->count);
    }
    dq_frame_free(&frame);
    return err->code;
}

static int load(const struct dq_sequence *from, int32_t frame, struct plane *p,
                struct dq_err *err)
{
    char *path = dq_sequence_path(from, frame);
    struct dq_bytes bytes = {0};
    struct dq_plate *plate = NULL;

    if (!dq_bytes_read_file(&bytes, path, DQ_PLATE_MAX_BYTES, DQ_PLATE, err) &&
        (plate = dq_plate_open(bytes.data, bytes.count, path, err)))
        take(plate, path, p, err);
    dq_plate_close(plate);
    dq_bytes_free(&bytes);
    free(path);
    return err->code;
}

/* ---- all frames ----------------------------------------------------------*/

/* Sums over pixels that both have: x new, y old. */
struct sums {
    double n, x, y, xx, yy, xy;
};

enum { SAMPLES = 4096 }; /* of each frame, for quantiles */

struct work {
    const struct dq_sequence *old, *new;
    struct dq_compare *c;
    struct plane a, b;               /* old and new, */
    struct plane before_a, before_b; /* and of the frame before */
    struct sums sums;
    float *samples, *new_samples, *apart;
    size_t sample_count, apart_room;
};

static int load_both(struct work *w, struct dq_compare_frame *f)
{
    if (load(w->old, f->frame, &w->a, &f->err) ||
        load(w->new, f->frame, &w->b, &f->err))
        return f->err.code;
    if (!dq_box_equal(&w->a.data, &w->b.data))
        return dq_fail(&f->err, DQ_PLATE, "the data windows differ");
    return DQ_OK;
}

static int both(const struct work *w, size_t i)
{
    return !isnan(w->a.values[i]) && !isnan(w->b.values[i]);
}

static void add(struct sums *s, double x, double y)
{
    s->n++;
    s->x += x;
    s->y += y;
    s->xx += x * x;
    s->yy += y * y;
    s->xy += x * y;
}

static double correlation(const struct sums *s)
{
    double xx = s->n * s->xx - s->x * s->x, yy = s->n * s->yy - s->y * s->y;
    double both = sqrt(fmax(xx, 0)) * sqrt(fmax(yy, 0));

    return both > 0 ? (s->n * s->xy - s->x * s->y) / both : 0;
}

static void join(struct sums *to, const struct sums *s)
{
    to->n += s->n;
    to->x += s->x;
    to->y += s->y;
    to->xx += s->xx;
    to->yy += s->yy;
    to->xy += s->xy;
}

/* The first look at a frame: what the fit and the range need. */
static void look(struct work *w, struct dq_compare_frame *f)
{
    struct sums s = {0};
    size_t step;

    if (load_both(w, f))
        return;
    step = w->a.count / SAMPLES + 1;
    for (size_t i = 0; i < w->a.count; i++) {
        if (!both(w, i))
            continue;
        add(&s, (double)w->b.values[i], (double)w->a.values[i]);
        if (i % step)
            continue;
        w->new_samples[w->sample_count] = w->b.values[i];
        w->samples[w->sample_count++] = w->a.values[i];
    }
    f->pixels = (int64_t)s.n;
    f->correlation = correlation(&s);
    join(&w->sums, &s);
}

static void find_range(float *samples, size_t count, double *low, double *high)
{
    if (!count)
        return;
    dq_sort_floats(samples, count);
    *low = (double)samples[dq_quantile_at(0.01, count)];
    *high = (double)samples[dq_quantile_at(0.99, count)];
}

static int fit(struct work *w, struct dq_err *err)
{
    const struct sums *s = &w->sums;
    double det = s->n * s->xx - s->x * s->x;
    struct dq_compare *c = w->c;

    find_range(w->samples, w->sample_count, &c->low, &c->high);
    find_range(w->new_samples, w->sample_count, &c->new_low, &c->new_high);
    if (!(det > 1e-12 * s->n * s->xx) || !(c->high > c->low) ||
        !(c->new_high > c->new_low))
        return dq_fail(err, DQ_PLATE, "there is nothing to compare: %s",
                       s->n > 0 ? "a pass is flat" : "no pixel is in both");
    c->scale = (s->n * s->xy - s->x * s->y) / det;
    c->shift = (s->y - c->scale * s->x) / s->n;
    return DQ_OK;
}

/* Mean |change| between two planes of one size; -1 when there is none. */
static double change(const struct plane *now, const struct plane *before)
{
    double sum = 0, n = 0;

    if (!before->count || !dq_box_equal(&now->data, &before->data))
        return -1;
    for (size_t i = 0; i < now->count; i++) {
        double d = (double)now->values[i] - (double)before->values[i];

        if (isnan(d))
            continue;
        sum += fabs(d);
        n++;
    }
    return n > 0 ? sum / n : -1;
}

static int reserve(struct work *w, struct dq_err *err)
{
    if (w->a.count <= w->apart_room)
        return DQ_OK;
    free(w->apart);
    w->apart = malloc(w->a.count * sizeof *w->apart);
    w->apart_room = w->apart ? w->a.count : 0;
    return w->apart ? DQ_OK : dq_fail(err, DQ_MEMORY, "no memory for a frame");
}

static void measure(struct work *w, struct dq_compare_frame *f)
{
    const struct dq_compare *c = w->c;
    double range = c->high - c->low, sum = 0;
    size_t n = 0;

    for (size_t i = 0; i < w->a.count; i++) {
        if (!both(w, i))
            continue;
        w->apart[n] = (float)(fabs((double)w->a.values[i] - c->shift -
                                   c->scale * (double)w->b.values[i]) /
                              range);
        sum += (double)w->apart[n++];
    }
    if (n == 0) {
        dq_fail(&f->err, DQ_PLATE, "no pixel is depth in both");
        return;
    }
    dq_sort_floats(w->apart, n);
    f->mean = sum / (double)n;
    f->p95 = (double)w->apart[dq_quantile_at(0.95, n)];
    f->worst = (double)w->apart[n - 1];
}

static void swap(struct plane *a, struct plane *b)
{
    struct plane kept = *a;

    *a = *b;
    *b = kept;
}

/* The second look, with the fit known. is_next: the frame before was looked
 * at just now. */
static int look_again(struct work *w, struct dq_compare_frame *f, int is_next)
{
    const struct dq_compare *c = w->c;
    double old, new;

    if (load_both(w, f) || reserve(w, &f->err))
        return 0;
    measure(w, f);
    old = is_next ? change(&w->a, &w->before_a) : -1;
    new = is_next ? change(&w->b, &w->before_b) : -1;
    if (old >= 0 && new >= 0) {
        f->flicker_old = old / (c->high - c->low);
        f->flicker_new = new / (c->new_high - c->new_low);
    }
    swap(&w->a, &w->before_a);
    swap(&w->b, &w->before_b);
    return 1;
}

static void second_pass(struct work *w)
{
    struct dq_compare *c = w->c;
    int was_there = 0;

    for (size_t i = 0; i < c->count; i++) {
        struct dq_compare_frame *f = &c->frames[i];
        int is_next = was_there && f[-1].frame == f->frame - 1;

        was_there = !f->err.code && look_again(w, f, is_next);
    }
}

static void free_work(struct work *w)
{
    free(w->a.values);
    free(w->b.values);
    free(w->before_a.values);
    free(w->before_b.values);
    free(w->samples);
    free(w->new_samples);
    free(w->apart);
}

int dq_compare_run(const struct dq_sequence *old,
                   const struct dq_sequence *newer,
                   const struct dq_range *frames, struct dq_compare *c,
                   struct dq_err *err)
{
    struct work w = {.old = old, .new = newer, .c = c};

    memset(c, 0, sizeof *c);
    c->count = frames->count;
    c->frames = dq_new_array(c->count, sizeof *c->frames);
    w.samples = dq_new_array(c->count, (SAMPLES + 1) * sizeof *w.samples);
    w.new_samples = dq_new_array(c->count, (SAMPLES + 1) * sizeof *w.samples);
    for (size_t i = 0; i < c->count; i++) {
        c->frames[i].frame = frames->frames[i];
        c->frames[i].flicker_old = c->frames[i].flicker_new = -1;
        look(&w, &c->frames[i]);
    }
    if (!fit(&w, err))
        second_pass(&w);
    for (size_t i = 0; i < c->count; i++)
        c->failed += c->frames[i].err.code != DQ_OK;
    free_work(&w);
    return err->code;
}

void dq_compare_free(struct dq_compare *c)
{
    free(c->frames);
    memset(c, 0, sizeof *c);
}
