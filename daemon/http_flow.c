/* Answers without an end. The library asks for bytes when the last ones have
 * left; while there are none, the connection is put aside. */
#include <poll.h>
#include <stdlib.h>

#include "base/mem.h"
#include "daemon/http_private.h"

enum { BLOCK = 16 << 10 };

struct dq_flow {
    struct dq_flow *next, **here;
    struct MHD_Connection *connection;
    struct dq_http_stream stream;
    int aside; /* put aside, until there is something */
    int over;
};

static void go_on(struct dq_flow *f)
{
    if (!f->aside)
        return;
    f->aside = 0;
    MHD_resume_connection(f->connection);
}

/* The library's question; called again when it has sent what it got. */
static ssize_t on_read(void *context, uint64_t at, char *buffer, size_t room)
{
    struct dq_flow *f = context;
    struct dq_line *line = dq_line_of(f->connection);
    size_t bytes;

    (void)at;
    if (f->over)
        return MHD_CONTENT_READER_END_OF_STREAM;
    bytes = f->stream.read(f->stream.context, buffer, room);
    if (bytes && line)
        dq_line_hears(line, bytes);
    if (bytes)
        return (ssize_t)bytes;
    if (line)
        dq_line_waits(line);
    f->aside = 1;
    MHD_suspend_connection(f->connection);
    return 0;
}

static void on_free(void *context)
{
    struct dq_flow *f = context;

    *f->here = f->next;
    if (f->next)
        f->next->here = f->here;
    f->stream.close(f->stream.context);
    free(f);
}

struct MHD_Response *dq_flow_response(struct dq_http *http,
                                      struct MHD_Connection *connection,
                                      const struct dq_http_stream *stream)
{
    struct dq_flow *f = dq_new(sizeof *f);
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, BLOCK, on_read, f, on_free);

    f->connection = connection;
    f->stream = *stream;
    if (!response) {
        stream->close(stream->context);
        free(f);
        return NULL;
    }
    f->next = http->flows;
    f->here = &http->flows;
    if (f->next)
        f->next->here = &f->next;
    http->flows = f;
    return response;
}

void dq_http_wake(struct dq_http *http)
{
    if (!http || !http->flows)
        return;
    for (struct dq_flow *f = http->flows; f; f = f->next)
        go_on(f);
    dq_http_run(http);
}

/* A connection that is aside is not looked at by the library. */
void dq_flow_look(struct dq_http *http)
{
    int gone = 0;

    for (struct dq_flow *f = http->flows; f; f = f->next) {
        struct pollfd at = {.fd = dq_line_socket(f->connection)};

        if (!f->aside || poll(&at, 1, 0) <= 0)
            continue;
        f->over = gone = 1;
        go_on(f);
    }
    if (gone)
        dq_http_run(http);
}

void dq_flow_end_all(struct dq_http *http)
{
    for (struct dq_flow *f = http->flows; f; f = f->next) {
        f->over = 1;
        go_on(f);
    }
}
