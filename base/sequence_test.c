/* Folders are real; a failing one is this program's own readdir(3). */
#include "base/testing.h"

#include <dlfcn.h>
#include <errno.h>

#include "base/sequence.h"

static int fail_after = -1; /* readdir calls that succeed; -1: all */
static int twice;           /* every entry is given twice */

struct dirent *readdir(DIR *dir)
{
    static struct dirent *(*real)(DIR *);
    static struct dirent *last;
    static int turn;

    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "readdir");
    if (fail_after == 0) {
        errno = EIO;
        return NULL;
    }
    fail_after -= fail_after > 0;
    if (twice && turn++ % 2 == 1)
        return last;
    last = real(dir);
    return last;
}

static void expect_path(const char *pattern, const char *folder, int32_t frame,
                        const char *want)
{
    struct dq_sequence seq = {0};
    struct dq_err err = {0};
    char *path;

    if (dq_sequence_parse(pattern, folder, &seq, &err))
        fail_msg("%s", err.text);
    path = dq_sequence_path(&seq, frame);
    assert_string_equal(path, want);
    free(path);
    dq_sequence_free(&seq);
}

static void three_spellings_mean_the_same(void **state)
{
    (void)state;
    expect_path("a.####.exr", NULL, 7, "a.0007.exr");
    expect_path("a.%04d.exr", NULL, 7, "a.0007.exr");
    expect_path("a.$F4.exr", NULL, 7, "a.0007.exr");
    expect_path("a.#.exr", NULL, 7, "a.7.exr");
    expect_path("a.%d.exr", NULL, 7, "a.7.exr");
    expect_path("a.$F.exr", NULL, 7, "a.7.exr");
    expect_path("a.%01d.exr", NULL, 7, "a.7.exr");
    expect_path("##########", NULL, 7, "0000000007");
}

static void longer_numbers_take_the_room_they_need(void **state)
{
    (void)state;
    expect_path("a.##.exr", NULL, 1007, "a.1007.exr");
    expect_path("a.####.exr", NULL, INT32_MAX, "a.2147483647.exr");
}

static void a_sign_comes_before_the_zeros(void **state)
{
    (void)state;
    expect_path("a.####.exr", NULL, -5, "a.-0005.exr");
    expect_path("a.#.exr", NULL, -5, "a.-5.exr");
    expect_path("a.#.exr", NULL, INT32_MIN, "a.-2147483648.exr");
}

static void a_still_is_one_file_for_every_frame(void **state)
{
    (void)state;
    expect_path("still.exr", "/jobs", 1, "/jobs/still.exr");
    expect_path("still.exr", "/jobs", 99, "/jobs/still.exr");
    expect_path("price.$.exr", NULL, 1, "price.$.exr");
}

static void relative_patterns_are_taken_from_the_folder(void **state)
{
    (void)state;
    expect_path("plate/a.#.exr", "/jobs", 7, "/jobs/plate/a.7.exr");
    expect_path("./plate//a.#.exr", "/jobs", 7, "/jobs/plate/a.7.exr");
    expect_path("../a.#.exr", "/jobs", 7, "/jobs/../a.7.exr");
    expect_path("/p/a.#.exr", "/jobs", 7, "/p/a.7.exr");
    expect_path("a.#.exr", "/j#b/%s", 7, "/j#b/%s/a.7.exr");
}

static void a_name_may_begin_with_its_number(void **state)
{
    (void)state;
    expect_path("####.exr", "/jobs", 7, "/jobs/0007.exr");
    expect_path("p/./####.exr", "/jobs", 7, "/jobs/p/0007.exr");
    expect_path("####.exr", NULL, 7, "0007.exr");
    expect_path(".####.exr", "/jobs", 7, "/jobs/.0007.exr");
    expect_path("..####.exr", "/jobs", 7, "/jobs/..0007.exr");
    expect_path("/####", NULL, 7, "/0007");
}

static void expect_refused(const char *pattern, const char *why)
{
    struct dq_sequence seq = {0};
    struct dq_err err = {0};

    assert_int_equal(dq_sequence_parse(pattern, "/jobs", &seq, &err), DQ_SPEC);
    assert_string_equal(err.text, why);
    assert_int_equal(dq_sequence_parse(pattern, "/jobs", &seq, NULL), DQ_SPEC);
    assert_null(seq.prefix);
    dq_sequence_free(&seq);
}

#define SPELLING \
    ": the frame number is spelled ####, %04d or $F4, with 1 to 10 digits"

static void strange_patterns_are_refused_with_the_remedy(void **state)
{
    (void)state;
    expect_refused("a.%4d.exr", "'a.%4d.exr'" SPELLING);
    expect_refused("a.%x.exr", "'a.%x.exr'" SPELLING);
    expect_refused("a.%0d.exr", "'a.%0d.exr'" SPELLING);
    expect_refused("a.%s.exr", "'a.%s.exr'" SPELLING);
    expect_refused("a.%n.exr", "'a.%n.exr'" SPELLING);
    expect_refused("50%", "'50%'" SPELLING);
    expect_refused("a.%011d.exr", "'a.%011d.exr'" SPELLING);
    expect_refused("a.%099999999999d.exr", "'a.%099999999999d.exr'" SPELLING);
    expect_refused("a.###########.exr", "'a.###########.exr'" SPELLING);
    expect_refused("a.$F0.exr", "'a.$F0.exr'" SPELLING);
    expect_refused("a.##.%04d.exr",
                   "'a.##.%04d.exr': has 2 frame numbers; one is the most");
    expect_refused("v##/a.##.exr",
                   "'v##/a.##.exr': has 2 frame numbers; one is the most");
    expect_refused("v##/a.exr", "'v##/a.exr': the frame number must be in "
                                "the file's name, not in its folder's");
}

static void a_pattern_names_a_file(void **state)
{
    (void)state;
    expect_refused("", "'': names no file");
    expect_refused("plate/", "'plate/': names no file");
    expect_refused("plate/.", "'plate/.': names no file");
    expect_refused("..", "'..': names no file");
}

static void expect_text(const char *pattern, const char *text,
                        const char *folder_want)
{
    struct dq_sequence seq = {0}, copy = {0};
    struct dq_err err = {0};
    char *got, *folder;

    assert_int_equal(dq_sequence_parse(pattern, "/jobs", &seq, &err), 0);
    dq_sequence_copy(&seq, &copy);
    dq_sequence_free(&seq);
    got = dq_sequence_text(&copy);
    folder = dq_sequence_folder(&copy);
    assert_string_equal(got, text);
    assert_string_equal(folder, folder_want);
    free(got);
    free(folder);
    dq_sequence_free(&copy);
    dq_sequence_free(NULL);
}

static void a_pattern_has_one_canonical_text(void **state)
{
    (void)state;
    expect_text("p/./a.%04d.exr", "/jobs/p/a.####.exr", "/jobs/p");
    expect_text("p//a.$F4.exr", "/jobs/p/a.####.exr", "/jobs/p");
    expect_text("/p/a.%d.exr", "/p/a.#.exr", "/p");
    expect_text("##########", "/jobs/##########", "/jobs");
    expect_text("still.exr", "/jobs/still.exr", "/jobs");
    expect_text("/#", "/#", "/");
}

static int scan(const char *pattern, struct dq_range *found, struct dq_err *err)
{
    struct dq_sequence seq = {0};
    int code;

    assert_int_equal(dq_sequence_parse(pattern, NULL, &seq, err), 0);
    code = dq_sequence_scan(&seq, found, err);
    dq_sequence_free(&seq);
    return code;
}

static void expect_scan(const char *pattern, const char *want)
{
    struct dq_range found = {0};
    struct dq_err err = {0};
    char *text;

    if (scan(pattern, &found, &err))
        fail_msg("%s", err.text);
    text = dq_range_text(&found);
    assert_string_equal(text, want);
    free(text);
    dq_range_free(&found);
}

static void expect_no_scan(const char *pattern, int code, const char *why)
{
    struct dq_range found = {0};
    struct dq_err err = {0};

    assert_int_equal(scan(pattern, &found, &err), code);
    assert_string_equal(err.text, why);
    assert_null(found.frames);
    assert_int_equal(found.count, 0);
}

static void put_all(const char *const *names)
{
    for (; *names; names++)
        put_file(*names, "");
}

static void frames_on_disk_are_found_in_order(void **state)
{
    static const char *const names[] = {
        "a.1003.exr",     "a.1001.exr",  "a.1002.exr", "a.10000.exr",
        "a.-0005.exr",    "a.0000.exr",  "b.1004.exr", "a.1005.dpx",
        "a.1006.exr.tmp", ".a.1007.exr", NULL};

    (void)state;
    put_all(names);
    expect_scan("a.####.exr", "-5,0,1001-1003,10000");
    expect_scan("./a.%04d.exr", "-5,0,1001-1003,10000");
}

/* a.7.exr and a.07.exr are not frame 7 of a.####.exr: its path is another. */
static void only_names_that_we_would_write_count(void **state)
{
    static const char *const names[] = {"a.0007.exr",
                                        "a.8.exr",
                                        "a.08.exr",
                                        "a.00009.exr",
                                        "a.-0000.exr",
                                        "a.+010.exr",
                                        "a. 011.exr",
                                        "a.0x12.exr",
                                        "a.001a.exr",
                                        "a.exr",
                                        "a..exr",
                                        "a.-.exr",
                                        "a.--13.exr",
                                        "a.9999999999.exr",
                                        "a.12345678901.exr",
                                        "a.99999999999999999999.exr",
                                        NULL};

    (void)state;
    put_all(names);
    expect_scan("a.####.exr", "7");
    expect_scan("a.#.exr", "8");
}

static void names_without_dots_have_frames_too(void **state)
{
    static const char *const names[] = {"sh1001", "sh1002", "0003.exr", NULL};

    (void)state;
    put_all(names);
    expect_scan("sh####", "1001-1002");
    expect_scan("####.exr", "3");
    expect_scan("sh100#", "1-2");
}

static void a_still_that_exists_is_frame_1(void **state)
{
    (void)state;
    put_file("still.exr", "");
    expect_scan("still.exr", "1");
    expect_no_scan("none.exr", DQ_MISSING,
                   "none.exr: No such file or directory");
}

static void nothing_to_find_is_told(void **state)
{
    (void)state;
    put_file("file", "");
    expect_no_scan("a.####.exr", DQ_MISSING,
                   "no frame on disk matches a.####.exr");
    expect_no_scan("none/a.####.exr", DQ_MISSING,
                   "none: No such file or directory");
    expect_no_scan("file/a.####.exr", DQ_MISSING, "file: Not a directory");
}

/* Half a list would leave frames undone without a word. */
static void a_folder_that_fails_midway_is_an_error(void **state)
{
    static const char *const names[] = {"a.1.exr", "a.2.exr", "a.3.exr", NULL};

    (void)state;
    put_all(names);
    fail_after = 4;
    expect_no_scan("a.#.exr", DQ_IO,
                   "a.#.exr: the folder cannot be read: Input/output error");
    fail_after = -1;
    expect_scan("a.#.exr", "1-3");
}

static void a_name_that_is_given_twice_is_one_frame(void **state)
{
    static const char *const names[] = {"a.1.exr", "a.2.exr", NULL};

    (void)state;
    put_all(names);
    twice = 1;
    expect_scan("a.#.exr", "1-2");
    twice = 0;
}

#define in_folder(test) \
    cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)

static void expect_frame(const char *pattern, const char *name, int32_t want)
{
    struct dq_sequence seq = {0};
    struct dq_err err = {0};
    int32_t frame = 0;

    assert_int_equal(dq_sequence_parse(pattern, NULL, &seq, &err), DQ_OK);
    assert_true(dq_sequence_frame(&seq, name, &frame));
    assert_int_equal(frame, want);
    dq_sequence_free(&seq);
}

static void expect_no_frame(const char *pattern, const char *name)
{
    struct dq_sequence seq = {0};
    struct dq_err err = {0};
    int32_t frame = 0;

    assert_int_equal(dq_sequence_parse(pattern, NULL, &seq, &err), DQ_OK);
    assert_false(dq_sequence_frame(&seq, name, &frame));
    dq_sequence_free(&seq);
}

static void a_name_tells_its_frame(void **state)
{
    (void)state;
    expect_frame("/x/a.####.exr", "a.0007.exr", 7);
    expect_frame("/x/a.####.exr", "a.-0007.exr", -7);
    expect_frame("/x/a.####.exr", "a.12345.exr", 12345);
    expect_frame("/x/still.exr", "still.exr", 1);
    expect_no_frame("/x/a.####.exr", "a.007.exr");
    expect_no_frame("/x/a.####.exr", "a.00007.exr");
    expect_no_frame("/x/a.####.exr", "b.0007.exr");
    expect_no_frame("/x/a.####.exr", "a.0007.exr.tmp");
    expect_no_frame("/x/still.exr", "still.0001.exr");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_spellings_mean_the_same),
        cmocka_unit_test(longer_numbers_take_the_room_they_need),
        cmocka_unit_test(a_sign_comes_before_the_zeros),
        cmocka_unit_test(a_still_is_one_file_for_every_frame),
        cmocka_unit_test(relative_patterns_are_taken_from_the_folder),
        cmocka_unit_test(a_name_may_begin_with_its_number),
        cmocka_unit_test(strange_patterns_are_refused_with_the_remedy),
        cmocka_unit_test(a_pattern_names_a_file),
        cmocka_unit_test(a_pattern_has_one_canonical_text),
        cmocka_unit_test(a_name_tells_its_frame),
        in_folder(frames_on_disk_are_found_in_order),
        in_folder(only_names_that_we_would_write_count),
        in_folder(names_without_dots_have_frames_too),
        in_folder(a_still_that_exists_is_frame_1),
        in_folder(nothing_to_find_is_told),
        in_folder(a_folder_that_fails_midway_is_an_error),
        in_folder(a_name_that_is_given_twice_is_one_frame),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
