#include "jobs/store_look.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "jobs/store_private.h"

/* ---- the lock ------------------------------------------------------------*/

/* Who has flock'ed the file; 0: nobody whom we see. Taking the lock to find
 * out would send a daemon away that starts just then. proc(5):
 *   1: FLOCK  ADVISORY  WRITE 4711 fd:01:789 0 EOF */
static int owner_of(const char *path)
{
    FILE *locks = fopen("/proc/locks", "re");
    char line[256];
    int owner = 0;
    struct stat st;

    if (stat(path, &st) != 0)
        st.st_ino = 0;
    while (locks && fgets(line, sizeof line, locks)) {
        unsigned long inode = 0;
        int pid = 0;

        /* the kernel writes these numbers. NOLINTNEXTLINE(cert-err34-c) */
        if (sscanf(line, "%*s FLOCK %*s WRITE %d %*x:%*x:%lu", &pid, &inode) ==
                2 &&
            inode == st.st_ino)
            owner = pid;
    }
    if (locks)
        fclose(locks);
    return owner;
}

static void read_mark(int lock, struct dq_store_look *look)
{
    static const char running[] = "running";
    char word[sizeof running] = "";

    look->killed = lock >= 0 && pread(lock, word, sizeof word - 1, 0) > 0 &&
                   strcmp(word, running) == 0;
}

/* ---- a copy --------------------------------------------------------------*/

enum { PIECE = 1 << 20 };

static int pour(int from, int to)
{
    char *piece = dq_new(PIECE);
    ssize_t n;

    while ((n = read(from, piece, PIECE)) > 0)
        if (write(to, piece, (size_t)n) != n) {
            n = -1;
            errno = errno ? errno : ENOSPC;
            break;
        }
    free(piece);
    return n == 0 ? 0 : -1;
}

/* What is not there needs no copy. */
static int copy_file(const char *path, const char *copy, struct dq_err *err)
{
    int from = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int to = -1;

    if (from < 0 && errno == ENOENT)
        return DQ_OK;
    if (from < 0)
        return dq_fail_errno(err, dq_code_of_write_errno(errno), errno, "%s",
                             path);
    errno = 0;
    to = open(copy, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (to < 0 || pour(from, to) != 0)
        dq_fail_errno(err, dq_code_of_write_errno(errno), errno,
                      "%s cannot be copied to %s", path, copy);
    if (to >= 0)
        close(to);
    close(from);
    return err->code;
}

static const char *const endings[] = {"", "-wal", "-shm"};
enum { ENDINGS = sizeof endings / sizeof *endings, COPIED = 2 };

static int copy_database(const char *path, const char *copy, struct dq_err *err)
{
    for (int i = 0; i < COPIED && !err->code; i++) {
        char *from = dq_asprintf("%s%s", path, endings[i]);
        char *to = dq_asprintf("%s%s", copy, endings[i]);

        copy_file(from, to, err);
        free(from);
        free(to);
    }
    return err->code;
}

static void drop_copy(const char *copy)
{
    for (int i = 0; i < ENDINGS; i++) {
        char *file = dq_asprintf("%s%s", copy, endings[i]);

        unlink(file);
        free(file);
    }
}

/* ---- the database --------------------------------------------------------*/

static int check_copy(struct dq_store *s, const char *copy,
                      struct dq_store_look *look, struct dq_err *err)
{
    if (sqlite3_open_v2(copy, &s->db, SQLITE_OPEN_READWRITE, NULL))
        dq_sql_fail(s, err, "open");
    else if (!dq_store_check_whole(s, err))
        dq_schema_check(s, &look->schema, err);
    sqlite3_close_v2(s->db);
    s->db = NULL;
    return err->code;
}

static int check_database(struct dq_store *s, const char *scratch,
                          struct dq_store_look *look, struct dq_err *err)
{
    char *copy;

    look->unseen = !scratch;
    if (!scratch)
        return dq_fail(err, DQ_CREATE, "there is no folder for a copy");
    copy = dq_asprintf("%s/queue.db", scratch);
    look->unseen = copy_database(s->path, copy, err) != DQ_OK;
    if (!err->code)
        check_copy(s, copy, look, err);
    drop_copy(copy);
    free(copy);
    return err->code;
}

static int is_there(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0;
}

int dq_store_owner(const char *folder)
{
    char *lock = dq_asprintf("%s/lock", folder);
    int owner = owner_of(lock);

    free(lock);
    return owner;
}

int dq_store_look(const char *folder, const char *scratch,
                  struct dq_store_look *look, struct dq_err *err)
{
    struct dq_store s = {.lock = -1};
    char *lock = dq_asprintf("%s/lock", folder);

    *look = (struct dq_store_look){.newest = dq_schema_newest()};
    s.folder = dq_strdup(folder);
    s.path = dq_asprintf("%s/queue.db", folder);
    look->there = is_there(s.path);
    look->owner = dq_store_owner(folder);
    if (!dq_store_check_place(folder, err) && !look->owner) {
        s.lock = open(lock, O_RDONLY | O_CLOEXEC);
        read_mark(s.lock, look);
        if (!dq_store_check_files(&s, err) && look->there)
            check_database(&s, scratch, look, err);
    }
    if (s.lock >= 0)
        close(s.lock);
    free(lock);
    free(s.folder);
    free(s.path);
    return err->code;
}
