#include "daemon/dispatch_private.h"

#include <stdio.h>
#include <string.h>

/* ---- pauses --------------------------------------------------------------*/

/* splitmix64: well mixed, tiny, the same everywhere. */
static uint64_t mix(uint64_t x)
{
    x += 0x9E3779B97F4A7C15U;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9U;
    x = (x ^ x >> 27) * 0x94D049BB133111EBU;
    return x ^ x >> 31;
}

/* From 3/4 to 5/4 of pause, by task and attempt: frames that failed
 * together do not come back together. */
static int64_t jitter(uint64_t seed, const struct dq_task *task, int64_t pause)
{
    uint64_t x = mix(seed ^ (uint64_t)task->job);

    x = mix(x ^ (uint64_t)(uint32_t)task->frame << 32 ^
            (uint64_t)(uint32_t)task->attempt);
    return pause * 3 / 4 + (int64_t)(x % (uint64_t)(pause / 2 + 1));
}

static int64_t pause_after(const struct dq_dispatch *d,
                           const struct dq_task *task, int failures)
{
    int64_t pause = d->rule.pause_ms;

    for (int i = 1; i < failures && pause < d->rule.pause_most_ms; i++)
        pause *= 2;
    if (pause > d->rule.pause_most_ms)
        pause = d->rule.pause_most_ms;
    return jitter(d->rule.seed, task, pause);
}

/* ---- one task ------------------------------------------------------------*/

static void put(struct dq_dispatch *d, const struct dq_settle *settle)
{
    dq_source_settle(&d->rule.source, settle);
}

/* A counted failure: again later (by event again), or the end. */
static void count_failure(struct dq_dispatch *d, const struct dq_claim *claim,
                          enum dq_task_event again,
                          const struct dq_result *result, int suspect,
                          int64_t now_ms)
{
    int failures = claim->failures + 1;
    struct dq_settle settle = {.task = claim->task,
                               .event = again,
                               .result = result,
                               .counts = 1,
                               .suspect = suspect};

    if (failures > claim->retries)
        settle.event = DQ_EVENT_GIVE_UP;
    else
        settle.not_before_ms = now_ms + pause_after(d, &claim->task, failures);
    put(d, &settle);
}

static void settle_as(struct dq_dispatch *d, const struct dq_claim *claim,
                      enum dq_task_event event, const struct dq_result *result)
{
    struct dq_settle settle = {.task = claim->task,
                               .event = event,
                               .result = result,
                               .counts = event == DQ_EVENT_GIVE_UP};

    put(d, &settle);
}

static void fail_job(struct dq_dispatch *d, const struct dq_claim *claim,
                     const struct dq_result *result)
{
    struct dq_err cause = {0};

    settle_as(d, claim, DQ_EVENT_GIVE_UP, result);
    dq_fail(&cause, result->code, "%s", result->text);
    d->rule.source.ops->fail_job(d->rule.source.self, claim->task.job, &cause);
}

static void block(struct dq_dispatch *d, const struct dq_claim *claim,
                  const struct dq_result *result, int64_t now_ms)
{
    struct dq_settle settle = {.task = claim->task,
                               .event = DQ_EVENT_NO_SPACE,
                               .result = result,
                               .not_before_ms = now_ms + d->rule.probe_ms};

    put(d, &settle);
}

/* The worker says that only another process can help. What else it holds is
 * not at fault. A task that was counted before may be at fault itself, so it
 * says nothing new about the device. */
static void new_worker(struct dq_dispatch *d, struct slot *slot,
                       const struct dq_claim *claim,
                       const struct dq_result *result, int64_t now_ms)
{
    struct dq_death death = {.code = result->code};

    snprintf(death.text, sizeof death.text, "%.700s", result->text);
    slot->handed_back = 1;
    count_failure(d, claim, DQ_EVENT_FAIL, result, 1, now_ms);
    if (claim->failures == 0)
        dq_device_death(d, slot->device, &death, now_ms);
}

static void failed(struct dq_dispatch *d, struct slot *slot,
                   const struct dq_claim *claim, const struct dq_result *result,
                   int64_t now_ms)
{
    switch (dq_code_policy(result->code)) {
    case DQ_POLICY_FAIL_JOB:
        fail_job(d, claim, result);
        break;
    case DQ_POLICY_FAIL_FRAME:
        settle_as(d, claim, DQ_EVENT_GIVE_UP, result);
        break;
    case DQ_POLICY_RETRY:
        count_failure(d, claim, DQ_EVENT_FAIL, result, 0, now_ms);
        break;
    case DQ_POLICY_NEW_WORKER:
        new_worker(d, slot, claim, result, now_ms);
        return; /* no sign that the device works */
    case DQ_POLICY_BLOCK:
        block(d, claim, result, now_ms);
        break;
    case DQ_POLICY_REQUEUE:
        if (d->stopping || slot->handed_back)
            settle_as(d, claim, DQ_EVENT_HAND_BACK, result);
        else
            count_failure(d, claim, DQ_EVENT_FAIL, result, 0, now_ms);
        break;
    }
    dq_device_worked(&d->devices[slot->device]);
}

void dq_slot_result(struct dq_dispatch *d, struct slot *slot, int index,
                    const struct dq_result *result, int64_t now_ms)
{
    struct dq_claim claim = slot->held[index].claim;

    slot->count--;
    memmove(&slot->held[index], &slot->held[index + 1],
            (size_t)(slot->count - index) * sizeof *slot->held);
    if (result->code) {
        failed(d, slot, &claim, result, now_ms);
        return;
    }
    settle_as(d, &claim, result->skipped ? DQ_EVENT_SKIP : DQ_EVENT_FINISH,
              result);
    dq_device_worked(&d->devices[slot->device]);
}

/* ---- a dead worker's tasks -----------------------------------------------*/

/* It may have killed its worker, or another one did: it runs alone now. */
static void suspect(struct dq_dispatch *d, const struct dq_claim *claim,
                    int64_t now_ms)
{
    struct dq_settle settle = {.task = claim->task,
                               .event = DQ_EVENT_LOSE,
                               .suspect = 1,
                               .not_before_ms = now_ms};

    put(d, &settle);
}

static void charge(struct dq_dispatch *d, const struct dq_claim *claim,
                   const struct dq_death *death, int64_t now_ms)
{
    struct dq_result result = {.task = claim->task, .code = DQ_WORKER};

    snprintf(result.text, sizeof result.text,
             "its worker died with this frame alone at work: %.700s",
             death->text);
    count_failure(d, claim, DQ_EVENT_LOSE, &result, 1, now_ms);
}

/* What a task did to a worker that died: none has done anything before its
 * first stage, unless it was sent alone for that very question. */
static void lose(struct dq_dispatch *d, const struct slot *slot,
                 const struct held *h, int begun, const struct dq_death *death,
                 int64_t now_ms)
{
    int alone = h->begun ? begun == 1 : slot->count == 1 && h->claim.suspect;

    if (slot->handed_back || (begun > 0 && !h->begun))
        settle_as(d, &h->claim, DQ_EVENT_HAND_BACK, NULL);
    else if (alone)
        charge(d, &h->claim, death, now_ms);
    else
        suspect(d, &h->claim, now_ms);
}

void dq_slot_lost(struct dq_dispatch *d, struct slot *slot,
                  const struct dq_death *death, int64_t now_ms)
{
    int begun = 0, known = 0;

    for (int i = 0; i < slot->count; i++) {
        begun += slot->held[i].begun;
        known |= slot->held[i].begun && slot->held[i].claim.failures > 0;
    }
    for (int i = 0; i < slot->count; i++)
        lose(d, slot, &slot->held[i], begun, death, now_ms);
    /* A frame that was counted before says nothing new about the device. */
    if (!slot->handed_back && !(known && begun == 1))
        dq_device_death(d, slot->device, death, now_ms);
    slot->count = 0;
}
