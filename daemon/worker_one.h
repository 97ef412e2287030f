/* worker_one: `depthq-worker --one JOB FRAME`, one frame under a debugger. */
#ifndef DQ_DAEMON_WORKER_ONE_H
#define DQ_DAEMON_WORKER_ONE_H

#include "daemon/worker_tasks.h"

/* Make a frame of a job file, and what it needs: the shot's survey, and where
 * it is steadied all of the shot's guides. How it goes is said on standard
 * output. w has a pipeline of that rule, and another one afterwards. An error
 * is of the job file; what went wrong with the frame is in w->failed. */
int dq_worker_one(struct dq_worker *w, const struct dq_worker_args *args,
                  const struct dq_pipeline_rule *rule, struct dq_err *err);

#endif
