/* The store when things break: kills, damage, full disks, two daemons. */
#include "jobs/store_testing.h"

#include <signal.h>
#include <sys/resource.h>
#include <time.h>

static struct dq_store *opened(struct dq_err *err)
{
    return dq_store_open("state", err);
}

static void expect_refused(int code, const char *words)
{
    struct dq_err err = {0};

    assert_null(opened(&err));
    if (err.code != code || !strstr(err.text, words))
        fail_msg("%s: %s", dq_code_name(err.code), err.text);
}

/* ---- what is committed stays ---------------------------------------------*/

/* Submits, claims, and dies with the survey at work. */
static int die_at_work(void *context)
{
    struct dq_store *s = open_store();
    int committed = *(int *)context;

    submit(s, (struct wish){.name = "a", .frames = "1-3"});
    must_claim(s, 0);
    if (committed)
        dq_store_commit(s, NULL);
    raise(SIGKILL);
    return 0;
}

static void what_was_committed_outlives_a_kill(void **state)
{
    int committed = 1, status = status_of_child(die_at_work, &committed);
    struct dq_store *s;
    struct dq_claim c;

    (void)state;
    assert_int_equal(WTERMSIG(status), SIGKILL);
    s = open_store();
    expect_sound(s);
    c = must_claim(s, 0);
    assert_int_equal(c.task.kind, DQ_TASK_SURVEY);
    assert_int_equal(c.task.attempt, 2); /* its first one runs no more */
    assert_int_equal(c.failures, 0);     /* and was nobody's fault */
    assert_int_equal(number(s, "SELECT count(*) FROM attempt WHERE "
                               "ended IS NOT NULL"),
                     1);
    dq_store_close(s);
}

static void what_was_not_committed_leaves_nothing(void **state)
{
    int committed = 0;
    struct dq_store *s;

    (void)state;
    status_of_child(die_at_work, &committed);
    s = open_store();
    assert_int_equal(number(s, "SELECT count(*) FROM job"), 0);
    assert_int_equal(number(s, "SELECT count(*) FROM task"), 0);
    dq_store_close(s);
}

/* Kills at random moments of a busy store; the parent knows what was
 * committed from a pipe. */
struct busy {
    int pipe[2];
    unsigned seed;
};

static int work_until_killed(void *context)
{
    const struct busy *b = context;
    struct dq_store *s = open_store();

    for (int i = 0;; i++) {
        char *name = dq_asprintf("j%u-%d", b->seed, i);
        int64_t job = submit(s, (struct wish){.name = name, .frames = "1-9"});

        if (i % 3 == 0)
            finish_all(s);
        if (dq_store_commit(s, NULL))
            return 1;
        if (write(b->pipe[1], &job, sizeof job) != sizeof job)
            return 1;
        free(name);
    }
}

static int64_t kill_once(unsigned seed)
{
    struct busy b = {.seed = seed};
    int64_t job, last = 0;
    pid_t child;

    assert_int_equal(pipe(b.pipe), 0);
    child = fork();
    if (child == 0)
        _exit(work_until_killed(&b));
    close(b.pipe[1]);
    /* after the first commit, so that every round has work behind it */
    assert_int_equal(read(b.pipe[0], &last, sizeof last), sizeof last);
    usleep((useconds_t)(seed * 7919U % 20000U));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    while (read(b.pipe[0], &job, sizeof job) == sizeof job)
        last = job;
    close(b.pipe[0]);
    return last;
}

static void every_acknowledged_job_is_there_after_kills(void **state)
{
    enum { KILLS = 25 };
    int64_t last = 0;

    (void)state;
    for (unsigned i = 0; i < KILLS; i++) {
        int64_t seen = kill_once(i);
        struct dq_store *s = open_store();

        assert_true(seen > last);
        last = seen;
        expect_sound(s);
        /* ids come in order and nothing was removed */
        assert_true(number(s, "SELECT count(*) FROM job") >= last);
        assert_int_equal(number(s, "SELECT count(*) FROM task WHERE "
                                   "state = 'running'"),
                         0);
        dq_store_close(s);
    }
    print_message("%d kills, %lld jobs\n", KILLS, (long long)last);
}

/* ---- two daemons, other files --------------------------------------------*/

static void a_second_daemon_is_refused(void **state)
{
    struct dq_store *s = open_store();

    (void)state;
    expect_refused(DQ_BUSY, "another depthqd");
    dq_store_close(s);
    s = open_store();
    dq_store_close(s);
}

static void a_newer_schema_is_refused_and_kept(void **state)
{
    struct dq_store *s = open_store();

    (void)state;
    assert_int_equal(dq_sql_exec(s, "PRAGMA user_version = 99", NULL), 0);
    dq_store_close(s);
    expect_refused(DQ_CONFIG, "schema 99, from a newer depthq");
    expect_refused(DQ_CONFIG, "schema 99"); /* it was not touched */
}

static void a_queue_from_before_the_release_is_refused(void **state)
{
    struct dq_store *s = open_store();

    (void)state;
    assert_int_equal(
        dq_sql_exec(s,
                    "PRAGMA user_version = 1; ALTER TABLE job RENAME COLUMN "
                    "phase TO survey",
                    NULL),
        0);
    dq_store_close(s);
    expect_refused(DQ_CONFIG, "unreleased depthq; move its folder away");
}

/* As a daemon of schema 1 left it: all tasks of a phase were ready, its task
 * table and the rows that mean it are made from the first schema's text. */
static void step_down(struct dq_store *s)
{
    char *task = dq_strdup(strstr(dq_schema_step(0), "CREATE TABLE task (")),
         *whole;

    *strstr(task, "-- Who did what") = '\0'; /* with its indexes, and attempt */
    whole = dq_asprintf(
        "PRAGMA foreign_keys = OFF; BEGIN; DROP TABLE alias_move; "
        "ALTER TABLE model DROP COLUMN frames; "
        "ALTER TABLE model DROP COLUMN used; "
        "ALTER TABLE model DROP COLUMN state; "
        "ALTER TABLE model DROP COLUMN verdict; "
        "ALTER TABLE model DROP COLUMN verified; "
        "ALTER TABLE attempt DROP COLUMN execution; DROP TABLE clock; "
        "DROP INDEX job_releasing; ALTER TABLE job DROP COLUMN release_from; "
        "CREATE TEMP TABLE t AS SELECT * FROM task; "
        "CREATE TEMP TABLE a AS SELECT * FROM attempt; "
        "DROP TABLE attempt; DROP TABLE task; %s "
        "INSERT INTO task SELECT * FROM t; INSERT INTO attempt SELECT * FROM "
        "a; DROP TABLE temp.t; DROP TABLE temp.a; PRAGMA user_version = 1; "
        "COMMIT; PRAGMA foreign_keys = ON",
        task);
    assert_int_equal(dq_sql_exec(s, whole, NULL), 0);
    free(whole);
    free(task);
}

static char *schema_of(struct dq_store *s)
{
    sqlite3_stmt *row = NULL;
    char *text;

    assert_int_equal(
        sqlite3_prepare_v2(s->db,
                           "SELECT group_concat(sql) FROM (SELECT sql FROM "
                           "sqlite_master ORDER BY name)",
                           -1, &row, NULL),
        0);
    assert_int_equal(sqlite3_step(row), SQLITE_ROW);
    text = dq_strdup((const char *)sqlite3_column_text(row, 0));
    sqlite3_finalize(row);
    return text;
}

static void a_queue_of_the_first_schema_is_brought_to_this_one(void **state)
{
    struct dq_store *s = open_store();
    char *want = schema_of(s), *got;
    struct dq_claim c;

    (void)state;
    submit(s, (struct wish){.name = "a", .frames = "1-3"});
    survey(s);
    submit(s, (struct wish){.name = "b", .frames = "1-3", .steady = 1});
    c = must_claim(s, 0);
    settle(s, &c, DQ_EVENT_GIVE_UP);
    assert_int_equal(dq_store_commit(s, NULL), 0);
    step_down(s);
    dq_store_close(s);
    s = open_store();
    got = schema_of(s);
    assert_string_equal(got, want);
    assert_in_range(dq_store_clock(s) / 1000, time(NULL) - 3600, time(NULL));
    assert_int_equal(access("state/queue-v1.db", R_OK), 0);
    expect_sound(s);
    assert_int_equal(number(s, "SELECT count(*) FROM attempt"), 2);
    assert_int_equal(finish_all(s), 2 + 1 + 3 + 1 + 3);
    free(want);
    free(got);
    dq_store_close(s);
}

/* A queue of schema 1 with one job. */
static void make_old_queue(void)
{
    struct dq_store *s = open_store();

    submit(s, (struct wish){.name = "a", .frames = "1-3"});
    assert_int_equal(dq_store_commit(s, NULL), 0);
    step_down(s);
    dq_store_close(s);
}

/* It is whole, of schema 1, for its owner alone, and nothing lies beside it. */
static void expect_copy_of_old_queue(void)
{
    struct dq_store copy = {.folder = (char *)"state"};
    struct stat st;

    assert_int_equal(stat("state/queue-v1.db", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(sqlite3_open("state/queue-v1.db", &copy.db), 0);
    assert_int_equal(number(&copy, "PRAGMA user_version"), 1);
    assert_int_equal(number(&copy, "SELECT count(*) FROM task"), 4);
    assert_int_equal(number(&copy, "SELECT count(*) FROM "
                                   "pragma_integrity_check WHERE "
                                   "integrity_check = 'ok'"),
                     1);
    sqlite3_close(copy.db);
    assert_int_not_equal(access("state/.queue-v1.db.backup.tmp", F_OK), 0);
}

/* As on a full disk: no file grows beyond 8 KiB. How the open failed. */
static int open_without_room(void *context)
{
    struct rlimit limit = {8192, 8192};
    struct dq_err err = {0};

    (void)context;
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) || opened(&err))
        return 0;
    return strstr(err.text, "queue-v1.db") ? 1 : 2;
}

static void a_copy_that_does_not_fit_keeps_the_queue_from_being_upgraded(
    void **state)
{
    (void)state;
    make_old_queue();
    assert_int_equal(WEXITSTATUS(status_of_child(open_without_room, NULL)), 1);
    assert_int_not_equal(access("state/queue-v1.db", F_OK), 0);
    dq_store_close(open_store());
    expect_copy_of_old_queue();
}

static void what_a_killed_upgrade_left_is_not_taken_for_the_copy(void **state)
{
    (void)state;
    make_old_queue();
    put_file("state/queue-v1.db", "SQLite format 3");
    put_file("state/.queue-v1.db.backup.tmp", "SQLite format 3");
    dq_store_close(open_store());
    expect_copy_of_old_queue();
}

static void another_programs_database_is_refused(void **state)
{
    struct dq_store *s = open_store();

    (void)state;
    assert_int_equal(dq_sql_exec(s, "PRAGMA application_id = 1", NULL), 0);
    dq_store_close(s);
    expect_refused(DQ_CONFIG, "another program's");
}

static void network_file_systems_are_known(void **state)
{
    (void)state;
    assert_string_equal(dq_store_network(0x6969), "NFS");
    assert_string_equal(dq_store_network((long)0xFFFFFFFFFF534D42), "CIFS");
    assert_string_equal(dq_store_network(0x65735546), "FUSE");
    assert_null(dq_store_network(0xEF53));     /* ext4 */
    assert_null(dq_store_network(0x01021994)); /* tmpfs */
}

/* ---- damage --------------------------------------------------------------*/

static void make_some(int jobs)
{
    struct dq_store *s = open_store();

    for (int i = 0; i < jobs; i++) {
        char *name = dq_asprintf("j%d", i);

        submit(s, (struct wish){.name = name, .frames = "1-400"});
        free(name);
    }
    dq_store_close(s);
}

static void a_database_that_is_gone_is_not_made_anew(void **state)
{
    (void)state;
    make_some(1);
    assert_int_equal(unlink("state/queue.db"), 0);
    expect_refused(DQ_IO, "gone or empty");
    put_file("state/queue.db", "");
    expect_refused(DQ_IO, "gone or empty");
}

static void a_cut_database_is_refused(void **state)
{
    struct stat st;

    (void)state;
    make_some(3);
    assert_int_equal(stat("state/queue.db", &st), 0);
    assert_int_equal(truncate("state/queue.db", st.st_size / 2), 0);
    expect_refused(DQ_IO, "queue.db");
}

static void a_damaged_database_is_refused(void **state)
{
    char noise[8192];
    int fd;

    (void)state;
    make_some(3);
    memset(noise, 0x5a, sizeof noise);
    fd = open("state/queue.db", O_WRONLY);
    assert_int_equal(pwrite(fd, noise, sizeof noise, 3 * 4096), sizeof noise);
    close(fd);
    expect_refused(DQ_IO, "queue.db");
}

static void a_wal_that_is_gone_is_noticed(void **state)
{
    int committed = 1;

    (void)state;
    status_of_child(die_at_work, &committed);
    assert_int_equal(unlink("state/queue.db-wal"), 0);
    expect_refused(DQ_IO, "last commits are lost");
}

/* ---- refusals of SQLite --------------------------------------------------*/

static void inject(const char *rules)
{
    setenv("DQ_FAULT", rules, 1);
    dq_fault_setup();
}

/* Whichever statement of a submit is refused: none of it is there, and the
 * next one goes through. */
static void a_submit_that_is_refused_midway_leaves_nothing(void **state)
{
    struct wish w = {.name = "a", .frames = "1-3", .output = "o/a.#.exr"};
    int refused = 0;

    (void)state;
    for (int n = 1;; n++) {
        struct dq_store *s = open_store();
        struct dq_err err = {0};
        char *rule = dq_asprintf("store.write:%d", n);
        int64_t job = 0;
        int fresh = 0, code;

        inject(rule);
        code = submit_as(s, w, &job, &fresh, &err);
        inject("");
        free(rule);
        refused += code == DQ_FULL;
        expect_sound(s);
        assert_int_equal(number(s, "SELECT count(*) FROM job"), !code);
        assert_int_equal(number(s, "SELECT count(*) FROM task"), code ? 0 : 4);
        dq_store_close(s);
        if (!code)
            break;
    }
    assert_in_range(refused, 6, 30);
}

static void a_refused_commit_ends_the_store_and_loses_only_itself(void **state)
{
    struct dq_store *s = open_store();
    struct dq_err err = {0};
    int64_t job = submit(s, (struct wish){.name = "a", .frames = "1-3"});
    struct dq_claim c;

    (void)state;
    assert_int_equal(dq_store_commit(s, &err), 0);
    survey(s);
    inject("store.commit:1");
    assert_int_equal(dq_store_commit(s, &err), DQ_IO);
    inject("");
    assert_int_equal(dq_store_commit(s, &err), DQ_IO); /* and stays so */
    assert_int_equal(claim(s, 0, &c), 0);
    dq_store_close(s);
    s = open_store();
    expect_state(s, job, "queued");
    assert_int_equal(frames_in(s, job, "waiting"), 3);
    dq_store_close(s);
}

/* A database that may grow no more, as on a full disk. */
static void a_full_disk_refuses_new_jobs_and_keeps_the_old(void **state)
{
    struct dq_store *s = open_store();
    struct dq_err err = {0};
    struct wish w = {.name = "big", .frames = "1-20000", .output = "o/b.#.exr"};
    int64_t job = submit(s, (struct wish){.name = "a", .frames = "1-3"}), big;
    int fresh;

    (void)state;
    assert_int_equal(dq_store_commit(s, NULL), 0);
    assert_int_equal(dq_sql_exec(s, "PRAGMA max_page_count = 40", NULL), 0);
    assert_int_equal(submit_as(s, w, &big, &fresh, &err), DQ_FULL);
    dq_store_close(s);
    s = open_store();
    expect_sound(s);
    assert_int_equal(number(s, "SELECT count(*) FROM job"), 1);
    expect_state(s, job, "queued");
    dq_store_close(s);
}

/* ---- backup, processes ---------------------------------------------------*/

static void a_backup_opens_as_the_queue_it_was(void **state)
{
    struct dq_store *s = open_store();
    struct dq_err err = {0};

    (void)state;
    submit(s, (struct wish){.name = "a", .frames = "1-3"});
    assert_int_equal(dq_store_backup(s, "copy.db", &err), 0);
    assert_int_equal(dq_store_backup(s, "copy.db", &err), DQ_EXISTS);
    submit(s, (struct wish){.name = "b", .frames = "1-3"});
    dq_store_close(s);
    assert_int_equal(rename("copy.db", "state/queue.db"), 0);
    s = open_store();
    assert_int_equal(number(s, "SELECT count(*) FROM job"), 1);
    expect_sound(s);
    dq_store_close(s);
}

static void a_backup_has_its_name_when_it_is_durable(void **state)
{
    struct dq_store *s = open_store();
    struct dq_err err = {0};
    struct stat st;

    (void)state;
    inject("publish.fsync:1");
    assert_int_equal(dq_store_backup(s, "copy.db", &err), DQ_IO);
    inject("");
    assert_int_not_equal(access("copy.db", F_OK), 0);
    assert_int_equal(entries_in("."), 1); /* state */
    assert_int_equal(dq_store_backup(s, "copy.db", &err), 0);
    assert_int_equal(stat("copy.db", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    dq_store_close(s);
}

/* As a person does who is told to: after a kill, with the -wal of what was
 * there still beside it. */
static void a_backup_takes_the_place_of_a_database_without_its_wal(void **state)
{
    int committed = 1;
    struct dq_store *s = open_store();
    struct dq_err err = {0};

    (void)state;
    submit(s, (struct wish){.name = "kept", .frames = "1-3"});
    assert_int_equal(dq_store_backup(s, "copy.db", &err), 0);
    dq_store_close(s);
    status_of_child(die_at_work, &committed);
    assert_int_equal(rename("copy.db", "state/queue.db"), 0);
    expect_refused(DQ_IO, "queue.db-wal is of another database");
    assert_int_equal(unlink("state/queue.db-wal"), 0);
    s = open_store();
    assert_int_equal(number(s, "SELECT count(*) FROM job WHERE name = 'kept'"),
                     1);
    assert_int_equal(number(s, "SELECT count(*) FROM job"), 1);
    expect_sound(s);
    dq_store_close(s);
}

/* A process that does nothing; made before a store is open, whose lock it
 * would share. */
static pid_t idle(void)
{
    pid_t child = fork();

    while (child == 0)
        pause();
    return child;
}

static int is_gone(pid_t child)
{
    int status = 0;

    return waitpid(child, &status, WNOHANG) == child && WIFSIGNALED(status) &&
           WTERMSIG(status) == SIGKILL;
}

static void workers_of_the_last_daemon_are_ended(void **state)
{
    pid_t orphan = idle(), other = idle();
    struct dq_store *s = open_store();
    int orphan_gone, other_gone;

    (void)state;
    dq_store_process_add(s, orphan);
    dq_store_process_add(s, other);
    dq_store_process_gone(s, other); /* reaped: its pid may be another's */
    dq_store_close(s);
    s = open_store();
    orphan_gone = is_gone(orphan);
    other_gone = is_gone(other);
    kill(other, SIGKILL);
    waitpid(other, NULL, 0);
    assert_true(orphan_gone);
    assert_false(other_gone);
    assert_int_equal(number(s, "SELECT count(*) FROM process"), 0);
    dq_store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) \
    cmocka_unit_test_setup_teardown(f, folder_setup, folder_teardown)
        TEST(what_was_committed_outlives_a_kill),
        TEST(what_was_not_committed_leaves_nothing),
        TEST(every_acknowledged_job_is_there_after_kills),
        TEST(a_second_daemon_is_refused),
        TEST(a_newer_schema_is_refused_and_kept),
        TEST(a_queue_from_before_the_release_is_refused),
        TEST(a_queue_of_the_first_schema_is_brought_to_this_one),
        TEST(a_copy_that_does_not_fit_keeps_the_queue_from_being_upgraded),
        TEST(what_a_killed_upgrade_left_is_not_taken_for_the_copy),
        TEST(another_programs_database_is_refused),
        TEST(network_file_systems_are_known),
        TEST(a_database_that_is_gone_is_not_made_anew),
        TEST(a_cut_database_is_refused),
        TEST(a_damaged_database_is_refused),
        TEST(a_wal_that_is_gone_is_noticed),
        TEST(a_submit_that_is_refused_midway_leaves_nothing),
        TEST(a_refused_commit_ends_the_store_and_loses_only_itself),
        TEST(a_full_disk_refuses_new_jobs_and_keeps_the_old),
        TEST(a_backup_opens_as_the_queue_it_was),
        TEST(a_backup_has_its_name_when_it_is_durable),
        TEST(a_backup_takes_the_place_of_a_database_without_its_wal),
        TEST(workers_of_the_last_daemon_are_ended),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
