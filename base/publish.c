#include "base/publish.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/path.h"

/* ---- folders ------------------------------------------------------------- */

static int make_one(const char *path, struct dq_err *err)
{
    struct stat st;

    if (mkdir(path, 0777) == 0)
        return DQ_OK;
    if (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return DQ_OK;
    return dq_fail_errno(err, dq_code_of_write_errno(errno), errno,
                         "%s: the folder cannot be made", path);
}

int dq_make_folders(const char *path, struct dq_err *err)
{
    char *copy = dq_strdup(path);
    struct stat st;
    int code = DQ_OK;

    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
        for (char *c = copy + 1; *c && !code; c++) {
            if (*c != '/')
                continue;
            *c = '\0';
            if (stat(copy, &st) != 0)
                code = make_one(copy, err);
            *c = '/';
        }
        if (!code)
            code = make_one(copy, err);
    }
    free(copy);
    return code;
}

/* ---- temp ---------------------------------------------------------------- */

static char *temp_name(const char *path, const char *tag)
{
    char *folder = dq_path_folder(path);
    char *temp = dq_asprintf("%s/.%s.%s.tmp", folder, dq_path_name(path), tag);

    free(folder);
    return temp;
}

static int failed(const char *path, const char *what, struct dq_err *err)
{
    return dq_fail_errno(err, dq_code_of_write_errno(errno), errno, "%s: %s",
                         path, what);
}

/* An earlier, dead attempt with our tag may have left its temp. */
static int create(const char *temp, const char *path, struct dq_err *err)
{
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
    int fd;

    if (dq_fault(DQ_FAULT_PUBLISH_CREATE)) {
        errno = EACCES;
        fd = -1;
    } else {
        fd = open(temp, flags, 0666);
        if (fd < 0 && errno == EEXIST && unlink(temp) == 0)
            fd = open(temp, flags, 0666);
    }
    if (fd < 0)
        failed(path, "cannot be created", err);
    return fd;
}

static int write_all(int fd, const char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t n;

        if (dq_fault(DQ_FAULT_PUBLISH_WRITE)) {
            errno = ENOSPC;
            return -1;
        }
        n = write(fd, bytes, count < (1U << 30) ? count : (1U << 30));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        bytes += n;
        count -= (size_t)n;
    }
    return 0;
}

static int sync_file(int fd)
{
    if (dq_fault(DQ_FAULT_PUBLISH_FSYNC)) {
        errno = EIO;
        return -1;
    }
    return fsync(fd);
}

static int close_file(int fd)
{
    int failed_close = close(fd);

    if (dq_fault(DQ_FAULT_PUBLISH_CLOSE)) {
        errno = EIO;
        return -1;
    }
    return failed_close;
}

enum written { WRITTEN, AGAIN, GIVEN_UP };

/* One temp, written and made durable. A failed fsync or close says AGAIN: the
 * pages may be marked clean, so only a new file written from memory helps. */
static enum written write_temp(const char *temp, const char *path,
                               const void *bytes, size_t count, struct stat *st,
                               struct dq_err *err)
{
    enum written result = WRITTEN;
    int fd = create(temp, path, err);

    if (fd < 0)
        return GIVEN_UP;
    if (write_all(fd, bytes, count)) {
        failed(path, "cannot be written", err);
        result = GIVEN_UP;
    } else if (sync_file(fd)) {
        failed(path, "cannot be made durable", err);
        result = AGAIN;
    } else if (fstat(fd, st) != 0) {
        failed(path, "cannot be looked at", err);
        result = GIVEN_UP;
    }
    if (close_file(fd) && result == WRITTEN) {
        failed(path, "cannot be closed", err);
        result = AGAIN;
    }
    if (result != WRITTEN)
        unlink(temp);
    return result;
}

/* ---- rename -------------------------------------------------------------- */

static int move(const char *temp, const char *path, enum dq_publish_mode mode)
{
    if (dq_fault(DQ_FAULT_PUBLISH_RENAME)) {
        errno = EIO;
        return -1;
    }
    if (mode == DQ_PUBLISH_REPLACE)
        return rename(temp, path);
    if (renameat2(AT_FDCWD, temp, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    if (link(temp, path) != 0) /* no RENAME_NOREPLACE on this file system */
        return -1;
    unlink(temp);
    return 0;
}

/* A failed rename is "unknown" on NFS: the server may have done it. */
static int moved_after_all(const char *temp, const char *path,
                           const struct stat *written)
{
    struct stat st;

    return lstat(temp, &st) != 0 && stat(path, &st) == 0 &&
           st.st_ino == written->st_ino && st.st_size == written->st_size;
}

static int sync_folder(const char *path, struct dq_err *err)
{
    char *folder = dq_path_folder(path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int code = DQ_OK;

    if (fd < 0)
        code = dq_fail_errno(err, DQ_IO, errno, "%s", folder);
    else if (fsync(fd) != 0 && errno != EINVAL && errno != ENOTSUP)
        code = dq_fail_errno(err, DQ_IO, errno,
                             "%s: the folder cannot be made durable", folder);
    if (fd >= 0)
        close(fd);
    free(folder);
    return code;
}

static int put_in_place(const char *temp, const char *path,
                        enum dq_publish_mode mode, const struct stat *written,
                        struct dq_err *err)
{
    if (move(temp, path, mode) != 0) {
        int why = errno;

        if (moved_after_all(temp, path, written))
            return sync_folder(path, err);
        unlink(temp);
        if (why == EEXIST)
            return dq_fail(err, DQ_EXISTS, "%s: exists already", path);
        errno = why;
        return failed(path, "cannot be renamed into place", err);
    }
    return sync_folder(path, err);
}

int dq_publish(const char *path, const void *bytes, size_t count,
               const char *tag, enum dq_publish_mode mode, struct stat *done,
               struct dq_err *err)
{
    struct dq_err own = {0};
    char *temp = temp_name(path, tag);
    enum written result = AGAIN;
    struct stat st = {0};

    for (int tries = 0; tries < 2 && result == AGAIN; tries++) {
        dq_err_clear(&own);
        result = write_temp(temp, path, bytes, count, &st, &own);
    }
    if (result == WRITTEN)
        put_in_place(temp, path, mode, &st, &own);
    if (!own.code && done)
        *done = st;
    if (own.code && err)
        *err = own;
    free(temp);
    return own.code;
}

/* ---- sweep --------------------------------------------------------------- */

/* ".<name>.<tag>.tmp" with a tag that begins as told. */
static int is_temp_of(const char *entry, const char *name,
                      const char *tag_prefix)
{
    size_t length = strlen(entry), n = strlen(name);

    return length > n + 6 && entry[0] == '.' &&
           strncmp(entry + 1, name, n) == 0 && entry[n + 1] == '.' &&
           strncmp(entry + n + 2, tag_prefix, strlen(tag_prefix)) == 0 &&
           strcmp(entry + length - 4, ".tmp") == 0;
}

int dq_publish_sweep(const char *path, const char *tag_prefix, int age_s)
{
    char *folder = dq_path_folder(path);
    DIR *dir = opendir(folder);
    time_t now = time(NULL);
    struct dirent *entry;
    struct stat st;
    int swept = 0;

    while (dir && (entry = readdir(dir))) {
        if (!is_temp_of(entry->d_name, dq_path_name(path), tag_prefix) ||
            fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) ||
            now - st.st_mtime < age_s)
            continue;
        swept += unlinkat(dirfd(dir), entry->d_name, 0) == 0;
    }
    if (dir)
        closedir(dir);
    free(folder);
    return swept;
}
