#include "daemon/supervise.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "daemon/child.h"

/* A worker's place; its process comes and goes. */
struct place {
    struct dq_supervisor *s;
    int worker;
    struct dq_child *child; /* NULL: no process */
    const char *killed;     /* why we killed it, or NULL */
    int asked;              /* to exit */
    int spare;              /* killed for want of work */
    char with[32];          /* what its survey or solve was last busy with */
    char execution[256];    /* as its last process said */
};

struct dq_supervisor {
    struct dq_supervise_rule rule;
    struct dq_dispatch *dispatch;
    struct place *places;
    uv_timer_t timer;
    int64_t now_ms;   /* our clock */
    uint64_t seen_ms; /* the loop's clock when ours was set */
    int64_t plan_ms;  /* how long we meant to sleep; -1: for ever */
    int over;
};

/* ---- the clock -----------------------------------------------------------*/

/* Sleeping longer than planned means that we were stopped (a suspended
 * machine, a person's Ctrl-Z), and the workers with us: that time is no
 * worker's silence, so our clock leaves it out. */
enum { LATE_MS = 5000 };

static int64_t now_of(struct dq_supervisor *s)
{
    uint64_t seen = uv_hrtime() / 1000000;
    int64_t passed = (int64_t)(seen - s->seen_ms);

    if (s->plan_ms >= 0 && passed > s->plan_ms + LATE_MS)
        passed = s->plan_ms + LATE_MS;
    s->seen_ms = seen;
    s->plan_ms = s->plan_ms > passed ? s->plan_ms - passed
                 : s->plan_ms >= 0   ? 0
                                     : -1;
    s->now_ms += passed;
    return s->now_ms;
}

static void pump(uv_timer_t *timer);

/* Decisions wait for the next turn of the loop, when everything that has
 * arrived is told. */
static void pump_soon(struct dq_supervisor *s)
{
    if (!s->over)
        uv_timer_start(&s->timer, pump, 0, 0);
}

void dq_supervisor_wake(struct dq_supervisor *s)
{
    pump_soon(s);
}

/* ---- what workers say ----------------------------------------------------*/

static void take_hello(struct place *p, const json_t *message,
                       struct dq_err *err)
{
    struct dq_supervisor *s = p->s;
    struct dq_wire_hello hello;

    if (dq_wire_read_hello(message, &hello, err))
        return;
    if (strcmp(hello.version, DQ_VERSION) != 0) {
        dq_fail(err, DQ_CONFIG, "it is of version %s, not " DQ_VERSION,
                hello.version);
        return;
    }
    memcpy(p->execution, hello.execution, sizeof p->execution);
    dq_dispatch_hello(s->dispatch, p->worker, hello.credit, now_of(s));
    if (s->rule.hello)
        s->rule.hello(s->rule.context, p->worker, &hello);
}

static void take_stage(struct place *p, const json_t *message,
                       struct dq_err *err)
{
    struct dq_wire_stage stage;

    if (dq_wire_read_stage(message, &stage, err))
        return;
    if (!dq_task_has_frame(stage.task.kind))
        memcpy(p->with, stage.stage, sizeof p->with);
    dq_dispatch_stage(p->s->dispatch, p->worker, &stage.task, now_of(p->s));
}

static void take_result(struct place *p, const json_t *message,
                        struct dq_err *err)
{
    struct dq_result result;
    char text[100];

    if (dq_wire_read_result(message, &result, err))
        return;
    memcpy(result.execution, p->execution, sizeof result.execution);
    if (dq_dispatch_result(p->s->dispatch, p->worker, &result, now_of(p->s)))
        return;
    snprintf(text, sizeof text, "late result of frame %d, attempt %d, ignored",
             result.task.frame, result.task.attempt);
    if (p->s->rule.note)
        p->s->rule.note(p->s->rule.context, p->worker, text);
}

static void take_note(struct place *p, const json_t *message,
                      struct dq_err *err)
{
    struct dq_wire_note note;

    if (!dq_wire_read_note(message, &note, err) && p->s->rule.note)
        p->s->rule.note(p->s->rule.context, p->worker, note.text);
    free(note.text);
}

static void on_message(void *context, const json_t *message)
{
    struct place *p = context;
    struct dq_err err = {0};

    switch (dq_wire_message(message)) {
    case DQ_MESSAGE_HELLO:
        take_hello(p, message, &err);
        break;
    case DQ_MESSAGE_STAGE:
        take_stage(p, message, &err);
        break;
    case DQ_MESSAGE_RESULT:
        take_result(p, message, &err);
        break;
    case DQ_MESSAGE_NOTE:
        take_note(p, message, &err);
        break;
    default:
        dq_fail(&err, DQ_BUG, "it gives orders");
        break;
    }
    if (err.code)
        dq_child_break(p->child, err.text);
    pump_soon(p->s);
}

static void on_words(void *context, const char *line)
{
    struct place *p = context;

    if (p->s->rule.words)
        p->s->rule.words(p->s->rule.context, p->worker, line);
}

static void on_closing(void *context)
{
    struct place *p = context;

    dq_dispatch_going(p->s->dispatch, p->worker, now_of(p->s));
}

/* ---- the end of a worker -------------------------------------------------*/

static void on_gone(void *context, const struct dq_child_end *end)
{
    struct place *p = context;
    struct dq_supervisor *s = p->s;
    struct dq_death death;
    struct dq_obituary obituary = {.worker = p->worker,
                                   .pid = end->pid,
                                   .device = s->rule.devices[p->worker]};
    char *frames = dq_obituary_frames(s->dispatch, p->worker);

    dq_obituary_death(
        end, p->killed,
        dq_obituary_is_of_shot(s->dispatch, p->worker) ? p->with : "", &death);
    p->with[0] = '\0';
    obituary.asked = (p->asked && !end->signal) || p->spare;
    obituary.text = death.text;
    obituary.frames = frames;
    p->child = NULL;
    if (s->rule.obituary)
        s->rule.obituary(s->rule.context, &obituary);
    dq_dispatch_died(s->dispatch, p->worker, &death, now_of(s));
    free(frames);
    pump_soon(s);
}

/* ---- actions -------------------------------------------------------------*/

static void start_failed(struct place *p, const struct dq_err *err)
{
    struct dq_death death = {.code = err->code};

    snprintf(death.text, sizeof death.text, "%.700s", err->text);
    dq_dispatch_died(p->s->dispatch, p->worker, &death, now_of(p->s));
}

/* An option and its value as two arguments; count grows. */
static void add_option(char **argv, int *count, const char *name, char *value)
{
    argv[(*count)++] = dq_strdup(name);
    argv[(*count)++] = value;
}

static void make_argv(const struct place *p, char **argv)
{
    const struct dq_supervise_rule *rule = &p->s->rule;
    int count = 0;

    argv[count++] = dq_strdup(rule->program);
    add_option(argv, &count, "--device", dq_strdup(rule->devices[p->worker]));
    add_option(argv, &count, "--run-id",
               dq_asprintf("%s-%d", rule->run_id, p->worker));
    if (rule->threads)
        add_option(argv, &count, "--threads", dq_asprintf("%d", rule->threads));
    if (rule->memory)
        add_option(argv, &count, "--memory", dq_asprintf("%zu", rule->memory));
}

static void start(struct place *p)
{
    char *argv[12] = {NULL};
    struct dq_child_rule rule = {.loop = p->s->rule.loop,
                                 .argv = argv,
                                 .threads = p->s->rule.threads,
                                 .context = p,
                                 .message = on_message,
                                 .closing = on_closing,
                                 .words = on_words,
                                 .gone = on_gone};
    struct dq_err err = {0};

    make_argv(p, argv);
    p->killed = NULL;
    p->asked = p->spare = 0;
    p->child = dq_child_start(&rule, &err);
    for (char **a = argv; *a; a++)
        free(*a);
    if (!p->child)
        start_failed(p, &err);
    else if (p->s->rule.started)
        p->s->rule.started(p->s->rule.context, p->worker,
                           dq_child_pid(p->child));
}

static void act(struct dq_supervisor *s, const struct dq_action *a)
{
    struct place *p = &s->places[a->worker];

    if (a->kind == DQ_ACTION_START) {
        start(p);
        return;
    }
    if (!p->child)
        return;
    switch (a->kind) {
    case DQ_ACTION_JOB:
        dq_child_send(p->child, s->rule.job_line(s->rule.context, a->task.job));
        break;
    case DQ_ACTION_SEND:
        dq_child_send(p->child, dq_wire_task_line(&a->task));
        break;
    case DQ_ACTION_DROP:
        dq_child_send(p->child, dq_wire_drop_line(&a->task));
        break;
    case DQ_ACTION_FORGET:
        dq_child_send(p->child, dq_wire_forget_line(a->task.job));
        break;
    case DQ_ACTION_DRAIN:
        p->asked = 1;
        dq_child_send(p->child, dq_wire_drain_line());
        break;
    case DQ_ACTION_KILL:
        p->killed = a->why;
        p->spare = a->spare;
        dq_child_kill(p->child);
        break;
    case DQ_ACTION_START:
        break;
    }
}

static void sleep_until(struct dq_supervisor *s, int64_t due_ms)
{
    s->plan_ms = -1;
    uv_timer_stop(&s->timer);
    if (due_ms < 0)
        return;
    s->plan_ms = due_ms > s->now_ms ? due_ms - s->now_ms : 0;
    uv_timer_start(&s->timer, pump, (uint64_t)s->plan_ms, 0);
}

/* Decisions for one commit: frames a second on a slow disk depend on it. */
enum { BATCH = 256 };

/* Decide as much as can be decided, then act on it all: a source makes its
 * moves durable between the two, once for many. */
static int decide_and_act(struct dq_supervisor *s)
{
    struct dq_action actions[BATCH];
    int count = 0;

    while (count < BATCH &&
           dq_dispatch_next(s->dispatch, now_of(s), &actions[count]))
        count++;
    if (s->rule.decided)
        s->rule.decided(s->rule.context);
    for (int i = 0; i < count; i++)
        act(s, &actions[i]);
    return count > 0;
}

static void pump(uv_timer_t *timer)
{
    struct dq_supervisor *s = timer->data;

    while (decide_and_act(s))
        ;
    if (!s->over && dq_dispatch_over(s->dispatch)) {
        s->over = 1;
        uv_timer_stop(&s->timer);
        if (s->rule.over)
            s->rule.over(s->rule.context);
        return;
    }
    sleep_until(s, dq_dispatch_due(s->dispatch, s->now_ms));
}

/* ---- life ----------------------------------------------------------------*/

struct dq_supervisor *dq_supervisor_new(const struct dq_supervise_rule *rule)
{
    struct dq_supervisor *s = dq_new(sizeof *s);
    int workers = rule->dispatch.workers;

    signal(SIGPIPE, SIG_IGN);
    s->rule = *rule;
    s->dispatch = dq_dispatch_new(&rule->dispatch);
    s->places = dq_new_array((size_t)workers, sizeof *s->places);
    for (int i = 0; i < workers; i++) {
        s->places[i].s = s;
        s->places[i].worker = i;
    }
    s->seen_ms = uv_hrtime() / 1000000;
    s->plan_ms = -1;
    uv_timer_init(rule->loop, &s->timer);
    s->timer.data = s;
    pump_soon(s);
    return s;
}

void dq_supervisor_stop(struct dq_supervisor *s, int64_t grace_ms)
{
    dq_dispatch_stop(s->dispatch, grace_ms, now_of(s));
    pump_soon(s);
}

void dq_supervisor_drain(struct dq_supervisor *s, int worker, int drain)
{
    dq_dispatch_drain(s->dispatch, worker, drain);
    pump_soon(s);
}

void dq_supervisor_drop(struct dq_supervisor *s, int64_t job)
{
    dq_dispatch_drop(s->dispatch, job);
    pump_soon(s);
}

void dq_supervisor_forget(struct dq_supervisor *s, int64_t job)
{
    dq_dispatch_forget(s->dispatch, job);
    pump_soon(s);
}

const struct dq_dispatch *dq_supervisor_dispatch(const struct dq_supervisor *s)
{
    return s->dispatch;
}

int dq_supervisor_stuck(const struct dq_supervisor *s, struct dq_err *err)
{
    return dq_dispatch_stuck(s->dispatch, err);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct dq_supervisor *s = handle->data;

    dq_dispatch_free(s->dispatch);
    free(s->places);
    free(s);
}

void dq_supervisor_close(struct dq_supervisor *s)
{
    if (!s)
        return;
    for (int i = 0; i < s->rule.dispatch.workers; i++)
        assert(!s->places[i].child);
    uv_close((uv_handle_t *)&s->timer, on_timer_closed);
}
