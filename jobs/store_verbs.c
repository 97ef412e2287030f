#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "jobs/store_private.h"

static const char *const names[DQ_VERBS] = {
    [DQ_VERB_CANCEL] = "cancel", [DQ_VERB_PAUSE] = "pause",
    [DQ_VERB_RESUME] = "resume", [DQ_VERB_RETRY] = "retry",
    [DQ_VERB_EAT] = "eat",
};

const char *dq_verb_name(enum dq_verb verb)
{
    return names[verb];
}

int dq_verb_from_name(const char *name)
{
    for (int i = 0; i < DQ_VERBS; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

/* ---- the job -------------------------------------------------------------*/

/* What a verb needs to know of it. */
struct owned {
    int64_t id, uid;
    char wish[8];
    int open;
    int64_t running, left; /* tasks at work; frames that are not settled */
    char *output, *frames;
};

static int denied(struct dq_err *err, int64_t job, int64_t uid)
{
    return dq_fail(err, DQ_DENIED,
                   "job %lld is of user %lld: only they, or a wrangler, may "
                   "change it",
                   (long long)job, (long long)uid);
}

/* Find it and check that who may touch it. Free what it holds. */
static int find(struct dq_store *s, const struct dq_who *who, int64_t job,
                struct owned *o, struct dq_err *err)
{
    sqlite3_stmt *rows = dq_sql_rows(s, DQ_SQL_JOB_OWNER, "l", job);

    memset(o, 0, sizeof *o);
    if (!dq_sql_next(s, rows))
        return dq_fail(err, DQ_MISSING, "there is no job %lld", (long long)job);
    o->id = job;
    o->uid = sqlite3_column_int64(rows, 0);
    strncpy(o->wish, (const char *)sqlite3_column_text(rows, 1),
            sizeof o->wish - 1);
    o->open = sqlite3_column_int(rows, 2);
    o->running = sqlite3_column_int64(rows, 3);
    o->left = sqlite3_column_int64(rows, 4);
    o->output = dq_strdup((const char *)sqlite3_column_text(rows, 5));
    o->frames = dq_strdup((const char *)sqlite3_column_text(rows, 6));
    if (!who->all && o->uid != who->uid)
        denied(err, job, o->uid);
    dq_sql_done(rows);
    return err->code;
}

static void drop(struct owned *o)
{
    free(o->output);
    free(o->frames);
}

static void set_wish(struct dq_store *s, const struct dq_who *who,
                     struct owned *o, const char *wish)
{
    struct dq_event e = {.who = who,
                         .job = o->id,
                         .verb = "wish",
                         .before = o->wish,
                         .after = wish,
                         .count = 0};

    dq_sql_run(s, DQ_SQL_SET_WISH, "ltt", o->id, o->wish, wish);
    dq_event_add(s, &e);
}

/* ---- whole jobs ----------------------------------------------------------*/

static int is(const struct owned *o, const char *wish)
{
    return strcmp(o->wish, wish) == 0;
}

/* States of which the event makes an end, without those at work. */
static const int not_at_work[] = {DQ_TASK_WAITING, DQ_TASK_READY, DQ_TASK_RETRY,
                                  DQ_TASK_BLOCKED, -1};

/* Frames are counted, whatever else moves. */
static int64_t end_all(struct dq_store *s, const struct dq_who *who,
                       int64_t job, enum dq_task_event event)
{
    struct dq_bulk bulk = {.who = who, .job = job};
    int64_t moved = 0;

    for (int kind = 0; kind < DQ_TASK_KINDS; kind++) {
        bulk.kind = (enum dq_task_kind)kind;
        moved = dq_move_from(s, &bulk, not_at_work, event);
    }
    return moved; /* the last kind is the frames' */
}

static int64_t cancel(struct dq_store *s, const struct dq_who *who,
                      struct owned *o, struct dq_err *err)
{
    if (!o->open)
        dq_fail(err, DQ_STATE, "job %lld is over: nothing is left to cancel",
                (long long)o->id);
    if (!o->open || is(o, "cancel"))
        return 0; /* said once more */
    set_wish(s, who, o, "cancel");
    return end_all(s, who, o->id, DQ_EVENT_CANCEL);
}

static int64_t pause(struct dq_store *s, const struct dq_who *who,
                     struct owned *o, struct dq_err *err)
{
    if (is(o, "pause"))
        return 0;
    if (!o->open || is(o, "cancel"))
        dq_fail(err, DQ_STATE, "job %lld is %s: it cannot be paused",
                (long long)o->id, o->open ? "being canceled" : "over");
    else
        set_wish(s, who, o, "pause");
    return 0;
}

static int64_t resume(struct dq_store *s, const struct dq_who *who,
                      struct owned *o, struct dq_err *err)
{
    if (is(o, "run") && o->open)
        return 0;
    if (!o->open || is(o, "cancel"))
        dq_fail(err, DQ_STATE,
                "job %lld is %s: it cannot be resumed (retry begins what is "
                "not done once more)",
                (long long)o->id, o->open ? "being canceled" : "over");
    else
        set_wish(s, who, o, "run");
    return 0;
}

/* ---- frames --------------------------------------------------------------*/

/* The frames into the table pick; each must be the job's. */
static int pick(struct dq_store *s, int64_t job, const struct dq_range *frames,
                struct dq_err *err)
{
    sqlite3_stmt *rows;

    dq_sql_run(s, DQ_SQL_PICK_NONE, "");
    for (size_t i = 0; i < frames->count; i++)
        dq_sql_run(s, DQ_SQL_PICK, "i", frames->frames[i]);
    rows = dq_sql_rows(s, DQ_SQL_PICK_WRONG, "l", job);
    if (dq_sql_next(s, rows)) {
        dq_fail(err, DQ_MISSING, "job %lld has no frame %d", (long long)job,
                sqlite3_column_int(rows, 0));
        dq_sql_done(rows);
    }
    return err->code;
}

/* Every picked frame must be in a state that the event leads out of. */
static int legal(struct dq_store *s, int64_t job, enum dq_task_event event,
                 struct dq_err *err)
{
    char states[200] = " ";
    sqlite3_stmt *rows;

    for (int i = 0; i < DQ_TASK_STATES; i++)
        if (dq_task_move((enum dq_task_state)i, event) >= 0) {
            size_t used = strlen(states);

            snprintf(states + used, sizeof states - used, "%s ",
                     dq_task_state_name((enum dq_task_state)i));
        }
    rows = dq_sql_rows(s, DQ_SQL_PICK_STATE, "lt", job, states);
    if (dq_sql_next(s, rows)) {
        const char *state = (const char *)sqlite3_column_text(rows, 1);

        dq_fail(err, DQ_STATE, "frame %d is %s: no %s%s",
                sqlite3_column_int(rows, 0), state, dq_task_event_name(event),
                event == DQ_EVENT_RETRY && strcmp(state, "done") == 0
                    ? " (reprocess makes a done frame again)"
                    : "");
        dq_sql_done(rows);
    }
    return err->code;
}

/* What it writes must still be its own. */
static int still_alone(struct dq_store *s, const struct owned *o,
                       struct dq_err *err)
{
    struct dq_sequence output = {0};
    struct dq_range frames = {0};

    if (!dq_sequence_parse(o->output, NULL, &output, err) &&
        !dq_range_parse(o->frames, &frames, err))
        dq_store_rivals(s, o->id, &output, &frames, err);
    dq_sequence_free(&output);
    dq_range_free(&frames);
    return err->code;
}

/* What frames need and was not finished: the survey, and the solve with the
 * scans that it lacks. A shot that is solved is frozen: then a scan that
 * failed is not made again. */
static void retry_early(struct dq_store *s, const struct dq_who *who,
                        int64_t job)
{
    static const int states[] = {DQ_TASK_FAILED, DQ_TASK_CANCELED,
                                 DQ_TASK_EATEN, -1};
    struct dq_bulk bulk = {.who = who, .job = job, .kind = DQ_TASK_SURVEY};

    dq_move_from(s, &bulk, states, DQ_EVENT_RETRY);
    bulk.kind = DQ_TASK_SOLVE;
    if (dq_move_from(s, &bulk, states, DQ_EVENT_RETRY)) {
        bulk.kind = DQ_TASK_SCAN;
        dq_move_from(s, &bulk, states, DQ_EVENT_RETRY);
    }
}

static int64_t retry(struct dq_store *s, const struct dq_who *who,
                     struct owned *o, const struct dq_range *frames,
                     struct dq_err *err)
{
    static const int named[] = {DQ_TASK_FAILED, DQ_TASK_CANCELED, DQ_TASK_EATEN,
                                DQ_TASK_SKIPPED, -1};
    static const int usual[] = {DQ_TASK_FAILED, DQ_TASK_CANCELED, -1};
    struct dq_bulk bulk = {.who = who,
                           .job = o->id,
                           .kind = DQ_TASK_RENDER,
                           .picked = frames != NULL};
    int64_t moved;

    if (is(o, "cancel") && o->running) {
        dq_fail(err, DQ_STATE, "job %lld is still being canceled",
                (long long)o->id);
        return 0;
    }
    if ((frames && (pick(s, o->id, frames, err) ||
                    legal(s, o->id, DQ_EVENT_RETRY, err))) ||
        still_alone(s, o, err))
        return 0;
    retry_early(s, who, o->id);
    moved = dq_move_from(s, &bulk, frames ? named : usual, DQ_EVENT_RETRY);
    dq_move_phase(s, o->id);
    if (moved == 0)
        dq_fail(err, DQ_STATE, "job %lld has no failed or canceled frame",
                (long long)o->id);
    else
        dq_store_within(s, who, o->uid, 0, 0, err); /* they are back */
    if (is(o, "cancel"))
        set_wish(s, who, o, "run");
    return moved;
}

/* Without a frame to make nothing before it is of use. */
static int64_t eat(struct dq_store *s, const struct dq_who *who,
                   struct owned *o, const struct dq_range *frames,
                   struct dq_err *err)
{
    static const int failed[] = {DQ_TASK_FAILED, -1};
    struct dq_bulk bulk = {.who = who,
                           .job = o->id,
                           .kind = DQ_TASK_RENDER,
                           .picked = frames != NULL};
    int64_t begun = 0, moved;

    if (frames &&
        (pick(s, o->id, frames, err) || legal(s, o->id, DQ_EVENT_EAT, err)))
        return 0;
    if (frames)
        begun = dq_move_from(s, &bulk, not_at_work, DQ_EVENT_EAT);
    moved = begun + dq_move_from(s, &bulk, failed, DQ_EVENT_EAT);
    if (begun && begun == o->left)
        end_all(s, who, o->id, DQ_EVENT_EAT);
    if (moved == 0)
        dq_fail(err, DQ_STATE, "job %lld has no failed frame to give up",
                (long long)o->id);
    return moved;
}

/* ---- the verbs -----------------------------------------------------------*/

static int64_t act(struct dq_store *s, const struct dq_who *who,
                   enum dq_verb verb, struct owned *o,
                   const struct dq_range *frames, struct dq_err *err)
{
    switch (verb) {
    case DQ_VERB_CANCEL:
        return cancel(s, who, o, err);
    case DQ_VERB_PAUSE:
        return pause(s, who, o, err);
    case DQ_VERB_RESUME:
        return resume(s, who, o, err);
    case DQ_VERB_RETRY:
        return retry(s, who, o, frames, err);
    case DQ_VERB_EAT:
        return eat(s, who, o, frames, err);
    default:
        return 0;
    }
}

int dq_store_do(struct dq_store *s, const struct dq_who *who, enum dq_verb verb,
                int64_t job, const struct dq_range *frames, int64_t *moved,
                struct dq_err *err)
{
    struct owned o;

    *moved = 0;
    if (dq_store_begin(s, err))
        return err->code;
    if (!find(s, who, job, &o, err)) {
        *moved = act(s, who, verb, &o, frames, err);
        dq_move_done(s, job);
    }
    drop(&o);
    s->due_ms = INT64_MIN;
    return dq_store_finish(s, err);
}

int dq_store_priority(struct dq_store *s, const struct dq_who *who, int64_t job,
                      int priority, struct dq_err *err)
{
    struct dq_event e = {.who = who, .job = job, .verb = "priority"};
    char *after = dq_asprintf("%d", priority);
    struct owned o;

    e.after = after;
    if (!dq_store_begin(s, err)) {
        if (!find(s, who, job, &o, err)) {
            dq_sql_run(s, DQ_SQL_SET_PRIORITY, "li", job, priority);
            dq_event_add(s, &e);
        }
        drop(&o);
        dq_store_finish(s, err);
    }
    free(after);
    return err->code;
}

int dq_store_remove(struct dq_store *s, const struct dq_who *who, int64_t job,
                    struct dq_err *err)
{
    struct dq_event e = {.who = who, .job = job, .verb = "rm"};
    struct owned o;

    if (dq_store_begin(s, err))
        return err->code;
    if (!find(s, who, job, &o, err)) {
        if (dq_sql_run(s, DQ_SQL_REMOVE, "l", job) == 0)
            dq_fail(err, DQ_STATE, "job %lld is not over: cancel it first",
                    (long long)job);
        dq_event_add(s, &e);
    }
    drop(&o);
    return dq_store_finish(s, err);
}
