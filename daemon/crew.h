/* crew: the daemon's workers. It runs a supervisor over the store, makes what
 * was decided durable before it is acted on, remembers of each worker how it
 * fares, and tries devices again after all were given up. One thread: the
 * loop's.
 */
#ifndef DQ_DAEMON_CREW_H
#define DQ_DAEMON_CREW_H

#include <jansson.h>
#include <uv.h>
#include "daemon/options.h"
#include "jobs/store.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dq_crew;

struct dq_crew_rule {
    uv_loop_t *loop;
    struct dq_store *store;
    const struct dq_daemon_options *options; /* devices, threads, times; lent */
    const char *program;                     /* the worker's path; lent */
    const char *run_id;                      /* lent */
    void *context;
    /* The store cannot commit. Does not return. */
    void (*broken)(void *context, const struct dq_err *err);
    void (*gone)(void *context); /* once after a stop: no process is left */
};

/* Nothing runs yet. */
struct dq_crew *dq_crew_new(const struct dq_crew_rule *rule);
void dq_crew_start(struct dq_crew *crew);

/* Stop: frames in hand are finished, within grace_ms. Again: it hurries. gone
 * follows, maybe at once. */
void dq_crew_stop(struct dq_crew *crew, int64_t grace_ms);

/* After gone, or of one that never started. The memory goes when the loop has
 * run once more. */
void dq_crew_close(struct dq_crew *crew);

/* The store has something new; a job's tasks are wanted no more. */
void dq_crew_wake(struct dq_crew *crew);
void dq_crew_drop(struct dq_crew *crew, int64_t job);

/* Somebody wants a worker (from 1 on) to end, or to work again. 0: there is
 * no such worker. */
int dq_crew_drain(struct dq_crew *crew, const struct dq_who *who,
                  int64_t worker, int drain);

/* All workers, as schemas/openapi.yaml has them. A new array. */
json_t *dq_crew_json(const struct dq_crew *crew);

#ifdef __cplusplus
}
#endif
#endif
