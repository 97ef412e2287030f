/* testing: what the tests of several folders need. Included by *_test.c
 * only, after nothing else; it brings cmocka. */
#ifndef DQ_BASE_TESTING_H
#define DQ_BASE_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
#include <cmocka.h>
#ifdef __cplusplus
}
#endif

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"

/* A new folder for one test, into which the process goes. Caller frees. */
static inline char *enter_folder(void)
{
    const char *tmp = getenv("TMPDIR");
    char *folder = NULL;

    assert_true(asprintf(&folder, "%s/dq-test-XXXXXX", tmp ? tmp : "/tmp") > 0);
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    return folder;
}

static inline int remove_one(const char *path, const struct stat *st, int kind,
                             struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return remove(path);
}

/* Remove the folder with all in it, and free its name. */
static inline void leave_folder(char *folder)
{
    assert_int_equal(chdir("/"), 0);
    nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(folder);
}

static inline int folder_setup(void **state)
{
    *state = enter_folder();
    return 0;
}

static inline int folder_teardown(void **state)
{
    leave_folder((char *)*state);
    return 0;
}

static inline void put_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static inline void expect_file(const char *path, const char *text)
{
    char got[4096] = "";
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    got[fread(got, 1, sizeof got - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(got, text);
}

/* Entries of a folder, without "." and "..". */
static inline int entries_in(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    int count = -2;

    assert_non_null(dir);
    while ((entry = readdir(dir)))
        count++;
    closedir(dir);
    return count;
}

/* The wait status of a child that runs work(context) and exits with what it
 * returns; its stderr goes nowhere. */
static inline int status_of_child(int (*work)(void *), void *context)
{
    int status = 0;
    pid_t child;

    fflush(NULL);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int nowhere = open("/dev/null", O_WRONLY);

        dup2(nowhere, STDERR_FILENO);
        _exit(work(context));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

#endif
