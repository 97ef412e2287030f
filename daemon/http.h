/* http: HTTP/1.1 on a Unix socket or TCP, on the daemon's libuv loop.
 *
 * libmicrohttpd polled from outside: no thread of its own. A request is
 * answered when it is here in full; who asks is the peer's uid, where it has
 * one. Bodies are at
 * most DQ_HTTP_BODY bytes; a connection without a word for ten seconds,
 * without a whole request, or that takes an answer more slowly than 64 KiB a
 * second after that, is closed. One thread: the loop's.
 */
#ifndef DQ_DAEMON_HTTP_H
#define DQ_DAEMON_HTTP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <uv.h>
#include "base/err.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DQ_HTTP_BODY ((size_t)4 << 20)

struct dq_http_request {
    const char *method, *path; /* path without the query */
    const char *body;          /* zero-terminated; "" for none */
    size_t body_bytes;
    int is_remote;    /* over TCP: no uid is known */
    int64_t uid, pid; /* of the peer, else -1 */
    void *connection; /* for dq_http_query, dq_http_groups */
};

/* The peer's groups, its first one among them; the caller frees. NULL when
 * they are not known. */
gid_t *dq_http_groups(const struct dq_http_request *request, size_t *count);

/* A query parameter's value, "" when it has none, NULL when it is not
 * there. Lent. */
const char *dq_http_query(const struct dq_http_request *request,
                          const char *key);

/* A request's header, or NULL. Lent. */
const char *dq_http_header(const struct dq_http_request *request,
                           const char *name);

/* A body without an end. */
struct dq_http_stream {
    /* Write at most room bytes; how many. 0: nothing now, and the asker waits
     * until dq_http_wake. Called when the bytes before have left. */
    size_t (*read)(void *context, char *buffer, size_t room);
    void (*close)(void *context); /* the asker has gone, or was cut */
    void *context;
};

struct dq_http_answer {
    int status;
    char *text;                   /* the body; http frees it */
    struct dq_http_stream stream; /* or this one, with a read */
    const char *type;             /* its Content-Type; static */
    const char *allow;            /* for 405: the methods; static, or NULL */
};

typedef void dq_http_handler(void *context,
                             const struct dq_http_request *request,
                             struct dq_http_answer *answer);

/* Whether a body is worth reading; asked when its head is here. */
typedef int dq_http_admit(void *context, const struct dq_http_request *request);

struct dq_http;

/* Listen on a socket at path, mode 0660, whose folder is made (0750) when it
 * is not there; a dead socket in the way is replaced. NULL: DQ_BUSY somebody
 * answers there already; DQ_CREATE, DQ_DENIED, DQ_CONFIG (too long). */
struct dq_http *dq_http_open(uv_loop_t *loop, const char *path,
                             dq_http_handler *handler, void *context,
                             struct dq_err *err);
/* What listens on TCP. Bodies that are not admitted are thrown away as they
 * come, and the handler sees none. */
struct dq_http_remote {
    const char *name; /* for messages */
    const struct sockaddr *address;
    socklen_t size;
    dq_http_admit *admit;
};

/* The same over TCP. DQ_BUSY: somebody listens there already. */
struct dq_http *dq_http_open_remote(uv_loop_t *loop,
                                    const struct dq_http_remote *remote,
                                    dq_http_handler *handler, void *context,
                                    struct dq_err *err);

/* There may be something in streams that had nothing. NULL is fine. */
void dq_http_wake(struct dq_http *http);
/* Close all connections and remove the socket. The memory goes when the loop
 * has run once more. NULL is fine. */
void dq_http_close(struct dq_http *http);

#ifdef __cplusplus
}
#endif
#endif
