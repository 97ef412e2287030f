/* What publishing asks of the system, call by call. This program's own
 * write, fsync, close and so on, which the linker prefers to the C library's,
 * note every call, and fail, stop short, lie or die where a test says. */
#include "base/testing.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>

#include "base/publish.h"

enum { DIES = -1, DOES_IT_ALL_THE_SAME = 1 << 16 };

/* What is to happen at the nth call of that name ("" counts them all). */
struct rule {
    const char *call;
    int nth;  /* 0: every one */
    int what; /* errno, or DIES; with DOES_IT_ALL_THE_SAME it is a lie */
};

static struct rule rules[4];
static int seen[4];
static int watching;
static size_t most_a_write; /* bytes that one write takes; 0: all */
static char trace[1000];

static int matches(const struct rule *rule, const char *call)
{
    return rule->call && (!*rule->call || strcmp(rule->call, call) == 0);
}

static int strike(const char *call)
{
    int what = 0;

    if (!watching)
        return 0;
    for (int i = 0; i < 4; i++)
        if (matches(&rules[i], call) &&
            (++seen[i] == rules[i].nth || rules[i].nth == 0))
            what = rules[i].what;
    if (what == DIES)
        raise(SIGKILL);
    snprintf(trace + strlen(trace), sizeof trace - strlen(trace), "%s%s%s",
             *trace ? " " : "", call, what ? "!" : "");
    return what;
}

/* The call itself, unless it is to fail without having been done. */
#define STRUCK(name, ...)                                    \
    do {                                                     \
        int what = strike(name);                             \
        long result = what && !(what & DOES_IT_ALL_THE_SAME) \
                          ? -1                               \
                          : syscall(__VA_ARGS__);            \
        if (what) {                                          \
            errno = what & ~DOES_IT_ALL_THE_SAME;            \
            return -1;                                       \
        }                                                    \
        return (int)result;                                  \
    } while (0)

ssize_t write(int fd, const void *bytes, size_t count)
{
    int what = fd > 2 ? strike("write") : 0;

    if (what) {
        errno = what;
        return -1;
    }
    if (watching && fd > 2 && most_a_write && count > most_a_write)
        count = most_a_write;
    return syscall(SYS_write, fd, bytes, count);
}

int fsync(int fd)
{
    struct stat st;

    STRUCK(fstat(fd, &st) == 0 && S_ISDIR(st.st_mode) ? "fsync-folder"
                                                      : "fsync",
           SYS_fsync, fd);
}

int close(int fd)
{
    struct stat st;

    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
        return (int)syscall(SYS_close, fd); /* tells nothing */
    STRUCK("close", SYS_close, fd);
}

int renameat(int from, const char *old, int to, const char *new)
{
    STRUCK("rename", SYS_renameat2, from, old, to, new, 0);
}

int renameat2(int from, const char *old, int to, const char *new,
              unsigned flags)
{
    STRUCK("rename-new", SYS_renameat2, from, old, to, new, flags);
}

int linkat(int from, const char *old, int to, const char *new, int flags)
{
    STRUCK("link", SYS_linkat, from, old, to, new, flags);
}

int unlinkat(int folder, const char *name, int flags)
{
    STRUCK("unlink", SYS_unlinkat, folder, name, flags);
}

static int begin(void **state)
{
    memset(rules, 0, sizeof rules);
    memset(seen, 0, sizeof seen);
    most_a_write = 0;
    return folder_setup(state);
}

static int publish(const char *path, const char *text,
                   enum dq_publish_mode mode, struct dq_err *err)
{
    int code;

    trace[0] = '\0';
    memset(seen, 0, sizeof seen);
    watching = 1;
    code = dq_publish(path, text, strlen(text), "t", mode, NULL, err);
    watching = 0;
    return code;
}

static void expect_published(const char *text, enum dq_publish_mode mode,
                             const char *calls)
{
    struct dq_err err = {0};

    if (publish("a", text, mode, &err))
        fail_msg("%s", err.text);
    expect_file("a", text);
    assert_string_equal(trace, calls);
    assert_int_equal(entries_in("."), 1);
}

/* A failed call leaves the previous file, and no temp. */
static void expect_failed(enum dq_publish_mode mode, int code, const char *why,
                          const char *calls)
{
    struct dq_err err = {0};

    assert_int_equal(publish("a", "new", mode, &err), code);
    assert_string_equal(err.text, why);
    assert_string_equal(trace, calls);
    if (mode == DQ_PUBLISH_REPLACE)
        expect_file("a", "previous");
    assert_int_equal(entries_in("."), mode == DQ_PUBLISH_REPLACE);
}

static void the_file_is_durable_before_its_name_and_the_name_last(void **state)
{
    (void)state;
    expect_published("x", DQ_PUBLISH_REPLACE,
                     "write fsync close rename fsync-folder");
    unlink("a");
    expect_published("x", DQ_PUBLISH_NEW,
                     "write fsync close rename-new fsync-folder");
}

static void short_and_interrupted_writes_go_on(void **state)
{
    (void)state;
    most_a_write = 4;
    expect_published("0123456789", DQ_PUBLISH_REPLACE,
                     "write write write fsync close rename fsync-folder");
    rules[0] = (struct rule){"write", 2, EINTR};
    expect_published("0123456789", DQ_PUBLISH_REPLACE,
                     "write write! write write fsync close rename "
                     "fsync-folder");
}

static void a_write_that_fails_is_not_tried_again(void **state)
{
    (void)state;
    put_file("a", "previous");
    most_a_write = 2;
    rules[0] = (struct rule){"write", 2, ENOSPC};
    expect_failed(DQ_PUBLISH_REPLACE, DQ_FULL,
                  "a: cannot be written: No space left on device",
                  "write write! close unlink");
    rules[0].what = EDQUOT;
    expect_failed(DQ_PUBLISH_REPLACE, DQ_FULL,
                  "a: cannot be written: Disk quota exceeded",
                  "write write! close unlink");
    rules[0].what = EIO;
    expect_failed(DQ_PUBLISH_REPLACE, DQ_IO,
                  "a: cannot be written: Input/output error",
                  "write write! close unlink");
}

/* A second fsync of the same file may say yes to pages that are lost. */
static void a_failed_fsync_is_never_asked_again_of_the_same_file(void **state)
{
    (void)state;
    rules[0] = (struct rule){"fsync", 1, EIO};
    expect_published("x", DQ_PUBLISH_REPLACE,
                     "write fsync! close unlink "
                     "write fsync close rename fsync-folder");
    put_file("a", "previous");
    rules[0].nth = 0;
    expect_failed(DQ_PUBLISH_REPLACE, DQ_IO,
                  "a: cannot be made durable: Input/output error",
                  "write fsync! close unlink write fsync! close unlink");
    rules[0].what = ENOSPC; /* NFS tells it so late */
    expect_failed(DQ_PUBLISH_REPLACE, DQ_FULL,
                  "a: cannot be made durable: No space left on device",
                  "write fsync! close unlink write fsync! close unlink");
}

static void a_failed_close_starts_anew_once(void **state)
{
    (void)state;
    rules[0] = (struct rule){"close", 1, EIO | DOES_IT_ALL_THE_SAME};
    expect_published("x", DQ_PUBLISH_REPLACE,
                     "write fsync close! unlink "
                     "write fsync close rename fsync-folder");
    put_file("a", "previous");
    rules[0].nth = 0;
    expect_failed(DQ_PUBLISH_REPLACE, DQ_IO,
                  "a: cannot be closed: Input/output error",
                  "write fsync close! unlink write fsync close! unlink");
}

static void a_failed_rename_leaves_the_previous_file(void **state)
{
    (void)state;
    put_file("a", "previous");
    rules[0] = (struct rule){"rename", 1, EIO};
    expect_failed(DQ_PUBLISH_REPLACE, DQ_IO,
                  "a: cannot be renamed into place: Input/output error",
                  "write fsync close rename! unlink");
    rules[0].what = ENOSPC;
    expect_failed(DQ_PUBLISH_REPLACE, DQ_FULL,
                  "a: cannot be renamed into place: No space left on device",
                  "write fsync close rename! unlink");
    unlink("a");
    rules[0] = (struct rule){"rename-new", 1, ESTALE};
    expect_failed(DQ_PUBLISH_NEW, DQ_IO,
                  "a: cannot be renamed into place: Stale file handle",
                  "write fsync close rename-new! unlink");
}

/* NFS: the server did it, but its answer was lost, or came twice. */
static void a_rename_that_was_done_after_all_is_a_success(void **state)
{
    (void)state;
    put_file("a", "previous");
    rules[0] = (struct rule){"rename", 1, EIO | DOES_IT_ALL_THE_SAME};
    expect_published("x", DQ_PUBLISH_REPLACE,
                     "write fsync close rename! unlink fsync-folder");
    unlink("a");
    rules[0] = (struct rule){"rename-new", 1, ENOENT | DOES_IT_ALL_THE_SAME};
    expect_published("x", DQ_PUBLISH_NEW,
                     "write fsync close rename-new! unlink fsync-folder");
    unlink("a");
    rules[0] = (struct rule){"rename-new", 1, EINVAL};
    rules[1] = (struct rule){"link", 1, EEXIST | DOES_IT_ALL_THE_SAME};
    expect_published("x", DQ_PUBLISH_NEW,
                     "write fsync close rename-new! link! unlink "
                     "fsync-folder");
}

static void a_link_stands_in_where_a_rename_cannot_refuse(void **state)
{
    struct dq_err err = {0};

    (void)state;
    rules[0] = (struct rule){"rename-new", 0, EINVAL};
    expect_published("x", DQ_PUBLISH_NEW,
                     "write fsync close rename-new! link unlink "
                     "fsync-folder");
    assert_int_equal(publish("a", "new", DQ_PUBLISH_NEW, &err), DQ_EXISTS);
    expect_file("a", "x");
    assert_int_equal(entries_in("."), 1);
}

static void a_look_stands_in_where_there_are_no_links(void **state)
{
    struct dq_err err = {0};

    (void)state;
    rules[0] = (struct rule){"rename-new", 0, EINVAL};
    rules[1] = (struct rule){"link", 0, EPERM};
    expect_published("x", DQ_PUBLISH_NEW,
                     "write fsync close rename-new! link! rename "
                     "fsync-folder");
    assert_int_equal(publish("a", "new", DQ_PUBLISH_NEW, &err), DQ_EXISTS);
    expect_file("a", "x");
    assert_int_equal(entries_in("."), 1);
}

/* The file is there and whole, but a power cut may take its name. */
static void a_name_that_may_not_last_is_an_error(void **state)
{
    struct dq_err err = {0};

    (void)state;
    put_file("a", "previous");
    rules[0] = (struct rule){"fsync-folder", 1, EIO};
    assert_int_equal(publish("a", "new", DQ_PUBLISH_REPLACE, &err), DQ_IO);
    assert_string_equal(err.text, "a: its folder cannot be made durable: "
                                  "Input/output error");
    expect_file("a", "new");
    assert_int_equal(entries_in("."), 1);
    rules[0].what = EINVAL; /* a file system that cannot, and need not */
    expect_published("x", DQ_PUBLISH_REPLACE,
                     "write fsync close rename fsync-folder!");
}

static void a_temp_that_cannot_be_removed_is_no_endless_loop(void **state)
{
    struct dq_err err = {0};

    (void)state;
    mkdir(".a.t.tmp", 0777);
    assert_int_equal(publish("a", "x", DQ_PUBLISH_NEW, &err), DQ_CREATE);
    assert_string_equal(trace, "unlink");
}

static int publish_and_die(void *nth)
{
    rules[0] = (struct rule){"", *(int *)nth, DIES};
    most_a_write = 5;
    return publish("a", "the new file", DQ_PUBLISH_REPLACE, NULL);
}

/* Killed before each call in turn: all of the one or all of the other; and
 * the next attempt cleans up behind the dead one. */
static void death_at_any_step_leaves_the_old_file_or_the_new(void **state)
{
    int nth, killed = 1, changed = 0;

    (void)state;
    for (nth = 1; killed; nth++) {
        char got[40] = "";
        FILE *file;
        int status;

        put_file("a", "previous");
        status = status_of_child(publish_and_die, &nth);
        killed = WIFSIGNALED(status);
        file = fopen("a", "r");
        assert_non_null(file);
        assert_true(fread(got, 1, sizeof got - 1, file) > 0);
        fclose(file);
        assert_true(!strcmp(got, "previous") || !strcmp(got, "the new file"));
        changed += killed && !strcmp(got, "the new file");
        rules[0] = (struct rule){0};
        assert_int_equal(publish("a", "next", DQ_PUBLISH_REPLACE, NULL), 0);
        assert_int_equal(entries_in("."), 1);
    }
    assert_int_equal(nth - 2, 7); /* 3 writes, fsync, close, rename, folder */
    assert_int_equal(changed, 1);
}

static void new_folders_are_made_durable_in_their_parents(void **state)
{
    struct dq_err err = {0};

    (void)state;
    trace[0] = '\0';
    watching = 1;
    assert_int_equal(dq_make_folders("x/y", &err), 0);
    watching = 0;
    assert_string_equal(trace, "fsync-folder fsync-folder");
    trace[0] = '\0';
    watching = 1;
    assert_int_equal(dq_make_folders("x/y", &err), 0);
    watching = 0;
    assert_string_equal(trace, "");
    rules[0] = (struct rule){"fsync-folder", 0, EIO};
    watching = 1;
    assert_int_equal(dq_make_folders("x/z", &err), DQ_IO);
    watching = 0;
}

#define in_folder(test) \
    cmocka_unit_test_setup_teardown(test, begin, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_folder(the_file_is_durable_before_its_name_and_the_name_last),
        in_folder(short_and_interrupted_writes_go_on),
        in_folder(a_write_that_fails_is_not_tried_again),
        in_folder(a_failed_fsync_is_never_asked_again_of_the_same_file),
        in_folder(a_failed_close_starts_anew_once),
        in_folder(a_failed_rename_leaves_the_previous_file),
        in_folder(a_rename_that_was_done_after_all_is_a_success),
        in_folder(a_link_stands_in_where_a_rename_cannot_refuse),
        in_folder(a_look_stands_in_where_there_are_no_links),
        in_folder(a_name_that_may_not_last_is_an_error),
        in_folder(a_temp_that_cannot_be_removed_is_no_endless_loop),
        in_folder(death_at_any_step_leaves_the_old_file_or_the_new),
        in_folder(new_folders_are_made_durable_in_their_parents),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
