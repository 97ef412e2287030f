#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/publish.h"
#include "base/sha256.h"
#include "jobs/library_change.h"
#include "jobs/library_private.h"

enum { DIGITS = DQ_SHA256_HEX - 1, MANIFEST_LIMIT = 1 << 20 };

/* `<sha256>.<anything>` */
static int is_artefact(const char *file)
{
    return strspn(file, "0123456789abcdef") == DIGITS && file[DIGITS] == '.';
}

static int is_manifest(const char *file)
{
    size_t bytes = strlen(file);

    return *file != '.' && strchr(file, '@') && bytes > 5 &&
           strcmp(file + bytes - 5, ".json") == 0;
}

/* The digests that manifests name, as the keys of an object. A manifest that
 * cannot be read stops it: its artefact may be the one. */
static json_t *digests_in_use(const char *folder, DIR *dir, struct dq_err *err)
{
    json_t *used = json_object();
    const struct dirent *entry;

    while (!err->code && (entry = readdir(dir))) {
        char *path;
        json_t *manifest;
        const char *digest = NULL;

        if (!is_manifest(entry->d_name))
            continue;
        path = dq_asprintf("%s/%s", folder, entry->d_name);
        manifest = dq_json_read(path, MANIFEST_LIMIT, DQ_MODEL, err);
        if (manifest)
            digest = dq_json_string(manifest, "sha256", DQ_MODEL, err);
        if (digest)
            json_object_set_new(used, digest, json_true());
        else
            dq_because(err, "%s: nothing was removed", path);
        json_decref(manifest);
        free(path);
    }
    return used;
}

static void collect_one(const char *folder, const char *file, time_t before,
                        int try_only, struct dq_library_garbage *garbage)
{
    char *path = dq_asprintf("%s/%s", folder, file);
    struct stat st;

    if (!stat(path, &st) && st.st_mtime <= before &&
        (try_only || !unlink(path))) {
        garbage->files++;
        garbage->bytes += st.st_size;
    }
    free(path);
}

static void collect(const char *folder, DIR *dir, const json_t *used, int age_s,
                    int try_only, struct dq_library_garbage *garbage)
{
    time_t before = time(NULL) - age_s + (age_s == 0);
    const struct dirent *entry;

    rewinddir(dir);
    while ((entry = readdir(dir))) {
        char digest[DQ_SHA256_HEX] = "";

        if (!is_artefact(entry->d_name))
            continue;
        memcpy(digest, entry->d_name, DIGITS);
        if (!json_object_get(used, digest))
            collect_one(folder, entry->d_name, before, try_only, garbage);
    }
}

int dq_library_collect(const char *folder, int age_s, int try_only,
                       struct dq_library_garbage *garbage, struct dq_err *err)
{
    int lock = dq_library_lock(folder, err);
    DIR *dir = lock >= 0 ? opendir(folder) : NULL;
    json_t *used;

    memset(garbage, 0, sizeof *garbage);
    if (lock >= 0 && !dir)
        dq_fail_errno(err, DQ_IO, errno, "%s", folder);
    if (dir) {
        used = digests_in_use(folder, dir, err);
        if (!err->code)
            collect(folder, dir, used, age_s, try_only, garbage);
        if (!err->code && !try_only)
            garbage->files += dq_publish_sweep(folder, "", age_s);
        json_decref(used);
        closedir(dir);
    }
    dq_library_unlock(lock);
    return err->code;
}
