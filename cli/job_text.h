/* job_text: the daemon's jobs and frames in words. Pure: JSON in, text out.
 * Callers free. */
#ifndef DQ_CLI_JOB_TEXT_H
#define DQ_CLI_JOB_TEXT_H

#include <jansson.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Jobs as a table, a line each. */
char *dq_jobs_text(const json_t *jobs);

/* One job in full. failed: its failed frames (the API's objects), from which
 * causes are told, those of many frames first. */
char *dq_job_text(const json_t *job, const json_t *failed);

/* Frames as a table, a line each. */
char *dq_frames_text(const json_t *frames);

/* Frames of a job in all, and those with which nothing more happens. */
long long dq_job_frames(const json_t *job);
long long dq_job_settled(const json_t *job);

/* What is done before the frames: "survey", "scan 12/20", "solve"; "" when it
 * is the frames' turn. */
char *dq_job_phase_text(const json_t *job);

/* "done 57, running 2, ready 181": states that frames are in. */
char *dq_job_counts_text(const json_t *job);

#ifdef __cplusplus
}
#endif
#endif
