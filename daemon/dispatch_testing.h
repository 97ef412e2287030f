/* dispatch_testing: a dispatcher in a world without processes. The test is the
 * clock, the workers and the supervisor. Included by *_test.c only. */
#ifndef DQ_DAEMON_DISPATCH_TESTING_H
#define DQ_DAEMON_DISPATCH_TESTING_H

#include "base/testing.h"

#include "base/mem.h"
#include "daemon/dispatch.h"
#include "jobs/task_list.h"

/* Actions are written down as words, oldest first. */
enum { WORKERS = 4, HELD = 32 };

struct world {
    struct dq_list *list;
    struct dq_dispatch *d;
    int64_t now;
    char log[8192];
    struct dq_task held[WORKERS][HELD]; /* what each worker was sent */
    int count[WORKERS];
};

static inline void note(struct world *w, const struct dq_action *a)
{
    static const char *const words[] = {"start",  "job",   "send", "drop",
                                        "forget", "drain", "kill"};
    size_t used = strlen(w->log);

    snprintf(w->log + used, sizeof w->log - used, "%s%s %d", used ? ", " : "",
             words[a->kind], a->worker);
    used = strlen(w->log);
    if (a->kind == DQ_ACTION_SEND)
        snprintf(w->log + used, sizeof w->log - used, " %s%.0d/%d",
                 a->task.kind == DQ_TASK_SURVEY ? "survey" : "", a->task.frame,
                 a->task.attempt);
}

/* Take all actions at the present time; the log holds only these. */
static inline const char *step(struct world *w)
{
    struct dq_action a;

    w->log[0] = '\0';
    while (dq_dispatch_next(w->d, w->now, &a)) {
        note(w, &a);
        if (a.kind == DQ_ACTION_SEND)
            w->held[a.worker][w->count[a.worker]++] = a.task;
    }
    return w->log;
}

static inline struct dq_dispatch_rule brisk(void)
{
    struct dq_dispatch_rule rule = dq_dispatch_usual();

    rule.workers = 1;
    rule.seed = 1;
    return rule;
}

static inline struct world *world_new(const char *frames, int retries,
                                      struct dq_dispatch_rule rule)
{
    struct world *w = dq_new(sizeof *w);
    struct dq_range range = {0};
    struct dq_err err = {0};

    assert_int_equal(dq_range_parse(frames, &range, &err), DQ_OK);
    w->list = dq_list_new(1, &range, retries);
    dq_range_free(&range);
    rule.source = dq_list_source(w->list);
    w->d = dq_dispatch_new(&rule);
    w->now = 1000;
    return w;
}

static inline void world_free(struct world *w)
{
    dq_dispatch_free(w->d);
    dq_list_free(w->list);
    free(w);
}

static inline const struct dq_list_entry *entry(const struct world *w,
                                                int32_t frame)
{
    for (size_t i = 1; i < dq_list_count(w->list); i++)
        if (dq_list_at(w->list, i)->task.frame == frame)
            return dq_list_at(w->list, i);
    return dq_list_at(w->list, 0);
}

static inline enum dq_task_state state_of(const struct world *w, int32_t frame)
{
    return entry(w, frame)->state;
}

/* The worker answers what it holds at index. */
static inline int answer_at(struct world *w, int worker, int index, int code)
{
    struct dq_result result = {.task = w->held[worker][index], .code = code};

    snprintf(result.text, sizeof result.text, "frame said %s",
             dq_code_name(code));
    w->count[worker]--;
    memmove(&w->held[worker][index], &w->held[worker][index + 1],
            (size_t)(w->count[worker] - index) * sizeof w->held[0][0]);
    return dq_dispatch_result(w->d, worker, &result, w->now);
}

static inline void answer(struct world *w, int worker, int32_t frame, int code)
{
    for (int i = 0; i < w->count[worker]; i++)
        if (w->held[worker][i].frame == frame) {
            assert_int_equal(answer_at(w, worker, i, code), 1);
            return;
        }
    fail_msg("worker %d does not hold %d", worker, frame);
}

static inline void die_as(struct world *w, int worker, int code)
{
    struct dq_death death = {code, "signal 11 (Segmentation fault): ouch"};

    w->count[worker] = 0;
    dq_dispatch_died(w->d, worker, &death, w->now);
}

static inline void die(struct world *w, int worker)
{
    die_as(w, worker, DQ_WORKER);
}

static inline void hello(struct world *w, int worker, int credit)
{
    dq_dispatch_hello(w->d, worker, credit, w->now);
}

/* One worker, up, with the survey behind it and its hands full. */
static inline struct world *busy_world(const char *frames, int retries,
                                       int credit)
{
    struct world *w = world_new(frames, retries, brisk());

    step(w);
    hello(w, 0, credit);
    step(w);
    answer(w, 0, 0, DQ_OK);
    step(w);
    return w;
}

/* Bring the dead worker back. */
static inline const char *revive(struct world *w, int credit)
{
    w->now += 60000;
    assert_string_equal(step(w), "start 0");
    hello(w, 0, credit);
    return step(w);
}

#endif
