/* What the store knows of models. */
#include "jobs/store_model.h"
#include "jobs/store_testing.h"

/* ---- looking -------------------------------------------------------------*/

static json_t *models(struct dq_store *s, const char *name)
{
    json_t *page = dq_store_models_json(s, name, 0, 100);

    assert_non_null(page);
    return page;
}

/* A member of the i-th version of a page, as JSON text. */
static void expect_member(json_t *page, size_t i, const char *key,
                          const char *want)
{
    const json_t *all = json_object_get(page, "models");
    json_t *value = json_object_get(json_array_get(all, i), key);
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

    assert_non_null(text);
    assert_string_equal(text, want);
    free(text);
}

static void expect_count(const json_t *page, const char *list, size_t want)
{
    assert_int_equal(json_array_size(json_object_get(page, list)), want);
}

/* ---- use -----------------------------------------------------------------*/

static void a_frame_that_is_made_counts_for_its_model(void **state)
{
    struct dq_store *s = open_store();
    int64_t job = submit(s, (struct wish){.name = "a", .frames = "1-5"});
    struct dq_err err = {0};
    struct dq_claim c;
    json_t *page;

    (void)state;
    page = models(s, NULL);
    expect_member(page, 0, "frames", "0");
    expect_member(page, 0, "used", "null");
    expect_member(page, 0, "live", "1");
    json_decref(page);
    survey(s);
    for (int i = 0; i < 2; i++) {
        c = must_claim(s, 0);
        settle(s, &c, DQ_EVENT_FINISH);
    }
    c = must_claim(s, 0);
    settle(s, &c, DQ_EVENT_SKIP); /* right already: it made nothing */
    c = must_claim(s, 0);
    settle(s, &c, DQ_EVENT_GIVE_UP);
    page = models(s, NULL);
    expect_member(page, 0, "frames", "2");
    assert_true(json_is_string(json_object_get(
        json_array_get(json_object_get(page, "models"), 0), "used")));
    json_decref(page);
    finish_all(s);
    page = models(s, "net");
    expect_member(page, 0, "frames", "3");
    expect_member(page, 0, "live", "0");
    json_decref(page);
    expect_sound(s);
    assert_int_equal(dq_store_remove(s, &me, job, &err), 0);
    page = models(s, "net"); /* the count outlives its job */
    expect_member(page, 0, "frames", "3");
    json_decref(page);
    dq_store_close(s);
}

static void what_is_done_before_the_frames_counts_for_nothing(void **state)
{
    struct dq_store *s = open_store();
    json_t *page;

    (void)state;
    submit(s, (struct wish){.name = "a", .frames = "1-2", .steady = 1});
    assert_int_equal(finish_all(s), 1 + 2 + 1 + 2);
    page = models(s, NULL);
    expect_member(page, 0, "frames", "2");
    json_decref(page);
    dq_store_close(s);
}

/* ---- the library ---------------------------------------------------------*/

static const char sha_a[] =
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
static const char sha_c[] =
    "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc";

static void know(struct dq_store *s, const struct dq_model_known *versions,
                 size_t count, const char *moves)
{
    json_t *list = json_loads(moves, 0, NULL);
    struct dq_err err = {0};

    assert_non_null(list);
    dq_store_know(s, "net", versions, count, list, &err);
    assert_string_equal(err.text, "");
    json_decref(list);
}

static void a_library_tells_of_versions_verdicts_and_aliases(void **state)
{
    static const struct dq_model_known versions[] = {
        {"1.0", "/m/a.pt", sha_a, 0, "passed", "2026-11-01T00:00:00Z"},
        {"2.0", "/m/c.pt", sha_c, 1, "failed", "2026-11-02T00:00:00Z"}};
    struct dq_store *s = open_store();
    json_t *page;

    (void)state;
    submit(s, (struct wish){.name = "a", .frames = "1-2"});
    finish_all(s);
    know(s, versions, 2,
         "[{\"alias\": \"prod\", \"from\": null, \"to\": \"2.0\", \"by\": "
         "\"ann\", \"at\": \"t1\"}, {\"alias\": \"prod\", \"from\": \"2.0\", "
         "\"to\": \"1.0\", \"by\": \"bob\", \"at\": \"t2\"}, {\"alias\": "
         "\"old\", \"from\": null, \"to\": \"1.0\", \"by\": \"bob\", \"at\": "
         "\"t3\"}]");
    page = models(s, "net");
    expect_count(page, "models", 2);
    expect_count(page, "moves", 3);
    expect_member(page, 0, "version", "\"1.0\"");
    expect_member(page, 0, "frames", "2"); /* it is the same version */
    expect_member(page, 0, "state", "\"there\"");
    expect_member(page, 0, "verdict", "\"passed\"");
    expect_member(page, 0, "aliases", "[\"old\",\"prod\"]");
    expect_member(page, 1, "state", "\"retired\"");
    expect_member(page, 1, "verdict", "\"failed\"");
    expect_member(page, 1, "aliases", "[]");
    json_decref(page);
    page = models(s, "other");
    expect_count(page, "models", 0);
    json_decref(page);
    dq_store_close(s);
}

static void what_a_library_has_no_more_is_gone_and_its_frames_stay(void **state)
{
    static const struct dq_model_known before[] = {
        {"1.0", "/m/a.pt", sha_a, 0, "passed", "t"}};
    /* the same name@version with other bytes is another version */
    static const struct dq_model_known after[] = {
        {"1.0", "/m/c.pt", sha_c, 0, NULL, NULL}};
    struct dq_store *s = open_store();
    json_t *page;

    (void)state;
    submit(s, (struct wish){.name = "a", .frames = "1-2"});
    finish_all(s);
    know(s, before, 1, "[]");
    know(s, after, 1, "[]");
    page = models(s, "net");
    expect_count(page, "models", 2);
    expect_member(page, 0, "state", "\"gone\"");
    expect_member(page, 0, "frames", "2");
    expect_member(page, 1, "state", "\"there\"");
    expect_member(page, 1, "verdict", "null");
    expect_member(page, 1, "frames", "0");
    json_decref(page);
    dq_store_close(s);
}

static void what_cannot_be_read_stays_as_it_was(void **state)
{
    static const struct dq_model_known before[] = {
        {"1.0", "/m/a.pt", sha_a, 1, "passed", "t"},
        {"2.0", "/m/c.pt", sha_c, 0, NULL, NULL}};
    static const struct dq_model_known after[] = {
        {"1.0", NULL, NULL, 0, NULL, NULL}, {"3.0", NULL, NULL, 0, NULL, NULL}};
    struct dq_store *s = open_store();
    json_t *page;

    (void)state;
    know(s, before, 2, "[]");
    know(s, after, 2, "[]");
    page = models(s, "net");
    expect_count(page, "models", 2);
    expect_member(page, 0, "state", "\"retired\"");
    expect_member(page, 0, "verdict", "\"passed\"");
    expect_member(page, 1, "state", "\"gone\"");
    json_decref(page);
    dq_store_close(s);
}

static void versions_come_in_pages(void **state)
{
    static const struct dq_model_known versions[] = {
        {"1.0", "/m/a.pt", sha_a, 0, NULL, NULL},
        {"2.0", "/m/a.pt", sha_a, 0, NULL, NULL},
        {"3.0", "/m/a.pt", sha_a, 0, NULL, NULL}};
    struct dq_store *s = open_store();
    json_t *page;
    json_int_t next;

    (void)state;
    know(s, versions, 3, "[]");
    page = dq_store_models_json(s, NULL, 0, 2);
    expect_count(page, "models", 2);
    next = json_integer_value(json_object_get(page, "next"));
    json_decref(page);
    page = dq_store_models_json(s, NULL, next, 2);
    expect_count(page, "models", 1);
    expect_member(page, 0, "version", "\"3.0\"");
    assert_true(json_is_null(json_object_get(page, "next")));
    json_decref(page);
    dq_store_close(s);
}

/* ---- from a queue of the first schema ------------------------------------*/

static void make_first_schema(void)
{
    static const char rows[] =
        "INSERT INTO task_state VALUES ('done');"
        "INSERT INTO model VALUES (1, 'net', '1.0', '/m/a.pt', printf('%064d', "
        "1)), (2, 'net', '2.0', '/m/b.pt', printf('%064d', 2));"
        "INSERT INTO job (uid, key, body, name, yaml, file, folder, frames, "
        "output, out_folder, model, priority, retries, wish, submitted, "
        "finished, phase, done, early_done) VALUES (1, 'k', 'b', 'n', '', "
        "'/j', '/j', '1-2', '/o/a.####.exr', '/o', 1, 50, 3, 'run', 't', 't', "
        "'render', 2, 1);"
        "INSERT INTO task (job, kind, number, state, rank) VALUES (1, "
        "'survey', 0, 'done', 0), (1, 'render', 1, 'done', 1), (1, 'render', "
        "2, 'done', 2);"
        "PRAGMA application_id = 1685091432; PRAGMA user_version = 1";
    sqlite3 *db = NULL;

    assert_int_equal(mkdir("state", 0700), 0);
    assert_int_equal(sqlite3_open("state/queue.db", &db), 0);
    assert_int_equal(sqlite3_exec(db, dq_schema_step(0), NULL, NULL, NULL), 0);
    assert_int_equal(sqlite3_exec(db, rows, NULL, NULL, NULL), 0);
    assert_int_equal(sqlite3_close(db), 0);
    assert_int_equal(chmod("state/queue.db", 0600), 0);
}

static void a_queue_of_the_first_schema_is_brought_up_with_its_counts(
    void **state)
{
    struct dq_store *s;
    json_t *page;

    (void)state;
    make_first_schema();
    s = open_store();
    expect_sound(s);
    page = models(s, "net");
    expect_member(page, 0, "frames", "2");
    expect_member(page, 0, "state", "\"there\"");
    expect_member(page, 1, "frames", "0");
    json_decref(page);
    assert_int_equal(number(s, "PRAGMA user_version"), dq_schema_newest());
    dq_store_close(s);
    assert_int_equal(access("state/queue-v1.db", F_OK), 0);
    s = open_store(); /* and stays so */
    expect_sound(s);
    dq_store_close(s);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_frame_that_is_made_counts_for_its_model),
        TEST(what_is_done_before_the_frames_counts_for_nothing),
        TEST(a_library_tells_of_versions_verdicts_and_aliases),
        TEST(what_a_library_has_no_more_is_gone_and_its_frames_stay),
        TEST(what_cannot_be_read_stays_as_it_was),
        TEST(versions_come_in_pages),
        TEST(a_queue_of_the_first_schema_is_brought_up_with_its_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
