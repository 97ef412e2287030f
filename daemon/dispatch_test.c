#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "daemon/dispatch.h"
#include "jobs/task_list.h"

/* A world without processes: the test is the clock, the workers and the
 * supervisor. Actions are written down as words, oldest first. */
enum { WORKERS = 4, HELD = 32 };

struct world {
    struct dq_list *list;
    struct dq_dispatch *d;
    int64_t now;
    char log[8192];
    struct dq_task held[WORKERS][HELD]; /* what each worker was sent */
    int count[WORKERS];
};

static void note(struct world *w, const struct dq_action *a)
{
    static const char *const words[] = {"start",  "job",   "send", "drop",
                                        "forget", "drain", "kill"};
    size_t used = strlen(w->log);

    snprintf(w->log + used, sizeof w->log - used, "%s%s %d", used ? ", " : "",
             words[a->kind], a->worker);
    used = strlen(w->log);
    if (a->kind == DQ_ACTION_SEND)
        snprintf(w->log + used, sizeof w->log - used, " %s%.0d/%d",
                 a->task.kind == DQ_TASK_SURVEY ? "survey" : "", a->task.frame,
                 a->task.attempt);
}

/* Take all actions at the present time; the log holds only these. */
static const char *step(struct world *w)
{
    struct dq_action a;

    w->log[0] = '\0';
    while (dq_dispatch_next(w->d, w->now, &a)) {
        note(w, &a);
        if (a.kind == DQ_ACTION_SEND)
            w->held[a.worker][w->count[a.worker]++] = a.task;
    }
    return w->log;
}

static struct dq_dispatch_rule brisk(void)
{
    struct dq_dispatch_rule rule = dq_dispatch_usual();

    rule.workers = 1;
    rule.seed = 1;
    return rule;
}

static struct world *world_new(const char *frames, int retries,
                               struct dq_dispatch_rule rule)
{
    struct world *w = dq_new(sizeof *w);
    struct dq_range range = {0};
    struct dq_err err = {0};

    assert_int_equal(dq_range_parse(frames, &range, &err), DQ_OK);
    w->list = dq_list_new(1, &range, retries);
    dq_range_free(&range);
    rule.source = dq_list_source(w->list);
    w->d = dq_dispatch_new(&rule);
    w->now = 1000;
    return w;
}

static void world_free(struct world *w)
{
    dq_dispatch_free(w->d);
    dq_list_free(w->list);
    free(w);
}

static const struct dq_list_entry *entry(const struct world *w, int32_t frame)
{
    for (size_t i = 1; i < dq_list_count(w->list); i++)
        if (dq_list_at(w->list, i)->task.frame == frame)
            return dq_list_at(w->list, i);
    return dq_list_at(w->list, 0);
}

static enum dq_task_state state_of(const struct world *w, int32_t frame)
{
    return entry(w, frame)->state;
}

/* The worker answers what it holds at index. */
static int answer_at(struct world *w, int worker, int index, int code)
{
    struct dq_result result = {.task = w->held[worker][index], .code = code};

    snprintf(result.text, sizeof result.text, "frame said %s",
             dq_code_name(code));
    w->count[worker]--;
    memmove(&w->held[worker][index], &w->held[worker][index + 1],
            (size_t)(w->count[worker] - index) * sizeof w->held[0][0]);
    return dq_dispatch_result(w->d, worker, &result, w->now);
}

static void answer(struct world *w, int worker, int32_t frame, int code)
{
    for (int i = 0; i < w->count[worker]; i++)
        if (w->held[worker][i].frame == frame) {
            assert_int_equal(answer_at(w, worker, i, code), 1);
            return;
        }
    fail_msg("worker %d does not hold %d", worker, frame);
}

static void die_as(struct world *w, int worker, int code)
{
    struct dq_death death = {code, "signal 11 (Segmentation fault): ouch"};

    w->count[worker] = 0;
    dq_dispatch_died(w->d, worker, &death, w->now);
}

static void die(struct world *w, int worker)
{
    die_as(w, worker, DQ_WORKER);
}

static void hello(struct world *w, int worker, int credit)
{
    dq_dispatch_hello(w->d, worker, credit, w->now);
}

/* One worker, up, with the survey behind it and its hands full. */
static struct world *busy_world(const char *frames, int retries, int credit)
{
    struct world *w = world_new(frames, retries, brisk());

    step(w);
    hello(w, 0, credit);
    step(w);
    answer(w, 0, 0, DQ_OK);
    step(w);
    return w;
}

/* Bring the dead worker back. */
static const char *revive(struct world *w, int credit)
{
    w->now += 60000;
    assert_string_equal(step(w), "start 0");
    hello(w, 0, credit);
    return step(w);
}

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
        cmocka_unit_test(a_shot_runs_survey_first_then_frames_in_order),
        cmocka_unit_test(a_drained_worker_finishes_and_goes_and_comes_back),
        cmocka_unit_test(a_drained_worker_does_not_keep_suspects_waiting),
        cmocka_unit_test(a_device_is_given_up_though_others_are_drained),
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
        cmocka_unit_test(a_late_result_changes_nothing),
        cmocka_unit_test(a_result_from_another_worker_changes_nothing),
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
        cmocka_unit_test(
            whatever_happens_every_frame_settles_and_none_is_held_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
