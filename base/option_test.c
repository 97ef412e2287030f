#include "base/testing.h"

#include "base/option.h"

static void counts_are_within_their_bounds(void **state)
{
    struct dq_err err = {0};
    int value = 0;

    (void)state;
    assert_int_equal(dq_option_count("workers", "1", 8, &value, &err), 0);
    assert_int_equal(value, 1);
    assert_int_equal(dq_option_count("workers", "8", 8, &value, &err), 0);
    assert_int_equal(value, 8);
    for (size_t i = 0; i < 5; i++) {
        const char *const wrong[] = {"0", "9", "-1", "two", "1.5"};

        dq_err_clear(&err);
        assert_int_equal(dq_option_count("workers", wrong[i], 8, &value, &err),
                         DQ_USAGE);
        assert_non_null(strstr(err.text, "--workers is 1 to 8"));
        assert_non_null(strstr(err.text, wrong[i]));
        assert_int_equal(value, 8);
    }
}

static void seconds_become_milliseconds(void **state)
{
    struct dq_err err = {0};
    int64_t ms = 0;

    (void)state;
    assert_int_equal(dq_option_seconds("grace", "1.5", &ms, &err), 0);
    assert_int_equal(ms, 1500);
    assert_int_equal(dq_option_seconds("grace", "0", &ms, &err), 0);
    assert_int_equal(ms, 0);
    for (size_t i = 0; i < 4; i++) {
        const char *const wrong[] = {"-1", "nan", "1e9", "soon"};

        dq_err_clear(&err);
        assert_int_equal(dq_option_seconds("grace", wrong[i], &ms, &err),
                         DQ_USAGE);
        assert_int_equal(ms, 0);
    }
}

static void a_device_is_auto_cpu_or_a_numbered_gpu(void **state)
{
    const char *const right[] = {"auto", "cpu", "cuda:0", "cuda:15"};
    const char *const wrong[] = {"cuda",   "cuda:", "cuda:-1",
                                 "cuda:x", "CPU",   ""};
    struct dq_err err = {0};

    (void)state;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(dq_option_device(right[i], &err), 0);
    for (size_t i = 0; i < 6; i++) {
        dq_err_clear(&err);
        assert_int_equal(dq_option_device(wrong[i], &err), DQ_USAGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_within_their_bounds),
        cmocka_unit_test(seconds_become_milliseconds),
        cmocka_unit_test(a_device_is_auto_cpu_or_a_numbered_gpu),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
