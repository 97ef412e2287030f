/* What people ask of the store: submit, the verbs, and what they may not. */
#include "jobs/store_testing.h"

static int do_it(struct dq_store *s, enum dq_verb verb, int64_t job,
                 const char *frames, int64_t *moved, struct dq_err *err)
{
    struct dq_range range = {0};
    int code;

    if (frames)
        assert_int_equal(dq_range_parse(frames, &range, NULL), 0);
    code = dq_store_do(s, &me, verb, job, frames ? &range : NULL, moved, err);
    dq_range_free(&range);
    return code;
}

static int64_t must(struct dq_store *s, enum dq_verb verb, int64_t job,
                    const char *frames)
{
    struct dq_err err = {0};
    int64_t moved = -1;

    do_it(s, verb, job, frames, &moved, &err);
    assert_string_equal(err.text, "");
    expect_sound(s);
    return moved;
}

/* It must be refused with this code, and nothing may have moved. */
static void refused(struct dq_store *s, enum dq_verb verb, int64_t job,
                    const char *frames, int code)
{
    struct dq_err err = {0};
    int64_t moved, events = number(s, "SELECT count(*) FROM event");

    assert_int_equal(do_it(s, verb, job, frames, &moved, &err), code);
    assert_true(*err.text);
    assert_int_equal(number(s, "SELECT count(*) FROM event"), events);
    expect_sound(s);
}

/* ---- submit --------------------------------------------------------------*/

static void a_resend_makes_no_second_job(void **state)
{
    struct dq_store *s = open_store();
    struct wish w = {.name = "a", .frames = "1-3", .output = "o/a.####.exr"};
    struct dq_err err = {0};
    int64_t first = submit(s, w), again = 0;
    int fresh = 1;

    (void)state;
    assert_int_equal(submit_as(s, w, &again, &fresh, &err), 0);
    assert_int_equal(again, first);
    assert_false(fresh);
    assert_int_equal(number(s, "SELECT count(*) FROM job"), 1);
    w.body = "another digest";
    assert_int_equal(submit_as(s, w, &again, &fresh, &err), DQ_STATE);
    dq_err_clear(&err);
    w.uid = 77; /* keys are each user's own; the path is not */
    assert_int_equal(submit_as(s, w, &again, &fresh, &err), DQ_EXISTS);
    assert_int_equal(number(s, "SELECT count(*) FROM job"), 1);
    dq_store_close(s);
}

static void two_live_jobs_never_write_one_path(void **state)
{
    static const struct {
        const char *frames, *output;
        int clash;
    } cases[] = {
        {"10-20", "o/a.####.exr", 1}, {"11-20", "o/a.####.exr", 0},
        {"10", "o/a.%04d.exr", 1},    {"1001", "o/a.###.exr", 1},
        {"1", "o/a.100#.exr", 1},     {"2", "o/a.100#.exr", 0},
        {"10", "o/b.####.exr", 0},    {"10", "q/a.####.exr", 0},
        {"10", "o/./a.####.exr", 1},
    };
    struct dq_store *s = open_store();
    int64_t first = submit(s, (struct wish){.name = "first",
                                            .frames = "1-10,1001",
                                            .output = "o/a.####.exr"});

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct wish w = {.name = "second",
                         .frames = cases[i].frames,
                         .output = cases[i].output};
        struct dq_err err = {0};
        int64_t job = 0, moved;
        int fresh, code = submit_as(s, w, &job, &fresh, &err);

        assert_int_equal(code, cases[i].clash ? DQ_EXISTS : DQ_OK);
        if (code) {
            assert_non_null(strstr(err.text, "job 1 (first)"));
            continue;
        }
        assert_int_equal(do_it(s, DQ_VERB_CANCEL, job, NULL, &moved, &err), 0);
        assert_int_equal(dq_store_remove(s, &me, job, &err), 0);
    }
    must(s, DQ_VERB_CANCEL, first, NULL);
    submit(s, (struct wish){
                  .name = "b", .frames = "10", .output = "o/a.####.exr"});
    refused(s, DQ_VERB_RETRY, first, NULL, DQ_EXISTS);
    dq_store_close(s);
}

static void a_held_job_waits_for_a_person(void **state)
{
    struct dq_store *s = open_store();
    int64_t job =
        submit(s, (struct wish){.name = "a", .frames = "1-3", .hold = 1});
    struct dq_claim c;

    (void)state;
    expect_state(s, job, "held");
    assert_int_equal(claim(s, 0, &c), 0);
    must(s, DQ_VERB_RESUME, job, NULL);
    expect_state(s, job, "queued");
    assert_int_equal(claim(s, 0, &c), 1);
    dq_store_close(s);
}

/* ---- cancel, pause -------------------------------------------------------*/

static void cancel_stops_what_waits_and_waits_for_what_runs(void **state)
{
    struct dq_store *s = open_store();
    int64_t job =
        submit(s, (struct wish){.name = "a", .frames = "1-9", .retries = 3});
    struct dq_settle failed = {
        .event = DQ_EVENT_FAIL, .counts = 1, .not_before_ms = 10};
    struct dq_claim one, two, none;

    (void)state;
    survey(s);
    one = must_claim(s, 0);
    two = must_claim(s, 0);
    assert_int_equal(must(s, DQ_VERB_CANCEL, job, NULL), 7);
    expect_state(s, job, "canceling");
    assert_int_equal(must(s, DQ_VERB_CANCEL, job, NULL), 0);
    assert_int_equal(claim(s, 0, &none), 0);
    assert_int_equal(settle(s, &one, DQ_EVENT_FINISH), 1);
    refused(s, DQ_VERB_RETRY, job, NULL, DQ_STATE);
    assert_int_equal(settle_with(s, &two, failed), 1); /* not tried again */
    expect_state(s, job, "canceled");
    assert_int_equal(frames_in(s, job, "done"), 1);
    assert_int_equal(frames_in(s, job, "canceled"), 8);
    refused(s, DQ_VERB_CANCEL, job, NULL, DQ_STATE);
    expect_sound(s);
    dq_store_close(s);
}

static void a_canceled_job_begins_again_with_its_survey(void **state)
{
    struct dq_store *s = open_store();
    int64_t job = submit(s, (struct wish){.name = "a", .frames = "1-3"});
    struct dq_claim c, none;

    (void)state;
    must(s, DQ_VERB_CANCEL, job, NULL);
    expect_state(s, job, "canceled");
    must(s, DQ_VERB_RETRY, job, "2");
    c = must_claim(s, 0);
    assert_int_equal(c.task.kind, DQ_TASK_SURVEY);
    assert_int_equal(claim(s, 0, &none), 0); /* frames need the survey */
    settle(s, &c, DQ_EVENT_FINISH);
    assert_int_equal(must_claim(s, 0).task.frame, 2);
    assert_int_equal(claim(s, 0, &none), 0);
    assert_int_equal(frames_in(s, job, "canceled"), 2);
    expect_sound(s);
    dq_store_close(s);
}

static void pause_lets_frames_finish_and_begins_none(void **state)
{
    struct dq_store *s = open_store();
    int64_t job = submit(s, (struct wish){.name = "a", .frames = "1-3"});
    struct dq_claim c, none;

    (void)state;
    survey(s);
    c = must_claim(s, 0);
    must(s, DQ_VERB_PAUSE, job, NULL);
    expect_state(s, job, "pausing");
    assert_int_equal(claim(s, 0, &none), 0);
    settle(s, &c, DQ_EVENT_FINISH);
    expect_state(s, job, "paused");
    must(s, DQ_VERB_RESUME, job, NULL);
    assert_int_equal(finish_all(s), 2);
    expect_state(s, job, "done");
    refused(s, DQ_VERB_PAUSE, job, NULL, DQ_STATE);
    refused(s, DQ_VERB_RESUME, job, NULL, DQ_STATE);
    dq_store_close(s);
}

/* ---- retry, eat ----------------------------------------------------------*/

/* A job of frames 1-4 of which 1 is done and the others have failed. */
static int64_t mostly_failed(struct dq_store *s)
{
    int64_t job = submit(s, (struct wish){.name = "a", .frames = "1-4"});
    struct dq_claim c;

    survey(s);
    while (claim(s, 0, &c))
        settle(s, &c, c.task.frame == 1 ? DQ_EVENT_FINISH : DQ_EVENT_GIVE_UP);
    expect_state(s, job, "failed");
    return job;
}

static void retry_tries_failed_frames_with_new_failures(void **state)
{
    struct dq_store *s = open_store();
    int64_t job = mostly_failed(s);
    struct dq_claim c;

    (void)state;
    assert_int_equal(must(s, DQ_VERB_RETRY, job, NULL), 3);
    expect_state(s, job, "active");
    c = must_claim(s, 0);
    assert_int_equal(c.failures, 0);
    assert_int_equal(c.task.attempt, 2); /* the fencing token rises on */
    settle(s, &c, DQ_EVENT_FINISH);
    finish_all(s);
    expect_state(s, job, "done");
    refused(s, DQ_VERB_RETRY, job, NULL, DQ_STATE);
    dq_store_close(s);
}

static void named_frames_must_be_there_and_in_a_state_for_it(void **state)
{
    struct dq_store *s = open_store();
    int64_t job = mostly_failed(s);
    struct dq_err err = {0};
    int64_t moved;

    (void)state;
    refused(s, DQ_VERB_RETRY, job, "2,9", DQ_MISSING);
    refused(s, DQ_VERB_RETRY, job, "1-2", DQ_STATE);
    do_it(s, DQ_VERB_RETRY, job, "1", &moved, &err);
    assert_string_equal(err.text, "frame 1 is done: no retry (reprocess makes "
                                  "a done frame again)");
    assert_int_equal(must(s, DQ_VERB_RETRY, job, "3-4"), 2);
    assert_int_equal(must_claim(s, 0).task.frame, 4);
    refused(s, DQ_VERB_RETRY, job, "4", DQ_STATE); /* it runs */
    refused(s, DQ_VERB_RETRY, 99, NULL, DQ_MISSING);
    dq_store_close(s);
}

static void eaten_frames_count_as_finished(void **state)
{
    struct dq_store *s = open_store();
    int64_t job = mostly_failed(s);

    (void)state;
    assert_int_equal(must(s, DQ_VERB_EAT, job, "2"), 1);
    expect_state(s, job, "failed");
    assert_int_equal(must(s, DQ_VERB_EAT, job, NULL), 2);
    expect_state(s, job, "done");
    assert_int_equal(frames_in(s, job, "eaten"), 3);
    refused(s, DQ_VERB_EAT, job, "1", DQ_STATE);
    dq_store_close(s);
}

/* ---- who may -------------------------------------------------------------*/

static void another_users_job_is_not_touched(void **state)
{
    struct dq_store *s = open_store();
    struct dq_who boss = {.uid = 5, .all = 1};
    int64_t job =
        submit(s, (struct wish){.name = "a", .frames = "1-3", .uid = 7});
    struct dq_err err = {0};
    int64_t moved;

    (void)state;
    for (int verb = 0; verb < DQ_VERBS; verb++)
        refused(s, (enum dq_verb)verb, job, NULL, DQ_DENIED);
    assert_int_equal(dq_store_priority(s, &me, job, 1, &err), DQ_DENIED);
    dq_err_clear(&err);
    assert_int_equal(dq_store_remove(s, &me, job, &err), DQ_DENIED);
    dq_err_clear(&err);
    assert_int_equal(
        dq_store_do(s, &boss, DQ_VERB_CANCEL, job, NULL, &moved, &err), 0);
    assert_int_equal(number(s, "SELECT count(*) FROM event WHERE uid = 5"), 3);
    dq_store_close(s);
}

static void only_a_job_that_is_over_is_forgotten(void **state)
{
    struct dq_store *s = open_store();
    int64_t job = submit(s, (struct wish){.name = "a", .frames = "1-3"});
    struct dq_err err = {0};
    json_t *events;

    (void)state;
    assert_int_equal(dq_store_remove(s, &me, job, &err), DQ_STATE);
    dq_err_clear(&err);
    finish_all(s);
    assert_int_equal(dq_store_remove(s, &me, job, &err), 0);
    assert_int_equal(number(s, "SELECT (SELECT count(*) FROM task) + "
                               "(SELECT count(*) FROM attempt)"),
                     0);
    events = dq_store_events_json(s, job, 0, 100);
    assert_true(json_array_size(json_object_get(events, "events")) > 5);
    json_decref(events);
    assert_int_not_equal(submit(s, (struct wish){.name = "a", .frames = "1"}),
                         job);
    dq_store_close(s);
}

/* ---- many ----------------------------------------------------------------*/

static void pages_of_frames_hold_each_frame_once(void **state)
{
    struct dq_store *s = open_store();
    int64_t job = submit(s, (struct wish){.name = "a", .frames = "-3-6"});
    int64_t after = INT64_MIN;
    int frame = -3, pages = 0;

    (void)state;
    for (;; pages++) {
        struct dq_err err = {0};
        json_t *page = dq_store_frames_json(s, job, after, 5, NULL, &err);
        json_t *list = json_object_get(page, "frames"), *next;

        for (size_t i = 0; i < json_array_size(list); i++)
            assert_int_equal(json_integer_value(json_object_get(
                                 json_array_get(list, i), "frame")),
                             frame++);
        next = json_object_get(page, "next");
        after = json_integer_value(next);
        if (json_is_null(next)) {
            json_decref(page);
            break;
        }
        json_decref(page);
    }
    assert_int_equal(frame, 7);
    assert_int_equal(pages, 1);
    dq_store_close(s);
}

static void pages_of_jobs_hold_each_job_once_newest_first(void **state)
{
    struct dq_store *s = open_store();
    struct dq_store_filter filter = {.limit = 3, .uid = -1};
    int64_t want = 7;

    (void)state;
    for (int i = 0; i < 7; i++) {
        char *name = dq_asprintf("j%d", i);

        submit(s, (struct wish){.name = name, .frames = "1"});
        free(name);
    }
    for (int more = 1; more;) {
        json_t *page = dq_store_jobs_json(s, &filter);
        json_t *list = json_object_get(page, "jobs");

        for (size_t i = 0; i < json_array_size(list); i++)
            assert_int_equal(json_integer_value(json_object_get(
                                 json_array_get(list, i), "id")),
                             want--);
        filter.before = json_integer_value(json_object_get(page, "next"));
        more = filter.before > 0;
        json_decref(page);
    }
    assert_int_equal(want, 0);
    filter = (struct dq_store_filter){.limit = 9, .uid = -1, .state = "done"};
    json_t *none = dq_store_jobs_json(s, &filter);
    assert_int_equal(json_array_size(json_object_get(none, "jobs")), 0);
    json_decref(none);
    dq_store_close(s);
}

/* One statement a state: each verb on 100,000 frames leaves a handful of
 * events behind, not 100,000. */
static void a_hundred_thousand_frames_move_at_once(void **state)
{
    struct dq_store *s = open_store();
    int64_t job = submit(s, (struct wish){.name = "a", .frames = "1-100000"});
    struct dq_err err = {0};

    (void)state;
    survey(s);
    assert_int_equal(frames_in(s, job, "ready") + frames_in(s, job, "waiting"),
                     100000);
    assert_int_equal(must(s, DQ_VERB_CANCEL, job, NULL), 100000);
    assert_int_equal(must(s, DQ_VERB_RETRY, job, "1-50000"), 50000);
    assert_int_equal(must(s, DQ_VERB_EAT, job, "1-50000"), 50000);
    assert_in_range(number(s, "SELECT count(*) FROM event"), 6, 20);
    expect_state(s, job, "canceled");
    assert_int_equal(dq_store_remove(s, &me, job, &err), 0);
    dq_store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) \
    cmocka_unit_test_setup_teardown(f, folder_setup, folder_teardown)
        TEST(a_resend_makes_no_second_job),
        TEST(two_live_jobs_never_write_one_path),
        TEST(a_held_job_waits_for_a_person),
        TEST(cancel_stops_what_waits_and_waits_for_what_runs),
        TEST(a_canceled_job_begins_again_with_its_survey),
        TEST(pause_lets_frames_finish_and_begins_none),
        TEST(retry_tries_failed_frames_with_new_failures),
        TEST(named_frames_must_be_there_and_in_a_state_for_it),
        TEST(eaten_frames_count_as_finished),
        TEST(another_users_job_is_not_touched),
        TEST(only_a_job_that_is_over_is_forgotten),
        TEST(pages_of_frames_hold_each_frame_once),
        TEST(pages_of_jobs_hold_each_job_once_newest_first),
        TEST(a_hundred_thousand_frames_move_at_once),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
