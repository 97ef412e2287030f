/* store_testing: what the store's tests share. Included by *_test.c only. */
#ifndef DQ_JOBS_STORE_TESTING_H
#define DQ_JOBS_STORE_TESTING_H

#include "base/testing.h"

#include "base/fault.h"
#include "base/mem.h"
#include "jobs/store_private.h"

#define ME 1000
static const struct dq_who me = {.uid = ME, .pid = 1};

static inline struct dq_store *open_store(void)
{
    struct dq_err err = {0};
    struct dq_store *s = dq_store_open("state", &err);

    assert_string_equal(err.text, "");
    assert_non_null(s);
    return s;
}

/* What a test may change in a submit. */
struct wish {
    const char *name, *key, *frames, *output, *body;
    int64_t uid, after;
    int64_t jobs_most, frames_most;
    int priority, retries, hold;
    int steady; /* stabilize: shot */
};

static inline int submit_as(struct dq_store *s, struct wish w, int64_t *job,
                            int *fresh, struct dq_err *err)
{
    struct dq_problems problems = {0};
    struct dq_model_ref model = {.name = (char *)"net",
                                 .version = (char *)"1.0",
                                 .path = (char *)"/models/net.pt"};
    char *yaml =
        dq_asprintf("depthq: 1\nname: %s\nplate: p/a.####.exr\nmodel: net\n"
                    "retries: %d\noutput:\n  path: %s\nstabilize: %s\n",
                    w.name, w.retries, w.output ? w.output : "out/%s.####.exr",
                    w.steady ? "shot" : "off");
    struct dq_spec *spec =
        dq_spec_parse(yaml, strlen(yaml), "/j/shot.yaml", "/j", &problems);
    struct dq_range frames = {0};
    struct dq_submission sub = {.who = {.uid = w.uid ? w.uid : ME,
                                        .pid = 1,
                                        .jobs_most = w.jobs_most,
                                        .frames_most = w.frames_most},
                                .key = w.key ? w.key : w.name,
                                .body = w.body ? w.body : "digest",
                                .yaml = yaml,
                                .spec = spec,
                                .frames = &frames,
                                .model = &model,
                                .hold = w.hold,
                                .after = w.after,
                                .priority = w.priority ? w.priority : -1};
    int code;

    memset(model.sha256, 'a', 64);
    assert_non_null(spec);
    assert_int_equal(dq_range_parse(w.frames, &frames, NULL), 0);
    code = dq_store_submit(s, &sub, job, fresh, err);
    dq_range_free(&frames);
    dq_spec_free(spec);
    dq_problems_free(&problems);
    free(yaml);
    return code;
}

/* A job that must be taken. */
static inline int64_t submit(struct dq_store *s, struct wish w)
{
    struct dq_err err = {0};
    char *output = dq_asprintf("out/%s.####.exr", w.name);
    int64_t job = 0;
    int fresh = 0;

    if (!w.output)
        w.output = output;
    submit_as(s, w, &job, &fresh, &err);
    assert_string_equal(err.text, "");
    assert_true(fresh);
    free(output);
    return job;
}

/* ---- the dispatcher's side -----------------------------------------------*/

static inline int claim(struct dq_store *s, int64_t now_ms, struct dq_claim *c)
{
    struct dq_source source = dq_store_source(s);

    return source.ops->claim(s, DQ_CLAIM_USUAL, now_ms, c);
}

static inline struct dq_claim must_claim(struct dq_store *s, int64_t now_ms)
{
    struct dq_claim c;

    assert_int_equal(claim(s, now_ms, &c), 1);
    return c;
}

static inline int settle_with(struct dq_store *s, const struct dq_claim *c,
                              struct dq_settle settle)
{
    struct dq_source source = dq_store_source(s);

    settle.task = c->task;
    return dq_source_settle(&source, &settle);
}

static inline int settle(struct dq_store *s, const struct dq_claim *c,
                         enum dq_task_event event)
{
    struct dq_result result = {.task = c->task};
    struct dq_settle settle = {.event = event, .result = &result};

    memset(result.sha256, 'b', 64);
    snprintf(result.path, sizeof result.path, "/out/%d", c->task.frame);
    if (event == DQ_EVENT_GIVE_UP) {
        result.code = DQ_PLATE;
        snprintf(result.text, sizeof result.text, "no channel 'R'");
        settle.counts = 1;
    }
    return settle_with(s, c, settle);
}

/* Claim the survey and finish it: the frames, or their scans, are ready. */
static inline void survey(struct dq_store *s)
{
    struct dq_claim c = must_claim(s, 0);

    assert_int_equal(c.task.kind, DQ_TASK_SURVEY);
    assert_int_equal(settle(s, &c, DQ_EVENT_FINISH), 1);
}

/* Everything that can be claimed now, finished; how many. */
static inline int finish_all(struct dq_store *s)
{
    struct dq_claim c;
    int count = 0;

    while (claim(s, 0, &c)) {
        assert_int_equal(settle(s, &c, DQ_EVENT_FINISH), 1);
        count++;
    }
    return count;
}

/* ---- looking -------------------------------------------------------------*/

static inline int64_t number(struct dq_store *s, const char *sql)
{
    sqlite3_stmt *row = NULL;
    int64_t value;

    assert_int_equal(sqlite3_prepare_v2(s->db, sql, -1, &row, NULL), 0);
    assert_int_equal(sqlite3_step(row), SQLITE_ROW);
    value = sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    return value;
}

static inline void expect_state(struct dq_store *s, int64_t job,
                                const char *want)
{
    struct dq_err err = {0};
    json_t *o = dq_store_job_json(s, job, &err);

    assert_non_null(o);
    assert_string_equal(json_string_value(json_object_get(o, "state")), want);
    json_decref(o);
}

/* Frames in a state, by the job's counts. */
static inline int64_t frames_in(struct dq_store *s, int64_t job,
                                const char *state)
{
    struct dq_err err = {0};
    json_t *o = dq_store_job_json(s, job, &err);
    int64_t count = json_integer_value(
        json_object_get(json_object_get(o, "counts"), state));

    json_decref(o);
    return count;
}

/* An open job is in the phase of its first task that is not settled, and
 * nothing of that phase waits but what is still to become ready. */
static inline void expect_phases(struct dq_store *s)
{
    assert_int_equal(
        number(s, "SELECT count(*) FROM job j WHERE open = 1 AND phase <> "
                  "(SELECT kind FROM task t WHERE t.job = j.id AND state IN "
                  "('waiting', 'ready', 'running', 'retry', 'blocked') "
                  "ORDER BY instr('survey scan solve render', kind) LIMIT 1)"),
        0);
    assert_int_equal(number(s, "SELECT count(*) FROM job j JOIN task t ON "
                               "t.job = j.id AND t.kind = j.phase WHERE "
                               "t.state = 'waiting' AND t.number < "
                               "ifnull(j.release_from, 1 << 40)"),
                     0);
}

/* The counts that are kept are the rows that there are; what is open has no
 * end and what is over has one; SQLite finds nothing wrong. */
static inline void expect_sound(struct dq_store *s)
{
    assert_string_equal(s->broken.text, "");
    for (int i = 0; i < DQ_TASK_STATES; i++) {
        const char *name = dq_task_state_name((enum dq_task_state)i);
        char *sql = dq_asprintf(
            "SELECT count(*) FROM job j WHERE j.%s <> (SELECT count(*) FROM "
            "task t WHERE t.job = j.id AND t.kind = 'render' AND "
            "t.state = '%s') OR j.early_%s <> (SELECT count(*) FROM task t "
            "WHERE t.job = j.id AND t.kind <> 'render' AND t.state = '%s')",
            name, name, name, name);

        assert_int_equal(number(s, sql), 0);
        free(sql);
    }
    assert_int_equal(number(s, "SELECT count(*) FROM job WHERE "
                               "(finished IS NULL) <> open"),
                     0);
    assert_int_equal(
        number(s, "SELECT count(*) FROM model m WHERE frames < (SELECT "
                  "coalesce(sum(done), 0) FROM job WHERE model = m.id)"),
        0);
    expect_phases(s);
    assert_int_equal(number(s, "SELECT count(*) FROM pragma_foreign_key_check"),
                     0);
}

/* Do it, without an error; how many frames moved. */
static inline int64_t do_verb(struct dq_store *s, enum dq_verb verb,
                              int64_t job, const char *frames)
{
    struct dq_range range = {0};
    struct dq_err err = {0};
    int64_t moved = 0;

    if (frames)
        assert_int_equal(dq_range_parse(frames, &range, NULL), 0);
    dq_store_do(s, &me, verb, job, frames ? &range : NULL, &moved, &err);
    assert_string_equal(err.text, "");
    dq_range_free(&range);
    expect_sound(s);
    return moved;
}

#endif
