#include "cli/run_plan.h"

#include <stdlib.h>

#include "daemon/wire.h"

/* Guides were made with the survey that is there: a solve alone keeps it. */
static int anew_of(const struct dq_run_plan *plan)
{
    if (!plan->resolve)
        return 0;
    return plan->stage == DQ_RUN_SOLVE ? 1 : 2;
}

void dq_run_plan_wire(const struct dq_run_plan *plan, int64_t job,
                      struct dq_wire_job *told)
{
    const struct dq_spec *spec = plan->job.spec;

    *told = (struct dq_wire_job){
        .job = job,
        .yaml = plan->job.text.data,
        .file = spec->file,
        .folder = spec->folder,
        .frames = dq_range_text(&plan->job.all),
        .model_path = plan->model.path,
        .model_sha256 = (char *)plan->model.sha256,
        .anew = anew_of(plan),
        .apart = plan->stage == DQ_RUN_SOLVE,
    };
}

char *dq_run_plan_job_line(const struct dq_run_plan *plan, int64_t job)
{
    struct dq_wire_job told;
    char *line;

    dq_run_plan_wire(plan, job, &told);
    line = dq_wire_job_line(&told);
    free(told.frames);
    return line;
}
