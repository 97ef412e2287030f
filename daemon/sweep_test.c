#include "base/testing.h"

#include <time.h>
#include <utime.h>

#include "base/mem.h"
#include "base/path.h"
#include "daemon/sweep.h"

#define SHOT "out/.depthq/d.@@@@.exr"
#define WORKER "qaaaaaaaa-77tff-0"

static struct dq_sequence output(void)
{
    char *path = dq_path_absolute("out/d.####.exr");
    struct dq_sequence seq = {0};
    struct dq_err err = {0};

    assert_int_equal(dq_sequence_parse(path, NULL, &seq, &err), 0);
    free(path);
    return seq;
}

static void make_folders(void)
{
    mkdir("out", 0777);
    mkdir("out/.depthq", 0777);
    mkdir(SHOT, 0777);
    mkdir(SHOT "/done", 0777);
    mkdir(SHOT "/heirs", 0777);
}

static void sweep(enum dq_task_kind kind, int frame, int attempt)
{
    struct dq_task task = {
        .job = 1, .kind = kind, .frame = frame, .attempt = attempt};
    struct dq_sequence seq = output();

    dq_sweep_before(&seq, WORKER, &task);
    dq_sequence_free(&seq);
}

static int is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

static void a_frame_tried_again_loses_what_its_tries_left(void **state)
{
    static const char *const dead[] = {
        "out/.d.1007.exr.qaaaaaaaa-77tff-1-1007-2.tmp", /* another worker's */
        "out/.d.1007.exr.qaaaaaaaa-11tee-0-1007-1.tmp", /* a former daemon's */
        SHOT "/done/.1007.json.qaaaaaaaa-77tff-0-1007-1.tmp",
    };
    static const char *const alive[] = {
        "out/.d.1007.exr.qaaaaaaaa-77tff-0-1007-3.tmp", /* this try */
        "out/.d.1008.exr.qaaaaaaaa-77tff-0-1008-1.tmp", /* another frame */
        "out/.e.1007.exr.qaaaaaaaa-77tff-0-1007-1.tmp", /* another job */
        "out/.d.1007.exr.qbbbbbbbb-77tff-0-1007-1.tmp", /* another daemon */
        "out/.d.1007.exr.qaaaaaaaa-77tff-0-11007-1.tmp",
        SHOT "/done/.1007.json.qaaaaaaaa-77tff-0-scan1007-1.tmp",
    };

    (void)state;
    make_folders();
    for (size_t i = 0; i < sizeof dead / sizeof *dead; i++)
        put_file(dead[i], "half");
    for (size_t i = 0; i < sizeof alive / sizeof *alive; i++)
        put_file(alive[i], "half");
    sweep(DQ_TASK_RENDER, 1007, 1); /* the first try has none before it */
    for (size_t i = 0; i < sizeof dead / sizeof *dead; i++)
        assert_true(is_there(dead[i]));
    sweep(DQ_TASK_RENDER, 1007, 3);
    for (size_t i = 0; i < sizeof dead / sizeof *dead; i++)
        assert_false(is_there(dead[i]));
    for (size_t i = 0; i < sizeof alive / sizeof *alive; i++)
        if (!is_there(alive[i]))
            fail_msg("%s is gone", alive[i]);
}

static void negative_frames_are_frames(void **state)
{
    (void)state;
    make_folders();
    put_file("out/.d.-0005.exr.qaaaaaaaa-77tff-0--5-1.tmp", "half");
    put_file("out/.d.0005.exr.qaaaaaaaa-77tff-0-5-1.tmp", "half");
    sweep(DQ_TASK_RENDER, -5, 2);
    assert_false(is_there("out/.d.-0005.exr.qaaaaaaaa-77tff-0--5-1.tmp"));
    assert_true(is_there("out/.d.0005.exr.qaaaaaaaa-77tff-0-5-1.tmp"));
}

static void put_old(const char *path)
{
    const struct utimbuf long_ago = {time(NULL) - 90000, time(NULL) - 90000};

    put_file(path, "half");
    assert_int_equal(utime(path, &long_ago), 0);
}

static void a_survey_clears_up_after_former_daemons(void **state)
{
    static const char *const dead[] = {
        "out/.d.1001.exr.qaaaaaaaa-11tee-0-1001-1.tmp",
        SHOT "/.shot.json.qaaaaaaaa-11tee-1-survey0-1.tmp",
        SHOT "/heirs/.0f-shot.json.qaaaaaaaa-11tee-1-survey0-1.tmp",
        "out/.x.exr.qbbbbbbbb-1t1-0-1-1.tmp", /* another's, a day old */
    };
    static const char *const alive[] = {
        "out/.d.1002.exr.qaaaaaaaa-77tff-1-1002-1.tmp", /* this daemon's */
        "out/.d.1003.exr.qbbbbbbbb-11tee-0-1003-1.tmp", /* another's */
        "out/.d.1004.exr.run12t3-0-1004-1.tmp",         /* a run's */
    };

    (void)state;
    make_folders();
    put_file(dead[0], "half");
    put_file(dead[1], "half");
    put_file(dead[2], "half");
    put_old(dead[3]);
    for (size_t i = 0; i < sizeof alive / sizeof *alive; i++)
        put_file(alive[i], "half");
    sweep(DQ_TASK_SURVEY, 0, 1);
    for (size_t i = 0; i < sizeof dead / sizeof *dead; i++)
        assert_false(is_there(dead[i]));
    for (size_t i = 0; i < sizeof alive / sizeof *alive; i++)
        assert_true(is_there(alive[i]));
}

static void a_run_takes_its_own_at_its_end(void **state)
{
    char *pattern = dq_path_absolute("out/d.####.exr");

    (void)state;
    make_folders();
    put_file("out/.d.1001.exr.run5t6-0-1001-1.tmp", "half");
    put_file("out/.d.1002.exr.run5t66-0-1002-1.tmp", "half");
    put_old("out/.d.1003.exr.run9t9-0-1003-1.tmp");
    dq_sweep_after(pattern, "run5t6");
    assert_false(is_there("out/.d.1001.exr.run5t6-0-1001-1.tmp"));
    assert_true(is_there("out/.d.1002.exr.run5t66-0-1002-1.tmp"));
    assert_false(is_there("out/.d.1003.exr.run9t9-0-1003-1.tmp"));
    free(pattern);
}

static void a_state_has_a_name_of_its_own_that_stays(void **state)
{
    char *a = dq_sweep_name_queue("/state/a");
    char *again = dq_sweep_name_queue("/state/a");
    char *b = dq_sweep_name_queue("/state/b");

    (void)state;
    assert_int_equal(strcspn(a, "-"), 9);
    assert_memory_equal(a, again, 10);
    assert_memory_not_equal(a, b, 10);
    assert_int_equal(strspn(a, "0123456789abcdefqt-"), strlen(a));
    free(a);
    free(again);
    free(b);
}

#define in_folder(test) \
    cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_folder(a_frame_tried_again_loses_what_its_tries_left),
        in_folder(negative_frames_are_frames),
        in_folder(a_survey_clears_up_after_former_daemons),
        in_folder(a_run_takes_its_own_at_its_end),
        cmocka_unit_test(a_state_has_a_name_of_its_own_that_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
