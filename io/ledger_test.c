#include "base/testing.h"

#include <inttypes.h>

#include "base/mem.h"
#include "io/ledger.h"

/* 2026-11-24T10:00:00.500Z */
#define NOON_NS INT64_C(1795514400500000000)

static void fill_digest(char hex[DQ_SHA256_HEX], char with)
{
    memset(hex, with, DQ_SHA256_HEX - 1);
    hex[DQ_SHA256_HEX - 1] = '\0';
}

/* Frame 7 as the v-th version of it. */
static struct dq_done version(int v)
{
    struct dq_done done = {
        .frame = 7,
        .output = {.bytes = 1000 + v,
                   .mtime_ns = NOON_NS + v * INT64_C(1000000000)},
        .plate = {.bytes = 5, .mtime_ns = -1}};
    char digest[DQ_SHA256_HEX];

    snprintf(digest, sizeof digest, "%064d", v);
    memcpy(done.fingerprint, digest, sizeof digest);
    memcpy(done.output.sha256, digest, sizeof digest);
    fill_digest(done.plate.sha256, 'b');
    fill_digest(done.made.model_sha256, 'c');
    snprintf(done.made.model, sizeof done.made.model, "net@%d", v);
    snprintf(done.made.host, sizeof done.made.host, "gpu%02d", v % 100);
    snprintf(done.made.device, sizeof done.made.device, "cuda:0");
    done.made.attempt = 2;
    return done;
}

static void note(const struct dq_done *done)
{
    struct dq_err err = {0};

    if (dq_ledger_write("shot", done, "t", &err))
        fail_msg("%s", err.text);
}

/* Versions of frame 7, newest first. The caller frees. */
static struct dq_done *history(size_t *count)
{
    struct dq_done *versions = NULL;
    struct dq_err err = {0};

    if (dq_ledger_history("shot", 7, &versions, count, &err))
        fail_msg("%s", err.text);
    return versions;
}

static void expect_same(const struct dq_done *got, const struct dq_done *want)
{
    assert_int_equal(got->frame, want->frame);
    assert_string_equal(got->fingerprint, want->fingerprint);
    assert_memory_equal(&got->output, &want->output, sizeof want->output);
    assert_memory_equal(&got->plate, &want->plate, sizeof want->plate);
}

static void what_was_noted_is_read(void **state)
{
    struct dq_done in = version(1), out, *versions;
    struct dq_err err = {0};
    size_t count;

    (void)state;
    snprintf(in.made.suspect, sizeof in.made.suspect, "flat,\"made\":{}\n");
    note(&in);
    assert_int_equal(dq_ledger_read("shot", 7, &out, &err), DQ_OK);
    expect_same(&out, &in);
    versions = history(&count);
    assert_int_equal(count, 1);
    expect_same(&versions[0], &in);
    assert_string_equal(versions[0].made.when, "2026-11-24T10:00:01.500Z");
    memcpy(in.made.when, versions[0].made.when, sizeof in.made.when);
    assert_memory_equal(&versions[0].made, &in.made, sizeof in.made);
    free(versions);
}

static void a_frame_without_a_record_is_missing(void **state)
{
    struct dq_done out, *versions;
    struct dq_err err = {0};
    size_t count = 5;

    (void)state;
    assert_int_equal(dq_ledger_read("shot", 7, &out, NULL), DQ_MISSING);
    assert_int_equal(dq_ledger_history("shot", 7, &versions, &count, &err),
                     DQ_MISSING);
    assert_null(versions);
    assert_int_equal(count, 0);
}

/* The record's first line with one byte changed, everywhere before its making:
 * what is read quickly is what JSON says. */
static void a_changed_byte_means_what_it_means_as_json(void **state)
{
    static const char instead[] = "0\"-,}x ";
    struct dq_done in = version(1);
    char text[2048] = "";
    size_t bytes;
    FILE *file;

    (void)state;
    note(&in);
    file = fopen("shot/done/7.json", "r");
    assert_non_null(file);
    bytes = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    bytes = (size_t)(strstr(text, ",\"made\"") - text);
    for (size_t i = 0; i < bytes * (sizeof instead - 1); i++) {
        char *at = &text[i % bytes], was = *at;
        struct dq_done quick, *json = NULL;
        size_t count = 0;
        int code;

        *at = instead[i / bytes];
        put_file("shot/done/7.json", text);
        code = dq_ledger_read("shot", 7, &quick, NULL);
        assert_int_equal(code,
                         dq_ledger_history("shot", 7, &json, &count, NULL));
        if (!code)
            expect_same(&quick, json);
        free(json);
        *at = was;
    }
}

static void versions_are_kept_newest_first(void **state)
{
    struct dq_done *versions;
    size_t count;

    (void)state;
    for (int v = 1; v <= 3; v++) {
        struct dq_done done = version(v);

        note(&done);
    }
    versions = history(&count);
    assert_int_equal(count, 3);
    for (int i = 0; i < 3; i++) {
        struct dq_done want = version(3 - i);

        assert_string_equal(versions[i].made.model, want.made.model);
        assert_string_equal(versions[i].output.sha256, want.output.sha256);
    }
    free(versions);
}

static void a_version_that_comes_back_is_told_twice(void **state)
{
    struct dq_done a = version(1), b = version(2), *versions;
    size_t count;

    (void)state;
    note(&a);
    note(&b);
    note(&a);
    versions = history(&count);
    assert_int_equal(count, 3);
    assert_string_equal(versions[0].made.model, "net@1");
    assert_string_equal(versions[2].made.model, "net@1");
    free(versions);
}

/* As after `touch`, or when another machine makes the same bytes. */
static void the_same_bytes_are_the_same_version(void **state)
{
    struct dq_done first = version(1), again = version(1), *versions;
    size_t count;

    (void)state;
    note(&first);
    again.output.mtime_ns += 60 * INT64_C(1000000000);
    memset(&again.made, 0, sizeof again.made);
    snprintf(again.made.host, sizeof again.made.host, "another");
    note(&again);
    versions = history(&count);
    assert_int_equal(count, 1);
    assert_int_equal(versions[0].output.mtime_ns, again.output.mtime_ns);
    assert_string_equal(versions[0].made.when, "2026-11-24T10:00:01.500Z");
    assert_string_equal(versions[0].made.model, "net@1");
    assert_string_equal(versions[0].made.host, "gpu01");
    assert_int_equal(versions[0].made.attempt, 2);
    free(versions);
}

/* The text that depthq wrote before it kept history. */
static void put_old_record(const struct dq_done *done)
{
    char *text = dq_asprintf(
        "{\"depthq_done\":1,\"frame\":7,\"fingerprint\":\"%s\","
        "\"output\":{\"bytes\":%" PRId64 ",\"mtime_ns\":%" PRId64
        ",\"sha256\":\"%s\"},"
        "\"plate\":{\"bytes\":5,\"mtime_ns\":-1,\"sha256\":\"%s\"}}",
        done->fingerprint, done->output.bytes, done->output.mtime_ns,
        done->output.sha256, done->plate.sha256);

    mkdir("shot", 0777);
    mkdir("shot/done", 0777);
    put_file("shot/done/7.json", text);
    free(text);
}

static void an_old_record_is_read_and_becomes_history(void **state)
{
    struct dq_done old = version(1), new = version(2), out, *versions;
    struct dq_err err = {0};
    size_t count;

    (void)state;
    put_old_record(&old);
    assert_int_equal(dq_ledger_read("shot", 7, &out, &err), DQ_OK);
    assert_memory_equal(&out.output, &old.output, sizeof old.output);
    assert_string_equal(out.made.model, "");
    assert_int_equal(out.made.attempt, 0);
    note(&new);
    versions = history(&count);
    assert_int_equal(count, 2);
    assert_string_equal(versions[1].fingerprint, old.fingerprint);
    free(versions);
}

static void an_old_record_learns_what_made_it(void **state)
{
    struct dq_done old = version(1), now = version(1), *out;
    size_t count;

    (void)state;
    put_old_record(&old);
    now.output.mtime_ns += 1;
    note(&now);
    out = history(&count);
    assert_string_equal(out->made.model, "net@1");
    assert_string_equal(out->made.when, "2026-11-24T10:00:01.500Z");
    free(out);
}

static void a_damaged_record_is_none_and_is_replaced(void **state)
{
    struct dq_done done = version(2), out, *versions;
    struct dq_err err = {0};
    size_t count;

    (void)state;
    note(&done);
    put_file("shot/done/7.json", "{\"depthq_done\":1,\"frame\":7");
    assert_int_equal(dq_ledger_read("shot", 7, &out, &err), DQ_MISSING);
    note(&done);
    versions = history(&count);
    assert_int_equal(count, 1);
    free(versions);
}

static void a_damaged_earlier_line_hides_no_other(void **state)
{
    struct dq_done done = version(1), *versions;
    FILE *file;
    size_t count;

    (void)state;
    note(&done);
    file = fopen("shot/done/7.json", "a");
    assert_non_null(file);
    assert_true(fputs("no json\n", file) >= 0);
    assert_int_equal(fclose(file), 0);
    for (int v = 2; v <= 3; v++) {
        done = version(v);
        note(&done);
    }
    versions = history(&count);
    assert_int_equal(count, 3);
    assert_string_equal(versions[2].made.model, "net@1");
    free(versions);
}

/* However often a frame is made again, its record stays readable. */
static void only_so_many_versions_are_kept(void **state)
{
    size_t count = 0, before;

    (void)state;
    for (int v = 1; v <= 200; v++) {
        struct dq_done done = version(v), *versions;

        note(&done);
        before = count;
        versions = history(&count);
        assert_true(count + 1 >= before); /* one goes at a time */
        assert_string_equal(versions[0].made.model, done.made.model);
        done = version(v - (int)count + 1);
        assert_string_equal(versions[count - 1].made.model, done.made.model);
        free(versions);
    }
    assert_in_range(count, 40, 199);
}

/* Another class of machine gives other last digits of the same recipe. */
static void other_bytes_are_another_version(void **state)
{
    struct dq_done first = version(1), second = version(1), *versions;
    size_t count;

    (void)state;
    fill_digest(second.output.sha256, 'd');
    note(&first);
    note(&second);
    versions = history(&count);
    assert_int_equal(count, 2);
    assert_string_equal(versions[0].output.sha256, second.output.sha256);
    free(versions);
}

static void frames_with_a_record_are_listed(void **state)
{
    struct dq_range frames = {0};
    struct dq_err err = {0};
    char *text;

    (void)state;
    assert_int_equal(dq_ledger_frames("shot", &frames, &err), DQ_OK);
    assert_int_equal(frames.count, 0);
    for (int frame = -1; frame <= 11; frame += 3) {
        struct dq_done done = version(1);

        done.frame = frame;
        note(&done);
    }
    put_file("shot/done/notes.json", "{}");
    assert_int_equal(dq_ledger_frames("shot", &frames, &err), DQ_OK);
    text = dq_range_text(&frames);
    assert_string_equal(text, "-1-11x3");
    free(text);
    dq_range_free(&frames);
}

/* A text that is no UTF-8 costs itself, not the record. */
static void a_host_with_odd_bytes_costs_its_name_alone(void **state)
{
    struct dq_done done = version(1), *out;
    size_t count;

    (void)state;
    snprintf(done.made.host, sizeof done.made.host, "gpu\xff");
    note(&done);
    out = history(&count);
    assert_string_equal(out->made.host, "");
    assert_string_equal(out->made.model, "net@1");
    free(out);
}

int main(void)
{
#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_was_noted_is_read),
        TEST(a_frame_without_a_record_is_missing),
        TEST(a_changed_byte_means_what_it_means_as_json),
        TEST(versions_are_kept_newest_first),
        TEST(a_version_that_comes_back_is_told_twice),
        TEST(the_same_bytes_are_the_same_version),
        TEST(an_old_record_is_read_and_becomes_history),
        TEST(an_old_record_learns_what_made_it),
        TEST(a_damaged_record_is_none_and_is_replaced),
        TEST(a_damaged_earlier_line_hides_no_other),
        TEST(only_so_many_versions_are_kept),
        TEST(other_bytes_are_another_version),
        TEST(frames_with_a_record_are_listed),
        TEST(a_host_with_odd_bytes_costs_its_name_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
