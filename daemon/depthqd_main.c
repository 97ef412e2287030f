/* depthqd: the queue. One thread on libuv: HTTP in front, the store behind,
 * workers beside. The same dispatcher, supervisor and worker as depthq run's.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/output.h"
#include "base/path.h"
#include "daemon/api.h"
#include "daemon/config.h"
#include "daemon/crew.h"
#include "daemon/http.h"
#include "daemon/notify.h"
#include "daemon/options.h"
#include "daemon/room.h"
#include "daemon/sweep.h"
#include "jobs/store.h"

enum { WATCHDOG_MS = 10000 };

static const int stop_signals[] = {SIGTERM, SIGINT};
enum { STOP_SIGNALS = sizeof stop_signals / sizeof *stop_signals };

struct server {
    struct dq_daemon_options options;
    struct dq_store *store;
    struct dq_http *http, *remote;
    struct dq_events *events;
    struct dq_keeper *keeper;
    struct dq_room *room;
    struct dq_crew *crew;
    struct dq_api api;
    char *program, *run_id;
    uv_loop_t loop;
    uv_timer_t watchdog;
    uv_prepare_t idle;
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

/* ---- what happens --------------------------------------------------------*/

static void on_room(void *context, int full)
{
    struct server *d = context;

    dq_store_hold(d->store, full);
    d->api.full = full;
    dq_crew_wake(d->crew);
}

static void on_events(void *context)
{
    struct server *d = context;

    dq_http_wake(d->http);
    dq_http_wake(d->remote);
}

static void on_watchdog(uv_timer_t *timer)
{
    (void)timer;
    dq_notify("WATCHDOG=1");
}

/* Before the loop waits: what was answered has been sent. */
static void on_idle(uv_prepare_t *idle)
{
    struct server *d = idle->data;

    dq_store_tidy(d->store);
}

/* ---- stopping ------------------------------------------------------------*/

/* The loop ends when all is closed. */
static void finish(void *context)
{
    struct server *d = context;

    dq_http_close(d->http);
    dq_http_close(d->remote);
    d->http = d->remote = NULL;
    dq_events_stop(d->events);
    dq_keeper_close(d->keeper);
    dq_room_close(d->room);
    dq_crew_close(d->crew);
    uv_close((uv_handle_t *)&d->watchdog, NULL);
    uv_close((uv_handle_t *)&d->idle, NULL);
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
    dq_crew_stop(d->crew, d->stops == 1 ? d->options.grace_ms : 0);
}

/* ---- the start -----------------------------------------------------------*/

static void open_loop(struct server *d)
{
    uv_loop_init(&d->loop);
    uv_timer_init(&d->loop, &d->watchdog);
    uv_prepare_init(&d->loop, &d->idle);
    d->watchdog.data = d->idle.data = d;
    uv_prepare_start(&d->idle, on_idle);
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

/* All that works in the loop. */
static void set_up(struct server *d)
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
    d->crew = dq_crew_new(&(struct dq_crew_rule){.loop = &d->loop,
                                                 .store = d->store,
                                                 .options = &d->options,
                                                 .program = d->program,
                                                 .run_id = d->run_id,
                                                 .context = d,
                                                 .broken = on_broken,
                                                 .gone = finish});
    d->api = (struct dq_api){.store = d->store,
                             .events = d->events,
                             .crew = d->crew,
                             .owner = getuid(),
                             .access = &d->options.access,
                             .remote = &d->options.remote,
                             .context = d,
                             .broken = on_broken};
    d->room = dq_room_new(&(struct dq_room_rule){.loop = &d->loop,
                                                 .folder = d->options.state,
                                                 .context = d,
                                                 .changed = on_room});
}

static int serve(struct server *d, struct dq_err *err)
{
    set_up(d);
    if (!open_doors(d, err)) {
        dq_crew_start(d->crew);
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

static int work(struct server *d, struct dq_err *err)
{
    d->program = dq_path_libexec("depthq-worker", err);
    d->run_id = dq_sweep_name_queue(d->options.state);
    dq_room_before_open(d->options.state);
    if (d->program)
        d->store = dq_store_open(d->options.state, err);
    if (d->store) {
        if (d->options.backup)
            dq_store_backup(d->store, d->options.backup, err);
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
