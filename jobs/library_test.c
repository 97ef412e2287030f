/* Every test has a folder of its own for libraries, and no other is seen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "jobs/library.h"

#define DIGEST \
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static int set_up(void **state)
{
    char *folder = dq_strdup("/tmp/depthq-library-XXXXXX");

    if (!mkdtemp(folder))
        return -1;
    setenv("DEPTHQ_MODELS", folder, 1);
    setenv("XDG_DATA_HOME", "/nowhere", 1);
    *state = folder;
    return 0;
}

static int tear_down(void **state)
{
    char *command = dq_asprintf("rm -rf %s", (char *)*state);
    int status = system(command);

    free(command);
    free(*state);
    return status;
}

static void write_file(const char *folder, const char *name, const char *text)
{
    char *path = dq_asprintf("%s/%s", folder, name);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    free(path);
}

/* A right manifest, and its artefact of four bytes. */
static void add_model(const char *folder, const char *name, const char *version)
{
    char *file = dq_asprintf("%s@%s.json", name, version);
    char *text = dq_asprintf(
        "{\"depthq_manifest\": 1, \"name\": \"%s\", \"version\": \"%s\", "
        "\"file\": \"net.pt\", \"bytes\": 4, \"sha256\": \"%s\", "
        "\"contract\": {}}",
        name, version, DIGEST);

    write_file(folder, file, text);
    write_file(folder, "net.pt", "net\n");
    free(text);
    free(file);
}

static void expect_version(const char *model, const char *version)
{
    struct dq_model_ref ref = {0};
    struct dq_err err = {0};

    if (dq_library_find(model, "/", 0, &ref, &err))
        fail_msg("%s: %s", model, err.text);
    assert_string_equal(ref.version, version);
    dq_model_ref_free(&ref);
}

static void expect_failure(const char *model, int allow_path, int code,
                           const char *text)
{
    struct dq_model_ref ref = {0};
    struct dq_err err = {0};

    assert_int_equal(dq_library_find(model, "/nowhere", allow_path, &ref, &err),
                     code);
    if (!strstr(err.text, text))
        fail_msg("'%s' is not in '%s'", text, err.text);
    assert_null(ref.name);
    assert_null(ref.path);
}

static void a_name_means_the_latest_version(void **state)
{
    add_model(*state, "demo", "1.9.2");
    add_model(*state, "demo", "1.10.0");
    add_model(*state, "demo", "1.2.0");
    add_model(*state, "demo-depth", "7.0.0");
    expect_version("demo", "1.10.0");
    expect_version("demo@1.9.2", "1.9.2");
}

static void a_prerelease_is_taken_only_by_name_or_for_want_of_better(
    void **state)
{
    add_model(*state, "demo", "2.0.0-rc.1");
    add_model(*state, "demo", "2.0.0-rc.2");
    expect_version("demo", "2.0.0-rc.2");
    add_model(*state, "demo", "1.0.0");
    expect_version("demo", "1.0.0");
    expect_version("demo@2.0.0-rc.1", "2.0.0-rc.1");
}

static void a_model_is_found_with_path_and_digest(void **state)
{
    struct dq_model_ref ref = {0};
    struct dq_err err = {0};
    char *path = dq_asprintf("%s/net.pt", (char *)*state);

    add_model(*state, "demo", "1.0.0");
    assert_int_equal(dq_library_find("demo", "/", 0, &ref, &err), DQ_OK);
    assert_string_equal(ref.name, "demo");
    assert_string_equal(ref.path, path);
    assert_string_equal(ref.sha256, DIGEST);
    dq_model_ref_free(&ref);
    assert_null(ref.path);
    free(path);
}

static void the_first_library_that_has_the_name_answers(void **state)
{
    char *first = dq_asprintf("%s/first", (char *)*state);
    char *second = dq_asprintf("%s/second", (char *)*state);
    char *both = dq_asprintf("%s::/nowhere:%s", first, second);

    mkdir(first, 0777);
    mkdir(second, 0777);
    add_model(first, "demo", "1.0.0");
    add_model(second, "demo", "2.0.0");
    add_model(second, "other", "3.0.0");
    setenv("DEPTHQ_MODELS", both, 1);
    expect_version("demo", "1.0.0");
    expect_version("demo@2.0.0", "2.0.0");
    expect_version("other", "3.0.0");
    free(both);
    free(second);
    free(first);
}

static void the_users_library_comes_after_the_environments(void **state)
{
    char *data = dq_asprintf("%s/data", (char *)*state);
    char *models = dq_asprintf("%s/depthq/models", data);
    char *make = dq_asprintf("mkdir -p %s", models);

    assert_int_equal(system(make), 0);
    add_model(models, "mine", "0.1");
    setenv("XDG_DATA_HOME", data, 1);
    expect_version("mine", "0.1");
    add_model(*state, "mine", "0.0.1");
    expect_version("mine", "0.0.1");
    free(make);
    free(models);
    free(data);
}

static void a_relative_data_folder_is_passed_over(void **state)
{
    char *make = dq_asprintf("mkdir -p %s/data/depthq/models", (char *)*state);
    char *models = dq_asprintf("%s/data/depthq/models", (char *)*state);
    char *here = getcwd(NULL, 0);

    assert_int_equal(system(make), 0);
    add_model(models, "mine", "0.1");
    setenv("XDG_DATA_HOME", "data", 1);
    setenv("HOME", "/nowhere", 1);
    assert_int_equal(chdir(*state), 0);
    expect_failure("mine", 0, DQ_MODEL, "there is no model 'mine'");
    assert_int_equal(chdir(here), 0);
    free(here);
    free(models);
    free(make);
}

static void an_unknown_name_is_told_what_there_is(void **state)
{
    expect_failure("demo", 0, DQ_MODEL,
                   "there is no model 'demo': the model library is empty; "
                   "looked in /tmp/depthq-library-");
    add_model(*state, "demo-depth", "1.0.0");
    add_model(*state, "fastdepth", "1.0.0");
    expect_failure("demo-dept", 0, DQ_MODEL,
                   "there is no model 'demo-dept' (did you mean "
                   "'demo-depth'?); there are: demo-depth@1.0.0, "
                   "fastdepth@1.0.0");
    expect_failure("demo-depth@prod", 0, DQ_MODEL,
                   "there is no version 'prod' of demo-depth; there are: "
                   "demo-depth@1.0.0");
}

static void a_word_that_is_no_name_is_refused(void **state)
{
    static const char *const bad[] = {
        "", "@1", "demo@", "a b", "demo@1@2", "d\xc3\xa9mo", "demo@1 "};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        expect_failure(bad[i], 0, DQ_MODEL, "is no model's name");
}

static void a_manifest_that_lies_is_refused_with_its_name(void **state)
{
    static const struct {
        const char *text, *why;
    } bad[] = {
        {"{", "demo@1.0.json"},
        {"[]", "demo@1.0.json"},
        {"{\"depthq_manifest\": 2}", "is of format 2"},
        {"{\"depthq_manifest\": 1, \"name\": \"other\", \"version\": "
         "\"1.0\"}",
         "name: 'other' is not 'demo' as in the name"},
        {"{\"depthq_manifest\": 1, \"name\": \"demo\", \"version\": "
         "\"1.1\"}",
         "version: '1.1' is not '1.0' as in the name"},
        {"{\"depthq_manifest\": 1, \"name\": \"demo\", \"version\": \"1.0\", "
         "\"sha256\": \"E3B0\"}",
         "sha256: 'E3B0' is no digest"},
        {"{\"depthq_manifest\": 1, \"name\": \"demo\", \"version\": \"1.0\", "
         "\"sha256\": \"" DIGEST "\", \"file\": \"../net.pt\", \"bytes\": 4}",
         "file: '../net.pt' is no file beside it"},
        {"{\"depthq_manifest\": 1, \"name\": \"demo\", \"version\": \"1.0\", "
         "\"sha256\": \"" DIGEST "\", \"file\": \"gone.pt\", \"bytes\": 4}",
         "file: there is no /tmp/"},
        {"{\"depthq_manifest\": 1, \"name\": \"demo\", \"version\": \"1.0\", "
         "\"sha256\": \"" DIGEST "\", \"file\": \"net.pt\", \"bytes\": 5}",
         "has 4 bytes, not 5"},
    };

    write_file(*state, "net.pt", "net\n");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        write_file(*state, "demo@1.0.json", bad[i].text);
        expect_failure("demo", 0, DQ_MODEL, bad[i].why);
        expect_failure("demo", 0, DQ_MODEL, "demo@1.0.json");
    }
}

static void files_that_are_no_manifests_are_passed_over(void **state)
{
    add_model(*state, "demo", "1.0.0");
    write_file(*state, "demo.json", "{}");
    write_file(*state, "demo@.json", "{}");
    write_file(*state, "@2.json", "{}");
    write_file(*state, ".json", "{}");
    write_file(*state, ".demo@9.json.tmp", "{}");
    write_file(*state, ".demo@9.json", "{}");
    write_file(*state, "demo@9 .json", "{}");
    expect_version("demo", "1.0.0");
}

static void a_path_is_a_model_where_paths_are_allowed(void **state)
{
    struct dq_model_ref ref = {0};
    struct dq_err err = {0};
    char *want = dq_asprintf("%s/net.pt", (char *)*state);

    write_file(*state, "net.pt", "net\n");
    assert_int_equal(dq_library_find("net.pt", *state, 1, &ref, &err), DQ_OK);
    assert_string_equal(ref.path, want);
    assert_string_equal(ref.sha256, "");
    assert_null(ref.name);
    dq_model_ref_free(&ref);
    expect_failure("net.pt", 0, DQ_MODEL, "'net.pt' is a path");
    expect_failure("gone.pt", 1, DQ_MISSING,
                   "model /nowhere/gone.pt: there is no such file");
    expect_failure(*state, 1, DQ_MISSING, "is no regular file");
    free(want);
}

static void what_looks_like_a_path_is_one(void **state)
{
    (void)state;
    assert_true(dq_library_is_path("a/b"));
    assert_true(dq_library_is_path("net.pt"));
    assert_true(dq_library_is_path("net.ts"));
    assert_true(dq_library_is_path("net.pt2"));
    assert_true(dq_library_is_path("identity.fake"));
    assert_false(dq_library_is_path("demo-depth"));
    assert_false(dq_library_is_path("demo@1.2.pt3"));
    assert_false(dq_library_is_path(".pt"));
}

#define TEST(function) \
    cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_name_means_the_latest_version),
        TEST(a_prerelease_is_taken_only_by_name_or_for_want_of_better),
        TEST(a_model_is_found_with_path_and_digest),
        TEST(the_first_library_that_has_the_name_answers),
        TEST(the_users_library_comes_after_the_environments),
        TEST(a_relative_data_folder_is_passed_over),
        TEST(an_unknown_name_is_told_what_there_is),
        TEST(a_word_that_is_no_name_is_refused),
        TEST(a_manifest_that_lies_is_refused_with_its_name),
        TEST(files_that_are_no_manifests_are_passed_over),
        TEST(a_path_is_a_model_where_paths_are_allowed),
        TEST(what_looks_like_a_path_is_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
