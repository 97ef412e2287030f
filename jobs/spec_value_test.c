/* Each type of value against what people and generators write. */
#include "jobs/spec_testing.h"

struct fixture {
    const char *line;    /* below LEAST, so line 6 */
    const char *problem; /* or NULL: it is right */
};

static void check_all(const struct fixture *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        expect_more(list[i].line, list[i].problem ? list[i].problem : "none");
}

#define CHECK(list) check_all(list, sizeof(list) / sizeof *(list))
#define NO_INTEGER(at, text) \
    "6:" at ": retries: '" text "' is not a whole number such as 8\n"

static void whole_numbers(void **state)
{
    static const struct fixture list[] = {
        {"retries: 0\n", NULL},
        {"retries: 20\n", NULL},
        {"retries: 21\n", "6:10: retries: 21 is not between 0 and 20\n"},
        {"retries: -1\n", "6:10: retries: -1 is not between 0 and 20\n"},
        {"retries: 99999999999999999999\n",
         "6:10: retries: 99999999999999999999 is not between 0 and 20\n"},
        {"retries: 0o17\n", NO_INTEGER("10", "0o17")},
        {"retries: 0x1F\n", NO_INTEGER("10", "0x1F")},
        {"retries: 007\n", NO_INTEGER("10", "007")},
        {"retries: 1e1\n", NO_INTEGER("10", "1e1")},
        {"retries: 12:30\n", NO_INTEGER("10", "12:30")},
        {"retries: 1_0\n", NO_INTEGER("10", "1_0")},
        {"retries: +3\n", NO_INTEGER("10", "+3")},
        {"retries: 3.0\n", NO_INTEGER("10", "3.0")},
        {"retries: no\n", NO_INTEGER("10", "no")},
        {"retries: nan\n", NO_INTEGER("10", "nan")},
        {"retries: -\xc2\xb3\n", NO_INTEGER("10", "-\xc2\xb3")},
        {"retries: \xef\xbc\x93\n", NO_INTEGER("10", "\xef\xbc\x93")},
        {"retries: 3 # three\n", NULL},
        {"retries: \"3\"\n",
         "6:10: retries: is a text in quotes; write 3 without them\n"},
        {"retries: ''\n", NO_INTEGER("10", "")},
    };

    (void)state;
    CHECK(list);
}

#define NO_REAL(text) \
    "6:18: tiles.overlap: '" text "' is not a number such as 0.5\n"

static void real_numbers(void **state)
{
    static const struct fixture list[] = {
        {"tiles: {overlap: 0}\n", NULL},
        {"tiles: {overlap: 0.5}\n", NULL},
        {"tiles: {overlap: -0}\n", NULL},
        {"tiles: {overlap: 5e-1}\n", NULL},
        {"tiles: {overlap: 5E-01}\n", NULL},
        {"tiles: {overlap: 1e-400}\n", NULL},
        {"tiles: {overlap: 0.50000000000000011}\n",
         "6:18: tiles.overlap: 0.50000000000000011 is not between 0 and "
         "0.5\n"},
        {"tiles: {overlap: 1e999}\n",
         "6:18: tiles.overlap: 1e999 is not between 0 and 0.5\n"},
        {"tiles: {overlap: -0.1}\n",
         "6:18: tiles.overlap: -0.1 is not between 0 and 0.5\n"},
        {"tiles: {overlap: .nan}\n", NO_REAL(".nan")},
        {"tiles: {overlap: NaN}\n", NO_REAL("NaN")},
        {"tiles: {overlap: .inf}\n", NO_REAL(".inf")},
        {"tiles: {overlap: inf}\n", NO_REAL("inf")},
        {"tiles: {overlap: .25}\n", NO_REAL(".25")},
        {"tiles: {overlap: 0.}\n", NO_REAL("0.")},
        {"tiles: {overlap: 1e}\n", NO_REAL("1e")},
        {"tiles: {overlap: 0x1p-2}\n", NO_REAL("0x1p-2")},
        {"tiles: {overlap: 25%}\n", NO_REAL("25%")},
        {"tiles: {overlap: 00.25}\n", NO_REAL("00.25")},
        {"tiles: {overlap: \"0.25\"}\n",
         "6:18: tiles.overlap: is a text in quotes; write 0.25 without "
         "them\n"},
    };

    (void)state;
    CHECK(list);
}

static void switches(void **state)
{
    static const struct fixture list[] = {
        {"  mask: true\n", NULL},
        {"  mask: false\n", NULL},
        {"  mask: yes\n",
         "6:9: output.mask: 'yes' is neither true nor false\n"},
        {"  mask: no\n", "6:9: output.mask: 'no' is neither true nor false\n"},
        {"  mask: on\n", "6:9: output.mask: 'on' is neither true nor false\n"},
        {"  mask: True\n",
         "6:9: output.mask: 'True' is neither true nor false\n"},
        {"  mask: 1\n", "6:9: output.mask: '1' is neither true nor false\n"},
        {"  mask: 'true'\n",
         "6:9: output.mask: is a text in quotes; write true or false "
         "without\n"},
    };

    (void)state;
    CHECK(list);
}

static void choices(void **state)
{
    static const struct fixture list[] = {
        {"  type: half\n", NULL},
        {"  type: \"half\"\n", NULL},
        {"  compression: none\n", NULL},
        {"  type: Half\n",
         "6:9: output.type: 'Half' is none of float, half (did you mean "
         "'half'?)\n"},
        {"  type: \"\"\n", "6:9: output.type: '' is none of float, half\n"},
        {"  compression: zpi\n",
         "6:16: output.compression: 'zpi' is none of zips, zip, piz, pxr24, "
         "rle, none, htj2k, zstd (did you mean 'zip'?)\n"},
        {"  compression: b44\n",
         "6:16: output.compression: 'b44' is none of zips, zip, piz, pxr24, "
         "rle, none, htj2k, zstd\n"},
        {"tiles: {align: off}\n", NULL},
        {"tiles: {align: no}\n",
         "6:16: tiles.align: 'no' is none of auto, off\n"},
    };

    (void)state;
    CHECK(list);
}

static void words_or_numbers(void **state)
{
    static const struct fixture list[] = {
        {"tiles: {size: auto}\n", NULL},
        {"tiles: {size: whole}\n", NULL},
        {"tiles: {size: 'whole'}\n", NULL},
        {"tiles: {size: 16}\n", NULL},
        {"tiles: {size: 15}\n",
         "6:15: tiles.size: 15 is not between 16 and 32768\n"},
        {"tiles: {size: 0}\n",
         "6:15: tiles.size: 0 is not between 16 and 32768\n"},
        {"tiles: {size: -1}\n",
         "6:15: tiles.size: -1 is not between 16 and 32768\n"},
        {"tiles: {size: 512.5}\n",
         "6:15: tiles.size: '512.5' is not a whole number such as 8, nor "
         "auto\n"},
        {"tiles: {batch: whole}\n",
         "6:16: tiles.batch: 'whole' is not a whole number such as 8, nor "
         "auto\n"},
        {"tiles: {batch: 1024}\n", NULL},
        {"input: {exposure: auto}\n", NULL},
        {"input: {exposure: 0}\n", NULL},
        {"input: {exposure: -2.5}\n", NULL},
        {"input: {exposure: 33}\n",
         "6:19: input.exposure: 33 is not between -32 and 32\n"},
        {"input: {exposure: bright}\n",
         "6:19: input.exposure: 'bright' is not a number such as 0.5, nor "
         "auto\n"},
    };

    (void)state;
    CHECK(list);
}

static void names(void **state)
{
    static const char hundred[] =
        "0123456789012345678901234567890123456789012345678901234567890123456"
        "789012345678901234567890123456789";
    char *line;
    static const struct fixture list[] = {
        {"name: sh010_depth.v2-b\n", NULL},
        {"name: 0100\n", NULL},
        {"name: 'no'\n", NULL},
        {"name: a b\n",
         "6:7: name: 'a b' may hold letters, digits, '.', '_' and '-' only\n"},
        {"name: ../a\n",
         "6:7: name: '../a' may hold letters, digits, '.', '_' and '-' "
         "only\n"},
        {"name: \xc3\xa4\n",
         "6:7: name: '\xc3\xa4' may hold letters, digits, '.', '_' and '-' "
         "only\n"},
        {"name: ''\n", "6:7: name: is empty\n"},
    };

    (void)state;
    CHECK(list);
    line = dq_asprintf("name: %s\n", hundred);
    expect_more(line, "none");
    free(line);
    line = dq_asprintf("name: %s0\n", hundred);
    expect_more(line, "6:7: name: has 101 bytes; at most 100 are allowed\n");
    free(line);
}

static void texts(void **state)
{
    static const struct fixture list[] = {
        {"  channel: depth.Z\n", NULL},
        {"  channel: \"\xe6\xb7\xb1\xe3\x81\x95\"\n", NULL},
        {"  channel: \"\"\n", "6:12: output.channel: is empty\n"},
        {"  channel: \"a\\nb\"\n",
         "6:12: output.channel: holds a control character\n"},
        {"  channel: \"a\\x7fb\"\n",
         "6:12: output.channel: holds a control character\n"},
        {"  channel: \"a\\x82b\"\n",
         "6:12: output.channel: holds a control character\n"},
        {"  channel: \"a\\L\"\n",
         "6:12: output.channel: holds a control character\n"},
        {"  channel: \"\\ufeffZ\"\n",
         "6:12: output.channel: holds a control character\n"},
        {"  channel: \"\\ufffe\"\n",
         "6:12: output.channel: holds a control character\n"},
        {"  channel: \"\\xa0\\ufffd\"\n", NULL},
        {"input: {colorspace: \"ACES - ACEScg\"}\n", NULL},
    };

    (void)state;
    CHECK(list);
}

static void a_channel_name_has_at_most_255_bytes(void **state)
{
    char name[257], *line;

    (void)state;
    memset(name, 'z', 256);
    name[256] = '\0';
    line = dq_asprintf("  channel: %s\n", name);
    expect_more(line, "6:12: output.channel: has 256 bytes; at most 255 are "
                      "allowed\n");
    free(line);
    line = dq_asprintf("  channel: %s\n", name + 1);
    expect_more(line, "none");
    free(line);
}

static void a_key_without_a_value_is_an_error(void **state)
{
    static const char *const nothing[] = {"",      " ~",    " null",
                                          " NULL", " Null", " # later"};

    (void)state;
    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++) {
        char *line = dq_asprintf("retries:%s\n", nothing[i]);
        char *text = dq_asprintf(LEAST "%s", line);
        char *got = problems_of(text, strlen(text));

        assert_non_null(strstr(got, ": retries: has no value; write one or "
                                    "leave the line away\n"));
        free(got);
        free(text);
        free(line);
    }
}

static void a_pattern_that_became_a_comment_is_explained(void **state)
{
    char *got = problems_of("depthq: 1\nplate: ####.exr\n", 26);

    (void)state;
    assert_non_null(strstr(got, ": plate: has no value; a pattern that begins "
                                "with '#' needs quotes\n"));
    free(got);
}

/* The words are base/range's and base/sequence's; the place is ours. */
static void frames_and_patterns_are_refused_at_their_value(void **state)
{
    static const char *const lines[] = {
        "frames: 10-1\n",      "frames: 1-\n",        "frames: 1,,2\n",
        "frames: 1-10:5\n",    "frames: 12:30\n",     "frames: 1-10y2\n",
        "frames: 1,1\n",       "frames: 1-9000000\n", "frames: ten\n",
        "frames: 1-10x0\n",    "frames: ''\n",        "frames: 0x10\n",
        "frames: \"1\\n2\"\n", "frames: 1e3\n"};

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char *text = dq_asprintf(LEAST "%s", lines[i]);
        char *got = problems_of(text, strlen(text));

        if (strncmp(got, "6:9: frames: ", 13) != 0 ||
            strchr(got, '\n') != got + strlen(got) - 1)
            fail_msg("%s gives\n%s", lines[i], got);
        free(got);
        free(text);
    }
    expect_more("frames: 1001\n", "none");
    expect_more("frames: -5--1\n", "none");
    expect_more("frames: \"1-10x3,20\"\n", "none");
}

static void patterns_need_sense(void **state)
{
    static const char *const bad[] = {"a.####.%04d.exr", "a.####/b.exr", "/",
                                      "a.%x.exr", "a.%4d.exr"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *text = dq_asprintf("depthq: 1\nplate: %s\nmodel: m\n"
                                 "output: {path: b.#.exr}\n",
                                 bad[i]);
        char *got = problems_of(text, strlen(text));

        if (strncmp(got, "2:8: plate: ", 12) != 0)
            fail_msg("%s gives\n%s", bad[i], got);
        free(got);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers),
        cmocka_unit_test(real_numbers),
        cmocka_unit_test(switches),
        cmocka_unit_test(choices),
        cmocka_unit_test(words_or_numbers),
        cmocka_unit_test(names),
        cmocka_unit_test(texts),
        cmocka_unit_test(a_channel_name_has_at_most_255_bytes),
        cmocka_unit_test(a_key_without_a_value_is_an_error),
        cmocka_unit_test(a_pattern_that_became_a_comment_is_explained),
        cmocka_unit_test(frames_and_patterns_are_refused_at_their_value),
        cmocka_unit_test(patterns_need_sense),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
