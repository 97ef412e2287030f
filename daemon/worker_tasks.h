/* worker_tasks: what a worker does with the tasks that it is told of, and what
 * it says of them. Main thread, but for dq_worker_send.
 */
#ifndef DQ_DAEMON_WORKER_TASKS_H
#define DQ_DAEMON_WORKER_TASKS_H

#include <pthread.h>
#include "daemon/wire.h"
#include "daemon/worker_args.h"
#include "infer/pipeline.h"

struct dq_known_job;

struct dq_worker {
    int fd;
    pthread_mutex_t sending; /* lines of several threads must not mix */
    struct dq_pipeline *pipeline;
    struct dq_known_job *jobs;
    const char *id; /* in names of temps: which worker of which run */
    int failed;     /* --one: what the exit status says */
};

/* How many tasks it takes at once. */
int dq_worker_credit(void);

/* The pipeline that does a worker's tasks and says through it how they went. */
struct dq_pipeline_rule dq_worker_rule(struct dq_worker *w,
                                       const struct dq_worker_args *args,
                                       const struct dq_device *device);

/* Say a line (daemon/wire.h), which is freed. Any thread. Does not return when
 * nobody listens. */
void dq_worker_send(struct dq_worker *w, char *line);

/* Learn of a job; told twice, the first stands. Why it cannot be done is said
 * of its tasks. */
void dq_worker_learn(struct dq_worker *w, const struct dq_wire_job *job);
/* None of its tasks is with us: the supervisor sees to that. */
void dq_worker_forget(struct dq_worker *w, int64_t job);
void dq_worker_forget_all(struct dq_worker *w);
/* The recipe of a job that was learnt; NULL: it has none. Lent. */
const struct dq_recipe *dq_worker_recipe(const struct dq_worker *w,
                                         int64_t job);

void dq_worker_do(struct dq_worker *w, const struct dq_task *task);
/* It is wanted no more. */
void dq_worker_drop(struct dq_worker *w, const struct dq_task *task);

#endif
