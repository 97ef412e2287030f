/* depthq-worker: one device, one network, frames through the pipeline.
 *
 * Started by the supervisor with one end of a socketpair as descriptor 3
 * (daemon/wire.h), never by people except as `--one JOB FRAME` under a
 * debugger. It ignores the signals of people and engines: its supervisor
 * decides, and dies with it.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "daemon/sweep.h"
#include "daemon/wire.h"
#include "daemon/worker_args.h"
#include "daemon/worker_check.h"
#include "daemon/worker_recipe.h"
#include "infer/pipeline.h"
#include "jobs/library.h"
#include "jobs/spec.h"
#if DQ_TORCH
#include "infer/torch_shim.h"
#endif

/* A frame for each thread, and one more so that none waits for a ticket. Two
 * a side: writing a 4K frame takes longer than a fast network does, and one
 * waits for the disk while the other encodes. */
enum { READERS = 2, WRITERS = 2, TICKETS = READERS + 1 + WRITERS + 1 };

/* A job that this worker knows: its recipe, or why there is none. */
struct known_job {
    int64_t job;
    struct dq_recipe *recipe;
    struct dq_err err;
    struct known_job *next;
};

struct worker {
    int fd;
    pthread_mutex_t sending; /* lines of several threads must not mix */
    struct dq_pipeline *pipeline;
    struct known_job *jobs; /* main thread only */
    const char *id;         /* in names of temps: which worker of which run */
    int failed;             /* --one: what the exit status says */
};

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

static void send_line(struct worker *w, char *line)
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

    send_line(context, dq_wire_stage_line(&task, stage));
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
    struct worker *w = context;
    struct dq_result result = {.task = task_of(request)};

    if (dq_fault(DQ_FAULT_SETTLE))
        _exit(dq_code_exit(DQ_WORKER));
    fill_result(&result, outcome);
    if (result.code)
        w->failed = result.code;
    send_line(w, dq_wire_result_line(&result));
    if (result.code == DQ_DEVICE) /* only a new process helps: errors stick */
        _exit(dq_code_exit(DQ_DEVICE));
}

static void on_note(void *context, const char *text)
{
    send_line(context, dq_wire_note_line(text));
}

/* ---- jobs ---------------------------------------------------------------- */

static struct known_job *find_job(struct worker *w, int64_t job)
{
    struct known_job *k = w->jobs;

    while (k && k->job != job)
        k = k->next;
    return k;
}

static void learn_job(struct worker *w, const struct dq_wire_job *job)
{
    struct known_job *k;

    if (find_job(w, job->job))
        return; /* told twice: the first stands */
    k = dq_new(sizeof *k);
    k->job = job->job;
    k->recipe = dq_recipe_new(job, &k->err);
    k->next = w->jobs;
    w->jobs = k;
}

/* The supervisor forgets a job only when none of its tasks is with us. */
static void forget_job(struct worker *w, int64_t job)
{
    for (struct known_job **at = &w->jobs; *at; at = &(*at)->next) {
        struct known_job *k = *at;

        if (k->job != job)
            continue;
        *at = k->next;
        dq_recipe_free(k->recipe);
        free(k);
        return;
    }
}

static void refuse(struct worker *w, const struct dq_task *task,
                   const struct dq_err *err)
{
    struct dq_result result = {.task = *task, .code = err->code};

    w->failed = err->code;
    snprintf(result.text, sizeof result.text, "%s", err->text);
    send_line(w, dq_wire_result_line(&result));
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

static void do_task(struct worker *w, const struct dq_task *task)
{
    const struct known_job *k = find_job(w, task->job);
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

static void drop_task(struct worker *w, const struct dq_task *task)
{
    const struct known_job *k = find_job(w, task->job);
    struct dq_request request;

    if (!k || !k->recipe)
        return;
    request = request_of(task, k->recipe);
    dq_pipeline_drop(w->pipeline, &request);
}

/* ---- listening ----------------------------------------------------------- */

static int is(const json_t *message, const char *what)
{
    const char *m = json_string_value(json_object_get(message, "m"));

    return m && strcmp(m, what) == 0;
}

/* One message; true when it ends the conversation. */
static int obey(struct worker *w, const json_t *message, struct dq_err *err)
{
    struct dq_wire_job job = {0};
    struct dq_task task = {0};

    if (is(message, "job")) {
        if (!dq_wire_read_job(message, &job, err))
            learn_job(w, &job);
        dq_wire_job_free(&job);
    } else if (is(message, "task")) {
        if (!dq_wire_read_task(message, &task, err))
            do_task(w, &task);
    } else if (is(message, "drop")) {
        if (!dq_wire_read_task(message, &task, err))
            drop_task(w, &task);
    } else if (is(message, "forget")) {
        forget_job(w, json_integer_value(json_object_get(message, "job")));
    } else if (is(message, "drain")) {
        return 1;
    } else {
        dq_fail(err, DQ_BUG, "a message that no worker knows");
    }
    return 0;
}

/* Everything that has arrived whole; true when the conversation is over. */
static int obey_all(struct worker *w, struct dq_bytes *received,
                    struct dq_err *err)
{
    json_t *message;
    int over = 0;

    while (!over && !err->code && (message = dq_wire_next(received, err))) {
        over = obey(w, message, err);
        json_decref(message);
    }
    return over || err->code;
}

static int listen_to_supervisor(struct worker *w)
{
    struct dq_bytes received = {0};
    struct dq_err err = {0};
    char piece[65536];
    ssize_t n;

    do {
        n = read(w->fd, piece, sizeof piece);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) /* no supervisor, no owner: nothing may be published */
            _exit(dq_code_exit(DQ_WORKER));
        dq_bytes_add(&received, piece, (size_t)n);
    } while (!obey_all(w, &received, &err));
    dq_bytes_free(&received);
    if (err.code)
        dq_log_error("conversation broken", "cause", err.text);
    return err.code;
}

/* ---- one frame, for a debugger ------------------------------------------- */

static int wire_job_of_file(const char *path, struct dq_wire_job *job,
                            struct dq_err *err)
{
    struct dq_problems problems = {0};
    struct dq_model_ref model = {0};
    struct dq_bytes text = {0};
    struct dq_range found = {0};
    struct dq_spec *spec = dq_spec_read(path, &problems, err);

    if (spec && !dq_library_find(spec->model, spec->folder, 1, &model, err) &&
        !dq_bytes_read_file(&text, spec->file, 1 << 16, DQ_SPEC, err) &&
        (spec->frames.count || !dq_sequence_scan(&spec->plate, &found, err))) {
        job->job = 1;
        job->yaml = dq_strndup(text.data, text.count);
        job->file = dq_strdup(spec->file);
        job->folder = dq_strdup(spec->folder);
        job->frames =
            dq_range_text(spec->frames.count ? &spec->frames : &found);
        job->model_path = dq_strdup(model.path);
        job->model_sha256 = dq_strdup(model.sha256);
    }
    dq_range_free(&found);
    dq_bytes_free(&text);
    dq_model_ref_free(&model);
    dq_spec_free(spec);
    dq_problems_free(&problems);
    return err->code;
}

static void do_kind(struct worker *w, enum dq_task_kind kind, int32_t frame)
{
    struct dq_task task = {
        .job = 1, .kind = kind, .frame = frame, .attempt = 1};

    do_task(w, &task);
}

/* What a phase needs has settled when the pipeline of the one before has. */
static void next_phase(struct worker *w, const struct dq_pipeline_rule *rule)
{
    dq_pipeline_finish(w->pipeline);
    w->pipeline = dq_pipeline_new(rule);
}

/* A frame needs the shot's survey, and where it is steadied all of the shot's
 * guides. */
static int do_one(struct worker *w, const struct dq_worker_args *args,
                  const struct dq_pipeline_rule *rule, struct dq_err *err)
{
    struct dq_wire_job job = {0};
    const struct dq_recipe *recipe;

    w->fd = STDOUT_FILENO;
    if (!wire_job_of_file(args->one_job, &job, err)) {
        learn_job(w, &job);
        do_kind(w, DQ_TASK_SURVEY, 0);
        next_phase(w, rule);
        recipe = find_job(w, 1)->recipe;
        if (recipe && recipe->steady) {
            for (size_t i = 0; i < recipe->frames.count; i++)
                do_kind(w, DQ_TASK_SCAN, recipe->frames.frames[i]);
            next_phase(w, rule);
            do_kind(w, DQ_TASK_SOLVE, 0);
            next_phase(w, rule);
        }
        do_kind(w, DQ_TASK_RENDER, args->one_frame);
    }
    dq_wire_job_free(&job);
    return err->code;
}

/* ---- life ---------------------------------------------------------------- */

static void ignore_signals(void)
{
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGUSR1, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file limit is an error of write(2) */
}

static void pick_device(const struct dq_worker_args *args,
                        struct dq_device *device)
{
    const char *name = args->device;

    if (strcmp(name, "auto") == 0) {
#if DQ_TORCH
        name = dq_torch_cuda_devices() > 0 ? "cuda:0" : "cpu";
#else
        name = "cpu";
#endif
    }
    snprintf(device->name, sizeof device->name, "%s", name);
    device->threads = args->threads;
}

static void say_hello(struct worker *w, const struct dq_device *device)
{
    struct dq_wire_hello hello = {.pid = (int)getpid(), .credit = TICKETS};

    snprintf(hello.version, sizeof hello.version, "%s", DQ_VERSION);
    snprintf(hello.device, sizeof hello.device, "%s", device->name);
    dq_backend_execution_class(device, hello.execution, sizeof hello.execution);
    send_line(w, dq_wire_hello_line(&hello));
}

static struct dq_pipeline_rule rule_of(struct worker *w,
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

static int serve(const struct dq_worker_args *args, struct dq_err *err)
{
    struct worker w = {.fd = DQ_WIRE_FD, .id = args->run_id};
    struct dq_pipeline_rule rule;
    struct dq_device device = {0};
    int code;

    pthread_mutex_init(&w.sending, NULL);
    pick_device(args, &device);
    if (args->check)
        return dq_worker_check(&device);
    rule = rule_of(&w, args, &device);
    w.pipeline = dq_pipeline_new(&rule);
    if (args->one_job) {
        code = do_one(&w, args, &rule, err);
    } else {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        say_hello(&w, &device);
        code = listen_to_supervisor(&w);
    }
    dq_pipeline_finish(w.pipeline);
    while (w.jobs)
        forget_job(&w, w.jobs->job);
    pthread_mutex_destroy(&w.sending);
    return code ? code : args->one_job ? w.failed : DQ_OK;
}

int main(int argc, char **argv)
{
    struct dq_worker_args args;
    struct dq_err err = {0};
    int code;

    dq_log_setup("depthq-worker", DQ_LOG_INFO, DQ_LOG_TEXT);
    dq_fault_setup();
    ignore_signals();
    if (dq_worker_args_parse(argc, argv, &args, &err)) {
        fprintf(stderr, "depthq-worker: %s\n", err.text);
        return dq_code_exit(err.code);
    }
#if DQ_TORCH
    dq_torch_process_setup();
#endif
    code = serve(&args, &err);
    if (err.text[0])
        fprintf(stderr, "depthq-worker: %s\n", err.text);
    return dq_code_exit(code);
}
