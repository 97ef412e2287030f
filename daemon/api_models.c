/* Models as the daemon's database knows them, and taking note of what the
 * daemon's own library says now: nobody's word is taken for that. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "daemon/api_private.h"
#include "jobs/library_change.h"
#include "jobs/library_folders.h"
#include "jobs/store_model.h"

/* ---- what the library says -----------------------------------------------*/

/* Versions of a name, and what they borrow from. */
struct known {
    struct dq_model_known *list;
    struct source {
        struct dq_model_ref ref;
        json_t *verdict;
        char *version;
        int unread; /* its row stays as it is */
    } * from;
    size_t count;
};

static int has(const struct known *k, const char *version)
{
    for (size_t i = 0; i < k->count; i++)
        if (strcmp(k->list[i].version, version) == 0)
            return 1;
    return 0;
}

/* A verdict about other bytes is none. */
static void take_verdict(struct dq_model_known *v, const json_t *verdict)
{
    const char *of = json_string_value(json_object_get(verdict, "sha256"));

    if (!of || strcmp(of, v->sha256) != 0)
        return;
    v->verdict =
        json_is_true(json_object_get(verdict, "passed")) ? "passed" : "failed";
    v->verified = json_string_value(json_object_get(verdict, "at"));
}

/* One that cannot be read, or its verdict, is told in the log and stays as it
 * was; the others are known. */
static void add(struct known *k, const char *name,
                const struct dq_library_folder *folder,
                const struct dq_library_entry *entry)
{
    struct dq_model_ref ref = {0};
    struct dq_err err = {0};
    json_t *verdict = NULL;
    size_t n = k->count;

    if (!dq_library_read(folder->path, name, entry->version, &ref, &err))
        verdict = dq_library_verdict(folder->path, name, entry->version, &err);
    if (err.code)
        dq_log_warn("a model cannot be read", "model", name, "version",
                    entry->version, "why", err.text);
    k->list = dq_grow(k->list, n + 1, sizeof *k->list);
    k->from = dq_grow(k->from, n + 1, sizeof *k->from);
    k->from[n].ref = ref;
    k->from[n].verdict = verdict;
    k->from[n].version = dq_strdup(entry->version);
    k->from[n].unread = err.code;
    k->list[n] = (struct dq_model_known){.version = k->from[n].version,
                                         .path = ref.path,
                                         .retired = entry->retired};
    k->count++;
}

/* They do not move any more: their digests may be lent. */
static void settle(struct known *k)
{
    for (size_t i = 0; i < k->count; i++) {
        if (k->from[i].unread)
            continue;
        k->list[i].sha256 = k->from[i].ref.sha256;
        take_verdict(&k->list[i], k->from[i].verdict);
    }
}

static void known_free(struct known *k)
{
    for (size_t i = 0; i < k->count; i++) {
        dq_model_ref_free(&k->from[i].ref);
        json_decref(k->from[i].verdict);
        free(k->from[i].version);
    }
    free(k->list);
    free(k->from);
}

static void look_in(const struct dq_library_folder *folder, const char *name,
                    struct known *k, json_t **moves, struct dq_err *err)
{
    json_t *book = dq_library_aliases(folder->path, name, err);

    for (size_t i = 0; i < folder->count; i++)
        if (strcmp(folder->list[i].name, name) == 0 &&
            !has(k, folder->list[i].version))
            add(k, name, folder, &folder->list[i]);
    if (!json_array_size(*moves)) {
        json_decref(*moves);
        *moves = json_incref(json_object_get(book, "history"));
    }
    json_decref(book);
}

/* The first folder that has a version answers for it, and the first with
 * aliases of that name for these, as for jobs. A folder that is there and
 * cannot be read is an error: what is in it is not gone. */
static json_t *look(const char *name, struct known *k, struct dq_err *err)
{
    struct dq_library_folders all = dq_library_folders();
    json_t *moves = NULL;

    for (size_t f = 0; f < all.count && !err->code; f++) {
        int why = all.list[f].error;

        if (!why)
            look_in(&all.list[f], name, k, &moves, err);
        else if (why != ENOENT && why != ENOTDIR)
            dq_fail_errno(err, DQ_IO, why, "%s", all.list[f].path);
    }
    settle(k);
    dq_library_folders_free(&all);
    return moves;
}

/* ---- routes --------------------------------------------------------------*/

json_t *dq_call_models(struct dq_call *c, struct dq_err *err)
{
    int64_t limit = DQ_CALL_PAGE, after = 0;

    if (dq_call_number(c, "limit", 1, DQ_CALL_PAGE_MOST, &limit, err) ||
        dq_call_number(c, "after", 0, INT64_MAX, &after, err))
        return NULL;
    return dq_store_models_json(
        c->api->store, dq_http_query(c->request, "name"), after, (int)limit);
}

/* It becomes part of files' names. */
static int check_name(const char *name, struct dq_err *err)
{
    size_t bytes = strspn(name, DQ_VERSION_CHARACTERS);

    if (!*name || *name == '.' || name[bytes])
        return dq_fail(err, DQ_USAGE, "name: '%.100s' is no model's name",
                       name);
    return DQ_OK;
}

json_t *dq_call_know(struct dq_call *c, struct dq_err *err)
{
    static const char *const keys[] = {"name", NULL};
    json_t *o = dq_call_has_room(c, err) ? dq_call_body(c, keys, err) : NULL;
    const char *name = o ? dq_json_string(o, "name", DQ_USAGE, err) : NULL;
    json_t *answer = NULL, *moves;
    struct known k = {0};

    if (name && !check_name(name, err)) {
        moves = look(name, &k, err);
        if (!err->code &&
            !dq_store_know(c->api->store, name, k.list, k.count, moves, err))
            answer =
                dq_store_models_json(c->api->store, name, 0, DQ_CALL_PAGE_MOST);
        json_decref(moves);
        known_free(&k);
    }
    json_decref(o);
    return answer;
}
