/* Phases: survey, scan, solve, render. The tasks of one wait until all of
 * those before it are settled. */
#include "jobs/store_private.h"

/* At once become ready the first few in rank, for an early look, and STEP in
 * their order; then STEP more with each commit. A hundred thousand at a time
 * would hold the daemon for half a second. */
enum { EARLY = 3, STEP = 500 };

/* ---- which one -----------------------------------------------------------*/

static int has_unsettled(struct dq_store *s, int64_t job,
                         enum dq_task_kind kind)
{
    sqlite3_stmt *rows =
        dq_sql_rows(s, DQ_SQL_UNSETTLED, "lt", job, dq_task_kind_name(kind));
    int has = dq_sql_next(s, rows);

    if (has)
        dq_sql_done(rows);
    return has;
}

static enum dq_task_kind phase_of(struct dq_store *s, int64_t job)
{
    sqlite3_stmt *rows = dq_sql_rows(s, DQ_SQL_PHASE_OF, "l", job);
    int kind = DQ_TASK_SURVEY;

    if (dq_sql_next(s, rows)) {
        kind =
            dq_task_kind_from_name((const char *)sqlite3_column_text(rows, 0));
        dq_sql_done(rows);
    }
    return (enum dq_task_kind)kind;
}

/* ---- its tasks become ready ----------------------------------------------*/

/* A job in a phase of which some may still wait. */
struct releasing {
    int64_t job;
    enum dq_task_kind kind;
    int64_t from; /* those of lower numbers do not */
};

static void tell(struct dq_store *s, const struct releasing *r, int64_t count)
{
    struct dq_event e = {
        .who = &dq_dispatcher,
        .job = r->job,
        .kind = dq_task_kind_name(r->kind),
        .verb = dq_task_event_name(DQ_EVENT_RELEASE),
        .before = dq_task_state_name(DQ_TASK_WAITING),
        .after = dq_task_state_name(DQ_TASK_READY),
        .count = count,
    };

    if (count <= 0)
        return;
    dq_move_counts(s, r->job, r->kind, DQ_TASK_WAITING, DQ_TASK_READY, count);
    dq_event_add(s, &e);
}

/* Where the next step begins; 0: nowhere. */
static int end_of_step(struct dq_store *s, const struct releasing *r,
                       int64_t *end)
{
    sqlite3_stmt *rows =
        dq_sql_rows(s, DQ_SQL_RELEASE_END, "ltli", r->job,
                    dq_task_kind_name(r->kind), r->from, (int)STEP);

    *end = INT64_MAX;
    if (!dq_sql_next(s, rows))
        return 0;
    *end = sqlite3_column_int64(rows, 0);
    dq_sql_done(rows);
    return 1;
}

/* The next STEP tasks; how many of them waited. */
static int64_t step(struct dq_store *s, const struct releasing *r)
{
    int64_t end;

    if (end_of_step(s, r, &end))
        dq_sql_run(s, DQ_SQL_RELEASE_FROM, "ll", r->job, end);
    else
        dq_sql_run(s, DQ_SQL_RELEASED, "l", r->job);
    return dq_sql_run(s, DQ_SQL_RELEASE, "ltll", r->job,
                      dq_task_kind_name(r->kind), r->from, end);
}

/* The first of the jobs whose tasks may be claimed. */
static int find(struct dq_store *s, int64_t now_ms, struct releasing *r)
{
    sqlite3_stmt *rows = dq_sql_rows(s, DQ_SQL_RELEASING, "l", now_ms);

    if (!dq_sql_next(s, rows))
        return 0;
    r->job = sqlite3_column_int64(rows, 0);
    r->kind = (enum dq_task_kind)dq_task_kind_from_name(
        (const char *)sqlite3_column_text(rows, 1));
    r->from = sqlite3_column_int64(rows, 2);
    dq_sql_done(rows);
    return 1;
}

int dq_move_release(struct dq_store *s, int64_t now_ms, int needed)
{
    struct releasing r;
    int64_t count = 0;

    if ((s->released && !needed) || !find(s, now_ms, &r) ||
        dq_store_begin(s, NULL))
        return 0;
    do { /* those of a step may have been given up meanwhile */
        count = step(s, &r);
        tell(s, &r, count);
    } while (count == 0 && find(s, now_ms, &r));
    s->released = 1;
    return !dq_store_finish(s, NULL) && count > 0;
}

/* ---- from one to another -------------------------------------------------*/

static void enter(struct dq_store *s, int64_t job, enum dq_task_kind from,
                  enum dq_task_kind to)
{
    struct dq_event e = {.who = &dq_dispatcher,
                         .job = job,
                         .verb = "phase",
                         .before = dq_task_kind_name(from),
                         .after = dq_task_kind_name(to)};
    struct releasing r = {.job = job, .kind = to, .from = INT64_MIN};
    int64_t early;

    dq_sql_run(s, DQ_SQL_SET_PHASE, "lt", job, e.after);
    dq_event_add(s, &e);
    early =
        dq_sql_run(s, DQ_SQL_RELEASE_EARLY, "lti", job, e.after, (int)EARLY);
    tell(s, &r, early + step(s, &r));
}

void dq_move_phase(struct dq_store *s, int64_t job)
{
    enum dq_task_kind from = phase_of(s, job);
    int to = 0;

    while (to < DQ_TASK_KINDS && !has_unsettled(s, job, (enum dq_task_kind)to))
        to++;
    if (to < DQ_TASK_KINDS && to != (int)from)
        enter(s, job, from, (enum dq_task_kind)to);
}
