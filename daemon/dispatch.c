#include "daemon/dispatch_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct dq_dispatch_rule dq_dispatch_usual(void)
{
    struct dq_dispatch_rule rule = {
        .pause_ms = 2000,
        .pause_most_ms = 60000,
        .probe_ms = 20000,
        .restart_ms = 200,
        .restart_most_ms = 10000,
        .hello_limit_ms = 300000,
        .drain_limit_ms = 10000,
        .start_failures = 3,
        .deaths = 3,
        .deaths_within_ms = 600000,
    };

    dq_dispatch_set_stall(&rule, 600000);
    return rule;
}

void dq_dispatch_set_stall(struct dq_dispatch_rule *rule, int64_t stall_ms)
{
    rule->stage_limit_ms = stall_ms;
    rule->first_limit_ms = 3 * stall_ms;
}

struct dq_dispatch *dq_dispatch_new(const struct dq_dispatch_rule *rule)
{
    struct dq_dispatch *d = dq_new(sizeof *d);
    size_t workers = (size_t)rule->workers;

    d->rule = *rule;
    d->slots = dq_new_array(workers, sizeof *d->slots);
    for (size_t i = 0; i < workers; i++) {
        d->slots[i].device = rule->devices ? rule->devices[i] : 0;
        d->slots[i].since_ms = INT64_MIN;
        if (d->slots[i].device >= d->device_count)
            d->device_count = d->slots[i].device + 1;
    }
    d->devices = dq_new_array((size_t)d->device_count, sizeof *d->devices);
    d->rule.devices = NULL;
    return d;
}

void dq_dispatch_free(struct dq_dispatch *d)
{
    if (!d)
        return;
    for (int i = 0; i < d->rule.workers; i++) {
        free(d->slots[i].held);
        free(d->slots[i].jobs);
    }
    free(d->slots);
    free(d->devices);
    free(d->queue);
    free(d);
}

static struct slot *slot_at(const struct dq_dispatch *d, int worker)
{
    assert(worker >= 0 && worker < d->rule.workers);
    return &d->slots[worker];
}

void dq_slot_enter(struct slot *slot, enum slot_state state, int64_t now_ms)
{
    slot->state = state;
    slot->since_ms = now_ms;
}

/* ---- what happened -------------------------------------------------------*/

void dq_dispatch_hello(struct dq_dispatch *d, int worker, int credit,
                       int64_t now_ms)
{
    struct slot *slot = slot_at(d, worker);

    if (slot->state != SLOT_STARTING)
        return;
    slot->credit = credit > 0 ? credit : 1;
    slot->held = dq_grow(slot->held, (size_t)slot->credit, sizeof *slot->held);
    slot->said_hello = 1;
    d->devices[slot->device].start_failures = 0;
    dq_slot_enter(slot, SLOT_UP, now_ms);
}

void dq_dispatch_going(struct dq_dispatch *d, int worker, int64_t now_ms)
{
    struct slot *slot = slot_at(d, worker);

    if (slot->state == SLOT_DOWN || slot->state == SLOT_DYING)
        return;
    slot->handed_back |= slot->state == SLOT_DRAINING;
    dq_slot_enter(slot, SLOT_DYING, now_ms);
}

static int find_held(const struct slot *slot, const struct dq_task *task)
{
    for (int i = 0; i < slot->count; i++) {
        const struct dq_task *t = &slot->held[i].claim.task;

        if (t->job == task->job && t->kind == task->kind &&
            t->frame == task->frame && t->attempt == task->attempt)
            return i;
    }
    return -1;
}

void dq_dispatch_stage(struct dq_dispatch *d, int worker,
                       const struct dq_task *task, int64_t now_ms)
{
    struct slot *slot = slot_at(d, worker);
    int index = find_held(slot, task);

    if (index < 0)
        return;
    slot->heard_ms = now_ms;
    slot->held[index].begun = 1;
    slot->held[index].said_ms = now_ms;
}

void dq_dispatch_push(struct dq_dispatch *d, enum dq_action_kind kind,
                      const struct slot *slot, const struct dq_task *task,
                      const char *why)
{
    struct dq_action action = {
        .kind = kind, .worker = (int)(slot - d->slots), .why = why};

    if (task)
        action.task = *task;
    if (d->queued == d->room) {
        d->room = d->room ? d->room * 2 : 16;
        d->queue = dq_grow(d->queue, d->room, sizeof *d->queue);
    }
    d->queue[d->queued++] = action;
}

void dq_slot_kill(struct dq_dispatch *d, struct slot *slot, const char *why,
                  int64_t now_ms)
{
    dq_dispatch_push(d, DQ_ACTION_KILL, slot, NULL, why);
    dq_slot_enter(slot, SLOT_DYING, now_ms);
}

int dq_dispatch_result(struct dq_dispatch *d, int worker,
                       const struct dq_result *result, int64_t now_ms)
{
    struct slot *slot = slot_at(d, worker);
    int index = find_held(slot, &result->task);
    int64_t took_ms = (int64_t)(result->seconds.total * 1000);

    if (index < 0)
        return 0;
    slot->heard_ms = now_ms;
    slot->results++;
    if (took_ms > slot->slowest_ms)
        slot->slowest_ms = took_ms;
    dq_slot_result(d, slot, index, result, now_ms);
    if (result->code && dq_code_policy(result->code) == DQ_POLICY_NEW_WORKER &&
        slot->state != SLOT_DYING)
        dq_slot_kill(d, slot, "it asked for a fresh process", now_ms);
    else if (!d->devices[slot->device].deaths)
        slot->pause_ms = 0;
    return 1;
}

/* What was decided for a process that is gone. */
static void drop_actions(struct dq_dispatch *d, int worker)
{
    size_t kept = d->taken;

    for (size_t i = d->taken; i < d->queued; i++)
        if (d->queue[i].worker != worker)
            d->queue[kept++] = d->queue[i];
    d->queued = kept;
}

static void plan_restart(struct dq_dispatch *d, struct slot *slot,
                         int64_t now_ms)
{
    slot->pause_ms = slot->pause_ms ? slot->pause_ms * 2 : d->rule.restart_ms;
    if (slot->pause_ms > d->rule.restart_most_ms)
        slot->pause_ms = d->rule.restart_most_ms;
    slot->said_hello = slot->results = slot->handed_back = slot->reserved = 0;
    slot->job_count = 0;
    slot->slowest_ms = 0;
    dq_slot_cools(slot);
    dq_slot_enter(slot, SLOT_DOWN, now_ms + slot->pause_ms);
}

void dq_dispatch_died(struct dq_dispatch *d, int worker,
                      const struct dq_death *death, int64_t now_ms)
{
    struct slot *slot = slot_at(d, worker);
    int asked = slot->state == SLOT_DRAINING || slot->handed_back;

    if (slot->state == SLOT_DOWN)
        return;
    drop_actions(d, worker);
    if (slot->count > 0 || (slot->said_hello && !asked))
        dq_slot_lost(d, slot, death, now_ms);
    else if (!slot->said_hello && !asked)
        dq_device_start_failed(d, slot->device, death);
    plan_restart(d, slot, now_ms);
}

void dq_dispatch_stop(struct dq_dispatch *d, int64_t grace_ms, int64_t now_ms)
{
    int64_t stop_ms = now_ms + grace_ms;

    if (!d->stopping || stop_ms < d->stop_ms)
        d->stop_ms = stop_ms;
    d->stopping = 1;
}

void dq_dispatch_drain(struct dq_dispatch *d, int worker, int drain)
{
    struct slot *slot = slot_at(d, worker);

    slot->drained = drain;
    slot->reserved = 0; /* another one is for suspects */
}

long dq_slot_find_job(const struct slot *slot, int64_t job)
{
    for (size_t i = 0; i < slot->job_count; i++)
        if (slot->jobs[i] == job)
            return (long)i;
    return -1;
}

void dq_dispatch_drop(struct dq_dispatch *d, int64_t job)
{
    for (int i = 0; i < d->rule.workers; i++) {
        struct slot *slot = &d->slots[i];

        for (int k = 0; k < slot->count; k++)
            if (slot->held[k].claim.task.job == job)
                dq_dispatch_push(d, DQ_ACTION_DROP, slot,
                                 &slot->held[k].claim.task, NULL);
    }
}

void dq_dispatch_forget(struct dq_dispatch *d, int64_t job)
{
    struct dq_task task = {.job = job};

    for (int i = 0; i < d->rule.workers; i++) {
        struct slot *slot = &d->slots[i];
        long at = dq_slot_find_job(slot, job);

        if (at < 0)
            continue;
        slot->jobs[at] = slot->jobs[--slot->job_count];
        dq_dispatch_push(d, DQ_ACTION_FORGET, slot, &task, NULL);
    }
}

/* ---- the end -------------------------------------------------------------*/

int dq_dispatch_stuck(const struct dq_dispatch *d, struct dq_err *err)
{
    const struct dq_err *first = NULL;

    for (int i = 0; i < d->rule.workers; i++) {
        const struct device *device = &d->devices[d->slots[i].device];

        if (d->slots[i].drained)
            continue;
        if (!device->given_up.code)
            return 0;
        first = first ? first : &device->given_up;
    }
    if (first && err)
        *err = *first;
    return first != NULL;
}

int dq_dispatch_over(const struct dq_dispatch *d)
{
    for (int i = 0; i < d->rule.workers; i++)
        if (d->slots[i].state != SLOT_DOWN)
            return 0;
    return d->taken == d->queued && (d->stopping || !dq_dispatch_unsettled(d) ||
                                     dq_dispatch_stuck(d, NULL));
}

int dq_dispatch_held(const struct dq_dispatch *d, int worker)
{
    return slot_at(d, worker)->count;
}

const struct dq_task *dq_dispatch_held_at(const struct dq_dispatch *d,
                                          int worker, int i)
{
    assert(i >= 0 && i < slot_at(d, worker)->count);
    return &slot_at(d, worker)->held[i].claim.task;
}
