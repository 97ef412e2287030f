#include "cli/run_work.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "base/cores.h"
#include "base/mem.h"
#include "cli/problems.h"
#include "daemon/supervise.h"
#include "daemon/sweep.h"

enum { TICK_MS = 100, HURRY_MS = 10000, NOTES = 64 };

static const int stop_signals[] = {SIGTERM, SIGINT, SIGUSR1, SIGHUP};
enum { STOP_SIGNALS = sizeof stop_signals / sizeof *stop_signals };

struct run {
    struct dq_run_work work;
    struct dq_supervisor *supervisor;
    const char **devices;
    uv_loop_t loop;
    uv_timer_t tick;
    uv_signal_t signals[STOP_SIGNALS];
    int64_t blocked_ms; /* since when storage is full; 0: it is not */
    int64_t give_up_ms; /* hurried, and still not over: 0 for no such time */
    int stops;          /* how often we were asked to stop */
    int over;
    struct dq_err *cause; /* why it ended early, when nobody asked */
    char *notes[NOTES];   /* warnings told already */
    int note_count;
};

int64_t dq_run_now_ms(void)
{
    return (int64_t)(uv_hrtime() / 1000000);
}

/* ---- what is told --------------------------------------------------------*/

/* A worker says each warning once, but there may be several of them. */
static int is_new(struct run *r, const char *text)
{
    for (int i = 0; i < r->note_count; i++)
        if (strcmp(r->notes[i], text) == 0)
            return 0;
    if (r->note_count < NOTES)
        r->notes[r->note_count++] = dq_strdup(text);
    return 1;
}

static void on_note(void *context, int worker, const char *text)
{
    struct run *r = context;

    (void)worker;
    if (is_new(r, text))
        dq_progress_say(r->work.progress, "warning", "warning: %s", text);
}

/* Each is told once: workers of a run have the same, as a rule. */
static int is_told(const json_t *devices, const json_t *device)
{
    for (size_t i = 0; i < json_array_size(devices); i++)
        if (json_equal(json_array_get(devices, i), device))
            return 1;
    return 0;
}

static void on_hello(void *context, int worker,
                     const struct dq_wire_hello *hello)
{
    struct run *r = context;
    json_t *device =
        json_pack("{s:o, s:o}", "device", dq_text_json(hello->device),
                  "execution", dq_text_json(hello->execution));

    (void)worker;
    if (!is_told(r->work.devices, device)) {
        json_array_append(r->work.devices, device);
        dq_progress_device(r->work.progress, hello->device, hello->execution);
    }
    json_decref(device);
}

static void on_words(void *context, int worker, const char *line)
{
    struct run *r = context;

    dq_progress_say(r->work.progress, "info", "worker %d: %s", worker + 1,
                    line);
}

static void on_obituary(void *context, const struct dq_obituary *o)
{
    struct run *r = context;

    if (o->asked)
        return;
    dq_progress_say(r->work.progress, "warning",
                    "worker %d (pid %d, %s) died: %s%s%s", o->worker + 1,
                    o->pid, o->device, o->text, *o->frames ? "; in hand: " : "",
                    o->frames);
}

/* Full storage is waited for, but not for ever: somebody else may want the
 * device. The wait begins anew with each frame that finds room. */
static void watch_storage(struct run *r, const struct dq_list_entry *e)
{
    if (e->state == DQ_TASK_DONE && r->blocked_ms)
        r->blocked_ms = dq_list_goals(r->work.list, DQ_TASK_BLOCKED) > 0
                            ? dq_run_now_ms()
                            : 0;
    if (e->state != DQ_TASK_BLOCKED || r->blocked_ms)
        return;
    r->blocked_ms = dq_run_now_ms();
    dq_progress_say(r->work.progress, "warning",
                    "storage is full, waiting for room (at most %.0f s): %s",
                    (double)r->work.options->patience_ms / 1000,
                    e->text ? e->text : "");
}

static void on_task(void *context, const struct dq_list_entry *entry,
                    const struct dq_result *result)
{
    struct run *r = context;

    dq_progress_task(r->work.progress, entry, result, dq_run_now_ms());
    watch_storage(r, entry);
}

/* ---- stopping ------------------------------------------------------------*/

static void stop(struct run *r, const char *why)
{
    r->stops++;
    if (r->stops == 1) {
        dq_progress_say(r->work.progress, "info",
                        "%s: no more frames are begun; those in hand have "
                        "%.0f s (once more: stop at once)",
                        why, (double)r->work.options->grace_ms / 1000);
        dq_supervisor_stop(r->supervisor, r->work.options->grace_ms);
        return;
    }
    dq_progress_say(r->work.progress, "info", "%s: stopping at once", why);
    dq_supervisor_stop(r->supervisor, 0);
    r->give_up_ms = dq_run_now_ms() + HURRY_MS;
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct run *r = handle->data;

    if (!r->over)
        stop(r, strsignal(number));
}

/* A killed process that does not go hangs in the kernel, on storage that
 * does not answer. It will not write any more when it wakes. */
static void leave(struct run *r)
{
    dq_progress_say(r->work.progress, "error",
                    "a worker hangs in the kernel (storage that does not "
                    "answer?); leaving it behind");
    dq_progress_free(r->work.progress);
    _exit(dq_code_exit(DQ_STOPPED));
}

static void on_tick(uv_timer_t *timer)
{
    struct run *r = timer->data;
    int64_t now = dq_run_now_ms();

    dq_progress_tick(r->work.progress, now);
    if (r->give_up_ms && now >= r->give_up_ms)
        leave(r);
    if (r->blocked_ms && !r->stops &&
        now - r->blocked_ms >= r->work.options->patience_ms)
        stop(r, "storage is still full");
}

/* ---- the loop ------------------------------------------------------------*/

/* From here on the run only tells how it went. A signal that comes now would
 * end it with the signal's status instead of the run's. */
static void hear_no_more(void)
{
    sigset_t all;

    sigemptyset(&all);
    for (int i = 0; i < STOP_SIGNALS; i++)
        sigaddset(&all, stop_signals[i]);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
}

static void on_over(void *context)
{
    struct run *r = context;

    r->over = 1;
    hear_no_more();
    dq_supervisor_stuck(r->supervisor, r->cause);
    dq_supervisor_close(r->supervisor);
    uv_close((uv_handle_t *)&r->tick, NULL);
    for (int i = 0; i < STOP_SIGNALS; i++)
        uv_close((uv_handle_t *)&r->signals[i], NULL);
}

static void open_loop(struct run *r)
{
    uv_loop_init(&r->loop);
    uv_timer_init(&r->loop, &r->tick);
    r->tick.data = r;
    uv_timer_start(&r->tick, on_tick, TICK_MS, TICK_MS);
    for (int i = 0; i < STOP_SIGNALS; i++) {
        uv_signal_init(&r->loop, &r->signals[i]);
        r->signals[i].data = r;
        uv_signal_start(&r->signals[i], on_signal, stop_signals[i]);
    }
}

static char *on_job_line(void *context, int64_t job)
{
    struct run *r = context;

    return dq_run_plan_job_line(r->work.plan, job);
}

static struct dq_dispatch_rule dispatch_rule(struct run *r)
{
    struct dq_dispatch_rule rule = dq_dispatch_usual();

    rule.source = dq_list_source(r->work.list);
    rule.workers = r->work.options->workers;
    rule.seed = (uint64_t)getpid();
    dq_dispatch_set_stall(&rule, r->work.options->stall_ms);
    return rule;
}

static void run(struct run *r)
{
    char *run_id = dq_sweep_name_run();
    struct dq_supervise_rule rule = {
        .dispatch = dispatch_rule(r),
        .loop = &r->loop,
        .program = r->work.program,
        .devices = r->devices,
        .threads =
            dq_threads_each(r->work.options->threads, r->work.options->workers),
        .memory = r->work.options->memory / (size_t)r->work.options->workers,
        .run_id = run_id,
        .context = r,
        .job_line = on_job_line,
        .hello = on_hello,
        .note = on_note,
        .words = on_words,
        .obituary = on_obituary,
        .over = on_over,
    };

    open_loop(r);
    dq_list_set_watch(r->work.list, on_task, r);
    r->supervisor = dq_supervisor_new(&rule);
    uv_run(&r->loop, UV_RUN_DEFAULT);
    uv_loop_close(&r->loop);
    dq_sweep_after(r->work.plan->job.output, run_id);
    free(run_id);
}

void dq_run_work(const struct dq_run_work *work, struct dq_err *cause)
{
    int workers = work->options->workers;
    struct run r = {.work = *work, .cause = cause};

    r.devices = dq_new_array((size_t)workers, sizeof *r.devices);
    for (int i = 0; i < workers; i++)
        r.devices[i] = work->options->device;
    run(&r);
    dq_list_set_watch(work->list, NULL, NULL);
    free(r.devices);
    for (int i = 0; i < r.note_count; i++)
        free(r.notes[i]);
}
