#include "base/testing.h"

#include <time.h>

#include "base/clock.h"

static void time_goes_on_and_never_back(void **state)
{
    int64_t last = dq_clock_ns();

    (void)state;
    for (int i = 0; i < 10000; i++) {
        int64_t now = dq_clock_ns();

        assert_true(now >= last);
        last = now;
    }
}

/* The kernel's own word for the time since boot, sleep included. */
static void it_is_the_time_since_the_machine_started(void **state)
{
    double before = dq_clock_s(), uptime = 0, after;
    FILE *file = fopen("/proc/uptime", "r");

    (void)state;
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%lf", &uptime), 1);
    fclose(file);
    after = dq_clock_s();
    assert_true(uptime >= before - 0.011 && uptime <= after + 0.011);
}

static void seconds_and_nanoseconds_are_one_clock(void **state)
{
    double before = dq_clock_s();
    double between = (double)dq_clock_ns() * 1e-9;

    (void)state;
    assert_true(before <= between && between <= dq_clock_s());
}

static void waiting_takes_no_processor_time(void **state)
{
    const struct timespec pause = {0, 100000000};
    double begun = dq_thread_cpu_s(), worked;
    volatile unsigned sum = 0;

    (void)state;
    nanosleep(&pause, NULL);
    assert_true(dq_thread_cpu_s() - begun < 0.1);
    worked = dq_thread_cpu_s();
    for (unsigned i = 0; i < 20000000; i++)
        sum = sum + i;
    assert_true(dq_thread_cpu_s() > worked && sum > 0);
}

static void the_date_is_told_in_utc(void **state)
{
    char text[DQ_TIME_TEXT];
    struct tm tm = {0};
    struct timespec before, after; /* time(2) may be a tick behind these */
    time_t told;
    char *end;

    (void)state;
    setenv("TZ", "Asia/Kathmandu", 1);
    tzset();
    clock_gettime(CLOCK_REALTIME, &before);
    dq_clock_utc(text);
    clock_gettime(CLOCK_REALTIME, &after);
    end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    told = timegm(&tm);
    assert_int_equal(strlen(text), DQ_TIME_TEXT - 1);
    assert_non_null(end);
    assert_int_equal(*end, '.');
    assert_int_equal(strspn(end + 1, "0123456789"), 3);
    assert_string_equal(end + 4, "Z");
    assert_true(told >= before.tv_sec && told <= after.tv_sec);
    unsetenv("TZ");
    tzset();
}

/* Against `date -u -d @...`. */
static void moments_are_told_to_the_millisecond(void **state)
{
    static const struct {
        int64_t ns;
        const char *text;
    } known[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {INT64_C(1795514400500999999), "2026-11-24T10:00:00.500Z"},
        {INT64_C(951782399000000000), "2000-02-28T23:59:59.000Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {INT64_C(-2000000000), "1969-12-31T23:59:58.000Z"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        char text[DQ_TIME_TEXT];

        dq_clock_utc_of(known[i].ns, text);
        assert_string_equal(text, known[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_goes_on_and_never_back),
        cmocka_unit_test(it_is_the_time_since_the_machine_started),
        cmocka_unit_test(seconds_and_nanoseconds_are_one_clock),
        cmocka_unit_test(waiting_takes_no_processor_time),
        cmocka_unit_test(the_date_is_told_in_utc),
        cmocka_unit_test(moments_are_told_to_the_millisecond),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
