#include "daemon/worker_tasks.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/mem.h"
#include "daemon/sweep.h"
#include "daemon/worker_recipe.h"

/* A frame for each thread, and one more so that none waits for a ticket. Two
 * a side: writing a 4K frame takes longer than a fast network does, and one
 * waits for the disk while the other encodes. */
enum { READERS = 2, WRITERS = 2, TICKETS = READERS + 1 + WRITERS + 1 };

/* A job that this worker knows: its recipe, or why there is none. */
struct dq_known_job {
    int64_t job;
    struct dq_recipe *recipe;
    struct dq_err err;
    struct dq_known_job *next;
};

int dq_worker_credit(void)
{
    return TICKETS;
}

/* ---- telling ------------------------------------------------------------- */

/* A supervisor that is gone needs no more words: it took the frames back. */
static void write_all(int fd, const char *text, size_t count)
{
    while (count > 0) {
        ssize_t n = write(fd, text, count);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            _exit(dq_code_exit(DQ_WORKER));
        text += n;
        count -= (size_t)n;
    }
}

void dq_worker_send(struct dq_worker *w, char *line)
{
    pthread_mutex_lock(&w->sending);
    write_all(w->fd, line, strlen(line));
    pthread_mutex_unlock(&w->sending);
    free(line);
}

static struct dq_task task_of(const struct dq_request *request)
{
    static const enum dq_task_kind kinds[] = {[DQ_WORK_SURVEY] = DQ_TASK_SURVEY,
                                              [DQ_WORK_SCAN] = DQ_TASK_SCAN,
                                              [DQ_WORK_SOLVE] = DQ_TASK_SOLVE,
                                              [DQ_WORK_RENDER] =
                                                  DQ_TASK_RENDER};
    struct dq_task task = {
        .job = request->recipe->job,
        .kind = kinds[request->work],
        .frame = request->frame,
        .attempt = request->attempt,
    };

    return task;
}

static void on_stage(void *context, const struct dq_request *request,
                     const char *stage)
{
    struct dq_task task = task_of(request);

    dq_worker_send(context, dq_wire_stage_line(&task, stage));
}

static void fill_result(struct dq_result *result,
                        const struct dq_outcome *outcome)
{
    const struct dq_stage_seconds *s = &outcome->seconds;
    struct dq_stage_times times = {s->read,   s->colour,  s->infer,
                                   s->encode, s->publish, s->total};

    result->code = outcome->err.code;
    snprintf(result->text, sizeof result->text, "%s", outcome->err.text);
    result->skipped = outcome->skipped;
    snprintf(result->path, sizeof result->path, "%s",
             outcome->path ? outcome->path : "");
    memcpy(result->sha256, outcome->sha256, DQ_SHA256_HEX);
    memcpy(result->fingerprint, outcome->fingerprint, DQ_SHA256_HEX);
    result->bytes = outcome->bytes;
    memcpy(result->suspect, outcome->suspect, sizeof result->suspect);
    result->seconds = times;
    result->low = outcome->low;
    result->high = outcome->high;
}

static void on_settled(void *context, const struct dq_request *request,
                       const struct dq_outcome *outcome)
{
    struct dq_worker *w = context;
    struct dq_result result = {.task = task_of(request)};

    if (dq_fault(DQ_FAULT_SETTLE))
        _exit(dq_code_exit(DQ_WORKER));
    fill_result(&result, outcome);
    if (result.code)
        w->failed = result.code;
    dq_worker_send(w, dq_wire_result_line(&result));
    if (result.code == DQ_DEVICE) /* only a new process helps: errors stick */
        _exit(dq_code_exit(DQ_DEVICE));
}

static void on_note(void *context, const char *text)
{
    dq_worker_send(context, dq_wire_note_line(text));
}

struct dq_pipeline_rule dq_worker_rule(struct dq_worker *w,
                                       const struct dq_worker_args *args,
                                       const struct dq_device *device)
{
    struct dq_pipeline_rule rule = {.device = *device,
                                    .readers = READERS,
                                    .writers = WRITERS,
                                    .tickets = TICKETS,
                                    .memory = args->memory,
                                    .run_id = args->run_id,
                                    .context = w,
                                    .stage = on_stage,
                                    .settled = on_settled,
                                    .note = on_note};

    return rule;
}

/* ---- jobs ---------------------------------------------------------------- */

static struct dq_known_job *find_job(const struct dq_worker *w, int64_t job)
{
    struct dq_known_job *k = w->jobs;

    while (k && k->job != job)
        k = k->next;
    return k;
}

void dq_worker_learn(struct dq_worker *w, const struct dq_wire_job *job)
{
    struct dq_known_job *k;

    if (find_job(w, job->job))
        return;
    k = dq_new(sizeof *k);
    k->job = job->job;
    k->recipe = dq_recipe_new(job, &k->err);
    k->next = w->jobs;
    w->jobs = k;
}

void dq_worker_forget(struct dq_worker *w, int64_t job)
{
    for (struct dq_known_job **at = &w->jobs; *at; at = &(*at)->next) {
        struct dq_known_job *k = *at;

        if (k->job != job)
            continue;
        *at = k->next;
        dq_recipe_free(k->recipe);
        free(k);
        return;
    }
}

void dq_worker_forget_all(struct dq_worker *w)
{
    while (w->jobs)
        dq_worker_forget(w, w->jobs->job);
}

const struct dq_recipe *dq_worker_recipe(const struct dq_worker *w, int64_t job)
{
    const struct dq_known_job *k = find_job(w, job);

    return k ? k->recipe : NULL;
}

/* ---- tasks --------------------------------------------------------------- */

static void refuse(struct dq_worker *w, const struct dq_task *task,
                   const struct dq_err *err)
{
    struct dq_result result = {.task = *task, .code = err->code};

    w->failed = err->code;
    snprintf(result.text, sizeof result.text, "%s", err->text);
    dq_worker_send(w, dq_wire_result_line(&result));
}

static struct dq_request request_of(const struct dq_task *task,
                                    const struct dq_recipe *recipe)
{
    static const enum dq_work works[] = {[DQ_TASK_SURVEY] = DQ_WORK_SURVEY,
                                         [DQ_TASK_SCAN] = DQ_WORK_SCAN,
                                         [DQ_TASK_SOLVE] = DQ_WORK_SOLVE,
                                         [DQ_TASK_RENDER] = DQ_WORK_RENDER};
    struct dq_request request = {.recipe = recipe,
                                 .work = works[task->kind],
                                 .frame = task->frame,
                                 .attempt = task->attempt};

    return request;
}

void dq_worker_do(struct dq_worker *w, const struct dq_task *task)
{
    const struct dq_known_job *k = find_job(w, task->job);
    struct dq_request request;
    struct dq_err err = {0};

    if (!k || !k->recipe) {
        if (!k)
            dq_fail(&err, DQ_BUG, "a task of job %" PRId64 ", never told of",
                    task->job);
        refuse(w, task, k ? &k->err : &err);
        return;
    }
    dq_sweep_before(&k->recipe->output, w->id, task);
    request = request_of(task, k->recipe);
    dq_pipeline_submit(w->pipeline, &request);
}

void dq_worker_drop(struct dq_worker *w, const struct dq_task *task)
{
    const struct dq_known_job *k = find_job(w, task->job);
    struct dq_request request;

    if (!k || !k->recipe)
        return;
    request = request_of(task, k->recipe);
    dq_pipeline_drop(w->pipeline, &request);
}
