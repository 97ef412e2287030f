/* A phase of many tasks: they become ready in steps, so that no step holds
 * the daemon for long. */
#include "jobs/store_testing.h"

static int64_t of_state(struct dq_store *s, int64_t job, const char *kind,
                        const char *state)
{
    char *sql = dq_asprintf("SELECT count(*) FROM task WHERE job = %lld AND "
                            "kind = '%s' AND state = '%s'",
                            (long long)job, kind, state);
    int64_t count = number(s, sql);

    free(sql);
    return count;
}

/* Frames -700 to 1999, their survey done. */
static int64_t many(struct dq_store *s, const char *name, int priority)
{
    int64_t job = submit(s, (struct wish){.name = name,
                                          .frames = "-700-1999",
                                          .priority = priority});

    survey(s);
    assert_int_equal(dq_store_commit(s, NULL), 0);
    return job;
}

/* As the daemon claims. */
static int32_t claim_and_commit(struct dq_store *s)
{
    struct dq_claim c = must_claim(s, 0);

    assert_int_equal(dq_store_commit(s, NULL), 0);
    expect_sound(s);
    return c.task.frame;
}

static void an_early_look_and_the_first_of_the_others_come_at_once(void **state)
{
    struct dq_store *s = open_store();
    int64_t job = many(s, "a", 0);

    (void)state;
    expect_sound(s);
    assert_int_equal(of_state(s, job, "render", "ready"), 502);
    assert_int_equal(frames_in(s, job, "ready"), 502);
    assert_int_equal(frames_in(s, job, "waiting"), 2700 - 502);
    assert_int_equal(number(s, "SELECT count FROM event WHERE kind = 'render' "
                               "AND verb = 'release'"),
                     502);
    dq_store_close(s);
}

static void the_others_follow_in_order(void **state)
{
    struct dq_store *s = open_store();
    int64_t job = many(s, "a", 0);

    (void)state;
    assert_int_equal(claim_and_commit(s), -700);
    assert_int_equal(of_state(s, job, "render", "ready"), 502 + 500 - 1);
    assert_int_equal(claim_and_commit(s), 1999);
    assert_int_equal(claim_and_commit(s), 650);
    for (int32_t frame = -699; frame < -690; frame++)
        assert_int_equal(claim_and_commit(s), frame);
    assert_int_equal(of_state(s, job, "render", "waiting"), 0);
    dq_store_close(s);
}

static void one_step_is_made_between_two_commits(void **state)
{
    struct dq_store *s = open_store();
    int64_t job = many(s, "a", 0);

    (void)state;
    for (int i = 0; i < 5; i++)
        must_claim(s, 0);
    assert_int_equal(of_state(s, job, "render", "waiting"), 2700 - 1002);
    dq_store_close(s);
}

static void without_a_commit_nobody_is_left_without_work(void **state)
{
    struct dq_store *s = open_store();

    (void)state;
    many(s, "a", 0);
    assert_int_equal(finish_all(s), 2700);
    expect_sound(s);
    dq_store_close(s);
}

static void each_scan_and_frame_is_made_once(void **state)
{
    struct dq_store *s = open_store();
    int64_t job =
        submit(s, (struct wish){.name = "a", .frames = "1-1201", .steady = 1});
    struct dq_claim c;
    int made = 0;

    (void)state;
    while (claim(s, 0, &c)) {
        assert_int_equal(settle(s, &c, DQ_EVENT_FINISH), 1);
        if (++made % 7 == 0)
            assert_int_equal(dq_store_commit(s, NULL), 0);
    }
    assert_int_equal(made, 1 + 1201 + 1 + 1201);
    expect_state(s, job, "done");
    expect_sound(s);
    assert_int_equal(number(s, "SELECT count(release_from) FROM job"), 0);
    dq_store_close(s);
}

static void a_restart_goes_on_where_the_steps_were(void **state)
{
    struct dq_store *s = open_store();
    int64_t job = many(s, "a", 0);

    (void)state;
    dq_store_close(s);
    s = open_store();
    expect_sound(s);
    assert_int_equal(of_state(s, job, "render", "ready"), 502);
    for (int i = 0; i < 5; i++)
        claim_and_commit(s);
    assert_int_equal(of_state(s, job, "render", "waiting"), 0);
    dq_store_close(s);
}

static void the_urgent_job_and_no_paused_one_has_the_next_step(void **state)
{
    struct dq_store *s = open_store();
    int64_t first, urgent, paused, waited;

    (void)state;
    paused = many(s, "a", 90);
    do_verb(s, DQ_VERB_PAUSE, paused, NULL);
    first = many(s, "b", 10);
    urgent = many(s, "c", 50);
    waited = of_state(s, first, "render", "waiting");
    claim_and_commit(s);
    assert_int_equal(of_state(s, paused, "render", "waiting"), 2198);
    assert_int_equal(of_state(s, first, "render", "waiting"), waited);
    assert_int_equal(of_state(s, urgent, "render", "waiting"), 1698);
    dq_store_close(s);
}

/* Or the last of them would wait for ever. */
static void steps_without_a_frame_that_waits_are_made_at_once(void **state)
{
    struct dq_store *s = open_store();
    int64_t job = many(s, "a", 0);

    (void)state;
    do_verb(s, DQ_VERB_EAT, job, "-700-1998");
    assert_int_equal(claim_and_commit(s), 1999);
    do_verb(s, DQ_VERB_RETRY, job, "1000-1998");
    assert_int_equal(claim_and_commit(s), 1000);
    dq_store_close(s);
    s = open_store();
    job = many(s, "b", 99);
    do_verb(s, DQ_VERB_EAT, job, "-700-1500,1999");
    assert_int_equal(of_state(s, job, "render", "ready"), 0);
    assert_int_equal(claim_and_commit(s), 1501);
    dq_store_close(s);
}

static void a_canceled_job_is_over_and_can_be_begun_anew(void **state)
{
    struct dq_store *s = open_store();
    int64_t job = many(s, "a", 0);

    (void)state;
    do_verb(s, DQ_VERB_CANCEL, job, NULL);
    expect_state(s, job, "canceled");
    assert_int_equal(frames_in(s, job, "canceled"), 2700);
    do_verb(s, DQ_VERB_RETRY, job, NULL);
    assert_int_equal(finish_all(s), 2700);
    expect_state(s, job, "done");
    dq_store_close(s);
}

#define TEST(f) \
    cmocka_unit_test_setup_teardown(f, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_early_look_and_the_first_of_the_others_come_at_once),
        TEST(the_others_follow_in_order),
        TEST(one_step_is_made_between_two_commits),
        TEST(without_a_commit_nobody_is_left_without_work),
        TEST(each_scan_and_frame_is_made_once),
        TEST(a_restart_goes_on_where_the_steps_were),
        TEST(the_urgent_job_and_no_paused_one_has_the_next_step),
        TEST(steps_without_a_frame_that_waits_are_made_at_once),
        TEST(a_canceled_job_is_over_and_can_be_begun_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
