#include "jobs/store_model.h"

#include <stdlib.h>

#include "jobs/store_private.h"

/* ---- what a library says -------------------------------------------------*/

static const char *text_at(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static void know_version(struct dq_store *s, const char *name,
                         const struct dq_model_known *v)
{
    dq_sql_run(s, DQ_SQL_ADD_MODEL, "tttt", name, v->version, v->path,
               v->sha256);
    dq_sql_run(s, DQ_SQL_KNOW_MODEL, "tttttt", name, v->version, v->sha256,
               v->retired ? "retired" : "there", v->verdict, v->verified);
}

static void know_moves(struct dq_store *s, const char *name,
                       const json_t *moves)
{
    const json_t *m;
    size_t i;

    dq_sql_run(s, DQ_SQL_NO_MOVES, "t", name);
    json_array_foreach (moves, i, m) {
        const char *alias = text_at(m, "alias"), *by = text_at(m, "by");
        const char *at = text_at(m, "at");

        if (alias)
            dq_sql_run(s, DQ_SQL_ADD_MOVE, "tittttt", name, (int)i, alias,
                       text_at(m, "from"), text_at(m, "to"), by ? by : "",
                       at ? at : "");
    }
}

/* The versions whose rows stay as they are, as a JSON array. */
static char *unread(const struct dq_model_known *versions, size_t count)
{
    json_t *list = json_array();
    char *text;

    for (size_t i = 0; i < count; i++)
        if (!versions[i].sha256)
            json_array_append_new(list, json_string(versions[i].version));
    text = json_dumps(list, 0);
    json_decref(list);
    return text;
}

int dq_store_know(struct dq_store *s, const char *name,
                  const struct dq_model_known *versions, size_t count,
                  const json_t *moves, struct dq_err *err)
{
    char *keep;

    if (dq_store_begin(s, err))
        return err->code;
    keep = unread(versions, count);
    dq_sql_run(s, DQ_SQL_MODELS_GONE, "tt", name, keep);
    free(keep);
    for (size_t i = 0; i < count; i++)
        if (versions[i].sha256)
            know_version(s, name, &versions[i]);
    know_moves(s, name, moves);
    return dq_store_finish(s, err);
}

/* ---- reading -------------------------------------------------------------*/

static json_t *aliases_of(struct dq_store *s, const json_t *model)
{
    sqlite3_stmt *rows =
        dq_sql_rows(s, DQ_SQL_ALIASES_OF, "tt", text_at(model, "name"),
                    text_at(model, "version"));
    json_t *list = json_array();

    while (dq_sql_next(s, rows))
        json_array_append_new(list, dq_row_value(rows, 0));
    return list;
}

static json_t *model_object(struct dq_store *s, sqlite3_stmt *row)
{
    static const char *const names[] = {
        "",         "name",   "version", "sha256", "state", "verdict",
        "verified", "frames", "used",    "live",   NULL};
    json_t *o = dq_row_object(row, names);

    json_object_set_new(o, "aliases", aliases_of(s, o));
    return o;
}

static json_t *moves_of(struct dq_store *s, const char *name)
{
    static const char *const names[] = {"alias", "from", "to",
                                        "by",    "at",   NULL};
    sqlite3_stmt *rows;
    json_t *list = json_array();

    if (!name)
        return list;
    rows = dq_sql_rows(s, DQ_SQL_LIST_MOVES, "t", name);
    while (dq_sql_next(s, rows))
        json_array_append_new(list, dq_row_object(rows, names));
    return list;
}

json_t *dq_store_models_json(struct dq_store *s, const char *name,
                             int64_t after, int limit)
{
    json_t *page = dq_row_pages(
        s, dq_sql_rows(s, DQ_SQL_LIST_MODELS, "lti", after, name, limit + 1),
        limit, "models", model_object);

    json_object_set_new(page, "moves", moves_of(s, name));
    return page;
}
