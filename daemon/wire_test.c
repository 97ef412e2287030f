#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "daemon/wire.h"

static json_t *message_of(const char *line)
{
    struct dq_bytes received = {0};
    struct dq_err err = {0};
    json_t *message;

    dq_bytes_text(&received, line);
    message = dq_wire_next(&received, &err);
    if (!message)
        print_message("%s\n", err.text);
    assert_non_null(message);
    assert_int_equal(received.count, 0);
    dq_bytes_free(&received);
    return message;
}

/* The message of a line that a writer made; the line goes. */
static json_t *message_from(char *line)
{
    json_t *message = message_of(line);

    assert_null(strchr(line, '\n')[1] ? "a second line" : NULL);
    free(line);
    return message;
}

static struct dq_wire_job some_job(void)
{
    struct dq_wire_job job = {
        .job = 12,
        .yaml = "depthq: 1\nplate: \"a\\\".####.exr\"\n",
        .file = "/shots/caf\xe9/shot.yaml", /* Latin-1, as a path may be */
        .folder = "/shots/caf\xc3\xa9",
        .frames = "-5--1,1001-1240x2",
        .model_path = "/m/\xee\xbf\xa9.pt", /* a character of the escape */
        .model_sha256 = NULL,
        .anew = 2,
        .apart = 1,
    };

    return job;
}

static void a_job_arrives_as_it_was_sent(void **state)
{
    struct dq_wire_job sent = some_job(), got;
    json_t *message = message_from(dq_wire_job_line(&sent));
    struct dq_err err = {0};

    (void)state;
    assert_int_equal(dq_wire_message(message), DQ_MESSAGE_JOB);
    assert_int_equal(dq_wire_read_job(message, &got, &err), DQ_OK);
    assert_int_equal(got.job, 12);
    assert_string_equal(got.yaml, sent.yaml);
    assert_string_equal(got.file, sent.file);
    assert_string_equal(got.folder, sent.folder);
    assert_string_equal(got.frames, sent.frames);
    assert_string_equal(got.model_path, sent.model_path);
    assert_string_equal(got.model_sha256, "");
    assert_int_equal(got.anew, 2);
    assert_int_equal(got.apart, 1);
    dq_wire_job_free(&got);
    assert_null(got.yaml);
    json_decref(message);
}

static struct dq_result some_result(void)
{
    struct dq_result result = {
        .task = {(int64_t)1 << 40, DQ_TASK_RENDER, -7, 3},
        .code = DQ_PLATE,
        .text = "no channel 'R' in \xff\t\"x\"\n",
        .skipped = 1,
        .path = "/out/d.-0007.exr",
        .bytes = (int64_t)1 << 33,
        .suspect = "flat",
        .seconds = {0.1, 0.2, 1e-9, 4, 5, 1.0 / 3},
        .low = -0.0,
        .high = 65504,
    };

    memset(result.sha256, 'a', 64);
    memset(result.fingerprint, 'b', 64);
    return result;
}

static void a_result_arrives_as_it_was_sent(void **state)
{
    struct dq_result sent = some_result(), got;
    json_t *message = message_from(dq_wire_result_line(&sent));
    struct dq_err err = {0};

    (void)state;
    assert_int_equal(dq_wire_read_result(message, &got, &err), DQ_OK);
    assert_true(got.task.job == sent.task.job);
    assert_int_equal(got.task.kind, DQ_TASK_RENDER);
    assert_int_equal(got.task.frame, -7);
    assert_int_equal(got.task.attempt, 3);
    assert_int_equal(got.code, DQ_PLATE);
    assert_string_equal(got.text, sent.text);
    assert_int_equal(got.skipped, 1);
    assert_string_equal(got.path, sent.path);
    assert_string_equal(got.sha256, sent.sha256);
    assert_string_equal(got.fingerprint, sent.fingerprint);
    assert_true(got.bytes == sent.bytes);
    assert_string_equal(got.suspect, "flat");
    assert_memory_equal(&got.seconds, &sent.seconds, sizeof got.seconds);
    assert_true(got.low == 0 && signbit(got.low));
    assert_true(got.high == 65504);
    json_decref(message);
}

static void a_depth_that_is_no_number_stays_none(void **state)
{
    struct dq_result sent = {.task = {1, DQ_TASK_RENDER, 1, 1},
                             .low = (double)NAN,
                             .high = (double)INFINITY};
    struct dq_result got;
    json_t *message = message_from(dq_wire_result_line(&sent));
    struct dq_err err = {0};

    (void)state;
    assert_int_equal(dq_wire_read_result(message, &got, &err), DQ_OK);
    assert_true(isnan(got.low));
    assert_true(isnan(got.high));
    json_decref(message);
}

static void every_error_code_keeps_its_meaning(void **state)
{
    struct dq_err err = {0};

    (void)state;
    for (int code = 0; code < DQ_CODES; code++) {
        struct dq_result sent = {.code = code}, got;
        json_t *message = message_from(dq_wire_result_line(&sent));

        assert_int_equal(dq_wire_read_result(message, &got, &err), DQ_OK);
        assert_int_equal(got.code, code);
        json_decref(message);
    }
}

static void a_text_cut_inside_a_character_still_travels(void **state)
{
    struct dq_result sent = {0}, got;
    struct dq_err err = {0};
    json_t *message;

    (void)state;
    memset(sent.text, 'x', sizeof sent.text - 2);
    sent.text[sizeof sent.text - 2] = '\xc3'; /* its second byte is lost */
    message = message_from(dq_wire_result_line(&sent));
    assert_int_equal(dq_wire_read_result(message, &got, &err), DQ_OK);
    assert_string_equal(got.text, sent.text);
    json_decref(message);
}

static void small_messages_arrive_as_they_were_sent(void **state)
{
    struct dq_task task = {5, DQ_TASK_SURVEY, 0, 2}, got;
    struct dq_wire_hello hello = {4711, "0.1", "cuda:1", "h100", 4}, heard;
    struct dq_wire_stage stage;
    struct dq_wire_note note;
    struct dq_err err = {0};
    json_t *message;

    (void)state;
    message = message_from(dq_wire_task_line(&task));
    assert_int_equal(dq_wire_read_task(message, &got, &err), DQ_OK);
    assert_int_equal(got.job, 5);
    assert_int_equal(got.kind, DQ_TASK_SURVEY);
    assert_int_equal(got.attempt, 2);
    json_decref(message);
    message = message_from(dq_wire_hello_line(&hello));
    assert_int_equal(dq_wire_read_hello(message, &heard, &err), DQ_OK);
    assert_int_equal(heard.pid, 4711);
    assert_string_equal(heard.version, "0.1");
    assert_string_equal(heard.device, "cuda:1");
    assert_string_equal(heard.execution, "h100");
    assert_int_equal(heard.credit, 4);
    json_decref(message);
    message = message_from(dq_wire_stage_line(
        &task, "a stage whose name is far too long for its field"));
    assert_int_equal(dq_wire_read_stage(message, &stage, &err), DQ_OK);
    assert_int_equal(stage.task.attempt, 2);
    assert_string_equal(stage.stage, "a stage whose name is far too l");
    json_decref(message);
    message = message_from(dq_wire_note_line("mind the gap"));
    assert_int_equal(dq_wire_read_note(message, &note, &err), DQ_OK);
    assert_string_equal(note.text, "mind the gap");
    free(note.text);
    json_decref(message);
}

static void orders_without_content_are_what_they_say(void **state)
{
    struct dq_task task = {5, DQ_TASK_RENDER, 9, 2};
    json_t *message;

    (void)state;
    message = message_from(dq_wire_drain_line());
    assert_int_equal(dq_wire_message(message), DQ_MESSAGE_DRAIN);
    json_decref(message);
    message = message_from(dq_wire_forget_line(77));
    assert_int_equal(dq_wire_message(message), DQ_MESSAGE_FORGET);
    assert_int_equal(json_integer_value(json_object_get(message, "job")), 77);
    json_decref(message);
    message = message_from(dq_wire_drop_line(&task));
    assert_int_equal(dq_wire_message(message), DQ_MESSAGE_DROP);
    json_decref(message);
}

static void a_wrong_member_is_named(void **state)
{
    static const struct {
        const char *line, *says;
    } wrong[] = {
        {"{\"m\":\"task\",\"job\":1,\"kind\":\"render\",\"frame\":1}\n",
         "attempt"},
        {"{\"m\":\"task\",\"job\":1,\"kind\":\"paint\",\"frame\":1,"
         "\"attempt\":1}\n",
         "'paint'"},
        {"{\"m\":\"task\",\"job\":1,\"kind\":\"render\",\"frame\":4000000000,"
         "\"attempt\":1}\n",
         "frame"},
        {"{\"m\":\"task\",\"job\":\"1\",\"kind\":\"render\",\"frame\":1,"
         "\"attempt\":1}\n",
         "job"},
        {"{\"m\":\"task\",\"job\":1,\"kind\":\"render\",\"frame\":1.5,"
         "\"attempt\":1}\n",
         "frame"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        json_t *message = message_of(wrong[i].line);
        struct dq_err err = {0};
        struct dq_task task;

        assert_int_equal(dq_wire_read_task(message, &task, &err), DQ_BUG);
        assert_non_null(strstr(err.text, wrong[i].says));
        json_decref(message);
    }
}

static void a_text_too_long_for_its_field_is_refused(void **state)
{
    json_t *message = message_of(
        "{\"m\":\"hello\",\"pid\":1,\"version\":\"a version of thirty-two "
        "bytes 123\",\"device\":\"cpu\",\"execution\":\"\",\"credit\":1}\n");
    struct dq_wire_hello hello;
    struct dq_err err = {0};

    (void)state;
    assert_int_equal(dq_wire_read_hello(message, &hello, &err), DQ_BUG);
    assert_non_null(strstr(err.text, "version"));
    json_decref(message);
}

static void what_is_no_message_is_refused(void **state)
{
    static const char *const lines[] = {
        "\n",
        "garbage\n",
        "[]\n",
        "{}\n",
        "{\"m\":1}\n",
        "{\"m\":\"dance\"}\n",
        "{\"m\":\"drain\"} {\"m\":\"drain\"}\n",
        "{\"m\":\"drain\",\"m\":\"drain\"}\n",
        "{\"m\":\"drain\"\n",
        "{\"m\":\"note\",\"text\":\"\xff\"}\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct dq_bytes received = {0};
        struct dq_err err = {0};

        dq_bytes_text(&received, lines[i]);
        assert_null(dq_wire_next(&received, &err));
        assert_int_equal(err.code, DQ_BUG);
        dq_bytes_free(&received);
    }
}

static void lines_come_whole_however_they_are_cut(void **state)
{
    struct dq_task task = {1, DQ_TASK_RENDER, 1001, 1}, got;
    char *one = dq_wire_task_line(&task), *two = dq_wire_drain_line();
    char *both = dq_asprintf("%s%s", one, two);
    size_t count = strlen(both);

    (void)state;
    for (size_t cut = 0; cut <= count; cut++) {
        struct dq_bytes received = {0};
        struct dq_err err = {0};
        int messages = 0;

        for (int part = 0; part < 2; part++) {
            json_t *message;

            dq_bytes_add(&received, part ? both + cut : both,
                         part ? count - cut : cut);
            while ((message = dq_wire_next(&received, &err))) {
                if (messages++ == 0)
                    assert_int_equal(dq_wire_read_task(message, &got, &err),
                                     DQ_OK);
                json_decref(message);
            }
            assert_int_equal(err.code, DQ_OK);
        }
        assert_int_equal(messages, 2);
        assert_int_equal(got.frame, 1001);
        dq_bytes_free(&received);
    }
    free(both);
    free(two);
    free(one);
}

static void a_line_without_end_ends_the_conversation(void **state)
{
    struct dq_bytes received = {0};
    struct dq_err err = {0};
    char *piece = dq_new(1 << 20);

    (void)state;
    memset(piece, ' ', 1 << 20);
    for (int i = 0; i < 15; i++)
        dq_bytes_add(&received, piece, 1 << 20);
    assert_null(dq_wire_next(&received, &err));
    assert_int_equal(err.code, DQ_OK);
    dq_bytes_add(&received, piece, 1 << 20);
    assert_null(dq_wire_next(&received, &err));
    assert_int_equal(err.code, DQ_BUG);
    dq_bytes_free(&received);
    free(piece);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_arrives_as_it_was_sent),
        cmocka_unit_test(a_result_arrives_as_it_was_sent),
        cmocka_unit_test(a_depth_that_is_no_number_stays_none),
        cmocka_unit_test(every_error_code_keeps_its_meaning),
        cmocka_unit_test(a_text_cut_inside_a_character_still_travels),
        cmocka_unit_test(small_messages_arrive_as_they_were_sent),
        cmocka_unit_test(orders_without_content_are_what_they_say),
        cmocka_unit_test(a_wrong_member_is_named),
        cmocka_unit_test(a_text_too_long_for_its_field_is_refused),
        cmocka_unit_test(what_is_no_message_is_refused),
        cmocka_unit_test(lines_come_whole_however_they_are_cut),
        cmocka_unit_test(a_line_without_end_ends_the_conversation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
