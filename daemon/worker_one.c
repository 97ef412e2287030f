#include "daemon/worker_one.h"

#include <unistd.h>

#include "base/mem.h"
#include "jobs/library.h"
#include "jobs/spec.h"

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

static void do_kind(struct dq_worker *w, enum dq_task_kind kind, int32_t frame)
{
    struct dq_task task = {
        .job = 1, .kind = kind, .frame = frame, .attempt = 1};

    dq_worker_do(w, &task);
}

/* What a phase needs has settled when the pipeline of the one before has. */
static void next_phase(struct dq_worker *w, const struct dq_pipeline_rule *rule)
{
    dq_pipeline_finish(w->pipeline);
    w->pipeline = dq_pipeline_new(rule);
}

int dq_worker_one(struct dq_worker *w, const struct dq_worker_args *args,
                  const struct dq_pipeline_rule *rule, struct dq_err *err)
{
    struct dq_wire_job job = {0};
    const struct dq_recipe *recipe;

    w->fd = STDOUT_FILENO;
    if (!wire_job_of_file(args->one_job, &job, err)) {
        dq_worker_learn(w, &job);
        do_kind(w, DQ_TASK_SURVEY, 0);
        next_phase(w, rule);
        recipe = dq_worker_recipe(w, 1);
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
