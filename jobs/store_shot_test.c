/* Shots that are steadied (stabilize: shot): survey, scans, solve, frames. */
#include "jobs/store_testing.h"

/* A steady shot of frames 1-4, its survey done. */
static int64_t shot(struct dq_store *s)
{
    int64_t job = submit(
        s,
        (struct wish){.name = "a", .frames = "1-4", .steady = 1, .retries = 1});

    survey(s);
    return job;
}

static struct dq_claim must_claim_a(struct dq_store *s, enum dq_task_kind kind)
{
    struct dq_claim c = must_claim(s, 0);

    assert_string_equal(dq_task_kind_name(c.task.kind),
                        dq_task_kind_name(kind));
    return c;
}

static void must_settle(struct dq_store *s, const struct dq_claim *c,
                        enum dq_task_event event)
{
    assert_int_equal(settle(s, c, event), 1);
    expect_sound(s);
}

static void nothing_to_claim(struct dq_store *s)
{
    struct dq_claim c;

    assert_int_equal(claim(s, 0, &c), 0);
}

/* Claim and settle all scans; the one of this frame (0: none) has failed. */
static void scan_all(struct dq_store *s, int failed)
{
    for (int i = 0; i < 4; i++) {
        struct dq_claim c = must_claim_a(s, DQ_TASK_SCAN);

        must_settle(
            s, &c, c.task.frame == failed ? DQ_EVENT_GIVE_UP : DQ_EVENT_FINISH);
    }
}

static void solve(struct dq_store *s, enum dq_task_event event)
{
    struct dq_claim c = must_claim_a(s, DQ_TASK_SOLVE);

    must_settle(s, &c, event);
}

static void expect_phase(struct dq_store *s, int64_t job, const char *want)
{
    struct dq_err err = {0};
    json_t *o = dq_store_job_json(s, job, &err);

    assert_string_equal(json_string_value(json_object_get(o, "phase")), want);
    json_decref(o);
}

/* What people are told of the scans. */
static void expect_scans(struct dq_store *s, int64_t job, int settled,
                         int failed)
{
    struct dq_err err = {0};
    json_t *o = dq_store_job_json(s, job, &err);
    const json_t *scans = json_object_get(o, "scans");

    assert_int_equal(json_integer_value(json_object_get(scans, "all")), 4);
    assert_int_equal(json_integer_value(json_object_get(scans, "settled")),
                     settled);
    assert_int_equal(json_integer_value(json_object_get(scans, "failed")),
                     failed);
    json_decref(o);
}

/* ---- phases --------------------------------------------------------------*/

static void scans_then_the_solve_then_frames(void **state)
{
    struct dq_store *s = open_store();
    int64_t job =
        submit(s, (struct wish){.name = "a", .frames = "1-4", .steady = 1});
    struct dq_claim first, last;

    (void)state;
    expect_phase(s, job, "survey");
    first = must_claim_a(s, DQ_TASK_SURVEY);
    nothing_to_claim(s);
    must_settle(s, &first, DQ_EVENT_FINISH);
    expect_phase(s, job, "scan");
    for (int frame = 1; frame <= 4; frame++) {
        last = must_claim_a(s, DQ_TASK_SCAN);
        assert_int_equal(last.task.frame, frame);
        if (frame < 4)
            must_settle(s, &last, DQ_EVENT_FINISH);
    }
    nothing_to_claim(s);
    expect_scans(s, job, 3, 0);
    must_settle(s, &last, DQ_EVENT_SKIP);
    expect_phase(s, job, "solve");
    expect_scans(s, job, 4, 0);
    first = must_claim_a(s, DQ_TASK_SOLVE);
    nothing_to_claim(s);
    assert_int_equal(frames_in(s, job, "waiting"), 4);
    must_settle(s, &first, DQ_EVENT_FINISH);
    expect_phase(s, job, "render");
    assert_int_equal(frames_in(s, job, "ready"), 4);
    first = must_claim_a(s, DQ_TASK_RENDER);
    assert_int_equal(first.task.frame, 1);
    assert_int_equal(must_claim_a(s, DQ_TASK_RENDER).task.frame, 4);
    expect_state(s, job, "active");
    dq_store_close(s);
}

static void a_plain_job_has_no_scans_to_tell_of(void **state)
{
    struct dq_store *s = open_store();
    struct dq_err err = {0};
    int64_t job = submit(s, (struct wish){.name = "a", .frames = "1-4"});
    json_t *o = dq_store_job_json(s, job, &err);

    (void)state;
    assert_true(json_is_null(json_object_get(o, "scans")));
    json_decref(o);
    survey(s);
    expect_phase(s, job, "render");
    dq_store_close(s);
}

static void a_failed_scan_is_done_without(void **state)
{
    struct dq_store *s = open_store();
    int64_t job = shot(s);

    (void)state;
    scan_all(s, 2);
    expect_scans(s, job, 4, 1);
    assert_int_equal(frames_in(s, job, "failed"), 0); /* a scan, no frame */
    solve(s, DQ_EVENT_FINISH);
    assert_int_equal(finish_all(s), 4);
    expect_state(s, job, "done");
    expect_scans(s, job, 4, 1);
    expect_sound(s);
    dq_store_close(s);
}

static void a_scan_waits_for_its_time_and_the_solve_for_it(void **state)
{
    struct dq_store *s = open_store();
    struct dq_settle later = {
        .event = DQ_EVENT_FAIL, .counts = 1, .not_before_ms = 500};
    struct dq_claim c;

    (void)state;
    shot(s);
    c = must_claim_a(s, DQ_TASK_SCAN);
    assert_int_equal(settle_with(s, &c, later), 1);
    for (int i = 0; i < 3; i++) {
        c = must_claim_a(s, DQ_TASK_SCAN);
        must_settle(s, &c, DQ_EVENT_FINISH);
    }
    nothing_to_claim(s);
    assert_int_equal(dq_store_source(s).ops->next_due(s, 0), 500);
    c = must_claim(s, 500);
    assert_int_equal(c.task.kind, DQ_TASK_SCAN);
    assert_int_equal(c.failures, 1);
    must_settle(s, &c, DQ_EVENT_FINISH);
    solve(s, DQ_EVENT_FINISH);
    dq_store_close(s);
}

static void a_suspected_scan_is_claimed_only_as_one(void **state)
{
    struct dq_store *s = open_store();
    struct dq_source source = dq_store_source(s);
    struct dq_settle lost = {.event = DQ_EVENT_LOSE, .suspect = 1};
    struct dq_claim c;

    (void)state;
    shot(s);
    c = must_claim_a(s, DQ_TASK_SCAN);
    assert_int_equal(settle_with(s, &c, lost), 1);
    assert_int_equal(source.ops->suspect_due(s, 0), 1);
    for (int i = 0; i < 3; i++)
        must_claim_a(s, DQ_TASK_SCAN);
    nothing_to_claim(s);
    assert_int_equal(source.ops->claim(s, DQ_CLAIM_SUSPECT, 0, &c), 1);
    assert_int_equal(c.task.kind, DQ_TASK_SCAN);
    assert_int_equal(c.task.frame, 1);
    dq_store_close(s);
}

/* ---- failures ------------------------------------------------------------*/

static void a_failed_solve_fails_every_frame_with_its_cause(void **state)
{
    struct dq_store *s = open_store();
    int64_t job = shot(s);
    struct dq_err err = {0};
    json_t *o;

    (void)state;
    scan_all(s, 0);
    solve(s, DQ_EVENT_GIVE_UP);
    expect_state(s, job, "failed");
    expect_phase(s, job, "solve");
    assert_int_equal(frames_in(s, job, "failed"), 4);
    assert_int_equal(number(s, "SELECT count(*) FROM task WHERE code = 'PLATE' "
                               "AND text = 'no channel ''R'''"),
                     5);
    o = dq_store_job_json(s, job, &err);
    assert_string_equal(json_string_value(json_object_get(o, "error")),
                        "no channel 'R'");
    json_decref(o);
    dq_store_close(s);
}

static void retry_of_a_failed_solve_makes_the_scans_that_it_lacks(void **state)
{
    struct dq_store *s = open_store();
    int64_t job = shot(s);
    struct dq_claim c;

    (void)state;
    scan_all(s, 3);
    solve(s, DQ_EVENT_GIVE_UP);
    assert_int_equal(do_verb(s, DQ_VERB_RETRY, job, NULL), 4);
    expect_phase(s, job, "scan");
    expect_scans(s, job, 3, 0);
    c = must_claim_a(s, DQ_TASK_SCAN);
    assert_int_equal(c.task.frame, 3);
    nothing_to_claim(s); /* neither scans that are done nor frames */
    must_settle(s, &c, DQ_EVENT_FINISH);
    solve(s, DQ_EVENT_FINISH);
    assert_int_equal(finish_all(s), 4);
    expect_state(s, job, "done");
    dq_store_close(s);
}

static void retry_of_a_frame_leaves_a_solved_shot_as_it_is(void **state)
{
    struct dq_store *s = open_store();
    int64_t job = shot(s);
    struct dq_claim c;

    (void)state;
    scan_all(s, 2);
    solve(s, DQ_EVENT_FINISH);
    while (claim(s, 0, &c))
        settle(s, &c, c.task.frame == 2 ? DQ_EVENT_GIVE_UP : DQ_EVENT_FINISH);
    expect_state(s, job, "failed");
    assert_int_equal(do_verb(s, DQ_VERB_RETRY, job, NULL), 1);
    expect_phase(s, job, "render");
    c = must_claim_a(s, DQ_TASK_RENDER);
    assert_int_equal(c.task.frame, 2);
    must_settle(s, &c, DQ_EVENT_FINISH);
    expect_state(s, job, "done");
    expect_scans(s, job, 4, 1);
    dq_store_close(s);
}

static void a_shot_whose_first_scans_fail_alike_stops_early(void **state)
{
    struct dq_store *s = open_store();
    int64_t job =
        submit(s, (struct wish){.name = "a", .frames = "1-90", .steady = 1});
    struct dq_claim running, c;

    (void)state;
    survey(s);
    running = must_claim_a(s, DQ_TASK_SCAN);
    for (int i = 0; i < 4; i++) {
        c = must_claim_a(s, DQ_TASK_SCAN);
        must_settle(s, &c, DQ_EVENT_GIVE_UP);
    }
    assert_int_equal(frames_in(s, job, "failed"), 0);
    c = must_claim_a(s, DQ_TASK_SCAN);
    must_settle(s, &c, DQ_EVENT_GIVE_UP);
    assert_int_equal(frames_in(s, job, "failed"), 90);
    assert_int_equal(number(s, "SELECT count(*) FROM task WHERE text LIKE 'not "
                               "tried, for the first 5 scans failed alike%'"),
                     84 + 1 + 90);
    expect_state(s, job, "active"); /* one scan is still at work */
    must_settle(s, &running, DQ_EVENT_FINISH);
    expect_state(s, job, "failed");
    assert_int_equal(do_verb(s, DQ_VERB_RETRY, job, NULL), 90);
    expect_phase(s, job, "scan");
    assert_int_equal(finish_all(s), 89 + 1 + 90);
    expect_state(s, job, "done");
    dq_store_close(s);
}

static void a_shot_with_a_scan_has_hope(void **state)
{
    struct dq_store *s = open_store();
    int64_t job =
        submit(s, (struct wish){.name = "a", .frames = "1-30", .steady = 1});
    struct dq_claim c;

    (void)state;
    survey(s);
    c = must_claim_a(s, DQ_TASK_SCAN);
    must_settle(s, &c, DQ_EVENT_SKIP);
    for (int i = 0; i < 9; i++) {
        c = must_claim_a(s, DQ_TASK_SCAN);
        must_settle(s, &c, DQ_EVENT_GIVE_UP);
    }
    assert_int_equal(frames_in(s, job, "failed"), 0);
    must_claim_a(s, DQ_TASK_SCAN);
    dq_store_close(s);
}

/* ---- what people do ------------------------------------------------------*/

static void a_canceled_shot_goes_on_where_it_stopped(void **state)
{
    struct dq_store *s = open_store();
    int64_t job = shot(s);
    struct dq_claim done, running;

    (void)state;
    done = must_claim_a(s, DQ_TASK_SCAN);
    must_settle(s, &done, DQ_EVENT_FINISH);
    running = must_claim_a(s, DQ_TASK_SCAN);
    assert_int_equal(do_verb(s, DQ_VERB_CANCEL, job, NULL), 4);
    expect_state(s, job, "canceling");
    nothing_to_claim(s);
    must_settle(s, &running, DQ_EVENT_HAND_BACK);
    expect_state(s, job, "canceled");
    assert_int_equal(do_verb(s, DQ_VERB_RETRY, job, "4"), 1);
    expect_phase(s, job, "scan");
    for (int frame = 2; frame <= 4; frame++) {
        running = must_claim_a(s, DQ_TASK_SCAN);
        assert_int_equal(running.task.frame, frame);
        must_settle(s, &running, DQ_EVENT_FINISH);
    }
    solve(s, DQ_EVENT_FINISH);
    assert_int_equal(must_claim_a(s, DQ_TASK_RENDER).task.frame, 4);
    nothing_to_claim(s);
    dq_store_close(s);
}

static void pause_counts_scans_at_work(void **state)
{
    struct dq_store *s = open_store();
    int64_t job = shot(s);
    struct dq_claim c = must_claim_a(s, DQ_TASK_SCAN);

    (void)state;
    do_verb(s, DQ_VERB_PAUSE, job, NULL);
    expect_state(s, job, "pausing");
    nothing_to_claim(s);
    must_settle(s, &c, DQ_EVENT_FINISH);
    expect_state(s, job, "paused");
    do_verb(s, DQ_VERB_RESUME, job, NULL);
    must_claim_a(s, DQ_TASK_SCAN);
    dq_store_close(s);
}

static void a_shot_without_a_frame_to_make_is_over(void **state)
{
    struct dq_store *s = open_store();
    int64_t job = shot(s);
    struct dq_claim c = must_claim_a(s, DQ_TASK_SCAN);

    (void)state;
    assert_int_equal(do_verb(s, DQ_VERB_EAT, job, "1-3"), 3);
    must_claim_a(s, DQ_TASK_SCAN); /* of all frames, whatever is made */
    assert_int_equal(do_verb(s, DQ_VERB_EAT, job, "4"), 1);
    nothing_to_claim(s);
    must_settle(s, &c, DQ_EVENT_FINISH);
    expect_state(s, job, "active");
    c.task.frame = 2;
    must_settle(s, &c, DQ_EVENT_FINISH);
    expect_state(s, job, "done");
    /* one is wanted after all */
    assert_int_equal(do_verb(s, DQ_VERB_RETRY, job, "2"), 1);
    for (int frame = 3; frame <= 4; frame++) {
        c = must_claim_a(s, DQ_TASK_SCAN);
        assert_int_equal(c.task.frame, frame);
        must_settle(s, &c, DQ_EVENT_FINISH);
    }
    solve(s, DQ_EVENT_FINISH);
    assert_int_equal(finish_all(s), 1);
    expect_state(s, job, "done");
    assert_int_equal(frames_in(s, job, "eaten"), 3);
    dq_store_close(s);
}

static void scans_at_work_are_work_of_their_user(void **state)
{
    struct dq_store *s = open_store();
    int64_t mine = shot(s), theirs;

    (void)state;
    must_claim_a(s, DQ_TASK_SCAN);
    theirs =
        submit(s, (struct wish){.name = "b", .frames = "1-4", .uid = ME + 1});
    assert_int_equal(must_claim(s, 0).task.job, theirs);
    assert_int_equal(must_claim(s, 0).task.job, mine);
    dq_store_close(s);
}

static void attempts_at_a_frame_are_its_scans_and_its_own(void **state)
{
    struct dq_store *s = open_store();
    int64_t job = shot(s);
    struct dq_err err = {0};
    json_t *page, *list;

    (void)state;
    scan_all(s, 2);
    solve(s, DQ_EVENT_FINISH);
    finish_all(s);
    page = dq_store_attempts_json(s, job, DQ_TASK_RENDER, 2, &err);
    list = json_object_get(page, "attempts");
    assert_int_equal(json_array_size(list), 2);
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(list, 0), "kind")),
        "scan");
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(list, 1), "kind")),
        "render");
    json_decref(page);
    page = dq_store_attempts_json(s, job, DQ_TASK_SOLVE, 0, &err);
    assert_int_equal(json_array_size(json_object_get(page, "attempts")), 1);
    json_decref(page);
    job = submit(s, (struct wish){.name = "b", .frames = "1"});
    assert_null(dq_store_attempts_json(s, job, DQ_TASK_SOLVE, 0, &err));
    assert_int_equal(err.code, DQ_MISSING);
    dq_store_close(s);
}

/* ---- the next daemon -----------------------------------------------------*/

static struct dq_store *again(struct dq_store *s)
{
    dq_store_close(s);
    s = open_store();
    expect_sound(s);
    return s;
}

static void the_next_daemon_goes_on_in_the_phase_of_the_last(void **state)
{
    struct dq_store *s = open_store();
    int64_t job = shot(s);
    struct dq_claim c;

    (void)state;
    must_claim_a(s, DQ_TASK_SCAN);
    s = again(s);
    expect_phase(s, job, "scan");
    c = must_claim_a(s, DQ_TASK_SCAN);
    assert_int_equal(c.task.attempt, 2);
    assert_int_equal(settle(s, &c, DQ_EVENT_HAND_BACK), 1);
    scan_all(s, 0);
    must_claim_a(s, DQ_TASK_SOLVE);
    s = again(s);
    expect_phase(s, job, "solve");
    solve(s, DQ_EVENT_FINISH);
    must_claim_a(s, DQ_TASK_RENDER);
    s = again(s);
    expect_phase(s, job, "render");
    assert_int_equal(finish_all(s), 4);
    expect_state(s, job, "done");
    dq_store_close(s);
}

static void a_hundred_thousand_scans_move_at_once(void **state)
{
    struct dq_store *s = open_store();
    int64_t job = submit(
        s, (struct wish){.name = "a", .frames = "1-100000", .steady = 1});
    struct dq_claim c;

    (void)state;
    survey(s);
    c = must_claim_a(s, DQ_TASK_SCAN);
    assert_int_equal(settle(s, &c, DQ_EVENT_FINISH), 1);
    assert_int_equal(do_verb(s, DQ_VERB_CANCEL, job, NULL), 100000);
    assert_int_equal(do_verb(s, DQ_VERB_RETRY, job, NULL), 100000);
    assert_int_equal(must_claim_a(s, DQ_TASK_SCAN).task.frame, 2);
    assert_in_range(number(s, "SELECT count(*) FROM event"), 6, 25);
    dq_store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) \
    cmocka_unit_test_setup_teardown(f, folder_setup, folder_teardown)
        TEST(scans_then_the_solve_then_frames),
        TEST(a_plain_job_has_no_scans_to_tell_of),
        TEST(a_failed_scan_is_done_without),
        TEST(a_scan_waits_for_its_time_and_the_solve_for_it),
        TEST(a_suspected_scan_is_claimed_only_as_one),
        TEST(a_failed_solve_fails_every_frame_with_its_cause),
        TEST(retry_of_a_failed_solve_makes_the_scans_that_it_lacks),
        TEST(retry_of_a_frame_leaves_a_solved_shot_as_it_is),
        TEST(a_shot_whose_first_scans_fail_alike_stops_early),
        TEST(a_shot_with_a_scan_has_hope),
        TEST(a_canceled_shot_goes_on_where_it_stopped),
        TEST(pause_counts_scans_at_work),
        TEST(a_shot_without_a_frame_to_make_is_over),
        TEST(scans_at_work_are_work_of_their_user),
        TEST(attempts_at_a_frame_are_its_scans_and_its_own),
        TEST(the_next_daemon_goes_on_in_the_phase_of_the_last),
        TEST(a_hundred_thousand_scans_move_at_once),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
