#include "base/testing.h"

#include "daemon/keeper.h"

static void days_are_counted_back_from_now(void **state)
{
    struct dq_keep keep = {0};
    struct dq_err err = {0};
    char text[DQ_TIME_TEXT];

    (void)state;
    assert_int_equal(dq_keep_take(&keep, "keep-days", "30", &err), 1);
    assert_int_equal(err.code, 0);
    /* date -u -d @1788264000.5: 2026-09-01T12:00:00.5 */
    dq_keep_before(&keep, INT64_C(1788264000500000000), text);
    assert_string_equal(text, "2026-08-02T12:00:00.500Z");
}

static void numbers_are_numbers(void **state)
{
    static const char *const wrong[] = {"", "0", "-1", "x", "36501", "1.5"};
    struct dq_keep keep = {0};
    struct dq_err err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        dq_err_clear(&err);
        assert_int_equal(dq_keep_take(&keep, "keep-days", wrong[i], &err), 1);
        assert_int_equal(err.code, DQ_USAGE);
    }
    assert_string_equal(err.text,
                        "keep-days: '1.5' is no number from 1 to 36500");
    dq_err_clear(&err);
    assert_int_equal(dq_keep_take(&keep, "keep-events", "36501", &err), 1);
    assert_int_equal(err.code, 0);
    assert_int_equal(keep.days, 0);
    assert_int_equal(keep.events, 36501);
    assert_int_equal(dq_keep_take(&keep, "keep", "1", &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_are_counted_back_from_now),
        cmocka_unit_test(numbers_are_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
