#include <stdarg.h>
#include <string.h>

#include "base/fault.h"
#include "jobs/store_private.h"

static const char *const texts[DQ_SQLS] = {
#define DQ_SQL(name, text) text,
#include "jobs/store_sql.def"
};

/* ---- failures ------------------------------------------------------------*/

static int code_of(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return DQ_BUSY;
    case SQLITE_FULL:
        return DQ_FULL;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
        return DQ_DENIED;
    case SQLITE_NOMEM:
        return DQ_MEMORY;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISUSE:
    case SQLITE_ERROR:
        return DQ_BUG;
    default:
        return DQ_IO;
    }
}

int dq_sql_fail(struct dq_store *s, struct dq_err *err, const char *what)
{
    return dq_fail(err, code_of(sqlite3_errcode(s->db)), "%s: %s: %s", s->path,
                   what, sqlite3_errmsg(s->db));
}

static void spoil(struct dq_store *s, const char *what)
{
    if (!s->broken.code)
        dq_sql_fail(s, &s->broken, what);
}

/* ---- statements ----------------------------------------------------------*/

static sqlite3_stmt *prepared(struct dq_store *s, enum dq_sql which)
{
    sqlite3_stmt **slot = &s->statements[which];

    if (!*slot && sqlite3_prepare_v3(s->db, texts[which], -1,
                                     SQLITE_PREPARE_PERSISTENT, slot, NULL))
        spoil(s, texts[which]);
    if (*slot)
        sqlite3_reset(*slot);
    return *slot;
}

static void bind(sqlite3_stmt *stmt, const char *format, va_list args)
{
    for (int i = 1; *format; format++, i++) {
        if (*format == 'i')
            sqlite3_bind_int(stmt, i, va_arg(args, int));
        else if (*format == 'l')
            sqlite3_bind_int64(stmt, i, va_arg(args, int64_t));
        else if (*format == 'd')
            sqlite3_bind_double(stmt, i, va_arg(args, double));
        else
            sqlite3_bind_text(stmt, i, va_arg(args, const char *), -1,
                              SQLITE_TRANSIENT);
    }
}

sqlite3_stmt *dq_sql_rows(struct dq_store *s, enum dq_sql which,
                          const char *format, ...)
{
    sqlite3_stmt *stmt = prepared(s, which);
    va_list args;

    va_start(args, format);
    if (stmt)
        bind(stmt, format, args);
    va_end(args);
    return stmt;
}

int dq_sql_next(struct dq_store *s, sqlite3_stmt *rows)
{
    int rc = rows ? sqlite3_step(rows) : SQLITE_MISUSE;

    if (rc == SQLITE_ROW)
        return 1;
    if (rc != SQLITE_DONE)
        spoil(s, rows ? sqlite3_sql(rows) : "prepare");
    dq_sql_done(rows);
    return 0;
}

void dq_sql_done(sqlite3_stmt *rows)
{
    sqlite3_reset(rows);
}

int64_t dq_sql_run(struct dq_store *s, enum dq_sql which, const char *format,
                   ...)
{
    sqlite3_stmt *stmt = prepared(s, which);
    va_list args;
    int rc = SQLITE_MISUSE;

    va_start(args, format);
    if (stmt)
        bind(stmt, format, args);
    va_end(args);
    if (dq_fault(DQ_FAULT_STORE_WRITE)) {
        if (!s->broken.code)
            dq_fail(&s->broken, DQ_FULL, "%s: injected by DQ_FAULT", s->path);
        return -1;
    }
    if (stmt)
        while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
            ;
    if (rc != SQLITE_DONE)
        spoil(s, texts[which]);
    sqlite3_reset(stmt);
    return rc == SQLITE_DONE ? sqlite3_changes(s->db) : -1;
}

int dq_sql_exec(struct dq_store *s, const char *text, struct dq_err *err)
{
    if (sqlite3_exec(s->db, text, NULL, NULL, NULL))
        return dq_sql_fail(s, err, text);
    return DQ_OK;
}

/* ---- transactions --------------------------------------------------------*/

/* Nothing was lost, and the caller may try again. */
static int not_begun(struct dq_store *s, struct dq_err *err)
{
    int code = s->broken.code;

    if (err)
        *err = s->broken;
    dq_err_clear(&s->broken);
    return code;
}

int dq_store_begin(struct dq_store *s, struct dq_err *err)
{
    if (s->broken.code) {
        if (err)
            *err = s->broken;
        return s->broken.code;
    }
    if (!s->dirty)
        s->dirty = dq_sql_run(s, DQ_SQL_BEGIN, "") >= 0;
    if (s->dirty)
        dq_sql_run(s, DQ_SQL_MARK, "");
    return s->broken.code ? not_begun(s, err) : DQ_OK;
}

/* Undo this operation alone; when SQLite has thrown away the whole
 * transaction, what was not committed is lost and the store stays broken. */
static int undo(struct dq_store *s, struct dq_err *err)
{
    struct dq_err cause = s->broken;

    dq_err_clear(&s->broken);
    if (sqlite3_get_autocommit(s->db) ||
        sqlite3_exec(s->db, "ROLLBACK TO op; RELEASE op", NULL, NULL, NULL))
        s->broken = cause;
    s->due_ms = INT64_MIN;
    if (err && cause.code)
        *err = cause;
    return cause.code;
}

int dq_store_finish(struct dq_store *s, struct dq_err *err)
{
    int code = err ? err->code : DQ_OK;

    if (!code && !s->broken.code)
        dq_sql_run(s, DQ_SQL_KEEP, "");
    if (!code && !s->broken.code)
        return DQ_OK;
    undo(s, code ? NULL : err);
    return code ? code : err ? err->code : DQ_IO;
}

/* As many as SQLite waits for by itself, which makes one commit of many slow:
 * then a person waits. Four times as many are too many: nobody has tidied. */
enum { WAL_PAGES = 1000, WAL_PAGES_MOST = 4000 };

/* One that fails is made another time: nothing is lost. */
static void shorten_wal(struct dq_store *s, int pages)
{
    if (s->wal_pages < pages || s->dirty || s->broken.code)
        return;
    sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL,
                              NULL);
    s->wal_pages = 0;
}

int dq_store_commit(struct dq_store *s, struct dq_err *err)
{
    s->released = 0;
    if (!s->broken.code && s->dirty) {
        if (dq_fault(DQ_FAULT_STORE_COMMIT))
            dq_fail(&s->broken, DQ_IO, "%s: commit: injected by DQ_FAULT",
                    s->path);
        else
            s->dirty = dq_sql_run(s, DQ_SQL_COMMIT, "") < 0;
    }
    shorten_wal(s, WAL_PAGES_MOST);
    if (s->broken.code && err)
        *err = s->broken;
    return s->broken.code;
}

void dq_store_tidy(struct dq_store *s)
{
    shorten_wal(s, WAL_PAGES);
}
