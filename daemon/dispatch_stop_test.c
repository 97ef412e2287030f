/* Workers that say nothing, are to stop, or are drained. */
#include "daemon/dispatch_testing.h"

/* ---- silence -------------------------------------------------------------*/

static void a_worker_without_progress_is_killed_and_a_stage_is_progress(
    void **state)
{
    struct world *w = busy_world("1-9", 3, 1);
    int64_t due;

    (void)state;
    answer(w, 0, 1, DQ_OK);
    step(w);
    due = dq_dispatch_due(w->d, w->now);
    assert_int_equal(due - w->now, 600000);
    w->now = due - 1;
    dq_dispatch_stage(w->d, 0, &w->held[0][0], w->now);
    w->now = due;
    assert_string_equal(step(w), "");
    w->now = due - 1 + 600000;
    assert_string_equal(step(w), "kill 0");
    assert_string_equal(step(w), "");
    die(w, 0);
    assert_int_equal(entry(w, 2)->failures, 1); /* it was alone */
    world_free(w);
}

static void the_first_task_of_a_worker_has_longer(void **state)
{
    struct world *w = world_new("1", 3, brisk());

    (void)state;
    step(w);
    hello(w, 0, 1);
    step(w);
    w->now += 1799999;
    assert_string_equal(step(w), "");
    w->now += 1;
    assert_string_equal(step(w), "kill 0");
    world_free(w);
}

static void a_stuck_frame_is_found_though_others_go_on(void **state)
{
    struct world *w = busy_world("1-1000", 3, 2);
    int kills = 0;

    (void)state;
    dq_dispatch_stage(w->d, 0, &w->held[0][0], w->now); /* frame 1 hangs */
    for (int i = 0; i < 100 && !kills; i++) {
        w->now += 60000;
        answer_at(w, 0, 1, DQ_OK);
        kills = strstr(step(w), "kill") != NULL;
    }
    assert_true(kills);
    world_free(w);
}

static void a_worker_that_never_says_hello_is_killed(void **state)
{
    struct world *w = world_new("1", 3, brisk());

    (void)state;
    step(w);
    assert_int_equal(dq_dispatch_due(w->d, w->now) - w->now, 300000);
    w->now += 300000;
    assert_string_equal(step(w), "kill 0");
    world_free(w);
}

static void an_idle_worker_may_be_silent_for_ever(void **state)
{
    struct world *w = busy_world("1-2", 3, 1);

    (void)state;
    answer(w, 0, 1, DQ_FULL);
    for (int i = 0; i < 3; i++)
        step(w);
    assert_int_equal(dq_dispatch_due(w->d, w->now) - w->now, 20000);
    world_free(w);
}

/* ---- stopping ------------------------------------------------------------*/

static void stopping_finishes_what_is_in_hand_and_claims_no_more(void **state)
{
    struct world *w = busy_world("1-9", 3, 2);

    (void)state;
    dq_dispatch_stop(w->d, 30000, w->now);
    assert_string_equal(step(w), "");
    answer(w, 0, 1, DQ_OK);
    assert_string_equal(step(w), "");
    answer(w, 0, 2, DQ_OK);
    assert_string_equal(step(w), "drain 0");
    die(w, 0);
    w->now += 100000;
    assert_string_equal(step(w), "");
    assert_true(dq_dispatch_over(w->d));
    assert_int_equal(dq_list_goals(w->list, DQ_TASK_DONE), 2);
    assert_int_equal(dq_list_goals(w->list, DQ_TASK_READY), 7);
    world_free(w);
}

static void what_takes_longer_than_the_grace_is_killed_and_handed_back(
    void **state)
{
    struct world *w = busy_world("1-9", 3, 2);

    (void)state;
    dq_dispatch_stop(w->d, 30000, w->now);
    assert_int_equal(dq_dispatch_due(w->d, w->now) - w->now, 30000);
    w->now += 30000;
    assert_string_equal(step(w), "kill 0");
    die(w, 0);
    assert_int_equal(state_of(w, 1), DQ_TASK_READY);
    assert_int_equal(entry(w, 1)->failures, 0);
    assert_true(dq_dispatch_over(w->d));
    world_free(w);
}

static void stopping_twice_hurries(void **state)
{
    struct world *w = busy_world("1-9", 3, 2);

    (void)state;
    dq_dispatch_stop(w->d, 30000, w->now);
    assert_string_equal(step(w), "");
    dq_dispatch_stop(w->d, 0, w->now);
    assert_string_equal(step(w), "kill 0");
    world_free(w);
}

static void a_worker_still_starting_is_not_waited_for(void **state)
{
    struct world *w = world_new("1-9", 3, brisk());

    (void)state;
    step(w);
    dq_dispatch_stop(w->d, 30000, w->now);
    assert_string_equal(step(w), "kill 0");
    die(w, 0);
    assert_true(dq_dispatch_over(w->d));
    assert_false(dq_dispatch_stuck(w->d, NULL));
    world_free(w);
}

static void a_worker_that_does_not_go_when_asked_is_killed(void **state)
{
    struct world *w = busy_world("1", 3, 1);

    (void)state;
    answer(w, 0, 1, DQ_OK);
    assert_string_equal(step(w), "drain 0");
    w->now += 10000;
    assert_string_equal(step(w), "kill 0");
    die(w, 0);
    assert_true(dq_dispatch_over(w->d));
    world_free(w);
}

/* ---- draining ------------------------------------------------------------*/

static void a_drained_worker_finishes_and_goes_and_comes_back(void **state)
{
    struct dq_dispatch_rule rule = brisk();
    struct world *w;

    (void)state;
    rule.workers = 2;
    w = world_new("1-9", 0, rule);
    assert_string_equal(step(w), "start 0, start 1");
    hello(w, 0, 2);
    assert_string_equal(step(w), "job 0, send 0 survey/1");
    answer(w, 0, 0, DQ_OK);
    dq_dispatch_drain(w->d, 1, 1); /* it has not said hello yet */
    assert_string_equal(step(w), "kill 1, send 0 1/1, send 0 2/1");
    die(w, 1);
    w->now += 60000;
    assert_string_equal(step(w), "");
    dq_dispatch_drain(w->d, 0, 1);
    answer(w, 0, 1, DQ_OK);
    assert_string_equal(step(w), ""); /* it holds one yet */
    answer(w, 0, 2, DQ_OK);
    assert_string_equal(step(w), "drain 0");
    die(w, 0);
    w->now += 60000;
    assert_string_equal(step(w), "");
    assert_false(
        dq_dispatch_over(w->d)); /* there is work, and may be a worker */
    assert_int_equal(dq_dispatch_due(w->d, w->now), -1);
    dq_dispatch_drain(w->d, 1, 0);
    assert_string_equal(step(w), "start 1");
    hello(w, 1, 1);
    assert_string_equal(step(w), "job 1, send 1 3/1");
    world_free(w);
}

static void a_drained_worker_does_not_keep_suspects_waiting(void **state)
{
    struct dq_dispatch_rule rule = brisk();
    struct world *w;

    (void)state;
    rule.workers = 3;
    w = world_new("1-9", 5, rule);
    step(w);
    for (int i = 0; i < 3; i++)
        hello(w, i, 2);
    step(w);
    answer(w, 0, 0, DQ_OK);
    step(w);
    for (int i = 0; i < 2; i++)
        dq_dispatch_stage(w->d, 0, &w->held[0][i], w->now);
    die(w, 0); /* both are suspects now */
    answer_at(w, 1, 0, DQ_OK);
    assert_string_equal(step(w), ""); /* worker 1 is emptied for them */
    dq_dispatch_drain(w->d, 1, 1);
    dq_dispatch_drain(w->d, 0, 1);
    for (int i = 2; i > 0; i--)
        answer_at(w, 2, 0, DQ_OK), step(w);
    assert_int_equal(w->count[2], 1); /* a suspect, alone */
    world_free(w);
}

static void a_device_is_given_up_though_others_are_drained(void **state)
{
    static const int devices[] = {0, 1};
    struct dq_dispatch_rule rule = brisk();
    struct dq_err why = {0};
    struct world *w;

    (void)state;
    rule.workers = 2;
    rule.devices = devices;
    w = world_new("1-9", 5, rule);
    dq_dispatch_drain(w->d, 0, 1);
    for (int i = 0; i < 3; i++) {
        assert_string_equal(step(w), "start 1");
        assert_false(dq_dispatch_stuck(w->d, NULL));
        die(w, 1);
        w->now += 60000;
    }
    assert_true(dq_dispatch_stuck(w->d, &why));
    assert_non_null(strstr(why.text, "ouch"));
    assert_true(dq_dispatch_over(w->d));
    dq_dispatch_drain(w->d, 1, 1);
    assert_false(dq_dispatch_stuck(w->d, NULL)); /* nobody wants one */
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_worker_without_progress_is_killed_and_a_stage_is_progress),
        cmocka_unit_test(the_first_task_of_a_worker_has_longer),
        cmocka_unit_test(a_stuck_frame_is_found_though_others_go_on),
        cmocka_unit_test(a_worker_that_never_says_hello_is_killed),
        cmocka_unit_test(an_idle_worker_may_be_silent_for_ever),
        cmocka_unit_test(stopping_finishes_what_is_in_hand_and_claims_no_more),
        cmocka_unit_test(
            what_takes_longer_than_the_grace_is_killed_and_handed_back),
        cmocka_unit_test(stopping_twice_hurries),
        cmocka_unit_test(a_worker_still_starting_is_not_waited_for),
        cmocka_unit_test(a_worker_that_does_not_go_when_asked_is_killed),
        cmocka_unit_test(a_drained_worker_finishes_and_goes_and_comes_back),
        cmocka_unit_test(a_drained_worker_does_not_keep_suspects_waiting),
        cmocka_unit_test(a_device_is_given_up_though_others_are_drained),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
