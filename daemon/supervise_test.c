#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "daemon/supervise.h"
#include "jobs/task_list.h"

/* A run with real processes: tests/tools/fake_worker.c, by a script. */
struct stage {
    uv_loop_t loop;
    struct dq_list *list;
    struct dq_supervisor *supervisor;
    struct dq_supervise_rule rule;
    int stop_after; /* settled frames; 0: never */
    int64_t grace_ms;
    int settled, hellos;
    char first_death[1024]; /* the first obituary that nobody asked for */
    char frames[256];       /* of it */
    int deaths, ends;
    char note[256], words[256];
    struct dq_err stuck;
};

static char *fake_worker(void)
{
    char self[4096] = {0};
    char *folder, *path;

    assert_true(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    folder = dq_path_folder(self);
    path = dq_asprintf("%s/../../tools/fake_worker", folder);
    free(folder);
    return path;
}

static char *job_line(void *context, int64_t number)
{
    struct dq_wire_job job = {.job = number};

    (void)context;
    return dq_wire_job_line(&job);
}

static void on_hello(void *context, int worker,
                     const struct dq_wire_hello *hello)
{
    struct stage *t = context;

    assert_in_range(worker, 0, t->rule.dispatch.workers - 1);
    assert_true(hello->pid > 1);
    t->hellos++;
}

static void on_note(void *context, int worker, const char *text)
{
    struct stage *t = context;

    (void)worker;
    snprintf(t->note, sizeof t->note, "%s", text);
}

static void on_words(void *context, int worker, const char *line)
{
    struct stage *t = context;

    (void)worker;
    snprintf(t->words, sizeof t->words, "%s", line);
}

static void on_obituary(void *context, const struct dq_obituary *o)
{
    struct stage *t = context;

    t->ends++;
    if (o->asked)
        return;
    if (t->deaths++ > 0)
        return;
    snprintf(t->first_death, sizeof t->first_death, "%s", o->text);
    snprintf(t->frames, sizeof t->frames, "%s", o->frames);
}

static void on_settled(void *context, const struct dq_list_entry *entry,
                       const struct dq_result *result)
{
    struct stage *t = context;

    (void)result;
    if (entry->task.kind == DQ_TASK_RENDER && ++t->settled == t->stop_after)
        dq_supervisor_stop(t->supervisor, t->grace_ms);
}

static void on_over(void *context)
{
    struct stage *t = context;

    dq_supervisor_stuck(t->supervisor, &t->stuck);
    dq_supervisor_close(t->supervisor);
}

static int open_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;

    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

static struct stage *set_up(const char *script, const char *frames)
{
    static const char *const devices[] = {"cpu", "cpu", "cpu", "cpu"};
    struct stage *t = dq_new(sizeof *t);
    struct dq_range range = {0};
    struct dq_err err = {0};

    setenv("FAKE_WORKER", script, 1);
    assert_int_equal(dq_range_parse(frames, &range, &err), DQ_OK);
    t->list = dq_list_new(1, &range, 2);
    dq_range_free(&range);
    dq_list_set_watch(t->list, on_settled, t);
    t->rule.dispatch = dq_dispatch_usual();
    t->rule.dispatch.source = dq_list_source(t->list);
    t->rule.dispatch.workers = 1;
    t->rule.dispatch.pause_ms = 1;
    t->rule.dispatch.restart_ms = 1;
    t->rule.devices = devices;
    t->rule.run_id = "test";
    t->rule.loop = &t->loop;
    t->rule.context = t;
    t->rule.job_line = job_line;
    t->rule.hello = on_hello;
    t->rule.note = on_note;
    t->rule.words = on_words;
    t->rule.obituary = on_obituary;
    t->rule.over = on_over;
    return t;
}

/* To the end: no process, no descriptor, no handle is left. */
static void play(struct stage *t)
{
    int before = open_descriptors();
    char *program = t->rule.program ? NULL : fake_worker();

    if (program)
        t->rule.program = program;
    uv_loop_init(&t->loop);
    t->supervisor = dq_supervisor_new(&t->rule);
    uv_run(&t->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&t->loop), 0);
    free(program);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    if (before < open_descriptors())
        assert_int_equal(before, open_descriptors());
}

static size_t count_of(const struct stage *t, enum dq_task_state state)
{
    return dq_list_goals(t->list, state);
}

static const struct dq_list_entry *entry(const struct stage *t, int i)
{
    return dq_list_at(t->list, (size_t)i);
}

static void take_down(struct stage *t)
{
    dq_list_free(t->list);
    free(t);
}

/* libuv keeps a pipe for signals from its first loop on. */
static void open_what_stays_open(void)
{
    struct stage *t = set_up("", "1");
    char *program = fake_worker();

    t->rule.program = program;
    uv_loop_init(&t->loop);
    t->supervisor = dq_supervisor_new(&t->rule);
    uv_run(&t->loop, UV_RUN_DEFAULT);
    uv_loop_close(&t->loop);
    take_down(t);
    free(program);
}

static void a_shot_is_settled_and_nothing_is_left_behind(void **state)
{
    struct stage *t = set_up("5=skip 7=fail:PLATE", "1-20");

    (void)state;
    t->rule.dispatch.workers = 3;
    play(t);
    assert_int_equal(count_of(t, DQ_TASK_DONE), 18);
    assert_int_equal(entry(t, 5)->state, DQ_TASK_SKIPPED);
    assert_int_equal(entry(t, 7)->state, DQ_TASK_FAILED);
    assert_int_equal(entry(t, 7)->code, DQ_PLATE);
    assert_non_null(strstr(entry(t, 7)->text, "scripted PLATE"));
    assert_int_equal(t->deaths, 0);
    assert_int_equal(t->ends, 3);
    take_down(t);
}

static void who_is_still_starting_when_all_is_done_is_no_bad_news(void **state)
{
    struct stage *t = set_up("start@1=hang", "1-9");

    (void)state;
    t->rule.dispatch.workers = 2;
    play(t);
    assert_int_equal(count_of(t, DQ_TASK_DONE), 9);
    assert_int_equal(t->deaths, 0);
    assert_int_equal(t->ends, 2);
    take_down(t);
}

static void a_dead_worker_gets_an_obituary_and_its_frames_are_done(void **state)
{
    struct stage *t = set_up("4@1=die:11", "1-9");

    (void)state;
    play(t);
    assert_int_equal(count_of(t, DQ_TASK_DONE), 9);
    assert_int_equal(t->deaths, 1);
    assert_non_null(strstr(t->first_death, "signal 11"));
    assert_non_null(strstr(t->frames, "4"));
    assert_int_equal(entry(t, 4)->task.attempt, 2);
    take_down(t);
}

static void a_frame_that_kills_workers_fails_and_the_others_do_not(void **state)
{
    struct stage *t = set_up("4=die:6", "1-9");

    (void)state;
    play(t);
    assert_int_equal(count_of(t, DQ_TASK_DONE), 8);
    assert_int_equal(entry(t, 4)->state, DQ_TASK_FAILED);
    assert_int_equal(entry(t, 4)->code, DQ_WORKER);
    assert_int_equal(entry(t, 4)->failures, 3);
    assert_non_null(strstr(entry(t, 4)->text, "signal 6"));
    for (int i = 1; i <= 9; i++)
        if (i != 4)
            assert_int_equal(entry(t, i)->failures, 0);
    take_down(t);
}

static void a_hanging_frame_is_killed_and_tried_again(void **state)
{
    struct stage *t = set_up("4@1=hang", "1-9");

    (void)state;
    t->rule.dispatch.stage_limit_ms = 300;
    play(t);
    assert_int_equal(count_of(t, DQ_TASK_DONE), 9);
    assert_non_null(strstr(t->first_death, "no progress"));
    take_down(t);
}

static void nonsense_from_a_worker_is_its_death(void **state)
{
    struct stage *t = set_up("4@1=garbage", "1-9");

    (void)state;
    play(t);
    assert_int_equal(count_of(t, DQ_TASK_DONE), 9);
    assert_non_null(strstr(t->first_death, "it was killed"));
    take_down(t);
}

static void a_worker_that_gives_orders_is_ended(void **state)
{
    struct stage *t = set_up("4@1=stranger", "1-9");

    (void)state;
    play(t);
    assert_int_equal(count_of(t, DQ_TASK_DONE), 9);
    assert_non_null(strstr(t->first_death, "gives orders"));
    take_down(t);
}

static void a_worker_that_hangs_up_is_ended(void **state)
{
    struct stage *t = set_up("4@1=close", "1-9");

    (void)state;
    play(t);
    assert_int_equal(count_of(t, DQ_TASK_DONE), 9);
    assert_int_equal(t->deaths, 1);
    take_down(t);
}

static void the_word_of_an_old_attempt_changes_nothing(void **state)
{
    struct stage *t = set_up("4=late", "1-9");

    (void)state;
    play(t);
    assert_int_equal(count_of(t, DQ_TASK_DONE), 9);
    assert_int_equal(entry(t, 4)->task.attempt, 1);
    take_down(t);
}

static void workers_that_cannot_start_end_the_run_with_their_words(void **state)
{
    struct stage *t = set_up("start=exit:78", "1-9");

    (void)state;
    play(t);
    assert_int_equal(t->stuck.code, DQ_CONFIG);
    assert_int_equal(t->ends, 3);
    assert_int_equal(count_of(t, DQ_TASK_WAITING), 9);
    take_down(t);
}

static void workers_that_crash_at_once_end_the_run(void **state)
{
    struct stage *t = set_up("start=die:11", "1-9");

    (void)state;
    play(t);
    assert_int_equal(t->stuck.code, DQ_WORKER);
    assert_non_null(strstr(t->stuck.text, "signal 11"));
    take_down(t);
}

static void a_program_that_is_not_there_ends_the_run(void **state)
{
    struct stage *t = set_up("", "1-9");

    (void)state;
    t->rule.program = "/nowhere/depthq-worker";
    play(t);
    assert_int_equal(t->stuck.code, DQ_CONFIG);
    assert_non_null(strstr(t->stuck.text, "/nowhere/depthq-worker"));
    take_down(t);
}

static void a_worker_of_another_version_gets_no_work(void **state)
{
    struct stage *t = set_up("version=0.0.0", "1-9");

    (void)state;
    play(t);
    assert_int_equal(t->stuck.code, DQ_CONFIG);
    assert_non_null(strstr(t->stuck.text, "version 0.0.0"));
    take_down(t);
}

static void stopping_finishes_what_is_in_hand(void **state)
{
    struct stage *t = set_up("credit=3", "1-50");

    (void)state;
    t->stop_after = 5;
    t->grace_ms = 60000;
    play(t);
    assert_in_range(count_of(t, DQ_TASK_DONE), 5, 8);
    assert_int_equal(count_of(t, DQ_TASK_DONE) + count_of(t, DQ_TASK_READY),
                     50);
    assert_int_equal(t->deaths, 0);
    take_down(t);
}

static void what_hangs_when_time_is_over_is_killed_and_handed_back(void **state)
{
    struct stage *t = set_up("6=hang", "1-50");

    (void)state;
    t->stop_after = 5;
    t->grace_ms = 0;
    play(t);
    assert_int_equal(count_of(t, DQ_TASK_DONE), 5);
    assert_int_equal(count_of(t, DQ_TASK_READY), 45);
    assert_int_equal(entry(t, 6)->failures, 0);
    take_down(t);
}

static void a_worker_that_does_not_go_is_made_to(void **state)
{
    struct stage *t = set_up("drain=hang", "1-5");

    (void)state;
    t->rule.dispatch.drain_limit_ms = 100;
    play(t);
    assert_int_equal(count_of(t, DQ_TASK_DONE), 5);
    take_down(t);
}

static void what_a_worker_prints_is_passed_on(void **state)
{
    struct stage *t = set_up("3=print:mind-the-gap", "1-5");

    (void)state;
    play(t);
    assert_string_equal(t->words, "mind-the-gap");
    take_down(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shot_is_settled_and_nothing_is_left_behind),
        cmocka_unit_test(who_is_still_starting_when_all_is_done_is_no_bad_news),
        cmocka_unit_test(
            a_dead_worker_gets_an_obituary_and_its_frames_are_done),
        cmocka_unit_test(
            a_frame_that_kills_workers_fails_and_the_others_do_not),
        cmocka_unit_test(a_hanging_frame_is_killed_and_tried_again),
        cmocka_unit_test(nonsense_from_a_worker_is_its_death),
        cmocka_unit_test(a_worker_that_gives_orders_is_ended),
        cmocka_unit_test(a_worker_that_hangs_up_is_ended),
        cmocka_unit_test(the_word_of_an_old_attempt_changes_nothing),
        cmocka_unit_test(
            workers_that_cannot_start_end_the_run_with_their_words),
        cmocka_unit_test(workers_that_crash_at_once_end_the_run),
        cmocka_unit_test(a_program_that_is_not_there_ends_the_run),
        cmocka_unit_test(a_worker_of_another_version_gets_no_work),
        cmocka_unit_test(stopping_finishes_what_is_in_hand),
        cmocka_unit_test(
            what_hangs_when_time_is_over_is_killed_and_handed_back),
        cmocka_unit_test(a_worker_that_does_not_go_is_made_to),
        cmocka_unit_test(what_a_worker_prints_is_passed_on),
    };

    open_what_stays_open();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
