/* job_plan: a job file, read where its plates are: its text, what it says,
 * its frames. For the command that makes them and for the one that queues
 * them; reads the file and the plate's folder, opens no plate and looks for no
 * model. One thread. */
#ifndef DQ_CLI_JOB_PLAN_H
#define DQ_CLI_JOB_PLAN_H

#include <stdio.h>
#include "base/bytes.h"
#include "base/yaml.h"
#include "jobs/spec.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dq_job_plan {
    struct dq_bytes text;        /* of the job file */
    struct dq_problems problems; /* when the job is wrong */
    struct dq_spec *spec;
    struct dq_range all; /* the job's frames: named, or found on disk */
    char *output;        /* pattern, absolute */
};

/* Read the file ("-": standard input). DQ_SPEC with plan->problems,
 * DQ_MISSING when no frame is named and none is on disk. Free the plan in
 * every case. */
int dq_job_plan_read(const char *file, struct dq_job_plan *plan,
                     struct dq_err *err);
void dq_job_plan_free(struct dq_job_plan *plan);

/* DQ_MISSING when a frame that the job names has no plate on disk. */
int dq_job_plan_check(const struct dq_job_plan *plan, struct dq_err *err);

/* Tell on a stream why file cannot be used: every problem with its line, or
 * who and the error in one line. */
void dq_job_plan_tell(const struct dq_job_plan *plan, const char *file,
                      const char *who, const struct dq_err *err, FILE *to);

#ifdef __cplusplus
}
#endif
#endif
