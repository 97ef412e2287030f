#include "base/plugin.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* A copy of this program runs in a folder where plugins may lie; what it says
 * of `file` and `table` is one line. */
static void expect(const char *file, const char *table, const char *want)
{
    char command[200], got[8192] = "";
    FILE *out;

    snprintf(command, sizeof command, "bin/prog --load %s %s", file, table);
    out = popen(command, "r");
    assert_non_null(out);
    got[fread(got, 1, sizeof got - 1, out)] = '\0';
    pclose(out);
    if (!strstr(got, want))
        fail_msg("'%s' says nothing of '%s'", got, want);
}

static int folder_setup(void **state)
{
    static char folder[] = "/tmp/dq_plugin_XXXXXX";

    *state = mkdtemp(folder);
    return !*state || chdir(folder) || mkdir("bin", 0777) ||
           system("cp /proc/$PPID/exe bin/prog");
}

static int folder_teardown(void **state)
{
    char command[100];

    snprintf(command, sizeof command, "rm -rf %s", (char *)*state);
    return chdir("/") || system(command);
}

/* The C library's own file is a shared object that is there for certain. */
static void a_plugin_is_found_beside_the_program(void **state)
{
    (void)state;
    assert_int_equal(system("cp \"$(ldd bin/prog | awk '/libcmocka/ "
                            "{print $3}')\" bin/libdq_some.so &&"
                            "chmod 755 bin/libdq_some.so"),
                     0);
    expect("libdq_some.so", "no_such_table", "CONFIG: cannot load");
    expect("libdq_some.so", "_cmocka_run_group_tests", "loaded");
}

static void a_plugin_that_is_not_installed_is_named(void **state)
{
    (void)state;
    expect("libdq_none.so", "table", "CONFIG: libdq_none.so is not installed");
}

static void a_plugin_that_cannot_be_loaded_says_why(void **state)
{
    (void)state;
    assert_int_equal(
        system("echo none >bin/libdq_bad.so; chmod 755 bin/libdq_bad.so"), 0);
    expect("libdq_bad.so", "table", "CONFIG: cannot load");
    expect("libdq_bad.so", "table", "libdq_bad.so");
}

static int tell_load(const char *file, const char *table)
{
    struct dq_err err = {0};

    if (dq_plugin_load(file, table, &err))
        puts("loaded");
    else
        printf("%s: %s\n", dq_code_name(err.code), err.text);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plugin_is_found_beside_the_program),
        cmocka_unit_test(a_plugin_that_is_not_installed_is_named),
        cmocka_unit_test(a_plugin_that_cannot_be_loaded_says_why),
    };

    if (argc == 4 && strcmp(argv[1], "--load") == 0)
        return tell_load(argv[2], argv[3]);
    return cmocka_run_group_tests(tests, folder_setup, folder_teardown);
}
