/* What the daemon says, or why it says nothing. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "cli/ask.h"
#include "cli/doctor.h"

/* ---- the socket ----------------------------------------------------------*/

/* Who listens there; the errno of connecting, or 0. */
static int knock(const char *path, struct ucred *peer)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    socklen_t size = sizeof *peer;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int number = 0;

    snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof at) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, peer, &size) != 0)
        number = errno;
    if (fd >= 0)
        close(fd);
    return number;
}

/* A depthqd that is not where clients ask. The caller frees; or NULL. */
static char *found_elsewhere(const struct dq_doctor *d)
{
    const char *const places[] = {d->daemon.socket, "/run/depthq/socket"};

    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct ucred peer;

        if (places[i] && strcmp(places[i], d->socket) != 0 &&
            knock(places[i], &peer) == 0)
            return dq_asprintf("one is at %s: export DEPTHQ_SOCKET=%s",
                               places[i], places[i]);
    }
    return NULL;
}

static char *how_to_start(const struct dq_doctor *d)
{
    char *elsewhere = found_elsewhere(d), *unit = dq_doctor_unit();
    char *todo = elsewhere ? dq_strdup(elsewhere)
                 : unit    ? dq_strdup("systemctl start depthqd; journalctl -u "
                                          "depthqd says why it stopped")
                           : dq_strdup("start it: depthqd, or depthq submit "
                                          "--autostart");

    free(elsewhere);
    free(unit);
    return todo;
}

static void tell_absent(struct dq_doctor *d, const char *why)
{
    char *todo = how_to_start(d);

    if (d->expected)
        dq_doctor_say(d, DQ_DOCTOR_WRONG, DQ_DAEMON, "daemon", todo,
                      "nobody answers at %s: %s", d->socket, why);
    else
        dq_doctor_say(d, DQ_DOCTOR_NOTE, DQ_OK, "daemon", todo,
                      "there is no queue here; depthq run needs none");
    free(todo);
}

static void tell_denied(struct dq_doctor *d, const struct stat *st)
{
    const struct group *group = getgrgid(st->st_gid);
    const struct passwd *me = getpwuid(geteuid());
    char *todo = st->st_gid == 0
                     ? dq_strdup("ask as its user; or give depthqd a group of "
                                 "its own")
                     : dq_asprintf("usermod -aG %s %s, then log in anew",
                                   group ? group->gr_name : "GROUP",
                                   me ? me->pw_name : "USER");

    dq_doctor_say(d, DQ_DOCTOR_WRONG, DQ_DENIED, "daemon", todo,
                  "you have no right to %s (mode %03o)", d->socket,
                  (unsigned)(st->st_mode & 0777));
    free(todo);
}

/* 1: somebody is there. */
static int look_at_socket(struct dq_doctor *d, struct ucred *peer)
{
    struct stat st = {0};
    int there = lstat(d->socket, &st) == 0;
    int number = there ? 0 : errno;

    if (there && !S_ISSOCK(st.st_mode)) {
        dq_doctor_say(d, DQ_DOCTOR_WRONG, DQ_CREATE, "daemon",
                      "move it away, then start depthqd",
                      "%s is no socket, and in its place", d->socket);
        return 0;
    }
    if (there)
        number = knock(d->socket, peer);
    if (number == EACCES)
        tell_denied(d, &st);
    else if (number == ECONNREFUSED)
        tell_absent(d, "its socket is one that a dead depthqd left behind");
    else if (number)
        tell_absent(d, strerror(number));
    else if (st.st_mode & S_IWOTH)
        dq_doctor_say(d, DQ_DOCTOR_WARN, DQ_OK, "daemon",
                      "chmod 660 it; who may ask is in its group",
                      "everybody may ask at %s (mode %03o)", d->socket,
                      (unsigned)(st.st_mode & 0777));
    return number == 0;
}

/* ---- what it says --------------------------------------------------------*/

static void tell_version(struct dq_doctor *d, const char *version,
                         const struct ucred *peer)
{
    if (strcmp(version, DQ_VERSION) == 0)
        dq_doctor_say(d, DQ_DOCTOR_OK, DQ_OK, "daemon", NULL,
                      "answers at %s (pid %d, user %u, %s)", d->socket,
                      (int)peer->pid, (unsigned)peer->uid, version);
    else
        dq_doctor_say(d, DQ_DOCTOR_WARN, DQ_OK, "daemon",
                      "start it anew: frames in hand are finished first",
                      "the one at %s is depthqd %s, this is depthq " DQ_VERSION,
                      d->socket, version);
}

static void tell_worker(struct dq_doctor *d, const json_t *w)
{
    const char *state = dq_ask_text(w, "state");
    const char *death = dq_ask_text(w, "last_death");
    long long number = dq_ask_number(w, "worker");
    char *todo = dq_asprintf("depthq workers resume %lld", number);

    if (strcmp(state, "given up") == 0)
        dq_doctor_say(d, DQ_DOCTOR_WRONG, DQ_DEVICE, "workers",
                      "mend that; it is tried again every minute",
                      "worker %lld on %s was given up: %s", number,
                      dq_ask_text(w, "device"), death);
    else if (strncmp(state, "drain", 5) == 0)
        dq_doctor_say(d, DQ_DOCTOR_NOTE, DQ_OK, "workers", todo,
                      "worker %lld on %s is %s", number,
                      dq_ask_text(w, "device"), state);
    else if (*death)
        dq_doctor_say(d, DQ_DOCTOR_WARN, DQ_OK, "workers", NULL,
                      "worker %lld died (%lld in all), the last time: %s",
                      number, dq_ask_number(w, "deaths"), death);
    else
        dq_doctor_say(d, DQ_DOCTOR_OK, DQ_OK, "workers", NULL,
                      "worker %lld is %s: %s", number, state,
                      dq_ask_text(w, "execution"));
    free(todo);
}

static void look_at_workers(struct dq_doctor *d, struct dq_client *client)
{
    struct dq_err err = {0};
    json_t *answer = dq_client_ask(client, "GET", "/v1/workers", NULL, &err);
    json_t *worker;
    size_t i;

    if (!answer)
        dq_doctor_say(d, DQ_DOCTOR_WRONG, err.code, "workers", NULL, "%s",
                      err.text);
    json_array_foreach (json_object_get(answer, "workers"), i, worker)
        tell_worker(d, worker);
    json_decref(answer);
}

static void ask(struct dq_doctor *d, struct dq_client *client,
                const struct ucred *peer)
{
    struct dq_err err = {0};
    json_t *health = dq_client_ask(client, "GET", "/healthz", NULL, &err);

    if (!health) {
        dq_doctor_say(d, DQ_DOCTOR_WRONG, err.code, "daemon",
                      "look into its log; end it and start it anew", "%s",
                      err.text);
        return;
    }
    d->answers = 1;
    d->daemon_uid = peer->uid;
    tell_version(d, dq_ask_text(health, "version"), peer);
    json_decref(health);
    look_at_workers(d, client);
}

void dq_doctor_daemon(struct dq_doctor *d)
{
    struct ucred peer = {0};
    struct dq_err err = {0};
    struct dq_client *client =
        d->socket ? dq_client_open(d->socket, &err) : NULL;

    if (!client)
        dq_doctor_say(d, DQ_DOCTOR_WRONG, DQ_CONFIG, "daemon",
                      "set HOME, or DEPTHQ_SOCKET", "%s",
                      d->socket ? err.text
                                : "nobody knows where its socket is to be");
    else if (look_at_socket(d, &peer))
        ask(d, client, &peer);
    dq_client_close(client);
}

/* ---- outputs of jobs that are not over -----------------------------------*/

/* Root looks as the daemon's user does, whom workers write as. */
static void become_writer(const struct dq_doctor *d)
{
    const struct passwd *user;
    uid_t uid = (uid_t)d->daemon_uid;

    if (geteuid() != 0 || uid == 0)
        return;
    user = getpwuid(uid);
    if (user ? initgroups(user->pw_name, user->pw_gid) || setgid(user->pw_gid)
             : setgroups(0, NULL))
        return;
    if (setuid(uid) != 0)
        _exit(1); /* counts as a failed check */
}

static void look_at_output(struct dq_doctor *d, const char *folder,
                           long long job)
{
    struct dq_err err = {0};
    int64_t bytes = 0;
    char size[16];

    if (dq_doctor_folder(folder, &bytes, &err)) {
        dq_doctor_say(d, DQ_DOCTOR_WRONG, err.code, "outputs",
                      err.code == DQ_FULL
                          ? "make room: its frames go on by themselves"
                          : "mend it, then depthq retry the job",
                      "job %lld writes to %s: %s", job, folder, err.text);
        return;
    }
    dq_size_text((double)bytes, size);
    dq_doctor_say(d, DQ_DOCTOR_OK, DQ_OK, "outputs", NULL,
                  "job %lld writes to %s, %s are free", job, folder, size);
}

/* One folder is looked at once. */
static void look_at_job(struct dq_doctor *d, const json_t *job, json_t *seen)
{
    char *folder = dq_path_folder(dq_ask_text(job, "output"));
    long long id = dq_ask_number(job, "id"), blocked;

    if (!json_object_get(seen, folder)) {
        json_object_set_new(seen, folder, json_true());
        look_at_output(d, folder, id);
    }
    blocked = dq_ask_number(json_object_get(job, "counts"), "blocked");
    if (blocked)
        dq_doctor_say(d, DQ_DOCTOR_WARN, DQ_OK, "outputs",
                      "make room: they go on by themselves",
                      "%lld frames of job %lld wait for room", blocked, id);
    free(folder);
}

enum { JOBS_MOST = 200 };

static void look_at_jobs(struct dq_doctor *d, struct dq_client *client,
                         const char *state, json_t *seen)
{
    char *path = dq_asprintf("/v1/jobs?state=%s&", state);
    struct dq_err err = {0};
    json_t *jobs =
        dq_client_list(client, path, "jobs", "before", JOBS_MOST, &err);
    json_t *job;
    size_t i;

    json_array_foreach (jobs, i, job)
        look_at_job(d, job, seen);
    json_decref(jobs);
    free(path);
}

/* Rights are looked at by whom they are about. 1: that is not us. */
static int is_not_ours(struct dq_doctor *d)
{
    char *todo;

    if (!d->answers || geteuid() == 0 || d->daemon_uid == geteuid())
        return 0;
    todo = dq_asprintf("sudo -u '#%lld' depthq doctor --socket %s",
                       (long long)d->daemon_uid, d->socket);
    dq_doctor_say(d, DQ_DOCTOR_NOTE, DQ_OK, "outputs", todo,
                  "only the daemon's user can tell whether it may write them");
    free(todo);
    return 1;
}

void dq_doctor_outputs(struct dq_doctor *d)
{
    static const char *const states[] = {"active", "queued", "held", "pausing",
                                         "paused"};
    struct dq_err err = {0};
    struct dq_client *client =
        d->answers && !is_not_ours(d) ? dq_client_open(d->socket, &err) : NULL;
    json_t *seen = json_object();

    if (client)
        become_writer(d);
    for (size_t i = 0; client && i < sizeof states / sizeof *states; i++)
        look_at_jobs(d, client, states[i], seen);
    json_decref(seen);
    dq_client_close(client);
}
