/* Workers that die, and devices on which they do. */
#include "daemon/dispatch_testing.h"

/* ---- deaths --------------------------------------------------------------*/

static void frames_of_a_dead_worker_run_alone_and_are_not_counted(void **state)
{
    struct world *w = busy_world("1-5", 3, 3);

    (void)state;
    die(w, 0);
    for (int32_t f = 1; f <= 3; f++) {
        assert_int_equal(entry(w, f)->failures, 0);
        assert_true(entry(w, f)->suspect);
    }
    assert_string_equal(revive(w, 3), "job 0, send 0 4/1, send 0 5/1");
    answer(w, 0, 4, DQ_OK);
    assert_string_equal(step(w), "");
    answer(w, 0, 5, DQ_OK);
    assert_string_equal(step(w), "send 0 1/2");
    answer(w, 0, 1, DQ_OK);
    assert_string_equal(step(w), "send 0 2/2");
    answer(w, 0, 2, DQ_OK);
    assert_string_equal(step(w), "send 0 3/2");
    answer(w, 0, 3, DQ_OK);
    assert_string_equal(step(w), "drain 0");
    world_free(w);
}

static void a_frame_that_had_not_begun_is_no_suspect(void **state)
{
    struct world *w = busy_world("1-9", 3, 4);

    (void)state;
    dq_dispatch_stage(w->d, 0, &w->held[0][0], w->now);
    dq_dispatch_stage(w->d, 0, &w->held[0][1], w->now);
    die(w, 0);
    assert_true(entry(w, 1)->suspect && entry(w, 2)->suspect);
    assert_int_equal(entry(w, 1)->failures, 0);
    assert_false(entry(w, 3)->suspect || entry(w, 4)->suspect);
    assert_int_equal(state_of(w, 3), DQ_TASK_READY);
    world_free(w);
}

static void a_frame_alone_at_work_is_counted_and_those_behind_it_are_not(
    void **state)
{
    struct world *w = busy_world("1-9", 3, 4);

    (void)state;
    dq_dispatch_stage(w->d, 0, &w->held[0][0], w->now);
    die(w, 0);
    assert_int_equal(entry(w, 1)->failures, 1);
    assert_true(entry(w, 1)->suspect);
    assert_int_equal(entry(w, 2)->failures, 0);
    assert_int_equal(state_of(w, 2), DQ_TASK_READY);
    world_free(w);
}

static void a_worker_that_is_going_gets_nothing_more(void **state)
{
    struct world *w = busy_world("1-9", 3, 1);

    (void)state;
    answer(w, 0, 1, DQ_OK);
    dq_dispatch_going(w->d, 0, w->now);
    assert_string_equal(step(w), "");
    die(w, 0);
    assert_int_equal(state_of(w, 2), DQ_TASK_READY);
    assert_int_equal(entry(w, 2)->task.attempt, 0);
    world_free(w);
}

static void only_the_frame_that_kills_is_failed_in_the_end(void **state)
{
    struct world *w = busy_world("1-20", 2, 4);
    int deaths = 0;

    (void)state;
    while (!dq_dispatch_over(w->d) && deaths < 20) {
        int poisoned = 0;

        for (int i = 0; i < w->count[0]; i++)
            poisoned |= w->held[0][i].frame == 6;
        if (poisoned) {
            deaths++;
            die(w, 0);
        } else if (w->count[0]) {
            answer_at(w, 0, 0, DQ_OK);
        } else {
            w->now += 10000;
            hello(w, 0, 4);
        }
        if (strstr(step(w), "drain"))
            die(w, 0);
        assert_false(dq_dispatch_stuck(w->d, NULL));
    }
    assert_int_equal(deaths, 4); /* once in company, then 1 + 2 retries */
    assert_int_equal(dq_list_goals(w->list, DQ_TASK_DONE), 19);
    assert_int_equal(state_of(w, 6), DQ_TASK_FAILED);
    assert_int_equal(entry(w, 6)->code, DQ_WORKER);
    assert_non_null(strstr(entry(w, 6)->text, "Segmentation fault"));
    world_free(w);
}

static void a_worker_is_emptied_for_a_suspect_while_the_other_goes_on(
    void **state)
{
    struct dq_dispatch_rule rule = brisk();
    struct world *w;

    (void)state;
    rule.workers = 2;
    w = world_new("1-20", 3, rule);
    step(w);
    hello(w, 0, 2);
    step(w);
    answer(w, 0, 0, DQ_OK);
    assert_string_equal(step(w), "send 0 1/1, send 0 2/1");
    hello(w, 1, 2);
    assert_string_equal(step(w), "job 1, send 1 3/1, send 1 4/1");
    die(w, 0); /* 1 and 2 are suspects; worker 1 is to make room */
    assert_string_equal(step(w), "");
    answer(w, 1, 3, DQ_OK);
    assert_string_equal(step(w), "");
    w->now += 200;
    assert_string_equal(step(w), "start 0");
    answer(w, 1, 4, DQ_OK);
    assert_string_equal(step(w), "send 1 1/2");
    hello(w, 0, 2);
    assert_string_equal(step(w), "job 0, send 0 2/2");
    answer(w, 1, 1, DQ_OK);
    assert_string_equal(step(w), "send 1 5/1, send 1 6/1");
    world_free(w);
}

static void a_device_whose_workers_die_of_every_frame_is_given_up(void **state)
{
    struct world *w = busy_world("1-30", 3, 2);
    struct dq_err err = {0};

    (void)state;
    die(w, 0);
    for (int i = 0; i < 2; i++) {
        assert_false(dq_dispatch_stuck(w->d, NULL));
        revive(w, 2);
        assert_int_equal(w->count[0], 2); /* others, to tell which is bad */
        die(w, 0);
    }
    w->now += 100000;
    assert_string_equal(step(w), "");
    assert_true(dq_dispatch_stuck(w->d, &err));
    assert_true(dq_dispatch_over(w->d));
    assert_int_equal(err.code, DQ_WORKER);
    assert_non_null(strstr(err.text, "Segmentation fault"));
    assert_int_equal(dq_list_goals(w->list, DQ_TASK_FAILED), 0);
    world_free(w);
}

static void deaths_with_work_done_between_are_no_reason_to_give_up(void **state)
{
    struct world *w = busy_world("1-30", 3, 1);

    (void)state;
    for (int i = 0; i < 5; i++) {
        die(w, 0);
        revive(w, 1);
        answer_at(w, 0, 0, DQ_OK);
        step(w);
    }
    assert_false(dq_dispatch_stuck(w->d, NULL));
    world_free(w);
}

static void deaths_long_apart_are_no_reason_to_give_up(void **state)
{
    struct world *w = busy_world("1-30", 9, 1);

    (void)state;
    for (int i = 0; i < 6; i++) {
        die(w, 0);
        w->now += 700000;
        revive(w, 1);
    }
    assert_false(dq_dispatch_stuck(w->d, NULL));
    world_free(w);
}

static void a_device_that_is_not_there_is_given_up_by_its_name(void **state)
{
    struct world *w = busy_world("1-30", 3, 2);
    struct dq_err err = {0};

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_false(dq_dispatch_stuck(w->d, NULL));
        answer_at(w, 0, 0, DQ_DEVICE);
        assert_string_equal(step(w), "kill 0");
        die_as(w, 0, DQ_WORKER);
        if (i < 2)
            revive(w, 2);
    }
    assert_true(dq_dispatch_stuck(w->d, &err));
    assert_int_equal(err.code, DQ_DEVICE);
    assert_non_null(strstr(err.text, "frame said DEVICE"));
    world_free(w);
}

static void workers_that_never_say_hello_end_it_with_their_last_words(
    void **state)
{
    struct world *w = world_new("1-9", 3, brisk());
    struct dq_err err = {0};
    int64_t pauses[3];

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_string_equal(step(w), "start 0");
        die_as(w, 0, DQ_CONFIG);
        pauses[i] = dq_dispatch_due(w->d, w->now) - w->now;
        w->now += pauses[i];
    }
    assert_int_equal(pauses[0], 200);
    assert_int_equal(pauses[1], 400);
    assert_string_equal(step(w), "");
    assert_true(dq_dispatch_over(w->d));
    assert_true(dq_dispatch_stuck(w->d, &err));
    assert_int_equal(err.code, DQ_CONFIG);
    assert_non_null(strstr(err.text, "ouch"));
    assert_int_equal(dq_list_goals(w->list, DQ_TASK_WAITING), 9);
    world_free(w);
}

static void restarts_come_ever_later_up_to_a_limit(void **state)
{
    struct dq_dispatch_rule rule = brisk();
    struct world *w;
    int64_t pause = 0;

    (void)state;
    rule.start_failures = 100;
    w = world_new("1-9", 3, rule);
    for (int i = 0; i < 12; i++) {
        step(w);
        die(w, 0);
        pause = dq_dispatch_due(w->d, w->now) - w->now;
        assert_int_equal(pause, 200 << i < 10000 ? 200 << i : 10000);
        w->now += pause;
    }
    world_free(w);
}

static void one_bad_device_of_two_leaves_the_work_to_the_other(void **state)
{
    static const int devices[] = {0, 1};
    struct dq_dispatch_rule rule = brisk();
    struct world *w;

    (void)state;
    rule.workers = 2;
    rule.devices = devices;
    rule.start_failures = 1;
    w = world_new("1-3", 3, rule);
    step(w);
    die(w, 0);
    hello(w, 1, 4);
    assert_string_equal(step(w), "job 1, send 1 survey/1");
    w->now += 100000;
    assert_string_equal(step(w), "");
    assert_false(dq_dispatch_stuck(w->d, NULL));
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_of_a_dead_worker_run_alone_and_are_not_counted),
        cmocka_unit_test(a_frame_that_had_not_begun_is_no_suspect),
        cmocka_unit_test(
            a_frame_alone_at_work_is_counted_and_those_behind_it_are_not),
        cmocka_unit_test(a_worker_that_is_going_gets_nothing_more),
        cmocka_unit_test(only_the_frame_that_kills_is_failed_in_the_end),
        cmocka_unit_test(
            a_worker_is_emptied_for_a_suspect_while_the_other_goes_on),
        cmocka_unit_test(a_device_whose_workers_die_of_every_frame_is_given_up),
        cmocka_unit_test(
            deaths_with_work_done_between_are_no_reason_to_give_up),
        cmocka_unit_test(deaths_long_apart_are_no_reason_to_give_up),
        cmocka_unit_test(a_device_that_is_not_there_is_given_up_by_its_name),
        cmocka_unit_test(
            workers_that_never_say_hello_end_it_with_their_last_words),
        cmocka_unit_test(restarts_come_ever_later_up_to_a_limit),
        cmocka_unit_test(one_bad_device_of_two_leaves_the_work_to_the_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
