/* The client against a daemon that plays a script. */
#include "cli/client_testing.h"

#include "base/mem.h"

/* ---- tests ---------------------------------------------------------------*/

static void a_question_is_heard_and_its_answer_given(void **state)
{
    const char *const answers[] = {OK_JSON CLOSE "{\"job\": 7}"};
    pid_t child = play_answers(answers, 1);
    struct dq_client *c = client();
    struct dq_err err = {0};
    json_t *answer = dq_client_ask(c, "POST", "/v1/jobs", "{\"a\":1}", &err);

    (void)state;
    assert_int_equal(json_integer_value(json_object_get(answer, "job")), 7);
    expect_in_file("heard0", "POST /v1/jobs HTTP/1.1\r\n");
    expect_in_file("heard0", "Content-Type: application/json\r\n");
    expect_in_file("heard0", "\r\n\r\n{\"a\":1}");
    json_decref(answer);
    finish(c, child);
}

static void without_a_daemon_the_socket_and_the_remedy_are_named(void **state)
{
    struct dq_client *c = client();
    struct dq_err err = {0};

    (void)state;
    assert_null(dq_client_ask(c, "GET", "/healthz", NULL, &err));
    assert_int_equal(err.code, DQ_DAEMON);
    assert_non_null(strstr(err.text, "no depthqd answers at /"));
    assert_non_null(strstr(err.text, "/s;"));
    assert_non_null(strstr(err.text, "depthqd"));
    assert_true(dq_client_unheard(c));
    dq_client_close(c);
}

/* A daemon is started from another folder than where its socket was named. */
static void a_socket_is_absolute_wherever_it_was_named_from(void **state)
{
    struct dq_err err = {0};
    struct dq_client *c = dq_client_open("here/s", &err);
    char *folder = getcwd(NULL, 0), *want = dq_asprintf("%s/here/s", folder);
    char name[200];

    (void)state;
    assert_string_equal(dq_client_socket(c), want);
    dq_client_close(c);
    free(want);
    free(folder);
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    assert_null(dq_client_open(name, &err));
    assert_int_equal(err.code, DQ_CONFIG);
    assert_non_null(strstr(err.text, "at most 107 bytes"));
}

/* Root may talk to all: be nobody for a while. */
static void who_may_not_talk_to_the_daemon_is_told_so(void **state)
{
    const char *const answers[] = {OK_JSON CLOSE "{}"};
    pid_t child = play_answers(answers, 1);
    struct dq_client *c = client();
    struct dq_err err = {0};
    int root = geteuid() == 0;
    json_t *answer;

    (void)state;
    assert_int_equal(chmod("s", 0), 0);
    assert_true(!root || seteuid(65534) == 0);
    answer = dq_client_insist(c, "GET", "/healthz", NULL, 600, &err);
    assert_true(!root || seteuid(0) == 0);
    assert_null(answer);
    assert_int_equal(err.code, DQ_DENIED);
    assert_non_null(strstr(err.text, "no right to the daemon's socket /"));
    assert_non_null(strstr(err.text, "--socket"));
    assert_false(dq_client_unheard(c));
    finish(c, child);
}

static void a_lost_answer_is_not_the_same_as_no_daemon(void **state)
{
    const char *const answers[] = {NULL};
    pid_t child = play_answers(answers, 1);
    struct dq_client *c = client();
    struct dq_err err = {0};

    (void)state;
    assert_null(dq_client_ask(c, "POST", "/v1/jobs", "{}", &err));
    assert_int_equal(err.code, DQ_DAEMON);
    assert_false(dq_client_unheard(c));
    assert_false(dq_client_answered(c));
    finish(c, child);
}

static void the_daemons_error_is_ours(void **state)
{
    const char *const answers[] = {
        "HTTP/1.1 422 Unprocessable\r\n" CLOSE
        "{\"error\": {\"code\": \"SPEC\", \"message\": \"a:2:1: no\"}, "
        "\"problems\": [{\"line\": 2, \"column\": 1, \"text\": \"no\"}]}",
        "HTTP/1.1 500 Oh\r\n" CLOSE "{\"error\": 7}", OK_JSON CLOSE "no json"};
    pid_t child = play_answers(answers, 3);
    struct dq_client *c = client();
    struct dq_err err = {0};

    (void)state;
    assert_null(dq_client_ask(c, "POST", "/v1/jobs", "{}", &err));
    assert_int_equal(err.code, DQ_SPEC);
    assert_true(dq_client_answered(c));
    assert_string_equal(err.text, "a:2:1: no");
    assert_int_equal(json_array_size(dq_client_problems(c)), 1);
    dq_err_clear(&err);
    assert_null(dq_client_ask(c, "GET", "/", NULL, &err));
    assert_int_equal(err.code, DQ_BUG);
    assert_null(dq_client_problems(c));
    dq_err_clear(&err);
    assert_null(dq_client_ask(c, "GET", "/", NULL, &err));
    assert_int_equal(err.code, DQ_BUG);
    finish(c, child);
}

static void who_insists_is_answered_by_the_next_daemon(void **state)
{
    const char *const answers[] = {NULL, NULL, OK_JSON CLOSE "{\"n\": 3}"};
    pid_t child = play_answers(answers, 3);
    struct dq_client *c = client();
    struct dq_err err = {0};
    json_t *answer = dq_client_insist(c, "POST", "/v1/jobs", "{}", 60, &err);

    (void)state;
    assert_int_equal(json_integer_value(json_object_get(answer, "n")), 3);
    assert_int_equal(err.code, DQ_OK);
    json_decref(answer);
    finish(c, child);
}

static void all_pages_of_a_listing_are_one_list(void **state)
{
    const char *const answers[] = {
        OK_JSON CLOSE "{\"jobs\": [9, 8], \"next\": 8}",
        OK_JSON CLOSE "{\"jobs\": [7], \"next\": null}"};
    pid_t child = play_answers(answers, 2);
    struct dq_client *c = client();
    struct dq_err err = {0};
    json_t *list = dq_client_list(c, "/v1/jobs?", "jobs", "before", 0, &err);

    (void)state;
    assert_int_equal(json_array_size(list), 3);
    assert_int_equal(json_integer_value(json_array_get(list, 2)), 7);
    expect_in_file("heard1", "GET /v1/jobs?limit=1000&before=8 HTTP");
    json_decref(list);
    finish(c, child);
}

#define in_folder(test) \
    cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_folder(a_question_is_heard_and_its_answer_given),
        in_folder(without_a_daemon_the_socket_and_the_remedy_are_named),
        in_folder(a_socket_is_absolute_wherever_it_was_named_from),
        in_folder(who_may_not_talk_to_the_daemon_is_told_so),
        in_folder(a_lost_answer_is_not_the_same_as_no_daemon),
        in_folder(the_daemons_error_is_ours),
        in_folder(who_insists_is_answered_by_the_next_daemon),
        in_folder(all_pages_of_a_listing_are_one_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
