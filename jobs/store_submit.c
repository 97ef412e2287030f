#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "jobs/store_private.h"

/* ---- two jobs, one path --------------------------------------------------*/

/* The frame that a path is of in a sequence, as text of its number; 0 when
 * it is none of that. */
static int frame_of(const struct dq_sequence *seq, const char *path,
                    int32_t *frame)
{
    size_t before = strlen(seq->prefix), after = strlen(seq->suffix);
    size_t length = strlen(path);
    char *end, *again;
    long number;
    int same;

    if (seq->digits == 0) {
        *frame = 1;
        return strcmp(path, seq->prefix) == 0;
    }
    if (length <= before + after || memcmp(path, seq->prefix, before) != 0 ||
        strcmp(path + length - after, seq->suffix) != 0)
        return 0;
    number = strtol(path + before, &end, 10);
    if (end != path + length - after || labs(number) > DQ_FRAME_LIMIT)
        return 0;
    *frame = (int32_t)number;
    again = dq_sequence_path(seq, *frame);
    same = strcmp(again, path) == 0;
    free(again);
    return same;
}

/* Whether a path can be of both: its beginning and its end would have to be
 * theirs. In a folder of many shots it is of no two. */
static int may_meet(const struct dq_sequence *a, const struct dq_sequence *b)
{
    size_t head_a = strlen(a->prefix), head_b = strlen(b->prefix);
    size_t tail_a = strlen(a->suffix), tail_b = strlen(b->suffix);
    size_t head = head_a < head_b ? head_a : head_b;
    size_t tail = tail_a < tail_b ? tail_a : tail_b;

    return memcmp(a->prefix, b->prefix, head) == 0 &&
           memcmp(a->suffix + tail_a - tail, b->suffix + tail_b - tail, tail) ==
               0;
}

struct rival {
    int64_t id;
    const char *name;
    struct dq_sequence output;
    struct dq_range frames;
};

static int compare(const struct rival *r, const struct dq_sequence *output,
                   const struct dq_range *frames, struct dq_err *err)
{
    for (size_t i = 0; i < frames->count && !err->code; i++) {
        char *path = dq_sequence_path(output, frames->frames[i]);
        int32_t theirs;

        if (frame_of(&r->output, path, &theirs) &&
            (r->output.digits == 0 || dq_range_find(&r->frames, theirs) >= 0))
            dq_fail(err, DQ_EXISTS,
                    "%s is being made by job %lld (%s); wait for it, cancel "
                    "it, or choose another output",
                    path, (long long)r->id, r->name);
        free(path);
    }
    return err->code;
}

int dq_store_rivals(struct dq_store *s, int64_t job,
                    const struct dq_sequence *output,
                    const struct dq_range *frames, struct dq_err *err)
{
    char *folder = dq_sequence_folder(output);
    sqlite3_stmt *rows = dq_sql_rows(s, DQ_SQL_RIVALS, "tl", folder, job);

    while (!err->code && dq_sql_next(s, rows)) {
        struct rival r = {0};

        r.id = sqlite3_column_int64(rows, 0);
        r.name = (const char *)sqlite3_column_text(rows, 1);
        if (!dq_sequence_parse((const char *)sqlite3_column_text(rows, 2), NULL,
                               &r.output, err) &&
            may_meet(&r.output, output) &&
            !dq_range_parse((const char *)sqlite3_column_text(rows, 3),
                            &r.frames, err))
            compare(&r, output, frames, err);
        dq_sequence_free(&r.output);
        dq_range_free(&r.frames);
    }
    if (err->code)
        dq_sql_done(rows);
    free(folder);
    return err->code;
}

/* ---- a new job -----------------------------------------------------------*/

/* The job that this key made before, or 0. */
static int64_t made_before(struct dq_store *s, const struct dq_submission *sub,
                           struct dq_err *err)
{
    sqlite3_stmt *rows =
        dq_sql_rows(s, DQ_SQL_BY_KEY, "lt", sub->who.uid, sub->key);
    int64_t job = 0;

    if (!dq_sql_next(s, rows))
        return 0;
    job = sqlite3_column_int64(rows, 0);
    if (strcmp((const char *)sqlite3_column_text(rows, 1), sub->body) != 0)
        dq_fail(err, DQ_STATE,
                "this idempotency key came before, with another job: %lld",
                (long long)job);
    dq_sql_done(rows);
    return job;
}

static int64_t model_id(struct dq_store *s, const struct dq_model_ref *m)
{
    sqlite3_stmt *rows;
    int64_t id = 0;

    dq_sql_run(s, DQ_SQL_ADD_MODEL, "tttt", m->name, m->version, m->path,
               m->sha256);
    rows = dq_sql_rows(s, DQ_SQL_FIND_MODEL, "ttt", m->name, m->version,
                       m->sha256);
    if (dq_sql_next(s, rows)) {
        id = sqlite3_column_int64(rows, 0);
        dq_sql_done(rows);
    }
    return id;
}

/* Scans of every frame, and the solve. */
static int64_t steadying(const struct dq_submission *sub)
{
    return sub->spec->stabilize == DQ_STABILIZE_SHOT
               ? (int64_t)sub->frames->count + 1
               : 0;
}

static int64_t add_job(struct dq_store *s, const struct dq_submission *sub)
{
    const struct dq_spec *spec = sub->spec;
    char *frames = dq_range_text(sub->frames);
    char *output = dq_sequence_text(&spec->output.path);
    char *folder = dq_sequence_folder(&spec->output.path);
    int64_t model = model_id(s, sub->model);
    char now[DQ_TIME_TEXT];
    sqlite3_stmt *stmt;

    dq_clock_utc(now);
    stmt = dq_sql_rows(s, DQ_SQL_ADD_JOB,
                       "lttttttttt"
                       "liit",
                       sub->who.uid, sub->key, sub->body, spec->name, sub->yaml,
                       spec->file, spec->folder, frames, output, folder, model,
                       sub->priority >= 0 ? sub->priority : spec->priority,
                       spec->retries, sub->hold ? "hold" : "run");
    if (sub->after)
        sqlite3_bind_int64(stmt, 15, sub->after);
    else
        sqlite3_bind_null(stmt, 15);
    sqlite3_bind_text(stmt, 16, now, -1, SQLITE_TRANSIENT);
    sqlite3_bind_int64(stmt, 17, (int64_t)sub->frames->count);
    sqlite3_bind_int64(stmt, 18, steadying(sub));
    dq_sql_next(s, stmt);
    free(folder);
    free(output);
    free(frames);
    return sqlite3_last_insert_rowid(s->db);
}

static void add_task(struct dq_store *s, int64_t job, enum dq_task_kind kind)
{
    dq_sql_run(s, DQ_SQL_ADD_TASK, "ltiti", job, dq_task_kind_name(kind), 0,
               dq_task_state_name(kind == DQ_TASK_SURVEY ? DQ_TASK_READY
                                                         : DQ_TASK_WAITING),
               0);
}

/* How many frames from i on are as far from each other as the first two, and
 * how far; as many as are counted at a time, at most. */
static int run_of(const struct dq_range *frames, int i, int *step)
{
    const int32_t *f = frames->frames + i;
    int left = (int)frames->count - i, count = left > 1 ? 2 : 1;

    *step = f[count - 1] - f[0];
    while (count < left && count < DQ_TALLY && f[count] - f[count - 1] == *step)
        count++;
    return count;
}

/* A statement for many rows takes a part of the time of one for each. */
static void add_frames(struct dq_store *s, int64_t job, enum dq_task_kind kind,
                       const struct dq_range *frames)
{
    int all = (int)frames->count, step = 0;

    for (int i = 0, count; i < all && !s->broken.code; i += count) {
        count = run_of(frames, i, &step);
        dq_sql_run(s, DQ_SQL_ADD_TASKS, "lttiiiiii", job,
                   dq_task_kind_name(kind), dq_task_state_name(DQ_TASK_WAITING),
                   i, (int)frames->frames[i], step, count, all - 1, all / 2);
    }
}

static void add_tasks(struct dq_store *s, int64_t job,
                      const struct dq_submission *sub)
{
    add_task(s, job, DQ_TASK_SURVEY);
    if (steadying(sub)) {
        add_task(s, job, DQ_TASK_SOLVE);
        add_frames(s, job, DQ_TASK_SCAN, sub->frames);
    }
    add_frames(s, job, DQ_TASK_RENDER, sub->frames);
}

static int has_job(struct dq_store *s, int64_t job)
{
    sqlite3_stmt *rows = dq_sql_rows(s, DQ_SQL_HAS_JOB, "l", job);
    int has = dq_sql_next(s, rows);

    if (has)
        dq_sql_done(rows);
    return has;
}

static void submit(struct dq_store *s, const struct dq_submission *sub,
                   int64_t *job, struct dq_err *err)
{
    struct dq_event e = {.who = &sub->who, .verb = "submit"};

    if (sub->after && !has_job(s, sub->after)) {
        dq_fail(err, DQ_MISSING, "there is no job %lld to wait for",
                (long long)sub->after);
        return;
    }
    if (dq_store_within(s, &sub->who, sub->who.uid, 1,
                        (int64_t)sub->frames->count, err) ||
        dq_store_rivals(s, 0, &sub->spec->output.path, sub->frames, err))
        return;
    *job = add_job(s, sub);
    add_tasks(s, *job, sub);
    e.job = *job;
    e.after = sub->hold ? "held" : "queued";
    e.count = (int64_t)sub->frames->count;
    e.text = sub->spec->name;
    dq_event_add(s, &e);
}

int dq_store_submit(struct dq_store *s, const struct dq_submission *sub,
                    int64_t *job, int *fresh, struct dq_err *err)
{
    *job = made_before(s, sub, err);
    *fresh = !*job;
    if (err->code || *job || dq_store_begin(s, err))
        return err->code;
    submit(s, sub, job, err);
    return dq_store_finish(s, err);
}
