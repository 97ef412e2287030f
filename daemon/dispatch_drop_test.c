#include "base/testing.h"

#include "daemon/dispatch.h"
#include "jobs/task_list.h"

/* Tell that worker 0 is there, and take all actions; how many of a kind. */
static int count_actions(struct dq_dispatch *d, enum dq_action_kind kind,
                         int64_t job)
{
    struct dq_action action;
    int count = 0;

    while (dq_dispatch_next(d, 0, &action)) {
        count += action.kind == kind && action.task.job == job;
        if (action.kind == DQ_ACTION_START)
            dq_dispatch_hello(d, action.worker, 3, 0);
    }
    return count;
}

static void what_is_in_hand_of_a_dropped_job_is_dropped(void **state)
{
    int32_t numbers[] = {1, 2, 3, 4, 5};
    struct dq_range frames = {numbers, 5};
    struct dq_list *list = dq_list_new(7, &frames, 0);
    struct dq_dispatch_rule rule = dq_dispatch_usual();
    struct dq_result survey = {.task = {.job = 7, .attempt = 1}};
    struct dq_dispatch *d;

    (void)state;
    rule.source = dq_list_source(list);
    rule.workers = 1;
    d = dq_dispatch_new(&rule);
    assert_int_equal(count_actions(d, DQ_ACTION_SEND, 7), 1);
    assert_true(dq_dispatch_result(d, 0, &survey, 0));
    assert_int_equal(count_actions(d, DQ_ACTION_SEND, 7), 3); /* its credit */
    dq_dispatch_drop(d, 8);
    assert_int_equal(count_actions(d, DQ_ACTION_DROP, 8), 0);
    dq_dispatch_drop(d, 7);
    assert_int_equal(count_actions(d, DQ_ACTION_DROP, 7), 3);
    assert_int_equal(dq_dispatch_held(d, 0), 3); /* until it says so */
    dq_dispatch_free(d);
    dq_list_free(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_in_hand_of_a_dropped_job_is_dropped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
