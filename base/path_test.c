#include "base/testing.h"

#include "base/path.h"

static void expect_join(const char *folder, const char *path, const char *want)
{
    char *got = dq_path_join(folder, path);

    assert_string_equal(got, want);
    free(got);
}

static void relative_paths_are_taken_from_the_folder(void **state)
{
    (void)state;
    expect_join("/jobs", "a.exr", "/jobs/a.exr");
    expect_join("/jobs/", "plate/a.exr", "/jobs/plate/a.exr");
    expect_join("jobs", "a.exr", "jobs/a.exr");
    expect_join("/", "a.exr", "/a.exr");
    expect_join("/jobs", "", "/jobs");
    expect_join(NULL, "a.exr", "a.exr");
}

static void absolute_paths_stay(void **state)
{
    (void)state;
    expect_join("/jobs", "/plates/a.exr", "/plates/a.exr");
    expect_join(NULL, "/plates/a.exr", "/plates/a.exr");
}

static void what_means_nothing_goes(void **state)
{
    (void)state;
    expect_join("/jobs", "./a//b/./c.exr", "/jobs/a/b/c.exr");
    expect_join("/jobs", "././/.", "/jobs");
    expect_join("/jobs", "a/", "/jobs/a");
    expect_join("//jobs", "a", "/jobs/a");
    expect_join(NULL, "/", "/");
    expect_join(NULL, "//", "/");
    expect_join(NULL, "/.", "/");
    expect_join(NULL, ".", ".");
    expect_join(NULL, "././", ".");
    expect_join(NULL, ".//a", "a");
    expect_join(NULL, "a/.b/..c/...", "a/.b/..c/...");
}

/* a/.. is not a's parent when a is a link to elsewhere. */
static void parents_stay(void **state)
{
    (void)state;
    expect_join("/jobs", "../plate/a.exr", "/jobs/../plate/a.exr");
    expect_join(NULL, "/..", "/..");
    expect_join(NULL, "a/../b", "a/../b");
    expect_join(NULL, "..", "..");
}

static void a_path_has_a_folder_and_a_name(void **state)
{
    static const char *const cases[][3] = {
        {"a/b.exr", "a", "b.exr"}, {"b", ".", "b"},    {"/b", "/", "b"},
        {"a/b/", "a/b", ""},       {"/", "/", ""},     {"", ".", ""},
        {"/a/b/c", "/a/b", "c"},   {"../b", "..", "b"}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *folder = dq_path_folder(cases[i][0]);

        assert_string_equal(folder, cases[i][1]);
        assert_string_equal(dq_path_name(cases[i][0]), cases[i][2]);
        free(folder);
    }
}

static void absolute_means_from_where_we_are(void **state)
{
    char *here = getcwd(NULL, 0), *want, *got = dq_path_absolute("./a//b");

    (void)state;
    assert_true(asprintf(&want, "%s/a/b", here) > 0);
    assert_string_equal(got, want);
    free(got);
    got = dq_path_absolute("/x/./y");
    assert_string_equal(got, "/x/y");
    free(got);
    free(want);
    free(here);
}

/* "/a" would name another file; "a" fails by its own name. */
static void where_we_are_may_be_gone(void **state)
{
    char *got;

    (void)state;
    mkdir("gone", 0777);
    assert_int_equal(chdir("gone"), 0);
    assert_int_equal(rmdir("../gone"), 0);
    got = dq_path_absolute("a");
    assert_string_equal(got, "a");
    free(got);
}

static void make_program(const char *path)
{
    put_file(path, "#!/bin/sh\n");
    assert_int_equal(chmod(path, 0755), 0);
}

/* What a copy of this program, laid out as installed, says of a name. */
static void expect_found_by(const char *program, const char *name,
                            const char *want)
{
    char command[200], got[8192] = "";
    FILE *out;

    snprintf(command, sizeof command, "%s --libexec %s", program, name);
    out = popen(command, "r");
    assert_non_null(out);
    got[fread(got, 1, sizeof got - 1, out)] = '\0';
    pclose(out);
    assert_non_null(strstr(got, want));
}

static void expect_found(const char *name, const char *want)
{
    expect_found_by("bin/prog", name, want);
}

static void our_programs_are_found_where_they_are_installed(void **state)
{
    (void)state;
    mkdir("bin", 0777);
    mkdir("libexec", 0777);
    mkdir("libexec/depthq", 0777);
    assert_int_equal(system("cp /proc/$PPID/exe bin/prog"), 0);
    make_program("libexec/depthq/worker");
    make_program("bin/worker");
    make_program("bin/beside");
    mkdir("libexec/depthq/folder", 0777);
    put_file("bin/text", "no program");
    expect_found("worker", "/bin/../libexec/depthq/worker");
    expect_found("beside", "/bin/beside");
    expect_found("folder", "CONFIG: folder is not installed");
    expect_found("text", "CONFIG: text is not installed");
    expect_found("none", "CONFIG: none is not installed");
    assert_int_equal(system("mv bin/prog libexec/depthq/prog"), 0);
    expect_found_by("libexec/depthq/prog", "beside",
                    "/libexec/depthq/../../bin/beside");
}

static void expect_config(const char *want)
{
    char *got = dq_path_config("some.yaml");

    if (want)
        assert_non_null(got);
    if (want)
        assert_non_null(strstr(got, want));
    else
        assert_null(got);
    free(got);
}

/* /etc/depthq may be there or not: no test may write into it. */
static void a_users_configuration_is_found(void **state)
{
    char *home = getcwd(NULL, 0), *xdg;

    (void)state;
    assert_true(asprintf(&xdg, "%s/xdg", home) > 0);
    mkdir(".config", 0777);
    mkdir(".config/depthq", 0777);
    mkdir("xdg", 0777);
    mkdir("xdg/depthq", 0777);
    setenv("HOME", home, 1);
    unsetenv("XDG_CONFIG_HOME");
    expect_config(NULL);
    put_file(".config/depthq/some.yaml", "");
    expect_config("/.config/depthq/some.yaml");
    setenv("XDG_CONFIG_HOME", xdg, 1);
    expect_config(NULL);
    put_file("xdg/depthq/some.yaml", "");
    expect_config("/xdg/depthq/some.yaml");
    free(xdg);
    free(home);
}

static int tell_libexec(const char *name)
{
    struct dq_err err = {0};
    char *found = dq_path_libexec(name, &err);

    if (found)
        puts(found);
    else
        printf("%s: %s\n", dq_code_name(err.code), err.text);
    free(found);
    return 0;
}

#define in_folder(test) \
    cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relative_paths_are_taken_from_the_folder),
        cmocka_unit_test(absolute_paths_stay),
        cmocka_unit_test(what_means_nothing_goes),
        cmocka_unit_test(parents_stay),
        cmocka_unit_test(a_path_has_a_folder_and_a_name),
        in_folder(absolute_means_from_where_we_are),
        in_folder(where_we_are_may_be_gone),
        in_folder(our_programs_are_found_where_they_are_installed),
        in_folder(a_users_configuration_is_found),
    };

    if (argc == 3 && strcmp(argv[1], "--libexec") == 0)
        return tell_libexec(argv[2]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
