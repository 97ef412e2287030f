/* depthq run: the main job without a queue. What is to be done becomes a list
 * of tasks in memory (cli/run_work.h does them); how it went is told. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "cli/commands.h"
#include "cli/problems.h"
#include "cli/run_report.h"
#include "cli/run_work.h"

enum { JOB = 1 };

struct run {
    struct dq_run_options options;
    struct dq_run_plan plan;
    struct dq_list *list;
    struct dq_progress *progress;
    json_t *devices; /* that workers had */
    int64_t began_ms;
    struct dq_err cause; /* why it ended early, when nobody asked */
};

/* ---- the list ------------------------------------------------------------*/

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
    size_t tasks;

    r->list = make_list(r);
    tasks = dq_list_count(r->list) - 1;
    if ((size_t)r->options.workers > tasks)
        r->options.workers = (int)tasks;
    r->began_ms = dq_run_now_ms();
    r->progress = make_progress(r);
    r->devices = json_array();
}

static void take_down(struct run *r)
{
    dq_progress_free(r->progress);
    json_decref(r->devices);
    dq_list_free(r->list);
}

/* ---- how it went ---------------------------------------------------------*/

static void print_document(const struct run *r, double seconds)
{
    json_t *o = dq_run_report_json(r->list, &r->cause, seconds);
    char *text;

    json_object_set_new(o, "job", dq_text_json(r->plan.job.spec->name));
    json_object_set_new(o, "file", dq_text_json(r->plan.job.spec->file));
    json_object_set_new(o, "output", dq_text_json(r->plan.job.output));
    json_object_set_new(o, "model", dq_run_plan_model_json(&r->plan));
    json_object_set(o, "devices", r->devices);
    text = dq_json_text(o);
    puts(text);
    free(text);
    json_decref(o);
}

static int report(struct run *r)
{
    double seconds = (double)(dq_run_now_ms() - r->began_ms) / 1000;
    char *line =
        dq_run_report_line(r->list, seconds, r->devices, r->plan.job.output);
    char *all = dq_asprintf("%s: %s", r->plan.job.spec->name, line);
    json_t *summary = dq_run_report_summary(r->list, &r->cause, seconds);

    json_object_set(summary, "devices", r->devices);
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

/* ---- the run -------------------------------------------------------------*/

static void work(struct run *r, const char *program)
{
    struct dq_run_work all = {.options = &r->options,
                              .plan = &r->plan,
                              .list = r->list,
                              .progress = r->progress,
                              .devices = r->devices,
                              .program = program};

    dq_run_work(&all, &r->cause);
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
