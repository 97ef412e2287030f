#include "cli/run_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "cli/problems.h"

/* ---- making --------------------------------------------------------------*/

/* A chunk may cut the shot anywhere, but all of it is the shot's. */
static int choose_frames(const char *text, struct dq_run_plan *plan,
                         struct dq_err *err)
{
    char *missing, *all;

    if (!text) {
        dq_range_copy(&plan->job.all, &plan->chosen);
        return DQ_OK;
    }
    if (dq_range_parse(text, &plan->chosen, err)) {
        dq_because(err, "--frames");
        return err->code = DQ_USAGE;
    }
    missing = dq_range_missing(&plan->job.all, &plan->chosen);
    all = dq_range_text(&plan->job.all);
    if (missing)
        dq_fail(err, DQ_USAGE,
                "--frames: %.200s %s not among the job's frames (%.200s)",
                missing, strpbrk(missing, "-,") ? "are" : "is", all);
    free(missing);
    free(all);
    return err->code;
}

int dq_run_plan_make(const struct dq_run_options *options,
                     struct dq_run_plan *plan, struct dq_err *err)
{
    memset(plan, 0, sizeof *plan);
    plan->stage = options->stage;
    plan->resolve = options->resolve;
    if (dq_job_plan_read(options->job, &plan->job, err) ||
        choose_frames(options->frames, plan, err) ||
        dq_library_find(plan->job.spec->model, plan->job.spec->folder, 1,
                        &plan->model, err))
        return err->code;
    return DQ_OK;
}

void dq_run_plan_free(struct dq_run_plan *plan)
{
    dq_job_plan_free(&plan->job);
    dq_model_ref_free(&plan->model);
    dq_range_free(&plan->chosen);
    memset(plan, 0, sizeof *plan);
}

/* ---- telling -------------------------------------------------------------*/

static char *model_name(const struct dq_run_plan *plan)
{
    const struct dq_model_ref *m = &plan->model;

    return m->name ? dq_asprintf("%s@%s", m->name, m->version)
                   : dq_strdup(m->path);
}

json_t *dq_run_plan_model_json(const struct dq_run_plan *plan)
{
    const struct dq_model_ref *m = &plan->model;
    json_t *o = json_object();

    if (m->name) {
        json_object_set_new(o, "name", dq_text_json(m->name));
        json_object_set_new(o, "version", dq_text_json(m->version));
    }
    json_object_set_new(o, "path", dq_text_json(m->path));
    if (m->sha256[0])
        json_object_set_new(o, "sha256", json_string(m->sha256));
    return o;
}

static void print_words(const struct dq_run_plan *plan, const char *sha256)
{
    char *all = dq_range_text(&plan->job.all), *plate,
         *model = model_name(plan);
    char *chosen = dq_range_text(&plan->chosen);
    char *first =
        dq_sequence_path(&plan->job.spec->output.path, plan->chosen.frames[0]);

    plate = dq_sequence_text(&plan->job.spec->plate);
    printf("job     %s (%s)\n", plan->job.spec->name, plan->job.spec->file);
    printf("plate   %s\n", plate);
    printf("frames  %s (%zu of %zu: %s)\n", chosen, plan->chosen.count,
           plan->job.all.count, all);
    printf("model   %s\n        %s\n        sha256 %s\n", model,
           plan->model.path, sha256);
    printf("output  %s\n        first %s\n", plan->job.output, first);
    puts("Nothing was written. Frames that are right already will be skipped.");
    free(first);
    free(chosen);
    free(model);
    free(plate);
    free(all);
}

static json_t *frame_list(const struct dq_run_plan *plan)
{
    json_t *list = json_array();

    for (size_t i = 0; i < plan->chosen.count; i++) {
        int32_t frame = plan->chosen.frames[i];
        char *plate = dq_sequence_path(&plan->job.spec->plate, frame);
        char *path = dq_sequence_path(&plan->job.spec->output.path, frame);

        json_array_append_new(
            list, json_pack("{s:i, s:o, s:o}", "frame", (int)frame, "plate",
                            dq_text_json(plate), "path", dq_text_json(path)));
        free(path);
        free(plate);
    }
    return list;
}

static void print_json(const struct dq_run_plan *plan, const char *sha256)
{
    json_t *model = dq_run_plan_model_json(plan), *all;
    char *text;

    json_object_set_new(model, "sha256", json_string(sha256));
    all =
        json_pack("{s:b, s:o, s:o, s:o, s:o, s:o}", "dry_run", 1, "job",
                  dq_text_json(plan->job.spec->name), "file",
                  dq_text_json(plan->job.spec->file), "model", model, "output",
                  dq_text_json(plan->job.output), "frames", frame_list(plan));
    text = dq_json_text(all);
    puts(text);
    free(text);
    json_decref(all);
}

int dq_run_plan_print(const struct dq_run_plan *plan, int json,
                      struct dq_err *err)
{
    char sha256[DQ_SHA256_HEX];

    memcpy(sha256, plan->model.sha256, sizeof sha256);
    if (!sha256[0] && dq_sha256_file(plan->model.path, sha256, err))
        return err->code;
    if (json)
        print_json(plan, sha256);
    else
        print_words(plan, sha256);
    return DQ_OK;
}
