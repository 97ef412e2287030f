#include "jobs/library.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "jobs/library_change.h"
#include "jobs/library_folders.h"
#include "jobs/spec_fields.h"

enum { MANIFEST = 1, MANIFEST_LIMIT = 1 << 20 };

void dq_model_ref_free(struct dq_model_ref *ref)
{
    free(ref->name);
    free(ref->version);
    free(ref->path);
    memset(ref, 0, sizeof *ref);
}

/* ---- paths ---------------------------------------------------------------*/

int dq_library_is_path(const char *model)
{
    static const char *const endings[] = {".pt", ".ts", ".pt2", ".fake"};
    size_t bytes = strlen(model);

    if (strchr(model, '/'))
        return 1;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t end = strlen(endings[i]);

        if (bytes > end && strcmp(model + bytes - end, endings[i]) == 0)
            return 1;
    }
    return 0;
}

static int find_path(const char *model, const char *folder,
                     struct dq_model_ref *ref, struct dq_err *err)
{
    char *path = dq_path_join(folder, model);
    struct stat st;

    if (stat(path, &st))
        dq_fail(err, DQ_MISSING, "model %s: there is no such file", path);
    else if (!S_ISREG(st.st_mode))
        dq_fail(err, DQ_MISSING, "model %s: is no regular file", path);
    else
        ref->path = dq_strdup(path);
    free(path);
    return ref->path ? DQ_OK : err->code;
}

/* ---- manifests -----------------------------------------------------------*/

static int check_equal(const json_t *from, const char *key, const char *want,
                       struct dq_err *err)
{
    const char *is = dq_json_string(from, key, DQ_MODEL, err);

    if (!is)
        return err->code;
    if (strcmp(is, want) != 0)
        return dq_fail(err, DQ_MODEL, "%s: '%s' is not '%s' as in the name",
                       key, is, want);
    return DQ_OK;
}

static int read_digest(const json_t *from, char hex[DQ_SHA256_HEX],
                       struct dq_err *err)
{
    const char *is = dq_json_string(from, "sha256", DQ_MODEL, err);

    if (!is)
        return err->code;
    if (strlen(is) != 64 || strspn(is, "0123456789abcdef") != 64)
        return dq_fail(err, DQ_MODEL, "sha256: '%.80s' is no digest", is);
    memcpy(hex, is, DQ_SHA256_HEX);
    return DQ_OK;
}

static int find_artefact(const json_t *from, const char *folder,
                         struct dq_model_ref *ref, struct dq_err *err)
{
    const char *file = dq_json_string(from, "file", DQ_MODEL, err);
    int64_t bytes = 0;
    struct stat st;

    if (!file ||
        dq_json_int(from, "bytes", 1, INT64_MAX, &bytes, DQ_MODEL, err))
        return err->code;
    if (!*file || strchr(file, '/'))
        return dq_fail(err, DQ_MODEL, "file: '%s' is no file beside it", file);
    ref->path = dq_path_join(folder, file);
    if (stat(ref->path, &st) || !S_ISREG(st.st_mode))
        return dq_fail(err, DQ_MODEL, "file: there is no %s", ref->path);
    if (st.st_size != bytes)
        return dq_fail(err, DQ_MODEL, "file: %s has %lld bytes, not %lld",
                       ref->path, (long long)st.st_size, (long long)bytes);
    return DQ_OK;
}

static int take_manifest(const json_t *from, const char *folder,
                         struct dq_model_ref *ref, struct dq_err *err)
{
    int64_t format = 0;

    if (dq_json_int(from, "depthq_manifest", 1, INT32_MAX, &format, DQ_MODEL,
                    err))
        return err->code;
    if (format != MANIFEST)
        return dq_fail(err, DQ_MODEL,
                       "is of format %d; depthq " DQ_VERSION " reads %d",
                       (int)format, MANIFEST);
    if (check_equal(from, "name", ref->name, err) ||
        check_equal(from, "version", ref->version, err) ||
        read_digest(from, ref->sha256, err))
        return err->code;
    return find_artefact(from, folder, ref, err);
}

int dq_library_read(const char *folder, const char *name, const char *version,
                    struct dq_model_ref *ref, struct dq_err *err)
{
    char *path = dq_asprintf("%s/%s@%s.json", folder, name, version);
    json_t *from = dq_json_read(path, MANIFEST_LIMIT, DQ_MODEL, err);

    ref->name = dq_strdup(name);
    ref->version = dq_strdup(version);
    if (from && take_manifest(from, folder, ref, err))
        dq_because(err, "%s", path);
    json_decref(from);
    free(path);
    return err->code;
}

/* ---- names ---------------------------------------------------------------*/

/* Split `name@version`; version is NULL for a bare name. */
static int split_name(const char *model, char **name, char **version,
                      struct dq_err *err)
{
    const char *at = strchr(model, '@');
    size_t bytes = at ? (size_t)(at - model) : strlen(model);

    if (!bytes || strspn(model, DQ_NAME_CHARACTERS) < bytes ||
        (at && (!at[1] || at[1 + strspn(at + 1, DQ_VERSION_CHARACTERS)])))
        return dq_fail(err, DQ_MODEL,
                       "'%.200s' is no model's name; write name, "
                       "name@version or name@alias",
                       model);
    *name = dq_strndup(model, bytes);
    *version = at ? dq_strdup(at + 1) : NULL;
    return DQ_OK;
}

/* Read the version of name from the first folder that has it; 0: none has. */
static int find_version(const struct dq_library_folders *folders,
                        const char *name, const char *version,
                        struct dq_model_ref *ref, struct dq_err *err)
{
    for (size_t i = 0; i < folders->count; i++) {
        const struct dq_library_folder *folder = &folders->list[i];
        const char *best = dq_library_version(folder, name, version);

        if (best) {
            dq_library_read(folder->path, name, best, ref, err);
            return 1;
        }
    }
    return 0;
}

/* What an alias means in the first folder that has it; NULL: none has, or
 * err is set. The caller frees. */
static char *find_alias(const struct dq_library_folders *folders,
                        const char *name, const char *alias, struct dq_err *err)
{
    char *to = NULL;

    for (size_t i = 0; i < folders->count && !to && !err->code; i++) {
        json_t *book =
            folders->list[i].error
                ? NULL
                : dq_library_aliases(folders->list[i].path, name, err);
        const char *is = json_string_value(
            json_object_get(json_object_get(book, "aliases"), alias));

        if (is)
            to = dq_strdup(is);
        json_decref(book);
    }
    return to;
}

static int find_name(const char *name, const char *version,
                     struct dq_model_ref *ref, struct dq_err *err)
{
    struct dq_library_folders folders = dq_library_folders();
    char *meant = NULL;

    if (!find_version(&folders, name, version, ref, err)) {
        if (version)
            meant = find_alias(&folders, name, version, err);
        if (!err->code &&
            (!meant || !find_version(&folders, name, meant, ref, err)))
            dq_library_no_model(&folders, name, meant ? meant : version, err);
        if (err->code && meant)
            dq_because(err, "alias %s@%s", name, version);
    }
    free(meant);
    dq_library_folders_free(&folders);
    return err->code;
}

int dq_library_find(const char *model, const char *folder, int allow_path,
                    struct dq_model_ref *ref, struct dq_err *err)
{
    struct dq_err own = {0};
    char *name = NULL, *version = NULL;

    memset(ref, 0, sizeof *ref);
    if (!dq_library_is_path(model)) {
        if (!split_name(model, &name, &version, &own))
            find_name(name, version, ref, &own);
    } else if (allow_path)
        find_path(model, folder, ref, &own);
    else
        dq_fail(&own, DQ_MODEL,
                "'%.200s' is a path, and a model is a program: name one of "
                "the model library instead",
                model);
    free(name);
    free(version);
    if (own.code) {
        dq_model_ref_free(ref);
        return dq_fail(err, own.code, "%s", own.text);
    }
    return DQ_OK;
}
