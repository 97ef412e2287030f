/* reprocess_wait: the jobs of a night, followed to their end or to a limit,
 * and summed up. One thread.
 *
 * At the limit no further job is begun: half a shot of two models serves
 * nobody, so one whose first frame has begun is finished, and one that waits
 * is canceled and will be stale again the next night.
 */
#ifndef DQ_CLI_REPROCESS_WAIT_H
#define DQ_CLI_REPROCESS_WAIT_H

#include "cli/ask.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Wait for the jobs of told ([{"file", "job": number or null, ...}]); each gets
 * "state", "done", "failed", "right" and "left": frames made, failed, found
 * right and not come to. limit_s: seconds from now, 0 for none. A daemon that
 * goes away is waited for, for a minute; a job that was removed counts for
 * nothing. The sum is told on standard error. Returns {"done", "failed",
 * "right", "left", "hours", "models": [{"name", "version", "done", "failed",
 * "hours"}]} (new reference; hours in which a frame of it ran), or NULL: what
 * the daemon said. */
json_t *dq_reprocess_wait(const struct dq_ask *ask, json_t *told,
                          double limit_s, struct dq_err *err);

#ifdef __cplusplus
}
#endif
#endif
