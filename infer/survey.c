/* survey: what a shot's frames have in common, decided once.
 *
 * Display window and pixel aspect, exposure and output range from a fixed
 * sample of the whole list; the lattice from every frame's header. A frame
 * that cannot be read is left out: its own render will say why.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "infer/quantity.h"
#include "infer/ticket.h"
#include "infer/windows.h"

/* ---- windows ------------------------------------------------------------- */

struct windows {
    struct dq_header *all; /* of the frames whose header could be used */
    size_t found;
    struct dq_header sample[DQ_SHOT_SAMPLES]; /* of those in the sample */
    size_t sampled;
    struct dq_err first; /* why the first of the others could not */
};

/* Whoever waits learns that there is progress, and where it ended. */
static void tell(struct dq_ticket *t, const struct dq_reader_hooks *hooks,
                 const char *what, int32_t frame)
{
    char with[32];

    snprintf(with, sizeof with, "%s %" PRId32, what, frame);
    hooks->going(hooks->context, t, with);
}

static int sample_count(const struct dq_recipe *recipe)
{
    int count = 0;

    dq_shot_sample(&recipe->frames, 0, &count);
    return count;
}

static int read_header(const struct dq_recipe *recipe, int32_t frame,
                       struct dq_header *header, struct dq_err *err)
{
    struct dq_plate_wish wish = dq_recipe_wish(recipe);
    char *path = dq_sequence_path(&recipe->plate, frame);
    struct dq_plate_choice choice = {0};
    struct dq_plate *plate = dq_plate_open_header(path, err);

    if (plate && !dq_plate_choose(plate, &wish, &choice, err)) {
        const struct dq_plate_info *info = dq_plate_info(plate);

        header->display = info->display;
        header->data = info->parts[choice.part].data;
        header->pixel_aspect = info->pixel_aspect;
    }
    dq_plate_close(plate);
    free(path);
    return err->code;
}

static void look_at(const struct dq_recipe *recipe, int32_t frame,
                    int in_sample, struct windows *w)
{
    struct dq_err err = {0};

    if (read_header(recipe, frame, &w->all[w->found], &err)) {
        if (!w->first.code)
            w->first = err;
        return;
    }
    if (in_sample)
        w->sample[w->sampled++] = w->all[w->found];
    w->found++;
}

enum { HEADERS_TOLD = 16 }; /* each so many-th is */
static void look_at_all(struct dq_ticket *t, struct windows *w,
                        const struct dq_reader_hooks *hooks)
{
    const struct dq_recipe *recipe = t->request.recipe;
    const struct dq_range *list = &recipe->frames;
    int next = 0, count = sample_count(recipe);

    for (size_t i = 0; i < list->count; i++) {
        int in_sample = next < count &&
                        list->frames[i] == dq_shot_sample(list, next, &count);

        if (i % HEADERS_TOLD == 0)
            tell(t, hooks, "header", list->frames[i]);
        look_at(recipe, list->frames[i], in_sample, w);
        next += in_sample;
    }
}

/* Most of the sample's plates decide; where none of them can be used, the
 * first of the others. */
static int survey_windows(struct dq_ticket *t,
                          const struct dq_reader_hooks *hooks)
{
    size_t frames = t->request.recipe->frames.count;
    struct windows w = {.all = dq_new_array(frames, sizeof *w.all)};

    look_at_all(t, &w, hooks);
    if (w.found)
        dq_windows_take(
            w.all, w.found,
            w.sampled ? dq_windows_vote(w.sample, w.sampled) : w.all, &t->shot);
    free(w.all);
    if (w.found)
        return DQ_OK;
    *t->err = w.first;
    return dq_because(t->err, "none of the shot's %zu frames can be used",
                      frames);
}

/* Whether the sample's plates still have what was decided for the shot. Where
 * more than half have another display window or pixel aspect, all of those
 * would fail: a few that came early, and odd, have decided it, or all plates
 * were replaced. */
static int still_holds(const struct dq_recipe *recipe,
                       const struct dq_shot *shot)
{
    struct dq_header sample[DQ_SHOT_SAMPLES];
    int count = sample_count(recipe);
    size_t found = 0;

    for (int i = 0; i < count; i++) {
        struct dq_err none = {0};

        found +=
            !read_header(recipe, dq_shot_sample(&recipe->frames, i, &count),
                         &sample[found], &none);
    }
    return !dq_windows_overturn(sample, found, (size_t)count, shot);
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
    read = !dq_stage_read_plate(t, path, hooks) && !dq_stage_fits_shot(t, path);
    if (!read)
        leave_out(sample, i, path, t->err);
    dq_err_clear(t->err);
    free(path);
    return read;
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

/* Whether there is nothing to do: it is decided and holds, or cannot be read.
 */
static int is_there(struct dq_ticket *t)
{
    const struct dq_recipe *recipe = t->request.recipe;

    if (recipe->anew == DQ_ANEW_ALL)
        return 0;
    if (!dq_shot_read_survey(recipe, &t->shot, t->err)) {
        t->outcome.skipped = still_holds(recipe, &t->shot);
        return t->outcome.skipped;
    }
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
    dq_shot_free(&t->shot); /* what holds no more */
    snprintf(t->shot.key, sizeof t->shot.key, "%s", recipe->survey_key);
    if (survey_windows(t, hooks) || survey_exposure(t, &sample, hooks))
        return t->err->code;
    if (dq_survey_asks(recipe) && survey_range(engine, t, &sample, hooks))
        return t->err->code;
    return dq_shot_write(recipe, &t->shot, tag, t->err);
}
