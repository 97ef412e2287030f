#include "jobs/store_testing.h"

/* Forget all that the rule says, `most` rows at a time; how many steps. */
static int prune(struct dq_store *s, struct dq_prune_rule rule)
{
    struct dq_err err = {0};
    int more = 1, steps = 0;

    if (!rule.most)
        rule.most = 1000;
    for (; more; steps++) { /* each leaves a sound database */
        assert_int_equal(dq_store_prune(s, &rule, &more, &err), 0);
        expect_sound(s);
        assert_true(steps < 10000);
    }
    return steps - 1;
}

/* Be over, or have happened, at that time. */
static void date(struct dq_store *s, int64_t job, const char *time)
{
    char *sql = dq_asprintf("UPDATE job SET finished = '%s' WHERE id = %lld "
                            "AND finished IS NOT NULL; UPDATE event SET "
                            "time = '%s' WHERE job = %lld",
                            time, (long long)job, time, (long long)job);

    assert_int_equal(dq_store_commit(s, NULL), 0);
    assert_int_equal(sqlite3_exec(s->db, sql, NULL, NULL, NULL), 0);
    free(sql);
}

static int64_t count(struct dq_store *s, const char *table, int64_t job)
{
    char *sql =
        dq_asprintf("SELECT count(*) FROM %s WHERE %s = %lld", table,
                    strcmp(table, "job") == 0 ? "id" : "job", (long long)job);
    int64_t n = number(s, sql);

    free(sql);
    return n;
}

#define MAY "2026-05-01T00:00:00.000Z"
#define JUNE "2026-06-01T00:00:00.000Z"
#define JULY "2026-07-01T00:00:00.000Z"

static void jobs_that_were_over_by_then_are_forgotten(void **state)
{
    struct dq_store *s = open_store();
    int64_t a = submit(s, (struct wish){.name = "a", .frames = "1-5"});
    int64_t b = submit(s, (struct wish){.name = "b", .frames = "1-5"});
    int64_t live;

    (void)state;
    finish_all(s);
    live = submit(s, (struct wish){.name = "c", .frames = "1-5", .hold = 1});
    date(s, a, MAY);
    date(s, b, JULY);
    date(s, live, MAY); /* however long ago it was submitted */
    prune(s, (struct dq_prune_rule){.before = JUNE});
    assert_int_equal(count(s, "job", a), 0);
    assert_int_equal(count(s, "task", a), 0);
    assert_int_equal(count(s, "attempt", a), 0);
    assert_int_equal(count(s, "event", a), 1); /* that it was forgotten */
    assert_int_equal(number(s, "SELECT count(*) FROM event WHERE uid = -1 AND "
                               "verb = 'prune' AND job = 1"),
                     1);
    for (int64_t job = b; job <= live; job++) {
        assert_int_equal(count(s, "job", job), 1);
        assert_int_equal(count(s, "task", job), 6);
        assert_true(count(s, "event", job) > 0);
    }
    assert_int_equal(count(s, "attempt", b), 6);
    dq_store_close(s);
}

static void without_a_rule_nothing_is_forgotten(void **state)
{
    struct dq_store *s = open_store();
    int64_t a = submit(s, (struct wish){.name = "a", .frames = "1-5"});
    int64_t events;

    (void)state;
    finish_all(s);
    date(s, a, MAY);
    events = count(s, "event", a);
    assert_int_equal(prune(s, (struct dq_prune_rule){0}), 0);
    assert_int_equal(count(s, "job", a), 1);
    assert_int_equal(count(s, "event", a), events);
    dq_store_close(s);
}

static void a_step_is_small_and_a_failed_job_is_one_to_its_end(void **state)
{
    struct dq_store *s = open_store();
    int64_t a = submit(s, (struct wish){.name = "a", .frames = "1-100"});
    struct dq_prune_rule rule = {.before = JUNE, .most = 7};
    struct dq_err err = {0};
    struct dq_claim c;
    int more = 1, steps = 0;

    (void)state;
    survey(s);
    while (claim(s, 0, &c)) /* frame 1 is done first */
        settle(s, &c,
               c.task.frame % 3 == 2 ? DQ_EVENT_GIVE_UP : DQ_EVENT_FINISH);
    date(s, a, MAY);
    while (count(s, "job", a)) {
        int64_t before = number(s, "SELECT count(*) FROM task");

        expect_state(s, a, "failed");
        assert_int_equal(dq_store_prune(s, &rule, &more, &err), 0);
        assert_true(more);
        assert_true(before - number(s, "SELECT count(*) FROM task") <= 7);
        expect_sound(s);
        steps++;
    }
    assert_true(steps > 100 / 7);
    dq_store_close(s);
}

static void what_a_live_job_waits_for_stays(void **state)
{
    struct dq_store *s = open_store();
    int64_t a = submit(s, (struct wish){.name = "a", .frames = "1-5"}), b;
    struct dq_err err = {0};
    int64_t moved;

    (void)state;
    finish_all(s);
    date(s, a, MAY);
    b = submit(
        s, (struct wish){.name = "b", .frames = "1-5", .hold = 1, .after = a});
    prune(s, (struct dq_prune_rule){.before = JUNE});
    assert_int_equal(count(s, "job", a), 1);
    assert_int_equal(dq_store_do(s, &me, DQ_VERB_CANCEL, b, NULL, &moved, &err),
                     0);
    prune(s, (struct dq_prune_rule){.before = JUNE});
    assert_int_equal(count(s, "job", a), 0);
    dq_store_close(s);
}

static void the_newest_events_are_kept_and_those_of_live_jobs(void **state)
{
    struct dq_store *s = open_store();
    int64_t live, a, of_live, last;

    (void)state;
    live = submit(s, (struct wish){.name = "live", .frames = "1-5", .hold = 1});
    a = submit(s, (struct wish){.name = "a", .frames = "1-50"});
    finish_all(s);
    of_live = count(s, "event", live);
    last = dq_store_last_event(s);
    assert_true(last > 100);
    prune(s, (struct dq_prune_rule){.events_most = 20, .most = 9});
    assert_int_equal(count(s, "event", live), of_live);
    assert_int_equal(count(s, "event", a), 20);
    assert_int_equal(number(s, "SELECT min(id) FROM event WHERE job = 2"),
                     last - 19);
    assert_int_equal(count(s, "job", a), 1);
    assert_int_equal(count(s, "task", a), 51);
    dq_store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) \
    cmocka_unit_test_setup_teardown(f, folder_setup, folder_teardown)
        TEST(jobs_that_were_over_by_then_are_forgotten),
        TEST(without_a_rule_nothing_is_forgotten),
        TEST(a_step_is_small_and_a_failed_job_is_one_to_its_end),
        TEST(what_a_live_job_waits_for_stays),
        TEST(the_newest_events_are_kept_and_those_of_live_jobs),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
