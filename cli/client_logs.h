/* client_logs: what happened, line by line. One thread. */
#ifndef DQ_CLI_CLIENT_LOGS_H
#define DQ_CLI_CLIENT_LOGS_H

#include "cli/ask.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Print who drained and resumed workers, as depthq logs prints events. Lines
 * are JSON when they are asked for so. */
int dq_logs_workers(const struct dq_ask *ask, struct dq_err *err);

#ifdef __cplusplus
}
#endif
#endif
