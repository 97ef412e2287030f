#include "jobs/library_change.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/publish.h"
#include "base/sha256.h"
#include "jobs/library_private.h"

enum { MANIFEST = 1, FILE_LIMIT = 1 << 20 };

/* ---- the folder ----------------------------------------------------------*/

int dq_library_lock(const char *folder, struct dq_err *err)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0) {
        dq_fail_errno(err, errno == EACCES ? DQ_DENIED : DQ_MISSING, errno,
                      "the model library %s", folder);
        return -1;
    }
    while (flock(fd, LOCK_EX) && errno == EINTR)
        ;
    return fd;
}

void dq_library_unlock(int lock)
{
    if (lock >= 0)
        close(lock);
}

static char *path_of(const char *folder, const char *name, const char *version,
                     const char *ending)
{
    return dq_asprintf("%s/%s@%s.%s", folder, name, version, ending);
}

int dq_library_has(const char *folder, const char *name, const char *version,
                   const char *ending)
{
    char *path = path_of(folder, name, version, ending);
    int has = access(path, F_OK) == 0;

    free(path);
    return has;
}

int dq_library_put_json(const char *path, const json_t *value, int replace,
                        struct dq_err *err)
{
    char *text = json_dumps(value, JSON_INDENT(1));
    char *tag = dq_asprintf("%ld", (long)getpid());
    char *whole = dq_asprintf("%s\n", text);

    dq_publish(path, whole, strlen(whole), tag,
               replace ? DQ_PUBLISH_REPLACE : DQ_PUBLISH_NEW, NULL, err);
    free(whole);
    free(tag);
    free(text);
    return err->code;
}

/* ---- adding --------------------------------------------------------------*/

/* What a file that is there has to be: the artefact's bytes. */
static int is_whole(const char *path, const struct dq_library_addition *added)
{
    char hex[DQ_SHA256_HEX];
    struct dq_err ignored = {0};
    struct stat st;

    return !stat(path, &st) && st.st_size == (off_t)added->count &&
           !dq_sha256_file(path, hex, &ignored) &&
           strcmp(hex, added->sha256) == 0;
}

/* *made: the file was not there before. A damaged one is replaced. */
static int put_artefact(const char *path,
                        const struct dq_library_addition *added, int *made,
                        struct dq_err *err)
{
    char *tag;

    if (is_whole(path, added))
        return DQ_OK;
    *made = access(path, F_OK) != 0;
    tag = dq_asprintf("%ld", (long)getpid());
    dq_publish(path, added->bytes, added->count, tag, DQ_PUBLISH_REPLACE, NULL,
               err);
    free(tag);
    return err->code;
}

/* The contract beside an artefact that has none inside. */
static int put_contract(const char *path,
                        const struct dq_library_addition *added, int *made,
                        struct dq_err *err)
{
    json_t *there;
    int same;

    if (added->inside)
        return DQ_OK;
    if (access(path, F_OK) != 0) {
        *made = 1;
        return dq_library_put_json(path, added->contract, 0, err);
    }
    there = dq_json_read(path, FILE_LIMIT, DQ_MODEL, err);
    same = there && json_equal(there, added->contract);
    json_decref(there);
    if (!err->code && !same)
        return dq_fail(err, DQ_EXISTS,
                       "%s: the same file is in the library under another "
                       "contract; put the contract into the file",
                       path);
    return err->code;
}

static int put_manifest(const char *folder,
                        const struct dq_library_addition *added,
                        struct dq_err *err)
{
    char *path = path_of(folder, added->name, added->version, "json");
    char *file = dq_asprintf("%s.%s", added->sha256, added->suffix);
    json_t *manifest =
        json_pack("{s:i, s:s, s:s, s:s, s:s, s:I, s:O}", "depthq_manifest",
                  MANIFEST, "name", added->name, "version", added->version,
                  "sha256", added->sha256, "file", file, "bytes",
                  (json_int_t)added->count, "contract", added->contract);

    dq_library_put_json(path, manifest, 0, err);
    json_decref(manifest);
    free(file);
    free(path);
    return err->code;
}

/* Artefact, contract, manifest: what was made goes again when one fails. */
static int put_all(const char *folder, const struct dq_library_addition *added,
                   struct dq_err *err)
{
    char *artefact =
        dq_asprintf("%s/%s.%s", folder, added->sha256, added->suffix);
    char *contract = dq_asprintf("%s/%s.json", folder, added->sha256);
    int made_artefact = 0, made_contract = 0;

    if (!put_contract(contract, added, &made_contract, err) &&
        !put_artefact(artefact, added, &made_artefact, err))
        put_manifest(folder, added, err);
    if (err->code && made_artefact)
        unlink(artefact);
    if (err->code && made_contract)
        unlink(contract);
    free(contract);
    free(artefact);
    return err->code;
}

/* Whether the version is there: *there when it has these bytes. */
static int look(const char *folder, const struct dq_library_addition *added,
                int *there, struct dq_err *err)
{
    char *path = path_of(folder, added->name, added->version, "json");
    json_t *manifest = NULL, *book;
    const char *is = NULL;

    if (access(path, F_OK) == 0)
        manifest = dq_json_read(path, FILE_LIMIT, DQ_MODEL, err);
    if (manifest)
        is = dq_json_string(manifest, "sha256", DQ_MODEL, err);
    if (is && strcmp(is, added->sha256) != 0)
        dq_fail(err, DQ_EXISTS,
                "%s@%s is there with other bytes (SHA-256 %.12s...); a "
                "version never changes: raise the version",
                added->name, added->version, is);
    *there = is && !err->code;
    json_decref(manifest);
    free(path);
    book = err->code ? NULL : dq_library_aliases(folder, added->name, err);
    if (json_object_get(json_object_get(book, "aliases"), added->version))
        dq_fail(err, DQ_EXISTS, "%s@%s is an alias", added->name,
                added->version);
    json_decref(book);
    return err->code;
}

int dq_library_add(const char *folder, const struct dq_library_addition *added,
                   int *there, struct dq_err *err)
{
    char *artefact = NULL;
    int lock, made = 0;

    *there = 0;
    if (dq_make_folders(folder, err))
        return err->code;
    lock = dq_library_lock(folder, err);
    if (lock >= 0 && !look(folder, added, there, err) && !*there)
        put_all(folder, added, err);
    else if (*there) { /* its artefact may have been damaged since */
        artefact =
            dq_asprintf("%s/%s.%s", folder, added->sha256, added->suffix);
        put_artefact(artefact, added, &made, err);
    }
    free(artefact);
    dq_library_unlock(lock);
    return err->code;
}

/* ---- taking away ---------------------------------------------------------*/

static int check_unused(const char *folder, const char *name,
                        const char *version, struct dq_err *err)
{
    json_t *book;
    const char *alias;

    if (!dq_library_has(folder, name, version, "json"))
        return dq_fail(err, DQ_MODEL, "there is no %s@%s in %s", name, version,
                       folder);
    book = dq_library_aliases(folder, name, err);
    alias = book ? dq_library_alias_of(book, version) : NULL;
    if (alias)
        dq_fail(err, DQ_STATE,
                "%s@%s is in use: %s@%s points to it; move that first", name,
                version, name, alias);
    json_decref(book);
    return err->code;
}

static int put_retired(const char *folder, const char *name,
                       const char *version, const char *by, const char *why,
                       struct dq_err *err)
{
    char *path = path_of(folder, name, version, "retired");
    char at[DQ_TIME_TEXT];
    json_t *note;

    dq_clock_utc(at);
    note = json_pack("{s:s, s:s, s:s}", "by", by, "at", at, "why", why);
    dq_library_put_json(path, note, 1, err);
    json_decref(note);
    free(path);
    return err->code;
}

int dq_library_retire(const char *folder, const char *name, const char *version,
                      const char *by, const char *why, struct dq_err *err)
{
    int lock = dq_library_lock(folder, err);

    if (lock >= 0 && !check_unused(folder, name, version, err))
        put_retired(folder, name, version, by, why, err);
    dq_library_unlock(lock);
    return err->code;
}

/* The manifest goes first: what is left of a version is no version. */
static int unlink_all(const char *folder, const char *name, const char *version,
                      struct dq_err *err)
{
    static const char *const endings[] = {"json", "retired", "verdict"};

    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        char *path = path_of(folder, name, version, endings[i]);

        if (unlink(path) && errno != ENOENT && !err->code)
            dq_fail_errno(err, dq_code_of_write_errno(errno), errno, "%s",
                          path);
        free(path);
    }
    return err->code;
}

int dq_library_remove(const char *folder, const char *name, const char *version,
                      struct dq_err *err)
{
    int lock = dq_library_lock(folder, err);

    if (lock >= 0 && !check_unused(folder, name, version, err) &&
        !unlink_all(folder, name, version, err))
        fsync(lock); /* the folder */
    dq_library_unlock(lock);
    return err->code;
}

/* ---- verdicts ------------------------------------------------------------*/

json_t *dq_library_verdict(const char *folder, const char *name,
                           const char *version, struct dq_err *err)
{
    char *path = path_of(folder, name, version, "verdict");
    json_t *verdict = NULL;

    if (access(path, F_OK) == 0 || errno != ENOENT)
        verdict = dq_json_read(path, FILE_LIMIT, DQ_MODEL, err);
    free(path);
    return verdict;
}

int dq_library_set_verdict(const char *folder, const char *name,
                           const char *version, const json_t *verdict,
                           struct dq_err *err)
{
    char *path = path_of(folder, name, version, "verdict");

    dq_library_put_json(path, verdict, 1, err);
    free(path);
    return err->code;
}
