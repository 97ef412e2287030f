/* dispatch: which worker does what, when, and what a failure means.
 *
 * A pure step over somebody's clock: no I/O, no time calls, no processes.
 * Whoever drives it (daemon/supervise.h; a test) tells what happened and
 * then takes actions with dq_dispatch_next until there is none. The source
 * (jobs/source.h) hands out tasks and takes settles.
 *
 * Workers are slots 0..workers-1, each on a device. What a failed task's
 * code means stands in base/errors.def (dq_code_policy):
 *
 *   FAIL_JOB    the task fails, and all of its job that is not in hand
 *   FAIL_FRAME  the task fails
 *   RETRY       again after a pause that doubles, counted; retries used up:
 *               it fails
 *   NEW_WORKER  as RETRY, in a fresh process; what else the old one had is
 *               handed back
 *   BLOCK       again at the next probe, not counted
 *   REQUEUE     handed back when we asked for it, else as RETRY
 *
 * A worker that dies with several tasks at work makes them suspects,
 * uncounted: each runs alone from now on, and one that is alone in a dying
 * worker is counted. Tasks that had not entered a stage are handed back. A
 * device whose workers keep dying without any result between, or before
 * their hello, gets no more workers. One thread; milliseconds of one clock.
 */
#ifndef DQ_DAEMON_DISPATCH_H
#define DQ_DAEMON_DISPATCH_H

#include <stdint.h>
#include "base/err.h"
#include "jobs/source.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dq_dispatch_rule {
    struct dq_source source;
    int workers;
    const int *devices; /* of each worker: 0, 1, ... copied; NULL: all
                         * on device 0 */
    uint64_t seed;      /* of the jitter in pauses */
    int64_t pause_ms;   /* after a task's first failure; doubles */
    int64_t pause_most_ms;
    int64_t probe_ms;   /* how often full storage is looked at again */
    int64_t restart_ms; /* before a dead worker's successor; doubles */
    int64_t restart_most_ms;
    int64_t hello_limit_ms;   /* from start to hello */
    int64_t first_limit_ms;   /* silence before a worker's first result */
    int64_t stage_limit_ms;   /* silence after it */
    int64_t drain_limit_ms;   /* from drain to exit */
    int start_failures;       /* deaths before hello, in a row */
    int deaths;               /* deaths without a result between ... */
    int64_t deaths_within_ms; /* ... in this time: the device is given up */
};

/* All but source, workers and devices as they should be. */
struct dq_dispatch_rule dq_dispatch_usual(void);

/* How long a worker may be silent: stall_ms, and before its first result, when
 * the device warms up, three times that. */
void dq_dispatch_set_stall(struct dq_dispatch_rule *rule, int64_t stall_ms);

enum dq_action_kind {
    DQ_ACTION_START,  /* start the worker; tell its hello or its death */
    DQ_ACTION_JOB,    /* tell it about task.job, then ... */
    DQ_ACTION_SEND,   /* ... send it the task */
    DQ_ACTION_DROP,   /* task need not be begun any more */
    DQ_ACTION_FORGET, /* it may forget task.job */
    DQ_ACTION_DRAIN,  /* ask it to exit */
    DQ_ACTION_KILL    /* SIGKILL; its death is told once it is reaped */
};

struct dq_action {
    enum dq_action_kind kind;
    int worker;
    struct dq_task task;
    const char *why; /* KILL: static text for the log */
    int spare;       /* KILL: it had no task and needs none: no bad news */
};

/* A worker's end, for people. code says what it means when the worker never
 * said hello: DQ_CONFIG, DQ_DEVICE, DQ_WORKER. */
struct dq_death {
    int code;
    char text[768]; /* "signal 11 (Segmentation fault): last words" */
};

struct dq_dispatch;

struct dq_dispatch *dq_dispatch_new(const struct dq_dispatch_rule *rule);
void dq_dispatch_free(struct dq_dispatch *d); /* NULL is fine */

/* What happened. */
void dq_dispatch_hello(struct dq_dispatch *d, int worker, int credit,
                       int64_t now_ms);
void dq_dispatch_stage(struct dq_dispatch *d, int worker,
                       const struct dq_task *task, int64_t now_ms);
/* 0: a late word about a task that the worker does not hold; ignored. */
int dq_dispatch_result(struct dq_dispatch *d, int worker,
                       const struct dq_result *result, int64_t now_ms);
/* It has closed its end: it gets nothing more, its death will be told. */
void dq_dispatch_going(struct dq_dispatch *d, int worker, int64_t now_ms);
/* The process is reaped and all that it said has been told. */
void dq_dispatch_died(struct dq_dispatch *d, int worker,
                      const struct dq_death *death, int64_t now_ms);

/* Claim nothing more; what is in hand has grace_ms, then it is killed and
 * handed back. Again with less: hurry. */
void dq_dispatch_stop(struct dq_dispatch *d, int64_t grace_ms, int64_t now_ms);
/* A worker gets nothing more: it finishes what it holds and exits, and none
 * takes its place until it is wanted again (drain 0). */
void dq_dispatch_drain(struct dq_dispatch *d, int worker, int drain);
/* Nobody wants this job's tasks any more: those not begun come back soon. */
void dq_dispatch_drop(struct dq_dispatch *d, int64_t job);
/* No task of this job will come any more. */
void dq_dispatch_forget(struct dq_dispatch *d, int64_t job);

/* What to do now: 1 with action filled, or 0. */
int dq_dispatch_next(struct dq_dispatch *d, int64_t now_ms,
                     struct dq_action *action);
/* When to ask again if nothing happens before; -1: never. */
int64_t dq_dispatch_due(struct dq_dispatch *d, int64_t now_ms);

/* Whether nothing more will happen: no process is left, and all is settled,
 * stopped, or without a device to run on. */
int dq_dispatch_over(const struct dq_dispatch *d);
/* Whether there is a worker that is not drained, and the device of each such
 * one was given up; err receives the first one's cause. */
int dq_dispatch_stuck(const struct dq_dispatch *d, struct dq_err *err);

/* Tasks that a worker holds now, oldest first. */
int dq_dispatch_held(const struct dq_dispatch *d, int worker);
const struct dq_task *dq_dispatch_held_at(const struct dq_dispatch *d,
                                          int worker, int i);

#ifdef __cplusplus
}
#endif
#endif
