/* http_private: what the pieces of the HTTP server share. */
#ifndef DQ_DAEMON_HTTP_PRIVATE_H
#define DQ_DAEMON_HTTP_PRIVATE_H

#include <microhttpd.h>
#include <sys/socket.h>
#include "daemon/http.h"

struct dq_http {
    struct MHD_Daemon *mhd;
    dq_http_handler *handler;
    dq_http_admit *admit; /* of TCP */
    void *context;
    char *path; /* of the socket; NULL: it is TCP */
    uv_poll_t poll;
    uv_timer_t timer, deadline;
    int handles; /* open */
    struct dq_line *lines;
    struct dq_flow *flows;
    int ended; /* a connection has, since this was asked last */
};

/* ---- http_line.c: connections, and those that take too long --------------*/

/* A connection, while it is there. */
struct dq_line {
    struct dq_line *next, **here;
    int fd;
    int looks; /* at what goes on so far; -1: it waits for us */
    int most;  /* looks until it is cut */
};

int dq_line_socket(struct MHD_Connection *connection); /* -1: none */
struct dq_line *dq_line_of(struct MHD_Connection *connection);
/* libmicrohttpd's word that one has come or gone; context is the dq_http. */
void dq_line_notify(void *context, struct MHD_Connection *connection,
                    void **memory, enum MHD_ConnectionNotificationCode what);
/* Patience begins anew: with a request, and with an answer of so many bytes. */
void dq_line_asks(struct dq_line *line);
void dq_line_hears(struct dq_line *line, size_t bytes);
/* It waits for something of ours, for as long as that takes. */
void dq_line_waits(struct dq_line *line);

/* ---- http_flow.c: answers without an end ---------------------------------*/

/* An answer whose body comes from a stream; it takes over the stream. */
struct MHD_Response *dq_flow_response(struct dq_http *http,
                                      struct MHD_Connection *connection,
                                      const struct dq_http_stream *stream);
/* Nobody hears those any more whose other end is gone: they end. */
void dq_flow_look(struct dq_http *http);
void dq_flow_end_all(struct dq_http *http);

/* ---- http_socket.c: where to listen --------------------------------------*/

/* A listening socket, or -1: as dq_http_open. */
int dq_socket_listen(const char *path, struct dq_err *err);
/* The same of TCP: as dq_http_open_remote. */
int dq_socket_listen_remote(const struct dq_http_remote *remote,
                            struct dq_err *err);

/* ---- http.c --------------------------------------------------------------*/

/* Let the library do what there is to do. */
void dq_http_run(struct dq_http *http);

#endif
