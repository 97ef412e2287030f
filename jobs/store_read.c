#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "jobs/store_private.h"

/* ---- values --------------------------------------------------------------*/

/* Paths may hold any bytes; JSON holds UTF-8. What is none comes out as '?'. */
static json_t *text_value(const char *text, size_t bytes)
{
    json_t *value = json_stringn(text, bytes);
    char *copy;

    if (value)
        return value;
    copy = strdup(text);
    for (char *c = copy; c && *c;) {
        size_t n = dq_text_character(c);

        if (n == 0)
            *c = '?';
        c += n ? n : 1;
    }
    value = json_string(copy ? copy : "");
    free(copy);
    return value;
}

static json_t *column(sqlite3_stmt *row, int i)
{
    switch (sqlite3_column_type(row, i)) {
    case SQLITE_INTEGER:
        return json_integer(sqlite3_column_int64(row, i));
    case SQLITE_FLOAT:
        return json_real(sqlite3_column_double(row, i));
    case SQLITE_TEXT:
        return text_value((const char *)sqlite3_column_text(row, i),
                          (size_t)sqlite3_column_bytes(row, i));
    default:
        return json_null();
    }
}

/* Members named after columns, from the first on; "" leaves one out. */
static json_t *object(sqlite3_stmt *row, const char *const *names)
{
    json_t *o = json_object();

    for (int i = 0; names[i]; i++)
        if (*names[i])
            json_object_set_new(o, names[i], column(row, i));
    return o;
}

/* {code, message} from two columns, or null. */
static json_t *error_of(sqlite3_stmt *row, int code)
{
    if (sqlite3_column_type(row, code) == SQLITE_NULL)
        return json_null();
    return json_pack("{s:o, s:o}", "code", column(row, code), "message",
                     column(row, code + 1));
}

static json_t *page(const char *name, json_t *list, json_t *next)
{
    return json_pack("{s:o, s:o}", name, list, "next", next);
}

/* ---- jobs ----------------------------------------------------------------*/

/* Columns of DQ_JOB_COLUMNS (store_sql.def). */
enum { WISH = 3, SURVEY = 12, MODEL = 13, COUNTS = 17, CAUSE = 27 };

const char *dq_store_state(const char *wish, const int64_t *counts)
{
    int64_t open = 0, all = 0;

    for (int i = 0; i < DQ_TASK_STATES; i++) {
        all += counts[i];
        if (!dq_task_settled((enum dq_task_state)i))
            open += counts[i];
    }
    if (open == 0)
        return counts[DQ_TASK_CANCELED] ? "canceled"
               : counts[DQ_TASK_FAILED] ? "failed"
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

static void read_counts(sqlite3_stmt *row, int64_t *counts)
{
    for (int i = 0; i < DQ_TASK_STATES; i++)
        counts[i] = sqlite3_column_int64(row, COUNTS + i);
}

/* People count frames: the survey is taken out. */
static json_t *frame_counts(sqlite3_stmt *row, const int64_t *counts)
{
    const char *survey = (const char *)sqlite3_column_text(row, SURVEY);
    json_t *o = json_object();

    for (int i = 0; i < DQ_TASK_STATES; i++) {
        const char *name = dq_task_state_name((enum dq_task_state)i);

        json_object_set_new(
            o, name, json_integer(counts[i] - (strcmp(survey, name) == 0)));
    }
    return o;
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
    if (sqlite3_column_int64(row, 16) > 0 || counts[DQ_TASK_BLOCKED])
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
        "finished", "after",  "survey", NULL};
    int64_t counts[DQ_TASK_STATES];
    json_t *o = object(row, names);
    const char *state;

    read_counts(row, counts);
    state =
        dq_store_state((const char *)sqlite3_column_text(row, WISH), counts);
    json_object_set_new(o, "state", json_string(state));
    json_object_set_new(o, "reason", reason(row, state, counts));
    json_object_set_new(o, "error", column(row, CAUSE));
    json_object_set_new(o, "counts", frame_counts(row, counts));
    json_object_set_new(o, "model",
                        json_pack("{s:o, s:o, s:o}", "name", column(row, MODEL),
                                  "version", column(row, MODEL + 1), "sha256",
                                  column(row, MODEL + 2)));
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
    return page("jobs", list, next);
}

static int no_job(int64_t job, struct dq_err *err)
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
        no_job(job, err);
    }
    return o;
}

/* ---- frames --------------------------------------------------------------*/

static json_t *frame_object(sqlite3_stmt *row)
{
    static const char *const names[] = {
        "frame",  "state", "attempt", "failures", "",        "",        "path",
        "sha256", "bytes", "low",     "high",     "seconds", "suspect", NULL};
    json_t *o = object(row, names);

    json_object_set_new(o, "error", error_of(row, 4));
    return o;
}

static int has_job(struct dq_store *s, int64_t job, struct dq_err *err)
{
    sqlite3_stmt *rows = dq_sql_rows(s, DQ_SQL_HAS_JOB, "l", job);

    if (!dq_sql_next(s, rows))
        no_job(job, err);
    else
        dq_sql_done(rows);
    return !err->code;
}

json_t *dq_store_frames_json(struct dq_store *s, int64_t job, int64_t after,
                             int limit, const char *state, struct dq_err *err)
{
    json_t *list, *next = json_null();
    int64_t last = 0;
    sqlite3_stmt *rows;

    if (!has_job(s, job, err))
        return NULL;
    list = json_array();
    rows = dq_sql_rows(s, DQ_SQL_LIST_FRAMES, "llti", job, after, state,
                       limit + 1);
    while (dq_sql_next(s, rows)) {
        if ((int)json_array_size(list) == limit) {
            next = json_integer(last);
            dq_sql_done(rows);
            break;
        }
        last = sqlite3_column_int64(rows, 0);
        json_array_append_new(list, frame_object(rows));
    }
    return page("frames", list, next);
}

json_t *dq_store_attempts_json(struct dq_store *s, int64_t job, int survey,
                               int64_t frame, struct dq_err *err)
{
    static const char *const names[] = {"attempt", "began", "ended",   "event",
                                        "",        "",      "seconds", NULL};
    const char *kind =
        dq_task_kind_name(survey ? DQ_TASK_SURVEY : DQ_TASK_RENDER);
    json_t *list;
    sqlite3_stmt *rows;

    if (!has_job(s, job, err))
        return NULL;
    rows = dq_sql_rows(s, DQ_SQL_HAS_TASK, "ltl", job, kind, frame);
    if (!dq_sql_next(s, rows)) {
        dq_fail(err, DQ_MISSING, "job %lld has no frame %lld", (long long)job,
                (long long)frame);
        return NULL;
    }
    dq_sql_done(rows);
    list = json_array();
    rows = dq_sql_rows(s, DQ_SQL_LIST_ATTEMPTS, "ltl", job, kind, frame);
    while (dq_sql_next(s, rows)) {
        json_t *o = object(rows, names);

        json_object_set_new(o, "error", error_of(rows, 4));
        json_array_append_new(list, o);
    }
    return page("attempts", list, json_null());
}

/* ---- the rest ------------------------------------------------------------*/

json_t *dq_store_events_json(struct dq_store *s, int64_t job, int64_t after,
                             int limit)
{
    static const char *const names[] = {
        "id",   "time",   "uid",   "job",   "kind", "number", "attempt",
        "verb", "before", "after", "count", "text", NULL};
    json_t *list = json_array(), *next = json_null();
    sqlite3_stmt *rows =
        dq_sql_rows(s, DQ_SQL_LIST_EVENTS, "lli", job, after, limit);

    while (dq_sql_next(s, rows)) {
        json_array_append_new(list, object(rows, names));
        if ((int)json_array_size(list) == limit) {
            json_decref(next);
            next = json_integer(sqlite3_column_int64(rows, 0));
        }
    }
    return page("events", list, next);
}

json_t *dq_store_totals_json(struct dq_store *s)
{
    sqlite3_stmt *rows = dq_sql_rows(s, DQ_SQL_TOTALS, "");
    json_t *tasks = json_object(), *o;

    if (!dq_sql_next(s, rows)) {
        json_decref(tasks);
        return json_object();
    }
    for (int i = 0; i < DQ_TASK_STATES; i++)
        json_object_set_new(tasks, dq_task_state_name((enum dq_task_state)i),
                            json_integer(sqlite3_column_int64(rows, 2 + i)));
    o = json_pack("{s:I, s:I, s:o}", "jobs",
                  (json_int_t)sqlite3_column_int64(rows, 0), "open",
                  (json_int_t)sqlite3_column_int64(rows, 1), "tasks", tasks);
    dq_sql_done(rows);
    return o;
}

int dq_store_job(struct dq_store *s, int64_t job, struct dq_store_job *told,
                 struct dq_err *err)
{
    sqlite3_stmt *rows = dq_sql_rows(s, DQ_SQL_JOB_FOR_WORKER, "l", job);
    char **to[] = {&told->yaml,   &told->file,       &told->folder,
                   &told->frames, &told->model_path, &told->model_sha256};

    memset(told, 0, sizeof *told);
    if (!dq_sql_next(s, rows))
        return no_job(job, err);
    for (int i = 0; i < 6; i++)
        *to[i] = strdup((const char *)sqlite3_column_text(rows, i));
    dq_sql_done(rows);
    return DQ_OK;
}

void dq_store_job_free(struct dq_store_job *told)
{
    free(told->yaml);
    free(told->file);
    free(told->folder);
    free(told->frames);
    free(told->model_path);
    free(told->model_sha256);
    memset(told, 0, sizeof *told);
}
