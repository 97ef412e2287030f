/* What is old is forgotten, a little at a time: people are answered between.
 * What frames were is in the shot's folder, and is none of the queue's. */
#include <stdio.h>

#include "jobs/store_private.h"

/* A row of two numbers, or of none. */
static int two(struct dq_store *s, sqlite3_stmt *rows, int64_t *a, int64_t *b)
{
    if (!dq_sql_next(s, rows))
        return 0;
    *a = sqlite3_column_int64(rows, 0);
    *b = sqlite3_column_int64(rows, 1);
    dq_sql_done(rows);
    return 1;
}

/* ---- jobs ----------------------------------------------------------------*/

/* The job's count of a state goes with its tasks. */
static void count_down(struct dq_store *s, int64_t job, int early,
                       const char *state, int64_t count)
{
    char text[120];

    snprintf(text, sizeof text,
             "UPDATE job SET %s%s = %s%s - %lld WHERE id = %lld",
             early ? "early_" : "", state, early ? "early_" : "", state,
             (long long)count, (long long)job);
    if (sqlite3_exec(s->db, text, NULL, NULL, NULL) && !s->broken.code)
        dq_sql_fail(s, &s->broken, text);
}

static int64_t forget_tasks(struct dq_store *s, int64_t job, int kind,
                            enum dq_task_state state, int most)
{
    const char *name = dq_task_state_name(state);
    int64_t count = dq_sql_run(
        s, state == DQ_TASK_DONE ? DQ_SQL_PRUNE_DONE : DQ_SQL_PRUNE_TASK,
        "ltti", job, dq_task_kind_name((enum dq_task_kind)kind), name, most);

    if (count > 0)
        count_down(s, job, kind != DQ_TASK_RENDER, name, count);
    return count;
}

/* Those that are done go first: to its last row a job that failed is one. */
static void forget_some(struct dq_store *s, int64_t job, int most)
{
    for (int kind = 0; kind < DQ_TASK_KINDS; kind++)
        if (forget_tasks(s, job, kind, DQ_TASK_DONE, most) > 0)
            return;
    for (int kind = 0; kind < DQ_TASK_KINDS; kind++)
        for (int i = 0; i < DQ_TASK_STATES; i++)
            if (i != DQ_TASK_DONE && dq_task_settled((enum dq_task_state)i) &&
                forget_tasks(s, job, kind, (enum dq_task_state)i, most) > 0)
                return;
}

static int is_empty(struct dq_store *s, int64_t job)
{
    sqlite3_stmt *rows = dq_sql_rows(s, DQ_SQL_ANY_TASK, "l", job);

    if (!dq_sql_next(s, rows))
        return 1;
    dq_sql_done(rows);
    return 0;
}

static void forget_job(struct dq_store *s, int64_t job)
{
    struct dq_event e = {.who = &dq_dispatcher, .job = job, .verb = "prune"};

    if (dq_sql_run(s, DQ_SQL_REMOVE, "l", job) == 1)
        dq_event_add(s, &e);
}

static int prune_jobs(struct dq_store *s, const struct dq_prune_rule *rule)
{
    int64_t job = 0, unused;

    if (!rule->before ||
        !two(s, dq_sql_rows(s, DQ_SQL_PRUNE_JOB, "t", rule->before), &job,
             &unused))
        return 0;
    forget_some(s, job, rule->most);
    if (is_empty(s, job))
        forget_job(s, job);
    return 1;
}

/* ---- events --------------------------------------------------------------*/

/* The next round looks at the first again. */
static int restart(struct dq_store *s)
{
    s->pruned = 0;
    return 0;
}

/* From where the last step ended, so many ids; when nothing more is old, the
 * next round begins with the first again. */
static int prune_events(struct dq_store *s, const struct dq_prune_rule *rule)
{
    int64_t first = 0, last = 0, end, keep_from;

    if (!two(s, dq_sql_rows(s, DQ_SQL_PRUNE_FROM, "l", s->pruned), &first,
             &last) ||
        first == 0)
        return restart(s);
    end = first + rule->most - 1;
    keep_from = rule->events_most ? last - rule->events_most + 1 : 0;
    if (first >= keep_from) {
        sqlite3_stmt *old =
            dq_sql_rows(s, DQ_SQL_PRUNE_OLD, "llt", first, end, rule->before);

        if (!dq_sql_next(s, old))
            return restart(s);
        dq_sql_done(old);
    }
    dq_sql_run(s, DQ_SQL_PRUNE_EVENTS, "lllt", first, end, keep_from,
               rule->before);
    s->pruned = end + 1;
    return 1;
}

/* ---- a step --------------------------------------------------------------*/

int dq_store_prune(struct dq_store *s, const struct dq_prune_rule *rule,
                   int *more, struct dq_err *err)
{
    *more = 0;
    if ((!rule->before && !rule->events_most) || dq_store_begin(s, err))
        return err->code;
    *more = prune_jobs(s, rule) || prune_events(s, rule);
    return dq_store_finish(s, err);
}

/* ---- the clock -----------------------------------------------------------*/

int64_t dq_store_clock(struct dq_store *s)
{
    int64_t ms = 0, unused;

    two(s, dq_sql_rows(s, DQ_SQL_CLOCK, ""), &ms, &unused);
    return ms;
}

int dq_store_set_clock(struct dq_store *s, int64_t ms, struct dq_err *err)
{
    if (dq_store_begin(s, err))
        return err->code;
    dq_sql_run(s, DQ_SQL_SET_CLOCK, "l", ms);
    return dq_store_finish(s, err);
}
