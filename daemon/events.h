/* events: what happens in the queue, told as it happens (server-sent events).
 *
 * A listener has no list of what it still has to hear, only the id of the last
 * event that it heard: the rest is in the database. The newest events are kept
 * as text, so that many listeners cost little more than one. However slow one
 * is, it holds a page (16 KiB) of text. Only what is durable is told. One
 * thread: the loop's.
 */
#ifndef DQ_DAEMON_EVENTS_H
#define DQ_DAEMON_EVENTS_H

#include <uv.h>
#include "daemon/http.h"
#include "jobs/store.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { DQ_LISTENERS = 200, DQ_LISTENERS_EACH = 50 };

struct dq_events;

/* Who must know. */
struct dq_events_rule {
    uv_loop_t *loop;
    struct dq_store *store;
    uint64_t tick_ms; /* between looks; 0: a tenth of a second */
    void *context;
    void (*wake)(void *context); /* listeners may have something to read */
    /* The store cannot commit. Does not return. */
    void (*broken)(void *context, const struct dq_err *err);
};

struct dq_events *dq_events_new(const struct dq_events_rule *rule);
/* Stop looking; then, when the loop has run once more and no listener is
 * left, free. NULL is fine. */
void dq_events_stop(struct dq_events *e);
void dq_events_free(struct dq_events *e);

/* Listen as user uid: to one job or (0) to all, from the event after `after`
 * on; -1: from now on. DQ_LIMIT: too many listen already. */
int dq_events_listen(struct dq_events *e, int64_t uid, int64_t job,
                     int64_t after, struct dq_http_stream *stream,
                     struct dq_err *err);

#ifdef __cplusplus
}
#endif
#endif
