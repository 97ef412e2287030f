/* What people are told of a job. */
#include <string.h>

#include "jobs/store_private.h"

/* Columns of DQ_JOB_COLUMNS (store_sql.def). */
enum {
    WISH = 3,
    PHASE = 12,
    MODEL = 13,
    HELD = 16,
    FRAMES = 17,
    EARLY = FRAMES + DQ_TASK_STATES,
    SURVEY = EARLY + DQ_TASK_STATES,
    SOLVE,
    CAUSE
};

static int64_t sum(const int64_t *counts)
{
    int64_t all = 0;

    for (int i = 0; i < DQ_TASK_STATES; i++)
        all += counts[i];
    return all;
}

static int64_t settled(const int64_t *counts)
{
    int64_t all = 0;

    for (int i = 0; i < DQ_TASK_STATES; i++)
        if (dq_task_settled((enum dq_task_state)i))
            all += counts[i];
    return all;
}

static void add(const int64_t *a, const int64_t *b, int64_t *both)
{
    for (int i = 0; i < DQ_TASK_STATES; i++)
        both[i] = a[i] + b[i];
}

const char *dq_store_state(const char *wish, const int64_t *frames,
                           const int64_t *early)
{
    int64_t counts[DQ_TASK_STATES], all;

    add(frames, early, counts);
    all = sum(counts);
    if (settled(counts) == all)
        return frames[DQ_TASK_CANCELED] ? "canceled"
               : frames[DQ_TASK_FAILED] ? "failed"
                                        : "done";
    if (strcmp(wish, "cancel") == 0)
        return "canceling";
    if (strcmp(wish, "hold") == 0)
        return "held";
    if (strcmp(wish, "pause") == 0)
        return counts[DQ_TASK_RUNNING] ? "pausing" : "paused";
    return counts[DQ_TASK_WAITING] + counts[DQ_TASK_READY] == all ? "queued"
                                                                  : "active";
}

static void read_counts(sqlite3_stmt *row, int first, int64_t *counts)
{
    for (int i = 0; i < DQ_TASK_STATES; i++)
        counts[i] = sqlite3_column_int64(row, first + i);
}

static json_t *counts_object(const int64_t *counts)
{
    json_t *o = json_object();

    for (int i = 0; i < DQ_TASK_STATES; i++)
        json_object_set_new(o, dq_task_state_name((enum dq_task_state)i),
                            json_integer(counts[i]));
    return o;
}

/* Of the shot's scans, or null where there are none: what comes before the
 * frames, without survey and solve. */
static json_t *scans_object(sqlite3_stmt *row, const int64_t *early)
{
    const char *survey = (const char *)sqlite3_column_text(row, SURVEY);
    const char *solve = (const char *)sqlite3_column_text(row, SOLVE);
    int64_t scans[DQ_TASK_STATES];

    if (!survey || !solve)
        return json_null();
    for (int i = 0; i < DQ_TASK_STATES; i++) {
        const char *name = dq_task_state_name((enum dq_task_state)i);

        scans[i] =
            early[i] - (strcmp(survey, name) == 0) - (strcmp(solve, name) == 0);
    }
    return json_pack("{s:I, s:I, s:I}", "all", (json_int_t)sum(scans),
                     "settled", (json_int_t)settled(scans), "failed",
                     (json_int_t)scans[DQ_TASK_FAILED]);
}

/* Why nothing of it runs, or null. */
static json_t *reason(sqlite3_stmt *row, const char *state,
                      const int64_t *counts)
{
    if (strcmp(state, "held") == 0)
        return json_string("held until somebody resumes it");
    if (strcmp(state, "paused") == 0)
        return json_string("paused");
    if (strcmp(state, "queued") != 0 && strcmp(state, "active") != 0)
        return json_null();
    if (counts[DQ_TASK_RUNNING])
        return json_null();
    if (sqlite3_column_int64(row, HELD) > 0 || counts[DQ_TASK_BLOCKED])
        return json_string("the storage is full; it is tried again");
    if (sqlite3_column_type(row, 11) != SQLITE_NULL)
        return json_sprintf("waits for job %lld, or for a worker",
                            (long long)sqlite3_column_int64(row, 11));
    if (counts[DQ_TASK_RETRY] && !counts[DQ_TASK_READY])
        return json_string("frames failed and are tried again after a pause");
    return json_string("waits for a worker");
}

static json_t *job_object(sqlite3_stmt *row)
{
    static const char *const names[] = {
        "id",       "name",   "uid",    "",        "priority",
        "file",     "output", "frames", "retries", "submitted",
        "finished", "after",  "phase",  NULL};
    int64_t frames[DQ_TASK_STATES], early[DQ_TASK_STATES];
    int64_t both[DQ_TASK_STATES];
    json_t *o = dq_row_object(row, names);
    const char *state;

    read_counts(row, FRAMES, frames);
    read_counts(row, EARLY, early);
    add(frames, early, both);
    state = dq_store_state((const char *)sqlite3_column_text(row, WISH), frames,
                           early);
    json_object_set_new(o, "state", json_string(state));
    json_object_set_new(o, "reason", reason(row, state, both));
    json_object_set_new(o, "error", dq_row_value(row, CAUSE));
    json_object_set_new(o, "scans", scans_object(row, early));
    json_object_set_new(o, "counts", counts_object(frames));
    json_object_set_new(o, "model",
                        json_pack("{s:o, s:o, s:o}", "name",
                                  dq_row_value(row, MODEL), "version",
                                  dq_row_value(row, MODEL + 1), "sha256",
                                  dq_row_value(row, MODEL + 2)));
    return o;
}

static int fits(const json_t *job, const struct dq_store_filter *filter)
{
    return !filter->state ||
           strcmp(json_string_value(json_object_get(job, "state")),
                  filter->state) == 0;
}

json_t *dq_store_jobs_json(struct dq_store *s,
                           const struct dq_store_filter *filter)
{
    json_t *list = json_array(), *next = json_null();
    int64_t last = 0;
    sqlite3_stmt *rows = dq_sql_rows(
        s, DQ_SQL_LIST_JOBS, "ll",
        filter->before > 0 ? filter->before : INT64_MAX, filter->uid);

    while (dq_sql_next(s, rows)) {
        json_t *job = job_object(rows);
        int full = (int)json_array_size(list) == filter->limit;

        if (fits(job, filter) && !full) {
            last = sqlite3_column_int64(rows, 0);
            json_array_append(list, job);
        } else if (full) {
            next = json_integer(last);
        }
        json_decref(job);
        if (full) {
            dq_sql_done(rows);
            break;
        }
    }
    return dq_row_page("jobs", list, next);
}

int dq_no_job(int64_t job, struct dq_err *err)
{
    return dq_fail(err, DQ_MISSING, "there is no job %lld", (long long)job);
}

json_t *dq_store_job_json(struct dq_store *s, int64_t job, struct dq_err *err)
{
    sqlite3_stmt *rows = dq_sql_rows(s, DQ_SQL_ONE_JOB, "l", job);
    json_t *o = NULL;

    if (dq_sql_next(s, rows)) {
        o = job_object(rows);
        dq_sql_done(rows);
    } else {
        dq_no_job(job, err);
    }
    return o;
}
