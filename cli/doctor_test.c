/* Checks that hang or die are findings themselves. */
#include "cli/doctor.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/testing.h"

static struct dq_doctor doctor(void)
{
    struct dq_doctor d = {.to = -1, .json = 1, .findings = json_array()};

    return d;
}

static const char *member(const struct dq_doctor *d, size_t i, const char *key)
{
    return json_string_value(
        json_object_get(json_array_get(d->findings, i), key));
}

static void hangs(struct dq_doctor *d)
{
    dq_doctor_say(d, DQ_DOCTOR_OK, DQ_OK, "disk", NULL, "so far");
    pause();
}

static void a_check_that_hangs_is_cut_off_and_told(void **state)
{
    struct dq_doctor d = doctor();

    (void)state;
    dq_doctor_apart(&d, "disk", hangs, 1);
    assert_int_equal(d.wrong, 1);
    assert_int_equal(d.code, DQ_IO);
    assert_string_equal(member(&d, json_array_size(d.findings) - 1, "check"),
                        "disk");
    json_decref(d.findings);
}

static void writes_and_hangs(struct dq_doctor *d)
{
    char *file = dq_asprintf("%s/copy", d->scratch);

    put_file(file, "half of it");
    free(file);
    pause();
}

static void what_is_cut_off_leaves_no_copy_behind(void **state)
{
    struct dq_doctor d = doctor();
    char *folder;

    (void)state;
    dq_doctor_scratch(&d);
    assert_non_null(d.scratch);
    folder = dq_strdup(d.scratch);
    dq_doctor_apart(&d, "disk", writes_and_hangs, 1);
    assert_int_equal(d.wrong, 1);
    dq_doctor_scratch_end(&d);
    assert_int_equal(access(folder, F_OK), -1);
    assert_int_equal(errno, ENOENT);
    free(folder);
    json_decref(d.findings);
}

static void without_a_folder_it_is_known_why(void **state)
{
    struct dq_doctor d = doctor();

    (void)state;
    setenv("TMPDIR", "/nowhere/at/all", 1);
    dq_doctor_scratch(&d);
    unsetenv("TMPDIR");
    assert_null(d.scratch);
    assert_non_null(strstr(d.no_scratch.text, "/nowhere/at/all/"));
    dq_doctor_scratch_end(&d);
    json_decref(d.findings);
}

static void dies(struct dq_doctor *d)
{
    dq_doctor_say(d, DQ_DOCTOR_WARN, DQ_OK, "disk", "do it", "odd: %d", 7);
    signal(SIGKILL, SIG_DFL);
    raise(SIGKILL);
}

static void a_check_that_dies_is_told_after_what_it_found(void **state)
{
    struct dq_doctor d = doctor();

    (void)state;
    dq_doctor_apart(&d, "disk", dies, 600);
    assert_int_equal(json_array_size(d.findings), 2);
    assert_string_equal(member(&d, 0, "text"), "odd: 7");
    assert_string_equal(member(&d, 0, "todo"), "do it");
    assert_string_equal(member(&d, 1, "level"), "wrong");
    assert_int_equal(d.warnings, 1);
    assert_int_equal(d.code, DQ_BUG);
    json_decref(d.findings);
}

static void an_absent_daemon_is_the_last_of_reasons(void **state)
{
    struct dq_doctor d = doctor();

    (void)state;
    dq_doctor_say(&d, DQ_DOCTOR_WRONG, DQ_DAEMON, "daemon", NULL, "none");
    assert_int_equal(d.code, DQ_DAEMON);
    dq_doctor_say(&d, DQ_DOCTOR_WRONG, DQ_CREATE, "state", NULL, "no folder");
    dq_doctor_say(&d, DQ_DOCTOR_WRONG, DQ_MODEL, "models", NULL, "none");
    assert_int_equal(d.code, DQ_CREATE);
    assert_int_equal(d.wrong, 3);
    json_decref(d.findings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_check_that_hangs_is_cut_off_and_told),
        cmocka_unit_test(what_is_cut_off_leaves_no_copy_behind),
        cmocka_unit_test(without_a_folder_it_is_known_why),
        cmocka_unit_test(a_check_that_dies_is_told_after_what_it_found),
        cmocka_unit_test(an_absent_daemon_is_the_last_of_reasons),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
