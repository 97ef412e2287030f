#include "base/testing.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <utime.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/publish.h"

static int publish(const char *path, const char *text,
                   enum dq_publish_mode mode, struct dq_err *err)
{
    return dq_publish(path, text, strlen(text), "job-1", mode, NULL, err);
}

static void expect_published(const char *path, const char *text,
                             enum dq_publish_mode mode)
{
    struct dq_err err = {0};

    if (publish(path, text, mode, &err))
        fail_msg("%s", err.text);
    expect_file(path, text);
}

static void expect_refused(const char *path, enum dq_publish_mode mode,
                           int code, const char *why)
{
    struct dq_err err = {0};

    assert_int_equal(publish(path, "new", mode, &err), code);
    assert_int_equal(err.code, code);
    assert_string_equal(err.text, why);
    assert_int_equal(publish(path, "new", mode, NULL), code);
}

static void a_file_is_there_whole_and_alone(void **state)
{
    (void)state;
    expect_published("a.exr", "pixels", DQ_PUBLISH_REPLACE);
    expect_published("b.exr", "pixels", DQ_PUBLISH_NEW);
    expect_published("c.exr", "", DQ_PUBLISH_NEW);
    assert_int_equal(entries_in("."), 3);
}

static void a_file_may_be_large_and_hold_any_byte(void **state)
{
    enum { BYTES = 3000001 };
    unsigned char *bytes = dq_new(BYTES), *got = dq_new(BYTES + 1);
    struct dq_err err = {0};
    struct stat done, st;
    FILE *file;

    (void)state;
    for (int i = 0; i < BYTES; i++)
        bytes[i] = (unsigned char)(i * 31 + i / 997);
    assert_int_equal(
        dq_publish("a", bytes, BYTES, "t", DQ_PUBLISH_NEW, &done, &err), 0);
    file = fopen("a", "r");
    assert_int_equal(fread(got, 1, BYTES + 1, file), BYTES);
    fclose(file);
    assert_memory_equal(got, bytes, BYTES);
    assert_int_equal(stat("a", &st), 0);
    assert_true(done.st_ino == st.st_ino && done.st_size == st.st_size);
    assert_true(done.st_mtim.tv_sec == st.st_mtim.tv_sec &&
                done.st_mtim.tv_nsec == st.st_mtim.tv_nsec);
    free(bytes);
    free(got);
}

static void rights_come_from_the_umask(void **state)
{
    mode_t before = umask(027);
    struct stat st;

    (void)state;
    expect_published("a", "x", DQ_PUBLISH_NEW);
    assert_int_equal(stat("a", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    umask(0);
    expect_published("a", "x", DQ_PUBLISH_REPLACE);
    assert_int_equal(stat("a", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0666);
    umask(before);
}

static void an_open_reader_keeps_the_previous_file(void **state)
{
    char got[10] = "";
    int fd;

    (void)state;
    put_file("a", "previous");
    fd = open("a", O_RDONLY);
    expect_published("a", "new", DQ_PUBLISH_REPLACE);
    assert_int_equal(read(fd, got, sizeof got), 8);
    assert_string_equal(got, "previous");
    close(fd);
}

static void a_new_file_never_takes_a_place_that_is_taken(void **state)
{
    (void)state;
    put_file("a", "previous");
    expect_refused("a", DQ_PUBLISH_NEW, DQ_EXISTS, "a: exists already");
    expect_file("a", "previous");
    assert_int_equal(symlink("nowhere", "link"), 0);
    expect_refused("link", DQ_PUBLISH_NEW, DQ_EXISTS, "link: exists already");
    assert_int_equal(entries_in("."), 2);
}

static void a_link_is_replaced_and_not_followed(void **state)
{
    struct stat st;

    (void)state;
    put_file("target", "kept");
    assert_int_equal(symlink("target", "link"), 0);
    expect_published("link", "new", DQ_PUBLISH_REPLACE);
    expect_file("target", "kept");
    assert_int_equal(lstat("link", &st), 0);
    assert_true(S_ISREG(st.st_mode));
}

static void places_that_cannot_be_are_named(void **state)
{
    (void)state;
    mkdir("folder", 0777);
    put_file("file", "kept");
    expect_refused("none/a", DQ_PUBLISH_REPLACE, DQ_CREATE,
                   "none/a: its folder cannot be opened: No such file or "
                   "directory");
    expect_refused("file/a", DQ_PUBLISH_REPLACE, DQ_CREATE,
                   "file/a: its folder cannot be opened: Not a directory");
    expect_refused("folder", DQ_PUBLISH_REPLACE, DQ_CREATE,
                   "folder: cannot be renamed into place: Is a directory");
    expect_refused("folder", DQ_PUBLISH_NEW, DQ_EXISTS,
                   "folder: exists already");
    assert_int_equal(entries_in("."), 2);
}

static int publish_as_nobody(void *context)
{
    if (geteuid() == 0 && setuid(65534) != 0)
        return 100;
    return publish(context, "new", DQ_PUBLISH_REPLACE, NULL);
}

static void a_folder_without_rights_is_denied(void **state)
{
    (void)state;
    assert_int_equal(chmod(*state, 0755), 0);
    mkdir("locked", 0755);
    put_file("locked/a", "previous");
    assert_int_equal(chmod("locked", 0555), 0);
    assert_int_equal(
        WEXITSTATUS(status_of_child(publish_as_nobody, (void *)"locked/a")),
        DQ_DENIED);
    assert_int_equal(chmod("locked", 0333), 0); /* enters, but not opened */
    assert_int_equal(
        WEXITSTATUS(status_of_child(publish_as_nobody, (void *)"locked/a")),
        DQ_DENIED);
    assert_int_equal(chmod("locked", 0755), 0);
    expect_file("locked/a", "previous");
    assert_int_equal(entries_in("locked"), 1);
}

static void the_temp_of_a_dead_attempt_gives_way(void **state)
{
    (void)state;
    put_file(".a.job-1.tmp", "half");
    expect_published("a", "whole", DQ_PUBLISH_NEW);
    put_file("target", "kept");
    assert_int_equal(symlink("target", ".a.job-1.tmp"), 0);
    expect_published("a", "again", DQ_PUBLISH_REPLACE);
    expect_file("target", "kept");
    assert_int_equal(entries_in("."), 2);
}

static void the_temp_of_another_writer_stays(void **state)
{
    (void)state;
    put_file(".a.job-2.tmp", "his");
    expect_published("a", "whole", DQ_PUBLISH_NEW);
    expect_file(".a.job-2.tmp", "his");
}

/* A temp of somebody else's making: what it holds is the context's text, or it
 * is another name of `source`. */
static int make_text(void *context, int folder, const char *temp,
                     struct dq_err *err)
{
    int fd = openat(folder, temp, O_WRONLY | O_CREAT | O_EXCL, 0666);
    const char *text = context;

    (void)err;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(close(fd), 0);
    return DQ_OK;
}

static int make_half(void *context, int folder, const char *temp,
                     struct dq_err *err)
{
    make_text(context, folder, temp, err);
    return dq_fail(err, DQ_MODEL, "no more");
}

static int make_link(void *context, int folder, const char *temp,
                     struct dq_err *err)
{
    (void)err;
    assert_int_equal(linkat(AT_FDCWD, context, folder, temp, 0), 0);
    return DQ_OK;
}

static void a_file_that_somebody_makes_comes_whole_or_not(void **state)
{
    struct dq_err err = {0};

    (void)state;
    put_file(".a.t.tmp", "of a dead attempt");
    assert_int_equal(dq_publish_made("a", make_text, (void *)"first", "t",
                                     DQ_PUBLISH_NEW, &err),
                     DQ_OK);
    expect_file("a", "first");
    assert_int_equal(dq_publish_made("a", make_half, (void *)"half", "t",
                                     DQ_PUBLISH_REPLACE, &err),
                     DQ_MODEL);
    assert_string_equal(err.text, "no more");
    expect_file("a", "first");
    assert_int_equal(entries_in("."), 1);
}

/* rename(2) between two names of one file does nothing, and says it did. */
static void another_name_of_a_file_leaves_no_temp(void **state)
{
    struct dq_err err = {0};

    (void)state;
    put_file("source", "text");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(dq_publish_made("a", make_link, (void *)"source", "t",
                                         DQ_PUBLISH_REPLACE, &err),
                         DQ_OK);
        expect_file("a", "text");
        assert_int_equal(entries_in("."), 2);
    }
}

static int publish_beyond_the_file_limit(void *context)
{
    const struct rlimit limit = {1000, 1000};
    char *bytes = dq_new(5000);
    struct dq_err err = {0};

    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    dq_publish(context, bytes, 5000, "t", DQ_PUBLISH_REPLACE, NULL, &err);
    return err.code == DQ_FULL && strstr(err.text, "a: cannot be written: ")
               ? 7
               : 1;
}

/* The kernel writes the first 1,000 bytes, then nothing: as a full disk. */
static void a_file_that_does_not_fit_leaves_the_previous_one(void **state)
{
    (void)state;
    put_file("a", "previous");
    assert_int_equal(WEXITSTATUS(status_of_child(publish_beyond_the_file_limit,
                                                 (void *)"a")),
                     7);
    expect_file("a", "previous");
    assert_int_equal(entries_in("."), 1);
}

static void set_faults(const char *rules)
{
    setenv("DQ_FAULT", rules, 1);
    dq_fault_setup();
    unsetenv("DQ_FAULT");
}

static void every_fault_leaves_the_previous_file(void **state)
{
    static const struct {
        const char *rule;
        int code;
    } cases[] = {{"publish.create", DQ_DENIED},
                 {"publish.write", DQ_FULL},
                 {"publish.fsync", DQ_IO},
                 {"publish.close", DQ_IO},
                 {"publish.rename", DQ_IO}};

    (void)state;
    put_file("a", "previous");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dq_err err = {0};

        set_faults(cases[i].rule);
        assert_int_equal(publish("a", "new", DQ_PUBLISH_REPLACE, &err),
                         cases[i].code);
        assert_int_equal(strncmp(err.text, "a: ", 3), 0);
        assert_int_equal(publish("b", "new", DQ_PUBLISH_NEW, &err),
                         cases[i].code);
        set_faults("");
        expect_file("a", "previous");
        assert_int_equal(entries_in("."), 1);
    }
}

static void a_flush_that_fails_once_is_made_good_from_memory(void **state)
{
    (void)state;
    set_faults("publish.fsync:1,publish.close:3");
    expect_published("a", "whole", DQ_PUBLISH_NEW);
    expect_published("a", "again", DQ_PUBLISH_REPLACE);
    set_faults("");
    assert_int_equal(entries_in("."), 1);
}

/* ---- several writers ----------------------------------------------------- */

enum { WRITERS = 4, TURNS = 25, BYTES = 50000 };

static void *write_again_and_again(void *context)
{
    char tag[] = {'w', *(char *)context, 0}, *bytes = dq_new(BYTES);
    struct dq_err err = {0};

    memset(bytes, *(char *)context, BYTES);
    for (int i = 0; i < TURNS; i++)
        dq_publish("a", bytes, BYTES, tag, DQ_PUBLISH_REPLACE, NULL, &err);
    free(bytes);
    return err.code ? dq_strdup(err.text) : NULL;
}

static void expect_whole(void)
{
    char *got = dq_new(BYTES + 1);
    FILE *file = fopen("a", "r");

    assert_int_equal(fread(got, 1, BYTES + 1, file), BYTES);
    assert_memory_equal(got, got + 1, BYTES - 1);
    fclose(file);
    free(got);
}

static void readers_see_whole_files_while_many_write(void **state)
{
    static char names[WRITERS] = {'a', 'b', 'c', 'd'};
    pthread_t threads[WRITERS];
    char *first = dq_new(BYTES + 1);
    void *failure;

    (void)state;
    memset(first, 'x', BYTES);
    put_file("a", first);
    free(first);
    for (int i = 0; i < WRITERS; i++)
        pthread_create(&threads[i], NULL, write_again_and_again, &names[i]);
    for (int i = 0; i < 300; i++)
        expect_whole();
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(threads[i], &failure);
        assert_null(failure);
    }
    expect_whole();
    assert_int_equal(entries_in("."), 1);
}

static void *write_once(void *context)
{
    char tag[16];

    snprintf(tag, sizeof tag, "w%d", *(int *)context);
    *(int *)context =
        dq_publish("a", tag, strlen(tag), tag, DQ_PUBLISH_NEW, NULL, NULL);
    return NULL;
}

static void of_many_new_files_one_wins(void **state)
{
    enum { MANY = 8 };
    pthread_t threads[MANY];
    int codes[MANY], winners = 0;

    (void)state;
    for (int i = 0; i < MANY; i++) {
        codes[i] = i;
        pthread_create(&threads[i], NULL, write_once, &codes[i]);
    }
    for (int i = 0; i < MANY; i++) {
        char tag[16];

        pthread_join(threads[i], NULL);
        snprintf(tag, sizeof tag, "w%d", i);
        if (codes[i] == DQ_OK) {
            winners++;
            expect_file("a", tag);
        } else {
            assert_int_equal(codes[i], DQ_EXISTS);
        }
    }
    assert_int_equal(winners, 1);
    assert_int_equal(entries_in("."), 1);
}

/* ---- folders and sweeping ------------------------------------------------ */

static void folders_are_made_with_their_parents(void **state)
{
    mode_t before = umask(022);
    struct dq_err err = {0};
    struct stat st;

    (void)state;
    assert_int_equal(dq_make_folders("a/b//c/", &err), 0);
    assert_int_equal(stat("a/b/c", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0755);
    assert_int_equal(dq_make_folders("a/b/c", &err), 0);
    assert_int_equal(dq_make_folders("a/b/d/e", &err), 0);
    assert_int_equal(dq_make_folders("/", &err), 0);
    assert_int_equal(dq_make_folders(".", &err), 0);
    assert_int_equal(symlink("a", "link"), 0);
    assert_int_equal(dq_make_folders("link/x", &err), 0);
    assert_int_equal(entries_in("a"), 2);
    umask(before);
}

static void expect_no_folder(const char *path, int code, const char *why)
{
    struct dq_err err = {0};

    assert_int_equal(dq_make_folders(path, &err), code);
    assert_string_equal(err.text, why);
}

static void folders_that_cannot_be_are_named(void **state)
{
    (void)state;
    put_file("file", "x");
    assert_int_equal(symlink("nowhere", "link"), 0);
    expect_no_folder("file", DQ_CREATE,
                     "file: the folder cannot be made: Not a directory");
    expect_no_folder("file/a/b", DQ_CREATE,
                     "file/a: the folder cannot be made: Not a directory");
    expect_no_folder("", DQ_CREATE,
                     ": the folder cannot be made: No such file or directory");
    expect_no_folder("link", DQ_CREATE,
                     "link: the folder cannot be made: No such file or "
                     "directory");
    expect_file("file", "x");
}

static void put_old(const char *path)
{
    const struct utimbuf long_ago = {1000, 1000};

    put_file(path, "half");
    assert_int_equal(utime(path, &long_ago), 0);
}

static void sweeping_takes_old_temps_of_our_own_only(void **state)
{
    (void)state;
    mkdir("out", 0777);
    put_old("out/.a.exr.job-1-7.tmp");
    put_old("out/.a.exr.job-2.tmp");
    put_old("out/.a.exr.other.tmp");      /* another's */
    put_file("out/.a.exr.job-3.tmp", ""); /* young */
    put_old("out/.b.exr.job-1.tmp");      /* of another file */
    put_old("out/.a.exr.job-1");          /* no temp */
    put_old("out/.job-1.tmp");            /* a tag, and no name */
    put_old("out/a.exr.job-1.tmp");       /* a user's file */
    put_old("out/a.exr");
    assert_int_equal(dq_publish_sweep("out", "job-", 3600), 3);
    assert_int_equal(entries_in("out"), 6);
    assert_int_equal(access("out/.a.exr.job-1-7.tmp", F_OK), -1);
    assert_int_equal(access("out/.a.exr.job-2.tmp", F_OK), -1);
    assert_int_equal(access("out/.b.exr.job-1.tmp", F_OK), -1);
    assert_int_equal(dq_publish_sweep("none", "", 0), 0);
    assert_int_equal(dq_publish_sweep("out", "job-", 0), 1);
    assert_int_equal(dq_publish_sweep("out", "", 0), 1); /* the other's */
}

/* The file system's clock may be ahead of ours: a server's, or a kernel's that
 * stamps files more finely than time() tells. */
static void sweeping_at_any_age_takes_temps_of_the_future(void **state)
{
    const struct utimbuf ahead = {time(NULL) + 100, time(NULL) + 100};

    (void)state;
    mkdir("out", 0777);
    put_file("out/.a.exr.job-1.tmp", "half");
    assert_int_equal(utime("out/.a.exr.job-1.tmp", &ahead), 0);
    assert_int_equal(dq_publish_sweep("out", "job-", 1), 0);
    assert_int_equal(dq_publish_sweep("out", "job-", 0), 1);
}

static int is_of_b(void *context, const char *file, const char *tag)
{
    (void)context;
    return strcmp(file, "b.1.exr") == 0 && strcmp(tag, "job-1") == 0;
}

static void sweeping_asks_for_file_and_tag_of_temps_alone(void **state)
{
    (void)state;
    mkdir("out", 0777);
    put_file("out/.a.exr.job-1.tmp", "");
    put_file("out/.b.1.exr.job-1.tmp", "");
    put_file("out/.b.1.exr.job-2.tmp", "");
    put_file("out/b.1.exr.job-1.tmp", "");
    put_file("out/.b.1.exr.job-1", "");
    assert_int_equal(dq_publish_sweep_if("out", is_of_b, NULL), 1);
    assert_int_equal(access("out/.b.1.exr.job-1.tmp", F_OK), -1);
    assert_int_equal(entries_in("out"), 4);
    assert_int_equal(dq_publish_sweep_if("none", is_of_b, NULL), 0);
}

#define in_folder(test) \
    cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_folder(a_file_is_there_whole_and_alone),
        in_folder(a_file_may_be_large_and_hold_any_byte),
        in_folder(rights_come_from_the_umask),
        in_folder(an_open_reader_keeps_the_previous_file),
        in_folder(a_new_file_never_takes_a_place_that_is_taken),
        in_folder(a_link_is_replaced_and_not_followed),
        in_folder(places_that_cannot_be_are_named),
        in_folder(a_folder_without_rights_is_denied),
        in_folder(the_temp_of_a_dead_attempt_gives_way),
        in_folder(the_temp_of_another_writer_stays),
        in_folder(a_file_that_somebody_makes_comes_whole_or_not),
        in_folder(another_name_of_a_file_leaves_no_temp),
        in_folder(a_file_that_does_not_fit_leaves_the_previous_one),
        in_folder(every_fault_leaves_the_previous_file),
        in_folder(a_flush_that_fails_once_is_made_good_from_memory),
        in_folder(readers_see_whole_files_while_many_write),
        in_folder(of_many_new_files_one_wins),
        in_folder(folders_are_made_with_their_parents),
        in_folder(folders_that_cannot_be_are_named),
        in_folder(sweeping_takes_old_temps_of_our_own_only),
        in_folder(sweeping_asks_for_file_and_tag_of_temps_alone),
        in_folder(sweeping_at_any_age_takes_temps_of_the_future),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
