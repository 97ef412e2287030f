#include "base/testing.h"

#include <time.h>

#include "base/mem.h"
#include "cli/pull_file.h"

/* What a delivered file is, as its record would have it. */
static struct dq_done delivered(const char *text)
{
    struct dq_done done = {.frame = 7};

    done.output.bytes = (int64_t)strlen(text);
    dq_sha256(text, strlen(text), done.output.sha256);
    return done;
}

static const struct dq_pull_rule usual = {.tag = "pull-1"};
static const struct dq_pull_rule copies = {.copy = 1, .tag = "pull-1"};

static int pull(const struct dq_done *versions, size_t count,
                const struct dq_pull_rule *rule, enum dq_pull_way *way,
                struct dq_err *err)
{
    return dq_pull_file("farm/d.exr", "mine/d.exr", versions, count, rule, way,
                        err);
}

static struct stat look(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return st;
}

static int pull_setup(void **state)
{
    folder_setup(state);
    assert_int_equal(mkdir("farm", 0777), 0);
    assert_int_equal(mkdir("mine", 0777), 0);
    put_file("farm/d.exr", "new");
    return 0;
}

/* Which of the two depends on the file system under the tests. */
static void a_file_comes_as_a_link_of_some_kind(void **state)
{
    struct dq_done done = delivered("new");
    struct dq_err err = {0};
    enum dq_pull_way way;

    (void)state;
    assert_int_equal(pull(&done, 1, &usual, &way, &err), DQ_OK);
    assert_true(way == DQ_PULL_REFLINK || way == DQ_PULL_LINK);
    expect_file("mine/d.exr", "new");
    assert_int_equal(look("mine/d.exr").st_ino == look("farm/d.exr").st_ino,
                     way == DQ_PULL_LINK);
    assert_int_equal(entries_in("mine"), 1);
}

static void a_copy_is_a_file_of_its_own_with_the_same_time(void **state)
{
    const struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    struct dq_done done = delivered("new");
    struct dq_err err = {0};
    enum dq_pull_way way;

    (void)state;
    assert_int_equal(utimensat(AT_FDCWD, "farm/d.exr", old, 0), 0);
    assert_int_equal(pull(&done, 1, &copies, &way, &err), DQ_OK);
    assert_int_equal(way, DQ_PULL_COPY);
    expect_file("mine/d.exr", "new");
    assert_true(look("mine/d.exr").st_ino != look("farm/d.exr").st_ino);
    assert_int_equal(look("mine/d.exr").st_mtime, 1000);
    assert_int_equal(entries_in("mine"), 1);
}

static void what_is_there_and_right_is_left_alone(void **state)
{
    struct dq_done done = delivered("new");
    struct dq_err err = {0};
    enum dq_pull_way way;
    ino_t before;

    (void)state;
    put_file("mine/d.exr", "new");
    before = look("mine/d.exr").st_ino;
    assert_int_equal(pull(&done, 1, &usual, &way, &err), DQ_OK);
    assert_int_equal(way, DQ_PULL_THERE);
    assert_int_equal(look("mine/d.exr").st_ino, before);
}

static void a_link_becomes_a_copy_when_a_copy_is_wanted(void **state)
{
    struct dq_done done = delivered("new");
    struct dq_err err = {0};
    enum dq_pull_way way;

    (void)state;
    assert_int_equal(link("farm/d.exr", "mine/d.exr"), 0);
    assert_int_equal(pull(&done, 1, &usual, &way, &err), DQ_OK);
    assert_int_equal(way, DQ_PULL_THERE);
    assert_int_equal(pull(&done, 1, &copies, &way, &err), DQ_OK);
    assert_int_equal(way, DQ_PULL_COPY);
    assert_int_equal(look("farm/d.exr").st_nlink, 1);
}

static void an_altered_file_is_refused_and_leaves_nothing(void **state)
{
    struct dq_done done = delivered("old");
    struct dq_err err = {0};
    enum dq_pull_way way;
    const struct dq_pull_rule *rules[] = {&usual, &copies};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(pull(&done, 1, rules[i], &way, &err), DQ_ALTERED);
        assert_non_null(strstr(err.text, "farm/d.exr: was altered"));
        assert_int_equal(entries_in("mine"), 0);
        dq_err_clear(&err);
    }
}

/* A hard link is the farm's file: written into, both are altered. */
static void an_altered_link_is_told_as_altered(void **state)
{
    struct dq_done done = delivered("new");
    struct dq_err err = {0};
    enum dq_pull_way way;

    (void)state;
    assert_int_equal(link("farm/d.exr", "mine/d.exr"), 0);
    put_file("mine/d.exr", "scribble");
    assert_int_equal(pull(&done, 1, &usual, &way, &err), DQ_ALTERED);
    assert_int_equal(entries_in("mine"), 1);
}

static void an_earlier_version_makes_room(void **state)
{
    struct dq_done versions[2] = {delivered("new"), delivered("old")};
    struct dq_err err = {0};
    enum dq_pull_way way;

    (void)state;
    put_file("mine/d.exr", "old");
    assert_int_equal(pull(versions, 2, &usual, &way, &err), DQ_OK);
    expect_file("mine/d.exr", "new");
}

static void a_file_of_somebodys_own_is_left_alone(void **state)
{
    struct dq_done versions[2] = {delivered("new"), delivered("old")};
    struct dq_pull_rule replace = {.replace = 1, .tag = "pull-1"};
    struct dq_err err = {0};
    enum dq_pull_way way;

    (void)state;
    put_file("mine/d.exr", "a painting");
    assert_int_equal(pull(versions, 2, &usual, &way, &err), DQ_EXISTS);
    assert_non_null(strstr(err.text, "--replace"));
    expect_file("mine/d.exr", "a painting");
    dq_err_clear(&err);
    assert_int_equal(pull(versions, 2, &replace, &way, &err), DQ_OK);
    expect_file("mine/d.exr", "new");
}

static void a_folder_in_the_way_is_an_error(void **state)
{
    struct dq_done done = delivered("new");
    struct dq_pull_rule replace = {.replace = 1, .tag = "pull-1"};
    struct dq_err err = {0};
    enum dq_pull_way way;

    (void)state;
    assert_int_equal(mkdir("mine/d.exr", 0777), 0);
    assert_int_equal(pull(&done, 1, &replace, &way, &err), DQ_EXISTS);
}

static void a_file_that_is_gone_is_missing(void **state)
{
    struct dq_done done = delivered("new");
    struct dq_err err = {0};
    enum dq_pull_way way;

    (void)state;
    assert_int_equal(unlink("farm/d.exr"), 0);
    assert_int_equal(pull(&done, 1, &usual, &way, &err), DQ_MISSING);
    assert_int_equal(entries_in("mine"), 0);
}

/* A FIFO in a file's place would be waited on for ever. */
static void a_pipe_is_no_file(void **state)
{
    struct dq_done done = delivered("new");
    struct dq_err err = {0};
    enum dq_pull_way way;

    (void)state;
    assert_int_equal(unlink("farm/d.exr"), 0);
    assert_int_equal(mkfifo("farm/d.exr", 0666), 0);
    assert_true(pull(&done, 1, &copies, &way, &err) != DQ_OK);
    dq_err_clear(&err);
    assert_true(pull(&done, 1, &usual, &way, &err) != DQ_OK);
    assert_int_equal(entries_in("mine"), 0);
}

static void a_file_of_many_pieces_comes_whole(void **state)
{
    enum { SIZE = 5 * 1024 * 1024 / 2 };
    char *text = dq_new(SIZE + 1);
    struct dq_done done;
    struct dq_err err = {0};
    char hex[DQ_SHA256_HEX];
    enum dq_pull_way way;

    (void)state;
    for (int i = 0; i < SIZE; i++)
        text[i] = (char)('a' + i % 23);
    put_file("farm/d.exr", text);
    done = delivered(text);
    assert_int_equal(pull(&done, 1, &copies, &way, &err), DQ_OK);
    assert_int_equal(dq_sha256_file("mine/d.exr", hex, &err), DQ_OK);
    assert_string_equal(hex, done.output.sha256);
    free(text);
}

int main(void)
{
#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, pull_setup, folder_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_file_comes_as_a_link_of_some_kind),
        TEST(a_copy_is_a_file_of_its_own_with_the_same_time),
        TEST(what_is_there_and_right_is_left_alone),
        TEST(a_link_becomes_a_copy_when_a_copy_is_wanted),
        TEST(an_altered_file_is_refused_and_leaves_nothing),
        TEST(an_altered_link_is_told_as_altered),
        TEST(an_earlier_version_makes_room),
        TEST(a_file_of_somebodys_own_is_left_alone),
        TEST(a_folder_in_the_way_is_an_error),
        TEST(a_file_that_is_gone_is_missing),
        TEST(a_pipe_is_no_file),
        TEST(a_file_of_many_pieces_comes_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
