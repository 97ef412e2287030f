#include "cli/run_report.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/range.h"
#include "cli/problems.h"

static int finished(enum dq_task_state state)
{
    return state == DQ_TASK_DONE || state == DQ_TASK_SKIPPED ||
           state == DQ_TASK_EATEN;
}

/* ---- the exit status -----------------------------------------------------*/

static int permanent(int code)
{
    enum dq_policy policy = dq_code_policy(code);

    return policy == DQ_POLICY_FAIL_FRAME || policy == DQ_POLICY_FAIL_JOB;
}

/* Whether another run could mend it: a frame that killed every worker it
 * was alone with will do so again. */
static int worth_another_run(const struct dq_list_entry *e)
{
    return e->state != DQ_TASK_FAILED ||
           (!permanent(e->code) && e->code != DQ_WORKER);
}

/* The code that every frame failed with, or DQ_OK. */
static int common_code(const struct dq_list *list)
{
    int code = dq_list_at(list, dq_list_goal(list))->code;

    for (size_t i = dq_list_goal(list); i < dq_list_count(list); i++) {
        const struct dq_list_entry *e = dq_list_at(list, i);

        if (e->state != DQ_TASK_FAILED || e->code != code)
            return DQ_OK;
    }
    return code;
}

/* What failed all of the job, or DQ_OK. */
static int job_code(const struct dq_list *list)
{
    for (size_t i = 0; i < dq_list_count(list); i++) {
        const struct dq_list_entry *e = dq_list_at(list, i);

        if (e->state == DQ_TASK_FAILED &&
            (!dq_task_has_frame(e->task.kind) ||
             dq_code_policy(e->code) == DQ_POLICY_FAIL_JOB))
            return e->code;
    }
    return common_code(list);
}

int dq_run_report_status(const struct dq_list *list, const struct dq_err *cause)
{
    int code, all = 1, hope = 1;

    for (size_t i = dq_list_goal(list); i < dq_list_count(list); i++) {
        const struct dq_list_entry *e = dq_list_at(list, i);

        all &= finished(e->state);
        hope &= finished(e->state) || worth_another_run(e);
    }
    if (all)
        return 0;
    code = cause->code ? cause->code : job_code(list);
    /* what killed every worker it was alone with is no passing failure: a farm
     * engine that is told 75 would start it for ever */
    if (code && code != DQ_WORKER)
        return dq_code_exit(code);
    return hope ? dq_code_exit(DQ_STOPPED) : 1;
}

/* ---- one line ------------------------------------------------------------*/

/* Of a run that only solves: its one goal has no frame. */
static int goal_has_frame(const struct dq_list *list)
{
    return dq_task_has_frame(dq_list_at(list, dq_list_goal(list))->task.kind);
}

static char *failed_goals(const struct dq_list *list)
{
    struct dq_range range = {0};
    char *text;

    if (!goal_has_frame(list))
        return dq_strdup(
            dq_task_kind_name(dq_list_at(list, dq_list_goal(list))->task.kind));
    range.frames = dq_new_array(dq_list_count(list), sizeof *range.frames);
    for (size_t i = dq_list_goal(list); i < dq_list_count(list); i++)
        if (dq_list_at(list, i)->state == DQ_TASK_FAILED)
            range.frames[range.count++] = dq_list_at(list, i)->task.frame;
    text = dq_range_text(&range);
    dq_range_free(&range);
    return text;
}

/* What is neither finished nor failed nor blocked: it was not come to. */
static size_t left_over(const struct dq_list *list)
{
    return dq_list_goals(list, DQ_TASK_READY) +
           dq_list_goals(list, DQ_TASK_WAITING) +
           dq_list_goals(list, DQ_TASK_RETRY) +
           dq_list_goals(list, DQ_TASK_RUNNING);
}

static void add_count(struct dq_bytes *line, const char *what, size_t count)
{
    if (count)
        dq_bytes_printf(line, ", %s %zu", what, count);
}

/* ", 1.25 s/frame on cpu" */
static void add_pace(struct dq_bytes *line, double seconds,
                     const json_t *devices)
{
    dq_bytes_printf(line, ", %.2f s/frame", seconds);
    for (size_t i = 0; i < json_array_size(devices); i++)
        dq_bytes_printf(line, "%s %s", i ? " and" : " on",
                        json_string_value(json_object_get(
                            json_array_get(devices, i), "device")));
}

char *dq_run_report_line(const struct dq_list *list, double seconds,
                         const json_t *devices, const char *output)
{
    size_t done = dq_list_goals(list, DQ_TASK_DONE);
    size_t failed = dq_list_goals(list, DQ_TASK_FAILED);
    struct dq_bytes line = {0};

    dq_bytes_printf(&line, "done %zu", done);
    add_count(&line, "skipped", dq_list_goals(list, DQ_TASK_SKIPPED));
    add_count(&line, "failed", failed);
    if (failed) {
        char *which = failed_goals(list);

        dq_bytes_printf(&line, " (%s)", which);
        free(which);
    }
    add_count(&line, "blocked", dq_list_goals(list, DQ_TASK_BLOCKED));
    add_count(&line, "not done", left_over(list));
    if (done)
        add_pace(&line, seconds / (double)done, devices);
    dq_bytes_printf(&line, ", to %s", output);
    return line.data;
}

/* ---- JSON ----------------------------------------------------------------*/

json_t *dq_error_json(const struct dq_err *err)
{
    return json_pack("{s:s, s:o, s:b}", "code", dq_code_name(err->code),
                     "message", dq_text_json(err->text), "retryable",
                     !permanent(err->code));
}

static void add_made(json_t *o, const struct dq_list_entry *e)
{
    const struct dq_stage_times *s = &e->seconds;

    json_object_set_new(o, "path", dq_text_json(e->path ? e->path : ""));
    json_object_set_new(o, "sha256", json_string(e->sha256));
    json_object_set_new(o, "size_bytes", json_integer(e->bytes));
    if (e->odd)
        json_object_set_new(o, "suspect", dq_text_json(e->odd));
    if (e->state != DQ_TASK_DONE)
        return;
    json_object_set_new(o, "low", json_real(e->low));
    json_object_set_new(o, "high", json_real(e->high));
    json_object_set_new(o, "total_seconds", json_real(s->total));
    json_object_set_new(o, "read_seconds", json_real(s->read));
    json_object_set_new(o, "colour_seconds", json_real(s->colour));
    json_object_set_new(o, "infer_seconds", json_real(s->infer));
    json_object_set_new(o, "encode_seconds", json_real(s->encode));
    json_object_set_new(o, "publish_seconds", json_real(s->publish));
}

static json_t *entry_json(const struct dq_list_entry *e)
{
    json_t *o = json_object();

    if (dq_task_has_frame(e->task.kind))
        json_object_set_new(o, "frame", json_integer(e->task.frame));
    else
        json_object_set_new(o, "stage",
                            json_string(dq_task_kind_name(e->task.kind)));
    json_object_set_new(o, "state", json_string(dq_task_state_name(e->state)));
    json_object_set_new(o, "attempt", json_integer(e->task.attempt));
    json_object_set_new(o, "failures", json_integer(e->failures));
    if (finished(e->state)) {
        add_made(o, e);
    } else if (e->code) {
        struct dq_err err = {0};

        dq_fail(&err, e->code, "%s", e->text ? e->text : dq_code_text(e->code));
        json_object_set_new(o, "error", dq_error_json(&err));
    }
    return o;
}

static json_t *counts_json(const struct dq_list *list)
{
    json_t *o = json_object();

    for (int s = 0; s < DQ_TASK_STATES; s++) {
        size_t count = dq_list_goals(list, (enum dq_task_state)s);

        if (count)
            json_object_set_new(o, dq_task_state_name((enum dq_task_state)s),
                                json_integer((json_int_t)count));
    }
    return o;
}

json_t *dq_run_report_summary(const struct dq_list *list,
                              const struct dq_err *cause, double seconds)
{
    json_t *o = json_pack("{s:s, s:i, s:o, s:f}", "event", "summary",
                          "exit_status", dq_run_report_status(list, cause),
                          "counts", counts_json(list), "run_seconds", seconds);

    if (cause->code)
        json_object_set_new(o, "error", dq_error_json(cause));
    return o;
}

json_t *dq_run_report_json(const struct dq_list *list,
                           const struct dq_err *cause, double seconds)
{
    json_t *o = dq_run_report_summary(list, cause, seconds);
    json_t *frames = json_array();

    for (size_t i = dq_list_goal(list); i < dq_list_count(list); i++)
        json_array_append_new(frames, entry_json(dq_list_at(list, i)));
    json_object_del(o, "event");
    json_object_set_new(o, "frames", frames);
    return o;
}
