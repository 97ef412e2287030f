#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "cli/models.h"
#include "infer/archive.h"
#include "infer/model.h"
#include "jobs/library_change.h"

enum { CONTRACT_LIMIT = 1 << 20 };

char *dq_models_user(void)
{
    const struct passwd *user = getpwuid(geteuid());

    return user ? dq_strdup(user->pw_name)
                : dq_asprintf("%ld", (long)geteuid());
}

/* "name@what" -> name (the caller frees) and what, borrowed. */
static char *split(const char *word, const char **what, const char *form,
                   struct dq_err *err)
{
    const char *at = strchr(word, '@');

    if (!at || at == word || !at[1]) {
        dq_fail(err, DQ_USAGE, "'%.200s' is not of the form %s", word, form);
        return NULL;
    }
    *what = at + 1;
    return dq_strndup(word, (size_t)(at - word));
}

/* ---- add -----------------------------------------------------------------*/

static int has_contract_inside(const char *path, const struct dq_bytes *bytes)
{
    struct dq_err ignored = {0};
    const char *data = NULL;
    size_t size, n = strlen(path);

    if (n > 5 && strcmp(path + n - 5, ".fake") == 0)
        return 1;
    return dq_archive_is(bytes->data, bytes->count) &&
           !dq_archive_find(bytes->data, bytes->count, "extra/depthq.json",
                            &data, &size, &ignored) &&
           data;
}

static json_t *contract_of(const char *path, const char *file,
                           const struct dq_bytes *bytes, int inside,
                           struct dq_err *err)
{
    char *text = NULL;
    size_t count = 0;
    json_t *contract;

    if (file && inside) {
        dq_fail(err, DQ_USAGE,
                "%s: has its contract inside; --contract is for files that "
                "have none",
                path);
        return NULL;
    }
    if (file)
        return dq_json_read(file, CONTRACT_LIMIT, DQ_MODEL, err);
    if (dq_model_contract(path, bytes->data, bytes->count, &text, &count, err))
        return NULL;
    contract = dq_json_parse(text, count, CONTRACT_LIMIT, DQ_MODEL, err);
    free(text);
    return contract;
}

static struct dq_model *parsed(const json_t *contract, struct dq_err *err)
{
    char *text = dq_json_text(contract);
    struct dq_model *model = dq_model_parse(text, strlen(text), err);

    free(text);
    return model;
}

static int add_version(const struct dq_models_wish *wish, const char *path,
                       const struct dq_bytes *bytes, json_t *contract,
                       int inside, struct dq_err *err)
{
    struct dq_model *model = parsed(contract, err);
    const char *dot = strrchr(dq_path_name(path), '.');
    char sha256[DQ_SHA256_HEX];
    struct dq_library_addition new = {.bytes = bytes->data,
                                      .count = bytes->count,
                                      .sha256 = sha256,
                                      .suffix = dot ? dot + 1 : "pt",
                                      .contract = contract,
                                      .inside = inside};
    int there = 0;

    if (!model)
        return err->code;
    new.name = model->name;
    new.version = model->version;
    dq_sha256(bytes->data, bytes->count, sha256);
    if (!dq_library_add(wish->library, &new, &there, err)) {
        printf("%s@%s %s %s\n", new.name, new.version,
               there ? "is there already, in" : "added to", wish->library);
        dq_models_tell(new.name);
    }
    dq_model_free(model);
    return err->code;
}

static int add_file(const struct dq_models_wish *wish, const char *path,
                    struct dq_err *err)
{
    struct dq_bytes bytes = {0};
    json_t *contract = NULL;
    int inside;

    if (!dq_bytes_read_file(&bytes, path, SIZE_MAX, DQ_MODEL, err)) {
        inside = has_contract_inside(path, &bytes);
        contract = contract_of(path, wish->contract, &bytes, inside, err);
        if (contract && add_version(wish, path, &bytes, contract, inside, err))
            dq_because(err, "%s", path);
    }
    json_decref(contract);
    dq_bytes_free(&bytes);
    return err->code;
}

/* What an exporter wrote is a library itself: each of its versions. */
static int add_export(const struct dq_models_wish *wish, const char *folder,
                      struct dq_err *err)
{
    struct dq_library_folders all;
    char *path = dq_path_absolute(folder);
    const struct dq_library_folder *from;

    setenv("DEPTHQ_MODELS", path, 1);
    all = dq_library_folders();
    from = &all.list[0];
    if (from->error)
        dq_fail_errno(err, DQ_MISSING, from->error, "%s", path);
    else if (!from->count)
        dq_fail(err, DQ_MISSING,
                "%s: no exported model is there (NAME@VERSION.json and its "
                "file)",
                path);
    for (size_t i = 0; i < from->count && !err->code; i++) {
        char *name =
            dq_asprintf("%s@%s", from->list[i].name, from->list[i].version);
        struct dq_model_ref ref = {0};

        if (!dq_library_find(name, NULL, 0, &ref, err))
            add_file(wish, ref.path, err);
        dq_model_ref_free(&ref);
        free(name);
    }
    dq_library_folders_free(&all);
    free(path);
    return err->code;
}

int dq_models_add(const struct dq_models_wish *wish, struct dq_err *err)
{
    if (wish->from_export ? wish->count != 0 || wish->contract
                          : wish->count == 0)
        return dq_fail(err, DQ_USAGE, "wants files, or --from-export DIR");
    if (wish->contract && wish->count != 1)
        return dq_fail(err, DQ_USAGE, "--contract goes with one file");
    if (wish->from_export)
        return add_export(wish, wish->from_export, err);
    for (int i = 0; i < wish->count; i++)
        if (add_file(wish, wish->words[i], err))
            return err->code;
    return DQ_OK;
}

/* ---- alias ---------------------------------------------------------------*/

/* NAME@ALIAS=VERSION; nothing after '=' takes the alias away. */
int dq_models_alias(const struct dq_models_wish *wish, struct dq_err *err)
{
    static const char form[] = "NAME@ALIAS=VERSION";
    const char *word = dq_models_word(wish, form, err), *right = NULL;
    const char *equal = word ? strchr(word, '=') : NULL;
    char *name, *alias, *by;

    if (!word)
        return err->code;
    if (!equal)
        return dq_fail(err, DQ_USAGE, "'%.200s' is not of the form %s", word,
                       form);
    name = split(word, &right, form, err);
    if (!name)
        return err->code;
    alias = dq_strndup(right, right < equal ? (size_t)(equal - right) : 0);
    by = dq_models_user();
    if (!dq_library_set_alias(wish->library, name, alias,
                              equal[1] ? equal + 1 : NULL, by, err)) {
        if (equal[1])
            printf("%s@%s is %s\n", name, alias, equal + 1);
        else
            printf("%s@%s is no more\n", name, alias);
        dq_models_tell(name);
    }
    free(by);
    free(alias);
    free(name);
    return err->code;
}

/* ---- retire, rm, gc ------------------------------------------------------*/

int dq_models_retire(const struct dq_models_wish *wish, struct dq_err *err)
{
    const char *word = dq_models_word(wish, "NAME@VERSION", err);
    const char *version = NULL;
    char *name = word ? split(word, &version, "NAME@VERSION", err) : NULL;
    char *by;

    if (!name)
        return err->code;
    by = dq_models_user();
    if (!dq_library_retire(wish->library, name, version, by, wish->why, err)) {
        printf("%s@%s is retired\n", name, version);
        dq_models_tell(name);
    }
    free(by);
    free(name);
    return err->code;
}

/* DQ_STATE: jobs of the queue that are not over need it. */
static int check_unused(const char *folder, const char *name,
                        const char *version, struct dq_err *err)
{
    struct dq_err damaged = {0};
    json_t *told = dq_models_describe(folder, name, version, &damaged);
    json_t *counted = dq_models_counted(name, err);
    const json_t *use =
        dq_models_count_of(counted, name, version,
                           json_string_value(json_object_get(told, "sha256")));
    json_int_t live = json_integer_value(json_object_get(use, "live"));

    if (err->code)
        dq_because(err, "whether jobs need it is not known");
    if (live)
        dq_fail(err, DQ_STATE,
                "%s@%s: %lld job%s of the queue still need%s it; wait, or "
                "cancel (depthq status)",
                name, version, (long long)live, live == 1 ? "" : "s",
                live == 1 ? "s" : "");
    json_decref(counted);
    json_decref(told);
    return err->code;
}

int dq_models_rm(const struct dq_models_wish *wish, struct dq_err *err)
{
    const char *word = dq_models_word(wish, "NAME@VERSION", err);
    const char *version = NULL;
    char *name = word ? split(word, &version, "NAME@VERSION", err) : NULL;

    if (!name)
        return err->code;
    if (!check_unused(wish->library, name, version, err) &&
        !dq_library_remove(wish->library, name, version, err)) {
        printf("%s@%s is removed; `depthq models gc` frees its room\n", name,
               version);
        dq_models_tell(name);
    }
    free(name);
    return err->code;
}

int dq_models_gc(const struct dq_models_wish *wish, struct dq_err *err)
{
    struct dq_library_garbage garbage;
    char size[16];

    if (wish->count)
        return dq_fail(err, DQ_USAGE, "takes no words");
    if (dq_library_collect(wish->library, wish->older_s, wish->dry_run,
                           &garbage, err))
        return err->code;
    dq_size_text((double)garbage.bytes, size);
    if (wish->json)
        printf("{\"files\": %d, \"bytes\": %lld, \"removed\": %s}\n",
               garbage.files, (long long)garbage.bytes,
               wish->dry_run ? "false" : "true");
    else
        printf("%s %d files, %s\n", wish->dry_run ? "would remove" : "removed",
               garbage.files, size);
    return DQ_OK;
}
