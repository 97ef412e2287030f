/* A job whose first frames fail alike, over the list in memory; over the
 * database jobs/store_test.c has the same. */
#include "base/testing.h"

#include "jobs/task_list.h"

static struct dq_list *list_of(const char *frames, int steady)
{
    struct dq_range range = {0};
    struct dq_err err = {0};
    struct dq_list_plan plan = {.job = 1,
                                .renders = &range,
                                .scans = steady ? &range : NULL,
                                .solve = steady};
    struct dq_list *list;

    assert_int_equal(dq_range_parse(frames, &range, &err), DQ_OK);
    plan.scan_from = range.frames[0];
    list = dq_list_of(&plan);
    dq_range_free(&range);
    return list;
}

static struct dq_task claim(struct dq_list *list)
{
    struct dq_source source = dq_list_source(list);
    struct dq_claim claimed;

    assert_int_equal(
        source.ops->claim(source.self, DQ_CLAIM_USUAL, 0, &claimed), 1);
    return claimed.task;
}

static void settle(struct dq_list *list, const struct dq_task *task, int code)
{
    struct dq_source source = dq_list_source(list);
    struct dq_result result = {.task = *task, .code = code};
    struct dq_settle settled = {.task = *task,
                                .event =
                                    code ? DQ_EVENT_GIVE_UP : DQ_EVENT_FINISH,
                                .result = &result};

    snprintf(result.text, sizeof result.text, "frame %d: %s", task->frame,
             dq_code_name(code));
    assert_int_equal(dq_source_settle(&source, &settled), 1);
}

/* Claim the next and settle it at once. */
static void next(struct dq_list *list, int code)
{
    struct dq_task task = claim(list);

    settle(list, &task, code);
}

static void five_first_frames_that_fail_alike_are_enough(void **state)
{
    struct dq_list *list = list_of("1-9", 0);
    const struct dq_list_entry *last;
    struct dq_task running;

    (void)state;
    next(list, DQ_OK); /* the survey */
    running = claim(list);
    for (int i = 0; i < 4; i++)
        next(list, DQ_PLATE);
    assert_int_equal(dq_list_goals(list, DQ_TASK_FAILED), 4);
    next(list, DQ_PLATE);
    assert_int_equal(dq_list_goals(list, DQ_TASK_FAILED), 8);
    assert_int_equal(dq_list_goals(list, DQ_TASK_RUNNING), 1);
    last = dq_list_at(list, dq_list_count(list) - 1);
    assert_int_equal(last->code, DQ_PLATE);
    assert_int_equal(last->task.attempt, 0);
    assert_string_equal(last->text,
                        "not tried, for the first 5 frames failed alike "
                        "(retry begins anew): frame 6: PLATE");
    settle(list, &running, DQ_OK);
    assert_int_equal(dq_list_goals(list, DQ_TASK_DONE), 1);
    dq_list_free(list);
}

static void one_that_is_done_gives_hope(void **state)
{
    struct dq_list *list = list_of("1-30", 0);

    (void)state;
    next(list, DQ_OK);
    next(list, DQ_OK);
    for (int i = 0; i < 9; i++)
        next(list, DQ_PLATE);
    assert_int_equal(dq_list_goals(list, DQ_TASK_READY), 20);
    dq_list_free(list);
}

static void failures_of_several_kinds_give_hope(void **state)
{
    struct dq_list *list = list_of("1-30", 0);

    (void)state;
    next(list, DQ_OK);
    next(list, DQ_MISSING);
    for (int i = 0; i < 9; i++)
        next(list, DQ_PLATE);
    assert_int_equal(dq_list_goals(list, DQ_TASK_READY), 20);
    dq_list_free(list);
}

static void what_is_tried_already_is_not_said_to_be_untried(void **state)
{
    struct dq_list *list = list_of("1-5", 0);

    (void)state;
    next(list, DQ_OK);
    for (int i = 0; i < 5; i++)
        next(list, DQ_PLATE);
    assert_string_equal(dq_list_at(list, 5)->text, "frame 5: PLATE");
    dq_list_free(list);
}

static void five_first_scans_that_fail_alike_are_enough(void **state)
{
    struct dq_list *list = list_of("1-9", 1);

    (void)state;
    next(list, DQ_OK);
    for (int i = 0; i < 5; i++)
        next(list, DQ_PLATE);
    assert_int_equal(dq_list_goals(list, DQ_TASK_FAILED), 9);
    assert_string_equal(dq_list_at(list, dq_list_goal(list))->text,
                        "not tried, for the first 5 scans failed alike "
                        "(retry begins anew): frame 5: PLATE");
    dq_list_free(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_first_frames_that_fail_alike_are_enough),
        cmocka_unit_test(one_that_is_done_gives_hope),
        cmocka_unit_test(failures_of_several_kinds_give_hope),
        cmocka_unit_test(what_is_tried_already_is_not_said_to_be_untried),
        cmocka_unit_test(five_first_scans_that_fail_alike_are_enough),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
