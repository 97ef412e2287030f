/* client_watch: follow a job to its end. */
#ifndef DQ_CLI_CLIENT_WATCH_H
#define DQ_CLI_CLIENT_WATCH_H

#include "cli/ask.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Follow it, with a bar on a terminal, else a line a frame (on standard
 * error), or JSON lines (ask->json; on standard output). from_start: also
 * what happened before. A daemon that goes away is waited for, for a minute.
 * Returns the job's exit status: 0 done; of what failed it, or of the code
 * that all its failed frames share when no frame is done; 1 some frames
 * failed; 75 canceled; or that of why it cannot be watched, which was told. */
int dq_watch_job(const struct dq_ask *ask, long long job, int from_start);

#ifdef __cplusplus
}
#endif
#endif
