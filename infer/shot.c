#include "infer/shot.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/publish.h"

enum { SHOT_FORMAT = 1, SHOT_LIMIT = 1 << 20 };

void dq_shot_square(const struct dq_shot *shot, int *width, int *height)
{
    double wide =
        (double)dq_box_width(&shot->lattice) * (double)shot->pixel_aspect;

    *width = (int)fmax(1, floor(wide + 0.5));
    *height = (int)dq_box_height(&shot->lattice);
}

int32_t dq_shot_sample(const struct dq_range *frames, int i, int *count)
{
    size_t n = frames->count;
    size_t at;

    *count = n < DQ_SHOT_SAMPLES ? (int)n : DQ_SHOT_SAMPLES;
    if (*count <= 1)
        return frames->frames[0];
    at = (size_t)floor((double)i * (double)(n - 1) / (*count - 1) + 0.5);
    return frames->frames[at];
}

static char *shot_path(const struct dq_recipe *recipe)
{
    return dq_asprintf("%s/shot.json", recipe->shot_folder);
}

static int read_box(const json_t *from, const char *key, struct dq_box *box,
                    struct dq_err *err)
{
    const json_t *list = json_object_get(from, key);
    int32_t *const into[] = {&box->x0, &box->y0, &box->x1, &box->y1};

    if (json_array_size(list) != 4)
        return dq_fail(err, DQ_CONFIG, "%s: is no box", key);
    for (size_t i = 0; i < 4; i++) {
        const json_t *number = json_array_get(list, i);
        json_int_t value = json_integer_value(number);

        if (!json_is_integer(number) || value < INT32_MIN || value > INT32_MAX)
            return dq_fail(err, DQ_CONFIG, "%s: is no box", key);
        *into[i] = (int32_t)value;
    }
    return DQ_OK;
}

static int read_values(const json_t *from, struct dq_shot *shot,
                       struct dq_err *err)
{
    double aspect = 1, exposure = 0;

    if (read_box(from, "display", &shot->display, err) ||
        read_box(from, "lattice", &shot->lattice, err) ||
        dq_json_double(from, "pixel_aspect", &aspect, DQ_CONFIG, err) ||
        dq_json_double(from, "exposure_ev", &exposure, DQ_CONFIG, err) ||
        dq_json_double(from, "range_low", &shot->range_low, DQ_CONFIG, err) ||
        dq_json_double(from, "range_high", &shot->range_high, DQ_CONFIG, err))
        return err->code;
    shot->pixel_aspect = (float)aspect;
    shot->exposure_ev = (float)exposure;
    if (dq_box_width(&shot->lattice) < 1 || dq_box_height(&shot->lattice) < 1)
        return dq_fail(err, DQ_CONFIG, "lattice: is empty");
    if (!(aspect > 0.01 && aspect < 100))
        return dq_fail(err, DQ_CONFIG, "pixel_aspect: is no aspect");
    return DQ_OK;
}

static int read_shot(const json_t *from, const struct dq_recipe *recipe,
                     struct dq_shot *shot, struct dq_err *err)
{
    int64_t format = 0;
    const char *key = dq_json_string(from, "key", DQ_CONFIG, err);

    if (!key)
        return err->code;
    if (dq_json_int(from, "depthq_shot", 1, INT32_MAX, &format, DQ_CONFIG, err))
        return err->code;
    if (format != SHOT_FORMAT)
        return dq_fail(err, DQ_CONFIG,
                       "is of format %" PRId64 ", this program reads %d",
                       format, SHOT_FORMAT);
    if (strcmp(key, recipe->survey_key) != 0)
        return dq_fail(err, DQ_MISSING, "was made for other settings");
    snprintf(shot->key, sizeof shot->key, "%s", key);
    return read_values(from, shot, err);
}

int dq_shot_read(const struct dq_recipe *recipe, struct dq_shot *shot,
                 struct dq_err *err)
{
    char *path = shot_path(recipe);
    json_t *from = dq_json_read(path, SHOT_LIMIT, DQ_CONFIG, err);

    memset(shot, 0, sizeof *shot);
    if (from && read_shot(from, recipe, shot, err))
        dq_because(err, "%s", path);
    if (err->code == DQ_CONFIG) {
        char was[sizeof err->text];

        memcpy(was, err->text, sizeof was);
        dq_fail(err, DQ_CONFIG, "%.900s; delete it to survey the shot again",
                was);
    }
    json_decref(from);
    free(path);
    return err->code;
}

static json_t *box_json(const struct dq_box *box)
{
    return json_pack("[i,i,i,i]", box->x0, box->y0, box->x1, box->y1);
}

static json_t *shot_json(const struct dq_recipe *recipe,
                         const struct dq_shot *shot)
{
    char *plate = dq_sequence_text(&recipe->plate);
    char *frames = dq_range_text(&recipe->frames);
    json_t *all =
        json_pack("{s:i, s:s, s:s, s:s, s:s, s:o, s:o, s:f, s:f, s:f, s:f}",
                  "depthq_shot", SHOT_FORMAT, "key", shot->key, "plate", plate,
                  "frames", frames, "model", recipe->model->name, "display",
                  box_json(&shot->display), "lattice", box_json(&shot->lattice),
                  "pixel_aspect", (double)shot->pixel_aspect, "exposure_ev",
                  (double)shot->exposure_ev, "range_low", shot->range_low,
                  "range_high", shot->range_high);

    free(frames);
    free(plate);
    return all;
}

static int publish(const struct dq_recipe *recipe, const struct dq_shot *shot,
                   const char *tag, enum dq_publish_mode mode,
                   struct dq_err *err)
{
    char *path = shot_path(recipe);
    json_t *all = shot_json(recipe, shot);
    char *text = json_dumps(all, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    int code = dq_publish(path, text, strlen(text), tag, mode, NULL, err);

    free(text);
    json_decref(all);
    free(path);
    return code;
}

/* Only what was made for other settings gives way. */
static int take_place(const struct dq_recipe *recipe,
                      const struct dq_shot *shot, const char *tag,
                      struct dq_err *err)
{
    struct dq_shot found;

    dq_err_clear(err);
    if (dq_shot_read(recipe, &found, err) != DQ_MISSING)
        return err->code;
    dq_err_clear(err);
    return publish(recipe, shot, tag, DQ_PUBLISH_REPLACE, err);
}

int dq_shot_write(const struct dq_recipe *recipe, struct dq_shot *shot,
                  const char *tag, struct dq_err *err)
{
    if (dq_make_folders(recipe->shot_folder, err))
        return err->code;
    if (publish(recipe, shot, tag, DQ_PUBLISH_NEW, err) == DQ_EXISTS)
        take_place(recipe, shot, tag, err);
    return err->code ? err->code : dq_shot_read(recipe, shot, err);
}

char *dq_shot_text(const struct dq_shot *shot)
{
    const struct dq_box *d = &shot->display, *l = &shot->lattice;

    return dq_asprintf(
        "display=%" PRId32 ",%" PRId32 ",%" PRId32 ",%" PRId32 "\n"
        "lattice=%" PRId32 ",%" PRId32 ",%" PRId32 ",%" PRId32 "\n"
        "pixel_aspect=%.9g\nexposure_ev=%.9g\nrange=%.17g,%.17g\n",
        d->x0, d->y0, d->x1, d->y1, l->x0, l->y0, l->x1, l->y1,
        (double)shot->pixel_aspect, (double)shot->exposure_ev, shot->range_low,
        shot->range_high);
}
