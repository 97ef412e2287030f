/* sweep: temps that dead workers left beside outputs (base/publish.h).
 *
 * A worker that is killed in mid-publish leaves a temp. Nobody but workers
 * and `depthq run` touches output storage, so they sweep, each only what is
 * provably dead, for others may be writing into the same folders:
 *
 *   - a task that is tried again: what its earlier tries left, for a frame is
 *     given to nobody before its last worker is reaped;
 *   - a shot's survey: what former runs of the same daemon left, for it does
 *     not start before their workers are dead; and what is a day old;
 *   - a run, at its end: what its own workers left; and what is a day old.
 *
 * A temp's tag is `<run>-<worker>-<what>-<attempt>`, run being run<pid>t<time>
 * or q<the daemon's state>-<pid>t<time>. Failures are ignored: a temp is never
 * read. Any thread; waits for storage.
 */
#ifndef DQ_DAEMON_SWEEP_H
#define DQ_DAEMON_SWEEP_H

#include "base/sequence.h"
#include "jobs/task.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The name of a run in tags: this process's, of `depthq run`; this daemon's,
 * whose state is in the folder. The caller frees. */
char *dq_sweep_name_run(void);
char *dq_sweep_name_queue(const char *state);

/* Before a worker begins a task of a job with this output. id: the worker's
 * `<run>-<worker>`. */
void dq_sweep_before(const struct dq_sequence *output, const char *id,
                     const struct dq_task *task);

/* When all workers of a run of `depthq run` are reaped. pattern: of the
 * output, in #-form, absolute. */
void dq_sweep_after(const char *pattern, const char *run);

#ifdef __cplusplus
}
#endif
#endif
