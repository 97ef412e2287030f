/* A night's limit against a daemon that plays a script: which jobs are put off
 * does not depend on how fast a worker is. */
#include "cli/client_testing.h"

#include "base/mem.h"
#include "cli/reprocess_wait.h"

#define JOB(state, counts)                                                     \
    OK_JSON CLOSE "{\"id\": 7, \"state\": \"" state "\", \"counts\": {" counts \
                  "}, \"model\": {\"name\": \"net\", \"version\": \"1\"}}"
#define MOVED OK_JSON CLOSE "{\"moved\": 0}"

/* What was asked as number i. */
static void expect_asked(int i, const char *want)
{
    char name[32], heard[4096] = "";
    FILE *file;

    snprintf(name, sizeof name, "heard%d", i);
    file = fopen(name, "r");
    if (!file)
        fail_msg("nothing was asked where '%s' was expected", want);
    heard[fread(heard, 1, sizeof heard - 1, file)] = '\0';
    fclose(file);
    if (strncmp(heard, want, strlen(want)) != 0)
        fail_msg("'%.40s' was asked where '%s' was expected", heard, want);
}

/* Wait for job 7 with a limit that has come by the first look. */
static json_t *wait_past_the_limit(const char *const *answers, int count)
{
    pid_t child = play_answers(answers, count);
    struct dq_ask ask = {.who = "test", .client = client()};
    json_t *told = json_pack("[{s:s, s:i}]", "file", "a.yaml", "job", 7);
    struct dq_err err = {0};
    json_t *sum = dq_reprocess_wait(&ask, told, 1e-9, &err);

    assert_string_equal(err.text, "");
    assert_non_null(sum);
    finish(ask.client, child);
    json_decref(told);
    return sum;
}

static void expect(json_t *sum, const char *key, int want)
{
    assert_int_equal(json_integer_value(json_object_get(sum, key)), want);
}

static void a_job_of_which_a_frame_is_touched_is_left_alone(void **state)
{
    static const char *const begun[] = {
        "\"running\": 1, \"ready\": 3", "\"done\": 1, \"ready\": 3",
        "\"failed\": 1, \"ready\": 3", "\"retry\": 1, \"ready\": 3",
        "\"blocked\": 1, \"ready\": 3"};

    (void)state;
    for (size_t i = 0; i < sizeof begun / sizeof *begun; i++) {
        char *active = dq_asprintf(JOB("active", "%s"), begun[i]);
        const char *const answers[] = {active, active,
                                       JOB("done", "\"done\": 4")};
        json_t *sum = wait_past_the_limit(answers, 3);

        expect_asked(2, "GET /v1/jobs/7 ");
        expect(sum, "done", 4);
        expect(sum, "left", 0);
        json_decref(sum);
        free(active);
        assert_int_equal(unlink("s"), 0);
    }
}

static void a_job_that_waits_is_canceled_while_it_is_paused(void **state)
{
    static const char *const answers[] = {JOB("queued", "\"waiting\": 4"),
                                          JOB("queued", "\"waiting\": 4"),
                                          MOVED,
                                          JOB("paused", "\"waiting\": 4"),
                                          MOVED,
                                          JOB("canceled", "\"canceled\": 4")};
    json_t *sum = wait_past_the_limit(answers, 6);

    (void)state;
    expect_asked(2, "POST /v1/jobs/7/pause ");
    expect_asked(3, "GET /v1/jobs/7 ");
    expect_asked(4, "POST /v1/jobs/7/cancel ");
    expect_asked(5, "GET /v1/jobs/7 ");
    expect(sum, "done", 0);
    expect(sum, "left", 4);
    json_decref(sum);
}

static void a_job_that_begins_before_it_is_paused_goes_on(void **state)
{
    static const char *const answers[] = {
        JOB("queued", "\"waiting\": 4"),
        JOB("queued", "\"waiting\": 4"),
        MOVED,
        JOB("pausing", "\"running\": 1, \"ready\": 3"),
        MOVED,
        JOB("active", "\"running\": 1, \"ready\": 3"),
        JOB("done", "\"done\": 4")};
    json_t *sum = wait_past_the_limit(answers, 7);

    (void)state;
    expect_asked(2, "POST /v1/jobs/7/pause ");
    expect_asked(4, "POST /v1/jobs/7/resume ");
    expect_asked(6, "GET /v1/jobs/7 ");
    expect(sum, "done", 4);
    json_decref(sum);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_job_of_which_a_frame_is_touched_is_left_alone),
        TEST(a_job_that_waits_is_canceled_while_it_is_paused),
        TEST(a_job_that_begins_before_it_is_paused_goes_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
