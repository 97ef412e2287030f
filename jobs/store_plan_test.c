/* How SQLite means to find rows: what is asked for each frame must not take
 * longer because the queue, or its history, is long. */
#include "jobs/store_testing.h"

/* Of each step: it names a row, or an index of what is open or due alone. */
static int is_short(const char *step)
{
    static const char *const good[] = {"number=?",    "INTEGER PRIMARY KEY",
                                       "job_open",    "task_ready",
                                       "task_due",    "task_suspect",
                                       "MATERIALIZE", "SUBQUERY",
                                       "TEMP B-TREE", "SCAN b",
                                       " b USING"};

    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (strstr(step, good[i]))
            return 1;
    return 0;
}

static void expect_short(struct dq_store *s, const char *name, const char *sql)
{
    char *text = dq_asprintf("EXPLAIN QUERY PLAN %s", sql);
    sqlite3_stmt *row = NULL;

    assert_int_equal(sqlite3_prepare_v2(s->db, text, -1, &row, NULL), 0);
    while (sqlite3_step(row) == SQLITE_ROW)
        if (!is_short((const char *)sqlite3_column_text(row, 3)))
            fail_msg("%s: %s", name, (const char *)sqlite3_column_text(row, 3));
    sqlite3_finalize(row);
    free(text);
}

/* However long the queue and its history are. */
static void a_result_and_the_next_task_look_at_no_row_in_vain(void **state)
{
    static const struct {
        const char *name, *sql;
    } all[] = {
#define DQ_SQL(name, text) {#name, text},
#include "jobs/store_sql.def"
    };
    static const char on_the_way[] =
        " JOBS_TO_CLAIM NEXT_USUAL NEXT_SUSPECT SUSPECT_DUE CLAIM SETTLE "
        "RESULT WISH_OF FIRST_DUE FIRST_HELD DUE_JOBS RELEASE_DUE "
        "ATTEMPT_BEGINS ATTEMPT_ENDS FINISHED UNFINISHED PHASE_OF EVENT ";
    struct dq_store *s = open_store();
    int seen = 0;

    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char *word = dq_asprintf(" %s ", all[i].name);

        if (strstr(on_the_way, word)) {
            expect_short(s, all[i].name, all[i].sql);
            seen++;
        }
        free(word);
    }
    assert_int_equal(seen, 18);
    dq_store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_result_and_the_next_task_look_at_no_row_in_vain, folder_setup,
            folder_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
