/* store_private: what the pieces of the store share. */
#ifndef DQ_JOBS_STORE_PRIVATE_H
#define DQ_JOBS_STORE_PRIVATE_H

#include <sqlite3.h>
#include "base/publish.h"
#include "jobs/store.h"

enum dq_sql {
#define DQ_SQL(name, text) DQ_SQL_##name,
#include "jobs/store_sql.def"
    DQ_SQLS
};

struct dq_store {
    sqlite3 *db;
    char *folder, *path;
    int lock;   /* descriptor of the lock file, or -1 */
    int marked; /* as running */
    sqlite3_stmt *statements[DQ_SQLS];
    sqlite3_stmt *counts[2][DQ_TASK_STATES][DQ_TASK_STATES]; /* early: 1 */
    int dirty;            /* a transaction is open */
    int wal_pages;        /* of the -wal file, after the last commit */
    struct dq_err broken; /* why nothing more can be written */
    int64_t *over;        /* jobs that ended, not told yet */
    size_t over_count;
    int held;       /* nothing is handed out */
    int released;   /* dq_move_release was at work since the last commit */
    int64_t pruned; /* ids of events before this one were looked at */
    int64_t due_ms; /* no task is due before; INT64_MIN: not known */
};

/* How far the table tally counts, from 0 on. */
#define DQ_TALLY 1000

/* ---- store_sql.c: statements and transactions ----------------------------*/

/* Bind by format: i int, l int64_t, d double, t text (NULL is NULL). */

/* A statement that gives rows, bound, before its first row. Never keep one
 * open across another call of the same name: dq_sql_done when finished. */
sqlite3_stmt *dq_sql_rows(struct dq_store *s, enum dq_sql which,
                          const char *format, ...);
/* 1: on a row; 0: no more, and the statement is done. Failures break. */
int dq_sql_next(struct dq_store *s, sqlite3_stmt *rows);
void dq_sql_done(sqlite3_stmt *rows);
/* One that gives none: how many rows it changed, or -1 (the store is
 * broken, or the operation has failed: dq_store_finish tells). */
int64_t dq_sql_run(struct dq_store *s, enum dq_sql which, const char *format,
                   ...);
/* A text without parameters. */
int dq_sql_exec(struct dq_store *s, const char *text, struct dq_err *err);
/* What SQLite said last, as one of our codes. */
int dq_sql_fail(struct dq_store *s, struct dq_err *err, const char *what);

/* An operation: all of it or nothing. Begin; on failure of ours or of
 * SQLite's finish undoes it. Returns the code. */
int dq_store_begin(struct dq_store *s, struct dq_err *err);
int dq_store_finish(struct dq_store *s, struct dq_err *err);

/* ---- store_move.c: moves with their counts and events --------------------*/

extern const struct dq_who dq_dispatcher;

/* count tasks of that kind of a job went from one state to another. */
void dq_move_counts(struct dq_store *s, int64_t job, enum dq_task_kind kind,
                    enum dq_task_state from, enum dq_task_state to,
                    int64_t count);
/* An event row; task NULL: of the job, or (kind) of many tasks. */
struct dq_event {
    const struct dq_who *who;
    int64_t job;
    const struct dq_task *task;
    const char *kind;
    const char *verb, *before, *after, *text;
    int64_t count;
};
void dq_event_add(struct dq_store *s, const struct dq_event *event);
/* Some of a job's tasks, and who moves them. */
struct dq_bulk {
    const struct dq_who *who;
    int64_t job;
    enum dq_task_kind kind;
    int picked; /* the frames in the table pick alone */
};
/* Move those that are in `from` by an event of the table; how many. */
int64_t dq_move_bulk(struct dq_store *s, const struct dq_bulk *bulk,
                     enum dq_task_state from, enum dq_task_event event);
/* The same from each of these states (ended by -1). */
int64_t dq_move_from(struct dq_store *s, const struct dq_bulk *bulk,
                     const int *states, enum dq_task_event event);
/* Everything that is neither settled nor running fails. */
void dq_move_fail(struct dq_store *s, int64_t job, const struct dq_err *cause);
/* When the job is over. */
void dq_move_done(struct dq_store *s, int64_t job);

/* ---- store_phase.c -------------------------------------------------------*/

/* The phase: the first kind of which a task is not settled. When that is
 * another one than before, some of its tasks that waited are ready, and
 * dq_move_release sees to the others. */
void dq_move_phase(struct dq_store *s, int64_t job);
/* More tasks of a phase that has many become ready, of the job that is claimed
 * from first: with the first claim after each commit, and whenever they are
 * needed, because no claim finds one. Whether some are. */
int dq_move_release(struct dq_store *s, int64_t now_ms, int needed);

/* ---- store_limit.c -------------------------------------------------------*/

/* DQ_LIMIT when user uid would have more than `who` may let them have, with
 * so many jobs and frames more than now. */
int dq_store_within(struct dq_store *s, const struct dq_who *who, int64_t uid,
                    int64_t jobs, int64_t frames, struct dq_err *err);

/* ---- store_submit.c ------------------------------------------------------*/

/* DQ_EXISTS when a live job other than `job` writes a path of these. */
int dq_store_rivals(struct dq_store *s, int64_t job,
                    const struct dq_sequence *output,
                    const struct dq_range *frames, struct dq_err *err);

/* ---- store_read.c --------------------------------------------------------*/

/* A column as JSON; bytes that are no UTF-8 come out as '?'. */
json_t *dq_row_value(sqlite3_stmt *row, int i);
/* Members named after columns, from the first on; "" leaves one out. */
json_t *dq_row_object(sqlite3_stmt *row, const char *const *names);
/* {name: list, "next": next}; takes both references. */
json_t *dq_row_page(const char *name, json_t *list, json_t *next);
/* The same of rows, limit + 1 of which were asked for: an object of each, and
 * as next the first column of the last one that is told, if there are more. */
json_t *dq_row_pages(struct dq_store *s, sqlite3_stmt *rows, int limit,
                     const char *name,
                     json_t *(*object)(struct dq_store *s, sqlite3_stmt *row));

/* ---- store_read_job.c ----------------------------------------------------*/

/* DQ_MISSING */
int dq_no_job(int64_t job, struct dq_err *err);

/* ---- store_process.c -----------------------------------------------------*/

/* Kill the workers that an earlier daemon left and wait until they are gone,
 * at most wait_ms. DQ_BUSY: one hangs in the kernel. */
int dq_store_processes_end(struct dq_store *s, int wait_ms, struct dq_err *err);

/* ---- store_open.c --------------------------------------------------------*/

/* DQ_CONFIG on a network file system. */
int dq_store_check_place(const char *folder, struct dq_err *err);
/* DQ_IO: files of the database are gone, or are of another one. Wants folder,
 * path and lock, and no more. */
int dq_store_check_files(struct dq_store *s, struct dq_err *err);
/* DQ_IO: the open database is damaged. */
int dq_store_check_whole(struct dq_store *s, struct dq_err *err);

/* ---- store_backup.c ------------------------------------------------------*/

/* As dq_store_backup, also over a file that is there. */
int dq_store_copy(struct dq_store *s, const char *path,
                  enum dq_publish_mode mode, struct dq_err *err);

/* ---- store_schema.c ------------------------------------------------------*/

/* The schema of the open database, 0 of an empty one. DQ_CONFIG: it is newer
 * than this program, or no database of ours. */
int dq_schema_check(struct dq_store *s, int *version, struct dq_err *err);
/* The one that this program makes. */
int dq_schema_newest(void);
/* The SQL that makes the next of a version; 0: of an empty database. */
const char *dq_schema_step(int version);

/* Bring the database to this program's schema: DQ_CONFIG when it is newer. */
int dq_schema_migrate(struct dq_store *s, struct dq_err *err);

#endif
