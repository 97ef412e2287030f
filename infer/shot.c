#include "infer/shot.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/publish.h"
#include "base/sha256.h"

enum { SHOT_FORMAT = 1, SHOT_LIMIT = 64 << 20 };

int dq_shot_has_window(const struct dq_shot *shot, const struct dq_box *display,
                       float pixel_aspect)
{
    return dq_box_equal(display, &shot->display) &&
           !(pixel_aspect < shot->pixel_aspect) &&
           !(pixel_aspect > shot->pixel_aspect);
}

static int same_window(const struct dq_shot *a, const struct dq_shot *b)
{
    return dq_shot_has_window(a, &b->display, b->pixel_aspect);
}

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

void dq_shot_free(struct dq_shot *shot)
{
    if (!shot)
        return;
    free(shot->solved);
    memset(shot, 0, sizeof *shot);
}

static char *path_of(const struct dq_recipe *recipe, const char *name)
{
    return dq_asprintf("%s/%s", recipe->shot_folder, name);
}

/* ---- reading ------------------------------------------------------------- */

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

static const char *const known_words[] = {[DQ_KNOWN_NOTHING] = "nothing",
                                          [DQ_KNOWN_SCALE] = "scale",
                                          [DQ_KNOWN_BOTH] = "scale and shift"};

/* Files of before do not say. */
static enum dq_known read_known(const json_t *from)
{
    const char *word = json_string_value(json_object_get(from, "determined"));

    for (int i = DQ_KNOWN_NOTHING; word && i <= DQ_KNOWN_BOTH; i++)
        if (strcmp(word, known_words[i]) == 0)
            return (enum dq_known)i;
    return DQ_KNOWN_BOTH;
}

static int read_solved(const json_t *from, struct dq_solved *s,
                       struct dq_err *err)
{
    const char *plate = dq_json_string(from, "plate", DQ_CONFIG, err);
    int64_t frame = 0, stretch = 0, evidence = 0;

    if (!plate ||
        dq_json_int(from, "frame", INT32_MIN, INT32_MAX, &frame, DQ_CONFIG,
                    err) ||
        dq_json_double(from, "scale", &s->scale, DQ_CONFIG, err) ||
        dq_json_double(from, "shift", &s->shift, DQ_CONFIG, err) ||
        dq_json_int(from, "stretch", 0, INT32_MAX, &stretch, DQ_CONFIG, err) ||
        dq_json_int(from, "evidence", 0, INT32_MAX, &evidence, DQ_CONFIG, err))
        return err->code;
    if (!(s->scale > 0) || !isfinite(s->scale) || !isfinite(s->shift))
        return dq_fail(err, DQ_CONFIG, "scale %g and shift %g are none",
                       s->scale, s->shift);
    snprintf(s->plate, sizeof s->plate, "%s", plate);
    s->frame = (int32_t)frame;
    s->stretch = (int)stretch;
    s->evidence = (int)evidence;
    s->known = read_known(from);
    return DQ_OK;
}

static int read_solution(const json_t *from, struct dq_shot *shot,
                         struct dq_err *err)
{
    const json_t *list = json_object_get(from, "solution");
    size_t count = json_array_size(list);

    if (!list)
        return DQ_OK;
    if (count == 0 || count > INT32_MAX)
        return dq_fail(err, DQ_CONFIG, "solution: has no frames");
    shot->solved = dq_new_array(count, sizeof *shot->solved);
    shot->solved_count = (int)count;
    for (size_t i = 0; i < count; i++) {
        if (read_solved(json_array_get(list, i), &shot->solved[i], err))
            return dq_because(err, "solution: entry %zu", i);
        if (i > 0 && shot->solved[i].frame <= shot->solved[i - 1].frame)
            return dq_fail(err, DQ_CONFIG, "solution: frames do not rise");
    }
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

static int read_file(const struct dq_recipe *recipe, const char *name,
                     struct dq_shot *shot, struct dq_err *err)
{
    char *path = path_of(recipe, name);
    json_t *from = dq_json_read(path, SHOT_LIMIT, DQ_CONFIG, err);

    dq_shot_free(shot);
    if (from &&
        (read_shot(from, recipe, shot, err) || read_solution(from, shot, err)))
        dq_because(err, "%s", path);
    if (err->code == DQ_CONFIG) {
        char was[sizeof err->text];

        memcpy(was, err->text, sizeof was);
        dq_fail(err, DQ_CONFIG, "%.900s; delete it to survey the shot again",
                was);
    }
    if (err->code)
        dq_shot_free(shot);
    json_decref(from);
    free(path);
    return err->code;
}

/* A survey made since has found plates of another window: the solution is of
 * no use to them. */
static int is_outdated(const struct dq_recipe *recipe,
                       const struct dq_shot *solved)
{
    struct dq_shot survey = {.solved_count = 0};
    struct dq_err none = {0};
    int is = !read_file(recipe, "survey.json", &survey, &none) &&
             !same_window(&survey, solved);

    dq_shot_free(&survey);
    return is;
}

int dq_shot_read(const struct dq_recipe *recipe, struct dq_shot *shot,
                 struct dq_err *err)
{
    if (read_file(recipe, "shot.json", shot, err))
        return err->code;
    if (!recipe->steady)
        return DQ_OK;
    if (!shot->solved_count)
        return dq_fail(err, DQ_CONFIG,
                       "%s/shot.json: has no solution; delete it to solve the "
                       "shot again",
                       recipe->shot_folder);
    if (!is_outdated(recipe, shot))
        return DQ_OK;
    dq_shot_free(shot);
    return dq_fail(err, DQ_MISSING,
                   "%s/shot.json: was solved for plates of another display "
                   "window; scan and solve the shot again",
                   recipe->shot_folder);
}

static void forget_solution(struct dq_shot *shot)
{
    free(shot->solved);
    shot->solved = NULL;
    shot->solved_count = 0;
}

int dq_shot_read_survey(const struct dq_recipe *recipe, struct dq_shot *shot,
                        struct dq_err *err)
{
    if (recipe->steady && recipe->anew == DQ_ANEW_ALL)
        return read_file(recipe, "survey.json", shot, err);
    if (dq_shot_read(recipe, shot, err) == DQ_MISSING && recipe->steady) {
        dq_err_clear(err);
        return read_file(recipe, "survey.json", shot, err);
    }
    if (!err->code && recipe->anew == DQ_ANEW_SOLUTION)
        forget_solution(shot);
    return err->code;
}

const struct dq_solved *dq_shot_find(const struct dq_shot *shot, int32_t frame,
                                     const char *plate_sha256)
{
    int low = 0, high = shot->solved_count;

    while (low < high) {
        int middle = low + (high - low) / 2;

        if (shot->solved[middle].frame < frame)
            low = middle + 1;
        else
            high = middle;
    }
    return low < shot->solved_count && shot->solved[low].frame == frame &&
                   strcmp(shot->solved[low].plate, plate_sha256) == 0
               ? &shot->solved[low]
               : NULL;
}

/* ---- writing ------------------------------------------------------------- */

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

static json_t *solution_json(const struct dq_shot *shot)
{
    json_t *list = json_array();

    for (int i = 0; i < shot->solved_count; i++) {
        const struct dq_solved *s = &shot->solved[i];

        json_array_append_new(
            list,
            json_pack("{s:i, s:f, s:f, s:i, s:i, s:s, s:s}", "frame",
                      (int)s->frame, "scale", s->scale, "shift", s->shift,
                      "stretch", s->stretch, "evidence", s->evidence,
                      "determined", known_words[s->known], "plate", s->plate));
    }
    return list;
}

static char *file_text(const struct dq_recipe *recipe,
                       const struct dq_shot *shot)
{
    json_t *all = shot_json(recipe, shot);
    char *text;

    if (shot->solved_count)
        json_object_set_new(all, "solution", solution_json(shot));
    text = json_dumps(all, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    json_decref(all);
    return text;
}

static int publish(const struct dq_recipe *recipe, const struct dq_shot *shot,
                   const char *name, const char *tag, enum dq_publish_mode mode,
                   struct dq_err *err)
{
    char *path = path_of(recipe, name);
    char *text = file_text(recipe, shot);

    dq_publish(path, text, strlen(text), tag, mode, NULL, err);
    free(text);
    free(path);
    return err->code;
}

/* What takes the place of the file that is there, for this key and window:
 * named after all of them, so that of two who find the same file stale one
 * decides. NULL: the file cannot be read. */
static char *heir_of(const struct dq_recipe *recipe, const struct dq_shot *shot,
                     const char *name, struct dq_err *err)
{
    const struct dq_box *d = &shot->display;
    char *path = path_of(recipe, name), *heir = NULL;
    struct dq_bytes stale = {0};
    char hex[DQ_SHA256_HEX];

    if (!dq_bytes_read_file(&stale, path, SHOT_LIMIT, DQ_CONFIG, err)) {
        dq_bytes_printf(&stale,
                        "\n%s\n%" PRId32 ",%" PRId32 ",%" PRId32 ",%" PRId32
                        " %.9g",
                        recipe->survey_key, d->x0, d->y0, d->x1, d->y1,
                        (double)shot->pixel_aspect);
        dq_sha256(stale.data, stale.count, hex);
        heir = dq_asprintf("heirs/%.16s-%s", hex, name);
    }
    dq_bytes_free(&stale);
    free(path);
    return heir;
}

/* Published once; then *shot is what stands there. */
static int be_heir(const struct dq_recipe *recipe, struct dq_shot *shot,
                   const char *heir, const char *tag, struct dq_err *err)
{
    char *folder = path_of(recipe, "heirs");

    if (!dq_make_folders(folder, err) &&
        publish(recipe, shot, heir, tag, DQ_PUBLISH_NEW, err) == DQ_EXISTS) {
        dq_err_clear(err);
        read_file(recipe, heir, shot, err);
    }
    free(folder);
    return err->code;
}

/* Only what was made for other settings or another window gives way. */
static int gives_way(const struct dq_recipe *recipe, const struct dq_shot *to,
                     const char *name, struct dq_err *err)
{
    struct dq_shot found = {.solved_count = 0};
    int code = read_file(recipe, name, &found, err);
    int gives = code == DQ_MISSING || (!code && !same_window(&found, to));

    if (code == DQ_MISSING)
        dq_err_clear(err);
    dq_shot_free(&found);
    return gives;
}

/* Its bytes are read before its key: if somebody else takes the place in
 * between, theirs has ours. */
static int take_place(const struct dq_recipe *recipe, struct dq_shot *shot,
                      const char *name, const char *tag, struct dq_err *err)
{
    char *heir;

    dq_err_clear(err);
    heir = heir_of(recipe, shot, name, err);
    if (err->code == DQ_MISSING) { /* gone meanwhile: there is no heir to be */
        dq_err_clear(err);
        return publish(recipe, shot, name, tag, DQ_PUBLISH_NEW, err);
    }
    if (heir && gives_way(recipe, shot, name, err) &&
        !be_heir(recipe, shot, heir, tag, err))
        publish(recipe, shot, name, tag, DQ_PUBLISH_REPLACE, err);
    free(heir);
    return err->code;
}

int dq_shot_write(const struct dq_recipe *recipe, struct dq_shot *shot,
                  const char *tag, struct dq_err *err)
{
    int early = recipe->steady && !shot->solved_count;
    const char *name = early ? "survey.json" : "shot.json";
    int anew = recipe->anew == DQ_ANEW_ALL ||
               (recipe->anew == DQ_ANEW_SOLUTION && !early);
    enum dq_publish_mode mode = anew ? DQ_PUBLISH_REPLACE : DQ_PUBLISH_NEW;

    if (dq_make_folders(recipe->shot_folder, err))
        return err->code;
    if (publish(recipe, shot, name, tag, mode, err) == DQ_EXISTS)
        take_place(recipe, shot, name, tag, err);
    return err->code ? err->code : read_file(recipe, name, shot, err);
}

/* ---- for digests --------------------------------------------------------- */

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

char *dq_shot_frame_text(const char *shot_text, double scale, double shift)
{
    return dq_asprintf("%splace=%.17g,%.17g\n", shot_text, scale, shift);
}

void dq_shot_identity(const struct dq_shot *shot, char hex[DQ_SHA256_HEX])
{
    struct dq_bytes all = {0};
    char *text = dq_shot_text(shot);

    dq_bytes_printf(&all, "key=%s\n%s", shot->key, text);
    for (int i = 0; i < shot->solved_count; i++) {
        const struct dq_solved *s = &shot->solved[i];

        dq_bytes_printf(&all, "%" PRId32 " %s %.17g %.17g\n", s->frame,
                        s->plate, s->scale, s->shift);
    }
    dq_sha256(all.data, all.count, hex);
    dq_bytes_free(&all);
    free(text);
}
