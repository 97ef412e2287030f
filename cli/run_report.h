/* run_report: what became of a run, in one line, as JSON, and as an exit
 * status. Made from the list of tasks when all is over; pure but for what is
 * printed. */
#ifndef DQ_CLI_RUN_REPORT_H
#define DQ_CLI_RUN_REPORT_H

#include <jansson.h>
#include "base/err.h"
#include "jobs/task_list.h"

#ifdef __cplusplus
extern "C" {
#endif

/* cause: why the run ended before its list did (no device is left), code 0
 * when nothing did. 0: all is done. Else, in this order: the status of cause,
 * or of what failed the whole job or its survey; of the one code with which
 * every frame failed; 1 when a frame failed that no other run would mend; 75.
 */
int dq_run_report_status(const struct dq_list *list,
                         const struct dq_err *cause);

/* "done 236, skipped 2, failed 2 (1007,1033), 1.25 s/frame on cpu, to
 * /a/b.####.exr". seconds: the whole run; devices: as in cli/run_work.h. The
 * caller frees. */
char *dq_run_report_line(const struct dq_list *list, double seconds,
                         const json_t *devices, const char *output);

/* {"event": "summary", "exit_status", "counts", "run_seconds", "error"}; new
 * reference. */
json_t *dq_run_report_summary(const struct dq_list *list,
                              const struct dq_err *cause, double seconds);

/* The same without the event, and every frame; the caller adds what else
 * there is to say. New reference. */
json_t *dq_run_report_json(const struct dq_list *list,
                           const struct dq_err *cause, double seconds);

/* {"code", "message", "retryable"}; new reference. */
json_t *dq_error_json(const struct dq_err *err);

#ifdef __cplusplus
}
#endif
#endif
