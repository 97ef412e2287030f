/* What the configuration says, and whether that is so. */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "cli/doctor.h"
#include "jobs/places.h"

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

/* ---- roots ---------------------------------------------------------------*/

/* Who submits below a folder that is not there has misspelt it, or it is not
 * mounted here. */
static void look_at_root(struct dq_doctor *d, const char *root)
{
    struct stat st;

    if (stat(root, &st) != 0)
        dq_doctor_say(d, DQ_DOCTOR_WARN, DQ_OK, "roots",
                      "mount it, or take it out of the configuration", "%s: %s",
                      root, strerror(errno));
    else if (!S_ISDIR(st.st_mode))
        dq_doctor_say(d, DQ_DOCTOR_WARN, DQ_OK, "roots",
                      "take it out of the configuration", "%s is no folder",
                      root);
    else
        dq_doctor_say(d, DQ_DOCTOR_OK, DQ_OK, "roots", NULL, "%s is there",
                      root);
}

void dq_doctor_roots(struct dq_doctor *d)
{
    for (size_t i = 0; i < d->daemon.access.root_count; i++)
        look_at_root(d, d->daemon.access.roots[i]);
}

/* ---- TCP -----------------------------------------------------------------*/

enum { CONNECT_MS = 2000 };

/* 0, or why nobody is there. */
static int knock(const char *listen)
{
    struct sockaddr_storage at;
    socklen_t size = dq_remote_address(listen, &at);
    int fd =
        socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct pollfd opened = {.fd = fd, .events = POLLOUT};
    socklen_t number_size = sizeof(int);
    int number = 0;

    if (fd < 0)
        return errno;
    if (connect(fd, (struct sockaddr *)&at, size) != 0) {
        number = errno == EINPROGRESS ? 0 : errno;
        if (!number && poll(&opened, 1, CONNECT_MS) <= 0)
            number = ETIMEDOUT;
        if (!number)
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &number_size);
    }
    close(fd);
    return number;
}

/* The file of tokens was read with the configuration. */
void dq_doctor_remote(struct dq_doctor *d)
{
    const char *listen = d->daemon.remote.listen;
    int number;

    if (!listen || d->daemon.problems.count)
        return;
    number = d->answers ? knock(listen) : 0;
    if (number)
        dq_doctor_say(d, DQ_DOCTOR_WRONG, DQ_DAEMON, "tcp",
                      "start depthqd anew: it reads its configuration then",
                      "the daemon is to listen at %s, and nobody does: %s",
                      listen, strerror(number));
    else if (!dq_remote_is_local(listen))
        dq_doctor_say(d, DQ_DOCTOR_WARN, DQ_OK, "tcp",
                      "only in a network where all may read along; else listen "
                      "on 127.0.0.1, through ssh -L",
                      "asked over TCP at %s, and nothing is encrypted", listen);
    else
        dq_doctor_say(d, DQ_DOCTOR_OK, DQ_OK, "tcp", NULL,
                      "asked over TCP at %s, by %zu tokens", listen,
                      d->daemon.remote.token_count);
}
