/* survey: what a shot's frames have in common, decided once.
 *
 * Windows from every frame's header; exposure and output range from a fixed
 * sample of the whole list. A frame that cannot be read is left out: its own
 * render will say why.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "infer/quantity.h"
#include "infer/ticket.h"

/* ---- windows ------------------------------------------------------------- */

struct windows {
    struct dq_box *data; /* of the frames whose header could be used */
    size_t found;
    struct dq_err first; /* why the first of the others could not */
};

/* A data window so many times the middle one's pixels is a damaged header's,
 * or belongs to another shot: it must not decide for all frames. */
static const double FAR_TOO_LARGE = 16;

static void remember(struct windows *w, const struct dq_err *err)
{
    if (!w->first.code)
        w->first = *err;
}

static void take_header(struct dq_shot *shot, const struct dq_plate *plate,
                        int part, struct windows *w)
{
    const struct dq_plate_info *info = dq_plate_info(plate);

    if (w->found == 0) {
        shot->display = info->display;
        shot->pixel_aspect = info->pixel_aspect;
    }
    if (dq_box_equal(&info->display, &shot->display))
        w->data[w->found++] = info->parts[part].data;
}

static double pixels_of(const struct dq_box *box)
{
    return (double)dq_box_width(box) * (double)dq_box_height(box);
}

static int by_pixels(const void *a, const void *b)
{
    double x = pixels_of(a), y = pixels_of(b);

    return (x > y) - (x < y);
}

/* The display window and all data windows that are of the shot's kind. */
static void span_lattice(struct dq_shot *shot, struct windows *w)
{
    double middle;

    qsort(w->data, w->found, sizeof *w->data, by_pixels);
    middle = pixels_of(&w->data[(w->found - 1) / 2]);
    shot->lattice = shot->display;
    for (size_t i = 0; i < w->found; i++)
        if (pixels_of(&w->data[i]) <= FAR_TOO_LARGE * middle)
            shot->lattice = dq_box_union(&shot->lattice, &w->data[i]);
}

/* Whoever waits learns that there is progress, and where it ended. */
static void tell(struct dq_ticket *t, const struct dq_reader_hooks *hooks,
                 const char *what, int32_t frame)
{
    char with[32];

    snprintf(with, sizeof with, "%s %" PRId32, what, frame);
    hooks->going(hooks->context, t, with);
}

static void look_at(struct dq_ticket *t, int32_t frame, struct windows *w)
{
    const struct dq_recipe *recipe = t->request.recipe;
    struct dq_plate_wish wish = dq_recipe_wish(recipe);
    char *path = dq_sequence_path(&recipe->plate, frame);
    struct dq_plate_choice choice = {0};
    struct dq_err err = {0};
    struct dq_plate *plate = dq_plate_open_header(path, &err);

    if (plate && !dq_plate_choose(plate, &wish, &choice, &err))
        take_header(&t->shot, plate, choice.part, w);
    else
        remember(w, &err);
    dq_plate_close(plate);
    free(path);
}

/* The first frame that opens says the display window; all of them say how
 * far the lattice reaches. */
enum { HEADERS_TOLD = 16 }; /* each so many-th is */
static int survey_windows(struct dq_ticket *t,
                          const struct dq_reader_hooks *hooks)
{
    const struct dq_recipe *recipe = t->request.recipe;
    struct windows w = {.data =
                            dq_new_array(recipe->frames.count, sizeof *w.data)};

    for (size_t i = 0; i < recipe->frames.count; i++) {
        if (i % HEADERS_TOLD == 0)
            tell(t, hooks, "header", recipe->frames.frames[i]);
        look_at(t, recipe->frames.frames[i], &w);
    }
    if (w.found)
        span_lattice(&t->shot, &w);
    free(w.data);
    if (w.found)
        return DQ_OK;
    *t->err = w.first;
    return dq_because(t->err, "none of the shot's %zu frames can be used",
                      recipe->frames.count);
}

/* ---- samples ------------------------------------------------------------- */

/* What became of the sample. */
struct sample {
    char told[DQ_SHOT_SAMPLES]; /* left out, and said so */
    struct dq_err first;        /* why the first was */
};

static void leave_out(struct sample *s, int i, const char *path,
                      const struct dq_err *err)
{
    if (!s->first.code)
        s->first = *err;
    if (!s->told[i])
        dq_log_info("sample frame left out", "path", path, "cause", err->text);
    s->told[i] = 1;
}

/* Read the i-th sample frame; false when it cannot be used. */
static int read_sample(struct dq_ticket *t, int i, struct sample *sample,
                       const struct dq_reader_hooks *hooks)
{
    const struct dq_recipe *recipe = t->request.recipe;
    int count = 0;
    int32_t frame = dq_shot_sample(&recipe->frames, i, &count);
    char *path = dq_sequence_path(&recipe->plate, frame);
    int read;

    tell(t, hooks, "plate", frame);
    read = dq_stage_read_plate(t, path, hooks) == DQ_OK;
    if (read && !dq_box_equal(&t->frame.display, &t->shot.display))
        read = dq_fail(t->err, DQ_PLATE,
                       "%s: its display window differs from the shot's",
                       path) == DQ_OK;
    if (!read)
        leave_out(sample, i, path, t->err);
    dq_err_clear(t->err);
    free(path);
    return read;
}

static int sample_count(const struct dq_recipe *recipe)
{
    int count = 0;

    dq_shot_sample(&recipe->frames, 0, &count);
    return count;
}

static int survey_exposure(struct dq_ticket *t, struct sample *sample,
                           const struct dq_reader_hooks *hooks)
{
    const struct dq_recipe *recipe = t->request.recipe;
    int64_t pixels = 0;
    double sum = 0;

    t->shot.exposure_ev = recipe->exposure_ev;
    if (!recipe->exposure_auto)
        return DQ_OK;
    for (int i = 0; i < sample_count(recipe); i++) {
        struct dq_colour colour = {0};
        int guessed = 0;

        if (!read_sample(t, i, sample, hooks))
            continue;
        if (dq_recipe_colour(recipe, dq_plate_info(t->plate), &colour, &guessed,
                             t->err))
            return t->err->code;
        dq_colour_log_luminance(&colour, &t->frame, &sum, &pixels);
    }
    t->shot.exposure_ev = dq_colour_exposure(sum, pixels);
    return DQ_OK;
}

/* ---- range --------------------------------------------------------------- */

struct values {
    float *list;
    size_t count;
};

/* Of a guide so many values are enough for its share in the ends: where the
 * whole plate is one tile it has as many as the plate. */
enum { RANGE_VALUES = 1 << 16 };

/* Every guide weighs the same: all have the lattice's shape. */
static int pool_guide(struct dq_engine *engine, struct dq_ticket *t,
                      struct values *all)
{
    int width = 0, height = 0, step;
    const float *guide = dq_engine_guide(engine, t, &width, &height);
    size_t most;

    if (!guide)
        return t->err->code;
    step = (int)dq_grid_step(width, height, RANGE_VALUES);
    most = (size_t)(width / step + 1) * (size_t)(height / step + 1);
    all->list = dq_grow(all->list, all->count + most, sizeof *all->list);
    for (int y = step / 2; y < height; y += step)
        for (int x = step / 2; x < width; x += step)
            all->list[all->count++] =
                guide[(size_t)y * (size_t)width + (size_t)x];
    return DQ_OK;
}

int dq_survey_asks(const struct dq_recipe *recipe)
{
    return !recipe->steady && (recipe->model->scale == DQ_SCALE_AFFINE ||
                               recipe->kind == DQ_DEPTH_NATIVE);
}

static int survey_range(struct dq_engine *engine, struct dq_ticket *t,
                        struct sample *sample,
                        const struct dq_reader_hooks *hooks)
{
    const struct dq_recipe *recipe = t->request.recipe;
    struct dq_pixel_counts counts = {0};
    struct values all = {0};
    int guessed = 0, code = DQ_OK;

    for (int i = 0; i < sample_count(recipe) && !code; i++) {
        if (!read_sample(t, i, sample, hooks))
            continue;
        code = dq_picture_make(t, &counts, &guessed);
        if (!code)
            code = pool_guide(engine, t, &all);
    }
    if (!code && all.count == 0) {
        *t->err = sample->first;
        code =
            dq_because(t->err, "none of the shot's sample frames can be used");
    }
    if (!code)
        dq_quantity_ends(all.list, all.count, &t->shot.range_low,
                         &t->shot.range_high);
    free(all.list);
    return code;
}

/* Whether there is nothing to do: it is decided, or cannot be read. */
static int is_there(struct dq_ticket *t)
{
    const struct dq_recipe *recipe = t->request.recipe;

    if (recipe->anew == DQ_ANEW_ALL)
        return 0;
    t->outcome.skipped = dq_shot_read_survey(recipe, &t->shot, t->err) == DQ_OK;
    if (t->err->code != DQ_MISSING)
        return 1;
    dq_err_clear(t->err);
    return 0;
}

int dq_survey(struct dq_engine *engine, struct dq_ticket *t, const char *tag,
              const struct dq_reader_hooks *hooks)
{
    const struct dq_recipe *recipe = t->request.recipe;
    struct sample sample = {0};
    struct dq_quantity asked;

    /* what no frame can be written as is said once, before any is read */
    if (dq_quantity_new(recipe, &t->shot, &asked, t->err))
        return t->err->code;
    if (is_there(t))
        return t->err->code;
    snprintf(t->shot.key, sizeof t->shot.key, "%s", recipe->survey_key);
    if (survey_windows(t, hooks) || survey_exposure(t, &sample, hooks))
        return t->err->code;
    if (dq_survey_asks(recipe) && survey_range(engine, t, &sample, hooks))
        return t->err->code;
    return dq_shot_write(recipe, &t->shot, tag, t->err);
}
