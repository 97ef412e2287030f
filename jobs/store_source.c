/* The store as a dispatcher's source. What SQLite refuses breaks the store;
 * dq_store_commit tells, and nothing is handed out before it. */
#include <string.h>

#include "base/clock.h"
#include "jobs/store_private.h"

static void note(struct dq_store *s, const struct dq_task *task,
                 enum dq_task_event event, enum dq_task_state from,
                 enum dq_task_state to, const char *text)
{
    struct dq_event e = {
        .who = &dq_dispatcher,
        .job = task->job,
        .task = task,
        .verb = dq_task_event_name(event),
        .before = dq_task_state_name(from),
        .after = dq_task_state_name(to),
        .count = 1,
        .text = text,
    };

    dq_move_counts(s, task->job, task->kind, from, to, 1);
    dq_event_add(s, &e);
}

/* ---- what is due ---------------------------------------------------------*/

/* RETRY and BLOCKED tasks of a kind whose time has come are READY. */
static void release(struct dq_store *s, int64_t job, enum dq_task_kind kind,
                    enum dq_task_state from, int64_t now_ms)
{
    struct dq_event e = {
        .who = &dq_dispatcher,
        .job = job,
        .kind = dq_task_kind_name(kind),
        .verb = dq_task_event_name(DQ_EVENT_DUE),
        .before = dq_task_state_name(from),
        .after = dq_task_state_name(DQ_TASK_READY),
    };

    e.count = dq_sql_run(s, DQ_SQL_RELEASE_DUE, "lttl", job, e.kind, e.before,
                         now_ms);
    if (e.count <= 0)
        return;
    dq_move_counts(s, job, kind, from, DQ_TASK_READY, e.count);
    dq_event_add(s, &e);
}

static enum dq_task_kind kind_in(sqlite3_stmt *row, int column)
{
    return (enum dq_task_kind)dq_task_kind_from_name(
        (const char *)sqlite3_column_text(row, column));
}

static enum dq_task_state waiting_state(const unsigned char *name)
{
    return strcmp((const char *)name, "retry") == 0 ? DQ_TASK_RETRY
                                                    : DQ_TASK_BLOCKED;
}

static void release_all(struct dq_store *s, int64_t now_ms)
{
    sqlite3_stmt *rows;
    int more = 1;

    while (more) { /* one at a time: the move changes what is listed */
        rows = dq_sql_rows(s, DQ_SQL_DUE_JOBS, "l", now_ms);
        more = dq_sql_next(s, rows);
        if (more) {
            int64_t job = sqlite3_column_int64(rows, 0);
            enum dq_task_kind kind = kind_in(rows, 1);
            enum dq_task_state from =
                waiting_state(sqlite3_column_text(rows, 2));

            dq_sql_done(rows);
            release(s, job, kind, from, now_ms);
            more = !s->broken.code;
        }
    }
}

static void release_due(struct dq_store *s, int64_t now_ms)
{
    sqlite3_stmt *rows;

    if (now_ms < s->due_ms)
        return;
    if (s->due_ms != INT64_MIN && !dq_store_begin(s, NULL)) {
        release_all(s, now_ms);
        dq_store_finish(s, NULL);
    }
    s->due_ms = INT64_MAX;
    rows = dq_sql_rows(s, DQ_SQL_FIRST_DUE, "");
    if (dq_sql_next(s, rows)) {
        if (sqlite3_column_type(rows, 0) != SQLITE_NULL)
            s->due_ms = sqlite3_column_int64(rows, 0);
        dq_sql_done(rows);
    }
    if (s->due_ms <= now_ms && !s->broken.code)
        release_due(s, now_ms); /* it was not known before */
}

/* ---- claim ---------------------------------------------------------------*/

/* The next of the job's phase, which is the kind of task. */
static int next_task(struct dq_store *s, enum dq_claim_kind kind,
                     struct dq_task *task)
{
    sqlite3_stmt *rows = dq_sql_rows(
        s, kind == DQ_CLAIM_USUAL ? DQ_SQL_NEXT_USUAL : DQ_SQL_NEXT_SUSPECT,
        "lt", task->job, dq_task_kind_name(task->kind));

    if (!dq_sql_next(s, rows))
        return 0;
    task->frame = sqlite3_column_int(rows, 0);
    dq_sql_done(rows);
    return 1;
}

/* The task that is next in all jobs. */
static int choose(struct dq_store *s, enum dq_claim_kind kind, int64_t now_ms,
                  struct dq_claim *claim)
{
    sqlite3_stmt *jobs = dq_sql_rows(s, DQ_SQL_JOBS_TO_CLAIM, "l", now_ms);
    int found = 0;

    while (!found && dq_sql_next(s, jobs)) {
        claim->task.job = sqlite3_column_int64(jobs, 0);
        claim->retries = sqlite3_column_int(jobs, 1);
        claim->task.kind = kind_in(jobs, 2);
        claim->model = sqlite3_column_int64(jobs, 3);
        found = next_task(s, kind, &claim->task);
    }
    if (found)
        dq_sql_done(jobs);
    return found;
}

static int take(struct dq_store *s, struct dq_claim *claim)
{
    struct dq_task *t = &claim->task;
    const char *kind = dq_task_kind_name(t->kind);
    char now[DQ_TIME_TEXT];
    sqlite3_stmt *rows =
        dq_sql_rows(s, DQ_SQL_CLAIM, "lti", t->job, kind, t->frame);

    if (!dq_sql_next(s, rows))
        return 0;
    t->attempt = sqlite3_column_int(rows, 0);
    claim->failures = sqlite3_column_int(rows, 1);
    claim->suspect = sqlite3_column_int(rows, 2);
    while (dq_sql_next(s, rows))
        ;
    dq_clock_utc(now);
    dq_sql_run(s, DQ_SQL_ATTEMPT_BEGINS, "ltiit", t->job, kind, t->frame,
               t->attempt, now);
    note(s, t, DQ_EVENT_CLAIM, DQ_TASK_READY, DQ_TASK_RUNNING, NULL);
    return 1;
}

static int suspect_due(void *self, int64_t now_ms)
{
    struct dq_store *s = self;
    sqlite3_stmt *rows;
    int due;

    if (s->held)
        return 0;
    release_due(s, now_ms);
    rows = dq_sql_rows(s, DQ_SQL_SUSPECT_DUE, "l", now_ms);
    due = dq_sql_next(s, rows);
    if (due)
        dq_sql_done(rows);
    return due;
}

/* The task that is next, made so when none is ready that could be. */
static int find(struct dq_store *s, enum dq_claim_kind kind, int64_t now_ms,
                struct dq_claim *claim)
{
    dq_move_release(s, now_ms, 0);
    return choose(s, kind, now_ms, claim) ||
           (dq_move_release(s, now_ms, 1) && choose(s, kind, now_ms, claim));
}

static int claim(void *self, enum dq_claim_kind kind, int64_t now_ms,
                 struct dq_claim *claim)
{
    struct dq_store *s = self;
    int got;

    memset(claim, 0, sizeof *claim);
    if (s->held)
        return 0;
    release_due(s, now_ms);
    if (kind == DQ_CLAIM_SUSPECT && !suspect_due(s, now_ms))
        return 0; /* instead of asking every job for one */
    if (s->broken.code || !find(s, kind, now_ms, claim) ||
        dq_store_begin(s, NULL))
        return 0;
    got = take(s, claim);
    return !dq_store_finish(s, NULL) && got;
}

static int64_t next_due(void *self, int64_t now_ms)
{
    struct dq_store *s = self;
    sqlite3_stmt *rows;
    int64_t due;

    if (s->held)
        return -1;
    release_due(s, now_ms);
    due = s->due_ms;
    rows = dq_sql_rows(s, DQ_SQL_FIRST_HELD, "l", now_ms);
    if (dq_sql_next(s, rows)) {
        if (sqlite3_column_type(rows, 0) != SQLITE_NULL &&
            sqlite3_column_int64(rows, 0) < due)
            due = sqlite3_column_int64(rows, 0);
        dq_sql_done(rows);
    }
    return due == INT64_MAX || due == INT64_MIN ? -1 : due;
}

void dq_store_hold(struct dq_store *s, int held)
{
    s->held = held;
}

/* ---- settle --------------------------------------------------------------*/

int dq_store_canceling(struct dq_store *s, int64_t job)
{
    sqlite3_stmt *rows = dq_sql_rows(s, DQ_SQL_WISH_OF, "l", job);
    int yes = 0;

    if (!dq_sql_next(s, rows))
        return 0;
    yes = strcmp((const char *)sqlite3_column_text(rows, 0), "cancel") == 0;
    dq_sql_done(rows);
    return yes;
}

/* In a job that is being canceled nothing is tried again. */
static enum dq_task_event event_of(struct dq_store *s,
                                   const struct dq_settle *settle)
{
    int to = dq_task_move(DQ_TASK_RUNNING, settle->event);

    return !dq_task_settled((enum dq_task_state)to) &&
                   dq_store_canceling(s, settle->task.job)
               ? DQ_EVENT_CANCEL
               : settle->event;
}

static const char *or_null(const char *text)
{
    return *text ? text : NULL;
}

static void remember(struct dq_store *s, const struct dq_task *t,
                     const struct dq_result *r)
{
    dq_sql_run(s, DQ_SQL_RESULT,
               "ltittttt"
               "ldddt",
               t->job, dq_task_kind_name(t->kind), t->frame,
               r->code ? dq_code_name(r->code) : NULL, or_null(r->text),
               or_null(r->path), or_null(r->sha256), or_null(r->fingerprint),
               r->bytes, r->low, r->high, r->seconds.total,
               or_null(r->suspect));
}

static void end_attempt(struct dq_store *s, const struct dq_task *t,
                        enum dq_task_event event, const struct dq_result *r)
{
    char now[DQ_TIME_TEXT];

    dq_clock_utc(now);
    dq_sql_run(s, DQ_SQL_ATTEMPT_ENDS, "ltiittttdt", t->job,
               dq_task_kind_name(t->kind), t->frame, t->attempt, now,
               dq_task_event_name(event),
               r && r->code ? dq_code_name(r->code) : NULL,
               r ? or_null(r->text) : NULL, r ? r->seconds.total : 0.0,
               r ? or_null(r->execution) : NULL);
}

/* A survey or solve that failed fails the rest. */
static void failed(struct dq_store *s, const struct dq_task *task,
                   const struct dq_result *r)
{
    struct dq_err cause = {0};

    if (dq_task_has_frame(task->kind))
        return;
    dq_fail(&cause, r ? r->code : DQ_WORKER, "%s", r ? r->text : "");
    dq_move_fail(s, task->job, &cause);
}

/* The use of a model is counted where it happens: the count outlives the job.
 */
static void made(struct dq_store *s, int64_t job)
{
    char now[DQ_TIME_TEXT];

    dq_clock_utc(now);
    dq_sql_run(s, DQ_SQL_MODEL_MADE, "lt", job, now);
}

static void consequences(struct dq_store *s, const struct dq_settle *settle,
                         enum dq_task_state to)
{
    int64_t job = settle->task.job;

    if (to == DQ_TASK_BLOCKED)
        dq_sql_run(s, DQ_SQL_HOLD_UNTIL, "ll", job, settle->not_before_ms);
    if ((to == DQ_TASK_RETRY || to == DQ_TASK_BLOCKED) &&
        s->due_ms != INT64_MIN && settle->not_before_ms < s->due_ms)
        s->due_ms = settle->not_before_ms;
    if (!dq_task_settled(to))
        return;
    if (to == DQ_TASK_FAILED)
        failed(s, &settle->task, settle->result);
    if (to == DQ_TASK_DONE && settle->task.kind == DQ_TASK_RENDER)
        made(s, job);
    if (settle->task.kind != DQ_TASK_RENDER)
        dq_move_phase(s, job);
    dq_move_done(s, job);
}

static int move(struct dq_store *s, const struct dq_settle *settle)
{
    const struct dq_task *t = &settle->task;
    enum dq_task_event event = event_of(s, settle);
    int to = dq_task_move(DQ_TASK_RUNNING, event);
    const struct dq_result *r = settle->result;
    int64_t moved = dq_sql_run(
        s, DQ_SQL_SETTLE, "ltiitiil", t->job, dq_task_kind_name(t->kind),
        t->frame, t->attempt, dq_task_state_name((enum dq_task_state)to),
        settle->counts != 0, settle->suspect != 0, settle->not_before_ms);

    if (moved != 1)
        return 0;
    if (r)
        remember(s, t, r);
    end_attempt(s, t, event, r);
    note(s, t, event, DQ_TASK_RUNNING, (enum dq_task_state)to,
         r && r->code ? r->text : NULL);
    consequences(s, settle, (enum dq_task_state)to);
    return 1;
}

static int settle(void *self, const struct dq_settle *settle)
{
    struct dq_store *s = self;
    int moved;

    if (dq_store_begin(s, NULL))
        return 0;
    moved = move(s, settle);
    return !dq_store_finish(s, NULL) && moved;
}

/* ---- failures alike ------------------------------------------------------*/

static int none_done(struct dq_store *s, const struct dq_task *task)
{
    sqlite3_stmt *rows = dq_sql_rows(
        s,
        task->kind == DQ_TASK_SCAN ? DQ_SQL_NO_SCAN_DONE : DQ_SQL_NO_FRAME_DONE,
        "lii", task->job, (int)DQ_ALIKE, (int)DQ_ALIKE_MOST);
    int yes = dq_sql_next(s, rows);

    if (yes)
        dq_sql_done(rows);
    return yes;
}

static int64_t failed_alike(void *self, const struct dq_task *task)
{
    struct dq_store *s = self;
    sqlite3_stmt *rows;
    int64_t count = 0;

    if (!none_done(s, task))
        return 0;
    rows = dq_sql_rows(s, DQ_SQL_HOW_FAILED, "lt", task->job,
                       dq_task_kind_name(task->kind));
    if (!dq_sql_next(s, rows))
        return 0;
    if (sqlite3_column_int64(rows, 1) == 1)
        count = sqlite3_column_int64(rows, 0);
    dq_sql_done(rows);
    return count;
}

static void fail_job(void *self, int64_t job, const struct dq_err *cause)
{
    struct dq_store *s = self;

    if (dq_store_begin(s, NULL))
        return;
    dq_move_fail(s, job, cause);
    dq_move_done(s, job);
    dq_store_finish(s, NULL);
}

static int unsettled(void *self)
{
    (void)self;
    return 1;
}

struct dq_source dq_store_source(struct dq_store *s)
{
    static const struct dq_source_ops ops = {
        .claim = claim,
        .suspect_due = suspect_due,
        .settle = settle,
        .fail_job = fail_job,
        .failed_alike = failed_alike,
        .next_due = next_due,
        .unsettled = unsettled,
    };
    struct dq_source source = {&ops, s};

    return source;
}
