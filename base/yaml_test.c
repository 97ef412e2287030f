#include "base/testing.h"

#include "base/bytes.h"
#include "base/mem.h"
#include "base/yaml.h"

/* The tree on one line: {key: 'text', key: [..]}, quotes as written. */
static void print_tree(const struct dq_yaml *t, struct dq_bytes *out)
{
    const char *ends = t->kind == DQ_YAML_MAP ? "{}" : "[]";

    if (t->key)
        dq_bytes_printf(out, "%s: ", t->key);
    if (t->kind == DQ_YAML_SCALAR) {
        dq_bytes_printf(out, t->quoted ? "'%s'" : "%s", t->text);
        return;
    }
    dq_bytes_add(out, ends, 1);
    for (const struct dq_yaml *c = t->child; c; c = c->next) {
        print_tree(c, out);
        if (c->next)
            dq_bytes_text(out, ", ");
    }
    dq_bytes_add(out, ends + 1, 1);
}

static void print_problems(const struct dq_problems *problems,
                           struct dq_bytes *out)
{
    dq_bytes_text(out, "");
    for (size_t i = 0; i < problems->count; i++)
        dq_bytes_printf(out, "%s%d:%d: %s", i ? "\n" : "",
                        problems->list[i].line, problems->list[i].column,
                        problems->list[i].text);
}

static void expect_tree_of(const char *text, size_t bytes, const char *want)
{
    struct dq_problems problems = {0};
    struct dq_yaml *tree = dq_yaml_parse(text, bytes, &problems);
    struct dq_bytes got = {0};

    print_problems(&problems, &got);
    assert_string_equal(got.data, "");
    assert_non_null(tree);
    print_tree(tree, &got);
    assert_string_equal(got.data, want);
    dq_bytes_free(&got);
    dq_yaml_free(tree);
}

static void expect_tree(const char *text, const char *want)
{
    expect_tree_of(text, strlen(text), want);
}

static void expect_refused_of(const char *text, size_t bytes, const char *want)
{
    struct dq_problems problems = {0};
    struct dq_bytes got = {0};

    assert_null(dq_yaml_parse(text, bytes, &problems));
    print_problems(&problems, &got);
    assert_string_equal(got.data, want);
    dq_bytes_free(&got);
    dq_problems_free(&problems);
}

static void expect_refused(const char *text, const char *want)
{
    expect_refused_of(text, strlen(text), want);
}

static void a_document_is_a_tree(void **state)
{
    (void)state;
    expect_tree("a: 1\nb:\n  c: x\n  d: [1, 2]\n",
                "{a: 1, b: {c: x, d: [1, 2]}}");
    expect_tree("- 1\n- {a: b}\n", "[1, {a: b}]");
    expect_tree("just text", "just text");
    expect_tree("{}", "{}");
    expect_tree("a: []", "{a: []}");
    expect_tree("? a\n? b\n", "{a: , b: }");
    expect_tree("# note\n---\na: 1 # note\n...\n", "{a: 1}");
    expect_tree("%YAML 1.2\n---\na: 1\n", "{a: 1}");
    expect_tree("{\"depthq\": 1, \"a\": [true, null]}",
                "{depthq: 1, a: [true, null]}");
}

/* What they mean is for the declared type to say, not for YAML's guesses. */
static void scalars_stay_as_they_were_written(void **state)
{
    (void)state;
    expect_tree("[no, 0o17, 1e3, 12:30, ~, 017, .5, yes, 1_000, 0x1F]",
                "[no, 0o17, 1e3, 12:30, ~, 017, .5, yes, 1_000, 0x1F]");
    expect_tree("a: 'it''s'\nb: \"tab\\t\\u20ac\"\n",
                "{a: 'it's', b: 'tab\t\xe2\x82\xac'}");
    expect_tree("a: |\n  one\n  two\nb: >-\n  one\n  two\n",
                "{a: 'one\ntwo\n', b: 'one two'}");
    expect_tree("a: one\n  two\n", "{a: one two}");
    expect_tree("a: ''\n", "{a: ''}");
}

static const struct dq_yaml *at_key(const struct dq_yaml *map, const char *key)
{
    for (const struct dq_yaml *c = map->child; c; c = c->next)
        if (strcmp(c->key, key) == 0)
            return c;
    fail_msg("no key %s", key);
    return NULL;
}

static void expect_place(const struct dq_yaml *map, const char *key, int kl,
                         int kc, int l, int c)
{
    const struct dq_yaml *node = at_key(map, key);

    assert_int_equal(node->key_line, kl);
    assert_int_equal(node->key_column, kc);
    assert_int_equal(node->line, l);
    assert_int_equal(node->column, c);
}

static void every_node_knows_its_place(void **state)
{
    static const char text[] = "first: 1\nsecond:\n    inner: x\n"
                               "  # a note\nlist:\n  - y\n";
    struct dq_problems none = {0};
    struct dq_yaml *tree = dq_yaml_parse(text, strlen(text), &none);
    const struct dq_yaml *list;

    (void)state;
    assert_non_null(tree);
    assert_null(tree->key);
    expect_place(tree, "first", 1, 1, 1, 8);
    expect_place(tree, "second", 2, 1, 3, 5);
    expect_place(at_key(tree, "second"), "inner", 3, 5, 3, 12);
    list = at_key(tree, "list");
    assert_int_equal(list->child->line, 6);
    assert_int_equal(list->child->column, 5);
    assert_null(list->child->key);
    dq_yaml_free(tree);
    dq_yaml_free(NULL);
}

static void columns_count_characters(void **state)
{
    static const char text[] = "\xe2\x82\xac\xf0\x9f\x8e\xac: {k\xc3\xa9: 1}";
    struct dq_problems none = {0};
    struct dq_yaml *tree = dq_yaml_parse(text, strlen(text), &none);

    (void)state;
    assert_non_null(tree);
    expect_place(tree->child, "k\xc3\xa9", 1, 6, 1, 10);
    dq_yaml_free(tree);
    expect_refused("\xe2\x82\xac: b: c",
                   "1:5: YAML: mapping values are not allowed in this "
                   "context");
}

static void a_byte_order_mark_counts_for_nothing(void **state)
{
    static const char text[] = "\xef\xbb\xbf"
                               "a: 1\nb: 2\n";
    struct dq_problems none = {0};
    struct dq_yaml *tree = dq_yaml_parse(text, strlen(text), &none);

    (void)state;
    assert_int_equal(none.count, 0);
    expect_place(tree, "a", 1, 1, 1, 4);
    expect_place(tree, "b", 2, 1, 2, 4);
    dq_yaml_free(tree);
    expect_refused("\xef\xbb\xbf", "1:1: is empty");
}

static void lines_may_end_as_on_windows(void **state)
{
    static const char text[] = "a: 1\r\nb: 2\r\n";
    struct dq_problems none = {0};
    struct dq_yaml *tree = dq_yaml_parse(text, strlen(text), &none);

    (void)state;
    assert_non_null(tree);
    assert_string_equal(at_key(tree, "a")->text, "1");
    expect_place(tree, "b", 2, 1, 2, 4);
    dq_yaml_free(tree);
}

static void an_empty_document_is_refused(void **state)
{
    (void)state;
    expect_refused("", "1:1: is empty");
    expect_refused_of(NULL, 0, "1:1: is empty");
    expect_refused("\n\n# only a note\n", "1:1: is empty");
    expect_refused("---\n", "1:1: is empty");
    expect_refused("---\n...\n", "1:1: is empty");
}

static void a_second_document_is_refused(void **state)
{
    (void)state;
    expect_refused("a: 1\n---\nb: 2\n",
                   "2:1: a second document (---); one a file");
    expect_refused("---\n---\n", "2:1: a second document (---); one a file");
}

#define ANCHORS "anchors (&) and aliases (*) are not read; write it out"

static void anchors_aliases_tags_and_merges_are_refused(void **state)
{
    (void)state;
    expect_refused("a: &x 1\nb: *x\n", "1:4: " ANCHORS "\n2:4: " ANCHORS);
    expect_refused("b: *never\n", "1:4: " ANCHORS);
    expect_refused("*x : 1\n", "1:1: " ANCHORS);
    expect_refused("a: &x [1]\n", "1:4: " ANCHORS);
    expect_refused("a: &x {b: 1}\n", "1:4: " ANCHORS);
    expect_refused("a: !!str 1\n", "1:4: tags (!) are not read; remove it");
    expect_refused("a: !x [1]\n", "1:4: tags (!) are not read; remove it");
    expect_refused("a: ! x\n", "1:4: tags (!) are not read; remove it");
    expect_refused("a: {<<: {b: 1}}\n",
                   "1:5: merge keys (<<) are not read; write the keys out");
}

static void keys_are_plain_words(void **state)
{
    (void)state;
    expect_refused("? [a]\n: 1\n", "1:3: a key must be a plain word");
    expect_refused("? {a: b}\n: 1\n", "1:3: a key must be a plain word");
    expect_refused("\"a\\0b\": 1\n", "1:1: a key with a zero byte");
    expect_refused("a: \"x\\0y\"\n", "1:4: a text with a zero byte");
}

/* The reader goes on to tell what else is wrong, so there is a tree. */
static void duplicate_keys_are_all_told(void **state)
{
    static const char text[] = "a: 1\nb: {c: 1, c: 2}\na: 3\n'a': 4\n";
    struct dq_problems problems = {0};
    struct dq_yaml *tree = dq_yaml_parse(text, strlen(text), &problems);
    struct dq_bytes got = {0};

    (void)state;
    print_problems(&problems, &got);
    assert_string_equal(got.data,
                        "2:11: key 'c' is there twice (first on line 2)\n"
                        "3:1: key 'a' is there twice (first on line 1)\n"
                        "4:1: key 'a' is there twice (first on line 1)");
    got.count = 0;
    assert_non_null(tree);
    print_tree(tree, &got);
    assert_string_equal(got.data, "{a: 1, b: {c: 1, c: 2}, a: 3, a: 4}");
    dq_bytes_free(&got);
    dq_problems_free(&problems);
    dq_yaml_free(tree);
}

static void the_same_key_elsewhere_is_no_duplicate(void **state)
{
    (void)state;
    expect_tree("a: {a: 1}\nb: {a: 1}\nA: 2\n", "{a: {a: 1}, b: {a: 1}, A: 2}");
}

static void bad_syntax_is_told_with_its_place(void **state)
{
    (void)state;
    expect_refused("a: 1\n\tb: 2\n", "2:1: a tab cannot indent; use spaces");
    expect_refused("a:\n\tb: 2\n", "2:1: a tab cannot indent; use spaces");
    expect_refused("# \xc3\xa4\xe2\x82\xac\na:\n\tb: 2\n",
                   "3:1: a tab cannot indent; use spaces");
    expect_refused("\ta: 2\n", "1:1: a tab cannot indent; use spaces");
    expect_refused("a: @b\n",
                   "1:4: YAML: found character that cannot start any token "
                   "(while scanning for the next token)");
    expect_refused("a: b: c\n", "1:5: YAML: mapping values are not allowed "
                                "in this context");
    expect_refused("a: 'open\n", "2:1: YAML: found unexpected end of stream "
                                 "(while scanning a quoted scalar)");
    expect_refused("a: 1\n...\njunk\n",
                   "3:1: text after the document's end (...); one document a "
                   "file");
}

static void text_that_is_not_utf8_is_refused(void **state)
{
    static const char *const not_utf8 =
        "1:1: is not UTF-8 text; save the file as UTF-8";

    (void)state;
    expect_refused_of("\xff\xfe"
                      "a\0:\0 \0"
                      "1\0",
                      10, not_utf8);
    expect_refused_of("\xfe\xff\0a\0:\0 \0"
                      "1",
                      10, not_utf8);
    expect_refused_of("a\0:\0 \0"
                      "1\0",
                      8, not_utf8);
    expect_refused_of("a: 1\n\0", 6, not_utf8);
    expect_refused("a: 1\nb: caf\xe9 au lait\n",
                   "2:8: YAML: invalid trailing UTF-8 octet");
    expect_refused("a: \x07\n", "1:4: YAML: control characters are not "
                                "allowed");
}

/* depth times open, middle, depth times close. */
static char *nested(int depth, const char *open, const char *middle,
                    const char *close)
{
    struct dq_bytes b = {0};

    for (int i = 0; i < depth; i++)
        dq_bytes_text(&b, open);
    dq_bytes_text(&b, middle);
    for (int i = 0; i < depth; i++)
        dq_bytes_text(&b, close);
    return b.data;
}

static void expect_depth(const char *open, const char *close, int column)
{
    struct dq_problems problems = {0};
    char *text = nested(32, open, "1", close), want[100];
    struct dq_yaml *tree = dq_yaml_parse(text, strlen(text), &problems);

    assert_non_null(tree);
    assert_int_equal(problems.count, 0);
    dq_yaml_free(tree);
    free(text);
    text = nested(33, open, "1", close);
    snprintf(want, sizeof want, "1:%d: nested deeper than 32 levels", column);
    expect_refused(text, want);
    free(text);
}

static void thirty_two_levels_are_the_most(void **state)
{
    (void)state;
    expect_depth("[", "]", 33);
    expect_depth("{a: ", "}", 129);
    expect_depth("- ", "", 65);
}

/* libyaml takes quadratic time over these, were it not for the bound. */
static void deep_nesting_is_refused_at_its_beginning(void **state)
{
    static const char *const opens[] = {"[",  "{",   "{a: ", "- ",
                                        "? ", "[\n", "{a: ["};

    (void)state;
    for (size_t i = 0; i < sizeof opens / sizeof *opens; i++) {
        struct dq_problems problems = {0};
        char *text = nested(10000, opens[i], "", "");

        assert_null(dq_yaml_parse(text, strlen(text), &problems));
        assert_int_equal(problems.count, 1);
        assert_true(problems.list[0].line <= 40);
        dq_problems_free(&problems);
        free(text);
    }
}

static void sixty_four_kib_are_the_most(void **state)
{
    char *text = dq_new(65538);

    (void)state;
    memset(text, 'x', 65537);
    memcpy(text, "#\na: ", 5);
    text[1] = '\n';
    expect_refused_of(text, 65537, "1:1: 65537 bytes; at most 64 KiB are read");
    text[65536] = '\0';
    {
        struct dq_problems problems = {0};
        struct dq_yaml *tree = dq_yaml_parse(text, 65536, &problems);

        assert_non_null(tree);
        assert_int_equal(strlen(tree->child->text), 65536 - 5);
        dq_yaml_free(tree);
    }
    free(text);
}

static void ten_thousand_events_are_the_most(void **state)
{
    struct dq_problems problems = {0};
    char *text = nested(4990, "- x\n", "", ""), *many, *more;
    struct dq_yaml *tree = dq_yaml_parse(text, strlen(text), &problems);

    (void)state;
    assert_non_null(tree);
    dq_yaml_free(tree);
    free(text);
    many = nested(9993, "x,", "x", "");
    more = dq_asprintf("[%s]", many); /* stream, document and list: 6 more */
    assert_non_null(tree = dq_yaml_parse(more, strlen(more), &problems));
    dq_yaml_free(tree);
    free(more);
    more = dq_asprintf("[%s,x]", many);
    assert_null(dq_yaml_parse(more, strlen(more), &problems));
    assert_string_equal(problems.list[0].text, "more than 10,000 items");
    dq_problems_free(&problems);
    free(more);
    free(many);
}

static void problems_come_in_the_order_of_lines(void **state)
{
    struct dq_problems all = {0};
    struct dq_bytes got = {0};

    (void)state;
    dq_problem_add(&all, 7, 3, "unknown key '%s'", "fraems");
    dq_problem_add(&all, 2, 9, "b");
    dq_problem_add(&all, 2, 1, "a");
    dq_problem_add(&all, 10, 1, "c");
    dq_problems_sort(&all);
    print_problems(&all, &got);
    assert_string_equal(got.data,
                        "2:1: a\n2:9: b\n7:3: unknown key 'fraems'\n10:1: c");
    dq_bytes_free(&got);
    dq_problems_free(&all);
    dq_problems_free(&all);
    dq_problems_sort(&all);
    dq_problems_free(NULL);
}

static void comments_alone_are_no_document(void **state)
{
    (void)state;
    assert_true(dq_yaml_is_empty(""));
    assert_true(dq_yaml_is_empty(" \r\n\t# one\n#two"));
    assert_false(dq_yaml_is_empty("# one\n a: 1"));
    assert_false(dq_yaml_is_empty("-"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comments_alone_are_no_document),
        cmocka_unit_test(a_document_is_a_tree),
        cmocka_unit_test(scalars_stay_as_they_were_written),
        cmocka_unit_test(every_node_knows_its_place),
        cmocka_unit_test(columns_count_characters),
        cmocka_unit_test(a_byte_order_mark_counts_for_nothing),
        cmocka_unit_test(lines_may_end_as_on_windows),
        cmocka_unit_test(an_empty_document_is_refused),
        cmocka_unit_test(a_second_document_is_refused),
        cmocka_unit_test(anchors_aliases_tags_and_merges_are_refused),
        cmocka_unit_test(keys_are_plain_words),
        cmocka_unit_test(duplicate_keys_are_all_told),
        cmocka_unit_test(the_same_key_elsewhere_is_no_duplicate),
        cmocka_unit_test(bad_syntax_is_told_with_its_place),
        cmocka_unit_test(text_that_is_not_utf8_is_refused),
        cmocka_unit_test(thirty_two_levels_are_the_most),
        cmocka_unit_test(deep_nesting_is_refused_at_its_beginning),
        cmocka_unit_test(sixty_four_kib_are_the_most),
        cmocka_unit_test(ten_thousand_events_are_the_most),
        cmocka_unit_test(problems_come_in_the_order_of_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
