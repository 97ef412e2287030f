#include "base/testing.h"

#include <errno.h>
#include <jansson.h>

static void every_code_leads_back_from_its_name(void **state)
{
    (void)state;
    for (int code = 0; code < DQ_CODES; code++)
        assert_int_equal(dq_code_from_name(dq_code_name(code)), code);
    assert_string_equal(dq_code_name(DQ_OK), "OK");
    assert_string_equal(dq_code_name(DQ_PLATE), "PLATE");
    assert_int_equal(dq_code_from_name("NONSENSE"), -1);
    assert_int_equal(dq_code_from_name(""), -1);
}

/* Farm engines give 33 and all from 128 on a meaning of their own. */
static void exit_statuses_are_those_of_sysexits(void **state)
{
    (void)state;
    assert_int_equal(dq_code_exit(DQ_OK), 0);
    for (int code = 1; code < DQ_CODES; code++) {
        int status = dq_code_exit(code);

        assert_true(status == 2 || (status >= 64 && status <= 78));
        assert_true(*dq_code_text(code));
    }
}

/* Exit 75 asks to be called again, so it is for what may pass by itself. */
static void only_what_may_pass_says_try_again(void **state)
{
    (void)state;
    for (int code = 1; code < DQ_CODES; code++) {
        enum dq_policy policy = dq_code_policy(code);

        if (dq_code_exit(code) == 75)
            assert_true(policy != DQ_POLICY_FAIL_JOB &&
                        policy != DQ_POLICY_FAIL_FRAME);
    }
    assert_int_equal(dq_code_policy(DQ_FULL), DQ_POLICY_BLOCK);
    assert_int_equal(dq_code_policy(DQ_STOPPED), DQ_POLICY_REQUEUE);
}

static void an_unknown_code_is_a_defect_of_ours(void **state)
{
    (void)state;
    assert_string_equal(dq_code_name(-1), "BUG");
    assert_string_equal(dq_code_name(DQ_CODES), "BUG");
    assert_int_equal(dq_code_exit(1000), 70);
}

static void a_failure_is_its_code_and_its_words(void **state)
{
    struct dq_err err = {0};

    (void)state;
    assert_int_equal(dq_fail(&err, DQ_PLATE, "no channel '%c'", 'R'), DQ_PLATE);
    assert_int_equal(err.code, DQ_PLATE);
    assert_string_equal(err.text, "no channel 'R'");
    dq_fail(&err, DQ_MODEL, "another");
    assert_int_equal(err.code, DQ_MODEL);
    assert_string_equal(err.text, "another");
    dq_err_clear(&err);
    assert_int_equal(err.code, DQ_OK);
    assert_string_equal(err.text, "");
}

static void a_failure_that_nobody_reads_stays_one(void **state)
{
    (void)state;
    assert_int_equal(dq_fail(NULL, DQ_PLATE, "x"), DQ_PLATE);
    assert_int_equal(dq_fail_errno(NULL, DQ_IO, EIO, "x"), DQ_IO);
    assert_int_not_equal(dq_because(NULL, "frame 7"), DQ_OK);
}

static void an_errno_is_told_in_words(void **state)
{
    struct dq_err err = {0};

    (void)state;
    assert_int_equal(dq_fail_errno(&err, DQ_MISSING, ENOENT, "a/%d.exr", 7),
                     DQ_MISSING);
    assert_string_equal(err.text, "a/7.exr: No such file or directory");
}

static void contexts_come_before_what_they_explain(void **state)
{
    struct dq_err err = {0};

    (void)state;
    dq_fail(&err, DQ_PLATE, "no channel 'R'");
    assert_int_equal(dq_because(&err, "plate/sh010.%d.exr", 1007), DQ_PLATE);
    assert_int_equal(dq_because(&err, "frame 1007"), DQ_PLATE);
    assert_string_equal(err.text,
                        "frame 1007: plate/sh010.1007.exr: no channel 'R'");
}

static void no_error_gets_no_context(void **state)
{
    struct dq_err err = {0};

    (void)state;
    assert_int_equal(dq_because(&err, "frame 7"), DQ_OK);
    assert_string_equal(err.text, "");
}

/* jansson refuses text that is not UTF-8, and errors travel as JSON. */
static void expect_utf8(const struct dq_err *err)
{
    json_t *value = json_string(err->text);

    assert_non_null(value);
    json_decref(value);
}

static void a_long_text_is_cut_between_characters(void **state)
{
    static const char *const fillers[] = {"\xc3\xa9", "\xe2\x82\xac",
                                          "\xf0\x9f\x8e\xac"};
    char text[4096] = "";
    struct dq_err err = {0};

    (void)state;
    for (int lead = 0; lead < 12; lead++) {
        text[0] = '\0';
        for (int i = 0; i < lead % 4; i++)
            strcat(text, "x");
        while (strlen(text) < 2000)
            strcat(text, fillers[lead / 4]);
        dq_fail(&err, DQ_PLATE, "%s", text);
        expect_utf8(&err);
        assert_true(strlen(err.text) > 1019);
        assert_memory_equal(err.text, text, strlen(err.text));
        dq_because(&err, "frame 7");
        expect_utf8(&err);
        dq_fail_errno(&err, DQ_IO, EIO, "%.1020s", text + lead % 4);
        assert_true(strlen(err.text) < sizeof err.text);
    }
}

static void a_context_may_fill_the_text_alone(void **state)
{
    char text[3000];
    struct dq_err err = {0};

    (void)state;
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = '\0';
    dq_fail(&err, DQ_PLATE, "cause");
    assert_int_equal(dq_because(&err, "%s", text), DQ_PLATE);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
}

static void what_a_write_meets_decides_what_is_done_about_it(void **state)
{
    (void)state;
    assert_int_equal(dq_code_of_write_errno(ENOSPC), DQ_FULL);
    assert_int_equal(dq_code_of_write_errno(EDQUOT), DQ_FULL);
    assert_int_equal(dq_code_of_write_errno(EFBIG), DQ_FULL);
    assert_int_equal(dq_code_of_write_errno(EACCES), DQ_DENIED);
    assert_int_equal(dq_code_of_write_errno(EPERM), DQ_DENIED);
    assert_int_equal(dq_code_of_write_errno(EROFS), DQ_DENIED);
    assert_int_equal(dq_code_of_write_errno(ENOENT), DQ_CREATE);
    assert_int_equal(dq_code_of_write_errno(ENOTDIR), DQ_CREATE);
    assert_int_equal(dq_code_of_write_errno(EISDIR), DQ_CREATE);
    assert_int_equal(dq_code_of_write_errno(ENAMETOOLONG), DQ_CREATE);
    assert_int_equal(dq_code_of_write_errno(ELOOP), DQ_CREATE);
    assert_int_equal(dq_code_of_write_errno(EIO), DQ_IO);
    assert_int_equal(dq_code_of_write_errno(ESTALE), DQ_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_leads_back_from_its_name),
        cmocka_unit_test(exit_statuses_are_those_of_sysexits),
        cmocka_unit_test(only_what_may_pass_says_try_again),
        cmocka_unit_test(an_unknown_code_is_a_defect_of_ours),
        cmocka_unit_test(a_failure_is_its_code_and_its_words),
        cmocka_unit_test(a_failure_that_nobody_reads_stays_one),
        cmocka_unit_test(an_errno_is_told_in_words),
        cmocka_unit_test(contexts_come_before_what_they_explain),
        cmocka_unit_test(no_error_gets_no_context),
        cmocka_unit_test(a_long_text_is_cut_between_characters),
        cmocka_unit_test(a_context_may_fill_the_text_alone),
        cmocka_unit_test(what_a_write_meets_decides_what_is_done_about_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
