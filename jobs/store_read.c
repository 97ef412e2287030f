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

json_t *dq_row_value(sqlite3_stmt *row, int i)
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

json_t *dq_row_object(sqlite3_stmt *row, const char *const *names)
{
    json_t *o = json_object();

    for (int i = 0; names[i]; i++)
        if (*names[i])
            json_object_set_new(o, names[i], dq_row_value(row, i));
    return o;
}

/* {code, message} from two columns, or null. */
static json_t *error_of(sqlite3_stmt *row, int code)
{
    if (sqlite3_column_type(row, code) == SQLITE_NULL)
        return json_null();
    return json_pack("{s:o, s:o}", "code", dq_row_value(row, code), "message",
                     dq_row_value(row, code + 1));
}

json_t *dq_row_page(const char *name, json_t *list, json_t *next)
{
    return json_pack("{s:o, s:o}", name, list, "next", next);
}

json_t *dq_row_pages(struct dq_store *s, sqlite3_stmt *rows, int limit,
                     const char *name,
                     json_t *(*object)(struct dq_store *s, sqlite3_stmt *row))
{
    json_t *list = json_array(), *next = json_null();
    int64_t last = 0;

    while (dq_sql_next(s, rows)) {
        if ((int)json_array_size(list) == limit) {
            next = json_integer(last);
            dq_sql_done(rows);
            break;
        }
        last = sqlite3_column_int64(rows, 0);
        json_array_append_new(list, object(s, rows));
    }
    return dq_row_page(name, list, next);
}

/* ---- frames --------------------------------------------------------------*/

static json_t *frame_object(struct dq_store *s, sqlite3_stmt *row)
{
    static const char *const names[] = {
        "frame",  "state", "attempt", "failures", "",        "",        "path",
        "sha256", "bytes", "low",     "high",     "seconds", "suspect", NULL};
    json_t *o = dq_row_object(row, names);

    (void)s;
    json_object_set_new(o, "error", error_of(row, 4));
    return o;
}

static int has_job(struct dq_store *s, int64_t job, struct dq_err *err)
{
    sqlite3_stmt *rows = dq_sql_rows(s, DQ_SQL_HAS_JOB, "l", job);

    if (!dq_sql_next(s, rows))
        dq_no_job(job, err);
    else
        dq_sql_done(rows);
    return !err->code;
}

json_t *dq_store_frames_json(struct dq_store *s, int64_t job, int64_t after,
                             int limit, const char *state, struct dq_err *err)
{
    if (!has_job(s, job, err))
        return NULL;
    return dq_row_pages(s,
                        dq_sql_rows(s, DQ_SQL_LIST_FRAMES, "llti", job, after,
                                    state, limit + 1),
                        limit, "frames", frame_object);
}

json_t *dq_store_attempts_json(struct dq_store *s, int64_t job,
                               enum dq_task_kind of, int64_t frame,
                               struct dq_err *err)
{
    static const char *const names[] = {
        "attempt", "began",   "ended", "event",     "",
        "",        "seconds", "kind",  "execution", NULL};
    const char *kind = dq_task_kind_name(of);
    const char *before =
        of == DQ_TASK_RENDER ? dq_task_kind_name(DQ_TASK_SCAN) : kind;
    json_t *list;
    sqlite3_stmt *rows;

    if (!has_job(s, job, err))
        return NULL;
    rows = dq_sql_rows(s, DQ_SQL_HAS_TASK, "ltl", job, kind, frame);
    if (!dq_sql_next(s, rows)) {
        if (of == DQ_TASK_RENDER)
            dq_fail(err, DQ_MISSING, "job %lld has no frame %lld",
                    (long long)job, (long long)frame);
        else
            dq_fail(err, DQ_MISSING, "job %lld has no %s", (long long)job,
                    kind);
        return NULL;
    }
    dq_sql_done(rows);
    list = json_array();
    rows =
        dq_sql_rows(s, DQ_SQL_LIST_ATTEMPTS, "lttl", job, before, kind, frame);
    while (dq_sql_next(s, rows)) {
        json_t *o = dq_row_object(rows, names);

        json_object_set_new(o, "error", error_of(rows, 4));
        json_array_append_new(list, o);
    }
    return dq_row_page("attempts", list, json_null());
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
        job ? dq_sql_rows(s, DQ_SQL_LIST_EVENTS, "lli", job, after, limit)
            : dq_sql_rows(s, DQ_SQL_ALL_EVENTS, "li", after, limit);

    while (dq_sql_next(s, rows)) {
        json_array_append_new(list, dq_row_object(rows, names));
        if ((int)json_array_size(list) == limit) {
            json_decref(next);
            next = json_integer(sqlite3_column_int64(rows, 0));
        }
    }
    return dq_row_page("events", list, next);
}

int64_t dq_store_last_event(struct dq_store *s)
{
    sqlite3_stmt *rows = dq_sql_rows(s, DQ_SQL_LAST_EVENT, "");
    int64_t id = 0;

    if (!dq_sql_next(s, rows))
        return 0;
    id = sqlite3_column_int64(rows, 0); /* 0 for NULL */
    dq_sql_done(rows);
    return id;
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
        return dq_no_job(job, err);
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
