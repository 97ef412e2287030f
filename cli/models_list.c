#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "cli/models.h"
#include "jobs/library_change.h"

enum { MANIFEST_LIMIT = 1 << 20 };

/* ---- one version ---------------------------------------------------------*/

static json_t *read_beside(const char *folder, const char *name,
                           const char *version, const char *ending,
                           struct dq_err *err)
{
    char *path = dq_asprintf("%s/%s@%s.%s", folder, name, version, ending);
    json_t *value = NULL;

    if (access(path, F_OK) == 0)
        value = dq_json_read(path, MANIFEST_LIMIT, DQ_MODEL, err);
    free(path);
    return value;
}

/* The aliases of a version, as an array. */
static json_t *aliases_of(const char *folder, const char *name,
                          const char *version, struct dq_err *err)
{
    json_t *book = dq_library_aliases(folder, name, err), *found = json_array();
    const char *alias;
    json_t *to;

    json_object_foreach (json_object_get(book, "aliases"), alias, to) {
        if (json_is_string(to) && strcmp(json_string_value(to), version) == 0)
            json_array_append_new(found, json_string(alias));
    }
    json_decref(book);
    return found;
}

/* A verdict about other bytes is none. */
static json_t *verdict_of(const char *folder, const char *name,
                          const char *version, const json_t *manifest,
                          struct dq_err *err)
{
    json_t *verdict = dq_library_verdict(folder, name, version, err);

    if (verdict && !json_equal(json_object_get(verdict, "sha256"),
                               json_object_get(manifest, "sha256"))) {
        json_decref(verdict);
        return NULL;
    }
    return verdict;
}

json_t *dq_models_describe(const char *folder, const char *name,
                           const char *version, struct dq_err *err)
{
    json_t *told = read_beside(folder, name, version, "json", err);

    if (!told)
        return NULL;
    json_object_del(told, "depthq_manifest");
    json_object_set_new(told, "folder", json_string(folder));
    json_object_set_new(told, "aliases",
                        aliases_of(folder, name, version, err));
    json_object_set_new(told, "verdict",
                        verdict_of(folder, name, version, told, err));
    if (!json_object_get(told, "verdict"))
        json_object_set_new(told, "verdict", json_null());
    json_object_set_new(told, "retired",
                        read_beside(folder, name, version, "retired", err));
    if (!json_object_get(told, "retired"))
        json_object_set_new(told, "retired", json_null());
    if (err->code) {
        json_decref(told);
        return NULL;
    }
    return told;
}

/* Frames that it made, when it made the last, and live jobs; null: no daemon
 * tells. */
static void set_use(json_t *told, const json_t *counted)
{
    static const char *const keys[] = {"frames", "used", "live"};
    const json_t *use = dq_models_count_of(
        counted, json_string_value(json_object_get(told, "name")),
        json_string_value(json_object_get(told, "version")),
        json_string_value(json_object_get(told, "sha256")));

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        json_t *value = json_object_get(use, keys[i]);

        if (use)
            json_object_set(told, keys[i], value);
        else
            json_object_set_new(told, keys[i],
                                counted && strcmp(keys[i], "used") != 0
                                    ? json_integer(0)
                                    : json_null());
    }
}

/* A listing goes on without it. */
static json_t *ask_counted(const char *name)
{
    struct dq_err err = {0};
    json_t *counted = dq_models_counted(name, &err);

    if (err.code)
        fprintf(stderr,
                "depthq models: how often they were used is not "
                "known: %s\n",
                dq_text_harmless(err.text, '?'));
    return counted;
}

/* ---- list ----------------------------------------------------------------*/

static const char *text_at(const json_t *from, const char *object,
                           const char *key)
{
    const char *text =
        json_string_value(json_object_get(json_object_get(from, object), key));

    return text ? text : "-";
}

static const char *verdict_text(const json_t *told)
{
    const json_t *verdict = json_object_get(told, "verdict");

    if (!json_is_object(verdict))
        return "not verified";
    return json_is_true(json_object_get(verdict, "passed")) ? "verified"
                                                            : "FAILED";
}

/* What the daemon counted of it, when it counted anything. */
static void print_use(const json_t *told)
{
    json_int_t frames = json_integer_value(json_object_get(told, "frames"));
    json_int_t live = json_integer_value(json_object_get(told, "live"));

    if (frames)
        printf(" %lld frames", (long long)frames);
    if (live)
        printf(" %lld live job%s", (long long)live, live == 1 ? "" : "s");
}

static void print_line(const json_t *told)
{
    const json_t *contract = json_object_get(told, "contract"), *alias;
    char size[16];
    char *name =
        dq_asprintf("%s@%s", json_string_value(json_object_get(told, "name")),
                    json_string_value(json_object_get(told, "version")));
    size_t i;

    dq_size_text((double)json_integer_value(json_object_get(told, "bytes")),
                 size);
    printf("%-28s %-9s %-7s %-9s %-12s", name,
           text_at(contract, "output", "quantity"),
           text_at(contract, "output", "scale"), size, verdict_text(told));
    json_array_foreach (json_object_get(told, "aliases"), i, alias)
        printf(" @%s", json_string_value(alias));
    if (json_is_object(json_object_get(told, "retired")))
        printf(" retired");
    print_use(told);
    printf("\n");
    free(name);
}

/* A version that cannot be read is told, and the others are listed. */
static void list_folder(const struct dq_library_folder *folder,
                        const char *only, const json_t *counted, json_t *all)
{
    for (size_t i = 0; i < folder->count; i++) {
        const struct dq_library_entry *entry = &folder->list[i];
        struct dq_err err = {0};
        json_t *told;

        if (only && strcmp(entry->name, only) != 0)
            continue;
        told =
            dq_models_describe(folder->path, entry->name, entry->version, &err);
        if (told)
            set_use(told, counted);
        if (told)
            json_array_append_new(all, told);
        else
            fprintf(stderr, "depthq models list: %s\n", err.text);
    }
}

static void print_list(const json_t *all)
{
    const char *before = "";
    const json_t *told;
    size_t i;

    json_array_foreach (all, i, told) {
        const char *folder = json_string_value(json_object_get(told, "folder"));

        if (strcmp(folder, before) != 0)
            printf("%s%s\n", *before ? "\n" : "", folder);
        before = folder;
        print_line(told);
    }
}

static void print_json(const json_t *value)
{
    char *text = json_dumps(value, JSON_INDENT(1));

    puts(text);
    free(text);
}

int dq_models_list(const struct dq_models_wish *wish, struct dq_err *err)
{
    const char *only = wish->count ? wish->words[0] : NULL;
    struct dq_library_folders folders;
    json_t *all, *counted;

    if (wish->count > 1)
        return dq_fail(err, DQ_USAGE, "wants one name at most");
    folders = dq_library_folders();
    counted = ask_counted(only);
    all = json_array();
    for (size_t i = 0; i < (wish->only ? 1 : folders.count); i++)
        list_folder(&folders.list[i], only, counted, all);
    if (wish->json)
        print_json(all);
    else
        print_list(all);
    if (only && !json_array_size(all))
        dq_library_no_model(&folders, only, NULL, err);
    json_decref(counted);
    json_decref(all);
    dq_library_folders_free(&folders);
    return err->code;
}

/* ---- show ----------------------------------------------------------------*/

static void print_history(const json_t *history)
{
    const json_t *step;
    size_t i;

    json_array_foreach (history, i, step) {
        const char *from = json_string_value(json_object_get(step, "from"));
        const char *to = json_string_value(json_object_get(step, "to"));

        printf("  %s  @%s  %s -> %s  by %s\n",
               json_string_value(json_object_get(step, "at")),
               json_string_value(json_object_get(step, "alias")),
               from ? from : "nothing", to ? to : "nothing",
               json_string_value(json_object_get(step, "by")));
    }
}

static void print_text(const char *what, const char *text)
{
    if (text && *text)
        printf("%-12s %s\n", what, text);
}

static void print_verdict(const json_t *told)
{
    const json_t *verdict = json_object_get(told, "verdict");

    print_text("verified", verdict_text(told));
    if (json_is_object(verdict)) {
        print_text("", json_string_value(json_object_get(verdict, "text")));
        print_text("", json_string_value(json_object_get(verdict, "at")));
    }
}

static void print_version(const json_t *told)
{
    const json_t *contract = json_object_get(told, "contract");
    static const char *const notes[] = {"licence", "source", "description",
                                        "precision"};

    print_line(told);
    print_text("folder", json_string_value(json_object_get(told, "folder")));
    print_text("file", json_string_value(json_object_get(told, "file")));
    print_text("sha256", json_string_value(json_object_get(told, "sha256")));
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++)
        print_text(notes[i],
                   json_string_value(json_object_get(contract, notes[i])));
    print_verdict(told);
    print_text("last frame", json_string_value(json_object_get(told, "used")));
    if (json_is_object(json_object_get(told, "retired")))
        print_text("retired", text_at(told, "retired", "why"));
    if (json_array_size(json_object_get(told, "history"))) {
        puts("aliases");
        print_history(json_object_get(told, "history"));
    }
}

static json_t *with_history(json_t *told, const char *folder, const char *name,
                            struct dq_err *err)
{
    json_t *book = dq_library_aliases(folder, name, err);

    json_object_set(told, "history", json_object_get(book, "history"));
    json_decref(book);
    return told;
}

int dq_models_show(const struct dq_models_wish *wish, struct dq_err *err)
{
    const char *model = dq_models_word(wish, "NAME or NAME@VERSION", err);
    struct dq_model_ref ref = {0};
    char *folder;
    json_t *told;

    if (!model || dq_library_find(model, NULL, 0, &ref, err))
        return err->code;
    folder = dq_path_folder(ref.path);
    told = dq_models_describe(folder, ref.name, ref.version, err);
    if (told) {
        json_t *counted = ask_counted(ref.name);

        with_history(told, folder, ref.name, err);
        set_use(told, counted);
        json_decref(counted);
        if (wish->json)
            print_json(told);
        else
            print_version(told);
    }
    json_decref(told);
    free(folder);
    dq_model_ref_free(&ref);
    return err->code;
}
