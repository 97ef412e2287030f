#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/publish.h"
#include "jobs/store_private.h"

/* ---- where it lies -------------------------------------------------------*/

const char *dq_store_network(long f_type)
{
    static const struct {
        long type;
        const char *name;
    } known[] = {
        {0x6969, "NFS"},       {0x517B, "SMB"},      {0xFF534D42, "CIFS"},
        {0xFE534D42, "SMB2"},  {0x65735546, "FUSE"}, {0x5346414F, "AFS"},
        {0x01021997, "9P"},    {0x00C36400, "Ceph"}, {0x0BD00BD0, "Lustre"},
        {0x47504653, "GPFS"},  {0x73757245, "Coda"}, {0x01161970, "GFS2"},
        {0x7461636F, "OCFS2"},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].type == (f_type & 0xFFFFFFFF))
            return known[i].name;
    return NULL;
}

int dq_store_check_place(const char *folder, struct dq_err *err)
{
    struct statfs fs;
    const char *network;

    if (statfs(folder, &fs) != 0)
        return dq_fail_errno(err, dq_code_of_write_errno(errno), errno, "%s",
                             folder);
    network = dq_store_network((long)fs.f_type);
    if (network)
        return dq_fail(err, DQ_CONFIG,
                       "%s is on a network file system (%s), where SQLite "
                       "loses data: choose a local disk (--state)",
                       folder, network);
    return DQ_OK;
}

/* SQLite calls what it may not write an I/O error. */
static int check_rights(const char *path, struct dq_err *err)
{
    if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0 && errno != ENOENT)
        return dq_fail_errno(err, dq_code_of_write_errno(errno), errno, "%s",
                             path);
    return DQ_OK;
}

/* ---- the lock ------------------------------------------------------------*/

/* A file of its own: closing any descriptor of the database would drop
 * SQLite's locks. Its one word tells how the last daemon left:
 *   running  in the middle of work, so the -wal file must be there
 *   closing  the end had begun, the -wal file may be gone
 * and that there was a database at all. */
static int take_lock(struct dq_store *s, struct dq_err *err)
{
    char *path = dq_asprintf("%s/lock", s->folder);

    s->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->lock < 0)
        dq_fail_errno(err, dq_code_of_write_errno(errno), errno, "%s", path);
    else if (flock(s->lock, LOCK_EX | LOCK_NB) != 0)
        dq_fail(err, DQ_BUSY, "another depthqd works in %s", s->folder);
    free(path);
    return err->code;
}

static int write_mark(struct dq_store *s, const char *word, struct dq_err *err)
{
    size_t count = strlen(word);

    if (pwrite(s->lock, word, count, 0) != (ssize_t)count ||
        fsync(s->lock) != 0)
        return dq_fail_errno(err, dq_code_of_write_errno(errno), errno,
                             "%s/lock", s->folder);
    return DQ_OK;
}

static int not_empty(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && st.st_size > 0;
}

/* A backup is not in WAL mode yet: bytes 18 and 19 of the header are 1 (file
 * format, "the database header"). Looked at before SQLite has the file open. */
static int is_backup(const char *path)
{
    unsigned char head[20] = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t count = fd < 0 ? 0 : read(fd, head, sizeof head);

    if (fd >= 0)
        close(fd);
    return count == (ssize_t)sizeof head && head[18] == 1 && head[19] == 1;
}

/* Files that were there and are not any more: a new, empty queue in their
 * place would hide the loss. And one too many: SQLite would play the -wal of
 * the database that was there into the backup that took its place. */
int dq_store_check_files(struct dq_store *s, struct dq_err *err)
{
    char word[8] = "", *wal = dq_asprintf("%s-wal", s->path);
    ssize_t count = pread(s->lock, word, sizeof word - 1, 0);
    int backup = is_backup(s->path);
    struct stat st;

    if (count > 0 && !not_empty(s->path))
        dq_fail(err, DQ_IO,
                "%s is gone or empty, but a queue was here; put the last "
                "backup in its place, or remove %s/lock for a new queue",
                s->path, s->folder);
    else if (backup && not_empty(wal))
        dq_fail(err, DQ_IO,
                "%s is of another database than the backup that is in its "
                "place now: move it away",
                wal);
    else if (!backup && strcmp(word, "running") == 0 && stat(wal, &st) != 0)
        dq_fail(err, DQ_IO,
                "%s is gone: the last commits are lost; put the last backup "
                "in the place of %s, or remove %s/lock to go on without them",
                wal, s->path, s->folder);
    free(wal);
    return err->code;
}

/* ---- the database --------------------------------------------------------*/

/* Run a pragma and compare its answer: what SQLite does not know it
 * ignores. */
static int pragma(struct dq_store *s, const char *text, const char *want,
                  struct dq_err *err)
{
    sqlite3_stmt *row = NULL;
    const char *got;

    if (sqlite3_prepare_v2(s->db, text, -1, &row, NULL) ||
        sqlite3_step(row) != SQLITE_ROW) {
        dq_sql_fail(s, err, text);
    } else {
        got = (const char *)sqlite3_column_text(row, 0);
        if (strcmp(got, want) != 0)
            dq_fail(err, DQ_IO, "%s: %s gives '%.300s', not '%s'", s->path,
                    text, got, want);
    }
    sqlite3_finalize(row);
    return err->code;
}

static int set_up(struct dq_store *s, struct dq_err *err)
{
    if (dq_sql_exec(s,
                    "PRAGMA locking_mode = EXCLUSIVE; "
                    "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; "
                    "PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY; "
                    "PRAGMA cache_size = -16384; "
                    "PRAGMA journal_size_limit = 67108864; "
                    "PRAGMA trusted_schema = OFF",
                    err) ||
        pragma(s, "PRAGMA journal_mode = WAL", "wal", err) ||
        pragma(s, "PRAGMA synchronous", "2", err) ||
        pragma(s, "PRAGMA foreign_keys", "1", err))
        return err->code;
    return DQ_OK;
}

static int on_wal(void *context, sqlite3 *db, const char *name, int pages)
{
    struct dq_store *s = context;

    (void)db;
    (void)name;
    s->wal_pages = pages;
    return SQLITE_OK;
}

static int is_damaged(struct dq_err *err)
{
    dq_because(err, "damaged; put the last backup in its place");
    return err->code = DQ_IO;
}

int dq_store_check_whole(struct dq_store *s, struct dq_err *err)
{
    sqlite3_stmt *row = NULL;

    if (pragma(s, "PRAGMA integrity_check(1)", "ok", err))
        return is_damaged(err);
    if (sqlite3_prepare_v2(s->db, "PRAGMA foreign_key_check", -1, &row, NULL) ||
        sqlite3_step(row) != SQLITE_DONE)
        dq_fail(err, DQ_IO, "%s: rows refer to rows that are not there",
                s->path);
    sqlite3_finalize(row);
    return err->code;
}

/* Those that are of this process alone. */
static int make_tables(struct dq_store *s, struct dq_err *err)
{
    char *text = dq_asprintf(
        "CREATE TEMP TABLE pick (number INTEGER PRIMARY KEY); "
        "CREATE TEMP TABLE tally (n INTEGER PRIMARY KEY); "
        "WITH RECURSIVE c(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c "
        "WHERE n < %d - 1) INSERT INTO tally SELECT n FROM c",
        DQ_TALLY);

    dq_sql_exec(s, text, err);
    free(text);
    return err->code;
}

static int open_database(struct dq_store *s, struct dq_err *err)
{
    mode_t mask = umask(0077);
    int rc = sqlite3_open_v2(s->path, &s->db,
                             SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);

    umask(mask);
    if (rc)
        return dq_sql_fail(s, err, "open");
    sqlite3_extended_result_codes(s->db, 1);
    sqlite3_busy_timeout(s->db, 50);
    sqlite3_wal_hook(s->db, on_wal, s); /* dq_store_tidy instead of SQLite */
    rc = set_up(s, err) ? sqlite3_errcode(s->db) & 0xff : SQLITE_OK;
    if (rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB)
        return is_damaged(err);
    if (err->code || dq_store_check_whole(s, err) || dq_schema_migrate(s, err))
        return err->code;
    return make_tables(s, err);
}

/* ---- after the last daemon -----------------------------------------------*/

static int64_t next_open_job(struct dq_store *s, int64_t after)
{
    sqlite3_stmt *rows = dq_sql_rows(s, DQ_SQL_OPEN_JOBS, "l", after);
    int64_t job = 0;

    if (!dq_sql_next(s, rows))
        return 0;
    job = sqlite3_column_int64(rows, 0);
    dq_sql_done(rows);
    return job;
}

/* What was at work in a job that is being canceled is canceled. */
static void hand_back(struct dq_store *s, int64_t job)
{
    enum dq_task_event event =
        dq_store_canceling(s, job) ? DQ_EVENT_CANCEL : DQ_EVENT_HAND_BACK;

    for (int kind = 0; kind < DQ_TASK_KINDS; kind++) {
        struct dq_bulk bulk = {
            .who = &dq_dispatcher, .job = job, .kind = (enum dq_task_kind)kind};

        dq_move_bulk(s, &bulk, DQ_TASK_RUNNING, event);
    }
}

/* Nothing runs: its workers are dead. Nothing waits: their clock is gone. */
static int recover(struct dq_store *s, struct dq_err *err)
{
    char now[40] = "at the daemon's start";
    int64_t job = 0;

    if (dq_store_begin(s, err))
        return err->code;
    for (int i = 0; i < DQ_TASK_STATES; i++)
        dq_sql_run(s, DQ_SQL_ADD_STATE, "t",
                   dq_task_state_name((enum dq_task_state)i));
    dq_sql_run(s, DQ_SQL_ATTEMPTS_LOST, "t", now);
    while ((job = next_open_job(s, job))) {
        hand_back(s, job);
        dq_move_done(s, job);
    }
    dq_sql_run(s, DQ_SQL_WAITS_OVER, "");
    dq_sql_run(s, DQ_SQL_HOLDS_OVER, "");
    s->over_count = 0; /* ended then, not now */
    return dq_store_finish(s, err) ? err->code : dq_store_commit(s, err);
}

int dq_store_clock_anew(struct dq_store *s, struct dq_err *err)
{
    if (dq_store_begin(s, err))
        return err->code;
    dq_sql_run(s, DQ_SQL_WAITS_OVER, "");
    dq_sql_run(s, DQ_SQL_HOLDS_OVER, "");
    s->due_ms = INT64_MIN;
    return dq_store_finish(s, err);
}

/* How long killed workers of the last daemon may take to go. */
enum { LAST_WORKERS_MS = 10000 };

/* ---- open and close ------------------------------------------------------*/

struct dq_store *dq_store_open(const char *folder, struct dq_err *err)
{
    struct dq_store *s = dq_new(sizeof *s);

    s->lock = -1;
    s->due_ms = INT64_MIN;
    s->folder = dq_strdup(folder);
    s->path = dq_asprintf("%s/queue.db", folder);
    if (mkdir(folder, 0700) != 0 && errno == ENOENT &&
        !dq_make_folders(folder, err))
        chmod(folder, 0700);
    if (err->code || dq_store_check_place(folder, err) || take_lock(s, err) ||
        check_rights(folder, err) || check_rights(s->path, err) ||
        dq_store_check_files(s, err) || open_database(s, err) ||
        dq_store_processes_end(s, LAST_WORKERS_MS, err) || recover(s, err) ||
        write_mark(s, "running", err)) {
        dq_store_close(s);
        return NULL;
    }
    s->marked = 1;
    return s;
}

void dq_store_close(struct dq_store *s)
{
    if (!s)
        return;
    if (s->db) {
        dq_store_commit(s, NULL);
        for (int i = 0; i < DQ_SQLS; i++)
            sqlite3_finalize(s->statements[i]);
        for (int i = 0; i < DQ_TASK_STATES; i++)
            for (int k = 0; k < DQ_TASK_STATES; k++) {
                sqlite3_finalize(s->counts[0][i][k]);
                sqlite3_finalize(s->counts[1][i][k]);
            }
        if (s->marked)
            write_mark(s, "closing", NULL);
        sqlite3_close_v2(s->db);
    }
    if (s->lock >= 0)
        close(s->lock);
    free(s->over);
    free(s->folder);
    free(s->path);
    free(s);
}
