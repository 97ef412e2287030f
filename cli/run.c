/* depthq run: the main job without a queue. The same dispatcher, supervisor
 * and worker as the daemon's, over a list of tasks in memory. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "base/cores.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "cli/commands.h"
#include "cli/problems.h"
#include "cli/run_options.h"
#include "cli/run_plan.h"
#include "cli/run_report.h"
#include "daemon/supervise.h"
#include "daemon/sweep.h"

enum { JOB = 1, TICK_MS = 100, HURRY_MS = 10000, NOTES = 64 };

static const int stop_signals[] = {SIGTERM, SIGINT, SIGUSR1, SIGHUP};
enum { STOP_SIGNALS = sizeof stop_signals / sizeof *stop_signals };

struct run {
    struct dq_run_options options;
    struct dq_run_plan plan;
    struct dq_list *list;
    struct dq_progress *progress;
    struct dq_supervisor *supervisor;
    const char **devices;
    uv_loop_t loop;
    uv_timer_t tick;
    uv_signal_t signals[STOP_SIGNALS];
    int64_t began_ms;
    int64_t blocked_ms; /* since when storage is full; 0: it is not */
    int64_t give_up_ms; /* hurried, and still not over: 0 for no such time */
    int stops;          /* how often we were asked to stop */
    int over;
    struct dq_err cause; /* why it ended early, when nobody asked */
    char *notes[NOTES];  /* warnings told already */
    int note_count;
};

static int64_t now_ms(void)
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
        dq_progress_say(r->progress, "warning", "warning: %s", text);
}

static void on_words(void *context, int worker, const char *line)
{
    struct run *r = context;

    dq_progress_say(r->progress, "info", "worker %d: %s", worker + 1, line);
}

static void on_obituary(void *context, const struct dq_obituary *o)
{
    struct run *r = context;

    if (o->asked)
        return;
    dq_progress_say(r->progress, "warning",
                    "worker %d (pid %d, %s) died: %s%s%s", o->worker + 1,
                    o->pid, o->device, o->text, *o->frames ? "; in hand: " : "",
                    o->frames);
}

/* Full storage is waited for, but not for ever: somebody else may want the
 * device. The wait begins anew with each frame that finds room. */
static void watch_storage(struct run *r, const struct dq_list_entry *e)
{
    if (e->state == DQ_TASK_DONE && r->blocked_ms)
        r->blocked_ms =
            dq_list_goals(r->list, DQ_TASK_BLOCKED) > 0 ? now_ms() : 0;
    if (e->state != DQ_TASK_BLOCKED || r->blocked_ms)
        return;
    r->blocked_ms = now_ms();
    dq_progress_say(r->progress, "warning",
                    "storage is full, waiting for room (at most %.0f s): %s",
                    (double)r->options.patience_ms / 1000,
                    e->text ? e->text : "");
}

static void on_task(void *context, const struct dq_list_entry *entry,
                    const struct dq_result *result)
{
    struct run *r = context;

    dq_progress_task(r->progress, entry, result, now_ms());
    watch_storage(r, entry);
}

/* ---- stopping ------------------------------------------------------------*/

static void stop(struct run *r, const char *why)
{
    r->stops++;
    if (r->stops == 1) {
        dq_progress_say(r->progress, "info",
                        "%s: no more frames are begun; those in hand have "
                        "%.0f s (once more: stop at once)",
                        why, (double)r->options.grace_ms / 1000);
        dq_supervisor_stop(r->supervisor, r->options.grace_ms);
        return;
    }
    dq_progress_say(r->progress, "info", "%s: stopping at once", why);
    dq_supervisor_stop(r->supervisor, 0);
    r->give_up_ms = now_ms() + HURRY_MS;
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
    dq_progress_say(r->progress, "error",
                    "a worker hangs in the kernel (storage that does not "
                    "answer?); leaving it behind");
    dq_progress_free(r->progress);
    _exit(dq_code_exit(DQ_STOPPED));
}

static void on_tick(uv_timer_t *timer)
{
    struct run *r = timer->data;
    int64_t now = now_ms();

    dq_progress_tick(r->progress, now);
    if (r->give_up_ms && now >= r->give_up_ms)
        leave(r);
    if (r->blocked_ms && !r->stops &&
        now - r->blocked_ms >= r->options.patience_ms)
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
    dq_supervisor_stuck(r->supervisor, &r->cause);
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

    return dq_run_plan_job_line(&r->plan, job);
}

static struct dq_dispatch_rule dispatch_rule(struct run *r)
{
    struct dq_dispatch_rule rule = dq_dispatch_usual();

    rule.source = dq_list_source(r->list);
    rule.workers = r->options.workers;
    rule.seed = (uint64_t)getpid();
    dq_dispatch_set_stall(&rule, r->options.stall_ms);
    return rule;
}

static void work(struct run *r, const char *program)
{
    char *run_id = dq_sweep_name_run();
    struct dq_supervise_rule rule = {
        .dispatch = dispatch_rule(r),
        .loop = &r->loop,
        .program = program,
        .devices = r->devices,
        .threads = dq_threads_each(r->options.threads, r->options.workers),
        .memory = r->options.memory / (size_t)r->options.workers,
        .run_id = run_id,
        .context = r,
        .job_line = on_job_line,
        .note = on_note,
        .words = on_words,
        .obituary = on_obituary,
        .over = on_over,
    };

    open_loop(r);
    r->supervisor = dq_supervisor_new(&rule);
    uv_run(&r->loop, UV_RUN_DEFAULT);
    uv_loop_close(&r->loop);
    dq_sweep_after(r->plan.job.output, run_id);
    free(run_id);
}

/* ---- before and after ----------------------------------------------------*/

static int is_steady(const struct run *r)
{
    return r->plan.job.spec->stabilize == DQ_STABILIZE_SHOT;
}

/* How many frames are scanned by this run. */
static size_t scans_of(const struct run *r)
{
    if (is_steady(r) && r->options.stage == DQ_RUN_ALL)
        return r->plan.job.all.count;
    return r->options.stage == DQ_RUN_SCAN ? r->plan.chosen.count : 0;
}

static struct dq_progress *make_progress(const struct run *r)
{
    const char *no_colour = getenv("NO_COLOR");
    struct dq_progress_rule rule = {
        .fd = STDERR_FILENO,
        .form = dq_progress_form_for(r->options.progress, STDERR_FILENO),
        .colour = (!no_colour || !*no_colour) && isatty(STDERR_FILENO),
        .name = r->plan.job.spec->name,
        .frames = dq_list_count(r->list) - dq_list_goal(r->list),
        .scans = scans_of(r),
        .workers = r->options.workers,
    };

    return dq_progress_new(&rule, r->began_ms);
}

/* Scan and solve are the whole shot's, whatever frames a run makes. */
static struct dq_list *make_list(struct run *r)
{
    enum dq_run_stage stage = r->options.stage;
    struct dq_list_plan plan = {.job = JOB,
                                .renders = &r->plan.chosen,
                                .retries = r->plan.job.spec->retries};

    if (is_steady(r) && stage != DQ_RUN_RENDER) {
        if (stage != DQ_RUN_SOLVE)
            plan.scans =
                stage == DQ_RUN_SCAN ? &r->plan.chosen : &r->plan.job.all;
        plan.scan_from = r->plan.chosen.frames[0];
        plan.solve = stage != DQ_RUN_SCAN;
        if (stage != DQ_RUN_ALL)
            plan.renders = NULL;
    }
    return dq_list_of(&plan);
}

static void set_up(struct run *r)
{
    int workers = r->options.workers;
    size_t tasks;

    r->list = make_list(r);
    tasks = dq_list_count(r->list) - 1;
    if ((size_t)workers > tasks)
        r->options.workers = workers = (int)tasks;
    r->devices = dq_new_array((size_t)workers, sizeof *r->devices);
    for (int i = 0; i < workers; i++)
        r->devices[i] = r->options.device;
    r->began_ms = now_ms();
    dq_list_set_watch(r->list, on_task, r);
    r->progress = make_progress(r);
}

static void take_down(struct run *r)
{
    dq_progress_free(r->progress);
    dq_list_free(r->list);
    free(r->devices);
    for (int i = 0; i < r->note_count; i++)
        free(r->notes[i]);
}

static void print_document(const struct run *r, double seconds)
{
    json_t *o = dq_run_report_json(r->list, &r->cause, seconds);
    char *text;

    json_object_set_new(o, "job", dq_text_json(r->plan.job.spec->name));
    json_object_set_new(o, "file", dq_text_json(r->plan.job.spec->file));
    json_object_set_new(o, "output", dq_text_json(r->plan.job.output));
    json_object_set_new(o, "model", dq_run_plan_model_json(&r->plan));
    text = dq_json_text(o);
    puts(text);
    free(text);
    json_decref(o);
}

static int report(struct run *r)
{
    double seconds = (double)(now_ms() - r->began_ms) / 1000;
    char *line = dq_run_report_line(r->list, seconds, r->plan.job.output);
    char *all = dq_asprintf("%s: %s", r->plan.job.spec->name, line);
    json_t *summary = dq_run_report_summary(r->list, &r->cause, seconds);

    if (r->cause.code)
        dq_progress_say(r->progress, "error",
                        "depthq run: no worker can work: %s", r->cause.text);
    dq_progress_sum_up(r->progress, all, summary);
    if (r->options.json)
        print_document(r, seconds);
    json_decref(summary);
    free(all);
    free(line);
    return dq_run_report_status(r->list, &r->cause);
}

static int run_plan(struct run *r, struct dq_err *err)
{
    char *program = dq_path_libexec("depthq-worker", err);
    int status;

    if (!program)
        return dq_code_exit(err->code);
    set_up(r);
    work(r, program);
    free(program);
    status = report(r);
    take_down(r);
    return status;
}

/* A job that cannot be begun. */
static void tell_error(const struct run *r, const struct dq_err *err)
{
    dq_job_plan_tell(&r->plan.job, r->options.job, "depthq run", err, stderr);
    if (err->code == DQ_USAGE)
        fputs("Try: depthq run --help\n", stderr);
    if (r->options.json) {
        json_t *o =
            json_pack("{s:o, s:o}", "error", dq_error_json(err), "problems",
                      dq_problems_json(&r->plan.job.problems));
        char *text = dq_json_text(o);

        puts(text);
        free(text);
        json_decref(o);
    }
}

static int check_stage(const struct run *r, struct dq_err *err)
{
    if (r->options.stage == DQ_RUN_ALL || is_steady(r))
        return DQ_OK;
    return dq_fail(err, DQ_USAGE,
                   "--stage: the job does not say 'stabilize: shot', so there "
                   "is nothing but to render");
}

static int do_run(struct run *r)
{
    struct dq_err err = {0};
    int status = 0;

    if (!dq_run_plan_make(&r->options, &r->plan, &err) &&
        !check_stage(r, &err)) {
        if (!r->options.dry_run)
            status = run_plan(r, &err);
        else
            dq_run_plan_print(&r->plan, r->options.json, &err);
    }
    if (err.code) {
        tell_error(r, &err);
        status = dq_code_exit(err.code);
    }
    dq_run_plan_free(&r->plan);
    return status;
}

int dq_cli_run(int argc, char **argv)
{
    struct run r = {0};
    struct dq_err err = {0};

    if (dq_run_options_parse(argc, argv, &r.options, &err)) {
        if (err.text[0])
            fprintf(stderr, "depthq run: %s\nTry: depthq run --help\n",
                    err.text);
        return dq_code_exit(DQ_USAGE);
    }
    if (r.options.help) {
        fputs(dq_run_help, stdout);
        return 0;
    }
    return do_run(&r);
}
