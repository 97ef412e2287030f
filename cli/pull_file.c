#include "cli/pull_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/publish.h"

enum { PIECE = 1 << 20 };

const char *dq_pull_way_name(enum dq_pull_way way)
{
    static const char *const names[] = {"there", "reflink", "link", "copy"};

    return names[way];
}

/* ---- what is at the target -----------------------------------------------*/

static int is_version(const char *hex, const struct dq_done *versions,
                      size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(hex, versions[i].output.sha256) == 0)
            return 1;
    return 0;
}

/* 1: it is right already. 0: it may be put there, or err says why not. One
 * name of the source itself is no file of anybody's: it goes its way. */
static int look_at_target(const char *from, const char *to,
                          const struct dq_done *versions, size_t count,
                          const struct dq_pull_rule *rule, struct dq_err *err)
{
    struct stat source = {0}, target;
    char hex[DQ_SHA256_HEX];
    int linked;

    if (lstat(to, &target) != 0)
        return 0;
    if (!S_ISREG(target.st_mode)) {
        dq_fail(err, DQ_EXISTS, "%s: is there and is no file", to);
        return 0;
    }
    linked = stat(from, &source) == 0 && source.st_dev == target.st_dev &&
             source.st_ino == target.st_ino;
    if (dq_sha256_file(to, hex, err))
        return 0;
    if (strcmp(hex, versions[0].output.sha256) == 0)
        return !(linked && rule->copy);
    if (!linked && !rule->replace && !is_version(hex, versions, count))
        dq_fail(err, DQ_EXISTS,
                "%s: is there and was never this frame; remove it, or use "
                "--replace",
                to);
    return 0;
}

/* ---- making the temp -----------------------------------------------------*/

struct work {
    const char *path; /* of the source */
    int source;
    const struct dq_done *want;
    int copy; /* whatever else could be done */
    enum dq_pull_way way;
};

static int failed(const struct work *w, struct dq_err *err)
{
    return dq_fail_errno(err, dq_code_of_write_errno(errno), errno,
                         "%s: its copy cannot be written", w->path);
}

/* Open a new temp for writing. */
static int create(int folder, const char *temp)
{
    return openat(folder, temp,
                  O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
}

/* An artist's tools go by a file's time. No failure: it is a nicety. */
static void keep_time(int source, int to)
{
    struct stat st;
    struct timespec times[2] = {{.tv_nsec = UTIME_NOW}};

    if (fstat(source, &st) != 0)
        return;
    times[1] = st.st_mtim;
    if (futimens(to, times) != 0)
        return;
}

/* Blocks shared with the source, where the file system can. */
static int reflink(const struct work *w, int folder, const char *temp)
{
    int fd = create(folder, temp);
    int done = fd >= 0 && ioctl(fd, FICLONE, w->source) == 0 &&
               dq_publish_sync(fd) == 0;

    if (done)
        keep_time(w->source, fd);
    if (fd >= 0)
        close(fd);
    if (!done)
        unlinkat(folder, temp, 0);
    return done;
}

static ssize_t read_some(int fd, char *piece)
{
    ssize_t n;

    do
        n = read(fd, piece, PIECE);
    while (n < 0 && errno == EINTR);
    return n;
}

static int write_all(int fd, const char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t n = write(fd, bytes, count);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        bytes += n;
        count -= (size_t)n;
    }
    return 0;
}

/* Read all of from (at its start), hash it, and write it to `to` (-1: only
 * hash). */
static int pass_through(const struct work *w, int from, int to,
                        char hex[DQ_SHA256_HEX], struct dq_err *err)
{
    struct dq_sha256 *hash = dq_sha256_new();
    char *piece = dq_new(PIECE);
    ssize_t n;

    while ((n = read_some(from, piece)) > 0) {
        dq_sha256_add(hash, piece, (size_t)n);
        if (to >= 0 && write_all(to, piece, (size_t)n)) {
            failed(w, err);
            break;
        }
    }
    if (n < 0)
        dq_fail_errno(err, DQ_IO, errno, "%s: cannot be read", w->path);
    dq_sha256_finish(hash, hex);
    free(piece);
    return err->code;
}

static int copy(struct work *w, int folder, const char *temp,
                char hex[DQ_SHA256_HEX], struct dq_err *err)
{
    int fd = create(folder, temp);

    w->way = DQ_PULL_COPY;
    if (fd < 0)
        return failed(w, err);
    if (!pass_through(w, w->source, fd, hex, err) && dq_publish_sync(fd) != 0)
        failed(w, err);
    keep_time(w->source, fd);
    if (close(fd) != 0 && !err->code)
        failed(w, err);
    return err->code;
}

/* What the temp holds now, whatever the source became meanwhile. */
static int hash_temp(const struct work *w, int folder, const char *temp,
                     char hex[DQ_SHA256_HEX], struct dq_err *err)
{
    int fd = openat(folder, temp, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0)
        return dq_fail_errno(err, DQ_IO, errno, "%s: cannot be read", w->path);
    pass_through(w, fd, -1, hex, err);
    close(fd);
    return err->code;
}

static int make(void *context, int folder, const char *temp, struct dq_err *err)
{
    struct work *w = context;
    const char *want = w->want->output.sha256;
    char hex[DQ_SHA256_HEX];

    if (!w->copy && reflink(w, folder, temp))
        w->way = DQ_PULL_REFLINK;
    else if (!w->copy &&
             linkat(AT_FDCWD, w->path, folder, temp, AT_SYMLINK_FOLLOW) == 0)
        w->way = DQ_PULL_LINK;
    else
        w->copy = 1;
    if (w->copy ? copy(w, folder, temp, hex, err)
                : hash_temp(w, folder, temp, hex, err))
        return err->code;
    if (strcmp(hex, want) != 0)
        return dq_fail(err, DQ_ALTERED,
                       "%s: was altered after it was delivered (its SHA-256 "
                       "is %.12s..., its record says %.12s...)",
                       w->path, hex, want);
    return DQ_OK;
}

/* ---- one file ------------------------------------------------------------*/

int dq_pull_file(const char *from, const char *to,
                 const struct dq_done *versions, size_t count,
                 const struct dq_pull_rule *rule, enum dq_pull_way *way,
                 struct dq_err *err)
{
    struct work w = {.path = from, .want = &versions[0], .copy = rule->copy};
    struct stat st;

    *way = DQ_PULL_THERE;
    if (look_at_target(from, to, versions, count, rule, err))
        return DQ_OK;
    if (err->code)
        return err->code;
    w.source = open(from, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (w.source < 0)
        return dq_fail_errno(err,
                             errno == ENOENT   ? DQ_MISSING
                             : errno == EACCES ? DQ_DENIED
                                               : DQ_IO,
                             errno, "%s", from);
    if (fstat(w.source, &st) != 0 || !S_ISREG(st.st_mode))
        dq_fail(err, DQ_ALTERED, "%s: is no file", from);
    else
        dq_publish_made(to, make, &w, rule->tag, DQ_PUBLISH_REPLACE, err);
    close(w.source);
    *way = w.way;
    return err->code;
}
