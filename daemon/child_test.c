#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "daemon/child.h"
#include "daemon/child_environment.h"
#include "daemon/child_words.h"
#include "daemon/wire.h"

/* What was heard of one shell that stands in for a worker. */
struct heard {
    struct dq_child *child;
    struct dq_bytes words;
    int messages, closings, gone;
    int signal, status;
    char last[1024], broken[512];
};

static void on_message(void *context, const json_t *message)
{
    struct heard *h = context;

    (void)message;
    h->messages++;
}

static void on_closing(void *context)
{
    struct heard *h = context;

    h->closings++;
}

static void on_words(void *context, const char *line)
{
    struct heard *h = context;

    dq_bytes_printf(&h->words, "%s;", line);
}

static void on_gone(void *context, const struct dq_child_end *end)
{
    struct heard *h = context;

    h->gone++;
    h->signal = end->signal;
    h->status = end->status;
    snprintf(h->last, sizeof h->last, "%s", end->words);
    snprintf(h->broken, sizeof h->broken, "%s", end->broken ? end->broken : "");
}

static struct heard run_shell_sending(const char *script, const char *line)
{
    char *argv[] = {(char *)"/bin/sh", (char *)"-c", (char *)script, NULL};
    struct heard heard = {0};
    struct dq_err err = {0};
    uv_loop_t loop;
    struct dq_child_rule rule = {.loop = &loop,
                                 .argv = argv,
                                 .threads = 3,
                                 .context = &heard,
                                 .message = on_message,
                                 .closing = on_closing,
                                 .words = on_words,
                                 .gone = on_gone};

    uv_loop_init(&loop);
    heard.child = dq_child_start(&rule, &err);
    assert_non_null(heard.child);
    if (line)
        dq_child_send(heard.child, strdup(line));
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_int_equal(heard.gone, 1);
    dq_bytes_text(&heard.words, "");
    return heard;
}

static struct heard run_shell(const char *script)
{
    return run_shell_sending(script, NULL);
}

static void an_exit_status_and_the_last_words_are_told(void **state)
{
    struct heard h = run_shell("echo one; echo two >&2; echo; echo three; "
                               "printf four; exit 7");

    (void)state;
    assert_int_equal(h.signal, 0);
    assert_int_equal(h.status, 7);
    assert_string_equal(h.words.data, "one;two;three;four;");
    assert_string_equal(h.last, "two | three | four");
    dq_bytes_free(&h.words);
}

static void a_signal_is_told_and_no_core_is_left(void **state)
{
    struct heard h = run_shell("ulimit -c; kill -SEGV $$");

    (void)state;
    assert_int_equal(h.signal, SIGSEGV);
    assert_string_equal(h.words.data, "0;");
    dq_bytes_free(&h.words);
}

static void it_has_four_descriptors_and_no_input(void **state)
{
    struct heard h = run_shell("cat; ls /proc/$$/fd");

    (void)state;
    assert_string_equal(h.words.data, "0;1;2;3;");
    dq_bytes_free(&h.words);
}

static void lines_go_both_ways(void **state)
{
    struct heard h = run_shell_sending(
        "read line <&3; echo got $line; echo '{\"m\":\"drain\"}' >&3; "
        "printf '{\"m\":\"dra' >&3; printf 'in\"}\\n' >&3",
        "hear me\n");

    (void)state;
    assert_string_equal(h.words.data, "got hear me;");
    assert_int_equal(h.messages, 2);
    dq_bytes_free(&h.words);
}

static void what_it_said_before_it_died_is_heard_before_its_end(void **state)
{
    struct heard h = run_shell("i=0; while [ $i -lt 200 ]; do "
                               "echo '{\"m\":\"drain\"}' >&3; "
                               "i=$((i+1)); done; kill -9 $$");

    (void)state;
    assert_int_equal(h.messages, 200);
    assert_int_equal(h.signal, SIGKILL);
    dq_bytes_free(&h.words);
}

static void nonsense_ends_the_conversation_and_the_process(void **state)
{
    struct heard h = run_shell("echo nonsense >&3; while :; do sleep 1; done");

    (void)state;
    assert_int_equal(h.signal, SIGKILL);
    assert_true(h.broken[0]);
    dq_bytes_free(&h.words);
}

static void one_who_hangs_up_is_ended(void **state)
{
    struct heard h = run_shell("exec 3>&-; while :; do sleep 1; done");

    (void)state;
    assert_int_equal(h.closings, 1);
    assert_int_equal(h.signal, SIGKILL);
    dq_bytes_free(&h.words);
}

static void a_child_of_its_own_keeps_nobody_waiting(void **state)
{
    struct heard h = run_shell("sleep 1000 & echo $!; exit 3");

    (void)state;
    assert_int_equal(h.status, 3);
    kill((pid_t)atoi(h.words.data), SIGKILL);
    dq_bytes_free(&h.words);
}

static void a_program_that_is_not_there_is_told_at_once(void **state)
{
    char *argv[] = {(char *)"/nowhere/depthq-worker", NULL};
    struct dq_err err = {0};
    uv_loop_t loop;
    struct dq_child_rule rule = {.loop = &loop, .argv = argv};

    (void)state;
    uv_loop_init(&loop);
    assert_null(dq_child_start(&rule, &err));
    assert_int_equal(err.code, DQ_CONFIG);
    assert_non_null(strstr(err.text, "/nowhere/depthq-worker"));
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void libraries_find_their_settings_unless_a_person_made_them(
    void **state)
{
    struct heard h;

    (void)state;
    setenv("LRU_CACHE_CAPACITY", "7", 1);
    h = run_shell("echo $ONEDNN_PRIMITIVE_CACHE_CAPACITY $OMP_NUM_THREADS "
                  "$LRU_CACHE_CAPACITY");
    assert_string_equal(h.words.data, "512 3 7;");
    dq_bytes_free(&h.words);
    unsetenv("LRU_CACHE_CAPACITY");
}

/* ---- words ---------------------------------------------------------------*/

static void count_line(void *context, const char *line)
{
    size_t *longest = context;

    if (strlen(line) > *longest)
        *longest = strlen(line);
}

static void an_endless_line_is_cut_and_the_next_is_whole(void **state)
{
    static struct dq_words words;
    size_t longest = 0;
    char last[1024];

    (void)state;
    for (int i = 0; i < 10000; i++)
        dq_words_add(&words, "x", 1, count_line, &longest);
    assert_int_equal(longest, 0);
    dq_words_add(&words, "\nwhole\x1b\n", 8, count_line, &longest);
    assert_int_equal(longest, DQ_WORDS_LINE - 1);
    assert_int_equal(words.lines, 2);
    dq_words_last(&words, last, sizeof last);
    assert_non_null(strstr(last, "xx | whole "));
    assert_int_equal(strlen(last), 300 + 3 + 6);
}

/* Whoever runs the tests may have left some open. */
static void keep_descriptors_to_ourselves(void)
{
    for (int fd = 3; fd < 1024; fd++)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_exit_status_and_the_last_words_are_told),
        cmocka_unit_test(a_signal_is_told_and_no_core_is_left),
        cmocka_unit_test(it_has_four_descriptors_and_no_input),
        cmocka_unit_test(lines_go_both_ways),
        cmocka_unit_test(what_it_said_before_it_died_is_heard_before_its_end),
        cmocka_unit_test(nonsense_ends_the_conversation_and_the_process),
        cmocka_unit_test(one_who_hangs_up_is_ended),
        cmocka_unit_test(a_child_of_its_own_keeps_nobody_waiting),
        cmocka_unit_test(a_program_that_is_not_there_is_told_at_once),
        cmocka_unit_test(
            libraries_find_their_settings_unless_a_person_made_them),
        cmocka_unit_test(an_endless_line_is_cut_and_the_next_is_whole),
    };

    signal(SIGPIPE, SIG_IGN);
    keep_descriptors_to_ourselves();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
