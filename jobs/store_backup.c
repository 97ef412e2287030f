/* Copies of the database: whole and durable before they have their name. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "jobs/store_private.h"

struct copy {
    struct dq_store *store;
    const char *path;
};

static int fail_copy(const struct copy *c, struct dq_err *err)
{
    return dq_fail_errno(err, dq_code_of_write_errno(errno), errno, "%s",
                         c->path);
}

static int vacuum_into(const struct copy *c, const char *file,
                       struct dq_err *err)
{
    sqlite3_stmt *stmt = NULL;

    if (sqlite3_prepare_v2(c->store->db, "VACUUM INTO ?1", -1, &stmt, NULL) ||
        sqlite3_bind_text(stmt, 1, file, -1, SQLITE_TRANSIENT) ||
        sqlite3_step(stmt) != SQLITE_DONE)
        dq_sql_fail(c->store, err, c->path);
    sqlite3_finalize(stmt);
    return err->code;
}

/* SQLite takes an empty file as one that is not there: so it is ours alone
 * from its first byte on. SQLite does not make it durable. */
static int make(void *context, int folder, const char *temp, struct dq_err *err)
{
    const struct copy *c = context;
    char *file = dq_asprintf("/proc/self/fd/%d/%s", folder, temp);
    int fd = openat(folder, temp,
                    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0 || (!vacuum_into(c, file, err) && dq_publish_sync(fd) != 0))
        fail_copy(c, err);
    if (fd >= 0)
        close(fd);
    free(file);
    return err->code;
}

int dq_store_copy(struct dq_store *s, const char *path,
                  enum dq_publish_mode mode, struct dq_err *err)
{
    struct copy c = {s, path};

    if (dq_store_commit(s, err))
        return err->code;
    return dq_publish_made(path, make, &c, "backup", mode, err);
}

int dq_store_backup(struct dq_store *s, const char *path, struct dq_err *err)
{
    struct stat st;

    if (lstat(path, &st) == 0) /* before all the work */
        return dq_fail(err, DQ_EXISTS, "%s exists already", path);
    return dq_store_copy(s, path, DQ_PUBLISH_NEW, err);
}
