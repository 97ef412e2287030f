#include "base/testing.h"

#include "cli/table.h"

static void expect_text(struct dq_table *t, const char *want)
{
    char *text = dq_table_text(t);

    assert_string_equal(text, want);
    free(text);
    dq_table_free(t);
}

static void columns_are_as_wide_as_their_widest_word(void **state)
{
    static const char *const heads[] = {">JOB", "NAME", ">DONE", NULL};
    static const char *const first[] = {"7", "sh010_depth", "5/240"};
    static const char *const second[] = {"12345", "b", "57/240"};
    struct dq_table *t = dq_table_new(heads);

    (void)state;
    dq_table_add(t, first);
    dq_table_add(t, second);
    expect_text(t, "  JOB  NAME           DONE\n"
                   "    7  sh010_depth   5/240\n"
                   "12345  b            57/240\n");
}

static void characters_are_counted_and_not_bytes(void **state)
{
    static const char *const heads[] = {"A", "B", NULL};
    static const char *const first[] = {"\xc3\xa9t\xc3\xa9", "x"};
    static const char *const second[] = {"abcd", "x"};
    struct dq_table *t = dq_table_new(heads);

    (void)state;
    dq_table_add(t, first);
    dq_table_add(t, second);
    expect_text(t, "A     B\n\xc3\xa9t\xc3\xa9   x\nabcd  x\n");
}

static void nothing_in_a_word_commands_the_terminal(void **state)
{
    static const char *const heads[] = {"A", "B", NULL};
    static const char *const row[] = {"x\033[2J\ny", "\xc2\x9b"};
    struct dq_table *t = dq_table_new(heads);

    (void)state;
    dq_table_add(t, row);
    expect_text(t, "A        B\nx?[2J?y  ?\n");
}

static void lines_end_without_blanks(void **state)
{
    static const char *const heads[] = {"A", "LONG", NULL};
    static const char *const row[] = {"x", ""};
    struct dq_table *t = dq_table_new(heads);

    (void)state;
    dq_table_add(t, row);
    expect_text(t, "A  LONG\nx\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_as_wide_as_their_widest_word),
        cmocka_unit_test(characters_are_counted_and_not_bytes),
        cmocka_unit_test(nothing_in_a_word_commands_the_terminal),
        cmocka_unit_test(lines_end_without_blanks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
