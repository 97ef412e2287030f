#include "daemon/dispatch_private.h"

#include <string.h>

#include "base/mem.h"

/* ---- what to do ----------------------------------------------------------*/

int dq_dispatch_unsettled(const struct dq_dispatch *d)
{
    return d->rule.source.ops->unsettled(d->rule.source.self);
}

/* Whether the worker and its device get work, and there may be some. */
static int in_use(const struct dq_dispatch *d, const struct slot *slot)
{
    return !d->stopping && !slot->drained &&
           !d->devices[slot->device].given_up.code && dq_dispatch_unsettled(d);
}

static int64_t sum(int64_t a, int64_t b)
{
    return a > INT64_MAX - b ? INT64_MAX : a + b;
}

/* When a busy worker has been silent for too long. A task that has begun
 * may wait for each of the others between two of its stages. */
static int64_t silence_ends(const struct dq_dispatch *d,
                            const struct slot *slot)
{
    int64_t limit =
        slot->results ? d->rule.stage_limit_ms : d->rule.first_limit_ms;
    int64_t ends;

    if (limit < 4 * slot->slowest_ms)
        limit = 4 * slot->slowest_ms;
    ends = sum(slot->heard_ms, limit);
    for (int i = 0; i < slot->count; i++) {
        const struct held *h = &slot->held[i];

        if (h->begun && sum(h->said_ms, limit * slot->count) < ends)
            ends = sum(h->said_ms, limit * slot->count);
    }
    return ends;
}

/* When a worker is to be killed if nothing changes, and whether that is no
 * fault of the tasks in its hands. */
struct doom {
    int64_t at_ms;
    int blameless;
    const char *why;
    int spare; /* for want of work; of no interest to people */
};

static struct doom doom_of(const struct dq_dispatch *d, const struct slot *slot)
{
    struct doom doom = {.at_ms = INT64_MAX, .why = "no progress"};
    int up = slot->state == SLOT_UP;

    if (slot->state == SLOT_STARTING && !in_use(d, slot)) {
        struct doom idle = {INT64_MIN, 1, "it is not needed any more", 1};

        return idle;
    }
    if (slot->state == SLOT_STARTING)
        doom.at_ms = sum(slot->since_ms, d->rule.hello_limit_ms);
    else if (slot->state == SLOT_DRAINING)
        doom.at_ms = sum(slot->since_ms, d->rule.drain_limit_ms);
    else if (up && slot->count)
        doom.at_ms = silence_ends(d, slot);
    doom.blameless = slot->state == SLOT_DRAINING;
    if (up && d->stopping && d->stop_ms < doom.at_ms) {
        struct doom over = {d->stop_ms, 1, "the time to finish is over", 0};

        return over;
    }
    return doom;
}

static void kill_doomed(struct dq_dispatch *d, int64_t now_ms)
{
    for (int i = 0; i < d->rule.workers; i++) {
        struct slot *slot = &d->slots[i];
        struct doom doom = doom_of(d, slot);

        if (doom.at_ms > now_ms)
            continue;
        slot->handed_back |= doom.blameless;
        dq_slot_kill(d, slot, doom.why, now_ms);
        d->queue[d->queued - 1].spare = doom.spare;
    }
}

/* Workers without work and without hope of some go; others come. */
static void come_and_go(struct dq_dispatch *d, int64_t now_ms)
{
    for (int i = 0; i < d->rule.workers; i++) {
        struct slot *slot = &d->slots[i];

        if (slot->state == SLOT_UP && !slot->count && !in_use(d, slot)) {
            dq_dispatch_push(d, DQ_ACTION_DRAIN, slot, NULL, NULL);
            dq_slot_enter(slot, SLOT_DRAINING, now_ms);
        }
        if (slot->state == SLOT_DOWN && slot->since_ms <= now_ms &&
            in_use(d, slot)) {
            dq_dispatch_push(d, DQ_ACTION_START, slot, NULL, NULL);
            dq_slot_enter(slot, SLOT_STARTING, now_ms);
        }
    }
}

/* ---- who gets what -------------------------------------------------------*/

static int holds_suspect(const struct slot *slot)
{
    return slot->count && slot->held[0].claim.suspect;
}

static int may_take(const struct dq_dispatch *d, const struct slot *slot)
{
    return slot->state == SLOT_UP && slot->count < slot->credit &&
           !holds_suspect(slot) && (!slot->reserved || !slot->count) &&
           in_use(d, slot);
}

/* No death on its device that no result has followed. */
static int sound(const struct dq_dispatch *d, const struct slot *slot)
{
    return !d->devices[slot->device].deaths;
}

/* The worker with the least in hand: frames spread before they pile up. */
static struct slot *idlest(const struct dq_dispatch *d)
{
    struct slot *best = NULL;

    for (int i = 0; i < d->rule.workers; i++) {
        struct slot *slot = &d->slots[i];

        if (may_take(d, slot) && (!best || slot->count < best->count))
            best = slot;
    }
    return best;
}

static int claim(struct dq_dispatch *d, enum dq_claim_kind kind, int64_t now_ms,
                 struct dq_claim *claim)
{
    return d->rule.source.ops->claim(d->rule.source.self, kind, now_ms, claim);
}

/* While suspects wait, at least one worker is emptied for them: a sound one,
 * for on another their death would say little. */
static void reserve(struct dq_dispatch *d, int64_t now_ms)
{
    int wanted = d->rule.source.ops->suspect_due(d->rule.source.self, now_ms);
    struct slot *slot;

    for (int i = 0; i < d->rule.workers; i++) {
        if (!wanted)
            d->slots[i].reserved = 0;
        if (holds_suspect(&d->slots[i]) || d->slots[i].reserved)
            wanted = 0;
    }
    slot = wanted ? idlest(d) : NULL;
    if (slot && sound(d, slot))
        slot->reserved = 1;
}

static void send_task(struct dq_dispatch *d, struct slot *slot,
                      const struct dq_claim *claim, int64_t now_ms)
{
    struct held *h = &slot->held[slot->count];

    memset(h, 0, sizeof *h);
    h->claim = *claim;
    if (slot->count++ == 0)
        slot->heard_ms = now_ms;
    slot->reserved = 0;
    dq_slot_warms(slot, claim->model);
    if (dq_slot_find_job(slot, claim->task.job) < 0) {
        slot->jobs =
            dq_grow(slot->jobs, slot->job_count + 1, sizeof *slot->jobs);
        slot->jobs[slot->job_count++] = claim->task.job;
        dq_dispatch_push(d, DQ_ACTION_JOB, slot, &claim->task, NULL);
    }
    dq_dispatch_push(d, DQ_ACTION_SEND, slot, &claim->task, NULL);
}

/* What slot is to do next. A device that is in doubt is tried with frames
 * that are not: only together do they tell which of the two is bad. */
static int claim_for(struct dq_dispatch *d, const struct slot *slot,
                     int64_t now_ms, struct dq_claim *got)
{
    if (slot->count)
        return claim(d, DQ_CLAIM_USUAL, now_ms, got);
    if (sound(d, slot))
        return claim(d, DQ_CLAIM_SUSPECT, now_ms, got) ||
               claim(d, DQ_CLAIM_USUAL, now_ms, got);
    return claim(d, DQ_CLAIM_USUAL, now_ms, got) ||
           claim(d, DQ_CLAIM_SUSPECT, now_ms, got);
}

/* Of those that could take it as well as slot, one that has its network
 * loaded. */
static struct slot *warmest(const struct dq_dispatch *d, struct slot *slot,
                            const struct dq_claim *claim)
{
    if (dq_slot_is_warm(slot, claim->model))
        return slot;
    for (int i = 0; i < d->rule.workers; i++) {
        struct slot *other = &d->slots[i];

        if (may_take(d, other) && other->count == slot->count &&
            other->reserved == slot->reserved &&
            sound(d, other) == sound(d, slot) &&
            dq_slot_is_warm(other, claim->model))
            return other;
    }
    return slot;
}

static int feed(struct dq_dispatch *d, int64_t now_ms)
{
    struct dq_claim got;
    struct slot *slot;

    reserve(d, now_ms);
    slot = idlest(d);
    if (!slot || !claim_for(d, slot, now_ms, &got))
        return 0;
    send_task(d, warmest(d, slot, &got), &got, now_ms);
    return 1;
}

int dq_dispatch_next(struct dq_dispatch *d, int64_t now_ms,
                     struct dq_action *action)
{
    if (d->taken == d->queued) {
        d->taken = d->queued = 0;
        kill_doomed(d, now_ms);
        come_and_go(d, now_ms);
        if (!d->queued)
            feed(d, now_ms);
    }
    if (d->taken == d->queued)
        return 0;
    *action = d->queue[d->taken++];
    return 1;
}

int64_t dq_dispatch_due(struct dq_dispatch *d, int64_t now_ms)
{
    int64_t due = INT64_MAX, source_due;

    for (int i = 0; i < d->rule.workers; i++) {
        const struct slot *slot = &d->slots[i];
        int64_t at = doom_of(d, slot).at_ms;

        if (slot->state == SLOT_DOWN && in_use(d, slot))
            at = slot->since_ms;
        if (at < due)
            due = at;
    }
    source_due = d->rule.source.ops->next_due(d->rule.source.self, now_ms);
    if (source_due >= 0 && source_due < due && idlest(d))
        due = source_due;
    if (due == INT64_MAX)
        return -1;
    return due < now_ms ? now_ms : due;
}
