#include "base/testing.h"

#include <math.h>

#include "base/sorted.h"

static void numbers_of_both_widths_are_put_in_order(void **state)
{
    float f[] = {3, -1, 2.5F, -1, 0};
    double d[] = {1e300, 1, 1 + 1e-15, -1e300};

    (void)state;
    dq_sort_floats(f, 5);
    assert_true(f[0] == -1 && f[1] == -1 && f[2] == 0 && f[3] == 2.5F &&
                f[4] == 3);
    dq_sort_doubles(d, 4);
    assert_true(d[0] == -1e300 && d[1] == 1 && d[2] > 1 && d[2] < 2 &&
                d[3] == 1e300);
    dq_sort_floats(NULL, 0);
    dq_sort_doubles(NULL, 0);
}

static void a_quantile_is_the_value_of_the_nearest_rank(void **state)
{
    (void)state;
    assert_int_equal(dq_quantile_at(0.5, 1), 0);
    assert_int_equal(dq_quantile_at(0, 201), 0);
    assert_int_equal(dq_quantile_at(1, 201), 200);
    assert_int_equal(dq_quantile_at(0.005, 201), 1);
    assert_int_equal(dq_quantile_at(0.995, 201), 199);
    assert_int_equal(dq_quantile_at(0.5, 4), 2); /* halves go up */
}

/* Of numbers with many equal ones, in every order that steps of `by` give. */
static void the_nth_value_is_that_of_the_sorted_list(void **state)
{
    enum { N = 101 };

    (void)state;
    for (int by = 1; by < 20; by++)
        for (size_t nth = 0; nth < N; nth++) {
            double values[N], sorted[N];

            for (int i = 0; i < N; i++)
                values[i] = sorted[i] = fmax(20, i * by % N);
            dq_sort_doubles(sorted, N);
            assert_true(!(dq_nth_double(values, N, nth) < sorted[nth]) &&
                        !(dq_nth_double(values, N, nth) > sorted[nth]));
            dq_sort_doubles(values, N); /* nothing was lost */
            assert_memory_equal(values, sorted, sizeof sorted);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_of_both_widths_are_put_in_order),
        cmocka_unit_test(a_quantile_is_the_value_of_the_nearest_rank),
        cmocka_unit_test(the_nth_value_is_that_of_the_sorted_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
