/* source: where a dispatcher's tasks come from and where it settles them.
 *
 * Two sources: a list in memory (jobs/task_list.h, for `depthq run`) and the
 * daemon's database. The dispatcher decides what happens to a task; a source
 * keeps the states (jobs/task_states.def) and moves them, each move only from
 * RUNNING with the attempt named: a late word of an old attempt moves
 * nothing. One thread; no call waits. Times are milliseconds of one clock
 * that never goes back.
 */
#ifndef DQ_JOBS_SOURCE_H
#define DQ_JOBS_SOURCE_H

#include <stdint.h>
#include "base/err.h"
#include "jobs/task.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a worker can take: a worker with work in hand takes only tasks that
 * are not suspected; suspects go alone to a worker that holds nothing. */
enum dq_claim_kind { DQ_CLAIM_USUAL, DQ_CLAIM_SUSPECT };

/* A task that is now RUNNING for the claimer; its attempt has risen. */
struct dq_claim {
    struct dq_task task;
    int failures; /* counted so far */
    int retries;  /* how many failures are tried again */
    int suspect;
    int64_t model; /* tasks of one number need one network */
};

/* What became of a claimed task. */
struct dq_settle {
    struct dq_task task;
    enum dq_task_event event;       /* a legal one of RUNNING */
    const struct dq_result *result; /* code and text of a failure too; lent */
    int counts;                     /* one more failure */
    int suspect;                    /* in hand when a worker died: from now
                                     * on it runs alone */
    int64_t not_before_ms;          /* RETRY and BLOCKED: when it is due */
};

struct dq_source_ops {
    /* Make the next ready or due task RUNNING. 1 with claim filled; 0 when
     * there is none of that kind now. */
    int (*claim)(void *self, enum dq_claim_kind kind, int64_t now_ms,
                 struct dq_claim *claim);
    /* Whether a suspect could be claimed now. */
    int (*suspect_due)(void *self, int64_t now_ms);
    /* 1: moved; 0: a late word, nothing changed. A NO_SPACE holds all of the
     * job's tasks back until not_before_ms: the storage is full for each. */
    int (*settle)(void *self, const struct dq_settle *settle);
    /* Everything of the job that is neither settled nor running fails with
     * this cause. */
    void (*fail_job)(void *self, int64_t job, const struct dq_err *cause);
    /* How many frames (or scans) of the task's job failed, when all did so
     * with one code, they are DQ_ALIKE to DQ_ALIKE_MOST, none is done, and some
     * are not tried yet; else 0. Asked after each that failed. */
    int64_t (*failed_alike)(void *self, const struct dq_task *task);
    /* When a claim that fails now could succeed by the passing of time alone;
     * -1 when never. */
    int64_t (*next_due)(void *self, int64_t now_ms);
    /* Whether anything is not settled yet. */
    int (*unsettled)(void *self);
};

struct dq_source {
    const struct dq_source_ops *ops;
    void *self;
};

/* Later a job is no longer at its beginning. */
enum { DQ_ALIKE = 5, DQ_ALIKE_MOST = 20 };

/* How the errors begin of what was not tried, after so many of a job's first
 * frames or scans failed with one code. */
#define DQ_NOT_TRIED "not tried, "

/* Settle a claimed task; a job whose first frames all fail alike stops there:
 * all of it that has not begun fails with that code. 0: a late word. */
int dq_source_settle(const struct dq_source *source,
                     const struct dq_settle *settle);

#ifdef __cplusplus
}
#endif
#endif
