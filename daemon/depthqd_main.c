/* depthqd: the queue. One thread on libuv: HTTP in front, the store behind,
 * workers beside. The same dispatcher, supervisor and worker as depthq run's.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "base/cores.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/output.h"
#include "base/path.h"
#include "daemon/api.h"
#include "daemon/config.h"
#include "daemon/http.h"
#include "daemon/notify.h"
#include "daemon/options.h"
#include "daemon/room.h"
#include "daemon/supervise.h"
#include "daemon/sweep.h"
#include "jobs/store.h"

enum { AGAIN_MS = 60000, WATCHDOG_MS = 10000 };

static const int stop_signals[] = {SIGTERM, SIGINT};
enum { STOP_SIGNALS = sizeof stop_signals / sizeof *stop_signals };

/* What is known of a worker's process. */
struct seat {
    int pid; /* 0: no process */
    int ready;
    int drained; /* somebody wants it so; until the daemon ends */
    int deaths;
    char execution[256];
    char last_death[768];
};

struct server {
    struct dq_daemon_options options;
    struct dq_store *store;
    struct dq_http *http, *remote;
    struct dq_events *events;
    struct dq_keeper *keeper;
    struct dq_room *room;
    struct dq_supervisor *supervisor; /* NULL: all devices were given up */
    struct dq_api api;
    struct seat seats[DQ_DEVICES_MOST];
    char *program, *run_id;
    uv_loop_t loop;
    uv_timer_t again, watchdog;
    uv_signal_t signals[STOP_SIGNALS];
    int stops;
};

/* What is not durable was not told to anybody: the next start goes on from
 * the last commit. Workers end with us. */
static void on_broken(void *context, const struct dq_err *err)
{
    struct server *d = context;

    dq_log_error("the database cannot be written; ending", "why", err->text);
    if (err->code == DQ_FULL) /* the next start needs some room */
        dq_room_drop_ballast(d->options.state);
    _exit(dq_code_exit(err->code));
}

static void commit(struct server *d)
{
    struct dq_err err = {0};

    if (dq_store_commit(d->store, &err))
        on_broken(d, &err);
}

/* ---- workers -------------------------------------------------------------*/

static char *on_job_line(void *context, int64_t job)
{
    struct server *d = context;
    struct dq_store_job told;
    struct dq_err err = {0};
    struct dq_wire_job line;
    char *text;

    if (dq_store_job(d->store, job, &told, &err))
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

static void tell_over(struct server *d, int64_t job)
{
    struct dq_err err = {0};
    json_t *o = dq_store_job_json(d->store, job, &err);
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
    struct server *d = context;
    int64_t job;

    commit(d);
    while ((job = dq_store_over(d->store))) {
        tell_over(d, job);
        dq_supervisor_forget(d->supervisor, job);
    }
}

static void on_started(void *context, int worker, int pid)
{
    struct server *d = context;

    d->seats[worker].pid = pid;
    dq_store_process_add(d->store, pid);
}

static void on_hello(void *context, int worker,
                     const struct dq_wire_hello *hello)
{
    struct server *d = context;
    struct seat *seat = &d->seats[worker];
    char *number = dq_asprintf("%d", worker + 1);

    seat->ready = 1;
    snprintf(seat->execution, sizeof seat->execution, "%s", hello->execution);
    dq_log_info("worker ready", "worker", number, "device", hello->device,
                "execution", hello->execution);
    free(number);
}

static void log_worker(enum dq_log_level level, const char *event, int worker,
                       const char *text)
{
    char *number = dq_asprintf("%d", worker + 1);

    dq_log(level, event, "worker", number, "text", text, (char *)0);
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
    struct server *d = context;
    struct seat *seat = &d->seats[o->worker];

    dq_store_process_gone(d->store, o->pid);
    seat->pid = seat->ready = 0;
    if (o->asked)
        return;
    seat->deaths++;
    snprintf(seat->last_death, sizeof seat->last_death, "%s", o->text);
    log_worker(DQ_LOG_WARN, "worker died", o->worker, o->text);
}

static const char *seat_state(const struct server *d, int i, int held)
{
    if (d->seats[i].drained)
        return d->seats[i].pid ? "draining" : "drained";
    if (!d->supervisor)
        return "given up";
    if (!d->seats[i].pid)
        return "down";
    if (!d->seats[i].ready)
        return "starting";
    return held ? "busy" : "idle";
}

static json_t *on_workers(void *context)
{
    struct server *d = context;
    json_t *list = json_array();

    for (int i = 0; i < d->options.workers; i++) {
        const struct seat *seat = &d->seats[i];
        int held =
            d->supervisor
                ? dq_dispatch_held(dq_supervisor_dispatch(d->supervisor), i)
                : 0;
        json_t *o =
            json_pack("{s:i, s:s, s:s, s:i, s:i, s:s, s:i}", "worker", i + 1,
                      "device", d->options.devices[i], "state",
                      seat_state(d, i, held), "pid", seat->pid, "tasks", held,
                      "execution", seat->execution, "deaths", seat->deaths);

        json_object_set_new(o, "last_death",
                            *seat->last_death ? json_string(seat->last_death)
                                              : json_null());
        json_array_append_new(list, o);
    }
    return list;
}

/* ---- the supervisor's life -----------------------------------------------*/

static void finish(struct server *d);
static void on_again(uv_timer_t *timer);

/* No process is left: we were asked to stop, or no device can work. Then
 * jobs wait, people are answered, and devices are tried again. */
static void on_over(void *context)
{
    struct server *d = context;
    struct dq_err why = {0};

    dq_supervisor_stuck(d->supervisor, &why);
    dq_supervisor_close(d->supervisor);
    d->supervisor = NULL;
    if (d->stops) {
        finish(d);
        return;
    }
    dq_log_error("no worker can work; trying again in a minute", "why",
                 why.text);
    uv_timer_start(&d->again, on_again, AGAIN_MS, 0);
}

static struct dq_dispatch_rule dispatch_rule(struct server *d)
{
    struct dq_dispatch_rule rule = dq_dispatch_usual();

    rule.source = dq_store_source(d->store);
    rule.workers = d->options.workers;
    rule.seed = (uint64_t)getpid();
    dq_dispatch_set_stall(&rule, d->options.stall_ms);
    return rule;
}

static void start_workers(struct server *d)
{
    struct dq_dispatch_rule dispatch = dispatch_rule(d);
    int places[DQ_DEVICES_MOST] = {0};
    struct dq_supervise_rule rule = {
        .loop = &d->loop,
        .program = d->program,
        .devices = d->options.devices,
        .threads = dq_threads_each(d->options.threads, d->options.workers),
        .run_id = d->run_id,
        .context = d,
        .job_line = on_job_line,
        .decided = on_decided,
        .started = on_started,
        .hello = on_hello,
        .note = on_note,
        .words = on_words,
        .obituary = on_obituary,
        .over = on_over,
    };

    for (int i = 0; i < d->options.workers; i++)
        for (places[i] = 0;
             strcmp(d->options.devices[places[i]], d->options.devices[i]) != 0;)
            places[i]++;
    dispatch.devices = places;
    rule.dispatch = dispatch;
    d->supervisor = dq_supervisor_new(&rule);
    for (int i = 0; i < d->options.workers; i++)
        dq_supervisor_drain(d->supervisor, i, d->seats[i].drained);
}

static void on_again(uv_timer_t *timer)
{
    struct server *d = timer->data;
    struct dq_err err = {0};

    if (dq_store_clock_anew(d->store, &err))
        on_broken(d, &err);
    start_workers(d);
}

/* ---- the API's wishes ----------------------------------------------------*/

static void on_changed(void *context)
{
    struct server *d = context;

    if (d->supervisor)
        dq_supervisor_wake(d->supervisor);
}

static int on_drain(void *context, const struct dq_who *who, int64_t worker,
                    int drain)
{
    struct server *d = context;

    if (worker < 1 || worker > d->options.workers)
        return 0;
    if (d->seats[worker - 1].drained == drain)
        return 1;
    d->seats[worker - 1].drained = drain;
    dq_store_worker_event(d->store, who, worker, d->options.devices[worker - 1],
                          drain);
    if (d->supervisor)
        dq_supervisor_drain(d->supervisor, (int)worker - 1, drain);
    log_worker(DQ_LOG_INFO,
               drain ? "worker is drained" : "worker is wanted again",
               (int)worker - 1, d->options.devices[worker - 1]);
    return 1;
}

static void on_room(void *context, int full)
{
    struct server *d = context;

    dq_store_hold(d->store, full);
    d->api.full = full;
    if (d->supervisor)
        dq_supervisor_wake(d->supervisor);
}

static void on_events(void *context)
{
    struct server *d = context;

    dq_http_wake(d->http);
    dq_http_wake(d->remote);
}

static void on_canceled(void *context, int64_t job)
{
    struct server *d = context;

    if (d->supervisor)
        dq_supervisor_drop(d->supervisor, job);
}

/* ---- stopping ------------------------------------------------------------*/

static void finish(struct server *d)
{
    dq_http_close(d->http);
    dq_http_close(d->remote);
    d->http = d->remote = NULL;
    dq_events_stop(d->events);
    dq_keeper_close(d->keeper);
    dq_room_close(d->room);
    uv_close((uv_handle_t *)&d->again, NULL);
    uv_close((uv_handle_t *)&d->watchdog, NULL);
    for (int i = 0; i < STOP_SIGNALS; i++)
        uv_close((uv_handle_t *)&d->signals[i], NULL);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct server *d = handle->data;

    if (d->stops++ == 0)
        dq_notify("STOPPING=1");
    dq_log_info(d->stops == 1 ? "stopping: frames in hand are finished"
                              : "stopping at once",
                "signal", strsignal(number));
    if (d->supervisor)
        dq_supervisor_stop(d->supervisor,
                           d->stops == 1 ? d->options.grace_ms : 0);
    else if (d->stops == 1)
        finish(d);
}

static void on_watchdog(uv_timer_t *timer)
{
    (void)timer;
    dq_notify("WATCHDOG=1");
}

/* ---- the start -----------------------------------------------------------*/

static void open_loop(struct server *d)
{
    uv_loop_init(&d->loop);
    uv_timer_init(&d->loop, &d->again);
    uv_timer_init(&d->loop, &d->watchdog);
    d->again.data = d->watchdog.data = d;
    uv_timer_start(&d->watchdog, on_watchdog, WATCHDOG_MS, WATCHDOG_MS);
    for (int i = 0; i < STOP_SIGNALS; i++) {
        uv_signal_init(&d->loop, &d->signals[i]);
        d->signals[i].data = d;
        uv_signal_start(&d->signals[i], on_signal, stop_signals[i]);
    }
}

/* The socket, and TCP where that is wanted. */
static int open_doors(struct server *d, struct dq_err *err)
{
    const char *listen = d->options.remote.listen;
    struct sockaddr_storage address;
    struct dq_http_remote remote = {.name = listen,
                                    .address = (struct sockaddr *)&address,
                                    .admit = dq_api_admits};

    d->http =
        dq_http_open(&d->loop, d->options.socket, dq_api_handle, &d->api, err);
    if (!d->http || !listen)
        return err->code;
    remote.size = dq_remote_address(listen, &address);
    d->remote =
        dq_http_open_remote(&d->loop, &remote, dq_api_handle, &d->api, err);
    if (d->remote)
        dq_log_warn("asked over TCP too, without encryption", "listen", listen);
    return err->code;
}

static int serve(struct server *d, struct dq_err *err)
{
    open_loop(d);
    d->events = dq_events_new(&(struct dq_events_rule){.loop = &d->loop,
                                                       .store = d->store,
                                                       .context = d,
                                                       .wake = on_events,
                                                       .broken = on_broken});
    d->keeper = dq_keeper_new(&(struct dq_keeper_rule){.loop = &d->loop,
                                                       .store = d->store,
                                                       .keep = d->options.keep,
                                                       .context = d,
                                                       .broken = on_broken});
    d->api = (struct dq_api){.store = d->store,
                             .events = d->events,
                             .owner = getuid(),
                             .access = &d->options.access,
                             .remote = &d->options.remote,
                             .context = d,
                             .workers = on_workers,
                             .drain = on_drain,
                             .changed = on_changed,
                             .canceled = on_canceled,
                             .broken = on_broken};
    d->room = dq_room_new(&(struct dq_room_rule){.loop = &d->loop,
                                                 .folder = d->options.state,
                                                 .context = d,
                                                 .changed = on_room});
    if (!open_doors(d, err)) {
        start_workers(d);
        dq_log_info("ready", "socket", d->options.socket, "state",
                    d->options.state, "version", DQ_VERSION);
        dq_notify("READY=1");
    } else {
        finish(d);
    }
    uv_run(&d->loop, UV_RUN_DEFAULT);
    uv_loop_close(&d->loop);
    dq_events_free(d->events);
    return err->code;
}

static int backup(struct server *d, struct dq_err *err)
{
    return dq_store_backup(d->store, d->options.backup, err);
}

static int work(struct server *d, struct dq_err *err)
{
    d->program = dq_path_libexec("depthq-worker", err);
    d->run_id = dq_sweep_name_queue(d->options.state);
    dq_room_before_open(d->options.state);
    if (d->program)
        d->store = dq_store_open(d->options.state, err);
    if (d->store) {
        if (d->options.backup)
            backup(d, err);
        else
            serve(d, err);
        dq_store_close(d->store);
    }
    free(d->program);
    free(d->run_id);
    return err->code;
}

/* What is only shown; 1 when there was such a wish. */
static int show(const struct dq_daemon_options *o)
{
    char *text;

    if (o->help) {
        fputs(dq_daemon_help, stdout);
    } else if (o->version) {
        puts("depthqd " DQ_VERSION);
    } else if (o->print_config) {
        text = dq_config_text();
        fputs(text, stdout);
        free(text);
    } else if (o->check_config) {
        printf("%s: ok\n", o->config ? o->config : "no configuration file");
    } else {
        return 0;
    }
    return 1;
}

static void tell_problems(const struct dq_daemon_options *o)
{
    for (size_t i = 1; i < o->problems.count; i++)
        fprintf(stderr, "depthqd: %s:%d:%d: %s\n", o->config,
                o->problems.list[i].line, o->problems.list[i].column,
                o->problems.list[i].text);
}

static int answer(struct server *d, int argc, char **argv)
{
    struct dq_err err = {0};

    if (!dq_daemon_options_parse(argc, argv, &d->options, &err)) {
        if (show(&d->options))
            return 0;
        dq_log_setup("depthqd", d->options.quiet ? DQ_LOG_WARN : DQ_LOG_INFO,
                     d->options.json ? DQ_LOG_JSON : DQ_LOG_TEXT);
        work(d, &err);
    }
    if (err.text[0])
        fprintf(stderr, "depthqd: %s\n", err.text);
    tell_problems(&d->options);
    if (err.code == DQ_USAGE)
        fputs("Try: depthqd --help\n", stderr);
    return dq_code_exit(err.code);
}

int main(int argc, char **argv)
{
    static struct server d;
    int status;

    dq_fault_setup();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file limit is an error of write(2) */
    status = dq_output_finish("depthqd", answer(&d, argc, argv));
    dq_daemon_options_free(&d.options);
    return status;
}
