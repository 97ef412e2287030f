/* supervise: workers as processes on a libuv loop, driven by a dispatcher.
 *
 * It starts workers, passes tasks and results between them and the
 * dispatcher, kills what the dispatcher gives up, and tells of every end. A
 * worker's tasks are given to others only after it has been reaped. One
 * thread: the loop's. Callbacks must not free the supervisor; each but
 * job_line may be NULL.
 */
#ifndef DQ_DAEMON_SUPERVISE_H
#define DQ_DAEMON_SUPERVISE_H

#include <stddef.h>
#include <uv.h>
#include "daemon/dispatch.h"
#include "daemon/obituary.h"
#include "daemon/wire.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dq_supervise_rule {
    struct dq_dispatch_rule dispatch;
    uv_loop_t *loop;
    const char *program;        /* the worker's path; lent */
    const char *const *devices; /* --device of each worker; lent */
    int threads;                /* --threads; 0: not said */
    size_t memory;              /* --memory; 0: not said */
    const char *run_id;         /* lent */
    void *context;
    /* The line (daemon/wire.h) that tells a worker about a job; given away. */
    char *(*job_line)(void *context, int64_t job);
    /* Decisions are made; they are acted on when this has returned. */
    void (*decided)(void *context);
    void (*started)(void *context, int worker, int pid);
    void (*hello)(void *context, int worker, const struct dq_wire_hello *hello);
    void (*note)(void *context, int worker, const char *text);
    void (*words)(void *context, int worker, const char *line);
    void (*obituary)(void *context, const struct dq_obituary *obituary);
    void (*over)(void *context); /* once; no process is left */
};

struct dq_supervisor;

/* Start. Never NULL; workers start when the loop runs. SIGPIPE is ignored
 * from now on. */
struct dq_supervisor *dq_supervisor_new(const struct dq_supervise_rule *rule);

/* Stop: claim nothing more, give what is in hand grace_ms, then kill. A
 * second call with less hurries. over follows. */
void dq_supervisor_stop(struct dq_supervisor *s, int64_t grace_ms);

/* The source has something new. */
void dq_supervisor_wake(struct dq_supervisor *s);

/* A worker gets nothing more, or is wanted again: see daemon/dispatch.h. */
void dq_supervisor_drain(struct dq_supervisor *s, int worker, int drain);

/* A job's tasks are wanted no more; it is over: see daemon/dispatch.h. */
void dq_supervisor_drop(struct dq_supervisor *s, int64_t job);
void dq_supervisor_forget(struct dq_supervisor *s, int64_t job);

/* What its workers hold. Lent. */
const struct dq_dispatch *dq_supervisor_dispatch(const struct dq_supervisor *s);

/* Whether every device was given up; err receives why. */
int dq_supervisor_stuck(const struct dq_supervisor *s, struct dq_err *err);

/* Close what is open; only after over. The memory goes when the loop has run
 * once more. NULL is fine. */
void dq_supervisor_close(struct dq_supervisor *s);

#ifdef __cplusplus
}
#endif
#endif
