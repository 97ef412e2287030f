/* The daemon's state: its folder and its database. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "cli/doctor.h"
#include "jobs/store_look.h"

/* ---- folders -------------------------------------------------------------*/

enum { MIB = 1 << 20 };
#define LEAST_FREE ((int64_t)64 * MIB)
#define SOME_FREE ((int64_t)1024 * MIB)

/* The folder, or the one in which it, or its first missing parent, would be
 * made. The caller frees. */
static char *nearest_there(const char *path)
{
    char *at = dq_strdup(path), *up;

    while (access(at, F_OK) != 0 && errno == ENOENT && strcmp(at, "/") != 0) {
        up = dq_path_folder(at);
        free(at);
        at = up;
    }
    return at;
}

static int check_folder(const char *at, struct dq_err *err)
{
    struct stat st;

    if (stat(at, &st) != 0)
        return dq_fail_errno(err, dq_code_of_write_errno(errno), errno, "%s",
                             at);
    if (!S_ISDIR(st.st_mode))
        return dq_fail(err, DQ_CREATE, "%s is no folder", at);
    if (faccessat(AT_FDCWD, at, W_OK | X_OK, AT_EACCESS) != 0)
        return dq_fail_errno(err, dq_code_of_write_errno(errno), errno,
                             "%s cannot be written to", at);
    return DQ_OK;
}

int dq_doctor_folder(const char *path, int64_t *bytes, struct dq_err *err)
{
    char *at = nearest_there(path);
    struct statvfs fs;

    *bytes = INT64_MAX;
    if (!check_folder(at, err) && statvfs(at, &fs) == 0) {
        *bytes = (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
        if (*bytes < LEAST_FREE)
            dq_fail(err, DQ_FULL, "%s: its disk is full: %lld MiB are free", at,
                    (long long)(*bytes / MIB));
    }
    free(at);
    return err->code;
}

/* ---- the state folder ----------------------------------------------------*/

static void tell_owner(struct dq_doctor *d, const struct stat *st)
{
    char *todo = dq_asprintf("chmod 750 %s", d->state);

    if (st->st_mode & (S_IWGRP | S_IWOTH))
        dq_doctor_say(d, DQ_DOCTOR_WARN, DQ_OK, "state", todo,
                      "%s can be written by others (mode %03o)", d->state,
                      (unsigned)(st->st_mode & 0777));
    free(todo);
}

/* Somebody else's folder is his business; 1: it is not looked into. */
static int is_others(struct dq_doctor *d, const struct stat *st)
{
    char *todo;

    if (st->st_uid == geteuid() || geteuid() == 0)
        return 0;
    todo = dq_asprintf("sudo -u '#%u' depthq doctor --state %s",
                       (unsigned)st->st_uid, d->state);
    dq_doctor_say(d, DQ_DOCTOR_NOTE, DQ_OK, "state", todo,
                  "%s is of user %u, so you are not told more", d->state,
                  (unsigned)st->st_uid);
    free(todo);
    return 1;
}

static void look_at_folder(struct dq_doctor *d, int there)
{
    struct dq_err err = {0};
    int64_t bytes = 0;
    char size[16];

    if (dq_doctor_folder(d->state, &bytes, &err)) {
        dq_doctor_say(d, DQ_DOCTOR_WRONG, err.code, "state",
                      err.code == DQ_FULL
                          ? "make room, or choose another: --state"
                          : "mend its rights, or choose another: --state, "
                            "DEPTHQ_STATE",
                      "%s", err.text);
        return;
    }
    dq_size_text((double)bytes, size);
    if (bytes < SOME_FREE)
        dq_doctor_say(d, DQ_DOCTOR_WARN, DQ_OK, "state", "make room",
                      "%s: only %s are free", d->state, size);
    else
        dq_doctor_say(d, DQ_DOCTOR_OK, DQ_OK, "state", NULL,
                      "%s, %s are free%s", d->state, size,
                      there ? "" : "; it is made at the first start");
}

/* ---- the database --------------------------------------------------------*/

static void tell_owned(struct dq_doctor *d, const struct dq_store_look *look)
{
    if (d->answers)
        dq_doctor_say(d, DQ_DOCTOR_OK, DQ_OK, "database", NULL,
                      "the daemon (pid %d) has it open, and has checked it at "
                      "its start",
                      look->owner);
    else
        dq_doctor_say(d, DQ_DOCTOR_WRONG, DQ_DAEMON, "database",
                      "ask where it listens (--socket, DEPTHQ_SOCKET); if it "
                      "does so nowhere, end it and start it anew",
                      "a depthqd (pid %d) works in %s, but does not answer at "
                      "%s",
                      look->owner, d->state, d->socket ? d->socket : "");
}

static void tell_sound(struct dq_doctor *d, const struct dq_store_look *look)
{
    if (!look->there)
        dq_doctor_say(d, DQ_DOCTOR_OK, DQ_OK, "database", NULL,
                      "none yet; it is made at the first start");
    else if (look->schema < look->newest)
        dq_doctor_say(d, DQ_DOCTOR_NOTE, DQ_OK, "database", NULL,
                      "sound, of schema %d: the next start makes it %d and "
                      "keeps a copy",
                      look->schema, look->newest);
    else
        dq_doctor_say(d, DQ_DOCTOR_OK, DQ_OK, "database", NULL,
                      "sound, schema %d", look->schema);
    if (look->killed)
        dq_doctor_say(d, DQ_DOCTOR_NOTE, DQ_OK, "database", NULL,
                      "the last daemon was killed; the next one takes up where "
                      "the last commit was");
}

static const char *todo_of(int code)
{
    switch (code) {
    case DQ_CONFIG:
        return "choose another folder (--state, DEPTHQ_STATE), or install "
               "the depthq that made it";
    case DQ_IO:
        return "move queue.db-wal away and put the last backup (depthqd "
               "--backup) in the place of queue.db";
    default:
        return NULL;
    }
}

static void look_at_database(struct dq_doctor *d)
{
    struct dq_store_look look;
    struct dq_err err = {0};

    if (d->answers && !dq_store_owner(d->state)) {
        dq_doctor_say(d, DQ_DOCTOR_NOTE, DQ_OK, "database", NULL,
                      "whoever has it open is not seen from here (in another "
                      "container?): it was not looked at");
        return;
    }
    dq_store_look(d->state, d->scratch, &look, &err);
    if (err.code && look.unseen)
        dq_doctor_say(d, DQ_DOCTOR_WARN, DQ_OK, "database",
                      "make room there, or set TMPDIR",
                      "it was not looked at: %s",
                      d->scratch ? err.text : d->no_scratch.text);
    else if (err.code)
        dq_doctor_say(d, DQ_DOCTOR_WRONG, err.code, "database",
                      todo_of(err.code), "%s", err.text);
    else if (look.owner)
        tell_owned(d, &look);
    else
        tell_sound(d, &look);
}

void dq_doctor_state(struct dq_doctor *d)
{
    struct stat st;
    int there = d->state && stat(d->state, &st) == 0;

    if (!d->state) {
        dq_doctor_say(d, DQ_DOCTOR_WRONG, DQ_CONFIG, "state",
                      "set HOME, or DEPTHQ_STATE",
                      "nobody knows where the database is to be");
        return;
    }
    if (there && is_others(d, &st))
        return;
    if (there)
        tell_owner(d, &st);
    look_at_folder(d, there);
    if (there && S_ISDIR(st.st_mode))
        look_at_database(d);
}
