#include "jobs/store_testing.h"

/* Of user `uid`, who may have 2 jobs and 10 frames. */
static int take(struct dq_store *s, const char *name, const char *frames,
                int64_t uid, struct dq_err *err)
{
    char *output = dq_asprintf("out/%s.####.exr", name);
    int64_t job = 0;
    int fresh = 0, code;

    dq_err_clear(err);
    code = submit_as(s,
                     (struct wish){.name = name,
                                   .frames = frames,
                                   .output = output,
                                   .uid = uid,
                                   .jobs_most = 2,
                                   .frames_most = 10},
                     &job, &fresh, err);
    free(output);
    return code;
}

static void a_user_has_so_many_live_jobs_and_no_more(void **state)
{
    struct dq_store *s = open_store();
    struct dq_err err = {0};

    (void)state;
    assert_int_equal(take(s, "a", "1-2", 7, &err), 0);
    assert_int_equal(take(s, "b", "1-2", 7, &err), 0);
    assert_int_equal(take(s, "c", "1-2", 7, &err), DQ_LIMIT);
    assert_string_equal(err.text,
                        "user 7 would have 3 live jobs, and 2 is the most "
                        "(limit-jobs): wait until some is done, cancel what is "
                        "not needed, or ask an admin");
    assert_int_equal(number(s, "SELECT count(*) FROM job"), 2);
    assert_int_equal(number(s, "SELECT count(*) FROM event"), 2);
    /* each user has their own */
    assert_int_equal(take(s, "d", "1-2", 8, &err), 0);
    finish_all(s);
    assert_int_equal(take(s, "c", "1-2", 7, &err), 0);
    expect_sound(s);
    dq_store_close(s);
}

static void a_user_has_so_many_frames_and_no_more(void **state)
{
    struct dq_store *s = open_store();
    struct dq_err err = {0};

    (void)state;
    assert_int_equal(take(s, "a", "1-6", 7, &err), 0);
    assert_int_equal(take(s, "b", "1-5", 7, &err), DQ_LIMIT);
    assert_non_null(strstr(err.text, "user 7 would have 11 frames in the "
                                     "queue, and 10 is the most"));
    assert_int_equal(take(s, "b", "1-4", 7, &err), 0);
    finish_all(s);
    assert_int_equal(take(s, "c", "1-11", 7, &err), DQ_LIMIT);
    assert_int_equal(take(s, "c", "1-10", 7, &err), 0);
    expect_sound(s);
    dq_store_close(s);
}

static void a_resend_is_answered_at_the_limit_too(void **state)
{
    struct dq_store *s = open_store();
    struct dq_err err = {0};

    (void)state;
    assert_int_equal(take(s, "a", "1-10", 7, &err), 0);
    assert_int_equal(take(s, "a", "1-10", 7, &err), 0);
    assert_int_equal(number(s, "SELECT count(*) FROM job"), 1);
    dq_store_close(s);
}

static void a_retry_counts_as_a_submit_does(void **state)
{
    static const struct dq_who seven = {.uid = 7,
                                        .jobs_most = 2,
                                        .frames_most = 10},
                               admin = {.uid = 1, .all = 1};
    struct dq_store *s = open_store();
    struct dq_err err = {0};
    int64_t moved = 0;

    (void)state;
    assert_int_equal(take(s, "a", "1-6", 7, &err), 0);
    assert_int_equal(
        dq_store_do(s, &seven, DQ_VERB_CANCEL, 1, NULL, &moved, &err), 0);
    assert_int_equal(take(s, "b", "1-6", 7, &err), 0);
    assert_int_equal(
        dq_store_do(s, &seven, DQ_VERB_RETRY, 1, NULL, &moved, &err), DQ_LIMIT);
    expect_state(s, 1, "canceled");
    expect_sound(s);
    dq_err_clear(&err);
    assert_int_equal(
        dq_store_do(s, &admin, DQ_VERB_RETRY, 1, NULL, &moved, &err), 0);
    expect_state(s, 1, "queued");
    expect_sound(s);
    dq_store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) \
    cmocka_unit_test_setup_teardown(f, folder_setup, folder_teardown)
        TEST(a_user_has_so_many_live_jobs_and_no_more),
        TEST(a_user_has_so_many_frames_and_no_more),
        TEST(a_resend_is_answered_at_the_limit_too),
        TEST(a_retry_counts_as_a_submit_does),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
