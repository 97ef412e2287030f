/* Lines are caught where they leave: this program's own write(2), which the
 * linker prefers to the C library's, counts calls on stderr. */
#include "base/testing.h"

#include <jansson.h>
#include <pthread.h>
#include <sys/syscall.h>

#include "base/log.h"

static char caught[1 << 16];
static size_t caught_bytes;
static int caught_calls, catching;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

ssize_t write(int fd, const void *bytes, size_t count)
{
    if (fd != STDERR_FILENO || !catching)
        return syscall(SYS_write, fd, bytes, count);
    pthread_mutex_lock(&lock);
    assert_true(caught_bytes + count < sizeof caught);
    memcpy(caught + caught_bytes, bytes, count);
    caught_bytes += count;
    caught[caught_bytes] = '\0';
    caught_calls++;
    pthread_mutex_unlock(&lock);
    return (ssize_t)count;
}

static int begin(void **state)
{
    (void)state;
    caught_bytes = 0;
    caught_calls = 0;
    caught[0] = '\0';
    catching = 1;
    dq_log_setup("depthq", DQ_LOG_DEBUG, DQ_LOG_TEXT);
    return 0;
}

static int end(void **state)
{
    (void)state;
    catching = 0;
    return 0;
}

/* The line behind its time, which is checked for its form. */
static const char *line(void)
{
    unsigned n[7];

    assert_int_equal(caught_calls, 1);
    assert_int_equal(sscanf(caught, "%4u-%2u-%2uT%2u:%2u:%2u.%3uZ ", &n[0],
                            &n[1], &n[2], &n[3], &n[4], &n[5], &n[6]),
                     7);
    assert_int_equal(caught[23], 'Z');
    assert_int_equal(caught[caught_bytes - 1], '\n');
    return caught + 25;
}

static void an_event_is_one_line_of_words(void **state)
{
    (void)state;
    dq_log_warn("frame settled", "frame", "1007", "state", "done");
    assert_string_equal(line(),
                        "depthq warn: frame settled frame=1007 state=done\n");
}

static void an_event_may_stand_alone(void **state)
{
    (void)state;
    dq_log_error("stopping");
    assert_string_equal(line(), "depthq error: stopping\n");
}

static void a_value_that_is_not_there_is_left_out(void **state)
{
    (void)state;
    dq_log_info("ready", "a", (char *)NULL, "b", "2");
    assert_string_equal(line(), "depthq info: ready b=2\n");
}

static void values_that_would_mislead_are_quoted(void **state)
{
    (void)state;
    dq_log_info("e", "a", "two words", "b", "", "c", "x=y", "d", "say \"hi\"",
                "e", "back\\slash", "f", "\xc3\xa9");
    assert_string_equal(line(),
                        "depthq info: e a=\"two words\" b=\"\" c=\"x=y\" "
                        "d=\"say \\\"hi\\\"\" e=\"back\\\\slash\" "
                        "f=\xc3\xa9\n");
}

/* A file's name must not forge a line or drive a terminal. */
static void control_characters_are_escaped(void **state)
{
    (void)state;
    dq_log_info("e", "a", "x\ny", "b", "\x1b[2J", "c", "\x7f", "d",
                "\xe2\x80\xa8", "e", "\xe2\x80\xa9", "f", "\xc2\x9b");
    assert_string_equal(line(),
                        "depthq info: e a=\"x\\u000ay\" b=\"\\u001b[2J\" "
                        "c=\"\\u007f\" d=\"\\u2028\" e=\"\\u2029\" "
                        "f=\"\\u009b\"\n");
}

static void bytes_that_are_no_text_are_told(void **state)
{
    (void)state;
    dq_log_info("e", "a", "caf\xe9", "b", "\x80", "c", "\xf0\x9f");
    assert_string_equal(line(), "depthq info: e a=\"caf\\xe9\" b=\"\\x80\" "
                                "c=\"\\xf0\\x9f\"\n");
}

static void levels_above_the_chosen_one_are_silent(void **state)
{
    (void)state;
    dq_log_setup("depthq", DQ_LOG_WARN, DQ_LOG_TEXT);
    dq_log_info("no");
    dq_log_debug("no");
    assert_int_equal(caught_calls, 0);
    dq_log_warn("yes");
    dq_log_error("yes");
    assert_int_equal(caught_calls, 2);
}

static json_t *json_line(void)
{
    json_error_t why;
    json_t *o = json_loads(caught, JSON_REJECT_DUPLICATES, &why);

    assert_int_equal(caught_calls, 1);
    assert_int_equal(caught[caught_bytes - 1], '\n');
    assert_ptr_equal(strchr(caught, '\n'), caught + caught_bytes - 1);
    if (!o)
        fail_msg("%s: %s", why.text, caught);
    return o;
}

static void expect_member(const json_t *o, const char *key, const char *want)
{
    assert_string_equal(json_string_value(json_object_get(o, key)), want);
}

static void json_lines_hold_the_same_words(void **state)
{
    json_t *o;

    (void)state;
    dq_log_setup("depthqd", DQ_LOG_DEBUG, DQ_LOG_JSON);
    dq_log_warn("frame settled", "frame", "1007", "path",
                "a \"b\"\\\n\x1b \xe2\x80\xa8 \xc2\x9b \xc3\xa9");
    assert_null(strstr(caught, "\xe2\x80\xa8"));
    assert_null(strstr(caught, "\xc2\x9b"));
    o = json_line();
    assert_int_equal(json_object_size(o), 6);
    assert_int_equal(json_string_length(json_object_get(o, "time")), 24);
    expect_member(o, "level", "warn");
    expect_member(o, "who", "depthqd");
    expect_member(o, "event", "frame settled");
    expect_member(o, "frame", "1007");
    expect_member(o, "path", "a \"b\"\\\n\x1b \xe2\x80\xa8 \xc2\x9b \xc3\xa9");
    json_decref(o);
}

static void json_stays_json_whatever_a_path_holds(void **state)
{
    json_t *o;

    (void)state;
    dq_log_setup("depthq", DQ_LOG_DEBUG, DQ_LOG_JSON);
    dq_log_warn("e", "path", "caf\xe9/\xff\xed\xa0\x80");
    o = json_line();
    expect_member(o, "path",
                  "caf\xef\xbf\xbd/\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
                  "\xef\xbf\xbd");
    json_decref(o);
}

/* 1 KiB may end within a character. */
static void a_field_is_cut_between_characters(void **state)
{
    char text[5000] = "";
    json_t *o;

    (void)state;
    for (int lead = 0; lead < 3; lead++) {
        begin(NULL);
        dq_log_setup("depthq", DQ_LOG_DEBUG, DQ_LOG_JSON);
        memset(text, 'x', (size_t)lead);
        text[lead] = '\0';
        while (strlen(text) < 3000)
            strcat(text, "\xe2\x82\xac");
        dq_log_warn("e", "path", text);
        o = json_line();
        assert_in_range(json_string_length(json_object_get(o, "path")), 1021,
                        1024);
        json_decref(o);
    }
    begin(NULL);
    memset(text, 'x', 2000);
    dq_log_warn("e", "path", text);
    assert_in_range(caught_bytes, 1024, 1100); /* in words too */
}

static void *talk(void *name)
{
    for (int i = 0; i < 100; i++)
        dq_log_info("line", "thread", (const char *)name);
    return NULL;
}

static void lines_of_several_threads_never_mix(void **state)
{
    static const char *const names[] = {"aaaa", "bbbb", "cccc"};
    pthread_t threads[3];
    int count = 0;

    (void)state;
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, talk, (void *)(uintptr_t)names[i]);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    for (char *rest = caught, *l; (l = strsep(&rest, "\n")) && *l; count++) {
        const char *tail = strstr(l, " line thread=");

        assert_non_null(tail);
        assert_int_equal(strlen(tail), 17);
    }
    assert_int_equal(count, 300);
    assert_int_equal(caught_calls, 300); /* one write a line */
}

#define logging(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        logging(an_event_is_one_line_of_words),
        logging(an_event_may_stand_alone),
        logging(a_value_that_is_not_there_is_left_out),
        logging(values_that_would_mislead_are_quoted),
        logging(control_characters_are_escaped),
        logging(bytes_that_are_no_text_are_told),
        logging(levels_above_the_chosen_one_are_silent),
        logging(json_lines_hold_the_same_words),
        logging(json_stays_json_whatever_a_path_holds),
        logging(a_field_is_cut_between_characters),
        logging(lines_of_several_threads_never_mix),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
