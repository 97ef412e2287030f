/* run_plan: what a run will do, resolved: job, model, frames. Reads the job
 * file, the plate's folder and the model library; opens no plate. */
#ifndef DQ_CLI_RUN_PLAN_H
#define DQ_CLI_RUN_PLAN_H

#include <jansson.h>
#include "cli/job_plan.h"
#include "cli/run_options.h"
#include "jobs/library.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dq_wire_job;

struct dq_run_plan {
    struct dq_job_plan job;
    struct dq_model_ref model;
    struct dq_range chosen; /* those of the job's frames to make now */
    enum dq_run_stage stage;
    int resolve;
};

/* DQ_SPEC with plan->job.problems, DQ_USAGE for frames that are not the job's,
 * or what resolving said. Free the plan in every case. */
int dq_run_plan_make(const struct dq_run_options *options,
                     struct dq_run_plan *plan, struct dq_err *err);
void dq_run_plan_free(struct dq_run_plan *plan);

/* The job as workers are told of it, and the line that tells them:
 * run_job_line.c, for it alone knows the wire. The caller frees told->frames
 * and the line; the rest is the plan's. */
void dq_run_plan_wire(const struct dq_run_plan *plan, int64_t job,
                      struct dq_wire_job *told);
char *dq_run_plan_job_line(const struct dq_run_plan *plan, int64_t job);

/* What --dry-run shows, on stdout. The model's digest is read when no
 * manifest states it: DQ_MISSING, DQ_IO. */
int dq_run_plan_print(const struct dq_run_plan *plan, int json,
                      struct dq_err *err);

/* The model as JSON: {"name", "version", "path", "sha256"}. */
json_t *dq_run_plan_model_json(const struct dq_run_plan *plan);

#ifdef __cplusplus
}
#endif
#endif
