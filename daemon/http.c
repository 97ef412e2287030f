#include "daemon/http.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "daemon/http_private.h"

enum { SILENCE_S = 10, CONNECTIONS = 1024 };

/* What has come of a request so far. */
struct incoming {
    struct dq_bytes body;
    int too_big;
    int unwanted; /* its body is thrown away */
};

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

const char *dq_http_header(const struct dq_http_request *request,
                           const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND,
                                       name);
}

/* A body that is all here. */
static struct MHD_Response *whole_response(struct MHD_Connection *connection,
                                           const struct dq_http_answer *answer)
{
    char *text = answer->text ? answer->text : dq_strdup("");
    size_t bytes = strlen(text);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(bytes, text, MHD_RESPMEM_MUST_FREE);
    struct dq_line *line = dq_line_of(connection);

    if (line)
        dq_line_hears(line, bytes);
    if (!response)
        free(text);
    return response;
}

static enum MHD_Result send_answer(struct dq_http *http,
                                   struct MHD_Connection *connection,
                                   const struct dq_http_answer *answer)
{
    struct MHD_Response *response =
        answer->stream.read
            ? dq_flow_response(http, connection, &answer->stream)
            : whole_response(connection, answer);
    enum MHD_Result result;

    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, "Content-Type", answer->type);
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "Cache-Control", "no-store");
    if (answer->status == 401)
        MHD_add_response_header(response, "WWW-Authenticate", "Bearer");
    if (answer->allow)
        MHD_add_response_header(response, "Allow", answer->allow);
    result = MHD_queue_response(connection, (unsigned)answer->status, response);
    MHD_destroy_response(response);
    return result;
}

static int credentials(struct MHD_Connection *connection, struct ucred *peer)
{
    socklen_t size = sizeof *peer;

    return getsockopt(dq_line_socket(connection), SOL_SOCKET, SO_PEERCRED, peer,
                      &size);
}

static int take_peer(const struct dq_http *http,
                     struct dq_http_request *request)
{
    struct ucred peer = {0};

    request->is_remote = http->path == NULL;
    request->uid = request->pid = -1;
    if (request->is_remote)
        return 0;
    if (credentials(request->connection, &peer) != 0)
        return -1;
    request->uid = peer.uid;
    request->pid = peer.pid;
    return 0;
}

gid_t *dq_http_groups(const struct dq_http_request *request, size_t *count)
{
    const int fd = dq_line_socket(request->connection);
    socklen_t size = 0;
    struct ucred peer = {0};
    gid_t *groups;

    *count = 0;
    if (request->is_remote || credentials(request->connection, &peer) != 0)
        return NULL;
    getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size); /* how many */
    groups = dq_new(size + sizeof *groups);
    if (size && getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) != 0)
        size = 0;
    *count = size / sizeof *groups;
    groups[(*count)++] = peer.gid;
    return groups;
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

    if (take_peer(http, &request))
        return MHD_NO;
    if (in->too_big)
        answer.text = dq_strdup("{\"error\":{\"code\":\"USAGE\",\"message\":"
                                "\"the body is larger than 4 MiB\"}}\n");
    else
        http->handler(http->context, &request, &answer);
    return send_answer(http, connection, &answer);
}

static struct incoming *begin_request(const struct dq_http *http,
                                      struct MHD_Connection *connection,
                                      const char *url, const char *method)
{
    struct dq_http_request request = {.method = method,
                                      .path = url,
                                      .body = "",
                                      .connection = connection,
                                      .is_remote = 1};
    struct incoming *in = dq_new(sizeof *in);

    in->unwanted = http->admit && !http->admit(http->context, &request);
    return in;
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

    (void)version;
    if (!in) {
        *memory = begin_request(context, connection, url, method);
        return MHD_YES;
    }
    if (*bytes == 0)
        return answer(context, connection, url, method, in);
    in->too_big |= in->body.count + *bytes > DQ_HTTP_BODY;
    if (in->too_big)
        dq_bytes_free(&in->body);
    else if (!in->unwanted)
        dq_bytes_add(&in->body, data, *bytes);
    *bytes = 0;
    return MHD_YES;
}

static void on_completed(void *context, struct MHD_Connection *connection,
                         void **memory, enum MHD_RequestTerminationCode why)
{
    struct incoming *in = *memory;
    struct dq_line *line = dq_line_of(connection);

    (void)context;
    (void)why;
    if (line)
        dq_line_asks(line); /* its next one */
    if (in)
        dq_bytes_free(&in->body);
    free(in);
    *memory = NULL;
}

/* ---- the loop ------------------------------------------------------------*/

static void on_timer(uv_timer_t *timer);

void dq_http_run(struct dq_http *http)
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
    dq_http_run(timer->data);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    dq_http_run(poll->data);
}

/* ---- open and close ------------------------------------------------------*/

static struct MHD_Daemon *start(struct dq_http *http, int fd)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request,
        http, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)SILENCE_S, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
        MHD_OPTION_NOTIFY_CONNECTION, dq_line_notify, http, MHD_OPTION_END);
}

/* fd is taken over, or an error that was told. */
static struct dq_http *open_on(uv_loop_t *loop, int fd, const char *path,
                               dq_http_handler *handler, void *context,
                               struct dq_err *err)
{
    struct dq_http *http;

    if (fd < 0)
        return NULL;
    http = dq_new(sizeof *http);
    http->handler = handler;
    http->context = context;
    http->path = dq_strdup(path);
    http->mhd = start(http, fd);
    if (!http->mhd) {
        dq_fail(err, DQ_CONFIG, "libmicrohttpd does not start");
        close(fd);
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

struct dq_http *dq_http_open(uv_loop_t *loop, const char *path,
                             dq_http_handler *handler, void *context,
                             struct dq_err *err)
{
    return open_on(loop, dq_socket_listen(path, err), path, handler, context,
                   err);
}

struct dq_http *dq_http_open_remote(uv_loop_t *loop,
                                    const struct dq_http_remote *remote,
                                    dq_http_handler *handler, void *context,
                                    struct dq_err *err)
{
    struct dq_http *http = open_on(loop, dq_socket_listen_remote(remote, err),
                                   NULL, handler, context, err);

    if (http)
        http->admit = remote->admit;
    return http;
}

static void on_closed(uv_handle_t *handle)
{
    struct dq_http *http = handle->data;

    if (--http->handles)
        return;
    dq_flow_end_all(http);
    MHD_stop_daemon(http->mhd);
    free(http->path);
    free(http);
}

void dq_http_close(struct dq_http *http)
{
    if (!http)
        return;
    if (http->path)
        unlink(http->path);
    uv_poll_stop(&http->poll);
    uv_close((uv_handle_t *)&http->poll, on_closed);
    uv_close((uv_handle_t *)&http->timer, on_closed);
    uv_close((uv_handle_t *)&http->deadline, on_closed);
}
