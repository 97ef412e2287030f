/* Every test has a library of its own, and no other is seen. */
#include "base/testing.h"

#include "base/fault.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "jobs/library.h"
#include "jobs/library_change.h"

#define LIBRARY "library"

static int set_up(void **state)
{
    folder_setup(state);
    setenv("DEPTHQ_MODELS", LIBRARY, 1);
    setenv("XDG_DATA_HOME", "/nowhere", 1);
    return 0;
}

static int tear_down(void **state)
{
    unsetenv("DQ_FAULT");
    dq_fault_setup();
    return folder_teardown(state);
}

static int add(const char *name, const char *version, const char *bytes,
               struct dq_err *err)
{
    char sha256[DQ_SHA256_HEX];
    json_t *contract = json_pack("{s:s}", "says", name);
    struct dq_library_addition new = {.name = name,
                                      .version = version,
                                      .suffix = "pt",
                                      .bytes = bytes,
                                      .count = strlen(bytes),
                                      .sha256 = sha256,
                                      .contract = contract,
                                      .inside = 1};
    int there;

    dq_sha256(bytes, new.count, sha256);
    dq_library_add(LIBRARY, &new, &there, err);
    json_decref(contract);
    return err->code ? -1 : there;
}

static void must_add(const char *version, const char *bytes)
{
    struct dq_err err = {0};

    assert_int_equal(add("net", version, bytes, &err), 0);
}

static void must_alias(const char *alias, const char *to)
{
    struct dq_err err = {0};

    dq_library_set_alias(LIBRARY, "net", alias, to, "ann", &err);
    assert_string_equal(err.text, "");
}

static void expect_alias_error(const char *alias, const char *to, int code,
                               const char *words)
{
    struct dq_err err = {0};

    assert_int_equal(
        dq_library_set_alias(LIBRARY, "net", alias, to, "ann", &err), code);
    assert_non_null(strstr(err.text, words));
}

static void expect_found(const char *model, const char *version)
{
    struct dq_model_ref ref = {0};
    struct dq_err err = {0};

    dq_library_find(model, NULL, 0, &ref, &err);
    assert_string_equal(err.text, "");
    assert_string_equal(ref.version, version);
    dq_model_ref_free(&ref);
}

static int files(void)
{
    DIR *dir = opendir(LIBRARY);
    int count = 0;

    while (dir && readdir(dir))
        count++;
    if (dir)
        closedir(dir);
    return count ? count - 2 : 0;
}

static void set_verdict(const char *version, int passed)
{
    struct dq_err err = {0};
    json_t *verdict = json_pack("{s:b}", "passed", passed);

    assert_int_equal(
        dq_library_set_verdict(LIBRARY, "net", version, verdict, &err), DQ_OK);
    json_decref(verdict);
}

static void what_is_added_is_found_and_adding_it_again_writes_nothing(void **s)
{
    struct dq_err err = {0};
    struct dq_model_ref ref = {0};
    char sha256[DQ_SHA256_HEX];

    (void)s;
    must_add("1.0.0", "weights");
    assert_int_equal(files(), 2);
    dq_library_find("net", NULL, 0, &ref, &err);
    dq_sha256("weights", 7, sha256);
    assert_string_equal(ref.sha256, sha256);
    expect_file(ref.path, "weights");
    dq_model_ref_free(&ref);
    assert_int_equal(add("net", "1.0.0", "weights", &err), 1);
    assert_int_equal(files(), 2);
}

static void a_version_never_changes_its_bytes(void **s)
{
    struct dq_err err = {0};

    (void)s;
    must_add("1.0.0", "weights");
    assert_int_equal(add("net", "1.0.0", "others", &err), -1);
    assert_int_equal(err.code, DQ_EXISTS);
    assert_non_null(strstr(err.text, "raise the version"));
    assert_int_equal(files(), 2);
}

static void a_damaged_artefact_is_mended_by_adding_it_again(void **s)
{
    struct dq_err err = {0};
    struct dq_model_ref ref = {0};

    (void)s;
    must_add("1.0.0", "weights");
    dq_library_find("net", NULL, 0, &ref, &err);
    put_file(ref.path, "weigh");
    assert_int_equal(add("net", "1.0.0", "weights", &err), 1);
    expect_file(ref.path, "weights");
    dq_model_ref_free(&ref);
}

/* The second file is the manifest: the artefact has to go again. */
static void a_full_disk_leaves_the_library_as_it_was(void **s)
{
    static const char *const faults[] = {"publish.write:1", "publish.write:2",
                                         "publish.rename:2", "publish.create"};
    struct dq_err err = {0};

    (void)s;
    must_add("1.0.0", "weights");
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        setenv("DQ_FAULT", faults[i], 1);
        dq_fault_setup();
        assert_int_equal(add("net", "2.0.0", "heavier", &err), -1);
        assert_int_equal(files(), 2);
        unsetenv("DQ_FAULT");
        dq_fault_setup();
        dq_err_clear(&err);
    }
    expect_found("net", "1.0.0");
    assert_int_equal(add("net", "2.0.0", "heavier", &err), 0);
}

/* ---- aliases -------------------------------------------------------------*/

static void an_alias_stands_for_its_version_and_moves_with_a_history(void **s)
{
    struct dq_err err = {0};
    json_t *book, *last;

    (void)s;
    must_add("1.0.0", "weights");
    must_add("2.0.0", "heavier");
    must_alias("show", "1.0.0");
    expect_found("net@show", "1.0.0");
    expect_found("net", "2.0.0");
    must_alias("show", "2.0.0");
    must_alias("show", "2.0.0"); /* no move, no entry */
    expect_found("net@show", "2.0.0");
    must_alias("show", NULL);
    book = dq_library_aliases(LIBRARY, "net", &err);
    assert_int_equal(json_array_size(json_object_get(book, "history")), 3);
    last = json_array_get(json_object_get(book, "history"), 1);
    assert_string_equal(json_string_value(json_object_get(last, "from")),
                        "1.0.0");
    assert_string_equal(json_string_value(json_object_get(last, "to")),
                        "2.0.0");
    assert_string_equal(json_string_value(json_object_get(last, "by")), "ann");
    json_decref(book);
    expect_alias_error("show", NULL, DQ_MODEL, "no alias");
}

static void an_alias_that_is_none_or_points_nowhere_is_refused(void **s)
{
    static const char *const names[] = {"",    "1st", "latest",
                                        "a.b", "a/b", "a b"};

    (void)s;
    must_add("1.0.0", "weights");
    must_add("beta", "younger");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        expect_alias_error(names[i], "1.0.0", DQ_USAGE, "is no alias");
    expect_alias_error("beta", "1.0.0", DQ_USAGE, "is a version");
    expect_alias_error("show", "3.0.0", DQ_MODEL, "there is no net@3.0.0");
}

static void a_version_cannot_take_the_name_of_an_alias(void **s)
{
    struct dq_err err = {0};

    (void)s;
    must_add("1.0.0", "weights");
    must_alias("show", "1.0.0");
    assert_int_equal(add("net", "show", "others", &err), -1);
    assert_int_equal(err.code, DQ_EXISTS);
    assert_non_null(strstr(err.text, "is an alias"));
}

static void production_wants_a_version_that_passed(void **s)
{
    (void)s;
    must_add("1.0.0", "weights");
    expect_alias_error("prod", "1.0.0", DQ_MODEL, "is not verified");
    set_verdict("1.0.0", 0);
    expect_alias_error("prod", "1.0.0", DQ_MODEL, "failed verification");
    expect_alias_error("show", "1.0.0", DQ_MODEL, "failed verification");
    set_verdict("1.0.0", 1);
    must_alias("prod", "1.0.0");
}

/* ---- taking away ---------------------------------------------------------*/

static void a_retired_version_is_not_the_latest_and_is_found_by_name(void **s)
{
    struct dq_err err = {0};

    (void)s;
    must_add("1.0.0", "weights");
    must_add("2.0.0", "heavier");
    dq_library_retire(LIBRARY, "net", "2.0.0", "ann", "flickers", &err);
    assert_string_equal(err.text, "");
    expect_found("net", "1.0.0");
    expect_found("net@2.0.0", "2.0.0");
    expect_alias_error("show", "2.0.0", DQ_MODEL, "is retired");
}

static void what_an_alias_points_to_is_neither_retired_nor_removed(void **s)
{
    struct dq_err err = {0};

    (void)s;
    must_add("1.0.0", "weights");
    must_alias("show", "1.0.0");
    assert_int_equal(dq_library_remove(LIBRARY, "net", "1.0.0", &err),
                     DQ_STATE);
    assert_non_null(strstr(err.text, "net@show points to it"));
    dq_err_clear(&err);
    assert_int_equal(
        dq_library_retire(LIBRARY, "net", "1.0.0", "ann", "", &err), DQ_STATE);
    must_alias("show", NULL);
    dq_err_clear(&err);
    assert_int_equal(dq_library_remove(LIBRARY, "net", "1.0.0", &err), DQ_OK);
    assert_int_equal(dq_library_remove(LIBRARY, "net", "1.0.0", &err),
                     DQ_MODEL);
}

static void garbage_is_what_no_version_has_and_is_old_enough(void **s)
{
    struct dq_library_garbage garbage;
    struct dq_err err = {0};

    (void)s;
    must_add("1.0.0", "weights");
    must_add("1.0.1", "weights"); /* the same artefact */
    must_add("2.0.0", "heavier");
    assert_int_equal(dq_library_remove(LIBRARY, "net", "1.0.0", &err), DQ_OK);
    assert_int_equal(dq_library_remove(LIBRARY, "net", "2.0.0", &err), DQ_OK);
    dq_library_collect(LIBRARY, 3600, 0, &garbage, &err);
    assert_int_equal(garbage.files, 0);
    dq_library_collect(LIBRARY, 0, 1, &garbage, &err);
    assert_int_equal(garbage.files, 1);
    assert_int_equal(garbage.bytes, 7);
    dq_library_collect(LIBRARY, 0, 0, &garbage, &err);
    assert_int_equal(files(), 2);
    expect_found("net", "1.0.1");
}

static void a_manifest_that_cannot_be_read_stops_the_collection(void **s)
{
    struct dq_library_garbage garbage;
    struct dq_err err = {0};

    (void)s;
    must_add("1.0.0", "weights");
    put_file(LIBRARY "/net@1.0.0.json", "{");
    assert_int_not_equal(dq_library_collect(LIBRARY, 0, 0, &garbage, &err),
                         DQ_OK);
    assert_non_null(strstr(err.text, "nothing was removed"));
    assert_int_equal(files(), 2);
}

#define TEST(function) \
    cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_added_is_found_and_adding_it_again_writes_nothing),
        TEST(a_version_never_changes_its_bytes),
        TEST(a_damaged_artefact_is_mended_by_adding_it_again),
        TEST(a_full_disk_leaves_the_library_as_it_was),
        TEST(an_alias_stands_for_its_version_and_moves_with_a_history),
        TEST(an_alias_that_is_none_or_points_nowhere_is_refused),
        TEST(a_version_cannot_take_the_name_of_an_alias),
        TEST(production_wants_a_version_that_passed),
        TEST(a_retired_version_is_not_the_latest_and_is_found_by_name),
        TEST(what_an_alias_points_to_is_neither_retired_nor_removed),
        TEST(garbage_is_what_no_version_has_and_is_old_enough),
        TEST(a_manifest_that_cannot_be_read_stops_the_collection),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
