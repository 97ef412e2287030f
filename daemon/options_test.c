#include "base/testing.h"

#include "daemon/config.h"
#include "daemon/options.h"

static struct dq_daemon_options options;
static struct dq_err err;

/* Parse `depthqd --config c.yaml` and more words. */
static int parse(const char *config, int count, const char *const *words)
{
    char *argv[16] = {(char *)"depthqd", (char *)"--config", (char *)"c.yaml"};

    put_file("c.yaml", config);
    for (int i = 0; i < count; i++)
        argv[3 + i] = (char *)words[i];
    optind = 0;
    dq_err_clear(&err);
    return dq_daemon_options_parse(3 + count, argv, &options, &err);
}

static void without_a_word_everything_is_as_usual(void **state)
{
    (void)state;
    assert_int_equal(parse("# nothing\n", 0, NULL), 0);
    assert_int_equal(options.workers, 1);
    assert_string_equal(options.devices[0], "auto");
    assert_int_equal(options.grace_ms, 30000);
    assert_int_equal(options.stall_ms, 600000);
    assert_string_equal(options.state, "/home/me/.local/state/depthq");
    dq_daemon_options_free(&options);
}

static void the_file_says_what_the_command_line_leaves_open(void **state)
{
    static const char config[] = "state: /var/lib/q\n"
                                 "socket: /run/q/s\n"
                                 "device: [cuda:0, 'cuda:1']\n"
                                 "workers: 2\n"
                                 "threads: 4\n"
                                 "grace: 5\n"
                                 "stall: 7\n"
                                 "log-json: true\n"
                                 "quiet: false\n";
    static const char *const words[] = {"--device", "cpu",     "--workers",
                                        "3",        "--grace", "0",
                                        "--socket", "/tmp/s"};

    (void)state;
    assert_int_equal(parse(config, 0, NULL), 0);
    assert_string_equal(options.state, "/var/lib/q");
    assert_string_equal(options.socket, "/run/q/s");
    assert_int_equal(options.workers, 4); /* two on each device */
    assert_string_equal(options.devices[3], "cuda:1");
    assert_int_equal(options.threads, 4);
    assert_int_equal(options.grace_ms, 5000);
    assert_int_equal(options.stall_ms, 7000);
    assert_true(options.json && !options.quiet);
    dq_daemon_options_free(&options);
    assert_int_equal(parse(config, 8, words), 0);
    assert_int_equal(options.workers, 3);
    assert_string_equal(options.devices[2], "cpu");
    assert_int_equal(options.grace_ms, 0);
    assert_int_equal(options.stall_ms, 7000);
    assert_string_equal(options.state, "/var/lib/q");
    assert_string_equal(options.socket, "/tmp/s");
    dq_daemon_options_free(&options);
}

static void the_file_says_who_is_what(void **state)
{
    static const char config[] = "wrangler: [group:500, '1001']\n"
                                 "admin: 1002\n"
                                 "roots: [/shows, /fast]\n"
                                 "limit-jobs: 3\nlimit-frames: 700\n";
    static const gid_t td[] = {500};

    (void)state;
    assert_int_equal(parse(config, 0, NULL), 0);
    assert_int_equal(options.access.root_count, 2);
    assert_int_equal(options.access.jobs_most, 3);
    assert_int_equal(options.access.frames_most, 700);
    assert_int_equal(dq_access_role(&options.access, 7, 1001, NULL, 0),
                     DQ_ROLE_WRANGLER);
    assert_int_equal(dq_access_role(&options.access, 7, 1003, td, 1),
                     DQ_ROLE_WRANGLER);
    assert_int_equal(dq_access_role(&options.access, 7, 1002, td, 1),
                     DQ_ROLE_ADMIN);
    dq_daemon_options_free(&options);
    assert_int_equal(parse("admin: [nobody at all]\nroots: [x, /y]\n"
                           "limit-jobs: 0\nlimit-frames: many\n",
                           0, NULL),
                     DQ_CONFIG);
    assert_int_equal(options.problems.count, 4);
    assert_non_null(strstr(err.text, "c.yaml:1:9: admin: there is no user"));
    assert_int_equal(options.problems.list[1].column, 9);
    dq_daemon_options_free(&options);
}

static void the_environment_goes_before_the_file(void **state)
{
    static const char config[] = "state: /var/lib/q\nsocket: /run/q/s\n";

    (void)state;
    setenv("DEPTHQ_STATE", "/env/state", 1);
    assert_int_equal(parse(config, 0, NULL), 0);
    assert_string_equal(options.state, "/env/state");
    assert_string_equal(options.socket, "/env/state/socket");
    dq_daemon_options_free(&options);
    unsetenv("DEPTHQ_STATE");
    setenv("DEPTHQ_SOCKET", "/env/s", 1);
    assert_int_equal(parse(config, 0, NULL), 0);
    assert_string_equal(options.state, "/var/lib/q");
    assert_string_equal(options.socket, "/env/s");
    dq_daemon_options_free(&options);
    unsetenv("DEPTHQ_SOCKET");
}

static void all_that_is_wrong_is_told_with_its_line(void **state)
{
    (void)state;
    assert_int_equal(parse("wrokers: 2\n"
                           "threads: many\n"
                           "device:\n  - cpu\n  - gpu\n"
                           "quiet: 1\n"
                           "grace: [1]\n",
                           0, NULL),
                     DQ_CONFIG);
    assert_non_null(strstr(err.text, "c.yaml:1:1: unknown key 'wrokers' (did "
                                     "you mean 'workers'?)"));
    assert_int_equal(options.problems.count, 5);
    assert_int_equal(options.problems.list[1].line, 2);
    assert_int_equal(options.problems.list[2].line, 5);
    assert_int_equal(options.problems.list[3].line, 6);
    assert_int_equal(options.problems.list[4].line, 7);
    dq_daemon_options_free(&options);
    assert_int_equal(parse("just words\n", 0, NULL), DQ_CONFIG);
    dq_daemon_options_free(&options);
}

static void a_file_that_is_named_must_be_there(void **state)
{
    char *argv[] = {(char *)"depthqd", (char *)"--config", (char *)"none"};

    (void)state;
    optind = 0;
    dq_err_clear(&err);
    assert_int_equal(dq_daemon_options_parse(3, argv, &options, &err),
                     DQ_MISSING);
    dq_daemon_options_free(&options);
}

/* What --print-config shows is a file that says nothing; with the marks of
 * comment taken away it says what is usual, and is right. */
static void the_commented_file_is_right(void **state)
{
    char *text = dq_config_text();

    (void)state;
    assert_int_equal(parse(text, 0, NULL), 0);
    assert_string_equal(options.devices[0], "auto");
    dq_daemon_options_free(&options);
    for (char *c = text; (c = strchr(c, '#')); c++)
        if (c[1] != ' ')
            *c = ' ';
    for (char *c = text; (c = strstr(c, "\n ")); c++)
        memmove(c + 1, c + 2, strlen(c + 2) + 1);
    /* a file of tokens must be there */
    strstr(text, "\ntokens:")[1] = strstr(text, "\nlisten:")[1] = '#';
    assert_int_equal(parse(text, 0, NULL), 0);
    assert_string_equal(options.devices[1], "cuda:1");
    assert_string_equal(options.state, "/var/lib/depthq");
    dq_daemon_options_free(&options);
    free(text);
}

static int set_up(void **state)
{
    static const char *const unset[] = {"DEPTHQ_STATE",    "DEPTHQ_SOCKET",
                                        "STATE_DIRECTORY", "XDG_STATE_HOME",
                                        "XDG_RUNTIME_DIR", "RUNTIME_DIRECTORY"};

    for (size_t i = 0; i < sizeof unset / sizeof *unset; i++)
        unsetenv(unset[i]);
    setenv("HOME", "/home/me", 1);
    setenv("CUDA_VISIBLE_DEVICES", "", 1);
    return folder_setup(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, folder_teardown)
        TEST(without_a_word_everything_is_as_usual),
        TEST(the_file_says_what_the_command_line_leaves_open),
        TEST(the_file_says_who_is_what),
        TEST(the_environment_goes_before_the_file),
        TEST(all_that_is_wrong_is_told_with_its_line),
        TEST(a_file_that_is_named_must_be_there),
        TEST(the_commented_file_is_right),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
