/* run_work: the tasks of `depthq run` on an event loop, from the first worker's
 * start to the last one's end: the same dispatcher and supervisor as the
 * daemon's. One thread; signals are heard meanwhile. */
#ifndef DQ_CLI_RUN_WORK_H
#define DQ_CLI_RUN_WORK_H

#include "cli/progress.h"
#include "cli/run_options.h"
#include "cli/run_plan.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dq_run_work {
    const struct dq_run_options *options;
    const struct dq_run_plan *plan;
    struct dq_list *list; /* settled, or left as it was when it ended */
    struct dq_progress *progress;
    const char *program; /* the worker's path */
    json_t *devices;     /* lent: {"device", "execution"} of each that workers
                            had, in the order they came, is appended */
};

/* Until all is settled or we are asked to stop. cause: why it ended early when
 * nobody asked: no device is left. Ends the process with DQ_STOPPED when a
 * worker hangs in the kernel and does not go. From its end on SIGTERM and the
 * like are blocked: the run only tells how it went. */
void dq_run_work(const struct dq_run_work *work, struct dq_err *cause);

/* The clock of the progress. */
int64_t dq_run_now_ms(void);

#ifdef __cplusplus
}
#endif
#endif
