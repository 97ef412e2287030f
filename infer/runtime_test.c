#include "base/testing.h"

#include "infer/backend.h"
#include "infer/runtime.h"

/* The user's configuration is config/depthq of this test's folder. */
static int config_setup(void **state)
{
    char *config;

    folder_setup(state);
    assert_true(asprintf(&config, "%s/config", (char *)*state) > 0);
    setenv("XDG_CONFIG_HOME", config, 1);
    free(config);
    return mkdir("config", 0777) || mkdir("config/depthq", 0777);
}

static void say(const char *text)
{
    put_file("config/depthq/runtimes.yaml", text);
}

static void expect_library(const char *kind, const char *want)
{
    struct dq_err err = {0};
    char *library = dq_runtime_library(kind, &err);

    if (!library)
        fail_msg("%s", err.text);
    assert_string_equal(library, want);
    free(library);
}

static void expect_none(const char *kind, const char *words)
{
    struct dq_err err = {0};

    assert_null(dq_runtime_library(kind, &err));
    assert_int_equal(err.code, DQ_CONFIG);
    if (!strstr(err.text, words))
        fail_msg("'%s' says nothing of '%s'", err.text, words);
}

static void a_site_names_the_library_of_a_kind(void **state)
{
    (void)state;
    say("# ours\nother: /opt/other.so\ntorch_tensorrt: \"/opt/trt.so\"\n");
    expect_library("torch_tensorrt", "/opt/trt.so");
    expect_library("other", "/opt/other.so");
}

static void a_kind_without_a_library_is_told_what_to_do(void **state)
{
    (void)state;
    say("other: /opt/other.so\n");
    expect_none("torch_tensorrt", "no library is named for it in ");
    expect_none("torch_tensorrt", "/config/depthq/runtimes.yaml");
    expect_none("torch_tensorrt", "`torch_tensorrt: /path/of/library.so`");
    say("# nothing yet\n");
    expect_none("torch_tensorrt", "no library is named for it");
    unlink("config/depthq/runtimes.yaml");
    expect_none("of_nobody", "no library is named for it in /etc/depthq");
}

/* Also in a line that this kind does not need: whoever wrote it wants to
 * know. */
static void a_wrong_file_is_told_with_its_line(void **state)
{
    (void)state;
    say("good: /opt/good.so\nbad: opt/bad.so\n");
    expect_none("good", "runtimes.yaml:2:6: bad: the absolute path");
    say("good: [/opt/good.so]\n");
    expect_none("good", "runtimes.yaml:1:7: good: the absolute path");
    say("- /opt/good.so\n");
    expect_none("good", "runtimes.yaml:1:1: lines of `kind: ");
    say("good: /opt/good.so\ngood: /opt/better.so\n");
    expect_none("good", "runtimes.yaml:2:1: ");
}

static void what_anyone_may_write_is_not_loaded(void **state)
{
    (void)state;
    say("good: /opt/good.so\n");
    chmod("config/depthq/runtimes.yaml", 0646);
    expect_none("good", "runtimes.yaml may be written by anyone");
    chmod("config/depthq/runtimes.yaml", 0644);
    expect_library("good", "/opt/good.so");
}

static void a_library_that_anyone_may_write_is_not_loaded(void **state)
{
    char *text, *library;

    assert_true(asprintf(&library, "%s/own.so", (char *)*state) > 0);
    assert_true(asprintf(&text, "own: %s\n", library) > 0);
    put_file("own.so", "a library");
    say(text);
    chmod("own.so", 0757);
    expect_none("own", "own.so may be written by anyone");
    chmod("own.so", 0755);
    expect_library("own", library);
    free(text);
    free(library);
}

static void a_runtime_that_is_not_here_is_no_fault_of_the_model(void **state)
{
    struct dq_err err = {0};

    (void)state;
    assert_null(dq_backend_find("of_nobody", &err));
    assert_int_equal(err.code, DQ_CONFIG);
    assert_non_null(strstr(err.text, "'of_nobody' is not built in"));
    assert_non_null(strstr(err.text, "fake"));
}

#define with_config(test) \
    cmocka_unit_test_setup_teardown(test, config_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_config(a_site_names_the_library_of_a_kind),
        with_config(a_kind_without_a_library_is_told_what_to_do),
        with_config(a_wrong_file_is_told_with_its_line),
        with_config(what_anyone_may_write_is_not_loaded),
        with_config(a_library_that_anyone_may_write_is_not_loaded),
        with_config(a_runtime_that_is_not_here_is_no_fault_of_the_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
