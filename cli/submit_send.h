/* submit_send: one job to the daemon, once, whatever becomes of answers. One
 * thread. */
#ifndef DQ_CLI_SUBMIT_SEND_H
#define DQ_CLI_SUBMIT_SEND_H

#include "cli/client.h"
#include "cli/job_plan.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dq_submit_wish {
    const char *key; /* NULL: a fresh one */
    int hold;
    long priority;   /* -1: the job file's */
    long long after; /* a job's id, or 0 */
};

/* Read a job file as the queue takes it: paths are text, and unless unchecked
 * every plate is on disk. Errors as dq_job_plan_read and dq_job_plan_check.
 * Free the plan in every case. */
int dq_submit_read(const char *file, int unchecked, struct dq_job_plan *plan,
                   struct dq_err *err);

/* The answer (new reference), or NULL: what the daemon said, or DQ_DAEMON with
 * the key with which it can be sent again, when nobody knows whether the job
 * is in the queue. */
json_t *dq_submit_send(struct dq_client *client,
                       const struct dq_submit_wish *wish,
                       const struct dq_job_plan *plan, struct dq_err *err);

#ifdef __cplusplus
}
#endif
#endif
