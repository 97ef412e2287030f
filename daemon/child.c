#include "daemon/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "daemon/child_environment.h"
#include "daemon/child_words.h"
#include "daemon/wire.h"

struct dq_child {
    struct dq_child_rule rule;
    uv_process_t process;
    uv_pipe_t wire, printed;
    int handles; /* open ones; the last to close frees all */
    int over;    /* gone has been called */
    struct dq_bytes received;
    struct dq_words words;
    struct dq_child_end end;
    char broken[512];
    char buffer[65536];
};

/* ---- what it says --------------------------------------------------------*/

void dq_child_kill(struct dq_child *child)
{
    if (!child->over)
        uv_process_kill(&child->process, SIGKILL);
}

void dq_child_break(struct dq_child *child, const char *why)
{
    if (!child->broken[0])
        snprintf(child->broken, sizeof child->broken, "%s", why);
    dq_child_kill(child);
}

static void take_messages(struct dq_child *child, const char *data,
                          size_t count)
{
    struct dq_err err = {0};
    json_t *message;

    if (child->broken[0])
        return;
    dq_bytes_add(&child->received, data, count);
    while (!child->broken[0] &&
           (message = dq_wire_next(&child->received, &err))) {
        child->rule.message(child->rule.context, message);
        json_decref(message);
    }
    if (err.code)
        dq_child_break(child, err.text);
}

static void tell_words(void *context, const char *line)
{
    const struct dq_child *child = context;

    if (child->rule.words)
        child->rule.words(child->rule.context, line);
}

static void take_words(struct dq_child *child, const char *data, size_t count)
{
    dq_words_add(&child->words, data, count, tell_words, child);
}

/* ---- reading -------------------------------------------------------------*/

static void lend_buffer(uv_handle_t *handle, size_t size, uv_buf_t *buffer)
{
    struct dq_child *child = handle->data;

    (void)size;
    *buffer = uv_buf_init(child->buffer, sizeof child->buffer);
}

static void on_wire(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct dq_child *child = stream->data;

    if (count > 0)
        take_messages(child, buffer->base, (size_t)count);
    if (count >= 0)
        return;
    uv_read_stop(stream);
    child->rule.closing(child->rule.context);
    /* Nobody to talk to. A process on its way out keeps its own status. */
    dq_child_kill(child);
}

static void on_printed(uv_stream_t *stream, ssize_t count,
                       const uv_buf_t *buffer)
{
    struct dq_child *child = stream->data;

    if (count > 0)
        take_words(child, buffer->base, (size_t)count);
    else if (count < 0)
        uv_read_stop(stream);
}

/* What lies in the pipe of a process that is dead; its own children may hold
 * the other end, so the end of file may never come. */
static void read_rest(struct dq_child *child, uv_pipe_t *pipe,
                      void (*take)(struct dq_child *child, const char *data,
                                   size_t count))
{
    uv_os_fd_t fd;
    ssize_t n;

    uv_read_stop((uv_stream_t *)pipe);
    if (uv_fileno((uv_handle_t *)pipe, &fd))
        return;
    do {
        n = read(fd, child->buffer, sizeof child->buffer);
        if (n > 0)
            take(child, child->buffer, (size_t)n);
    } while (n > 0 || (n < 0 && errno == EINTR));
}

/* ---- the end -------------------------------------------------------------*/

static void on_close(uv_handle_t *handle)
{
    struct dq_child *child = handle->data;

    if (--child->handles > 0)
        return;
    dq_bytes_free(&child->received);
    free(child);
}

static void close_handles(struct dq_child *child)
{
    child->over = 1;
    uv_close((uv_handle_t *)&child->wire, on_close);
    uv_close((uv_handle_t *)&child->printed, on_close);
    uv_close((uv_handle_t *)&child->process, on_close);
}

static void on_exit_of(uv_process_t *process, int64_t status, int term_signal)
{
    struct dq_child *child = process->data;
    char last[1024];

    child->end.signal = term_signal;
    child->end.status = (int)status;
    read_rest(child, &child->wire, take_messages);
    read_rest(child, &child->printed, take_words);
    dq_words_end(&child->words, tell_words, child);
    dq_words_last(&child->words, last, sizeof last);
    child->end.words = last;
    child->end.broken = child->broken[0] ? child->broken : NULL;
    child->over = 1;
    child->rule.gone(child->rule.context, &child->end);
    close_handles(child);
}

/* ---- the start -----------------------------------------------------------*/

struct ends {
    int wire[2];    /* [0] ours, [1] the worker's descriptor 3 */
    int printed[2]; /* [0] ours, [1] its output */
};

static void close_pair(int pair[2])
{
    for (int i = 0; i < 2; i++)
        if (pair[i] >= 0)
            close(pair[i]);
}

static int open_ends(struct ends *ends, struct dq_err *err)
{
    ends->printed[0] = ends->printed[1] = -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends->wire))
        return dq_fail_errno(err, DQ_MEMORY, errno,
                             "cannot talk to another worker");
    if (pipe2(ends->printed, O_CLOEXEC)) {
        dq_fail_errno(err, DQ_MEMORY, errno, "cannot hear another worker");
        close_pair(ends->wire);
    }
    return err->code;
}

/* Spawn with the soft limit of core dumps at 0, as the child inherits it:
 * a core of gigabytes on a plate server helps nobody. */
static int spawn(struct dq_child *child, const uv_process_options_t *options)
{
    struct rlimit old, none;
    int known = getrlimit(RLIMIT_CORE, &old) == 0;
    int code;

    if (known) {
        none = old;
        none.rlim_cur = 0;
        setrlimit(RLIMIT_CORE, &none);
    }
    code = uv_spawn(child->rule.loop, &child->process, options);
    if (known)
        setrlimit(RLIMIT_CORE, &old);
    return code;
}

static int execute(struct dq_child *child, const struct ends *ends)
{
    uv_stdio_container_t io[4] = {
        {.flags = UV_IGNORE},
        {.flags = UV_INHERIT_FD, .data.fd = ends->printed[1]},
        {.flags = UV_INHERIT_FD, .data.fd = ends->printed[1]},
        {.flags = UV_INHERIT_FD, .data.fd = ends->wire[1]},
    };
    char **environment = dq_child_environment(child->rule.threads);
    uv_process_options_t options = {.exit_cb = on_exit_of,
                                    .file = child->rule.argv[0],
                                    .args = child->rule.argv,
                                    .env = environment,
                                    .stdio_count = 4,
                                    .stdio = io};
    int code = spawn(child, &options);

    dq_child_environment_free(environment);
    return code;
}

static void open_pipe(struct dq_child *child, uv_pipe_t *pipe, int fd,
                      uv_read_cb on_read)
{
    uv_pipe_init(child->rule.loop, pipe, 0);
    pipe->data = child;
    child->handles++;
    uv_pipe_open(pipe, fd);
    uv_read_start((uv_stream_t *)pipe, lend_buffer, on_read);
}

struct dq_child *dq_child_start(const struct dq_child_rule *rule,
                                struct dq_err *err)
{
    struct dq_child *child;
    struct ends ends;
    int code;

    if (open_ends(&ends, err))
        return NULL;
    child = dq_new(sizeof *child);
    child->rule = *rule;
    child->process.data = child;
    child->handles = 1; /* uv_spawn makes it even when it fails */
    code = execute(child, &ends);
    open_pipe(child, &child->wire, ends.wire[0], on_wire);
    open_pipe(child, &child->printed, ends.printed[0], on_printed);
    close(ends.wire[1]);
    close(ends.printed[1]);
    child->rule.argv = NULL;
    if (code) {
        dq_fail(err,
                code == UV_EAGAIN || code == UV_ENOMEM ? DQ_MEMORY : DQ_CONFIG,
                "%s: cannot be started: %s", rule->argv[0], uv_strerror(code));
        close_handles(child);
        return NULL;
    }
    child->end.pid = child->process.pid;
    return child;
}

/* ---- telling it ----------------------------------------------------------*/

static void on_sent(uv_write_t *request, int status)
{
    (void)status; /* a process that is gone says so itself */
    free(request->data);
    free(request);
}

void dq_child_send(struct dq_child *child, char *line)
{
    uv_buf_t buffer = uv_buf_init(line, (unsigned)strlen(line));
    uv_write_t *request = dq_new(sizeof *request);

    request->data = line;
    if (child->over ||
        uv_write(request, (uv_stream_t *)&child->wire, &buffer, 1, on_sent)) {
        free(line);
        free(request);
    }
}

int dq_child_pid(const struct dq_child *child)
{
    return child->end.pid;
}
