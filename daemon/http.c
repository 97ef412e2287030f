#include "daemon/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/path.h"

enum {
    SILENCE_S = 10,
    LOOK_MS = 1000,
    LOOKS = 10, /* at a request that is not here in full, before it is cut */
    CONNECTIONS = 1024,
    BACKLOG = 1024
};

struct dq_http {
    struct MHD_Daemon *mhd;
    dq_http_handler *handler;
    void *context;
    char *path;
    uv_poll_t poll;
    uv_timer_t timer, deadline;
    int handles; /* open */
    struct line *lines;
    int ended; /* a connection has, since this was asked last */
};

/* A connection, while it is there. */
struct line {
    struct line *next, **here;
    int fd;
    int looks; /* at its request so far; -1: that is here in full */
};

/* What has come of a request so far. */
struct incoming {
    struct dq_bytes body;
    int too_big;
};

/* ---- who takes too long --------------------------------------------------*/

/* A byte now and then keeps the silence short, and would keep a place for
 * ever. Looks are counted, not time: when we were slow ourselves, nobody pays
 * for it. The library closes what we have shut. */
static void on_deadline(uv_timer_t *timer)
{
    const struct dq_http *http = timer->data;

    for (struct line *l = http->lines; l; l = l->next)
        if (l->looks >= 0 && ++l->looks > LOOKS)
            shutdown(l->fd, SHUT_RDWR);
}

static struct line *line_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info ? info->socket_context : NULL;
}

static void begin_line(struct dq_http *http, struct MHD_Connection *connection,
                       void **memory)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct line *l = dq_new(sizeof *l);

    l->fd = info ? info->connect_fd : -1;
    l->next = http->lines;
    l->here = &http->lines;
    if (l->next)
        l->next->here = &l->next;
    else
        uv_timer_start(&http->deadline, on_deadline, LOOK_MS, LOOK_MS);
    http->lines = l;
    *memory = l;
}

static void end_line(struct dq_http *http, struct line *l)
{
    *l->here = l->next;
    if (l->next)
        l->next->here = l->here;
    free(l);
    http->ended = 1;
    if (!http->lines && http->handles)
        uv_timer_stop(&http->deadline);
}

static void on_connection(void *context, struct MHD_Connection *connection,
                          void **memory,
                          enum MHD_ConnectionNotificationCode what)
{
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        begin_line(context, connection, memory);
    else if (*memory)
        end_line(context, *memory);
}

/* ---- answering -----------------------------------------------------------*/

const char *dq_http_query(const struct dq_http_request *request,
                          const char *key)
{
    const char *value = NULL;
    size_t bytes = 0;

    if (MHD_lookup_connection_value_n(request->connection,
                                      MHD_GET_ARGUMENT_KIND, key, strlen(key),
                                      &value, &bytes) != MHD_YES)
        return NULL;
    return value ? value : "";
}

static enum MHD_Result send_answer(struct MHD_Connection *connection,
                                   struct dq_http_answer *answer)
{
    char *text = answer->text ? answer->text : dq_strdup("");
    struct MHD_Response *response = MHD_create_response_from_buffer(
        strlen(text), text, MHD_RESPMEM_MUST_FREE);
    enum MHD_Result result;

    if (!response) {
        free(text);
        return MHD_NO;
    }
    MHD_add_response_header(response, "Content-Type", answer->type);
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "Cache-Control", "no-store");
    if (answer->allow)
        MHD_add_response_header(response, "Allow", answer->allow);
    result = MHD_queue_response(connection, (unsigned)answer->status, response);
    MHD_destroy_response(response);
    return result;
}

static int take_peer(struct MHD_Connection *connection,
                     struct dq_http_request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct ucred peer = {0};
    socklen_t size = sizeof peer;

    if (!info || getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &peer,
                            &size) != 0)
        return -1;
    request->uid = peer.uid;
    request->pid = peer.pid;
    return 0;
}

static enum MHD_Result answer(struct dq_http *http,
                              struct MHD_Connection *connection,
                              const char *url, const char *method,
                              const struct incoming *in)
{
    struct dq_http_request request = {.method = method,
                                      .path = url,
                                      .body =
                                          in->body.data ? in->body.data : "",
                                      .body_bytes = in->body.count,
                                      .connection = connection};
    struct dq_http_answer answer = {.status = 413, .type = "application/json"};

    if (take_peer(connection, &request))
        return MHD_NO;
    if (in->too_big)
        answer.text = dq_strdup("{\"error\":{\"code\":\"USAGE\",\"message\":"
                                "\"the body is larger than 4 MiB\"}}\n");
    else
        http->handler(http->context, &request, &answer);
    return send_answer(connection, &answer);
}

/* Called first with nothing, then with each piece of the body, then without
 * one. What is too big is read to its end, and thrown away: an answer before
 * that would be lost. */
static enum MHD_Result on_request(void *context,
                                  struct MHD_Connection *connection,
                                  const char *url, const char *method,
                                  const char *version, const char *data,
                                  size_t *bytes, void **memory)
{
    struct incoming *in = *memory;
    struct line *line = line_of(connection);

    (void)version;
    if (!in) {
        *memory = dq_new(sizeof *in);
        return MHD_YES;
    }
    if (*bytes == 0 && line)
        line->looks = -1;
    if (*bytes == 0)
        return answer(context, connection, url, method, in);
    in->too_big |= in->body.count + *bytes > DQ_HTTP_BODY;
    if (in->too_big)
        dq_bytes_free(&in->body);
    else
        dq_bytes_add(&in->body, data, *bytes);
    *bytes = 0;
    return MHD_YES;
}

static void on_completed(void *context, struct MHD_Connection *connection,
                         void **memory, enum MHD_RequestTerminationCode why)
{
    struct incoming *in = *memory;
    struct line *line = line_of(connection);

    (void)context;
    (void)why;
    if (line)
        line->looks = 0; /* at its next one */
    if (in)
        dq_bytes_free(&in->body);
    free(in);
    *memory = NULL;
}

/* ---- the loop ------------------------------------------------------------*/

static void on_timer(uv_timer_t *timer);

static void run(struct dq_http *http)
{
    MHD_UNSIGNED_LONG_LONG timeout = 0;

    do { /* one that has closed may make room for one that waits */
        http->ended = 0;
        MHD_run(http->mhd);
    } while (http->ended);
    if (MHD_get_timeout(http->mhd, &timeout) == MHD_YES)
        uv_timer_start(&http->timer, on_timer, timeout, 0);
    else
        uv_timer_stop(&http->timer);
}

static void on_timer(uv_timer_t *timer)
{
    run(timer->data);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    run(poll->data);
}

/* ---- the socket ----------------------------------------------------------*/

static int address_of(const char *path, struct sockaddr_un *address,
                      struct dq_err *err)
{
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (strlen(path) >= sizeof address->sun_path)
        return dq_fail(err, DQ_CONFIG,
                       "%s: too long for a socket's path (%zu bytes at most): "
                       "set --socket and DEPTHQ_SOCKET",
                       path, sizeof address->sun_path - 1);
    memcpy(address->sun_path, path, strlen(path) + 1);
    return DQ_OK;
}

/* A socket that nobody listens on is a dead daemon's. One that we may not
 * ask, or that is too busy to answer, may be a living one's. */
static int remove_dead(const struct sockaddr_un *address, struct dq_err *err)
{
    const char *path = address->sun_path;
    struct stat st;
    int fd, why = 0;

    if (lstat(path, &st) != 0)
        return DQ_OK;
    if (!S_ISSOCK(st.st_mode))
        return dq_fail(err, DQ_CREATE, "%s is in the way and no socket", path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 ||
        connect(fd, (const struct sockaddr *)address, sizeof *address) != 0)
        why = errno;
    if (fd >= 0)
        close(fd);
    if (why == 0 || why == EAGAIN)
        return dq_fail(err, DQ_BUSY, "a daemon answers on %s already", path);
    if (why != ECONNREFUSED)
        return dq_fail_errno(err, dq_code_of_write_errno(why), why,
                             "%s: another daemon's socket?", path);
    unlink(path);
    return DQ_OK;
}

static void make_folder(const char *path)
{
    char *folder = dq_path_folder(path);

    mkdir(folder, 0750);
    free(folder);
}

static int listen_on(const char *path, struct dq_err *err)
{
    struct sockaddr_un address;
    mode_t mask;
    int fd, bound;

    make_folder(path);
    if (address_of(path, &address, err) || remove_dead(&address, err))
        return -1;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mask = umask(0117);
    bound =
        fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
    umask(mask);
    if (bound && listen(fd, BACKLOG) == 0)
        return fd;
    dq_fail_errno(err, dq_code_of_write_errno(errno), errno, "%s", path);
    if (fd >= 0)
        close(fd);
    return -1;
}

/* ---- open and close ------------------------------------------------------*/

static struct MHD_Daemon *start(struct dq_http *http, int fd)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL, 0, NULL, NULL, on_request, http,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)SILENCE_S, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, http, MHD_OPTION_END);
}

struct dq_http *dq_http_open(uv_loop_t *loop, const char *path,
                             dq_http_handler *handler, void *context,
                             struct dq_err *err)
{
    struct dq_http *http = dq_new(sizeof *http);
    int fd = listen_on(path, err);

    http->handler = handler;
    http->context = context;
    http->path = dq_strdup(path);
    http->mhd = fd < 0 ? NULL : start(http, fd);
    if (!http->mhd) {
        if (fd >= 0) {
            dq_fail(err, DQ_CONFIG, "libmicrohttpd does not start");
            close(fd);
        }
        free(http->path);
        free(http);
        return NULL;
    }
    uv_poll_init(
        loop, &http->poll,
        MHD_get_daemon_info(http->mhd, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd);
    uv_timer_init(loop, &http->timer);
    uv_timer_init(loop, &http->deadline);
    http->poll.data = http->timer.data = http->deadline.data = http;
    http->handles = 3;
    uv_poll_start(&http->poll, UV_READABLE, on_poll);
    return http;
}

static void on_closed(uv_handle_t *handle)
{
    struct dq_http *http = handle->data;

    if (--http->handles)
        return;
    MHD_stop_daemon(http->mhd);
    free(http->path);
    free(http);
}

void dq_http_close(struct dq_http *http)
{
    if (!http)
        return;
    unlink(http->path);
    uv_poll_stop(&http->poll);
    uv_close((uv_handle_t *)&http->poll, on_closed);
    uv_close((uv_handle_t *)&http->timer, on_closed);
    uv_close((uv_handle_t *)&http->deadline, on_closed);
}
