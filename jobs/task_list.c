#include "jobs/task_list.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct dq_list {
    struct dq_list_entry *entries; /* [0] is the survey */
    size_t count;
    int retries;
    size_t first;                  /* no READY entry stands before this one */
    int64_t held_until;            /* storage is full: no claims before */
    int64_t due;                   /* no RETRY or BLOCKED entry is due before */
    size_t states[DQ_TASK_STATES]; /* renders in each */
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
    if (e->task.kind == DQ_TASK_RENDER) {
        list->states[e->state]--;
        list->states[to]++;
    }
    if (e->suspect)
        list->suspects -= e->state == DQ_TASK_READY;
    if (dq_task_settled((enum dq_task_state)to))
        list->open--;
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

static struct dq_list_entry *first_usual(struct dq_list *list)
{
    struct dq_list_entry *found = NULL;
    size_t i = list->first;

    while (i < list->count && list->entries[i].state != DQ_TASK_READY)
        i++;
    list->first = i;
    for (; i < list->count && !found; i++)
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
    int ready = list->states[DQ_TASK_READY] > 0 ||
                list->entries[0].state == DQ_TASK_READY;
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

/* What the survey's end means for the frames. */
static void survey_settled(struct dq_list *list)
{
    const struct dq_list_entry *survey = &list->entries[0];
    struct dq_err cause = {0};

    if (survey->state == DQ_TASK_FAILED) {
        dq_fail(&cause, survey->code, "%s", survey->text ? survey->text : "");
        fail_job(list, survey->task.job, &cause);
        return;
    }
    for (size_t i = 1; i < list->count; i++)
        if (list->entries[i].state == DQ_TASK_WAITING)
            move(list, &list->entries[i], DQ_EVENT_RELEASE);
}

/* A range is sorted, and so are the entries. */
static struct dq_list_entry *find(struct dq_list *list,
                                  const struct dq_task *task)
{
    size_t low = 1, high = list->count;

    if (task->job != list->entries[0].task.job)
        return NULL;
    if (task->kind == DQ_TASK_SURVEY)
        return &list->entries[0];
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (list->entries[middle].task.frame < task->frame)
            low = middle + 1;
        else
            high = middle;
    }
    return low < list->count && list->entries[low].task.frame == task->frame
               ? &list->entries[low]
               : NULL;
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
    if (e == &list->entries[0] && dq_task_settled(e->state))
        survey_settled(list);
    return 1;
}

static int unsettled(void *self)
{
    const struct dq_list *list = self;

    return list->open > 0;
}

/* ---- the list ------------------------------------------------------------*/

struct dq_list *dq_list_new(int64_t job, const struct dq_range *frames,
                            int retries)
{
    struct dq_list *list = dq_new(sizeof *list);

    list->count = frames->count + 1;
    list->entries = dq_new_array(list->count, sizeof *list->entries);
    list->retries = retries;
    list->open = list->count;
    list->due = INT64_MAX;
    list->held_until = INT64_MIN;
    list->entries[0].task.job = job;
    list->entries[0].task.kind = DQ_TASK_SURVEY;
    list->entries[0].state = DQ_TASK_READY;
    for (size_t i = 1; i < list->count; i++) {
        list->entries[i].task.job = job;
        list->entries[i].task.kind = DQ_TASK_RENDER;
        list->entries[i].task.frame = frames->frames[i - 1];
        list->entries[i].state = DQ_TASK_WAITING;
    }
    list->states[DQ_TASK_WAITING] = frames->count;
    return list;
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

size_t dq_list_renders(const struct dq_list *list, enum dq_task_state state)
{
    return list->states[state];
}
