#include "infer/model.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/text.h"
#include "infer/model_fields.h"

enum { CONTRACT_LIMIT = 256 * 1024 };

/* ---- keys ----------------------------------------------------------------*/

static const char *dot(const char *object)
{
    return *object ? "." : "";
}

static int unknown_key(const char *object, const char *key, struct dq_err *err)
{
    const char **known = dq_new_array(
        dq_model_field_count + dq_model_object_count, sizeof *known);
    size_t count = 0;
    const char *near;

    for (size_t i = 0; i < dq_model_field_count; i++)
        if (strcmp(dq_model_fields[i].object, object) == 0)
            known[count++] = dq_model_fields[i].key;
    for (size_t i = 0; i < dq_model_object_count; i++)
        if (strcmp(dq_model_objects[i].parent, object) == 0)
            known[count++] = dq_model_objects[i].key;
    near = dq_text_nearest(key, known, count);
    free(known);
    return dq_fail(err, DQ_MODEL, "%s%sunknown key '%.60s'%s%s%s", object,
                   *object ? ": " : "", key, near ? " (did you mean '" : "",
                   near ? near : "", near ? "'?)" : "");
}

static int is_known(const char *object, const char *key)
{
    for (size_t i = 0; i < dq_model_field_count; i++)
        if (strcmp(dq_model_fields[i].object, object) == 0 &&
            strcmp(dq_model_fields[i].key, key) == 0)
            return 1;
    for (size_t i = 0; i < dq_model_object_count; i++)
        if (strcmp(dq_model_objects[i].parent, object) == 0 &&
            strcmp(dq_model_objects[i].key, key) == 0)
            return 1;
    return 0;
}

/* No key that we do not know. */
static int check_keys(const json_t *from, const char *object,
                      struct dq_err *err)
{
    json_t *all = (json_t *)(uintptr_t)from; /* iterators want it so */

    if (!json_is_object(from))
        return dq_fail(err, DQ_MODEL, "%s%s", *object ? object : "the contract",
                       from ? ": is not an object" : ": is missing");
    for (void *i = json_object_iter(all); i; i = json_object_iter_next(all, i))
        if (!is_known(object, json_object_iter_key(i)))
            return unknown_key(object, json_object_iter_key(i), err);
    return DQ_OK;
}

static const json_t *object_at(const json_t *all, const char *path)
{
    for (size_t i = 0; i < dq_model_object_count; i++) {
        const struct dq_model_object *o = &dq_model_objects[i];

        if (strcmp(o->path, path) == 0)
            return json_object_get(object_at(all, o->parent), o->key);
    }
    return all; /* the top */
}

static int check_objects(const json_t *all, struct dq_err *err)
{
    if (check_keys(all, "", err))
        return err->code;
    for (size_t i = 0; i < dq_model_object_count; i++) {
        const char *path = dq_model_objects[i].path;

        if (check_keys(object_at(all, path), path, err))
            return err->code;
    }
    return DQ_OK;
}

/* ---- values --------------------------------------------------------------*/

static int read_default(const struct dq_model_field *f, struct dq_model *m,
                        struct dq_err *err)
{
    json_t *value;
    int code;

    if (!f->fallback)
        return dq_fail(err, DQ_MODEL, "is missing");
    if (!*f->fallback)
        return DQ_OK;
    value = json_loads(f->fallback, JSON_DECODE_ANY, NULL);
    code = dq_model_value_read(f, value, m, err);
    json_decref(value);
    return code;
}

static int read_field(const struct dq_model_field *f, const json_t *all,
                      struct dq_model *m, struct dq_err *err)
{
    const json_t *value = json_object_get(object_at(all, f->object), f->key);
    int code =
        value ? dq_model_value_read(f, value, m, err) : read_default(f, m, err);

    if (code)
        dq_because(err, "%s%s%s", f->object, dot(f->object), f->key);
    return code;
}

static int read_all(const json_t *all, struct dq_model *m, struct dq_err *err)
{
    if (check_objects(all, err))
        return err->code;
    for (size_t i = 0; i < dq_model_field_count; i++)
        if (read_field(&dq_model_fields[i], all, m, err))
            return err->code;
    return dq_model_rules(m, all, err);
}

/* The canonical form: a line `object.key=value` for every field that has a
 * part in pixels or their meaning, in the table's order, defaults filled in.
 * A contract that only looks different has the same digest. */
static void digest_contract(struct dq_model *m)
{
    struct dq_bytes text = {0};

    for (size_t i = 0; i < dq_model_field_count; i++) {
        const struct dq_model_field *f = &dq_model_fields[i];

        if (!f->digest)
            continue;
        dq_bytes_printf(&text, "%s%s%s=", f->object, dot(f->object), f->key);
        dq_model_value_text(f, m, &text);
        dq_bytes_text(&text, "\n");
    }
    dq_sha256(text.data, text.count, m->contract_sha256);
    dq_bytes_free(&text);
}

struct dq_model *dq_model_parse(const char *json, size_t bytes,
                                struct dq_err *err)
{
    struct dq_err own = {0};
    json_t *all = dq_json_parse(json, bytes, CONTRACT_LIMIT, DQ_MODEL, &own);
    struct dq_model *m = dq_new(sizeof *m);

    if (all && !read_all(all, m, &own))
        digest_contract(m);
    json_decref(all);
    if (own.code) {
        dq_because(&own, "contract");
        if (err)
            *err = own;
        dq_model_free(m);
        return NULL;
    }
    return m;
}

struct dq_model *dq_model_copy(const struct dq_model *model)
{
    struct dq_model *m = dq_new(sizeof *m);

    *m = *model;
    for (size_t i = 0; i < dq_model_field_count; i++)
        dq_model_value_copy(&dq_model_fields[i], m);
    m->path = dq_strdup(model->path);
    return m;
}

void dq_model_free(struct dq_model *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < dq_model_field_count; i++)
        dq_model_value_free(&dq_model_fields[i], m);
    free(m->path);
    free(m);
}

/* ---- from an artefact ----------------------------------------------------*/

static int check_digest(const char *path, const char *sha256, const char *want,
                        struct dq_err *err)
{
    if (!want || strcmp(want, sha256) == 0)
        return DQ_OK;
    return dq_fail(err, DQ_MODEL,
                   "%s: has SHA-256 %.12s..., expected %.12s...; the file was "
                   "altered or cut: fetch it again",
                   path, sha256, want);
}

struct dq_model *dq_model_read(const char *path, const char *want_sha256,
                               struct dq_bytes *bytes, struct dq_err *err)
{
    const size_t limit = (size_t)16 << 30;
    char sha256[DQ_SHA256_HEX];
    struct dq_model *m;
    char *json = NULL;
    size_t count = 0;

    if (dq_bytes_read_file(bytes, path, limit, DQ_MODEL, err))
        return NULL;
    dq_sha256(bytes->data, bytes->count, sha256);
    if (check_digest(path, sha256, want_sha256, err) ||
        dq_model_contract(path, bytes->data, bytes->count, &json, &count, err))
        return NULL;
    m = dq_model_parse(json, count, err);
    free(json);
    if (!m) {
        dq_because(err, "%s", path);
        return NULL;
    }
    memcpy(m->sha256, sha256, sizeof sha256);
    m->path = dq_strdup(path);
    return m;
}
