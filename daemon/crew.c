#include "daemon/crew.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cores.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/supervise.h"

enum { AGAIN_MS = 60000 };

/* What is known of a worker's process. */
struct seat {
    int pid; /* 0: no process */
    int ready;
    int drained; /* somebody wants it so; until the daemon ends */
    int deaths;
    char execution[256];
    char last_death[768];
};

struct dq_crew {
    struct dq_crew_rule rule;
    struct dq_supervisor *supervisor; /* NULL: all devices were given up */
    struct seat seats[DQ_DEVICES_MOST];
    uv_timer_t again;
    int stops;
};

static int worker_count(const struct dq_crew *c)
{
    return c->rule.options->workers;
}

static const char *device_of(const struct dq_crew *c, int worker)
{
    return c->rule.options->devices[worker];
}

/* ---- jobs ----------------------------------------------------------------*/

static char *on_job_line(void *context, int64_t job)
{
    struct dq_crew *c = context;
    struct dq_store_job told;
    struct dq_err err = {0};
    struct dq_wire_job line;
    char *text;

    if (dq_store_job(c->rule.store, job, &told, &err))
        dq_log_error("a job is gone from under its tasks", "why", err.text);
    line = (struct dq_wire_job){
        .job = job,
        .yaml = told.yaml ? told.yaml : (char *)"",
        .file = told.file ? told.file : (char *)"",
        .folder = told.folder ? told.folder : (char *)"",
        .frames = told.frames ? told.frames : (char *)"",
        .model_path = told.model_path ? told.model_path : (char *)"",
        .model_sha256 = told.model_sha256 ? told.model_sha256 : (char *)""};
    text = dq_wire_job_line(&line);
    dq_store_job_free(&told);
    return text;
}

static void tell_over(struct dq_crew *c, int64_t job)
{
    struct dq_err err = {0};
    json_t *o = dq_store_job_json(c->rule.store, job, &err);
    char *id = dq_asprintf("%" PRId64, job);

    if (o)
        dq_log_info("job over", "job", id, "name",
                    json_string_value(json_object_get(o, "name")), "state",
                    json_string_value(json_object_get(o, "state")));
    json_decref(o);
    free(id);
}

/* Between deciding and acting: what was decided becomes durable. */
static void on_decided(void *context)
{
    struct dq_crew *c = context;
    struct dq_err err = {0};
    int64_t job;

    if (dq_store_commit(c->rule.store, &err))
        c->rule.broken(c->rule.context, &err);
    while ((job = dq_store_over(c->rule.store))) {
        tell_over(c, job);
        dq_supervisor_forget(c->supervisor, job);
    }
}

/* ---- processes -----------------------------------------------------------*/

static void log_worker(enum dq_log_level level, const char *event, int worker,
                       const char *text)
{
    char *number = dq_asprintf("%d", worker + 1);

    dq_log(level, event, "worker", number, "text", text, (char *)0);
    free(number);
}

static void on_started(void *context, int worker, int pid)
{
    struct dq_crew *c = context;

    c->seats[worker].pid = pid;
    dq_store_process_add(c->rule.store, pid);
}

static void on_hello(void *context, int worker,
                     const struct dq_wire_hello *hello)
{
    struct dq_crew *c = context;
    struct seat *seat = &c->seats[worker];
    char *number = dq_asprintf("%d", worker + 1);

    seat->ready = 1;
    snprintf(seat->execution, sizeof seat->execution, "%s", hello->execution);
    dq_log_info("worker ready", "worker", number, "device", hello->device,
                "execution", hello->execution);
    free(number);
}

static void on_note(void *context, int worker, const char *text)
{
    (void)context;
    log_worker(DQ_LOG_WARN, "worker warns", worker, text);
}

static void on_words(void *context, int worker, const char *line)
{
    (void)context;
    log_worker(DQ_LOG_INFO, "worker says", worker, line);
}

static void on_obituary(void *context, const struct dq_obituary *o)
{
    struct dq_crew *c = context;
    struct seat *seat = &c->seats[o->worker];

    dq_store_process_gone(c->rule.store, o->pid);
    seat->pid = seat->ready = 0;
    if (o->asked)
        return;
    seat->deaths++;
    snprintf(seat->last_death, sizeof seat->last_death, "%s", o->text);
    log_worker(DQ_LOG_WARN, "worker died", o->worker, o->text);
}

/* ---- what is told of them ------------------------------------------------*/

static const char *state_of(const struct dq_crew *c, int i, int held)
{
    if (c->seats[i].drained)
        return c->seats[i].pid ? "draining" : "drained";
    if (!c->supervisor)
        return "given up";
    if (!c->seats[i].pid)
        return "down";
    if (!c->seats[i].ready)
        return "starting";
    return held ? "busy" : "idle";
}

static json_t *worker_json(const struct dq_crew *c, int i)
{
    const struct seat *seat = &c->seats[i];
    int held = c->supervisor
                   ? dq_dispatch_held(dq_supervisor_dispatch(c->supervisor), i)
                   : 0;
    json_t *o = json_pack("{s:i, s:s, s:s, s:i, s:i, s:s, s:i}", "worker",
                          i + 1, "device", device_of(c, i), "state",
                          state_of(c, i, held), "pid", seat->pid, "tasks", held,
                          "execution", seat->execution, "deaths", seat->deaths);

    json_object_set_new(o, "last_death",
                        *seat->last_death ? json_string(seat->last_death)
                                          : json_null());
    return o;
}

json_t *dq_crew_json(const struct dq_crew *c)
{
    json_t *list = json_array();

    for (int i = 0; i < worker_count(c); i++)
        json_array_append_new(list, worker_json(c, i));
    return list;
}

/* ---- the supervisor's life -----------------------------------------------*/

static void on_again(uv_timer_t *timer);

/* No process is left: we were asked to stop, or no device can work. Then
 * jobs wait, people are answered, and devices are tried again. */
static void on_over(void *context)
{
    struct dq_crew *c = context;
    struct dq_err why = {0};

    dq_supervisor_stuck(c->supervisor, &why);
    dq_supervisor_close(c->supervisor);
    c->supervisor = NULL;
    if (c->stops) {
        c->rule.gone(c->rule.context);
        return;
    }
    dq_log_error("no worker can work; trying again in a minute", "why",
                 why.text);
    uv_timer_start(&c->again, on_again, AGAIN_MS, 0);
}

static struct dq_dispatch_rule dispatch_rule(const struct dq_crew *c)
{
    struct dq_dispatch_rule rule = dq_dispatch_usual();

    rule.source = dq_store_source(c->rule.store);
    rule.workers = worker_count(c);
    rule.seed = (uint64_t)getpid();
    dq_dispatch_set_stall(&rule, c->rule.options->stall_ms);
    return rule;
}

static struct dq_supervise_rule supervise_rule(struct dq_crew *c)
{
    const struct dq_daemon_options *o = c->rule.options;
    struct dq_supervise_rule rule = {
        .loop = c->rule.loop,
        .program = c->rule.program,
        .devices = o->devices,
        .threads = dq_threads_each(o->threads, o->workers),
        .run_id = c->rule.run_id,
        .context = c,
        .job_line = on_job_line,
        .decided = on_decided,
        .started = on_started,
        .hello = on_hello,
        .note = on_note,
        .words = on_words,
        .obituary = on_obituary,
        .over = on_over,
    };

    return rule;
}

void dq_crew_start(struct dq_crew *c)
{
    struct dq_supervise_rule rule = supervise_rule(c);
    int places[DQ_DEVICES_MOST] = {0}; /* workers on one device share one */

    rule.dispatch = dispatch_rule(c);
    rule.dispatch.devices = places;
    for (int i = 0; i < worker_count(c); i++)
        while (strcmp(device_of(c, places[i]), device_of(c, i)) != 0)
            places[i]++;
    c->supervisor = dq_supervisor_new(&rule);
    for (int i = 0; i < worker_count(c); i++)
        dq_supervisor_drain(c->supervisor, i, c->seats[i].drained);
}

static void on_again(uv_timer_t *timer)
{
    struct dq_crew *c = timer->data;
    struct dq_err err = {0};

    if (dq_store_clock_anew(c->rule.store, &err))
        c->rule.broken(c->rule.context, &err);
    dq_crew_start(c);
}

void dq_crew_stop(struct dq_crew *c, int64_t grace_ms)
{
    int first = c->stops++ == 0;

    if (c->supervisor)
        dq_supervisor_stop(c->supervisor, grace_ms);
    else if (first)
        c->rule.gone(c->rule.context);
}

struct dq_crew *dq_crew_new(const struct dq_crew_rule *rule)
{
    struct dq_crew *c = dq_new(sizeof *c);

    c->rule = *rule;
    uv_timer_init(rule->loop, &c->again);
    c->again.data = c;
    return c;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void dq_crew_close(struct dq_crew *c)
{
    uv_close((uv_handle_t *)&c->again, on_closed);
}

/* ---- wishes --------------------------------------------------------------*/

void dq_crew_wake(struct dq_crew *c)
{
    if (c->supervisor)
        dq_supervisor_wake(c->supervisor);
}

void dq_crew_drop(struct dq_crew *c, int64_t job)
{
    if (c->supervisor)
        dq_supervisor_drop(c->supervisor, job);
}

int dq_crew_drain(struct dq_crew *c, const struct dq_who *who, int64_t worker,
                  int drain)
{
    int i = (int)worker - 1;

    if (worker < 1 || worker > worker_count(c))
        return 0;
    if (c->seats[i].drained == drain)
        return 1;
    c->seats[i].drained = drain;
    dq_store_worker_event(c->rule.store, who, worker, device_of(c, i), drain);
    if (c->supervisor)
        dq_supervisor_drain(c->supervisor, i, drain);
    log_worker(DQ_LOG_INFO,
               drain ? "worker is drained" : "worker is wanted again", i,
               device_of(c, i));
    return 1;
}
