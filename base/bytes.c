#include "base/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/mem.h"

/* Some more than is asked for: buffers serve one file after the other, and
 * with none to spare each that is a little larger leaves a hole of the old size
 * in the heap. What is not written to takes no memory. */
static size_t with_spare(size_t room)
{
    return room <= SIZE_MAX / 2 ? room + room / 8 : room;
}

int dq_bytes_reserve(struct dq_bytes *b, size_t room, struct dq_err *err)
{
    char *data;

    if (room > b->allocated) {
        data = realloc(b->data, with_spare(room));
        if (!data)
            return dq_fail(err, DQ_MEMORY, "no memory for %zu bytes", room);
        b->data = data;
        b->allocated = with_spare(room);
    }
    if (b->room < room)
        b->room = room;
    return DQ_OK;
}

void dq_bytes_add(struct dq_bytes *b, const void *data, size_t count)
{
    size_t need = b->count + count + 1;

    if (need > b->allocated) {
        b->allocated = need < 2 * b->allocated ? 2 * b->allocated : need;
        b->data = dq_grow(b->data, b->allocated, 1);
    }
    if (b->room < need)
        b->room = need;
    if (count > 0)
        memcpy(b->data + b->count, data, count);
    b->count += count;
    b->data[b->count] = '\0';
}

void dq_bytes_text(struct dq_bytes *b, const char *text)
{
    dq_bytes_add(b, text, strlen(text));
}

void dq_bytes_printf(struct dq_bytes *b, const char *fmt, ...)
{
    char *text = NULL;
    va_list args;

    va_start(args, fmt);
    if (vasprintf(&text, fmt, args) < 0)
        text = NULL;
    va_end(args);
    if (!text)
        abort();
    dq_bytes_text(b, text);
    free(text);
}

void dq_bytes_free(struct dq_bytes *b)
{
    if (!b)
        return;
    free(b->data);
    memset(b, 0, sizeof *b);
}

static int open_failed(const char *path, int too_big, struct dq_err *err)
{
    int code = DQ_IO;

    if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)
        code = DQ_MISSING;
    else if (errno == EACCES || errno == EPERM)
        code = DQ_DENIED;
    else if (errno == ENXIO) /* a socket */
        return dq_fail(err, too_big, "%s: is not a regular file", path);
    return dq_fail_errno(err, code, errno, "%s", path);
}

/* A regular file of a bearable size, or an error that says what it is. */
static int check_file(int fd, const char *path, size_t limit, int too_big,
                      struct stat *st, struct dq_err *err)
{
    if (fstat(fd, st) != 0)
        return dq_fail_errno(err, DQ_IO, errno, "%s", path);
    if (S_ISDIR(st->st_mode))
        return dq_fail(err, too_big, "%s: is a folder, not a file", path);
    if (!S_ISREG(st->st_mode))
        return dq_fail(err, too_big, "%s: is not a regular file", path);
    if ((size_t)st->st_size > limit)
        return dq_fail(err, too_big, "%s: has %lld bytes; at most %zu are read",
                       path, (long long)st->st_size, limit);
    return DQ_OK;
}

/* A file may grow while it is read: only what stat saw is taken. One that
 * shrank gives fewer bytes, and its parser says so. */
static int read_all(struct dq_bytes *b, int fd, size_t size, const char *path,
                    struct dq_err *err)
{
    while (b->count < size) {
        ssize_t n = read(fd, b->data + b->count, size - b->count);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return dq_fail_errno(err, DQ_IO, errno, "%s: reading", path);
        if (n == 0)
            break;
        b->count += (size_t)n;
    }
    b->data[b->count] = '\0';
    return DQ_OK;
}

/* Nobody has written to it since. */
static int check_still(int fd, const char *path, const struct stat *before,
                       struct dq_err *err)
{
    struct stat now;

    if (fstat(fd, &now) != 0)
        return dq_fail_errno(err, DQ_IO, errno, "%s", path);
    if (now.st_size == before->st_size &&
        now.st_mtim.tv_sec == before->st_mtim.tv_sec &&
        now.st_mtim.tv_nsec == before->st_mtim.tv_nsec)
        return DQ_OK;
    return dq_fail(err, DQ_GROWING,
                   "%s: was written to while it was read; run again when it "
                   "is complete",
                   path);
}

static int read_open(struct dq_bytes *b, int fd, const char *path, size_t limit,
                     int too_big, struct stat *st, struct dq_err *err)
{
    int code = check_file(fd, path, limit, too_big, st, err);

    if (!code)
        code = dq_bytes_reserve(b, (size_t)st->st_size + 1, err);
    return code ? code : read_all(b, fd, (size_t)st->st_size, path, err);
}

/* st: wanted, of a file that is still. */
static int read_path(struct dq_bytes *b, const char *path, size_t limit,
                     int too_big, struct stat *st, struct dq_err *err)
{
    struct stat seen;
    int code, fd;

    b->count = 0;
    if (dq_fault(DQ_FAULT_READ))
        return dq_fail(err, DQ_IO, "%s: reading: injected fault", path);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return open_failed(path, too_big, err);
    code = read_open(b, fd, path, limit, too_big, st ? st : &seen, err);
    if (!code && st)
        code = check_still(fd, path, st, err);
    close(fd);
    return code;
}

int dq_bytes_read_file(struct dq_bytes *b, const char *path, size_t limit,
                       int too_big, struct dq_err *err)
{
    return read_path(b, path, limit, too_big, NULL, err);
}

int dq_bytes_read_still(struct dq_bytes *b, const char *path, size_t limit,
                        int too_big, struct stat *st, struct dq_err *err)
{
    return read_path(b, path, limit, too_big, st, err);
}
