/* Taking a job: the client has resolved paths and listed frames; the text is
 * parsed once more here, for nobody's word is taken for it. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "daemon/api_private.h"

enum { KEY_BYTES = 128 };

/* A member that need not be there: usual. */
static int optional(const json_t *o, const char *key, int64_t low, int64_t high,
                    int64_t usual, int64_t *value, struct dq_err *err)
{
    *value = usual;
    if (!json_object_get(o, key))
        return DQ_OK;
    return dq_json_int(o, key, low, high, value, DQ_USAGE, err);
}

static int flag(const json_t *o, const char *key, int *value,
                struct dq_err *err)
{
    const json_t *member = json_object_get(o, key);

    if (member && !json_is_boolean(member))
        return dq_fail(err, DQ_USAGE, "%s: is not true or false", key);
    *value = json_is_true(member);
    return DQ_OK;
}

/* What a request says, as it came. Strings are the object's. */
struct wish {
    const char *key, *yaml, *file, *folder, *frames;
    int64_t after, priority;
    int hold;
};

static int read_wish(const json_t *o, struct wish *w, struct dq_err *err)
{
    if (!(w->key = dq_json_string(o, "key", DQ_USAGE, err)) ||
        !(w->yaml = dq_json_string(o, "yaml", DQ_USAGE, err)) ||
        !(w->file = dq_json_string(o, "file", DQ_USAGE, err)) ||
        !(w->folder = dq_json_string(o, "folder", DQ_USAGE, err)) ||
        !(w->frames = dq_json_string(o, "frames", DQ_USAGE, err)) ||
        optional(o, "after", 1, INT64_MAX, 0, &w->after, err) ||
        optional(o, "priority", 0, 100, -1, &w->priority, err) ||
        flag(o, "hold", &w->hold, err))
        return err->code;
    if (!*w->key || strlen(w->key) > KEY_BYTES)
        return dq_fail(err, DQ_USAGE, "key: is not 1 to %d bytes long",
                       KEY_BYTES);
    if (*w->folder != '/' || (*w->file != '/' && strcmp(w->file, "-") != 0))
        return dq_fail(err, DQ_USAGE, "file and folder: are not absolute");
    return DQ_OK;
}

/* The shot's frames: what the job names, or what the client found. */
static int read_frames(const struct wish *w, const struct dq_spec *spec,
                       struct dq_range *frames, struct dq_err *err)
{
    char *missing;

    if (dq_range_parse(w->frames, frames, err)) {
        dq_because(err, "frames");
        return err->code = DQ_USAGE;
    }
    if (spec->frames.count == 0)
        return DQ_OK;
    missing = dq_range_missing(&spec->frames, frames);
    if (missing || spec->frames.count != frames->count)
        dq_fail(err, DQ_USAGE, "frames: are not those of the job file");
    free(missing);
    return err->code;
}

static int find_model(const struct dq_spec *spec, struct dq_model_ref *model,
                      struct dq_err *err)
{
    if (dq_library_is_path(spec->model))
        return dq_fail(err, DQ_DENIED,
                       "model: %s is a path; a model is a program, so only "
                       "registered ones are taken (depthq run takes paths)",
                       spec->model);
    return dq_library_find(spec->model, spec->folder, 0, model, err);
}

static int check_path(const struct dq_call *c, const char *what,
                      const struct dq_sequence *path, struct dq_err *err)
{
    char *text = dq_sequence_text(path);

    dq_access_path(c->api->access, c->api->owner, c->role, what, text, err);
    free(text);
    return err->code;
}

static int submit(struct dq_call *c, const struct wish *w,
                  const struct dq_spec *spec, int64_t *job, int *fresh,
                  struct dq_err *err)
{
    struct dq_range frames = {0};
    struct dq_model_ref model = {0};
    char digest[DQ_SHA256_HEX];
    struct dq_submission sub = {.who = c->who,
                                .key = w->key,
                                .body = digest,
                                .yaml = w->yaml,
                                .spec = spec,
                                .frames = &frames,
                                .model = &model,
                                .hold = w->hold,
                                .after = w->after,
                                .priority = (int)w->priority};

    dq_sha256(c->request->body, c->request->body_bytes, digest);
    if (!check_path(c, "plate", &spec->plate, err) &&
        !check_path(c, "output.path", &spec->output.path, err) &&
        !read_frames(w, spec, &frames, err) && !find_model(spec, &model, err))
        dq_store_submit(c->api->store, &sub, job, fresh, err);
    dq_model_ref_free(&model);
    dq_range_free(&frames);
    return err->code;
}

json_t *dq_call_submit(struct dq_call *c, struct dq_err *err)
{
    static const char *const keys[] = {"key",    "yaml",   "file",
                                       "folder", "frames", "priority",
                                       "hold",   "after",  NULL};
    json_t *o = NULL, *answer = NULL;
    struct dq_spec *spec = NULL;
    struct wish w = {0};
    int64_t job = 0;
    int fresh = 0;

    if (dq_call_has_room(c, err) && (o = dq_call_body(c, keys, err)) &&
        !read_wish(o, &w, err) && w.yaml)
        spec = dq_spec_parse(w.yaml, strlen(w.yaml), w.file, w.folder,
                             &c->problems);
    if (spec)
        submit(c, &w, spec, &job, &fresh, err);
    else if (!err->code)
        dq_fail(err, DQ_SPEC, "%s:%d:%d: %s", w.file, c->problems.list->line,
                c->problems.list->column, c->problems.list->text);
    if (!err->code) {
        c->status = fresh ? 201 : 200;
        answer =
            json_pack("{s:I, s:b}", "job", (json_int_t)job, "fresh", fresh);
    }
    dq_spec_free(spec);
    json_decref(o);
    return answer;
}
