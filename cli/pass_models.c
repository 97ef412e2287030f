#include "cli/pass_models.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/problems.h"
#include "cli/table.h"

/* ---- gathering -----------------------------------------------------------*/

struct list {
    struct dq_pass_model *models;
    size_t count;
    size_t room; /* of each range: frames of the pass */
};

static struct dq_pass_model *entry_of(struct list *l,
                                      const struct dq_made *made)
{
    struct dq_pass_model *m;

    for (size_t i = 0; i < l->count; i++)
        if (strcmp(l->models[i].made.model, made->model) == 0 &&
            strcmp(l->models[i].made.model_sha256, made->model_sha256) == 0)
            return &l->models[i];
    l->models = dq_grow(l->models, l->count + 1, sizeof *l->models);
    m = &l->models[l->count++];
    memset(m, 0, sizeof *m);
    memcpy(m->made.model, made->model, sizeof made->model);
    memcpy(m->made.model_sha256, made->model_sha256, sizeof made->model_sha256);
    m->had.frames = dq_new_array(l->room, sizeof *m->had.frames);
    m->now.frames = dq_new_array(l->room, sizeof *m->now.frames);
    m->suspect.frames = dq_new_array(l->room, sizeof *m->suspect.frames);
    return m;
}

/* Frames come in order; a model may have had one twice. */
static void add_frame(struct dq_range *range, int32_t frame)
{
    if (!range->count || range->frames[range->count - 1] != frame)
        range->frames[range->count++] = frame;
}

/* Texts of RFC 3339 in UTC sort by time. */
static void stretch(struct dq_pass_model *m, const char *when)
{
    if (!*when)
        return;
    if (!m->first[0] || strcmp(when, m->first) < 0)
        memcpy(m->first, when, DQ_TIME_TEXT);
    if (strcmp(when, m->last) > 0)
        memcpy(m->last, when, DQ_TIME_TEXT);
}

static void add_version(struct list *l, const struct dq_done *version,
                        int is_now)
{
    struct dq_made made = version->made;
    struct dq_pass_model *m;

    if (!made.model[0])
        snprintf(made.model, sizeof made.model, "unknown");
    m = entry_of(l, &made);
    add_frame(&m->had, version->frame);
    if (is_now)
        add_frame(&m->now, version->frame);
    if (is_now && made.suspect[0])
        add_frame(&m->suspect, version->frame);
    stretch(m, made.when);
}

static void add_history(struct list *l, const struct dq_pass *pass,
                        int32_t frame)
{
    char *path = dq_sequence_path(&pass->output, frame);
    struct dq_done *versions;
    struct dq_err ignored = {0};
    size_t count;

    if (!dq_ledger_history(pass->shot_folder, frame, &versions, &count,
                           &ignored))
        dq_pass_ask_header(path, &versions[0].made);
    for (size_t i = 0; i < count; i++)
        add_version(l, &versions[i], i == 0);
    free(versions);
    free(path);
}

static int later_first(const void *a, const void *b)
{
    const struct dq_pass_model *x = a, *y = b;
    int order = strcmp(y->last, x->last);

    return order ? order : strcmp(x->made.model, y->made.model);
}

struct dq_pass_model *dq_pass_models(const struct dq_pass *pass, size_t *count)
{
    struct list l = {.room = pass->frames.count};

    for (size_t i = 0; i < pass->frames.count; i++)
        add_history(&l, pass, pass->frames.frames[i]);
    if (l.count)
        qsort(l.models, l.count, sizeof *l.models, later_first);
    *count = l.count;
    return l.models;
}

void dq_pass_models_free(struct dq_pass_model *models, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        dq_range_free(&models[i].had);
        dq_range_free(&models[i].now);
        dq_range_free(&models[i].suspect);
    }
    free(models);
}

/* ---- telling -------------------------------------------------------------*/

char *dq_pass_models_text(const struct dq_pass_model *models, size_t count)
{
    static const char *const heads[] = {"MODEL", "NOW",  "SUSPECT", "EVER",
                                        "FIRST", "LAST", NULL};
    struct dq_table *table = dq_table_new(heads);
    char *text;

    for (size_t i = 0; i < count; i++) {
        const struct dq_pass_model *m = &models[i];
        char *had = dq_range_text(&m->had), *now = dq_range_text(&m->now);
        char *suspect = dq_range_text(&m->suspect);
        const char *const words[] = {m->made.model,
                                     *now ? now : "-",
                                     *suspect ? suspect : "-",
                                     had,
                                     m->first[0] ? m->first : "-",
                                     m->last[0] ? m->last : "-"};

        dq_table_add(table, words);
        free(suspect);
        free(now);
        free(had);
    }
    text = dq_table_text(table);
    dq_table_free(table);
    return text;
}

/* What is not known is null. */
static json_t *known(const char *text)
{
    return *text ? dq_text_json(text) : json_null();
}

static json_t *range_json(const struct dq_range *range)
{
    char *text = dq_range_text(range);
    json_t *json = json_string(text);

    free(text);
    return json;
}

json_t *dq_pass_models_json(const struct dq_pass_model *models, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++) {
        const struct dq_pass_model *m = &models[i];

        json_array_append_new(
            list,
            json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "model",
                      dq_text_json(m->made.model), "model_sha256",
                      known(m->made.model_sha256), "frames",
                      range_json(&m->had), "frames_now", range_json(&m->now),
                      "suspect", range_json(&m->suspect), "first",
                      known(m->first), "last", known(m->last)));
    }
    return list;
}

json_t *dq_pass_version_json(const struct dq_done *v)
{
    const struct dq_made *m = &v->made;
    json_t *o = json_object();

    json_object_set_new(o, "when", known(m->when));
    json_object_set_new(o, "model", known(m->model));
    json_object_set_new(o, "model_sha256", known(m->model_sha256));
    json_object_set_new(o, "fingerprint", json_string(v->fingerprint));
    json_object_set_new(o, "sha256", json_string(v->output.sha256));
    json_object_set_new(o, "bytes", json_integer(v->output.bytes));
    json_object_set_new(o, "suspect", known(m->suspect));
    json_object_set_new(o, "host", known(m->host));
    json_object_set_new(o, "device", known(m->device));
    json_object_set_new(o, "attempt",
                        m->attempt ? json_integer(m->attempt) : json_null());
    return o;
}
