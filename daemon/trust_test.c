#include "base/testing.h"

#include "daemon/trust.h"

#define HOUR ((int64_t)3600 * 1000000000)
#define DAY (24 * HOUR)
#define YEAR (365 * DAY)

/* Believed last at noon of some day, an hour after the machine's start. */
static struct dq_trust trust(void)
{
    return (struct dq_trust){.day_ns = 56 * YEAR, .boot_ns = HOUR};
}

static int after(struct dq_trust *t, int64_t passed, int64_t ahead)
{
    return dq_trust_day(t, 56 * YEAR + passed + ahead, HOUR + passed);
}

static void time_that_passes_is_believed_however_long_it_is(void **state)
{
    struct dq_trust t = trust();

    (void)state;
    assert_true(after(&t, HOUR, 0));
    assert_true(after(&t, 30 * DAY, 0)); /* it slept */
    assert_true(after(&t, 31 * DAY, DAY - HOUR));
}

static void a_clock_set_ahead_is_not_believed_before_it_has_stayed_so_for_a_day(
    void **state)
{
    struct dq_trust t = trust();

    (void)state;
    assert_false(after(&t, HOUR, YEAR));
    assert_false(after(&t, 24 * HOUR, YEAR));
    assert_true(after(&t, 25 * HOUR, YEAR));
    assert_true(after(&t, 26 * HOUR, YEAR));
}

static void a_clock_that_is_set_right_again_was_never_believed(void **state)
{
    struct dq_trust t = trust();

    (void)state;
    assert_false(after(&t, HOUR, 10 * YEAR));
    assert_true(after(&t, 2 * HOUR, 0));
    assert_false(after(&t, 30 * HOUR, 10 * YEAR)); /* doubted anew */
    assert_false(after(&t, 53 * HOUR, 10 * YEAR));
}

static void each_jump_begins_the_day_anew(void **state)
{
    struct dq_trust t = trust();

    (void)state;
    assert_false(after(&t, HOUR, 2 * DAY));
    assert_false(after(&t, 24 * HOUR, YEAR));
    assert_false(after(&t, 47 * HOUR, YEAR));
    assert_true(after(&t, 48 * HOUR, YEAR));
}

static void a_clock_that_goes_back_is_believed(void **state)
{
    struct dq_trust t = trust();

    (void)state;
    assert_true(after(&t, HOUR, -20 * YEAR));
    assert_false(after(&t, 2 * HOUR, 0)); /* ahead of that */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_that_passes_is_believed_however_long_it_is),
        cmocka_unit_test(
            a_clock_set_ahead_is_not_believed_before_it_has_stayed_so_for_a_day),
        cmocka_unit_test(a_clock_that_is_set_right_again_was_never_believed),
        cmocka_unit_test(each_jump_begins_the_day_anew),
        cmocka_unit_test(a_clock_that_goes_back_is_believed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
