/* dispatch_private: what the pieces of the dispatcher share. */
#ifndef DQ_DAEMON_DISPATCH_PRIVATE_H
#define DQ_DAEMON_DISPATCH_PRIVATE_H

#include <stddef.h>
#include "daemon/dispatch.h"

enum slot_state {
    SLOT_DOWN,     /* no process */
    SLOT_STARTING, /* a process that has not said hello */
    SLOT_UP,
    SLOT_DRAINING, /* asked to exit */
    SLOT_DYING     /* killed, not reaped */
};

/* As many networks as a worker keeps loaded (infer/stage_infer.c). */
enum { DQ_WARM = 2 };

/* A task in a worker's hands. */
struct held {
    struct dq_claim claim;
    int begun;       /* it has entered a stage */
    int64_t said_ms; /* the last word about it */
};

struct slot {
    enum slot_state state;
    int device;
    int said_hello;     /* this process */
    int results;        /* of this process */
    int handed_back;    /* its death is no fault of the tasks in hand */
    int reserved;       /* gets nothing until it is empty: for a suspect */
    int drained;        /* gets nothing: somebody wants it so */
    int64_t since_ms;   /* of state; DOWN: may start again from here on */
    int64_t heard_ms;   /* the last word about any task, or the first send */
    int64_t pause_ms;   /* before the last restart */
    int64_t slowest_ms; /* a frame has taken here */
    struct held *held;
    int count, credit;
    int64_t *jobs; /* that this process was told of */
    size_t job_count;
    int64_t models[DQ_WARM]; /* that it used last, the last one first */
    int model_count;
};

struct device {
    int start_failures; /* in a row */
    int deaths;         /* since the last result */
    int64_t first_death_ms;
    struct dq_err given_up; /* code 0 while it is in use */
};

struct dq_dispatch {
    struct dq_dispatch_rule rule;
    struct slot *slots;
    struct device *devices;
    int device_count;
    int stopping;
    int64_t stop_ms;         /* when patience ends */
    struct dq_action *queue; /* decided, not taken yet */
    size_t queued, taken, room;
};

/* ---- dispatch.c: what happened -------------------------------------------*/

void dq_slot_enter(struct slot *slot, enum slot_state state, int64_t now_ms);
/* Where in slot->jobs it is, or -1. */
long dq_slot_find_job(const struct slot *slot, int64_t job);
/* Decide on an action; task may be NULL. */
void dq_dispatch_push(struct dq_dispatch *d, enum dq_action_kind kind,
                      const struct slot *slot, const struct dq_task *task,
                      const char *why);
void dq_slot_kill(struct dq_dispatch *d, struct slot *slot, const char *why,
                  int64_t now_ms);

/* ---- dispatch_plan.c: what to do -----------------------------------------*/

int dq_dispatch_unsettled(const struct dq_dispatch *d);

/* ---- dispatch_warm.c: which networks a worker has loaded -----------------*/

int dq_slot_is_warm(const struct slot *slot, int64_t model);
/* A task of that model is sent to it. */
void dq_slot_warms(struct slot *slot, int64_t model);
void dq_slot_cools(struct slot *slot); /* its process is gone */

/* ---- dispatch_settle.c: what an end means --------------------------------*/

/* Settle one task that slot held and forget it there. */
void dq_slot_result(struct dq_dispatch *d, struct slot *slot, int index,
                    const struct dq_result *result, int64_t now_ms);
/* Settle everything that a dead worker held. */
void dq_slot_lost(struct dq_dispatch *d, struct slot *slot,
                  const struct dq_death *death, int64_t now_ms);

/* ---- dispatch_device.c: which devices are to be trusted ------------------*/

void dq_device_worked(struct device *device);
/* A worker died on it, and not by a task that was counted before. */
void dq_device_death(struct dq_dispatch *d, int device,
                     const struct dq_death *death, int64_t now_ms);
void dq_device_start_failed(struct dq_dispatch *d, int device,
                            const struct dq_death *death);

#endif
