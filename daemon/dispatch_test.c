/* Which task goes to whom, and what comes of its answer. */
#include "daemon/dispatch_testing.h"

/* ---- the usual course ----------------------------------------------------*/

static void a_shot_runs_survey_first_then_frames_in_order(void **state)
{
    struct world *w = world_new("1-3", 3, brisk());

    (void)state;
    assert_string_equal(step(w), "start 0");
    assert_string_equal(step(w), "");
    hello(w, 0, 2);
    assert_string_equal(step(w), "job 0, send 0 survey/1");
    answer(w, 0, 0, DQ_OK);
    assert_string_equal(step(w), "send 0 1/1, send 0 2/1");
    answer(w, 0, 2, DQ_OK);
    assert_string_equal(step(w), "send 0 3/1");
    answer(w, 0, 1, DQ_OK);
    answer(w, 0, 3, DQ_OK);
    assert_string_equal(step(w), "drain 0");
    assert_false(dq_dispatch_over(w->d));
    die(w, 0);
    assert_string_equal(step(w), "");
    assert_true(dq_dispatch_over(w->d));
    assert_int_equal(dq_list_goals(w->list, DQ_TASK_DONE), 3);
    world_free(w);
}

static void frames_spread_over_workers_before_they_pile_up(void **state)
{
    struct dq_dispatch_rule rule = brisk();
    struct world *w;

    (void)state;
    rule.workers = 2;
    w = world_new("1-4", 3, rule);
    assert_string_equal(step(w), "start 0, start 1");
    hello(w, 0, 2);
    hello(w, 1, 2);
    assert_string_equal(step(w), "job 0, send 0 survey/1");
    answer(w, 0, 0, DQ_OK);
    assert_string_equal(step(w), "send 0 1/1, job 1, send 1 2/1, "
                                 "send 0 3/1, send 1 4/1");
    world_free(w);
}

static void a_skipped_frame_is_settled_as_skipped(void **state)
{
    struct world *w = busy_world("1", 3, 1);
    struct dq_result result = {.task = w->held[0][0], .skipped = 1};

    (void)state;
    assert_int_equal(dq_dispatch_result(w->d, 0, &result, w->now), 1);
    assert_int_equal(state_of(w, 1), DQ_TASK_SKIPPED);
    world_free(w);
}

static void a_job_that_is_over_is_forgotten_by_those_who_know_it(void **state)
{
    struct world *w = busy_world("1", 3, 1);

    (void)state;
    answer(w, 0, 1, DQ_OK);
    dq_dispatch_forget(w->d, 1);
    assert_string_equal(step(w), "forget 0, drain 0");
    dq_dispatch_forget(w->d, 1);
    assert_string_equal(step(w), "");
    world_free(w);
}

/* ---- the policies of errors.def ------------------------------------------*/

static void a_permanent_failure_costs_its_frame_alone(void **state)
{
    struct world *w = busy_world("1-3", 3, 1);

    (void)state;
    answer(w, 0, 1, DQ_PLATE);
    assert_int_equal(state_of(w, 1), DQ_TASK_FAILED);
    assert_int_equal(entry(w, 1)->code, DQ_PLATE);
    assert_string_equal(entry(w, 1)->text, "frame said PLATE");
    assert_string_equal(step(w), "send 0 2/1");
    world_free(w);
}

static void a_failure_of_the_job_fails_what_is_not_in_hand(void **state)
{
    struct world *w = busy_world("1-9", 3, 2);

    (void)state;
    answer(w, 0, 1, DQ_MODEL);
    assert_int_equal(state_of(w, 1), DQ_TASK_FAILED);
    assert_int_equal(state_of(w, 2), DQ_TASK_RUNNING);
    for (int32_t f = 3; f <= 9; f++) {
        assert_int_equal(state_of(w, f), DQ_TASK_FAILED);
        assert_int_equal(entry(w, f)->code, DQ_MODEL);
        assert_string_equal(entry(w, f)->text, "frame said MODEL");
    }
    assert_string_equal(step(w), "");
    answer(w, 0, 2, DQ_OK); /* it was further than the failure */
    assert_int_equal(state_of(w, 2), DQ_TASK_DONE);
    assert_string_equal(step(w), "drain 0");
    world_free(w);
}

static void a_passing_failure_is_tried_again_after_growing_pauses(void **state)
{
    struct world *w = busy_world("7", 3, 1);
    int64_t last = 0;

    (void)state;
    for (int failures = 1; failures <= 3; failures++) {
        int64_t due, pause;

        answer(w, 0, 7, DQ_IO);
        assert_int_equal(state_of(w, 7), DQ_TASK_RETRY);
        assert_int_equal(entry(w, 7)->failures, failures);
        assert_string_equal(step(w), "");
        due = dq_dispatch_due(w->d, w->now);
        pause = due - w->now;
        assert_in_range(pause, 1500 << (failures - 1), 2500 << (failures - 1));
        assert_true(pause > last);
        last = pause;
        w->now = due - 1;
        assert_string_equal(step(w), "");
        w->now = due;
        step(w);
        assert_int_equal(w->count[0], 1);
        assert_int_equal(w->held[0][0].attempt, failures + 1);
    }
    answer(w, 0, 7, DQ_IO);
    assert_int_equal(state_of(w, 7), DQ_TASK_FAILED);
    assert_int_equal(entry(w, 7)->code, DQ_IO);
    world_free(w);
}

static void pauses_differ_between_frames_and_repeat_with_the_seed(void **state)
{
    struct world *a = busy_world("1-2", 3, 2), *b = busy_world("1-2", 3, 2);

    (void)state;
    answer(a, 0, 1, DQ_IO);
    answer(a, 0, 2, DQ_IO);
    answer(b, 0, 1, DQ_IO);
    answer(b, 0, 2, DQ_IO);
    assert_true(entry(a, 1)->not_before_ms != entry(a, 2)->not_before_ms);
    assert_true(entry(a, 1)->not_before_ms == entry(b, 1)->not_before_ms);
    world_free(a);
    world_free(b);
}

static void a_lost_device_gets_a_fresh_worker_and_only_its_frame_is_counted(
    void **state)
{
    struct world *w = busy_world("1-3", 3, 3);

    (void)state;
    answer(w, 0, 2, DQ_DEVICE);
    assert_string_equal(step(w), "kill 0");
    answer(w, 0, 1, DQ_OK); /* it was on its way before the kill */
    die(w, 0);
    assert_int_equal(state_of(w, 1), DQ_TASK_DONE);
    assert_int_equal(entry(w, 2)->failures, 1);
    assert_int_equal(state_of(w, 2), DQ_TASK_RETRY);
    assert_int_equal(state_of(w, 3), DQ_TASK_READY);
    assert_int_equal(entry(w, 3)->failures, 0);
    assert_false(entry(w, 3)->suspect);
    world_free(w);
}

static void full_storage_holds_the_job_and_counts_nothing(void **state)
{
    struct world *w = busy_world("1-4", 3, 2);
    int64_t due;

    (void)state;
    answer(w, 0, 1, DQ_FULL);
    assert_int_equal(state_of(w, 1), DQ_TASK_BLOCKED);
    assert_int_equal(entry(w, 1)->failures, 0);
    assert_string_equal(step(w), "");
    answer(w, 0, 2, DQ_FULL);
    assert_string_equal(step(w), "");
    due = dq_dispatch_due(w->d, w->now);
    assert_int_equal(due - w->now, 20000);
    w->now = due;
    assert_string_equal(step(w), "send 0 1/2, send 0 2/2");
    answer(w, 0, 1, DQ_OK);
    answer(w, 0, 2, DQ_OK);
    assert_string_equal(step(w), "send 0 3/1, send 0 4/1");
    world_free(w);
}

static void a_frame_handed_back_unasked_is_counted(void **state)
{
    struct world *w = busy_world("1", 3, 1);

    (void)state;
    answer(w, 0, 1, DQ_STOPPED);
    assert_int_equal(state_of(w, 1), DQ_TASK_RETRY);
    assert_int_equal(entry(w, 1)->failures, 1);
    world_free(w);
}

static void a_survey_that_fails_fails_every_frame_with_its_cause(void **state)
{
    struct world *w = world_new("1-2", 3, brisk());

    (void)state;
    step(w);
    hello(w, 0, 4);
    step(w);
    answer(w, 0, 0, DQ_MISSING);
    assert_int_equal(state_of(w, 1), DQ_TASK_FAILED);
    assert_int_equal(entry(w, 2)->code, DQ_MISSING);
    assert_string_equal(entry(w, 2)->text, "frame said MISSING");
    assert_string_equal(step(w), "drain 0");
    world_free(w);
}

/* ---- late words ----------------------------------------------------------*/

static void a_late_result_changes_nothing(void **state)
{
    struct world *w = busy_world("1-2", 3, 1);
    struct dq_result late = {.task = w->held[0][0]};

    (void)state;
    die(w, 0);
    assert_int_equal(dq_dispatch_result(w->d, 0, &late, w->now), 0);
    assert_string_equal(revive(w, 1), "job 0, send 0 2/1");
    answer(w, 0, 2, DQ_OK);
    assert_string_equal(step(w), "send 0 1/2");
    assert_int_equal(dq_dispatch_result(w->d, 0, &late, w->now), 0);
    assert_int_equal(state_of(w, 1), DQ_TASK_RUNNING);
    world_free(w);
}

static void a_result_from_another_worker_changes_nothing(void **state)
{
    struct dq_dispatch_rule rule = brisk();
    struct dq_result result = {0};
    struct world *w;

    (void)state;
    rule.workers = 2;
    w = world_new("1-2", 3, rule);
    step(w);
    hello(w, 0, 1);
    hello(w, 1, 1);
    step(w);
    result.task = w->held[0][0];
    assert_int_equal(dq_dispatch_result(w->d, 1, &result, w->now), 0);
    assert_int_equal(state_of(w, 0), DQ_TASK_RUNNING);
    world_free(w);
}

/* ---- anything may happen -------------------------------------------------*/

static uint64_t random_state;

static int chance(int of)
{
    random_state = random_state * 6364136223846793005U + 1442695040888963407U;
    return (int)((random_state >> 33) % (uint64_t)of);
}

/* No task is in two hands, suspects are alone, attempts only rise. */
static void check(const struct world *w, int *attempts)
{
    int owners[64] = {0};

    for (int k = 0; k < WORKERS; k++) {
        assert_int_equal(dq_dispatch_held(w->d, k), w->count[k]);
        for (int i = 0; i < w->count[k]; i++) {
            const struct dq_task *t = &w->held[k][i];

            assert_int_equal(++owners[t->frame], 1);
            assert_true(t->attempt >= attempts[t->frame]);
            attempts[t->frame] = t->attempt;
            assert_int_equal(entry(w, t->frame)->task.attempt, t->attempt);
            assert_int_equal(entry(w, t->frame)->state, DQ_TASK_RUNNING);
            if (entry(w, t->frame)->suspect)
                assert_int_equal(w->count[k], 1);
        }
    }
}

static void something_happens(struct world *w)
{
    static const int codes[] = {DQ_OK,     DQ_OK,     DQ_OK,     DQ_OK,
                                DQ_IO,     DQ_PLATE,  DQ_MEMORY, DQ_FULL,
                                DQ_DEVICE, DQ_STOPPED};
    int worker = chance(WORKERS);

    switch (chance(8)) {
    case 0:
        if (chance(4) == 0)
            die(w, worker);
        break;
    case 1:
        w->now += chance(30000);
        break;
    case 2:
    case 3:
        hello(w, worker, 1 + chance(5));
        break;
    default:
        if (w->count[worker])
            answer_at(w, worker, chance(w->count[worker]),
                      codes[chance(sizeof codes / sizeof *codes)]);
        break;
    }
}

static void whatever_happens_every_frame_settles_and_none_is_held_twice(
    void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct dq_dispatch_rule rule = brisk();
        int attempts[64] = {0}, turns = 0;
        struct world *w;

        random_state = seed;
        rule.workers = WORKERS;
        rule.deaths = 1000000;
        rule.start_failures = 1000000;
        w = world_new("1-40", 2, rule);
        for (; !dq_dispatch_over(w->d) && turns < 200000; turns++) {
            something_happens(w);
            step(w);
            for (int k = 0; k < WORKERS; k++) {
                char killed[32], drained[32];

                snprintf(killed, sizeof killed, "kill %d", k);
                snprintf(drained, sizeof drained, "drain %d", k);
                if (strstr(w->log, killed) || strstr(w->log, drained))
                    die(w, k);
            }
            check(w, attempts);
        }
        if (turns == 200000)
            fail_msg("seed %d never ends", (int)seed);
        assert_false(dq_list_source(w->list).ops->unsettled(w->list));
        for (int32_t f = 1; f <= 40; f++)
            assert_true(entry(w, f)->failures <= 3);
        world_free(w);
    }
}
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shot_runs_survey_first_then_frames_in_order),
        cmocka_unit_test(frames_spread_over_workers_before_they_pile_up),
        cmocka_unit_test(a_skipped_frame_is_settled_as_skipped),
        cmocka_unit_test(a_job_that_is_over_is_forgotten_by_those_who_know_it),
        cmocka_unit_test(a_permanent_failure_costs_its_frame_alone),
        cmocka_unit_test(a_failure_of_the_job_fails_what_is_not_in_hand),
        cmocka_unit_test(a_passing_failure_is_tried_again_after_growing_pauses),
        cmocka_unit_test(pauses_differ_between_frames_and_repeat_with_the_seed),
        cmocka_unit_test(
            a_lost_device_gets_a_fresh_worker_and_only_its_frame_is_counted),
        cmocka_unit_test(full_storage_holds_the_job_and_counts_nothing),
        cmocka_unit_test(a_frame_handed_back_unasked_is_counted),
        cmocka_unit_test(a_survey_that_fails_fails_every_frame_with_its_cause),
        cmocka_unit_test(a_late_result_changes_nothing),
        cmocka_unit_test(a_result_from_another_worker_changes_nothing),
        cmocka_unit_test(
            whatever_happens_every_frame_settles_and_none_is_held_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
