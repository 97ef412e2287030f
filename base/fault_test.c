#include "base/testing.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/fault.h"

static void set_faults(const char *rules)
{
    if (rules)
        setenv("DQ_FAULT", rules, 1);
    else
        unsetenv("DQ_FAULT");
    dq_fault_setup();
}

/* Which of the next eight calls fail: "..x....." */
static void expect_calls(enum dq_fault point, const char *want)
{
    char got[9] = "";

    for (int i = 0; i < 8; i++)
        got[i] = dq_fault(point) ? 'x' : '.';
    assert_string_equal(got, want);
}

static void without_rules_nothing_fails(void **state)
{
    (void)state;
    set_faults(NULL);
    expect_calls(DQ_FAULT_READ, "........");
    set_faults("");
    expect_calls(DQ_FAULT_READ, "........");
}

static void a_rule_strikes_the_calls_it_names(void **state)
{
    (void)state;
    set_faults("read:3");
    expect_calls(DQ_FAULT_READ, "..x.....");
    set_faults("read:3+");
    expect_calls(DQ_FAULT_READ, "..xxxxxx");
    set_faults("read");
    expect_calls(DQ_FAULT_READ, "xxxxxxxx");
    set_faults("read:1=fail");
    expect_calls(DQ_FAULT_READ, "x.......");
}

static void points_are_counted_apart(void **state)
{
    (void)state;
    set_faults("read:2,publish.fsync:1+");
    expect_calls(DQ_FAULT_DECODE, "........");
    expect_calls(DQ_FAULT_PUBLISH_FSYNC, "xxxxxxxx");
    expect_calls(DQ_FAULT_READ, ".x......");
}

static void setting_up_again_starts_anew(void **state)
{
    (void)state;
    set_faults("read:2");
    expect_calls(DQ_FAULT_READ, ".x......");
    set_faults("read:2");
    expect_calls(DQ_FAULT_READ, ".x......");
    set_faults("decode:1");
    expect_calls(DQ_FAULT_READ, "........");
    set_faults(NULL);
    expect_calls(DQ_FAULT_DECODE, "........");
}

static void every_point_has_a_name_of_its_own(void **state)
{
    static const char *const names[] = {
#define DQ_FAULT_POINT(id, name, doc) name,
#include "base/faults.def"
#undef DQ_FAULT_POINT
    };

    (void)state;
    for (int i = 0; i < DQ_FAULTS; i++) {
        set_faults(names[i]);
        for (int j = 0; j < DQ_FAULTS; j++)
            assert_int_equal(dq_fault((enum dq_fault)j), i == j);
    }
}

static int call_read(void *rules)
{
    const struct rlimit no_core = {0, 0};

    setrlimit(RLIMIT_CORE, &no_core);
    signal(SIGABRT, SIG_DFL);
    set_faults(rules);
    return dq_fault(DQ_FAULT_READ) ? 10 : 20;
}

static void a_point_may_end_the_process(void **state)
{
    int status = status_of_child(call_read, (void *)"read=abort");

    (void)state;
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    status = status_of_child(call_read, (void *)"read:1=kill");
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
    status = status_of_child(call_read, (void *)"read:2=kill");
    assert_int_equal(WEXITSTATUS(status), 20);
}

static void a_slow_point_goes_on_later(void **state)
{
    double begun;

    (void)state;
    set_faults("read:1=slow");
    begun = dq_clock_s();
    assert_int_equal(dq_fault(DQ_FAULT_READ), 0);
    assert_true(dq_clock_s() - begun >= 0.25);
}

/* Killed after a while, it has neither come back nor taken the processor. */
static void a_hanging_point_waits_for_ever(void **state)
{
    const struct timespec while_ = {0, 300000000};
    struct rusage usage;
    int status = 0;
    pid_t child;

    (void)state;
    fflush(NULL);
    child = fork();
    if (child == 0)
        _exit(call_read((void *)"read=hang"));
    nanosleep(&while_, NULL);
    assert_int_equal(waitpid(child, &status, WNOHANG), 0);
    kill(child, SIGKILL);
    assert_int_equal(wait4(child, &status, 0, &usage), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(usage.ru_utime.tv_sec, 0);
    assert_true(usage.ru_utime.tv_usec < 200000);
}

static void what_cannot_be_understood_ends_the_process(void **state)
{
    static const char *const wrong[] = {
        "rea",      "read:0",    "read:-1", "read:x",     "read:",
        "read:+",   "read=fial", "read=",   "read,,read", "read,",
        "READ",     "read:1:2",  " read",   "read:1+=no", "read=fail=fail",
        "read:1.5", "=fail",     ":1"};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        int status = status_of_child(call_read, (void *)(uintptr_t)wrong[i]);

        if (!WIFEXITED(status) || WEXITSTATUS(status) != 78)
            fail_msg("'%s' is taken", wrong[i]);
    }
}

static void *count_failures(void *count)
{
    for (int i = 0; i < 10000; i++)
        *(int *)count += dq_fault(DQ_FAULT_READ);
    return NULL;
}

static void of_all_threads_one_is_struck(void **state)
{
    pthread_t threads[4];
    int counts[4] = {0}, all = 0;

    (void)state;
    set_faults("read:20000");
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, count_failures, &counts[i]);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        all += counts[i];
    }
    assert_int_equal(all, 1);
    set_faults(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_rules_nothing_fails),
        cmocka_unit_test(a_rule_strikes_the_calls_it_names),
        cmocka_unit_test(points_are_counted_apart),
        cmocka_unit_test(setting_up_again_starts_anew),
        cmocka_unit_test(every_point_has_a_name_of_its_own),
        cmocka_unit_test(a_point_may_end_the_process),
        cmocka_unit_test(a_slow_point_goes_on_later),
        cmocka_unit_test(a_hanging_point_waits_for_ever),
        cmocka_unit_test(what_cannot_be_understood_ends_the_process),
        cmocka_unit_test(of_all_threads_one_is_struck),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
