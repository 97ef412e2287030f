#include "base/testing.h"

#include <sched.h>

#include "base/cores.h"

static void only_cores_that_we_may_use_count(void **state)
{
    cpu_set_t all, one;
    size_t first = 0;

    (void)state;
    assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
    assert_int_equal(dq_usable_cores(), CPU_COUNT(&all));
    while (!CPU_ISSET(first, &all))
        first++;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    assert_int_equal(dq_usable_cores(), 1);
    assert_int_equal(sched_setaffinity(0, sizeof all, &all), 0);
}

static void workers_share_the_cores_and_none_has_no_thread(void **state)
{
    int cores = dq_usable_cores();

    (void)state;
    assert_int_equal(dq_threads_each(0, 1), cores);
    assert_int_equal(dq_threads_each(0, 10 * cores), 1);
    assert_int_equal(dq_threads_each(3, 10 * cores), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_cores_that_we_may_use_count),
        cmocka_unit_test(workers_share_the_cores_and_none_has_no_thread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
