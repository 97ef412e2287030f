/* stage_write: the network's answer to a durable file, and a note of it. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fingerprint.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/publish.h"
#include "infer/merge.h"
#include "infer/quantity.h"
#include "infer/ticket.h"
#include "io/depth_file.h"
#include "io/provenance.h"

/* ---- values -------------------------------------------------------------- */

/* Here, and not where the network is: it has the next frame meanwhile. */
static int merge(struct dq_ticket *t)
{
    struct dq_picture picture = dq_ticket_picture(t);
    double begun = dq_clock_s();

    if (dq_merge(&t->answers, t->plan, t->request.recipe->model, &picture,
                 t->picture.depth, t->picture.sky, &t->counts, t->err))
        return dq_because(t->err, "%s", t->plate_path);
    t->outcome.seconds.infer += dq_clock_s() - begun;
    return DQ_OK;
}

/* To the shot's numbers, the same way for every pixel. */
static void put_in_place(struct dq_ticket *t, size_t n)
{
    for (size_t i = 0; t->request.recipe->steady && i < n; i++)
        t->plane[i] =
            (float)(t->place.scale * (double)t->plane[i] + t->place.shift);
}

/* Sky and empty pixels take the shot's sky value; the others are measured.
 * Anything not finite is a defect: it must never reach a file. */
static int finish_values(struct dq_ticket *t, const struct dq_quantity *q)
{
    size_t n = (size_t)dq_box_width(&t->frame.data) *
               (size_t)dq_box_height(&t->frame.data);
    float low = INFINITY, high = -INFINITY;

    put_in_place(t, n);
    dq_quantity_apply(q, t->plane, n);
    for (size_t i = 0; i < n; i++) {
        float v = t->plane[i];

        if (t->mask[i] < 0.5F) {
            t->plane[i] = q->sky;
            continue;
        }
        if (!isfinite(v))
            return dq_fail(t->err, DQ_ANSWER,
                           "%s: depth is not finite at pixel %zu of %zu; try "
                           "dtype float32 in the network's contract, or "
                           "another model",
                           t->plate_path, i, n);
        low = v < low ? v : low;
        high = v > high ? v : high;
    }
    t->outcome.low = low <= high ? (double)low : (double)q->sky;
    t->outcome.high = low <= high ? (double)high : (double)q->sky;
    return DQ_OK;
}

/* A frame without any depth in it deserves a look. */
static void judge(struct dq_ticket *t)
{
    double span = t->outcome.high - t->outcome.low;
    double size = fmax(fabs(t->outcome.low), fabs(t->outcome.high));

    if (!t->outcome.suspect[0] && span <= 1e-6 * size)
        snprintf(t->outcome.suspect, sizeof t->outcome.suspect,
                 "depth is flat: %g everywhere", t->outcome.low);
}

/* ---- provenance: only what is the same every time ------------------------ */

enum { ATTR_TEXT = 256 };

struct provenance {
    struct dq_depth_attr list[DQ_ATTRS];
    char text[DQ_ATTRS][ATTR_TEXT];
    size_t count;
};

static void say(struct provenance *p, enum dq_provenance what, const char *fmt,
                ...) DQ_PRINTF(3, 4);
static void say(struct provenance *p, enum dq_provenance what, const char *fmt,
                ...)
{
    va_list args;
    char *text = p->text[p->count];

    va_start(args, fmt);
    vsnprintf(text, ATTR_TEXT, fmt, args);
    va_end(args);
    p->list[p->count].name = dq_provenance_name(what);
    p->list[p->count].value = text;
    p->count++;
}

static void say_model(struct provenance *p, const struct dq_model *model)
{
    say(p, DQ_ATTR_MODEL, "%s", model->name);
    say(p, DQ_ATTR_MODEL_VERSION, "%s", model->version);
    say(p, DQ_ATTR_MODEL_SHA256, "%s", model->sha256);
}

static void say_numbers(struct provenance *p, const struct dq_ticket *t,
                        const struct dq_quantity *q)
{
    const struct dq_recipe *recipe = t->request.recipe;

    say(p, DQ_ATTR_CHANNEL, "%s", recipe->channel);
    say(p, DQ_ATTR_KIND, "%s", dq_depth_kind_name(q->kind));
    say(p, DQ_ATTR_UNIT, "%s", q->unit);
    say(p, DQ_ATTR_SKY, "%.9g", (double)q->sky);
    if (t->shot.range_high > t->shot.range_low) /* metric: not surveyed */
        say(p, DQ_ATTR_RANGE, "%.9g %.9g", t->shot.range_low,
            t->shot.range_high);
    if (recipe->far > 0)
        say(p, DQ_ATTR_NEAR_FAR, "%.9g %.9g", recipe->near, recipe->far);
    if (recipe->steady) {
        say(p, DQ_ATTR_STABILIZE, "shot");
        say(p, DQ_ATTR_SCALE_SHIFT, "%.9g %.9g", t->place.scale,
            t->place.shift);
    } else {
        say(p, DQ_ATTR_SCALE_SHIFT, "1 0");
    }
    say(p, DQ_ATTR_EXPOSURE, "%.6g", (double)t->shot.exposure_ev);
}

static void say_all(struct provenance *p, const struct dq_ticket *t,
                    const struct dq_quantity *q)
{
    const struct dq_tile_counts *c = &t->counts;

    p->count = 0;
    say_model(p, t->request.recipe->model);
    say(p, DQ_ATTR_FINGERPRINT, "%s", t->outcome.fingerprint);
    say(p, DQ_ATTR_PLATE_SHA256, "%s", t->mark.sha256);
    say_numbers(p, t, q);
    say(p, DQ_ATTR_TILES, "%s", t->plan_text);
    say(p, DQ_ATTR_TILE_FITS, "%d aligned, %d shift only, %d guide only",
        c->aligned, c->shift_only, c->guide_only);
    say(p, DQ_ATTR_REVISION, "%d", DQ_PIXELS_REVISION);
}

/* ---- file ---------------------------------------------------------------- */

static int encode(struct dq_ticket *t, const struct dq_quantity *q)
{
    struct dq_depth_format format = dq_recipe_format(t->request.recipe);
    struct provenance p;

    say_all(&p, t, q);
    if (dq_depth_file_encode(t->plate, &t->choice, &format, t->plane,
                             t->request.recipe->mask ? t->mask : NULL, p.list,
                             p.count, &t->encoded, t->err))
        return dq_because(t->err, "%s", t->output_path);
    return DQ_OK;
}

static int publish(struct dq_ticket *t, const char *tag, struct stat *done)
{
    const struct dq_recipe *recipe = t->request.recipe;
    char *folder = dq_path_folder(t->output_path);
    int refuse = recipe->existing == DQ_REFUSE && t->request.attempt <= 1;
    int code = dq_make_folders(folder, t->err);

    if (!code)
        code = dq_publish(t->output_path, t->encoded.data, t->encoded.count,
                          tag, refuse ? DQ_PUBLISH_NEW : DQ_PUBLISH_REPLACE,
                          done, t->err);
    free(folder);
    return code;
}

void dq_ticket_made(const struct dq_ticket *t, struct dq_made *made)
{
    const struct dq_model *model = t->request.recipe->model;

    memset(made, 0, sizeof *made);
    snprintf(made->model, sizeof made->model, "%s@%s", model->name,
             model->version);
    memcpy(made->model_sha256, model->sha256, DQ_SHA256_HEX);
}

static int note_done(struct dq_ticket *t, const char *tag, const char *device,
                     const struct stat *st)
{
    struct dq_done done = {.frame = t->request.frame, .plate = t->mark};

    dq_ticket_made(t, &done.made);
    snprintf(done.made.suspect, sizeof done.made.suspect, "%s",
             t->outcome.suspect);
    snprintf(done.made.device, sizeof done.made.device, "%s", device);
    gethostname(done.made.host, sizeof done.made.host - 1);
    done.made.attempt = t->request.attempt;
    dq_file_mark_stat(&done.output, st);
    memcpy(done.output.sha256, t->outcome.sha256, DQ_SHA256_HEX);
    memcpy(done.fingerprint, t->outcome.fingerprint, DQ_SHA256_HEX);
    return dq_ledger_write(t->request.recipe->shot_folder, &done, tag, t->err);
}

int dq_stage_write(struct dq_ticket *t, const char *run_id, const char *device)
{
    struct dq_quantity q;
    struct stat st = {0};
    double begun;
    char tag[64];

    if (merge(t))
        return t->err->code;
    begun = dq_clock_s();
    if (dq_quantity_new(t->request.recipe, &t->shot, &q, t->err) ||
        dq_picture_back(t) || finish_values(t, &q) || encode(t, &q))
        return t->err->code;
    judge(t);
    t->outcome.seconds.encode = dq_clock_s() - begun;
    begun = dq_clock_s();
    dq_sha256(t->encoded.data, t->encoded.count, t->outcome.sha256);
    t->outcome.bytes = (int64_t)t->encoded.count;
    dq_ticket_tag(t, run_id, tag, sizeof tag);
    if (publish(t, tag, &st) || note_done(t, tag, device, &st))
        return t->err->code;
    t->outcome.seconds.publish = dq_clock_s() - begun;
    return DQ_OK;
}
