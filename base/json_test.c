#include "base/testing.h"

#include "base/json.h"

enum { LIMIT = 10000 };

static json_t *parse(const char *text, struct dq_err *err)
{
    return dq_json_parse(text, strlen(text), LIMIT, DQ_MODEL, err);
}

static void expect_refused(const char *text, const char *words)
{
    struct dq_err err = {0};

    assert_null(parse(text, &err));
    assert_int_equal(err.code, DQ_MODEL);
    if (!strstr(err.text, words))
        fail_msg("%s: %s", text, err.text);
}

static void what_is_no_json_is_refused_with_its_place(void **state)
{
    (void)state;
    expect_refused("{\"a\": 1,\n \"b\": }", "line 2, column ");
    expect_refused("", "line 1");
    expect_refused("{\"a\": 1, \"a\": 2}", "uplicate");
    expect_refused("{\"a\": 1} x", "end of file expected");
    expect_refused("{\"a\": NaN}", "line 1");
    expect_refused("{\"a\": \"\xff\"}", "decode byte 0xff");
    expect_refused("{'a': 1}", "line 1");
    expect_refused("{\"a\": 1e999}", "line 1");
}

static void depth_is_bounded(void **state)
{
    char deep[LIMIT];

    (void)state;
    memset(deep, '[', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    expect_refused(deep, "depth");
}

static void size_is_bounded(void **state)
{
    struct dq_err err = {0};
    json_t *value = dq_json_parse("[1]", 3, 3, DQ_SPEC, &err);

    (void)state;
    assert_non_null(value);
    json_decref(value);
    assert_null(dq_json_parse("[1]", 3, 2, DQ_SPEC, &err));
    assert_int_equal(err.code, DQ_SPEC);
    assert_string_equal(err.text, "3 bytes of JSON; at most 2 are read");
}

static void members_have_their_types(void **state)
{
    struct dq_err err = {0};
    json_t *o = parse("{\"s\": \"text\", \"n\": -7, \"d\": 2.5}", &err);
    int64_t n = 0;
    double d = 0;

    (void)state;
    assert_string_equal(dq_json_string(o, "s", DQ_MODEL, &err), "text");
    assert_int_equal(dq_json_int(o, "n", -7, -7, &n, DQ_MODEL, &err), 0);
    assert_int_equal(n, -7);
    assert_int_equal(dq_json_double(o, "d", &d, DQ_MODEL, &err), 0);
    assert_true(d == 2.5);
    assert_int_equal(dq_json_double(o, "n", &d, DQ_MODEL, &err), 0);
    assert_true(d == -7);
    assert_int_equal(err.code, 0);
    json_decref(o);
}

static void expect_complaint(struct dq_err *err, int code, const char *text)
{
    assert_int_equal(code, DQ_SPEC);
    assert_int_equal(err->code, DQ_SPEC);
    assert_string_equal(err->text, text);
    dq_err_clear(err);
}

static void wrong_members_are_told_by_their_key(void **state)
{
    struct dq_err err = {0};
    json_t *o =
        parse("{\"s\": 1, \"n\": 2.0, \"d\": \"x\", \"z\": null}", &err);
    int64_t n = 42;
    double d = 42;

    (void)state;
    assert_null(dq_json_string(o, "s", DQ_SPEC, &err));
    expect_complaint(&err, err.code, "s: is not a string");
    assert_null(dq_json_string(o, "none", DQ_SPEC, &err));
    expect_complaint(&err, err.code, "none: is missing");
    assert_null(dq_json_string(o, "z", DQ_SPEC, &err));
    expect_complaint(&err, err.code, "z: is not a string");
    expect_complaint(&err, dq_json_int(o, "n", 0, 9, &n, DQ_SPEC, &err),
                     "n: is not a whole number");
    expect_complaint(&err, dq_json_int(o, "s", 2, 9, &n, DQ_SPEC, &err),
                     "s: 1 is outside 2 to 9");
    expect_complaint(&err, dq_json_int(o, "s", -9, 0, &n, DQ_SPEC, &err),
                     "s: 1 is outside -9 to 0");
    expect_complaint(&err, dq_json_int(o, "none", 0, 9, &n, DQ_SPEC, &err),
                     "none: is missing");
    expect_complaint(&err, dq_json_double(o, "d", &d, DQ_SPEC, &err),
                     "d: is not a number");
    expect_complaint(&err, dq_json_double(o, "none", &d, DQ_SPEC, &err),
                     "none: is missing");
    assert_int_equal(n, 42);
    assert_true(d == 42);
    json_decref(o);
}

static void what_is_no_object_has_no_members(void **state)
{
    struct dq_err err = {0};
    json_t *list = parse("[1]", &err);

    (void)state;
    assert_null(dq_json_string(list, "s", DQ_SPEC, &err));
    expect_complaint(&err, err.code, "s: is missing");
    assert_null(dq_json_string(NULL, "s", DQ_SPEC, &err));
    json_decref(list);
}

static void a_file_is_read_and_named_in_complaints(void **state)
{
    struct dq_err err = {0};
    json_t *o;

    (void)state;
    put_file("good.json", "{\"a\": 1}");
    put_file("bad.json", "{\"a\": }");
    o = dq_json_read("good.json", LIMIT, DQ_MODEL, &err);
    assert_int_equal(json_integer_value(json_object_get(o, "a")), 1);
    json_decref(o);
    assert_null(dq_json_read("bad.json", LIMIT, DQ_MODEL, &err));
    assert_int_equal(err.code, DQ_MODEL);
    assert_int_equal(strncmp(err.text, "bad.json: line 1, column ", 25), 0);
    assert_null(dq_json_read("good.json", 3, DQ_MODEL, &err));
    assert_int_equal(err.code, DQ_MODEL);
    assert_null(dq_json_read("none.json", LIMIT, DQ_MODEL, &err));
    assert_int_equal(err.code, DQ_MISSING);
    assert_string_equal(err.text, "none.json: No such file or directory");
    assert_null(dq_json_read("none.json", LIMIT, DQ_MODEL, NULL));
}

static void texts_keep_the_order_of_keys(void **state)
{
    static const char text[] = "{\"z\":1,\"a\":[true,null,\"x\"],\"m\":0.1}";
    struct dq_err err = {0};
    json_t *o = parse(text, &err), *word = json_string("x");
    char *got = dq_json_text(o), *bare = dq_json_text(word);

    (void)state;
    assert_string_equal(bare, "\"x\"");
    json_decref(o);
    o = parse(got, &err);
    assert_true(json_real_value(json_object_get(o, "m")) == 0.1);
    assert_int_equal(strncmp(got, text, strlen(text) - 4), 0);
    json_decref(o);
    json_decref(word);
    free(got);
    free(bare);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_json_is_refused_with_its_place),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(size_is_bounded),
        cmocka_unit_test(members_have_their_types),
        cmocka_unit_test(wrong_members_are_told_by_their_key),
        cmocka_unit_test(what_is_no_object_has_no_members),
        cmocka_unit_test_setup_teardown(a_file_is_read_and_named_in_complaints,
                                        folder_setup, folder_teardown),
        cmocka_unit_test(texts_keep_the_order_of_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
