/* pass: one depth pass on disk, however somebody names it:
 *
 *   sh010.yaml                what the job writes
 *   depth/sh010.1007.exr      one of its files: this frame alone
 *   depth/sh010.####.exr      its files' pattern
 *   depth                     the folder, when it holds one pass
 *   12                        the queue's job, which the daemon is asked for
 *
 * What there is of it stands in the ledger of its shot's folder (io/ledger.h).
 * Reads job file, folders and records; writes nothing. One thread.
 */
#ifndef DQ_CLI_PASS_H
#define DQ_CLI_PASS_H

#include "base/err.h"
#include "cli/run_plan.h"
#include "io/ledger.h"
#include "io/plate.h"
#include "io/provenance.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dq_pass {
    char *name;                /* the job's, or the pattern's file name */
    struct dq_sequence output; /* the depth files */
    char *pattern;             /* the same as text, absolute */
    char *shot_folder;
    struct dq_range frames;  /* the job's; else those with a record; of a file
                                its own */
    long long queued;        /* the queue's job that was named; 0: none was */
    int has_job;             /* plan.job is there, */
    struct dq_err unplanned; /* code 0: and all of the plan is; else why not:
                                the model is not known here, ... */
    struct dq_run_plan plan;
};

/* Find the pass that word means. DQ_SPEC with pass->plan.job.problems (tell
 * it by dq_job_plan_tell), DQ_MISSING: there is no such file, or depthq has
 * made nothing there, DQ_USAGE: a folder with several passes (they are
 * listed), DQ_DAEMON. Free the pass in every case. */
int dq_pass_find(const char *word, struct dq_pass *pass, struct dq_err *err);
void dq_pass_free(struct dq_pass *pass);

/* All passes of a folder as patterns, sorted; the caller frees them and the
 * list. DQ_MISSING when it cannot be read; none is no error. */
int dq_pass_list(const char *folder, char ***patterns, size_t *count,
                 struct dq_err *err);

/* What a depth file's header says of itself, "" when nothing. Borrowed from
 * file. */
const char *dq_pass_says(const struct dq_plate *file, enum dq_provenance which);

/* Name the model that made the file at path, where its record (an older
 * depthq's) does not: its header does. -1: it is no depth file of ours. */
int dq_pass_ask_header(const char *path, struct dq_made *made);

/* Cut the pass to the frames of a range's text (NULL: leave it). DQ_USAGE: it
 * is no range, or none of a job's frames. */
int dq_pass_cut(struct dq_pass *pass, const char *frames, struct dq_err *err);

#ifdef __cplusplus
}
#endif
#endif
