#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "jobs/library_change.h"
#include "jobs/library_private.h"

enum { BOOK = 1, BOOK_LIMIT = 16 << 20 };

static char *book_path(const char *folder, const char *name)
{
    return dq_asprintf("%s/%s.aliases.json", folder, name);
}

static int check_book(const json_t *book, struct dq_err *err)
{
    int64_t format = 0;

    if (dq_json_int(book, "depthq_aliases", 1, INT32_MAX, &format, DQ_MODEL,
                    err))
        return err->code;
    if (format != BOOK)
        return dq_fail(err, DQ_MODEL, "is of format %d; this program reads %d",
                       (int)format, BOOK);
    if (!json_is_object(json_object_get(book, "aliases")) ||
        !json_is_array(json_object_get(book, "history")))
        return dq_fail(err, DQ_MODEL, "has no aliases or no history");
    return DQ_OK;
}

json_t *dq_library_aliases(const char *folder, const char *name,
                           struct dq_err *err)
{
    char *path = book_path(folder, name);
    json_t *book;

    if (access(path, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR))
        book = json_pack("{s:i, s:{}, s:[]}", "depthq_aliases", BOOK, "aliases",
                         "history");
    else
        book = dq_json_read(path, BOOK_LIMIT, DQ_MODEL, err);
    if (book && check_book(book, err)) {
        dq_because(err, "%s", path);
        json_decref(book);
        book = NULL;
    }
    free(path);
    return book;
}

/* ---- what may be an alias, and where it may point ------------------------*/

static int check_name(const char *folder, const char *name, const char *alias,
                      struct dq_err *err)
{
    size_t bytes = strspn(alias, "abcdefghijklmnopqrstuvwxyz"
                                 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

    if (!isalpha((unsigned char)*alias) || alias[bytes] || bytes > 64 ||
        strcmp(alias, "latest") == 0)
        return dq_fail(err, DQ_USAGE,
                       "'%.80s' is no alias: a letter, then letters, digits, "
                       "'_' and '-', and not latest",
                       alias);
    if (dq_library_has(folder, name, alias, "json"))
        return dq_fail(err, DQ_USAGE, "%s@%s is a version", name, alias);
    return DQ_OK;
}

static int is_production(const char *alias)
{
    return strcmp(alias, "prod") == 0 || strcmp(alias, "production") == 0;
}

static int check_verdict(const char *folder, const char *name,
                         const char *alias, const char *to, struct dq_err *err)
{
    json_t *verdict = dq_library_verdict(folder, name, to, err);
    int passed = json_is_true(json_object_get(verdict, "passed"));

    if (err->code)
        return err->code;
    if (verdict && !passed)
        dq_fail(err, DQ_MODEL,
                "%s@%s failed verification: see `depthq models show %s@%s`",
                name, to, name, to);
    else if (!verdict && is_production(alias))
        dq_fail(err, DQ_MODEL,
                "%s@%s is not verified: run `depthq models verify %s@%s` "
                "before it goes into production",
                name, to, name, to);
    json_decref(verdict);
    return err->code;
}

static int check_target(const char *folder, const char *name, const char *alias,
                        const char *to, struct dq_err *err)
{
    if (!dq_library_has(folder, name, to, "json"))
        return dq_fail(err, DQ_MODEL, "there is no %s@%s in %s", name, to,
                       folder);
    if (dq_library_has(folder, name, to, "retired"))
        return dq_fail(err, DQ_MODEL, "%s@%s is retired", name, to);
    return check_verdict(folder, name, alias, to, err);
}

/* ---- moving one ----------------------------------------------------------*/

static void move(json_t *book, const char *alias, const char *to,
                 const char *by)
{
    json_t *aliases = json_object_get(book, "aliases");
    json_t *from = json_object_get(aliases, alias);
    char at[DQ_TIME_TEXT];

    dq_clock_utc(at);
    json_array_append_new(json_object_get(book, "history"),
                          json_pack("{s:s, s:O?, s:s?, s:s, s:s}", "alias",
                                    alias, "from", from, "to", to, "by", by,
                                    "at", at));
    if (to)
        json_object_set_new(aliases, alias, json_string(to));
    else
        json_object_del(aliases, alias);
}

static int write_alias(const char *folder, const char *name, const char *alias,
                       const char *to, const char *by, struct dq_err *err)
{
    json_t *book = dq_library_aliases(folder, name, err);
    const char *is = json_string_value(
        json_object_get(json_object_get(book, "aliases"), alias));
    char *path;

    if (!book)
        return err->code;
    if (!to && !is)
        dq_fail(err, DQ_MODEL, "there is no alias %s@%s", name, alias);
    if (!err->code && (!to || !is || strcmp(to, is) != 0)) {
        move(book, alias, to, by);
        path = book_path(folder, name);
        dq_library_put_json(path, book, 1, err);
        free(path);
    }
    json_decref(book);
    return err->code;
}

int dq_library_set_alias(const char *folder, const char *name,
                         const char *alias, const char *to, const char *by,
                         struct dq_err *err)
{
    int lock = dq_library_lock(folder, err);

    if (lock < 0)
        return err->code;
    if (!check_name(folder, name, alias, err) &&
        (!to || !check_target(folder, name, alias, to, err)))
        write_alias(folder, name, alias, to, by, err);
    dq_library_unlock(lock);
    return err->code;
}

const char *dq_library_alias_of(const json_t *book, const char *version)
{
    const char *alias;
    json_t *to;

    json_object_foreach (json_object_get(book, "aliases"), alias, to) {
        if (strcmp(json_string_value(to) ? json_string_value(to) : "",
                   version) == 0)
            return alias;
    }
    return NULL;
}
