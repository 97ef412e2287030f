#include <assert.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "jobs/store_private.h"

const struct dq_who dq_dispatcher = {.uid = -1, .all = 1};

/* ---- counts --------------------------------------------------------------*/

static sqlite3_stmt *counts_statement(struct dq_store *s, int early,
                                      enum dq_task_state from,
                                      enum dq_task_state to)
{
    sqlite3_stmt **slot = &s->counts[early][from][to];
    const char *a = dq_task_state_name(from), *b = dq_task_state_name(to);
    const char *set = early ? "early_" : "";
    char text[200];

    snprintf(text, sizeof text,
             "UPDATE job SET %s%s = %s%s - ?2, %s%s = %s%s + ?2 WHERE id = ?1",
             set, a, set, a, set, b, set, b);
    if (!*slot && sqlite3_prepare_v3(s->db, text, -1, SQLITE_PREPARE_PERSISTENT,
                                     slot, NULL))
        dq_sql_fail(s, &s->broken, text);
    return *slot;
}

void dq_move_counts(struct dq_store *s, int64_t job, enum dq_task_kind kind,
                    enum dq_task_state from, enum dq_task_state to,
                    int64_t count)
{
    sqlite3_stmt *stmt;

    if (from == to || count == 0)
        return;
    stmt = counts_statement(s, kind != DQ_TASK_RENDER, from, to);
    if (!stmt)
        return;
    sqlite3_bind_int64(stmt, 1, job);
    sqlite3_bind_int64(stmt, 2, count);
    if (sqlite3_step(stmt) != SQLITE_DONE && !s->broken.code)
        dq_sql_fail(s, &s->broken, "counts");
    sqlite3_reset(stmt);
}

/* ---- events --------------------------------------------------------------*/

void dq_event_add(struct dq_store *s, const struct dq_event *e)
{
    char now[DQ_TIME_TEXT];
    const struct dq_task *t = e->task;
    sqlite3_stmt *stmt;

    dq_clock_utc(now);
    stmt = dq_sql_rows(s, DQ_SQL_EVENT, "tlllt", now, e->who->uid, e->who->pid,
                       e->job, t ? dq_task_kind_name(t->kind) : e->kind);
    if (!stmt)
        return;
    sqlite3_bind_null(stmt, 6);
    sqlite3_bind_null(stmt, 7);
    if (t) {
        sqlite3_bind_int(stmt, 6, t->frame);
        sqlite3_bind_int(stmt, 7, t->attempt);
    }
    sqlite3_bind_text(stmt, 8, e->verb, -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 9, e->before, -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 10, e->after, -1, SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 11, e->count);
    sqlite3_bind_text(stmt, 12, e->text, -1, SQLITE_TRANSIENT);
    dq_sql_next(s, stmt);
}

/* ---- many at once --------------------------------------------------------*/

/* Of three statements, for tasks that wait, are ready and all others, the one
 * for this state: each finds its tasks in its own way. */
static enum dq_sql among(enum dq_sql first, enum dq_task_state from)
{
    if (from == DQ_TASK_WAITING)
        return first;
    return from == DQ_TASK_READY ? first + 1 : first + 2;
}

/* A person's RETRY begins anew; nothing else forgets failures. */
int64_t dq_move_bulk(struct dq_store *s, const struct dq_bulk *bulk,
                     enum dq_task_state from, enum dq_task_event event)
{
    int to = dq_task_move(from, event);
    struct dq_event e = {.who = bulk->who,
                         .job = bulk->job,
                         .kind = dq_task_kind_name(bulk->kind)};
    int64_t count;

    assert(to >= 0);
    e.verb = dq_task_event_name(event);
    e.before = dq_task_state_name(from);
    e.after = dq_task_state_name((enum dq_task_state)to);
    count = dq_sql_run(
        s, bulk->picked ? DQ_SQL_BULK_PICKED : among(DQ_SQL_BULK_WAITING, from),
        "lttti", e.job, e.kind, e.before, e.after, event != DQ_EVENT_RETRY);
    if (count <= 0)
        return 0;
    dq_move_counts(s, e.job, bulk->kind, from, (enum dq_task_state)to, count);
    e.count = count;
    dq_event_add(s, &e);
    return count;
}

int64_t dq_move_from(struct dq_store *s, const struct dq_bulk *bulk,
                     const int *states, enum dq_task_event event)
{
    int64_t moved = 0;

    for (; *states >= 0; states++)
        moved += dq_move_bulk(s, bulk, (enum dq_task_state) * states, event);
    return moved;
}

static void fail_from(struct dq_store *s, int64_t job, enum dq_task_kind kind,
                      enum dq_task_state from, const struct dq_err *cause)
{
    struct dq_event e = {
        .who = &dq_dispatcher,
        .job = job,
        .kind = dq_task_kind_name(kind),
        .verb = dq_task_event_name(DQ_EVENT_FAIL),
        .before = dq_task_state_name(from),
        .after = dq_task_state_name(DQ_TASK_FAILED),
        .text = cause->text,
    };

    assert(dq_task_move(from, DQ_EVENT_FAIL) == DQ_TASK_FAILED);
    e.count =
        dq_sql_run(s, among(DQ_SQL_FAIL_WAITING, from), "ltttt", job, e.kind,
                   e.before, dq_code_name(cause->code), cause->text);
    if (e.count <= 0)
        return;
    dq_move_counts(s, job, kind, from, DQ_TASK_FAILED, e.count);
    dq_event_add(s, &e);
}

void dq_move_fail(struct dq_store *s, int64_t job, const struct dq_err *cause)
{
    for (int kind = 0; kind < DQ_TASK_KINDS; kind++)
        for (int i = 0; i < DQ_TASK_STATES; i++)
            if (i != DQ_TASK_RUNNING && !dq_task_settled((enum dq_task_state)i))
                fail_from(s, job, (enum dq_task_kind)kind,
                          (enum dq_task_state)i, cause);
}

/* ---- the end -------------------------------------------------------------*/

void dq_move_done(struct dq_store *s, int64_t job)
{
    char now[DQ_TIME_TEXT];

    dq_clock_utc(now);
    if (dq_sql_run(s, DQ_SQL_FINISHED, "lt", job, now) == 1) {
        s->over = dq_grow(s->over, s->over_count + 1, sizeof *s->over);
        s->over[s->over_count++] = job;
    }
    dq_sql_run(s, DQ_SQL_UNFINISHED, "l", job);
}

int64_t dq_store_over(struct dq_store *s)
{
    return s->over_count ? s->over[--s->over_count] : 0;
}
