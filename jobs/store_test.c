/* The store as a dispatcher sees it: what is claimed when, and what settles. */
#include "jobs/store_testing.h"

#include <signal.h>

static int set_up(void **state)
{
    *state = enter_folder();
    return 0;
}

static void a_new_job_is_queued_with_its_frames_waiting(void **state)
{
    struct dq_store *s = open_store();
    int64_t job = submit(s, (struct wish){.name = "a", .frames = "1001-1003"});

    (void)state;
    expect_state(s, job, "queued");
    assert_int_equal(frames_in(s, job, "waiting"), 3);
    assert_int_equal(frames_in(s, job, "ready"), 0);
    expect_sound(s);
    dq_store_close(s);
}

static void the_survey_comes_first_then_first_last_and_middle(void **state)
{
    static const int want[] = {1001, 1009, 1005, 1002, 1003,
                               1004, 1006, 1007, 1008};
    struct dq_store *s = open_store();
    int64_t job = submit(s, (struct wish){.name = "a", .frames = "1001-1009"});
    struct dq_claim c;

    (void)state;
    c = must_claim(s, 0);
    assert_int_equal(c.task.kind, DQ_TASK_SURVEY);
    assert_int_equal(c.task.attempt, 1);
    assert_int_equal(claim(s, 0, &c), 0); /* frames wait for it */
    assert_int_equal(settle(s, &c, DQ_EVENT_FINISH), 0); /* not claimed */
    c.task.kind = DQ_TASK_SURVEY;
    c.task.job = job;
    c.task.frame = 0;
    c.task.attempt = 1;
    assert_int_equal(settle(s, &c, DQ_EVENT_FINISH), 1);
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        assert_int_equal(must_claim(s, 0).task.frame, want[i]);
    assert_int_equal(claim(s, 0, &c), 0);
    expect_state(s, job, "active");
    expect_sound(s);
    dq_store_close(s);
}

static void a_job_whose_frames_are_done_is_done(void **state)
{
    struct dq_store *s = open_store();
    int64_t job = submit(s, (struct wish){.name = "a", .frames = "1-5"});

    (void)state;
    assert_int_equal(finish_all(s), 6);
    expect_state(s, job, "done");
    assert_int_equal(frames_in(s, job, "done"), 5);
    assert_int_equal(number(s, "SELECT count(*) FROM event WHERE "
                               "verb = 'finish' AND before = 'running'"),
                     6);
    expect_sound(s);
    dq_store_close(s);
}

static void a_late_word_of_an_old_attempt_moves_nothing(void **state)
{
    struct dq_store *s = open_store();
    struct dq_claim first, again;

    (void)state;
    submit(s, (struct wish){.name = "a", .frames = "1-2", .retries = 3});
    survey(s);
    first = must_claim(s, 0);
    assert_int_equal(settle(s, &first, DQ_EVENT_HAND_BACK), 1);
    again = must_claim(s, 0);
    assert_int_equal(again.task.frame, first.task.frame);
    assert_int_equal(again.task.attempt, 2);
    assert_int_equal(settle(s, &first, DQ_EVENT_FINISH), 0);
    assert_int_equal(number(s, "SELECT count(*) FROM task WHERE "
                               "state = 'done' AND kind = 'render'"),
                     0);
    assert_int_equal(settle(s, &again, DQ_EVENT_FINISH), 1);
    assert_int_equal(settle(s, &again, DQ_EVENT_FINISH), 0);
    expect_sound(s);
    dq_store_close(s);
}

static void a_failure_waits_for_its_time(void **state)
{
    struct dq_store *s = open_store();
    struct dq_source source = dq_store_source(s);
    struct dq_settle later = {
        .event = DQ_EVENT_FAIL, .counts = 1, .not_before_ms = 500};
    struct dq_claim c;

    (void)state;
    submit(s, (struct wish){.name = "a", .frames = "7", .retries = 3});
    survey(s);
    c = must_claim(s, 0);
    assert_int_equal(settle_with(s, &c, later), 1);
    assert_int_equal(claim(s, 499, &c), 0);
    assert_int_equal(source.ops->next_due(s, 100), 500);
    c = must_claim(s, 500);
    assert_int_equal(c.failures, 1);
    assert_int_equal(c.retries, 3);
    assert_int_equal(source.ops->next_due(s, 600), -1);
    expect_sound(s);
    dq_store_close(s);
}

static void full_storage_holds_the_whole_job_and_no_other(void **state)
{
    struct dq_store *s = open_store();
    struct dq_source source = dq_store_source(s);
    struct dq_settle full = {.event = DQ_EVENT_NO_SPACE, .not_before_ms = 900};
    struct dq_claim c;
    int64_t a, b;

    (void)state;
    a = submit(s, (struct wish){.name = "a", .frames = "1-3"});
    survey(s);
    b = submit(s, (struct wish){.name = "b", .frames = "1-3", .priority = 1});
    c = must_claim(s, 0);
    assert_int_equal(c.task.job, a);
    assert_int_equal(settle_with(s, &c, full), 1);
    assert_int_equal(must_claim(s, 10).task.job, b);
    assert_int_equal(claim(s, 899, &c), 0);
    assert_int_equal(source.ops->next_due(s, 10), 900);
    assert_int_equal(must_claim(s, 900).task.job, a);
    assert_int_equal(number(s, "SELECT sum(failures) FROM task"), 0);
    dq_store_close(s);
}

static void a_survey_that_failed_fails_the_frames_with_its_cause(void **state)
{
    struct dq_store *s = open_store();
    struct dq_claim c;
    int64_t job = submit(s, (struct wish){.name = "a", .frames = "1-4"});

    (void)state;
    c = must_claim(s, 0);
    assert_int_equal(settle(s, &c, DQ_EVENT_GIVE_UP), 1);
    expect_state(s, job, "failed");
    assert_int_equal(number(s, "SELECT count(*) FROM task WHERE kind = "
                               "'render' AND code = 'PLATE' AND text = "
                               "'no channel ''R'''"),
                     4);
    expect_sound(s);
    dq_store_close(s);
}

static void fail_job_leaves_what_runs_and_what_is_done(void **state)
{
    struct dq_store *s = open_store();
    struct dq_source source = dq_store_source(s);
    struct dq_err cause = {.code = DQ_MODEL, .text = "no such layer"};
    struct dq_claim done, running;
    int64_t job = submit(s, (struct wish){.name = "a", .frames = "1-9"});

    (void)state;
    survey(s);
    done = must_claim(s, 0);
    settle(s, &done, DQ_EVENT_FINISH);
    running = must_claim(s, 0);
    source.ops->fail_job(s, job, &cause);
    assert_int_equal(frames_in(s, job, "failed"), 7);
    assert_int_equal(frames_in(s, job, "running"), 1);
    expect_state(s, job, "active");
    assert_int_equal(settle(s, &running, DQ_EVENT_FINISH), 1);
    expect_state(s, job, "failed");
    expect_sound(s);
    dq_store_close(s);
}

/* The next frame of a job, given up with a code. */
static void give_up(struct dq_store *s, int code)
{
    struct dq_claim c = must_claim(s, 0);
    struct dq_result result = {.task = c.task, .code = code};
    struct dq_settle settle = {
        .event = DQ_EVENT_GIVE_UP, .result = &result, .counts = 1};

    snprintf(result.text, sizeof result.text, "p.%d.exr: no", c.task.frame);
    assert_int_equal(settle_with(s, &c, settle), 1);
}

static void a_job_whose_first_frames_fail_alike_stops_early(void **state)
{
    struct dq_store *s = open_store();
    struct dq_err err = {0};
    struct dq_claim running;
    int64_t job = submit(s, (struct wish){.name = "a", .frames = "1-90"});
    json_t *page, *frame;

    (void)state;
    survey(s);
    running = must_claim(s, 0);
    for (int i = 0; i < 4; i++)
        give_up(s, DQ_PLATE);
    assert_int_equal(frames_in(s, job, "failed"), 4);
    give_up(s, DQ_PLATE);
    assert_int_equal(frames_in(s, job, "failed"), 89);
    assert_int_equal(frames_in(s, job, "running"), 1);
    page = dq_store_frames_json(s, job, 79, 1, NULL, &err);
    frame = json_object_get(json_array_get(json_object_get(page, "frames"), 0),
                            "error");
    assert_string_equal(json_string_value(json_object_get(frame, "code")),
                        "PLATE");
    assert_string_equal(json_string_value(json_object_get(frame, "message")),
                        "not tried, for the first 5 frames failed alike "
                        "(retry begins anew): p.4.exr: no");
    json_decref(page);
    settle(s, &running, DQ_EVENT_GIVE_UP);
    expect_state(s, job, "failed");
    expect_sound(s);
    dq_store_close(s);
}

static void a_job_with_hope_goes_on(void **state)
{
    struct dq_store *s = open_store();
    int64_t done = submit(s, (struct wish){.name = "a", .frames = "1-30"});
    int64_t mixed;
    struct dq_claim c;

    (void)state;
    survey(s);
    c = must_claim(s, 0);
    settle(s, &c, DQ_EVENT_SKIP); /* one is right */
    for (int i = 0; i < 9; i++)
        give_up(s, DQ_PLATE);
    assert_int_equal(frames_in(s, done, "ready"), 20);
    finish_all(s);
    mixed = submit(s, (struct wish){.name = "b", .frames = "1-30"});
    survey(s);
    for (int i = 0; i < 9; i++) /* each in a way of its own */
        give_up(s, i % 2 ? DQ_PLATE : DQ_MISSING);
    assert_int_equal(frames_in(s, mixed, "ready"), 21);
    expect_sound(s);
    dq_store_close(s);
}

static void a_suspect_is_claimed_only_as_one(void **state)
{
    struct dq_store *s = open_store();
    struct dq_source source = dq_store_source(s);
    struct dq_settle lost = {.event = DQ_EVENT_LOSE, .suspect = 1};
    struct dq_claim c;

    (void)state;
    submit(s, (struct wish){.name = "a", .frames = "1", .retries = 3});
    survey(s);
    c = must_claim(s, 0);
    assert_int_equal(source.ops->suspect_due(s, 0), 0);
    assert_int_equal(settle_with(s, &c, lost), 1);
    assert_int_equal(source.ops->suspect_due(s, 0), 1);
    assert_int_equal(claim(s, 0, &c), 0);
    assert_int_equal(source.ops->claim(s, DQ_CLAIM_SUSPECT, 0, &c), 1);
    assert_true(c.suspect);
    assert_int_equal(c.task.attempt, 2);
    dq_store_close(s);
}

static void priority_goes_first_then_the_user_with_least_at_work(void **state)
{
    struct dq_store *s = open_store();
    int64_t a, b, other, usual, urgent;

    (void)state;
    a = submit(s, (struct wish){.name = "a", .frames = "1-9"});
    b = submit(s, (struct wish){.name = "b", .frames = "1-9"});
    other = submit(s, (struct wish){.name = "c", .frames = "1-9", .uid = 2});
    assert_int_equal(must_claim(s, 0).task.job, a);
    assert_int_equal(must_claim(s, 0).task.job, other);
    assert_int_equal(must_claim(s, 0).task.job, b);
    /* of the user with less at work, and there first, but not urgent */
    usual = submit(s, (struct wish){.name = "d", .frames = "1-9", .uid = 2});
    urgent =
        submit(s, (struct wish){.name = "e", .frames = "1-9", .priority = 90});
    assert_int_equal(must_claim(s, 0).task.job, urgent);
    assert_int_equal(must_claim(s, 0).task.job, usual);
    dq_store_close(s);
}

static void a_job_after_another_waits_until_that_is_over(void **state)
{
    struct dq_store *s = open_store();
    struct dq_claim c;
    int64_t first, second;

    (void)state;
    first = submit(s, (struct wish){.name = "a", .frames = "1"});
    second = submit(
        s, (struct wish){
               .name = "b", .frames = "1", .priority = 99, .after = first});
    survey(s);
    c = must_claim(s, 0);
    assert_int_equal(c.task.job, first);
    settle(s, &c, DQ_EVENT_GIVE_UP);
    assert_int_equal(must_claim(s, 0).task.job, second);
    dq_store_close(s);
}

static void finding_work_scans_no_table(void **state)
{
    static const int statements[] = {
        DQ_SQL_NEXT_USUAL,  DQ_SQL_NEXT_SUSPECT,  DQ_SQL_CLAIM,
        DQ_SQL_SETTLE,      DQ_SQL_FIRST_DUE,     DQ_SQL_DUE_JOBS,
        DQ_SQL_RELEASE_DUE, DQ_SQL_FIRST_HELD,    DQ_SQL_JOBS_TO_CLAIM,
        DQ_SQL_UNSETTLED,   DQ_SQL_NO_FRAME_DONE, DQ_SQL_NO_SCAN_DONE,
        DQ_SQL_HOW_FAILED,  DQ_SQL_SUSPECT_DUE,   DQ_SQL_BULK_WAITING,
        DQ_SQL_BULK_READY,  DQ_SQL_BULK_OTHER,    DQ_SQL_FAIL_OTHER,
        DQ_SQL_RELEASING,   DQ_SQL_RELEASE,       DQ_SQL_RELEASE_END};
    struct dq_store *s = open_store();

    (void)state;
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        sqlite3_stmt *rows = dq_sql_rows(s, (enum dq_sql)statements[i], "");
        char *sql = dq_asprintf("EXPLAIN QUERY PLAN %s", sqlite3_sql(rows));
        sqlite3_stmt *plan = NULL;

        dq_sql_done(rows);
        assert_int_equal(sqlite3_prepare_v2(s->db, sql, -1, &plan, NULL), 0);
        while (sqlite3_step(plan) == SQLITE_ROW) {
            const char *step = (const char *)sqlite3_column_text(plan, 3);

            if (strncmp(step, "SCAN", 4) == 0 && !strstr(step, "INDEX") &&
                strcmp(step, "SCAN b") != 0)
                fail_msg("%s: %s", sql, step);
        }
        sqlite3_finalize(plan);
        free(sql);
    }
    dq_store_close(s);
}

/* ---- what a submit makes -------------------------------------------------*/

static int64_t rank_of(struct dq_store *s, int64_t job, int32_t frame)
{
    char *sql = dq_asprintf("SELECT rank FROM task WHERE job = %lld AND "
                            "kind = 'render' AND number = %d AND "
                            "state = 'waiting'",
                            (long long)job, frame);
    int64_t rank = number(s, sql);

    free(sql);
    return rank;
}

static void every_frame_of_any_list_has_its_task_and_its_rank(void **state)
{
    static const char *const lists[] = {
        "7", "7-8", "1-9", "1-9x4,10,15,20-22,100,-5--3", "3,1,2,40,30,20,19"};
    struct dq_store *s = open_store();

    (void)state;
    for (size_t n = 0; n < sizeof lists / sizeof *lists; n++) {
        char *name = dq_asprintf("j%zu", n);
        int64_t job =
            submit(s, (struct wish){.name = name, .frames = lists[n]});
        struct dq_range f = {0};

        assert_int_equal(dq_range_parse(lists[n], &f, NULL), 0);
        assert_int_equal(frames_in(s, job, "waiting"), f.count);
        for (size_t i = 0; i < f.count; i++)
            assert_int_equal(rank_of(s, job, f.frames[i]),
                             i == 0             ? 1
                             : i == f.count - 1 ? 2
                             : i == f.count / 2 ? 3
                                                : (int64_t)i + 4);
        dq_range_free(&f);
        free(name);
    }
    expect_sound(s);
    dq_store_close(s);
}

/* ---- the -wal file -------------------------------------------------------*/

static void a_long_wal_is_shortened_when_nobody_waits(void **state)
{
    struct dq_store *s = open_store();

    (void)state;
    submit(s, (struct wish){.name = "a", .frames = "1-100000"});
    assert_int_equal(dq_store_commit(s, NULL), 0);
    assert_in_range(s->wal_pages, 1000, 4000); /* not by the commit */
    dq_store_tidy(s);
    submit(s, (struct wish){.name = "b", .frames = "1"});
    assert_int_equal(dq_store_commit(s, NULL), 0);
    assert_in_range(s->wal_pages, 1, 100); /* it began anew */
    dq_store_close(s);
}

static void a_wal_is_shortened_by_a_commit_when_nobody_else_does(void **state)
{
    struct dq_store *s = open_store();

    (void)state;
    submit(s, (struct wish){.name = "a", .frames = "1-100000"});
    submit(s, (struct wish){.name = "b", .frames = "1-100000"});
    submit(s, (struct wish){.name = "c", .frames = "1-100000"});
    submit(s, (struct wish){.name = "d", .frames = "1-100000"});
    assert_int_equal(dq_store_commit(s, NULL), 0);
    assert_int_equal(s->wal_pages, 0);
    dq_store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, folder_teardown)
        TEST(every_frame_of_any_list_has_its_task_and_its_rank),
        TEST(a_new_job_is_queued_with_its_frames_waiting),
        TEST(the_survey_comes_first_then_first_last_and_middle),
        TEST(a_job_whose_frames_are_done_is_done),
        TEST(a_late_word_of_an_old_attempt_moves_nothing),
        TEST(a_failure_waits_for_its_time),
        TEST(full_storage_holds_the_whole_job_and_no_other),
        TEST(a_survey_that_failed_fails_the_frames_with_its_cause),
        TEST(fail_job_leaves_what_runs_and_what_is_done),
        TEST(a_job_whose_first_frames_fail_alike_stops_early),
        TEST(a_job_with_hope_goes_on),
        TEST(a_suspect_is_claimed_only_as_one),
        TEST(priority_goes_first_then_the_user_with_least_at_work),
        TEST(a_job_after_another_waits_until_that_is_over),
        TEST(finding_work_scans_no_table),
        TEST(a_long_wal_is_shortened_when_nobody_waits),
        TEST(a_wal_is_shortened_by_a_commit_when_nobody_else_does),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
