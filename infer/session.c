#include "infer/session.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "infer/gather.h"

enum { WARM_UPS = 3, GPU_BATCH = 8 };

/* A plan's sizes: a plan's address may be another one's tomorrow. */
struct sizes {
    int width, height, tile_w, tile_h, count;
    int guide_w, guide_h, content_w, content_h;
};

/* What a plan needs, allocated once and used for every frame. */
struct buffers {
    struct sizes sizes; /* what they were made for */
    int batch;          /* and which batch */
    float *in, *out;    /* a batch's input and answer */
    float *content;     /* scratch of gather, */
    int *index;         /* too */
    int *order;         /* tiles to run */
};

struct dq_session {
    struct dq_model *model; /* its own: it outlives the job that brought it */
    const struct dq_backend *backend;
    struct dq_net *net;
    struct buffers buffers;
    struct sizes warm; /* the plan that has been warmed up */
    int batch_cap;     /* after an out-of-memory; 0: none */
    int is_cpu;
    double forward_s;
};

static struct sizes sizes_of(const struct dq_tile_plan *p)
{
    struct sizes sizes = {p->width,   p->height,    p->tile_w,
                          p->tile_h,  p->count,     p->guide_w,
                          p->guide_h, p->content_w, p->content_h};

    return sizes;
}

/* Nine ints without padding between: bytes tell. */
static int is_for(const struct sizes *made, const struct dq_tile_plan *plan)
{
    struct sizes now = sizes_of(plan);

    return memcmp(made, &now, sizeof now) == 0;
}

/* ---- buffers ------------------------------------------------------------- */

static void buffers_free(struct buffers *b)
{
    free(b->in);
    free(b->out);
    free(b->content);
    free(b->index);
    free(b->order);
    memset(b, 0, sizeof *b);
}

/* Large and able to fail; NULL sets *failed. */
static float *floats(size_t count, int *failed)
{
    size_t bytes = 0;
    float *p = dq_mul(count, sizeof *p, &bytes) ? malloc(bytes) : NULL;

    if (!p)
        *failed = 1;
    return p;
}

/* The larger of a batch of tiles and one guide. */
static size_t forward_pixels(const struct dq_tile_plan *plan,
                             const struct dq_model *model, int batch)
{
    size_t tiles = dq_area(plan->tile_w, plan->tile_h) * (size_t)batch;
    size_t guide = dq_area(plan->guide_w, plan->guide_h) *
                   (size_t)(model->batch ? model->batch : 1);

    return tiles > guide ? tiles : guide;
}

static int buffers_make(struct dq_session *s, const struct dq_tile_plan *plan,
                        int batch, struct dq_err *err)
{
    struct buffers *b = &s->buffers;
    size_t pixels = forward_pixels(plan, s->model, batch);
    int sides = plan->tile_w + plan->tile_h + plan->guide_w + plan->guide_h;
    int failed = 0;

    buffers_free(b);
    b->in = floats(pixels * 3, &failed);
    b->out = floats(pixels * (size_t)s->model->output_channels, &failed);
    b->content = floats(dq_area(plan->content_w, plan->content_h), &failed);
    if (failed) {
        buffers_free(b);
        dq_fail(err, DQ_MEMORY, "no memory for %d tiles of %d x %d at once",
                batch, plan->tile_w, plan->tile_h);
        return DQ_MEMORY;
    }
    b->index = dq_new_array((size_t)sides, sizeof *b->index);
    b->order = dq_new_array((size_t)plan->count, sizeof *b->order);
    b->sizes = sizes_of(plan);
    b->batch = batch;
    return DQ_OK;
}

static int buffers_for(struct dq_session *s, const struct dq_tile_plan *plan,
                       int batch, struct dq_err *err)
{
    const struct buffers *b = &s->buffers;

    if (is_for(&b->sizes, plan) && b->batch >= batch)
        return DQ_OK;
    return buffers_make(s, plan, batch, err);
}

static int is_cpu(const struct dq_device *device)
{
    return strcmp(device->name, "cpu") == 0;
}

/* ---- life ---------------------------------------------------------------- */

struct dq_session *dq_session_open(const struct dq_model *model,
                                   const void *bytes, size_t count,
                                   const struct dq_device *device,
                                   struct dq_err *err)
{
    struct dq_session *s = dq_new(sizeof *s);

    s->model = dq_model_copy(model);
    s->is_cpu = is_cpu(device);
    s->backend = dq_backend_find(model->runtime, err);
    if (s->backend)
        s->net = s->backend->open(model, bytes, count, device, err);
    if (!s->net) {
        dq_because(err, "model %s@%s", model->name, model->version);
        dq_session_close(s);
        return NULL;
    }
    return s;
}

void dq_session_close(struct dq_session *s)
{
    if (!s)
        return;
    if (s->net)
        s->backend->close(s->net);
    buffers_free(&s->buffers);
    dq_model_free(s->model);
    free(s);
}

double dq_session_forward_s(const struct dq_session *s)
{
    return s->forward_s;
}

/* ---- forwards ------------------------------------------------------------ */

static int batch_of(const struct dq_model *model,
                    const struct dq_session_rule *rule, int is_cpu)
{
    if (model->batch)
        return model->batch; /* baked in */
    return rule->batch ? rule->batch : is_cpu ? 1 : GPU_BATCH;
}

static int batch_for(const struct dq_session *s,
                     const struct dq_session_rule *rule)
{
    int batch = batch_of(s->model, rule, s->is_cpu);

    if (!s->model->batch && s->batch_cap && batch > s->batch_cap)
        batch = s->batch_cap;
    return batch;
}

size_t dq_session_bytes(const struct dq_model *model,
                        const struct dq_tile_plan *plan,
                        const struct dq_session_rule *rule,
                        const struct dq_device *device)
{
    int batch = batch_of(model, rule, is_cpu(device));
    size_t forward = forward_pixels(plan, model, batch);
    size_t content = dq_area(plan->content_w, plan->content_h);

    return (forward * (3 + (size_t)model->output_channels) + content) *
           sizeof(float);
}

static int forward(struct dq_session *s, int batch, int h, int w,
                   struct dq_err *err)
{
    double begun = dq_clock_s();
    int code = s->backend->run(s->net, s->buffers.in, batch, h, w,
                               s->buffers.out, err);

    s->forward_s += dq_clock_s() - begun;
    return code;
}

/* Nothing but finite numbers leaves the network's side of the house. */
static int check_finite(const float *v, size_t n, const char *what,
                        struct dq_err *err)
{
    size_t bad = 0;

    for (size_t i = 0; i < n; i++)
        bad += isfinite(v[i]) ? 0 : 1;
    if (bad == 0)
        return DQ_OK;
    return dq_fail(err, DQ_ANSWER,
                   "the network answered %zu values that are not finite in "
                   "%s; try dtype float32 in its contract, or another model",
                   bad, what);
}

static const float *plane_of(const struct dq_session *s, int picture,
                             int channel, size_t pixels)
{
    return s->buffers.out +
           ((size_t)(picture * s->model->output_channels) + (size_t)channel) *
               pixels;
}

/* The picture's part of one channel of a guide's answer. */
static int keep_guide(const struct dq_session *s,
                      const struct dq_tile_plan *plan, int channel, float *to,
                      struct dq_err *err)
{
    size_t pixels = dq_area(plan->guide_w, plan->guide_h);
    const float *from = plane_of(s, 0, channel, pixels);

    if (check_finite(from, pixels, "the guide", err))
        return err->code;
    for (int y = 0; y < plan->content_h; y++)
        memcpy(to + dq_area(y, plan->content_w),
               from + dq_area(y, plan->guide_w),
               (size_t)plan->content_w * sizeof *to);
    return DQ_OK;
}

static int make_guide(struct dq_session *s, const struct dq_tile_plan *plan,
                      const struct dq_picture *picture, float *guide,
                      float *sky, struct dq_err *err)
{
    struct buffers *b = &s->buffers;
    size_t pixels = dq_area(plan->guide_w, plan->guide_h);
    int batch = s->model->batch ? s->model->batch : 1;

    if (dq_gather_guide(picture, s->model, plan, b->content, b->index, b->in,
                        err))
        return err->code;
    for (int i = 1; i < batch; i++) /* baked in: the same picture again */
        memcpy(b->in + (size_t)i * 3 * pixels, b->in,
               3 * pixels * sizeof *b->in);
    if (forward(s, batch, plan->guide_h, plan->guide_w, err))
        return dq_because(err, "guide");
    if (keep_guide(s, plan, s->model->depth_channel, guide, err) ||
        (sky && keep_guide(s, plan, s->model->sky_channel, sky, err)))
        return err->code;
    return DQ_OK;
}

/* ---- tiles --------------------------------------------------------------- */

static int touches(const struct dq_tile_plan *plan, int k,
                   const struct dq_picture *p)
{
    const struct dq_tile *t = &plan->tiles[k];

    return t->x < p->x + p->width && t->x + plan->tile_w > p->x &&
           t->y < p->y + p->height && t->y + plan->tile_h > p->y;
}

static int list_tiles(struct dq_session *s, const struct dq_tile_plan *plan,
                      const struct dq_picture *picture, struct dq_answers *a)
{
    size_t tile = dq_area(plan->tile_w, plan->tile_h);
    int n = 0;

    for (int k = 0; k < plan->count; k++) {
        a->at[k] = NULL;
        if (!touches(plan, k, picture))
            continue;
        a->at[k] = a->tiles + (size_t)k * tile;
        s->buffers.order[n++] = k;
    }
    return n;
}

/* Fill a whole batch from order[first ...]; a short one is filled up with its
 * last tile, so that every forward has one shape. */
static void fill_batch(struct dq_session *s, const struct dq_tile_plan *plan,
                       const struct dq_picture *picture, int first, int count,
                       int batch)
{
    struct buffers *b = &s->buffers;
    size_t values = 3 * dq_area(plan->tile_w, plan->tile_h);

    for (int i = 0; i < batch; i++) {
        int k = b->order[first + (i < count ? i : count - 1)];

        if (i < count)
            dq_gather_tile(picture, s->model, plan->tiles[k].x,
                           plan->tiles[k].y, plan->tile_w, plan->tile_h,
                           b->index, b->in + (size_t)i * values);
        else
            memcpy(b->in + (size_t)i * values,
                   b->in + (size_t)(count - 1) * values,
                   values * sizeof *b->in);
    }
}

/* The answer's channel for picture i of a batch, as tile k. */
static int keep_plane(struct dq_session *s, int i, int channel, size_t tile,
                      int k, float *planes, struct dq_err *err)
{
    const float *plane = plane_of(s, i, channel, tile);
    char what[32];

    snprintf(what, sizeof what, "tile %d", k);
    if (check_finite(plane, tile, what, err))
        return err->code;
    memcpy(planes + (size_t)k * tile, plane, tile * sizeof *plane);
    return DQ_OK;
}

static int keep_batch(struct dq_session *s, const struct dq_tile_plan *plan,
                      int first, int count, struct dq_answers *a,
                      struct dq_err *err)
{
    size_t tile = dq_area(plan->tile_w, plan->tile_h);

    for (int i = 0; i < count; i++) {
        int k = s->buffers.order[first + i];

        if (keep_plane(s, i, s->model->depth_channel, tile, k, a->tiles, err) ||
            (a->skies &&
             keep_plane(s, i, s->model->sky_channel, tile, k, a->skies, err)))
            return err->code;
    }
    return DQ_OK;
}

/* Halve the batch after an out-of-memory, never the tile: a smaller tile
 * would change pixels. True when there is something left to halve. */
static int halve(struct dq_session *s, int *batch, struct dq_err *err)
{
    if (err->code != DQ_MEMORY || *batch == 1 || s->model->batch)
        return 0;
    *batch = *batch / 2;
    s->batch_cap = *batch;
    dq_err_clear(err);
    return 1;
}

/* No smaller batch is left: what a person can do. */
static int too_large(struct dq_err *err)
{
    char cause[sizeof err->text];

    if (err->code != DQ_MEMORY)
        return err->code;
    memcpy(cause, err->text, sizeof cause);
    return dq_fail(err, DQ_MEMORY,
                   "%.700s; use a smaller tiles.size, or a device with more "
                   "memory",
                   cause);
}

static int run_tiles(struct dq_session *s, const struct dq_tile_plan *plan,
                     const struct dq_session_rule *rule,
                     const struct dq_picture *picture, struct dq_answers *a,
                     struct dq_tile_counts *counts, struct dq_err *err)
{
    int batch = batch_for(s, rule), n = list_tiles(s, plan, picture, a);

    for (int first = 0; first < n;) {
        int count = n - first < batch ? n - first : batch;

        fill_batch(s, plan, picture, first, count, batch);
        if (forward(s, batch, plan->tile_h, plan->tile_w, err)) {
            if (!halve(s, &batch, err)) {
                too_large(err);
                return dq_because(err, "tile %d", s->buffers.order[first]);
            }
            counts->halved++;
            continue;
        }
        if (keep_batch(s, plan, first, count, a, err))
            return err->code;
        first += count;
    }
    counts->tiles = n;
    counts->batch = batch;
    return DQ_OK;
}

/* ---- together ------------------------------------------------------------ */

int dq_session_run(struct dq_session *s, const struct dq_tile_plan *plan,
                   const struct dq_session_rule *rule,
                   const struct dq_picture *picture, struct dq_answers *a,
                   struct dq_tile_counts *counts, struct dq_err *err)
{
    size_t guide = dq_area(plan->content_w, plan->content_h);

    memset(counts, 0, sizeof *counts);
    if (buffers_for(s, plan, batch_for(s, rule), err) ||
        dq_answers_shape(a, plan, s->model, picture, err) ||
        run_tiles(s, plan, rule, picture, a, counts, err))
        return err->code;
    a->has_guide = (plan->needs_guide || rule->guide) && rule->align;
    if (a->has_guide && rule->guide)
        memcpy(a->guide, rule->guide, guide * sizeof *a->guide);
    else if (a->has_guide)
        return make_guide(s, plan, picture, a->guide, NULL, err);
    return DQ_OK;
}

int dq_session_guide(struct dq_session *s, const struct dq_tile_plan *plan,
                     const struct dq_picture *picture, float *guide, float *sky,
                     struct dq_err *err)
{
    if (buffers_for(s, plan, 1, err))
        return err->code;
    return make_guide(s, plan, picture, guide, sky, err);
}

/* ---- warm-up ------------------------------------------------------------- */

static int warm_shape(struct dq_session *s, int batch, int h, int w,
                      struct dq_err *err)
{
    size_t values = 3 * dq_area(h, w) * (size_t)batch;

    for (size_t i = 0; i < values; i++)
        s->buffers.in[i] = (float)(i % 251) / 251;
    for (int i = 0; i < WARM_UPS; i++)
        if (forward(s, batch, h, w, err))
            return err->code;
    return DQ_OK;
}

/* A guide of the tiles' own shape was warmed up with them. */
static int guide_is_warm(const struct dq_session *s,
                         const struct dq_tile_plan *plan, int batch)
{
    return plan->guide_w == plan->tile_w && plan->guide_h == plan->tile_h &&
           batch == (s->model->batch ? s->model->batch : 1);
}

/* A GPU's libraries choose and load kernels during the first calls. A CPU's are
 * there, and nothing is compiled (torch_shim). */
int dq_session_warm(struct dq_session *s, const struct dq_tile_plan *plan,
                    const struct dq_session_rule *rule, struct dq_err *err)
{
    int batch = batch_for(s, rule);

    if (s->is_cpu || is_for(&s->warm, plan) ||
        strcmp(s->model->runtime, "fake") == 0)
        return DQ_OK;
    if (buffers_for(s, plan, batch, err))
        return err->code;
    while (warm_shape(s, batch, plan->tile_h, plan->tile_w, err))
        if (!halve(s, &batch, err)) {
            too_large(err);
            return dq_because(err, "first forward of %d tiles of %d x %d",
                              batch, plan->tile_w, plan->tile_h);
        }
    if (plan->needs_guide && !guide_is_warm(s, plan, batch) &&
        warm_shape(s, s->model->batch ? s->model->batch : 1, plan->guide_h,
                   plan->guide_w, err))
        return dq_because(err, "first forward of the guide");
    s->warm = sizes_of(plan);
    return DQ_OK;
}
