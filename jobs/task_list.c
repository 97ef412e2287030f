#include "jobs/task_list.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Entries of one kind stand together. */
struct phase {
    size_t begin, end;
    size_t open; /* entries not settled */
};

struct dq_list {
    struct dq_list_entry *entries;
    size_t count;
    struct phase phases[DQ_TASK_KINDS];
    size_t scan_from; /* which of the sorted frames the first scan is */
    int retries;
    size_t first;                  /* no READY entry stands before this one */
    int64_t held_until;            /* storage is full: no claims before */
    int64_t due;                   /* no RETRY or BLOCKED entry is due before */
    enum dq_task_kind goal;        /* kind of the last phase */
    size_t states[DQ_TASK_STATES]; /* its entries in each */
    size_t suspects;               /* READY ones */
    size_t open;                   /* entries not settled */
    dq_list_watch *watch;
    void *context;
};

static void move(struct dq_list *list, struct dq_list_entry *e,
                 enum dq_task_event event)
{
    int to = dq_task_move(e->state, event);

    assert(to >= 0);
    if (e->task.kind == list->goal) {
        list->states[e->state]--;
        list->states[to]++;
    }
    if (e->suspect)
        list->suspects -= e->state == DQ_TASK_READY;
    if (dq_task_settled((enum dq_task_state)to)) {
        list->open--;
        list->phases[e->task.kind].open--;
    }
    e->state = (enum dq_task_state)to;
    if (e->state != DQ_TASK_READY)
        return;
    list->suspects += e->suspect != 0;
    if ((size_t)(e - list->entries) < list->first)
        list->first = (size_t)(e - list->entries);
}

/* ---- claim ---------------------------------------------------------------*/

/* RETRY and BLOCKED entries whose time has come are READY. */
static void release_due(struct dq_list *list, int64_t now_ms)
{
    if (now_ms < list->due)
        return;
    list->due = INT64_MAX;
    for (size_t i = 0; i < list->count; i++) {
        struct dq_list_entry *e = &list->entries[i];

        if (e->state != DQ_TASK_RETRY && e->state != DQ_TASK_BLOCKED)
            continue;
        if (e->not_before_ms <= now_ms)
            move(list, e, DQ_EVENT_DUE);
        else if (e->not_before_ms < list->due)
            list->due = e->not_before_ms;
    }
}

static size_t first_ready(struct dq_list *list)
{
    while (list->first < list->count &&
           list->entries[list->first].state != DQ_TASK_READY)
        list->first++;
    return list->first;
}

static struct dq_list_entry *first_usual(struct dq_list *list)
{
    struct dq_list_entry *found = NULL;

    for (size_t i = first_ready(list); i < list->count && !found; i++)
        if (list->entries[i].state == DQ_TASK_READY &&
            !list->entries[i].suspect)
            found = &list->entries[i];
    return found;
}

/* The suspect with the fewest failures: one frame after the other gets its
 * chance, so a bad device is told from a bad frame soon. */
static struct dq_list_entry *best_suspect(struct dq_list *list)
{
    struct dq_list_entry *found = NULL;

    for (size_t i = list->first; list->suspects && i < list->count; i++) {
        struct dq_list_entry *e = &list->entries[i];

        if (e->state == DQ_TASK_READY && e->suspect &&
            (!found || e->failures < found->failures))
            found = e;
    }
    return found;
}

static int claim(void *self, enum dq_claim_kind kind, int64_t now_ms,
                 struct dq_claim *claim)
{
    struct dq_list *list = self;
    struct dq_list_entry *e;

    release_due(list, now_ms);
    if (now_ms < list->held_until)
        return 0;
    e = kind == DQ_CLAIM_USUAL ? first_usual(list) : best_suspect(list);
    if (!e)
        return 0;
    move(list, e, DQ_EVENT_CLAIM);
    e->task.attempt++;
    claim->task = e->task;
    claim->failures = e->failures;
    claim->retries = list->retries;
    claim->suspect = e->suspect;
    claim->model = 0; /* a list is of one job */
    return 1;
}

static int suspect_due(void *self, int64_t now_ms)
{
    struct dq_list *list = self;

    release_due(list, now_ms);
    return now_ms >= list->held_until && list->suspects > 0;
}

static int64_t next_due(void *self, int64_t now_ms)
{
    struct dq_list *list = self;
    int ready = first_ready(list) < list->count;
    int64_t due;

    release_due(list, now_ms);
    due = list->due;
    if (now_ms < list->held_until && (ready || due < list->held_until))
        due = list->held_until;
    return due == INT64_MAX ? -1 : due;
}

/* ---- settle --------------------------------------------------------------*/

static void replace(char **text, const char *by)
{
    free(*text);
    *text = by && *by ? dq_strdup(by) : NULL;
}

static void remember(struct dq_list_entry *e, const struct dq_result *r)
{
    if (!r)
        return;
    e->code = r->code;
    replace(&e->text, r->text);
    replace(&e->odd, r->suspect);
    if (r->path[0])
        replace(&e->path, r->path);
    memcpy(e->sha256, r->sha256, sizeof e->sha256);
    e->bytes = r->bytes;
    e->low = r->low;
    e->high = r->high;
    e->seconds = r->seconds;
}

static void tell(const struct dq_list *list, const struct dq_list_entry *e,
                 const struct dq_result *result)
{
    if (list->watch)
        list->watch(list->context, e, result);
}

static void fail_entry(struct dq_list *list, struct dq_list_entry *e,
                       const struct dq_err *cause)
{
    move(list, e, DQ_EVENT_FAIL);
    e->code = cause->code;
    replace(&e->text, cause->text);
    tell(list, e, NULL);
}

static void fail_job(void *self, int64_t job, const struct dq_err *cause)
{
    struct dq_list *list = self;

    if (job != list->entries[0].task.job)
        return;
    for (size_t i = 0; i < list->count; i++) {
        struct dq_list_entry *e = &list->entries[i];

        if (e->state != DQ_TASK_RUNNING && !dq_task_settled(e->state))
            fail_entry(list, e, cause);
    }
}

/* How many of the first failed, if all of the phase that is settled did so
 * with one code and others are left to try. */
static int64_t failed_alike(void *self, const struct dq_task *task)
{
    const struct dq_list *list = self;
    const struct phase *phase = &list->phases[task->kind];
    size_t settled = phase->end - phase->begin - phase->open;
    int64_t failed = 0;
    int code = DQ_OK, left = 0;

    if (settled < DQ_ALIKE || settled > DQ_ALIKE_MOST)
        return 0;
    for (size_t i = phase->begin; i < phase->end; i++) {
        const struct dq_list_entry *e = &list->entries[i];

        left |= !dq_task_settled(e->state) && e->state != DQ_TASK_RUNNING;
        if (!dq_task_settled(e->state))
            continue;
        if (e->state != DQ_TASK_FAILED || (code && e->code != code))
            return 0;
        code = e->code;
        failed++;
    }
    return left ? failed : 0;
}

static void release(struct dq_list *list, const struct phase *phase)
{
    for (size_t i = phase->begin; i < phase->end; i++)
        if (list->entries[i].state == DQ_TASK_WAITING)
            move(list, &list->entries[i], DQ_EVENT_RELEASE);
}

/* What the end of an entry means for those that wait for it. */
static void has_settled(struct dq_list *list, const struct dq_list_entry *e)
{
    struct dq_err cause = {0};
    int kind = (int)e->task.kind;

    if (e->state == DQ_TASK_FAILED && !dq_task_has_frame(e->task.kind)) {
        dq_fail(&cause, e->code, "%s", e->text ? e->text : "");
        fail_job(list, e->task.job, &cause);
        return;
    }
    /* the next phase; one without entries is over at once */
    for (; kind + 1 < DQ_TASK_KINDS && list->phases[kind].open == 0; kind++)
        release(list, &list->phases[kind + 1]);
}

/* Scans begin in the middle of the sorted frames and go round. */
static size_t place_of(const struct dq_list *list, const struct phase *phase,
                       enum dq_task_kind kind, size_t sorted)
{
    size_t count = phase->end - phase->begin;
    size_t from = kind == DQ_TASK_SCAN ? list->scan_from : 0;

    return phase->begin + (sorted + count - from) % count;
}

static struct dq_list_entry *find(struct dq_list *list,
                                  const struct dq_task *task)
{
    const struct phase *phase = &list->phases[task->kind];
    size_t low = 0, high = phase->end - phase->begin;

    if (task->job != list->entries[0].task.job)
        return NULL;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct dq_list_entry *e =
            &list->entries[place_of(list, phase, task->kind, middle)];

        if (e->task.frame == task->frame)
            return e;
        if (e->task.frame < task->frame)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static void wait_until(struct dq_list *list, struct dq_list_entry *e,
                       int64_t not_before_ms)
{
    e->not_before_ms = not_before_ms;
    if (not_before_ms < list->due)
        list->due = not_before_ms;
    if (e->state == DQ_TASK_BLOCKED && not_before_ms > list->held_until)
        list->held_until = not_before_ms;
}

static int settle(void *self, const struct dq_settle *s)
{
    struct dq_list *list = self;
    struct dq_list_entry *e = find(list, &s->task);

    if (!e || e->state != DQ_TASK_RUNNING || e->task.attempt != s->task.attempt)
        return 0;
    e->failures += s->counts != 0;
    e->suspect |= s->suspect != 0;
    remember(e, s->result);
    move(list, e, s->event);
    if (e->state == DQ_TASK_RETRY || e->state == DQ_TASK_BLOCKED)
        wait_until(list, e, s->not_before_ms);
    tell(list, e, s->result);
    if (dq_task_settled(e->state))
        has_settled(list, e);
    return 1;
}

static int unsettled(void *self)
{
    const struct dq_list *list = self;

    return list->open > 0;
}

/* ---- the list ------------------------------------------------------------*/

/* Entries of a kind, of these frames or (NULL) one of the whole shot. */
static void add_phase(struct dq_list *list, int64_t job, enum dq_task_kind kind,
                      const struct dq_range *frames, size_t from)
{
    size_t count = frames ? frames->count : 1;
    struct phase *phase = &list->phases[kind];

    phase->begin = list->count;
    phase->open = count;
    for (size_t i = 0; i < count; i++) {
        struct dq_list_entry *e = &list->entries[list->count++];

        e->task.job = job;
        e->task.kind = kind;
        e->task.frame = frames ? frames->frames[(i + from) % count] : 0;
        e->state = kind == DQ_TASK_SURVEY ? DQ_TASK_READY : DQ_TASK_WAITING;
    }
    phase->end = list->count;
    list->open += count;
    list->goal = kind;
    memset(list->states, 0, sizeof list->states);
    list->states[list->entries[phase->begin].state] = count;
}

static size_t first_from(const struct dq_range *frames, int32_t frame)
{
    for (size_t i = 0; i < frames->count; i++)
        if (frames->frames[i] >= frame)
            return i;
    return 0;
}

struct dq_list *dq_list_of(const struct dq_list_plan *plan)
{
    struct dq_list *list = dq_new(sizeof *list);
    size_t scans = plan->scans ? plan->scans->count : 0;
    size_t renders = plan->renders ? plan->renders->count : 0;

    list->entries = dq_new_array(scans + renders + 2, sizeof *list->entries);
    list->retries = plan->retries;
    list->due = INT64_MAX;
    list->held_until = INT64_MIN;
    add_phase(list, plan->job, DQ_TASK_SURVEY, NULL, 0);
    if (scans) {
        list->scan_from = first_from(plan->scans, plan->scan_from);
        add_phase(list, plan->job, DQ_TASK_SCAN, plan->scans, list->scan_from);
    }
    if (plan->solve)
        add_phase(list, plan->job, DQ_TASK_SOLVE, NULL, 0);
    if (renders)
        add_phase(list, plan->job, DQ_TASK_RENDER, plan->renders, 0);
    return list;
}

struct dq_list *dq_list_new(int64_t job, const struct dq_range *frames,
                            int retries)
{
    struct dq_list_plan plan = {
        .job = job, .renders = frames, .retries = retries};

    return dq_list_of(&plan);
}

void dq_list_free(struct dq_list *list)
{
    if (!list)
        return;
    for (size_t i = 0; i < list->count; i++) {
        free(list->entries[i].text);
        free(list->entries[i].path);
        free(list->entries[i].odd);
    }
    free(list->entries);
    free(list);
}

struct dq_source dq_list_source(struct dq_list *list)
{
    static const struct dq_source_ops ops = {
        .claim = claim,
        .suspect_due = suspect_due,
        .settle = settle,
        .fail_job = fail_job,
        .failed_alike = failed_alike,
        .next_due = next_due,
        .unsettled = unsettled,
    };
    struct dq_source source = {&ops, list};

    return source;
}

void dq_list_set_watch(struct dq_list *list, dq_list_watch *watch,
                       void *context)
{
    list->watch = watch;
    list->context = context;
}

size_t dq_list_count(const struct dq_list *list)
{
    return list->count;
}

const struct dq_list_entry *dq_list_at(const struct dq_list *list, size_t i)
{
    assert(i < list->count);
    return &list->entries[i];
}

size_t dq_list_goal(const struct dq_list *list)
{
    return list->phases[list->goal].begin;
}

size_t dq_list_goals(const struct dq_list *list, enum dq_task_state state)
{
    return list->states[state];
}
