/* client: asks the daemon, over HTTP on its Unix socket or on TCP. It and feed
 * are libcurl's only users: the command itself does not link it. One thread;
 * each question waits for its answer, at most half a minute.
 */
#ifndef DQ_CLI_CLIENT_H
#define DQ_CLI_CLIENT_H

#include <jansson.h>
#include "base/err.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dq_client;

/* Talk to the daemon at socket (from the working folder; NULL: where
 * dq_place_socket says). Nothing is asked yet. NULL: DQ_CONFIG, there is no
 * such place. */
struct dq_client *dq_client_open(const char *socket, struct dq_err *err);
/* Talk to the daemon at server, "farm01:8630", with the token in
 * DEPTHQ_TOKEN_FILE, else in depthq/token below $XDG_CONFIG_HOME (~/.config).
 * NULL: DQ_USAGE, that is no server; what dq_secret_read says of the token. */
struct dq_client *dq_client_open_server(const char *server, struct dq_err *err);
/* Where DEPTHQ_SERVER says, else at the usual socket. */
struct dq_client *dq_client_open_usual(struct dq_err *err);
void dq_client_close(struct dq_client *c); /* NULL is fine */

/* Lent, absolute; NULL of one that asks a server. */
const char *dq_client_socket(const struct dq_client *c);

/* Ask: method and path with its query, body NULL for none. The answer (new
 * reference), or NULL: the daemon's own error, DQ_DENIED without a
 * right to the socket, or DQ_DAEMON with the remedy when it does not answer. */
json_t *dq_client_ask(struct dq_client *c, const char *method, const char *path,
                      const char *body, struct dq_err *err);

/* As dq_client_ask, until seconds have passed without an answer: a daemon
 * that is started again is waited for. Only for what may be said twice. */
json_t *dq_client_insist(struct dq_client *c, const char *method,
                         const char *path, const char *body, int seconds,
                         struct dq_err *err);

/* A CURL handle that asks for path where the client asks, and waits as long as
 * the answer goes on; the caller's, but not to outlive the client. NULL:
 * libcurl has none. */
void *dq_client_stream(const struct dq_client *c, const char *path);

/* Of the last DQ_DAEMON: nobody listened, so nothing was heard. */
int dq_client_unheard(const struct dq_client *c);

/* Of the last question: an answer came, be it an error. */
int dq_client_answered(const struct dq_client *c);

/* What the last answer says is wrong with a job file: [{"line", "column",
 * "text"}], or NULL. Lent until the next question. */
const json_t *dq_client_problems(const struct dq_client *c);

/* All pages of a listing whose page is {"<list>": [...], "next": n or null}:
 * path ends with '?' or '&', and from is the query's word for next. At most
 * `most` items; 0: all. A new array, or NULL. */
json_t *dq_client_list(struct dq_client *c, const char *path, const char *list,
                       const char *from, size_t most, struct dq_err *err);

#ifdef __cplusplus
}
#endif
#endif
