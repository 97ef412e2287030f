/* The schema's versions, compiled in: schemas/NNNN_*.sql. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "jobs/store_private.h"

/* The file's bytes and a final zero, under a name. */
#define DQ_SCHEMA_FILE(name, file)               \
    __asm__(".pushsection .rodata\n" #name ":\n" \
            ".incbin \"" file "\"\n"             \
            ".byte 0\n"                          \
            ".popsection\n");                    \
    extern const char name[] __attribute__((visibility("hidden")))

DQ_SCHEMA_FILE(dq_schema_0001, "schemas/0001_queue.sql");
DQ_SCHEMA_FILE(dq_schema_0002, "schemas/0002_phases.sql");
DQ_SCHEMA_FILE(dq_schema_0003, "schemas/0003_models.sql");

static const char *const versions[] = {dq_schema_0001, dq_schema_0002,
                                       dq_schema_0003};
enum { VERSIONS = sizeof versions / sizeof *versions };

/* "dpth": whose database it is. */
enum { APPLICATION = 0x64707468 };

static int number_of(struct dq_store *s, const char *pragma, int *number,
                     struct dq_err *err)
{
    sqlite3_stmt *row = NULL;
    int failed = sqlite3_prepare_v2(s->db, pragma, -1, &row, NULL) ||
                 sqlite3_step(row) != SQLITE_ROW;

    if (failed)
        dq_sql_fail(s, err, pragma);
    else
        *number = sqlite3_column_int(row, 0);
    sqlite3_finalize(row);
    return err->code;
}

/* One version more, whole or not at all. */
static int step_up(struct dq_store *s, int version, struct dq_err *err)
{
    char *end = dq_asprintf("PRAGMA application_id = %d; "
                            "PRAGMA user_version = %d; COMMIT",
                            APPLICATION, version + 1);

    if (dq_sql_exec(s, "BEGIN IMMEDIATE", err) ||
        dq_sql_exec(s, dq_schema_step(version), err) ||
        dq_sql_exec(s, end, err))
        sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    free(end);
    return err->code;
}

/* The old database stays, as queue-v1.db. One that is there already is of an
 * upgrade that was broken off or undone: what is upgraded now may be newer. */
static int keep_copy(struct dq_store *s, int version, struct dq_err *err)
{
    char *path = dq_asprintf("%s/queue-v%d.db", s->folder, version);

    dq_store_copy(s, path, DQ_PUBLISH_REPLACE, err);
    free(path);
    return err->code;
}

/* Before it was released version 1 had no phases: such a queue cannot be
 * stepped up. */
static int is_unreleased(struct dq_store *s)
{
    sqlite3_stmt *row = NULL;
    int failed = sqlite3_prepare_v2(s->db, "SELECT phase FROM job", -1, &row,
                                    NULL) != SQLITE_OK;

    sqlite3_finalize(row);
    return failed;
}

const char *dq_schema_step(int version)
{
    return versions[version];
}

int dq_schema_newest(void)
{
    return VERSIONS;
}

int dq_schema_check(struct dq_store *s, int *version, struct dq_err *err)
{
    int application = 0;

    if (number_of(s, "PRAGMA user_version", version, err) ||
        number_of(s, "PRAGMA application_id", &application, err))
        return err->code;
    if (*version > VERSIONS)
        return dq_fail(err, DQ_CONFIG,
                       "%s is of schema %d, from a newer depthq; this one "
                       "knows up to %d",
                       s->path, *version, VERSIONS);
    if (*version > 0 && application != APPLICATION)
        return dq_fail(err, DQ_CONFIG, "%s is another program's database",
                       s->path);
    if (*version == 1 && is_unreleased(s))
        return dq_fail(
            err, DQ_CONFIG,
            "%s is of an earlier, unreleased depthq; move its folder "
            "away for a new queue",
            s->path);
    return DQ_OK;
}

int dq_schema_migrate(struct dq_store *s, struct dq_err *err)
{
    int version = 0;

    if (dq_schema_check(s, &version, err))
        return err->code;
    if (version > 0 && version < VERSIONS && keep_copy(s, version, err))
        return err->code;
    for (; version < VERSIONS; version++)
        if (step_up(s, version, err))
            return dq_because(err, "schema %d", version + 1);
    return DQ_OK;
}
