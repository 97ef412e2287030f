#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "jobs/version.h"

/* From the least to the greatest. */
static const char *const ladder[] = {"0.9",
                                     "0.9.9",
                                     "1.0.0-1",
                                     "1.0.0-2",
                                     "1.0.0-11",
                                     "1.0.0-alpha",
                                     "1.0.0-alpha.1",
                                     "1.0.0-alpha.beta",
                                     "1.0.0-beta.2",
                                     "1.0.0-beta.11",
                                     "1.0.0-rc.1",
                                     "1.0.0-rc-1.1",
                                     "1.0.0",
                                     "1.0.0+build1",
                                     "1.0.0+build2",
                                     "1.2",
                                     "1.2.1",
                                     "1.9.2",
                                     "1.10.0",
                                     "2",
                                     "10.0.0",
                                     "99999999999999999999999.0",
                                     "99999999999999999999999.1",
                                     "100000000000000000000000.0"};

static int sign(int n)
{
    return (n > 0) - (n < 0);
}

static void every_version_stands_where_the_ladder_has_it(void **state)
{
    int count = sizeof ladder / sizeof *ladder;

    (void)state;
    for (int i = 0; i < count; i++)
        for (int k = 0; k < count; k++)
            if (sign(dq_version_compare(ladder[i], ladder[k])) != sign(i - k))
                fail_msg("%s against %s", ladder[i], ladder[k]);
}

static void texts_that_are_no_versions_have_an_order_too(void **state)
{
    (void)state;
    assert_true(dq_version_compare("", "1") < 0);
    assert_true(dq_version_compare("..", ".") > 0);
    assert_true(dq_version_compare("1.0", "1.00") < 0);
    assert_true(dq_version_compare("latest", "1.0") > 0);
    assert_int_equal(dq_version_compare("-", "-"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_version_stands_where_the_ladder_has_it),
        cmocka_unit_test(texts_that_are_no_versions_have_an_order_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
