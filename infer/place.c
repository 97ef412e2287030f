#include "infer/place.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/publish.h"
#include "infer/steady.h"

enum { NOTE_FORMAT = 1, NOTE_LIMIT = 64 * 1024, NEIGHBOURS = 8 };

/* ---- the note of a late frame -------------------------------------------- */

static char *note_path(const struct dq_recipe *recipe, int32_t frame)
{
    return dq_asprintf("%s/late/%" PRId32 ".json", recipe->shot_folder, frame);
}

static int is_text(const json_t *from, const char *key, const char *wanted)
{
    const char *text = json_string_value(json_object_get(from, key));

    return text && strcmp(text, wanted) == 0;
}

static int read_note(const struct dq_recipe *recipe, const struct dq_shot *shot,
                     int32_t frame, const char *plate_sha256,
                     struct dq_place *place, struct dq_err *err)
{
    char *path = note_path(recipe, frame);
    json_t *from = dq_json_read(path, NOTE_LIMIT, DQ_MISSING, err);
    char solution[DQ_SHA256_HEX];
    int64_t format = 0;

    dq_shot_identity(shot, solution);
    if (from && !dq_json_int(from, "depthq_late", NOTE_FORMAT, NOTE_FORMAT,
                             &format, DQ_MISSING, err)) {
        if (!is_text(from, "plate", plate_sha256) ||
            !is_text(from, "solution", solution))
            dq_fail(err, DQ_MISSING, "is of another plate or solution");
        else if (!dq_json_double(from, "scale", &place->scale, DQ_MISSING, err))
            dq_json_double(from, "shift", &place->shift, DQ_MISSING, err);
    }
    if (!err->code && (!(place->scale > 0) || !isfinite(place->scale) ||
                       !isfinite(place->shift)))
        dq_fail(err, DQ_MISSING, "has no scale and shift");
    if (err->code)
        err->code = DQ_MISSING;
    json_decref(from);
    dq_because(err, "%s", path);
    free(path);
    return err->code;
}

static char *note_text(const struct dq_shot *shot, int32_t frame,
                       const char *plate_sha256, const struct dq_place *place)
{
    char solution[DQ_SHA256_HEX];
    json_t *o;
    char *text;

    dq_shot_identity(shot, solution);
    o = json_pack("{s:i, s:i, s:f, s:f, s:s, s:s}", "depthq_late", NOTE_FORMAT,
                  "frame", (int)frame, "scale", place->scale, "shift",
                  place->shift, "plate", plate_sha256, "solution", solution);
    text = json_dumps(o, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    json_decref(o);
    return text;
}

/* The first note of this plate and solution stands. */
static int write_note(const struct dq_recipe *recipe,
                      const struct dq_shot *shot, int32_t frame,
                      const char *plate_sha256, const char *tag,
                      struct dq_place *place, struct dq_err *err)
{
    char *path = note_path(recipe, frame);
    char *folder = dq_asprintf("%s/late", recipe->shot_folder);
    char *text = note_text(shot, frame, plate_sha256, place);
    struct dq_place theirs;
    struct dq_err other = {0};

    if (!dq_make_folders(folder, err) &&
        dq_publish(path, text, strlen(text), tag, DQ_PUBLISH_NEW, NULL, err) ==
            DQ_EXISTS) {
        dq_err_clear(err);
        if (!read_note(recipe, shot, frame, plate_sha256, &theirs, &other))
            *place = theirs;
        else
            dq_publish(path, text, strlen(text), tag, DQ_PUBLISH_REPLACE, NULL,
                       err);
    }
    free(text);
    free(folder);
    free(path);
    return err->code;
}

int dq_place_find(const struct dq_recipe *recipe, const struct dq_shot *shot,
                  int32_t frame, const char *plate_sha256,
                  struct dq_place *place, struct dq_err *err)
{
    const struct dq_solved *solved = dq_shot_find(shot, frame, plate_sha256);

    if (!solved)
        return read_note(recipe, shot, frame, plate_sha256, place, err);
    place->scale = solved->scale;
    place->shift = solved->shift;
    return DQ_OK;
}

/* ---- its frozen neighbours ----------------------------------------------- */

static int64_t apart(const struct dq_solved *s, int32_t frame)
{
    return s->frame > frame ? (int64_t)s->frame - frame
                            : (int64_t)frame - s->frame;
}

/* The guide that the shot was solved with, of a frozen frame. DQ_MISSING:
 * there is none any more. What only cannot be read now is an error: with other
 * neighbours the frame would come out otherwise. */
static int read_frozen(const struct dq_recipe *recipe, const char *key,
                       const struct dq_solved *s, struct dq_guide *guide,
                       struct dq_err *err)
{
    int code = DQ_MISSING;

    for (int kept = 0; kept <= 1 && code == DQ_MISSING; kept++) {
        char *path = dq_guide_path(recipe, s->frame, kept);

        dq_err_clear(err);
        code = dq_guide_read(path, key, s->plate, guide, err);
        free(path);
    }
    return code;
}

/* Frozen frames nearest first, as places in shot->solved: before and after
 * in turn, whichever is nearer, the earlier when both are. */
static int next_nearest(const struct dq_shot *shot, int32_t frame, int *before,
                        int *after)
{
    int has_before = *before >= 0, has_after = *after < shot->solved_count;

    if (has_before && (!has_after || apart(&shot->solved[*before], frame) <=
                                         apart(&shot->solved[*after], frame)))
        return (*before)--;
    return has_after ? (*after)++ : -1;
}

struct neighbours {
    struct dq_frame_affine place[NEIGHBOURS + 1];
    int count;
    int before, after; /* how many stand on either side */
};

static int gather(const struct dq_recipe *recipe, const struct dq_shot *shot,
                  int32_t frame, struct dq_steady *steady, struct neighbours *n,
                  struct dq_err *err)
{
    char key[DQ_SHA256_HEX];
    struct dq_guide guide = {0};
    int after = 0, before, at;

    while (after < shot->solved_count && shot->solved[after].frame < frame)
        after++;
    before = after - 1;
    if (after < shot->solved_count && shot->solved[after].frame == frame)
        after++; /* its own plate was replaced: that one is no neighbour */
    dq_guide_key(recipe, shot, key);
    while (n->count < NEIGHBOURS && !err->code &&
           (at = next_nearest(shot, frame, &before, &after)) >= 0) {
        const struct dq_solved *s = &shot->solved[at];

        if (read_frozen(recipe, key, s, &guide, err)) {
            if (err->code == DQ_MISSING)
                dq_err_clear(err);
            continue;
        }
        if (!dq_steady_add(steady, n->count, &guide, err)) {
            n->place[n->count].scale = s->scale;
            n->place[n->count].shift = s->shift;
            n->place[n->count].stretch = s->stretch;
            n->count++;
            n->before += s->frame < frame;
            n->after += s->frame > frame;
        }
    }
    dq_guide_free(&guide);
    return err->code;
}

/* A metric network's scale is right already; a frame at the end of what is
 * frozen has no trend about it that could be told from flicker. */
static int is_right_already(const struct dq_recipe *recipe,
                            const struct neighbours *n)
{
    return recipe->model->scale == DQ_SCALE_METRIC &&
           (n->before == 0 || n->after == 0);
}

static int fit(const struct dq_recipe *recipe, const struct dq_shot *shot,
               int32_t frame, const struct dq_guide *guide,
               struct dq_place *place, struct dq_err *err)
{
    struct dq_steady *steady =
        dq_steady_new(recipe, NEIGHBOURS + 1, guide->width, guide->height);
    struct neighbours n = {.count = 0};
    struct dq_frame_affine found = {.scale = 1};

    if (!gather(recipe, shot, frame, steady, &n, err) && n.count == 0)
        dq_fail(err, DQ_MISSING,
                "frame %" PRId32 " came after the shot was solved, and none of "
                "the guides that it was solved with is there any more; run "
                "with --resolve to solve the shot anew",
                frame);
    if (!err->code && !is_right_already(recipe, &n) &&
        !dq_steady_add(steady, NEIGHBOURS, guide, err))
        dq_steady_fit(steady, n.place, NEIGHBOURS, 0, shot->range_low,
                      shot->range_high, &found, err);
    place->scale = found.scale;
    place->shift = found.shift;
    dq_steady_free(steady);
    return err->code;
}

int dq_place_fit(const struct dq_recipe *recipe, const struct dq_shot *shot,
                 int32_t frame, const struct dq_guide *guide, const char *tag,
                 struct dq_place *place, struct dq_err *err)
{
    if (fit(recipe, shot, frame, guide, place, err))
        return err->code;
    return write_note(recipe, shot, frame, guide->plate.sha256, tag, place,
                      err);
}
