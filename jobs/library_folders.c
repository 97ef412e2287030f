#include "jobs/library_folders.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "jobs/library_change.h"
#include "jobs/library_private.h"
#include "jobs/spec_fields.h"
#include "jobs/version.h"

/* ---- one folder ----------------------------------------------------------*/

static int by_name_and_version(const void *left, const void *right)
{
    const struct dq_library_entry *a = left, *b = right;
    int order = strcmp(a->name, b->name);

    return order ? order : dq_version_compare(a->version, b->version);
}

/* `<name>@<version>.json`, nothing else. */
static void add_entry(struct dq_library_folder *folder, const char *file)
{
    size_t name = strspn(file, DQ_NAME_CHARACTERS);
    size_t version, bytes = strlen(file);
    struct dq_library_entry *entry;

    if (bytes < 5 || strcmp(file + bytes - 5, ".json") != 0 || !name ||
        *file == '.' || file[name] != '@')
        return;
    version = bytes - 5 - (name + 1);
    if (bytes - 5 <= name + 1 ||
        strspn(file + name + 1, DQ_VERSION_CHARACTERS) < version)
        return;
    folder->list =
        dq_grow(folder->list, folder->count + 1, sizeof *folder->list);
    entry = &folder->list[folder->count++];
    entry->name = dq_strndup(file, name);
    entry->version = dq_strndup(file + name + 1, version);
    entry->retired =
        dq_library_has(folder->path, entry->name, entry->version, "retired");
}

static void read_folder(struct dq_library_folder *folder)
{
    DIR *dir = opendir(folder->path);
    const struct dirent *entry;

    if (!dir) {
        folder->error = errno;
        return;
    }
    while (errno = 0, (entry = readdir(dir)))
        add_entry(folder, entry->d_name);
    folder->error = errno;
    closedir(dir);
    if (folder->count)
        qsort(folder->list, folder->count, sizeof *folder->list,
              by_name_and_version);
}

static int is_final(const char *version)
{
    return version[strcspn(version, "-+")] != '-';
}

const char *dq_library_version(const struct dq_library_folder *folder,
                               const char *name, const char *want)
{
    const char *best = NULL;

    for (size_t i = 0; i < folder->count; i++) {
        const char *version = folder->list[i].version;

        if (strcmp(folder->list[i].name, name) != 0)
            continue;
        if (want && strcmp(version, want) == 0)
            return version;
        if (!want && !folder->list[i].retired &&
            (!best || is_final(version) || !is_final(best)))
            best = version;
    }
    return best;
}

/* ---- all folders ---------------------------------------------------------*/

/* Takes path. */
static void add_folder(struct dq_library_folders *all, char *path)
{
    struct dq_library_folder *folder;

    all->list = dq_grow(all->list, all->count + 1, sizeof *all->list);
    folder = &all->list[all->count++];
    memset(folder, 0, sizeof *folder);
    folder->path = dq_path_absolute(path);
    free(path);
    read_folder(folder);
}

static void add_environment(struct dq_library_folders *all)
{
    const char *at = getenv("DEPTHQ_MODELS");

    while (at && *at) {
        size_t bytes = strcspn(at, ":");

        if (bytes)
            add_folder(all, dq_strndup(at, bytes));
        at += bytes + (at[bytes] == ':');
    }
}

/* A relative path in these variables is invalid, says their standard. */
static void add_users(struct dq_library_folders *all)
{
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");

    if (data && *data == '/')
        add_folder(all, dq_asprintf("%s/depthq/models", data));
    else if (home && *home == '/')
        add_folder(all, dq_asprintf("%s/.local/share/depthq/models", home));
}

char *dq_library_own(void)
{
    struct dq_library_folders all = {0};
    char *path = NULL;

    add_environment(&all);
    add_users(&all);
    if (all.count)
        path = dq_strdup(all.list[0].path);
    dq_library_folders_free(&all);
    return path;
}

/* bin/depthq and libexec/depthq/depthq-worker stand one and two folders
 * below the prefix. */
static void add_installation(struct dq_library_folders *all)
{
    char exe[4096];
    ssize_t bytes = readlink("/proc/self/exe", exe, sizeof exe - 1);
    char *folder, *prefix;

    if (bytes <= 0)
        return;
    exe[bytes] = '\0';
    folder = dq_path_folder(exe);
    prefix = dq_path_folder(folder);
    if (strcmp(dq_path_name(prefix), "libexec") == 0) {
        free(folder);
        folder = prefix;
        prefix = dq_path_folder(folder);
    }
    add_folder(all, dq_asprintf("%s/share/depthq/models", prefix));
    free(prefix);
    free(folder);
}

struct dq_library_folders dq_library_folders(void)
{
    struct dq_library_folders all = {0};

    add_environment(&all);
    add_users(&all);
    add_installation(&all);
    return all;
}

static void folder_free(struct dq_library_folder *folder)
{
    for (size_t i = 0; i < folder->count; i++) {
        free(folder->list[i].name);
        free(folder->list[i].version);
    }
    free(folder->list);
    free(folder->path);
}

void dq_library_folders_free(struct dq_library_folders *all)
{
    for (size_t i = 0; i < all->count; i++)
        folder_free(&all->list[i]);
    free(all->list);
    memset(all, 0, sizeof *all);
}

/* ---- what there is -------------------------------------------------------*/

static const char *nearest_name(const struct dq_library_folders *all,
                                const char *name)
{
    const char **names = NULL, *near;
    size_t count = 0;

    for (size_t i = 0; i < all->count; i++)
        for (size_t k = 0; k < all->list[i].count; k++) {
            names = dq_grow(names, count + 1, sizeof *names);
            names[count++] = all->list[i].list[k].name;
        }
    near = dq_text_nearest(name, names, count);
    free(names);
    return near;
}

/* All models, or the versions of one (only); how many. */
static int list_models(const struct dq_library_folders *all, const char *only,
                       struct dq_bytes *out)
{
    int count = 0;

    for (size_t i = 0; i < all->count; i++)
        for (size_t k = 0; k < all->list[i].count; k++) {
            const struct dq_library_entry *e = &all->list[i].list[k];

            if (only && strcmp(e->name, only) != 0)
                continue;
            dq_bytes_printf(out, "%s%s@%s", count++ ? ", " : "", e->name,
                            e->version);
        }
    return count;
}

static void list_folders(const struct dq_library_folders *all,
                         struct dq_bytes *out)
{
    dq_bytes_text(out, "; looked in");
    for (size_t i = 0; i < all->count; i++) {
        const struct dq_library_folder *f = &all->list[i];

        dq_bytes_printf(out, "%s %s", i ? "," : "", f->path);
        if (f->error && f->error != ENOENT)
            dq_bytes_printf(out, " (%s)", strerror(f->error));
    }
}

int dq_library_no_model(const struct dq_library_folders *all, const char *name,
                        const char *want, struct dq_err *err)
{
    struct dq_bytes there = {0}, folders = {0};
    const char *near;

    if (want && list_models(all, name, &there)) {
        dq_fail(err, DQ_MODEL, "there is no version '%s' of %s; there are: %s",
                want, name, there.data);
    } else if (list_models(all, NULL, &there)) {
        near = nearest_name(all, name);
        dq_fail(err, DQ_MODEL, "there is no model '%s'%s%s%s; there are: %s",
                name, near ? " (did you mean '" : "", near ? near : "",
                near ? "'?)" : "", there.data);
    } else {
        list_folders(all, &folders);
        dq_fail(err, DQ_MODEL,
                "there is no model '%s': the model library is empty%s", name,
                folders.data);
    }
    dq_bytes_free(&there);
    dq_bytes_free(&folders);
    return err->code;
}
