/* Where things are: configuration, environment, the daemon's state. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "cli/doctor.h"
#include "jobs/places.h"
#include "jobs/store_look.h"

/* ---- configuration -------------------------------------------------------*/

/* As a depthqd with these options would begin. */
static int read_options(struct dq_doctor *d, struct dq_err *err)
{
    char *argv[8] = {(char *)"depthqd"};
    int argc = 1;

    if (d->state_said) {
        argv[argc++] = (char *)"--state";
        argv[argc++] = (char *)d->state_said;
    }
    if (d->socket_said) {
        argv[argc++] = (char *)"--socket";
        argv[argc++] = (char *)d->socket_said;
    }
    if (d->config_said) {
        argv[argc++] = (char *)"--config";
        argv[argc++] = (char *)d->config_said;
    }
    optind = 0; /* getopt begins anew */
    return dq_daemon_options_parse(argc, argv, &d->daemon, err);
}

static void tell_problems(struct dq_doctor *d, const struct dq_err *err)
{
    char *todo = dq_asprintf("mend it; depthqd --check-config --config %s",
                             d->daemon.config ? d->daemon.config : "FILE");
    const struct dq_problems *p = &d->daemon.problems;

    for (size_t i = 0; i < p->count; i++)
        dq_doctor_say(d, DQ_DOCTOR_WRONG, DQ_CONFIG, "config", todo,
                      "%s:%d:%d: %s", d->daemon.config, p->list[i].line,
                      p->list[i].column, p->list[i].text);
    if (!p->count)
        dq_doctor_say(d, DQ_DOCTOR_WRONG, DQ_CONFIG, "config", todo, "%s",
                      err->text);
    free(todo);
}

static char *absolute_or_null(const char *path)
{
    return path ? dq_path_absolute(path) : NULL;
}

/* Clients read no configuration file, and no option of the daemon's. */
static void find_places(struct dq_doctor *d)
{
    const char *said =
        d->socket_said || d->state_said ? d->daemon.socket : NULL;

    d->state = dq_strdup(d->daemon.state);
    if (!d->state)
        d->state =
            d->state_said ? absolute_or_null(d->state_said) : dq_place_state();
    d->socket = said ? dq_strdup(said) : dq_place_socket();
    d->expected = d->state_said || d->socket_said || d->config_said ||
                  d->daemon.config || getenv("DEPTHQ_SOCKET") ||
                  getenv("DEPTHQ_STATE") ||
                  (d->state && access(d->state, F_OK) == 0);
}

static void compare_sockets(struct dq_doctor *d)
{
    const char *its = d->daemon.socket;
    char *todo;

    if (!its || !d->socket || strcmp(its, d->socket) == 0)
        return;
    todo = dq_asprintf("export DEPTHQ_SOCKET=%s where people work", its);
    dq_doctor_say(d, DQ_DOCTOR_WARN, DQ_OK, "config", todo,
                  "clients ask at %s, a depthqd started here would listen at "
                  "%s",
                  d->socket, its);
    free(todo);
}

void dq_doctor_config(struct dq_doctor *d)
{
    struct dq_err err = {0};

    if (read_options(d, &err))
        tell_problems(d, &err);
    else if (d->daemon.config)
        dq_doctor_say(d, DQ_DOCTOR_OK, DQ_OK, "config", NULL, "%s",
                      d->daemon.config);
    else
        dq_doctor_say(d, DQ_DOCTOR_OK, DQ_OK, "config", NULL,
                      "no configuration file: everything is as usual");
    find_places(d);
    compare_sockets(d);
}

/* ---- environment ---------------------------------------------------------*/

/* Those that programs of ours or their units read. */
static const char *const variables[] = {"DEPTHQ_MODELS", "DEPTHQ_NIGHTLY",
                                        "DEPTHQ_SERVER", "DEPTHQ_SOCKET",
                                        "DEPTHQ_STATE",  "DEPTHQ_TOKEN_FILE"};
enum { VARIABLES = sizeof variables / sizeof *variables };

/* Relative ones are ignored where they are read. */
static const char *const absolute[] = {"DEPTHQ_SOCKET",
                                       "DEPTHQ_STATE",
                                       "XDG_STATE_HOME",
                                       "XDG_CONFIG_HOME",
                                       "XDG_RUNTIME_DIR",
                                       "XDG_DATA_HOME",
                                       "HOME"};
enum { ABSOLUTE = sizeof absolute / sizeof *absolute };

static int is_known(const char *name)
{
    for (int i = 0; i < VARIABLES; i++)
        if (strcmp(variables[i], name) == 0)
            return 1;
    return 0;
}

/* Returns how many findings. */
static int look_at_unknown(struct dq_doctor *d)
{
    int found = 0;

    for (char **at = environ; *at; at++) {
        char *name = dq_strndup(*at, strcspn(*at, "="));

        if (strncmp(name, "DEPTHQ_", 7) == 0 && !is_known(name)) {
            const char *near = dq_text_nearest(name, variables, VARIABLES);
            char *todo = near ? dq_asprintf("did you mean %s?", near) : NULL;

            dq_doctor_say(d, DQ_DOCTOR_WARN, DQ_OK, "environ", todo,
                          "%s is set, and nobody reads it", name);
            free(todo);
            found++;
        }
        free(name);
    }
    return found;
}

static int look_at_relative(struct dq_doctor *d)
{
    int found = 0;

    for (int i = 0; i < ABSOLUTE; i++) {
        const char *value = getenv(absolute[i]);

        if (!value || !*value || *value == '/')
            continue;
        dq_doctor_say(d, DQ_DOCTOR_WRONG, DQ_CONFIG, "environ",
                      "give it an absolute path",
                      "%s=%s is not absolute, so it is ignored", absolute[i],
                      value);
        found++;
    }
    return found;
}

static int look_at_odd(struct dq_doctor *d)
{
    const char *ocio = getenv("OCIO"), *fault = getenv("DQ_FAULT");
    int found = 0;

    if (fault && *fault) {
        dq_doctor_say(d, DQ_DOCTOR_WARN, DQ_OK, "environ", "unset DQ_FAULT",
                      "DQ_FAULT=%s: faults are injected on purpose", fault);
        found++;
    }
    if (ocio && *ocio && strncmp(ocio, "ocio://", 7) != 0 &&
        access(ocio, R_OK) != 0) {
        dq_doctor_say(d, DQ_DOCTOR_WARN, DQ_OK, "environ",
                      "mend or unset OCIO: jobs with input.colorspace need it",
                      "OCIO=%s: %s", ocio, strerror(errno));
        found++;
    }
    return found;
}

void dq_doctor_environment(struct dq_doctor *d)
{
    int found = look_at_unknown(d) + look_at_relative(d) + look_at_odd(d);

    if (!found)
        dq_doctor_say(d, DQ_DOCTOR_OK, DQ_OK, "environ", NULL,
                      "nothing odd is set");
}

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
    dq_store_look(d->state, &look, &err);
    if (err.code && look.unseen)
        dq_doctor_say(d, DQ_DOCTOR_WARN, DQ_OK, "database",
                      "make room there, or set TMPDIR",
                      "it was not looked at: %s", err.text);
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
