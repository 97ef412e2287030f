#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "jobs/task_list.h"

/* A stabilized shot of five frames, of which a run makes the fourth and
 * fifth. */
static int32_t all_numbers[] = {1, 2, 3, 4, 5}, some_numbers[] = {4, 5};
static const struct dq_range all = {all_numbers, 5}, some = {some_numbers, 2};

static struct dq_list *steady_list(void)
{
    struct dq_list_plan plan = {
        .job = 1, .renders = &some, .scans = &all, .scan_from = 4, .solve = 1};

    return dq_list_of(&plan);
}

/* Claim all there is; what was got, as words. */
static const char *claim_all(struct dq_list *list, struct dq_task *got,
                             int *count)
{
    static char words[512];
    struct dq_source source = dq_list_source(list);
    struct dq_claim claim;

    words[0] = '\0';
    *count = 0;
    while (source.ops->claim(source.self, DQ_CLAIM_USUAL, 0, &claim)) {
        size_t used = strlen(words);

        snprintf(words + used, sizeof words - used, "%s%s %d", used ? ", " : "",
                 dq_task_kind_name(claim.task.kind), claim.task.frame);
        got[(*count)++] = claim.task;
    }
    return words;
}

static int settle(struct dq_list *list, const struct dq_task *task, int code)
{
    struct dq_source source = dq_list_source(list);
    struct dq_result result = {.task = *task, .code = code};
    struct dq_settle s = {.task = *task,
                          .event = code ? DQ_EVENT_GIVE_UP : DQ_EVENT_FINISH,
                          .result = &result};

    snprintf(result.text, sizeof result.text, "it said so");
    return source.ops->settle(source.self, &s);
}

static void phases_follow_each_other(void **state)
{
    struct dq_list *list = steady_list();
    struct dq_task got[8], last;
    int count;

    (void)state;
    assert_string_equal(claim_all(list, got, &count), "survey 0");
    assert_true(settle(list, &got[0], DQ_OK));
    /* the run's own frames first: several runs share the scans so */
    assert_string_equal(claim_all(list, got, &count),
                        "scan 4, scan 5, scan 1, scan 2, scan 3");
    for (int i = 0; i < 4; i++)
        assert_true(settle(list, &got[i], DQ_OK));
    last = got[4];
    assert_string_equal(claim_all(list, got, &count), "");
    assert_true(settle(list, &last, DQ_OK));
    assert_string_equal(claim_all(list, got, &count), "solve 0");
    assert_true(settle(list, &got[0], DQ_OK));
    assert_string_equal(claim_all(list, got, &count), "render 4, render 5");
    assert_true(settle(list, &got[0], DQ_OK));
    assert_int_equal(dq_list_goals(list, DQ_TASK_DONE), 1);
    assert_int_equal(dq_list_goals(list, DQ_TASK_RUNNING), 1);
    dq_list_free(list);
}

static void a_scan_and_a_render_of_one_frame_are_two(void **state)
{
    struct dq_list *list = steady_list();
    struct dq_task got[8], render;
    int count;

    (void)state;
    claim_all(list, got, &count);
    settle(list, &got[0], DQ_OK);
    claim_all(list, got, &count);
    render = got[0];
    render.kind = DQ_TASK_RENDER;
    assert_false(settle(list, &render, DQ_OK));
    assert_true(settle(list, &got[0], DQ_OK));
    assert_false(settle(list, &got[0], DQ_OK));
    dq_list_free(list);
}

static void a_failed_scan_fails_nothing_else(void **state)
{
    struct dq_list *list = steady_list();
    struct dq_task got[8];
    int count;

    (void)state;
    claim_all(list, got, &count);
    settle(list, &got[0], DQ_OK);
    claim_all(list, got, &count);
    for (int i = 0; i < count; i++)
        settle(list, &got[i], i == 2 ? DQ_PLATE : DQ_OK);
    assert_string_equal(claim_all(list, got, &count), "solve 0");
    dq_list_free(list);
}

static void a_failed_solve_fails_every_frame_with_its_cause(void **state)
{
    struct dq_list *list = steady_list();
    struct dq_task got[8];
    int count;

    (void)state;
    claim_all(list, got, &count);
    settle(list, &got[0], DQ_OK);
    claim_all(list, got, &count);
    for (int i = 0; i < count; i++)
        settle(list, &got[i], DQ_PLATE);
    claim_all(list, got, &count);
    settle(list, &got[0], DQ_MISSING);
    assert_string_equal(claim_all(list, got, &count), "");
    assert_int_equal(dq_list_goals(list, DQ_TASK_FAILED), 2);
    assert_int_equal(dq_list_at(list, dq_list_goal(list))->code, DQ_MISSING);
    assert_false(dq_list_source(list).ops->unsettled(list));
    dq_list_free(list);
}

static void a_list_may_end_with_its_scans(void **state)
{
    struct dq_list_plan plan = {.job = 1, .scans = &some, .scan_from = 4};
    struct dq_list *list = dq_list_of(&plan);
    struct dq_task got[8];
    int count;

    (void)state;
    claim_all(list, got, &count);
    settle(list, &got[0], DQ_OK);
    assert_string_equal(claim_all(list, got, &count), "scan 4, scan 5");
    settle(list, &got[0], DQ_OK);
    settle(list, &got[1], DQ_PLATE);
    assert_int_equal(dq_list_goals(list, DQ_TASK_DONE), 1);
    assert_int_equal(dq_list_goals(list, DQ_TASK_FAILED), 1);
    assert_false(dq_list_source(list).ops->unsettled(list));
    dq_list_free(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(phases_follow_each_other),
        cmocka_unit_test(a_scan_and_a_render_of_one_frame_are_two),
        cmocka_unit_test(a_failed_scan_fails_nothing_else),
        cmocka_unit_test(a_failed_solve_fails_every_frame_with_its_cause),
        cmocka_unit_test(a_list_may_end_with_its_scans),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
