/* store: the daemon's jobs, tasks, attempts and events in SQLite.
 *
 * One connection, one thread. Every move of a task is one compare-and-set
 * UPDATE, with its event row and the job's counts in the same transaction;
 * jobs/task_states.def says which moves are legal. Nothing is durable until
 * dq_store_commit: whoever answers a person or sends a task to a worker
 * commits first. So one fsync serves all that happened since the last one.
 *
 * A write that SQLite refuses after others of its transaction went through
 * breaks the store: dq_store_commit then says why, and the daemon ends; the
 * next one starts from the last commit.
 */
#ifndef DQ_JOBS_STORE_H
#define DQ_JOBS_STORE_H

#include <jansson.h>
#include <stdint.h>
#include "base/err.h"
#include "base/range.h"
#include "jobs/library.h"
#include "jobs/source.h"
#include "jobs/spec.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dq_store;

/* Open the store in folder, which is made (0700) when it is not there. The
 * lock, the kind of file system, the database's integrity, foreign keys and
 * version are checked, an older schema is migrated (a copy is kept). NULL:
 * DQ_BUSY another daemon has it; DQ_CONFIG a network file system or a newer
 * schema; DQ_IO the database is damaged, or part of it is gone; DQ_FULL,
 * DQ_DENIED. Workers that the last daemon left are killed (DQ_BUSY when one
 * does not go), then tasks that were RUNNING are READY again, and waits are
 * over. */
struct dq_store *dq_store_open(const char *folder, struct dq_err *err);
/* Commit and close. NULL is fine. */
void dq_store_close(struct dq_store *s);

/* What kind of network file system statfs's f_type is, or NULL for a local
 * one. */
const char *dq_store_network(long f_type);

/* Make everything so far durable. Not DQ_OK: the store is broken. */
int dq_store_commit(struct dq_store *s, struct dq_err *err);

/* For when nobody waits for an answer: what was committed goes from a -wal
 * file that has become long (4 MB) into the database. */
void dq_store_tidy(struct dq_store *s);

/* The dispatcher's source: all jobs, the highest priority first, then the user
 * with the least at work, then the oldest. unsettled is always true: there may
 * be a submit at any time. */
struct dq_source dq_store_source(struct dq_store *s);

/* Hand nothing out (or again); what is at work is settled all the same. */
void dq_store_hold(struct dq_store *s, int held);

/* A job that came to its end since this was asked last, or 0. */
int64_t dq_store_over(struct dq_store *s);

/* The dispatcher's clock begins anew: nothing waits any more. */
int dq_store_clock_anew(struct dq_store *s, struct dq_err *err);

/* Copy the database into a new file of mode 0600, which has its name when it
 * is whole and durable, not before. DQ_EXISTS. */
int dq_store_backup(struct dq_store *s, const char *path, struct dq_err *err);

/* ---- verbs ---------------------------------------------------------------*/

/* Who asks. */
struct dq_who {
    int64_t uid, pid;
    int all;           /* may touch jobs of others */
    int64_t jobs_most; /* that a user may have at once, as far as this one may
                        * add to them; 0: any number */
    int64_t frames_most;
};

struct dq_submission {
    struct dq_who who;
    const char *key;  /* a resend with the same key makes no second job */
    const char *body; /* digest of what came with the key */
    const char *yaml; /* the job file's text */
    const struct dq_spec *spec;
    const struct dq_range *frames; /* all of the shot's; at least one */
    const struct dq_model_ref *model;
    int hold;      /* until it is resumed */
    int64_t after; /* waits until that job is over, however it ended; 0 */
    int priority;  /* -1: the job file's */
};

/* Put a job into the queue. fresh: whether the key was new. DQ_STATE: the
 * key came with another body; DQ_EXISTS: a live job writes one of its paths;
 * DQ_LIMIT: the user has too much in the queue; DQ_MISSING: no job `after`. */
int dq_store_submit(struct dq_store *s, const struct dq_submission *sub,
                    int64_t *job, int *fresh, struct dq_err *err);

enum dq_verb {
    DQ_VERB_CANCEL, /* what is not at work stops; what is, is dropped */
    DQ_VERB_PAUSE,  /* begin no more */
    DQ_VERB_RESUME, /* a paused or held job */
    DQ_VERB_RETRY,  /* failed and canceled frames, or those named, with what
                     * they need; a solved shot stays as it was solved */
    DQ_VERB_EAT,    /* give up what is failed or not begun, or those named */
    DQ_VERBS
};
const char *dq_verb_name(enum dq_verb verb);
int dq_verb_from_name(const char *name); /* -1: none */

/* Do it to a job, or to the frames named (RETRY and EAT; NULL: the job).
 * moved: how many frames. DQ_MISSING: no such job or frame; DQ_DENIED: another
 * user's; DQ_STATE: not possible now, and nothing was changed; DQ_EXISTS: a
 * RETRY whose paths another live job writes; DQ_LIMIT: one by which its user
 * would have too much in the queue. */
int dq_store_do(struct dq_store *s, const struct dq_who *who, enum dq_verb verb,
                int64_t job, const struct dq_range *frames, int64_t *moved,
                struct dq_err *err);
int dq_store_priority(struct dq_store *s, const struct dq_who *who, int64_t job,
                      int priority, struct dq_err *err);
/* Forget a job that is over, with its frames; its events stay. */
int dq_store_remove(struct dq_store *s, const struct dq_who *who, int64_t job,
                    struct dq_err *err);

/* ---- history -------------------------------------------------------------*/

/* What is forgotten. */
struct dq_prune_rule {
    const char *before;  /* jobs that were over before this (RFC 3339 UTC), and
                          * events of jobs that are gone; NULL: none */
    int64_t events_most; /* of finished jobs; the oldest go; 0: none */
    int most;            /* rows in a step */
};

/* One step of it: more says whether there is another to make. Live jobs and
 * what they wait for stay, with their events. Each job leaves an event. */
int dq_store_prune(struct dq_store *s, const struct dq_prune_rule *rule,
                   int *more, struct dq_err *err);

/* The last time of day that was believed, ms since 1970 (daemon/trust.h). */
int64_t dq_store_clock(struct dq_store *s);
int dq_store_set_clock(struct dq_store *s, int64_t ms, struct dq_err *err);

/* ---- reading -------------------------------------------------------------*/

/* Whether somebody wants it stopped. */
int dq_store_canceling(struct dq_store *s, int64_t job);

/* What a worker is told. Strings are the caller's to free. DQ_MISSING. */
struct dq_store_job {
    char *yaml, *file, *folder, *frames, *model_path, *model_sha256;
};
int dq_store_job(struct dq_store *s, int64_t job, struct dq_store_job *told,
                 struct dq_err *err);
void dq_store_job_free(struct dq_store_job *told);

/* Which jobs: newest first. */
struct dq_store_filter {
    int64_t before; /* ids below this; 0: from the newest */
    int limit;
    int64_t uid;       /* -1: of everyone */
    const char *state; /* a word of dq_store_state, or NULL */
};

/* The API's objects (schemas/openapi.yaml); new references. A page is
 * {"jobs" or "frames" or ...: [...], "next": what to ask from, or null}.
 * NULL: DQ_MISSING, there is no such job or frame. */
json_t *dq_store_jobs_json(struct dq_store *s,
                           const struct dq_store_filter *filter);
json_t *dq_store_job_json(struct dq_store *s, int64_t job, struct dq_err *err);
/* Frames after `after` (INT64_MIN: from the first), of a state or NULL. */
json_t *dq_store_frames_json(struct dq_store *s, int64_t job, int64_t after,
                             int limit, const char *state, struct dq_err *err);
/* Attempts at a task of the whole shot (SURVEY, SOLVE: frame is 0), or
 * (RENDER) at a frame: its scan's, then its own. */
json_t *dq_store_attempts_json(struct dq_store *s, int64_t job,
                               enum dq_task_kind kind, int64_t frame,
                               struct dq_err *err);
/* A job's, or everybody's (job 0). */
json_t *dq_store_events_json(struct dq_store *s, int64_t job, int64_t after,
                             int limit);
int64_t dq_store_last_event(struct dq_store *s); /* its id; 0: none yet */
/* {"jobs": n, "open": n, "tasks": {state: n}} of the jobs that are kept; tasks
 * of all kinds. */
json_t *dq_store_totals_json(struct dq_store *s);

/* A job's state from its wish and its counts (DQ_TASK_STATES of them each) of
 * frames and of the tasks before them: held queued active pausing paused
 * canceling canceled done failed. */
const char *dq_store_state(const char *wish, const int64_t *frames,
                           const int64_t *early);

/* ---- worker processes ----------------------------------------------------*/

/* Remember a worker process, so that the next daemon can end it; forget it
 * once it is reaped. */
void dq_store_process_add(struct dq_store *s, int pid);
void dq_store_process_gone(struct dq_store *s, int pid);

/* Somebody drained a worker (from 1), or wants it again: an event of job 0, of
 * which there is none. */
void dq_store_worker_event(struct dq_store *s, const struct dq_who *who,
                           int64_t worker, const char *device, int drained);
#ifdef __cplusplus
}
#endif
#endif
