/* http: HTTP/1.1 on a Unix socket, on the daemon's libuv loop.
 *
 * libmicrohttpd polled from outside: no thread of its own. A request is
 * answered when it is here in full; who asks is the peer's uid. Bodies are at
 * most DQ_HTTP_BODY bytes; a connection without a word for ten seconds, or
 * without a whole request, is closed. One thread: the loop's.
 */
#ifndef DQ_DAEMON_HTTP_H
#define DQ_DAEMON_HTTP_H

#include <stddef.h>
#include <stdint.h>
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
    int64_t uid, pid; /* of the peer */
    void *connection; /* for dq_http_query */
};

/* A query parameter's value, "" when it has none, NULL when it is not
 * there. Lent. */
const char *dq_http_query(const struct dq_http_request *request,
                          const char *key);

struct dq_http_answer {
    int status;
    char *text;        /* the body; http frees it */
    const char *type;  /* its Content-Type; static */
    const char *allow; /* for 405: the methods; static, or NULL */
};

typedef void dq_http_handler(void *context,
                             const struct dq_http_request *request,
                             struct dq_http_answer *answer);

struct dq_http;

/* Listen on a socket at path, mode 0660, whose folder is made (0750) when it
 * is not there; a dead socket in the way is replaced. NULL: DQ_BUSY somebody
 * answers there already; DQ_CREATE, DQ_DENIED, DQ_CONFIG (too long). */
struct dq_http *dq_http_open(uv_loop_t *loop, const char *path,
                             dq_http_handler *handler, void *context,
                             struct dq_err *err);
/* Close all connections and remove the socket. The memory goes when the loop
 * has run once more. NULL is fine. */
void dq_http_close(struct dq_http *http);

#ifdef __cplusplus
}
#endif
#endif
