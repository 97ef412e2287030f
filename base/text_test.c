#include "base/testing.h"

#include <jansson.h>
#include <limits.h>
#include <math.h>

#include "base/text.h"

static const char *const keys[] = {"frames", "plate", "priority", "model",
                                   "path",   "mode",  "x",        "tiles"};

static const char *nearest(const char *word)
{
    return dq_text_nearest(word, keys, sizeof keys / sizeof *keys);
}

static void a_slip_finds_what_was_meant(void **state)
{
    (void)state;
    assert_string_equal(nearest("fraems"), "frames"); /* two keys swapped */
    assert_string_equal(nearest("paht"), "path");
    assert_string_equal(nearest("frame"), "frames");
    assert_string_equal(nearest("framess"), "frames");
    assert_string_equal(nearest("Frames"), "frames");
    assert_string_equal(nearest("plat"), "plate");
    assert_string_equal(nearest("priorty"), "priority");
    assert_string_equal(nearest("modell"), "model");
}

static void the_nearest_of_several_wins(void **state)
{
    (void)state;
    assert_string_equal(nearest("mode"), "mode");
    assert_string_equal(nearest("model"), "model");
    assert_string_equal(nearest("mod"), "mode");
    assert_string_equal(
        dq_text_nearest("aaa", (const char *const[]){"aab", "aac"}, 2), "aab");
}

static void another_word_finds_nothing(void **state)
{
    (void)state;
    assert_null(nearest("colour"));
    assert_null(nearest("fr"));
    assert_null(nearest(""
                        "completely different"));
    assert_null(nearest("pxxte"));
    assert_null(dq_text_nearest("word", NULL, 0));
}

/* Bad input may be long: the table of the comparison must not be. */
static void an_endless_word_finds_nothing_at_once(void **state)
{
    char word[5000];

    (void)state;
    memset(word, 'f', sizeof word);
    word[sizeof word - 1] = '\0';
    assert_null(nearest(word));
}

static void expect_long(const char *text, int code, long want)
{
    long value = -77;

    assert_int_equal(dq_text_long(text, &value), code);
    if (code == 0)
        assert_int_equal(value, want);
}

static void whole_numbers_are_decimal_digits(void **state)
{
    (void)state;
    expect_long("0", 0, 0);
    expect_long("-12", 0, -12);
    expect_long("+12", 0, 12);
    expect_long("017", 0, 17); /* no octal */
    expect_long("9223372036854775807", 0, LONG_MAX);
    expect_long("-9223372036854775808", 0, LONG_MIN);
    expect_long("9223372036854775808", -1, 0);
    expect_long("", -1, 0);
    expect_long("-", -1, 0);
    expect_long(" 1", -1, 0);
    expect_long("1 ", -1, 0);
    expect_long("0x10", -1, 0);
    expect_long("0o17", -1, 0);
    expect_long("1e3", -1, 0);
    expect_long("12:30", -1, 0);
    expect_long("1_000", -1, 0);
    expect_long("--1", -1, 0);
}

static void expect_double(const char *text, int code, double want)
{
    double value = -77;

    assert_int_equal(dq_text_double(text, &value), code);
    if (code == 0)
        assert_true(value == want);
}

static void decimal_numbers_are_what_people_write(void **state)
{
    (void)state;
    expect_double("1", 0, 1);
    expect_double("-0.25", 0, -0.25);
    expect_double(".5", 0, 0.5);
    expect_double("5.", 0, 5);
    expect_double("1e3", 0, 1000);
    expect_double("1.5E-2", 0, 0.015);
    expect_double("+2", 0, 2);
    expect_double("nan", -1, 0);
    expect_double("inf", -1, 0);
    expect_double("0x1p3", -1, 0);
    expect_double("1e999", -1, 0);
    expect_double("1,5", -1, 0);
    expect_double(".", -1, 0);
    expect_double("e3", -1, 0);
    expect_double("1e", -1, 0);
    expect_double("1e+", -1, 0);
    expect_double("", -1, 0);
    expect_double(" 1", -1, 0);
    expect_double("1 m", -1, 0);
}

static void expect_size(const char *text, int code, size_t want)
{
    size_t bytes = 77;

    assert_int_equal(dq_text_size(text, &bytes), code);
    if (code == 0)
        assert_int_equal(bytes, want);
}

static void sizes_have_binary_units(void **state)
{
    (void)state;
    expect_size("4096", 0, 4096);
    expect_size("0", 0, 0);
    expect_size("512M", 0, (size_t)512 << 20);
    expect_size("8G", 0, (size_t)8 << 30);
    expect_size("1.5GiB", 0, (size_t)3 << 29);
    expect_size("2KB", 0, 2048);
    expect_size("1T", 0, (size_t)1 << 40);
    expect_size("", -1, 0);
    expect_size("G", -1, 0);
    expect_size("8X", -1, 0);
    expect_size("8GiBs", -1, 0);
    expect_size("8 G", -1, 0);
    expect_size("-1", -1, 0);
    expect_size("1.2.3", -1, 0);
    expect_size("99999999T", -1, 0);
    expect_size("1111111111111111111111111111111111111111", -1, 0);
}

static void expect_words(double bytes, const char *want)
{
    char text[16];

    dq_size_text(bytes, text);
    assert_string_equal(text, want);
}

static void sizes_are_told_in_one_decimal(void **state)
{
    (void)state;
    expect_words(0, "0 B");
    expect_words(1023, "1023 B");
    expect_words(1024, "1.0 KiB");
    expect_words(1234567890, "1.1 GiB");
    expect_words(3.5 * 1024 * 1024, "3.5 MiB");
    expect_words(5e15, "4547.5 TiB");
}

static int is_utf8(const char *text, size_t bytes)
{
    json_t *value = json_stringn(text, bytes); /* an independent judge */

    json_decref(value);
    return value != NULL;
}

/* All texts of up to two bytes, and all that begin as longer characters do. */
static void characters_are_those_of_utf8(void **state)
{
    (void)state;
    for (unsigned first = 0x80; first < 0x100; first++)
        for (unsigned second = 0; second < 0x100; second++)
            for (unsigned last = 0x7f; last <= 0xc0; last += 0x41) {
                char two[] = {(char)first, (char)second, 0};
                char three[] = {(char)first, (char)second, '\x80', 0};
                char four[] = {(char)first, (char)second, '\x80', (char)last,
                               0};

                assert_int_equal(dq_text_character(two) == 2,
                                 second && is_utf8(two, 2) && second >= 0x80);
                assert_int_equal(dq_text_character(three) == 3,
                                 is_utf8(three, 3) && first >= 0xe0);
                assert_int_equal(dq_text_character(four) == 4,
                                 is_utf8(four, 4) && first >= 0xf0);
            }
    for (unsigned first = 0; first < 0x80; first++)
        assert_int_equal(dq_text_character((char[]){(char)first, 0}), 1);
}

static void expect_harmless(const char *from, const char *want)
{
    char *text = strdup(from);

    assert_string_equal(dq_text_harmless(text, '?'), want);
    free(text);
}

/* U+009B begins a command as ESC [ does, and so does its bare byte. */
static void harmless_text_commands_no_terminal(void **state)
{
    (void)state;
    expect_harmless("a\033[2J\n\tb\x7f", "a?[2J??b?");
    expect_harmless("a\xc2\x9b"
                    "2J",
                    "a?2J");
    expect_harmless("a\x9b"
                    "2J\xc2",
                    "a?2J?");
    expect_harmless("\xc2\x80\xc2\x9f\xc2\xa0", "??\xc2\xa0");
    expect_harmless("\xc3\xa9t\xc3\x9b \xe2\x9b\x9b \xf0\x9f\x9b\x9b",
                    "\xc3\xa9t\xc3\x9b \xe2\x9b\x9b \xf0\x9f\x9b\x9b");
    expect_harmless("", "");
}

static void controls_are_c0_delete_and_c1(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 0x100; c++) {
        char one[] = {(char)c, 0}, two[] = {'\xc2', (char)c, 0};

        assert_int_equal(dq_text_control(one),
                         (c > 0 && c < 0x20) || c == 0x7f);
        assert_int_equal(dq_text_control(two), c >= 0x80 && c < 0xa0 ? 2 : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slip_finds_what_was_meant),
        cmocka_unit_test(the_nearest_of_several_wins),
        cmocka_unit_test(another_word_finds_nothing),
        cmocka_unit_test(an_endless_word_finds_nothing_at_once),
        cmocka_unit_test(whole_numbers_are_decimal_digits),
        cmocka_unit_test(decimal_numbers_are_what_people_write),
        cmocka_unit_test(sizes_have_binary_units),
        cmocka_unit_test(sizes_are_told_in_one_decimal),
        cmocka_unit_test(characters_are_those_of_utf8),
        cmocka_unit_test(harmless_text_commands_no_terminal),
        cmocka_unit_test(controls_are_c0_delete_and_c1),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
