#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "jobs/task.h"

/* The table once more, by hand and in another shape: a line a state, a
 * column an event, the state that the event leads to. */
static const char *const by_hand[] = {
    /*          relea claim finis skip  fail  giveu lose  handb nospa due   */
    /*          cance eat   retry                                           */
    "waiting  : ready -     -     -     faile -     -     -     -     -     "
    "cance eaten -    ",
    "ready    : -     runni -     -     faile -     -     -     -     -     "
    "cance eaten -    ",
    "running  : -     -     done  skipp retry faile retry ready block -     "
    "cance -     -    ",
    "retry    : -     -     -     -     faile -     -     -     -     ready "
    "cance eaten -    ",
    "blocked  : -     -     -     -     faile -     -     -     -     ready "
    "cance eaten -    ",
    "done     : -     -     -     -     -     -     -     -     -     -     "
    "-     -     -    ",
    "failed   : -     -     -     -     -     -     -     -     -     -     "
    "-     eaten ready",
    "skipped  : -     -     -     -     -     -     -     -     -     -     "
    "-     -     ready",
    "eaten    : -     -     -     -     -     -     -     -     -     -     "
    "-     -     ready",
    "canceled : -     -     -     -     -     -     -     -     -     -     "
    "-     -     ready",
};

static void every_state_meets_every_event_as_the_table_says(void **state)
{
    (void)state;
    assert_int_equal(sizeof by_hand / sizeof *by_hand, DQ_TASK_STATES);
    for (int from = 0; from < DQ_TASK_STATES; from++) {
        const char *row = by_hand[from];
        const char *name = dq_task_state_name((enum dq_task_state)from);

        assert_memory_equal(row, name, strlen(name));
        assert_int_equal(strlen(row), 11 + DQ_EVENTS * 6 - 1);
        for (int event = 0; event < DQ_EVENTS; event++) {
            const char *want = row + 11 + (ptrdiff_t)event * 6;
            int to = dq_task_move((enum dq_task_state)from,
                                  (enum dq_task_event)event);
            const char *got =
                to < 0 ? "-" : dq_task_state_name((enum dq_task_state)to);
            size_t bytes = strcspn(want, " ");

            assert_memory_equal(got, want, bytes);
            assert_true(bytes == 5 || strlen(got) == bytes);
        }
    }
}

static void what_is_settled_stays_unless_a_person_acts(void **state)
{
    static const char *const settled[] = {"done", "failed", "skipped", "eaten",
                                          "canceled"};
    int count = 0;

    (void)state;
    for (int i = 0; i < DQ_TASK_STATES; i++) {
        enum dq_task_state s = (enum dq_task_state)i;
        int want = 0;

        for (size_t k = 0; k < 5; k++)
            want |= strcmp(dq_task_state_name(s), settled[k]) == 0;
        assert_int_equal(dq_task_settled(s), want);
        count += want;
    }
    assert_int_equal(count, 5);
}

static void only_a_claim_starts_work(void **state)
{
    (void)state;
    for (int from = 0; from < DQ_TASK_STATES; from++)
        for (int event = 0; event < DQ_EVENTS; event++)
            if (dq_task_move((enum dq_task_state)from,
                             (enum dq_task_event)event) == DQ_TASK_RUNNING)
                assert_int_equal(event, DQ_EVENT_CLAIM);
}

static void kinds_have_names_and_back(void **state)
{
    (void)state;
    assert_string_equal(dq_task_kind_name(DQ_TASK_SURVEY), "survey");
    assert_int_equal(dq_task_kind_from_name("render"), DQ_TASK_RENDER);
    assert_int_equal(dq_task_kind_from_name("survey"), DQ_TASK_SURVEY);
    assert_int_equal(dq_task_kind_from_name("Render"), -1);
    assert_int_equal(dq_task_kind_from_name(""), -1);
}

static void the_manual_shows_every_state_and_move(void **state)
{
    char *manual = dq_task_manual();

    (void)state;
    for (int i = 0; i < DQ_TASK_STATES; i++)
        assert_non_null(
            strstr(manual, dq_task_state_name((enum dq_task_state)i)));
    assert_non_null(strstr(manual, "    running --> retry: lose\n"));
    assert_non_null(strstr(manual, "| `failed` | retry | `ready` |"));
    free(manual);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_meets_every_event_as_the_table_says),
        cmocka_unit_test(what_is_settled_stays_unless_a_person_acts),
        cmocka_unit_test(only_a_claim_starts_work),
        cmocka_unit_test(kinds_have_names_and_back),
        cmocka_unit_test(the_manual_shows_every_state_and_move),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
