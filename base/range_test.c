#include "base/testing.h"

#include <inttypes.h>

#include "base/mem.h"
#include "base/range.h"

/* Parse, and compare with a list written out. */
static void expect_frames(const char *text, const char *want)
{
    struct dq_range range = {0};
    struct dq_err err = {0};
    char got[1000] = "";

    if (dq_range_parse(text, &range, &err))
        fail_msg("%s: %s", text, err.text);
    for (size_t i = 0; i < range.count; i++)
        snprintf(got + strlen(got), sizeof got - strlen(got), " %" PRId32,
                 range.frames[i]);
    assert_string_equal(got + 1, want);
    dq_range_free(&range);
}

static void expect_refused(const char *text, const char *why)
{
    struct dq_range range = {0};
    struct dq_err err = {0};

    assert_int_equal(dq_range_parse(text, &range, &err), DQ_SPEC);
    assert_int_equal(err.code, DQ_SPEC);
    assert_string_equal(err.text, why);
    assert_null(range.frames);
    assert_int_equal(range.count, 0);
}

static void ranges_are_as_wranglers_write_them(void **state)
{
    (void)state;
    expect_frames("1001", "1001");
    expect_frames("1001-1004", "1001 1002 1003 1004");
    expect_frames("1001-1009x2,1020", "1001 1003 1005 1007 1009 1020");
    expect_frames("1-10x4", "1 5 9");
    expect_frames("5-5", "5");
    expect_frames("1-2x100", "1");
    expect_frames("0001-0003", "1 2 3");
}

static void frames_may_be_negative(void **state)
{
    (void)state;
    expect_frames("-5--1", "-5 -4 -3 -2 -1");
    expect_frames("-2-2", "-2 -1 0 1 2");
    expect_frames("-7", "-7");
    expect_frames("-0", "0");
    expect_frames("-5--1x2", "-5 -3 -1");
}

static void lists_are_sorted(void **state)
{
    (void)state;
    expect_frames("20,1-3,-4", "-4 1 2 3 20");
    expect_frames("1-9x4,3", "1 3 5 9");
}

static void blanks_are_fine_around_commas_only(void **state)
{
    (void)state;
    expect_frames(" 1-3 ,\t7 ", "1 2 3 7");
    expect_refused("1 - 3", "frames: '1 - 3': is no frame or range; write "
                            "1001-1100x2,1205");
    expect_refused("1 2", "frames: '1 2': is no frame or range; write "
                          "1001-1100x2,1205");
}

static void a_range_that_says_nothing_is_refused(void **state)
{
    (void)state;
    expect_refused("", "frames: names no frame; write 1001-1100x2,1205");
    expect_refused(" \t", "frames: names no frame; write 1001-1100x2,1205");
    expect_refused("1,,2", "frames: '': a frame is missing between commas");
    expect_refused("1, ,2", "frames: '': a frame is missing between commas");
    expect_refused("1,", "frames: '': a frame is missing between commas");
    expect_refused(",", "frames: '': a frame is missing between commas");
}

static void a_half_range_is_refused(void **state)
{
    (void)state;
    expect_refused("1-", "frames: '1-': the range has no end");
    expect_refused("1--", "frames: '1--': the range has no end");
    expect_refused("-", "frames: '-': is no frame number");
    expect_refused("--5", "frames: '--5': is no frame number");
    expect_refused("1-5x", "frames: '1-5x': the step after x is no number "
                           "above 0");
    expect_refused("1-5x0", "frames: '1-5x0': the step after x is no number "
                            "above 0");
    expect_refused("1-5x-1", "frames: '1-5x-1': the step after x is no number "
                             "above 0");
    expect_refused("7x2", "frames: '7x2': a step (x) needs a range, as 1-10x5");
}

static void words_are_refused(void **state)
{
    (void)state;
    expect_refused("all", "frames: 'all': is no frame number");
    expect_refused("+5", "frames: '+5': is no frame number");
    expect_refused("1.5", "frames: '1.5': is no frame or range; write "
                          "1001-1100x2,1205");
    expect_refused("1e3", "frames: '1e3': is no frame or range; write "
                          "1001-1100x2,1205");
    expect_refused("1-3X2", "frames: '1-3X2': is no frame or range; write "
                            "1001-1100x2,1205");
}

static void a_range_that_runs_backwards_is_refused(void **state)
{
    (void)state;
    expect_refused("10-1", "frames: '10-1': the range runs backwards");
    expect_refused("1--1", "frames: '1--1': the range runs backwards");
    expect_refused("-1--5", "frames: '-1--5': the range runs backwards");
}

static void other_programs_steps_are_refused_with_ours(void **state)
{
    (void)state;
    expect_refused("1-10:5",
                   "frames: '1-10:5': write the step as 1-10x5 (a colon or y "
                   "means another thing in every program)");
    expect_refused("-10--1y3",
                   "frames: '-10--1y3': write the step as -10--1x3 (a colon "
                   "or y means another thing in every program)");
    expect_refused("1-10:", "frames: '1-10:': write a step as 1-10x5 (a colon "
                            "or y means another thing in every program)");
    expect_refused("7y2", "frames: '7y2': write a step as 1-10x5 (a colon "
                          "or y means another thing in every program)");
}

static void a_frame_that_is_there_twice_is_named(void **state)
{
    (void)state;
    expect_refused("1,2,1", "frames: 1 is there twice");
    expect_refused("1001-1010,1005", "frames: 1005 is there twice");
    expect_refused("1-9x2,2-9x3", "frames: 5 is there twice");
    expect_refused("0,-0", "frames: 0 is there twice");
}

static void frames_are_bounded_before_any_is_made(void **state)
{
    (void)state;
    expect_frames("1000000000,-1000000000", "-1000000000 1000000000");
    expect_refused("1-4000000000",
                   "frames: '1-4000000000': goes beyond 1,000,000,000");
    expect_refused("1-18446744073709551617", /* 1 in 64 bits */
                   "frames: '1-18446744073709551617': goes beyond "
                   "1,000,000,000");
    expect_refused("1000000001",
                   "frames: '1000000001': goes beyond 1,000,000,000");
    expect_refused("-1000000001",
                   "frames: '-1000000001': goes beyond 1,000,000,000");
    expect_refused("1-2x99999999999999999999999",
                   "frames: '1-2x99999999999999999999999': goes beyond "
                   "1,000,000,000");
    expect_refused("1-1000001", "frames: more than 1000000 frames");
    expect_refused("1-1000000,2000000", "frames: more than 1000000 frames");
    expect_refused("-1000000000-1000000000",
                   "frames: more than 1000000 frames");
}

static void a_million_frames_are_fine(void **state)
{
    struct dq_range range = {0};
    struct dq_err err = {0};

    (void)state;
    assert_int_equal(dq_range_parse("1-1000000", &range, &err), 0);
    assert_int_equal(range.count, DQ_RANGE_MAX);
    assert_int_equal(range.frames[DQ_RANGE_MAX - 1], 1000000);
    dq_range_free(&range);
}

static void a_long_piece_is_shown_by_its_beginning(void **state)
{
    struct dq_range range = {0};
    struct dq_err err = {0};
    char *text = dq_new(70001);

    (void)state;
    memset(text, 'z', 70000);
    dq_range_parse(text, &range, &err);
    assert_true(strlen(err.text) < 120);
    assert_non_null(strstr(err.text, "zzz...': is no frame number"));
    free(text);
}

static void expect_text(const char *frames, const char *want)
{
    struct dq_range range = {0};
    struct dq_err err = {0};
    char *text;

    assert_int_equal(dq_range_parse(frames, &range, &err), 0);
    text = dq_range_text(&range);
    assert_string_equal(text, want);
    free(text);
    dq_range_free(&range);
}

static void a_list_is_written_short(void **state)
{
    (void)state;
    expect_text("1,2,3,4", "1-4");
    expect_text("1001,1003,1005,1007,1009,1020", "1001-1009x2,1020");
    expect_text("7", "7");
    expect_text("1,5", "1,5");
    expect_text("1,3,4,5,6", "1,3-6");
    expect_text("-5,-4,-3", "-5--3");
    expect_text("-4,-2,0,2", "-4-2x2");
    expect_text("-1000000000,1000000000", "-1000000000,1000000000");
}

static void no_frames_are_an_empty_text(void **state)
{
    struct dq_range none = {0};
    char *text = dq_range_text(&none);

    (void)state;
    assert_string_equal(text, "");
    free(text);
    assert_int_equal(dq_range_find(&none, 1), -1);
}

/* Every subset of thirteen frames, against itself. */
static void what_is_written_reads_back(void **state)
{
    int32_t frames[13];
    struct dq_err err = {0};

    (void)state;
    for (unsigned set = 1; set < 1U << 13; set++) {
        struct dq_range range = {.frames = frames}, again = {0};
        char *text;

        for (int i = 0; i < 13; i++)
            if (set >> i & 1)
                frames[range.count++] = i - 6;
        text = dq_range_text(&range);
        assert_int_equal(dq_range_parse(text, &again, &err), 0);
        assert_int_equal(again.count, range.count);
        assert_memory_equal(again.frames, frames, range.count * sizeof *frames);
        dq_range_free(&again);
        free(text);
    }
}

static void a_frame_is_found_at_its_place(void **state)
{
    struct dq_range range = {0};
    struct dq_err err = {0};

    (void)state;
    assert_int_equal(dq_range_parse("-5,1001-1100x2", &range, &err), 0);
    assert_int_equal(dq_range_find(&range, -5), 0);
    assert_int_equal(dq_range_find(&range, 1001), 1);
    assert_int_equal(dq_range_find(&range, 1099), 50);
    assert_int_equal(dq_range_find(&range, 1002), -1);
    assert_int_equal(dq_range_find(&range, INT32_MAX), -1);
    dq_range_free(&range);
    dq_range_free(&range);
    dq_range_free(NULL);
}

static void expect_missing(const char *have, const char *want, const char *text)
{
    struct dq_range a = {0}, b = {0};
    struct dq_err err = {0};
    char *missing;

    dq_range_parse(have, &a, &err);
    dq_range_parse(want, &b, &err);
    missing = dq_range_missing(&a, &b);
    if (text)
        assert_string_equal(missing, text);
    else
        assert_null(missing);
    free(missing);
    dq_range_free(&a);
    dq_range_free(&b);
}

static void missing_frames_are_told_as_a_range(void **state)
{
    (void)state;
    expect_missing("1-10", "2-5", NULL);
    expect_missing("1-10x2", "1-6", "2-6x2");
    expect_missing("1-10", "9-12", "11-12");
}

static void a_copy_is_its_own(void **state)
{
    struct dq_range from = {0}, copy = {0};
    struct dq_err err = {0};
    char *text;

    (void)state;
    assert_int_equal(dq_range_parse("3-9x3,20", &from, &err), 0);
    dq_range_copy(&from, &copy);
    from.frames[0] = 1;
    dq_range_free(&from);
    text = dq_range_text(&copy);
    assert_string_equal(text, "3-9x3,20");
    free(text);
    dq_range_free(&copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_are_as_wranglers_write_them),
        cmocka_unit_test(frames_may_be_negative),
        cmocka_unit_test(lists_are_sorted),
        cmocka_unit_test(blanks_are_fine_around_commas_only),
        cmocka_unit_test(a_range_that_says_nothing_is_refused),
        cmocka_unit_test(a_half_range_is_refused),
        cmocka_unit_test(words_are_refused),
        cmocka_unit_test(a_range_that_runs_backwards_is_refused),
        cmocka_unit_test(other_programs_steps_are_refused_with_ours),
        cmocka_unit_test(a_frame_that_is_there_twice_is_named),
        cmocka_unit_test(frames_are_bounded_before_any_is_made),
        cmocka_unit_test(a_million_frames_are_fine),
        cmocka_unit_test(a_long_piece_is_shown_by_its_beginning),
        cmocka_unit_test(a_list_is_written_short),
        cmocka_unit_test(no_frames_are_an_empty_text),
        cmocka_unit_test(what_is_written_reads_back),
        cmocka_unit_test(a_frame_is_found_at_its_place),
        cmocka_unit_test(missing_frames_are_told_as_a_range),
        cmocka_unit_test(a_copy_is_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
