/* Connections, and those that take too long. A byte now and then keeps the
 * silence short, and would keep a place for ever. Looks are counted, not time:
 * when we were slow ourselves, nobody pays for it. */
#include <stdlib.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "daemon/http_private.h"

enum {
    LOOK_MS = 1000,
    LOOKS = 10, /* at a request that is not here in full, before it is cut */
    A_LOOK = 64 << 10 /* bytes of an answer that give it one look more */
};

int dq_line_socket(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

    return info ? info->connect_fd : -1;
}

struct dq_line *dq_line_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info ? info->socket_context : NULL;
}

void dq_line_asks(struct dq_line *line)
{
    line->looks = 0;
    line->most = LOOKS;
}

void dq_line_hears(struct dq_line *line, size_t bytes)
{
    line->looks = 0;
    line->most = LOOKS + (int)(bytes / A_LOOK);
}

void dq_line_waits(struct dq_line *line)
{
    line->looks = -1;
}

/* The library closes what we have shut. */
static void on_deadline(uv_timer_t *timer)
{
    struct dq_http *http = timer->data;

    for (struct dq_line *l = http->lines; l; l = l->next)
        if (l->looks >= 0 && ++l->looks > l->most)
            shutdown(l->fd, SHUT_RDWR);
    dq_flow_look(http);
}

static void begin(struct dq_http *http, struct MHD_Connection *connection,
                  void **memory)
{
    struct dq_line *l = dq_new(sizeof *l);

    l->fd = dq_line_socket(connection);
    dq_line_asks(l);
    l->next = http->lines;
    l->here = &http->lines;
    if (l->next)
        l->next->here = &l->next;
    else
        uv_timer_start(&http->deadline, on_deadline, LOOK_MS, LOOK_MS);
    http->lines = l;
    *memory = l;
}

static void end(struct dq_http *http, struct dq_line *l)
{
    *l->here = l->next;
    if (l->next)
        l->next->here = l->here;
    free(l);
    http->ended = 1;
    if (!http->lines && http->handles)
        uv_timer_stop(&http->deadline);
}

void dq_line_notify(void *context, struct MHD_Connection *connection,
                    void **memory, enum MHD_ConnectionNotificationCode what)
{
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        begin(context, connection, memory);
    else if (*memory)
        end(context, *memory);
}
