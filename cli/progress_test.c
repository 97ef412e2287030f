#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/progress.h"

/* ---- the bar -------------------------------------------------------------*/

static void assert_bar(struct dq_progress_state state, int width,
                       const char *want)
{
    char *bar = dq_progress_bar(&state, width, 0);

    assert_string_equal(bar, want);
    free(bar);
}

static void the_bar_tells_frames_speed_time_left_and_failures(void **state)
{
    struct dq_progress_state s = {.name = "sh010",
                                  .frames = 240,
                                  .settled = 60,
                                  .failed = 2,
                                  .surveyed = 1,
                                  .per_second = 1.9,
                                  .left_s = 96};

    (void)state;
    assert_bar(s, 79,
               "sh010 [#######----------------------] "
               "60/240  1.9 frames/s  1:36 left  2 failed");
    s.failed = 0;
    s.per_second = 0.25;
    s.left_s = 4000;
    assert_bar(s, 79,
               "sh010 [#########----------------------------] "
               "60/240  4.0 s/frame  1:06:40 left");
}

static void before_it_knows_the_bar_says_nothing_of_time(void **state)
{
    struct dq_progress_state s = {.name = "a", .frames = 8, .left_s = -1};

    (void)state;
    assert_bar(s, 40, "a [-----------] 0/8  looking at the shot");
    s.surveyed = 1;
    s.settled = 4;
    assert_bar(s, 30, "a [###########-----------] 4/8");
    s.blocked = 1;
    assert_bar(s, 40, "a [#####------] 4/8  waiting for storage");
}

static void before_frames_the_bar_tells_what_is_done(void **state)
{
    struct dq_progress_state s = {.name = "a",
                                  .frames = 8,
                                  .scans = 8,
                                  .scanned = 3,
                                  .surveyed = 1,
                                  .left_s = -1};

    (void)state;
    assert_bar(s, 40, "a [-------------------] 0/8  scanned 3/8");
    s.scanned = 8;
    assert_bar(s, 40, "a [--------------] 0/8  solving the shot");
    s.solved = 1;
    assert_bar(s, 20, "a [------------] 0/8");
    s.solved = 0; /* of a shot that is done in part */
    s.scanned = 0;
    s.settled = 2;
    assert_bar(s, 20, "a [###---------] 2/8");
}

static void the_bar_fits_every_width(void **state)
{
    struct dq_progress_state s = {.name = "a_long_name_of_a_shot_v012",
                                  .frames = 100000,
                                  .settled = 99999,
                                  .failed = 99998,
                                  .surveyed = 1,
                                  .per_second = 1234.5,
                                  .left_s = 1e12};

    (void)state;
    for (int width = 0; width < 200; width++) {
        char *bar = dq_progress_bar(&s, width, 0);

        assert_true((int)strlen(bar) <= width);
        free(bar);
    }
}

/* ---- pace ----------------------------------------------------------------*/

static void the_pace_is_the_median_and_leaves_loading_out(void **state)
{
    struct dq_pace pace = {.workers = 1};
    int64_t now = 60000; /* the first frame paid for loading */

    (void)state;
    for (int i = 0; i < 5; i++) {
        assert_true(dq_pace_seconds(&pace) < 0);
        dq_pace_note(&pace, now);
        now += 2000;
    }
    assert_true(dq_pace_seconds(&pace) < 0);
    dq_pace_note(&pace, now);
    assert_true(dq_pace_seconds(&pace) == 2);
    now += 500000; /* one frame was slow; the median does not mind */
    dq_pace_note(&pace, now);
    assert_true(dq_pace_seconds(&pace) == 2);
    for (int i = 0; i < 1000; i++)
        dq_pace_note(&pace, now += 250);
    assert_true(dq_pace_seconds(&pace) == 0.25);
}

static void frames_of_many_workers_come_in_bursts(void **state)
{
    struct dq_pace pace = {.workers = 4};

    (void)state;
    for (int burst = 0; burst < 10; burst++)
        for (int i = 0; i < 4; i++)
            dq_pace_note(&pace, burst * 8000 + i);
    assert_true(dq_pace_seconds(&pace) == 2);
}

/* ---- lines ---------------------------------------------------------------*/

static struct dq_list_entry done_entry(void)
{
    struct dq_list_entry e = {
        .task = {1, DQ_TASK_RENDER, 1007, 1},
        .state = DQ_TASK_DONE,
        .seconds = {.read = 0.25, .infer = 1.5, .total = 2},
    };

    return e;
}

static void a_plain_line_has_words_of_key_and_value(void **state)
{
    struct dq_list_entry e = done_entry();
    char *line = dq_progress_plain(&e);

    (void)state;
    assert_string_equal(line, "frame=1007 state=done attempt=1 seconds=2.000 "
                              "read=0.250 colour=0.000 infer=1.500 "
                              "encode=0.000 publish=0.000");
    free(line);
    e.state = DQ_TASK_FAILED;
    e.task.attempt = 4;
    e.code = DQ_PLATE;
    e.text = (char *)"/p.exr: no channel \"R\"\n\xc2\x9b[2J";
    line = dq_progress_plain(&e);
    assert_string_equal(line, "frame=1007 state=failed attempt=4 code=PLATE "
                              "error=\"/p.exr: no channel \\\"R\\\"  [2J\"");
    free(line);
}

static void a_device_is_told_in_the_same_words(void **state)
{
    char *line = dq_progress_device_plain("cuda:0", "cuda:0 \"x\"\n");

    (void)state;
    assert_string_equal(line, "device=cuda:0 execution=\"cuda:0 \\\"x\\\" \"");
    free(line);
    line = dq_progress_device_json("cpu", "cpu avx2");
    assert_string_equal(line, "{\"event\":\"device\",\"device\":\"cpu\","
                              "\"execution\":\"cpu avx2\"}");
    free(line);
}

static void a_failure_before_success_is_not_told_with_it(void **state)
{
    struct dq_list_entry e = done_entry();
    char *line;

    (void)state;
    e.code = DQ_IO;
    e.state = DQ_TASK_SKIPPED;
    line = dq_progress_plain(&e);
    assert_string_equal(line, "frame=1007 state=skipped attempt=1");
    free(line);
}

static void a_json_line_has_the_same_words(void **state)
{
    struct dq_list_entry e = done_entry();
    char *line = dq_progress_json(&e);
    json_t *o = json_loads(line, JSON_REJECT_DUPLICATES, NULL);

    (void)state;
    assert_non_null(o);
    assert_string_equal(json_string_value(json_object_get(o, "event")),
                        "frame");
    assert_int_equal(json_integer_value(json_object_get(o, "frame")), 1007);
    assert_true(json_real_value(json_object_get(o, "infer_seconds")) == 1.5);
    assert_true(json_real_value(json_object_get(o, "seconds")) == 2);
    json_decref(o);
    free(line);
}

/* ---- what is written -----------------------------------------------------*/

struct paper {
    int fd;
    char text[65536];
};

static struct paper *paper_new(void)
{
    struct paper *paper = calloc(1, sizeof *paper);
    char name[] = "/tmp/progress_test.XXXXXX";

    assert_non_null(paper);
    paper->fd = mkstemp(name);
    assert_true(paper->fd >= 0);
    unlink(name);
    return paper;
}

static const char *read_paper(struct paper *paper)
{
    ssize_t n = pread(paper->fd, paper->text, sizeof paper->text - 1, 0);

    assert_true(n >= 0);
    paper->text[n] = '\0';
    return paper->text;
}

static void paper_free(struct paper *paper)
{
    close(paper->fd);
    free(paper);
}

static struct dq_progress *progress_on(const struct paper *paper,
                                       enum dq_progress_form form)
{
    struct dq_progress_rule rule = {
        .fd = paper->fd, .form = form, .name = "a", .frames = 4, .workers = 1};

    return dq_progress_new(&rule, 0);
}

static size_t count_of(const char *text, const char *what)
{
    size_t count = 0;

    for (; (text = strstr(text, what)); text += strlen(what))
        count++;
    return count;
}

static void the_bar_is_drawn_at_most_ten_times_a_second(void **state)
{
    struct paper *paper = paper_new();
    struct dq_progress *p = progress_on(paper, DQ_PROGRESS_BAR);
    struct dq_list_entry e = done_entry();

    (void)state;
    for (int64_t now = 0; now < 1000; now++) {
        dq_progress_task(p, &e, NULL, now);
        dq_progress_tick(p, now);
    }
    assert_in_range(count_of(read_paper(paper), "\r"), 9, 10);
    dq_progress_free(p);
    paper_free(paper);
}

static void counts_of_somebody_else_make_the_bar_and_its_pace(void **state)
{
    struct paper *paper = paper_new();
    struct dq_progress *p = progress_on(paper, DQ_PROGRESS_BAR);
    struct dq_progress_counts c = {.frames = 100, .surveyed = 1};

    (void)state;
    c.settled = c.done = 40; /* before we looked: no pace */
    dq_progress_count(p, &c, 1000);
    dq_progress_tick(p, 1000);
    assert_null(strstr(read_paper(paper), "frames/s"));
    assert_non_null(strstr(paper->text, "40/100"));
    c.settled = c.done = 50; /* ten in two seconds, in one look */
    c.failed = 0;
    dq_progress_count(p, &c, 3000);
    dq_progress_tick(p, 3000);
    assert_non_null(
        strstr(read_paper(paper), "50/100  5.0 frames/s  0:10 left"));
    dq_progress_free(p);
    paper_free(paper);
}

static void what_is_told_without_times_has_none(void **state)
{
    struct dq_list_entry e = {.state = DQ_TASK_DONE, .seconds.total = -1};
    char *plain, *json;

    (void)state;
    e.task.kind = DQ_TASK_RENDER;
    e.task.frame = 7;
    e.task.attempt = 2;
    plain = dq_progress_plain(&e);
    json = dq_progress_json(&e);
    assert_string_equal(plain, "frame=7 state=done attempt=2");
    assert_null(strstr(json, "seconds"));
    free(plain);
    free(json);
}

static void a_message_has_a_line_of_its_own_beside_the_bar(void **state)
{
    struct paper *paper = paper_new();
    struct dq_progress *p = progress_on(paper, DQ_PROGRESS_BAR);

    (void)state;
    dq_progress_tick(p, 100);
    dq_progress_say(p, "warning", "mind\xc2\x9b[2J the %s", "gap");
    dq_progress_tick(p, 200);
    dq_progress_free(p);
    assert_non_null(
        strstr(read_paper(paper), "\033[K\r\033[Kmind [2J the gap\n\ra ["));
    assert_string_equal(paper->text + strlen(paper->text) - 4, "\r\033[K");
    paper_free(paper);
}

static void a_log_hears_of_us_every_minute(void **state)
{
    struct paper *paper = paper_new();
    struct dq_progress *p = progress_on(paper, DQ_PROGRESS_PLAIN);
    size_t lines = 0;

    (void)state;
    for (int64_t now = 0; now <= 600000; now += 1000)
        dq_progress_tick(p, now);
    lines = count_of(read_paper(paper), "\n");
    assert_true(lines >= 10 && lines < 20);
    assert_non_null(strstr(paper->text, "alive settled=0 frames=4"));
    assert_null(strchr(paper->text, '\r'));
    dq_progress_free(p);
    paper_free(paper);
}

static void a_log_of_a_shot_that_is_scanned_hears_how_far(void **state)
{
    struct paper *paper = paper_new();
    struct dq_progress *p = progress_on(paper, DQ_PROGRESS_PLAIN);
    struct dq_progress_counts c = {
        .frames = 4, .scans = 4, .scanned = 3, .surveyed = 1};

    (void)state;
    dq_progress_count(p, &c, 0);
    dq_progress_tick(p, 60000);
    c.settled = 1;
    dq_progress_count(p, &c, 60000);
    dq_progress_tick(p, 120000);
    assert_string_equal(
        read_paper(paper),
        "alive settled=0 frames=4 failed=0 scanned=3 scans=4 seconds=60\n"
        "alive settled=1 frames=4 failed=0 seconds=120\n");
    dq_progress_free(p);
    paper_free(paper);
}

static void every_json_line_is_an_object_with_the_time(void **state)
{
    struct paper *paper = paper_new();
    struct dq_progress *p = progress_on(paper, DQ_PROGRESS_JSON);
    struct dq_list_entry e = done_entry();
    char *line, *rest = NULL;

    (void)state;
    dq_progress_task(p, &e, NULL, 1);
    dq_progress_say(p, "warning", "a \"quoted\" \xff word");
    dq_progress_tick(p, 100000);
    read_paper(paper);
    assert_int_equal(count_of(paper->text, "\n"), 3);
    for (line = strtok_r(paper->text, "\n", &rest); line;
         line = strtok_r(NULL, "\n", &rest)) {
        json_t *o = json_loads(line, JSON_REJECT_DUPLICATES, NULL);

        assert_non_null(json_object_get(o, "time"));
        assert_non_null(json_object_get(o, "event"));
        json_decref(o);
    }
    dq_progress_free(p);
    paper_free(paper);
}

static void without_a_terminal_there_is_no_bar(void **state)
{
    struct paper *paper = paper_new();

    (void)state;
    setenv("TERM", "xterm", 1);
    assert_int_equal(dq_progress_form_for(DQ_PROGRESS_AUTO, paper->fd),
                     DQ_PROGRESS_PLAIN);
    assert_int_equal(dq_progress_form_for(DQ_PROGRESS_BAR, paper->fd),
                     DQ_PROGRESS_BAR);
    paper_free(paper);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bar_tells_frames_speed_time_left_and_failures),
        cmocka_unit_test(before_it_knows_the_bar_says_nothing_of_time),
        cmocka_unit_test(before_frames_the_bar_tells_what_is_done),
        cmocka_unit_test(the_bar_fits_every_width),
        cmocka_unit_test(the_pace_is_the_median_and_leaves_loading_out),
        cmocka_unit_test(frames_of_many_workers_come_in_bursts),
        cmocka_unit_test(a_plain_line_has_words_of_key_and_value),
        cmocka_unit_test(a_device_is_told_in_the_same_words),
        cmocka_unit_test(a_failure_before_success_is_not_told_with_it),
        cmocka_unit_test(a_json_line_has_the_same_words),
        cmocka_unit_test(the_bar_is_drawn_at_most_ten_times_a_second),
        cmocka_unit_test(counts_of_somebody_else_make_the_bar_and_its_pace),
        cmocka_unit_test(what_is_told_without_times_has_none),
        cmocka_unit_test(a_message_has_a_line_of_its_own_beside_the_bar),
        cmocka_unit_test(a_log_hears_of_us_every_minute),
        cmocka_unit_test(a_log_of_a_shot_that_is_scanned_hears_how_far),
        cmocka_unit_test(every_json_line_is_an_object_with_the_time),
        cmocka_unit_test(without_a_terminal_there_is_no_bar),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
