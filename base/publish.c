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

/* Some file systems cannot do it to a folder; that is no failure. */
static int sync_folder(int folder)
{
    return fsync(folder) == 0 || errno == EINVAL || errno == ENOTSUP ? 0 : -1;
}

/* A new folder's name is in its parent. One that may not be read is left: the
 * files inside are what was promised. */
static int sync_parent(const char *path)
{
    char *parent = dq_path_folder(path);
    int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int result = fd >= 0 ? sync_folder(fd) : 0;

    if (fd >= 0)
        close(fd);
    free(parent);
    return result;
}

static int make_one(const char *path, struct dq_err *err)
{
    struct stat st;

    if (mkdir(path, 0777) == 0) {
        if (sync_parent(path) == 0)
            return DQ_OK;
    } else if (errno == EEXIST && stat(path, &st) == 0) {
        if (S_ISDIR(st.st_mode))
            return DQ_OK;
        errno = ENOTDIR;
    }
    return dq_fail_errno(err, dq_code_of_write_errno(errno), errno,
                         "%s: the folder cannot be made", path);
}

int dq_make_folders(const char *path, struct dq_err *err)
{
    char *copy = dq_strdup(path);
    struct stat st;
    int code = DQ_OK;

    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
        for (char *c = copy + (*copy == '/'); *c && !code; c++) {
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

/* Where a file goes. The folder stays open, so that what is created, renamed
 * and synced is in one and the same folder whatever is renamed above it. */
struct place {
    const char *path; /* as the caller said it, for messages */
    const char *name;
    char *temp; /* beside name */
    int folder;
};

static int failed(const struct place *p, const char *what, struct dq_err *err)
{
    return dq_fail_errno(err, dq_code_of_write_errno(errno), errno, "%s: %s",
                         p->path, what);
}

static int open_place(struct place *p, const char *path, const char *tag,
                      struct dq_err *err)
{
    char *folder = dq_path_folder(path);
    int code = DQ_OK;

    p->path = path;
    p->name = dq_path_name(path);
    p->temp = dq_asprintf(".%s.%s.tmp", p->name, tag);
    p->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (p->folder < 0)
        code = failed(p, "its folder cannot be opened", err);
    free(folder);
    return code;
}

static void close_place(struct place *p)
{
    if (p->folder >= 0)
        close(p->folder);
    free(p->temp);
}

static void drop_temp(const struct place *p)
{
    unlinkat(p->folder, p->temp, 0);
}

/* An earlier, dead attempt with our tag may have left its temp. */
static int create(const struct place *p, struct dq_err *err)
{
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
    int fd;

    if (dq_fault(DQ_FAULT_PUBLISH_CREATE)) {
        errno = EACCES;
        fd = -1;
    } else {
        fd = openat(p->folder, p->temp, flags, 0666);
        if (fd < 0 && errno == EEXIST && unlinkat(p->folder, p->temp, 0) == 0)
            fd = openat(p->folder, p->temp, flags, 0666);
    }
    if (fd < 0)
        failed(p, "cannot be created", err);
    return fd;
}

static ssize_t write_some(int fd, const char *bytes, size_t count)
{
    ssize_t n;

    if (dq_fault(DQ_FAULT_PUBLISH_WRITE)) {
        errno = ENOSPC;
        return -1;
    }
    do
        n = write(fd, bytes, count < (1U << 30) ? count : (1U << 30));
    while (n < 0 && errno == EINTR);
    if (n == 0)
        errno = EIO; /* no progress and no reason: not for ever */
    return n;
}

static int write_all(int fd, const char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t n = write_some(fd, bytes, count);

        if (n <= 0)
            return -1;
        bytes += n;
        count -= (size_t)n;
    }
    return 0;
}

int dq_publish_sync(int fd)
{
    if (dq_fault(DQ_FAULT_PUBLISH_FSYNC)) {
        errno = EIO;
        return -1;
    }
    return fsync(fd);
}

/* The descriptor is gone even when close fails. */
static int close_file(int fd)
{
    int result = close(fd);

    if (dq_fault(DQ_FAULT_PUBLISH_CLOSE)) {
        errno = EIO;
        return -1;
    }
    return result;
}

enum written { WRITTEN, AGAIN, GIVEN_UP };

/* One temp, written and made durable. A failed fsync or close says AGAIN: the
 * pages may be marked clean, so only a new file written from memory helps. */
static enum written write_temp(const struct place *p, const void *bytes,
                               size_t count, struct stat *st,
                               struct dq_err *err)
{
    enum written result = WRITTEN;
    int fd = create(p, err);

    if (fd < 0)
        return GIVEN_UP;
    if (write_all(fd, bytes, count)) {
        failed(p, "cannot be written", err);
        result = GIVEN_UP;
    } else if (dq_publish_sync(fd)) {
        failed(p, "cannot be made durable", err);
        result = AGAIN;
    } else if (fstat(fd, st) != 0) {
        failed(p, "cannot be looked at", err);
        result = GIVEN_UP;
    }
    if (close_file(fd) && result == WRITTEN) {
        failed(p, "cannot be closed", err);
        result = AGAIN;
    }
    if (result != WRITTEN)
        drop_temp(p);
    return result;
}

/* ---- rename -------------------------------------------------------------- */

/* Not every file system can refuse an existing name while renaming (NFS
 * cannot): a hard link refuses one too. FAT has neither, which leaves a look
 * first; of two writers at the same moment the later one wins there. */
static int move_new(const struct place *p)
{
    struct stat st;

    if (renameat2(p->folder, p->temp, p->folder, p->name, RENAME_NOREPLACE) ==
        0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    if (linkat(p->folder, p->temp, p->folder, p->name, 0) == 0) {
        drop_temp(p);
        return 0;
    }
    if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS)
        return -1;
    if (fstatat(p->folder, p->name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        errno = EEXIST;
        return -1;
    }
    return renameat(p->folder, p->temp, p->folder, p->name);
}

static int move(const struct place *p, enum dq_publish_mode mode)
{
    if (dq_fault(DQ_FAULT_PUBLISH_RENAME)) {
        errno = EIO;
        return -1;
    }
    if (mode == DQ_PUBLISH_NEW)
        return move_new(p);
    return renameat(p->folder, p->temp, p->folder, p->name);
}

/* A failed rename or link is "unknown" on NFS: the server may have done it,
 * and then the name stands for the file that we wrote. */
static int moved_after_all(const struct place *p, const struct stat *written)
{
    struct stat st;

    return fstatat(p->folder, p->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           st.st_dev == written->st_dev && st.st_ino == written->st_ino &&
           st.st_size == written->st_size;
}

static int put_in_place(const struct place *p, enum dq_publish_mode mode,
                        const struct stat *written, struct dq_err *err)
{
    if (move(p, mode) != 0) {
        int why = errno;
        int moved = moved_after_all(p, written);

        drop_temp(p);
        if (!moved && why == EEXIST && mode == DQ_PUBLISH_NEW)
            return dq_fail(err, DQ_EXISTS, "%s: exists already", p->path);
        errno = why;
        if (!moved)
            return failed(p, "cannot be renamed into place", err);
    }
    if (sync_folder(p->folder))
        return failed(p, "its folder cannot be made durable", err);
    return DQ_OK;
}

int dq_publish(const char *path, const void *bytes, size_t count,
               const char *tag, enum dq_publish_mode mode, struct stat *done,
               struct dq_err *err)
{
    enum written result = AGAIN;
    struct dq_err own = {0};
    struct stat st = {0};
    struct place place;

    if (!open_place(&place, path, tag, &own)) {
        for (int tries = 0; tries < 2 && result == AGAIN; tries++) {
            dq_err_clear(&own);
            result = write_temp(&place, bytes, count, &st, &own);
        }
        if (result == WRITTEN)
            put_in_place(&place, mode, &st, &own);
    }
    close_place(&place);
    if (!own.code && done)
        *done = st;
    if (own.code && err)
        *err = own;
    return own.code;
}

/* A rename of one name of a file over another of its names does nothing: the
 * temp goes in any case. */
int dq_publish_made(const char *path,
                    int (*make)(void *context, int folder, const char *temp,
                                struct dq_err *err),
                    void *context, const char *tag, enum dq_publish_mode mode,
                    struct dq_err *err)
{
    struct dq_err own = {0};
    struct stat st;
    struct place place;

    if (!open_place(&place, path, tag, &own)) {
        drop_temp(&place);
        if (!make(context, place.folder, place.temp, &own)) {
            if (fstatat(place.folder, place.temp, &st, AT_SYMLINK_NOFOLLOW))
                failed(&place, "cannot be looked at", &own);
            else
                put_in_place(&place, mode, &st, &own);
        }
        drop_temp(&place);
    }
    close_place(&place);
    if (own.code && err)
        *err = own;
    return own.code;
}

/* ---- sweep --------------------------------------------------------------- */

/* ".<name>.<tag>.tmp", cut into name and tag (a tag holds no dot); 0 when it
 * is none. What entry holds is changed. */
static int take_apart(char *entry, const char **name, const char **tag)
{
    size_t n = strlen(entry), tmp = strlen(".tmp");
    char *dot;

    if (entry[0] != '.' || n <= tmp || strcmp(entry + n - tmp, ".tmp") != 0)
        return 0;
    entry[n - tmp] = '\0';
    dot = strrchr(entry, '.');
    if (dot <= entry + 1 || !dot[1])
        return 0;
    *dot = '\0';
    *name = entry + 1;
    *tag = dot + 1;
    return 1;
}

int dq_publish_sweep_if(const char *folder,
                        int (*dead)(void *context, const char *file,
                                    const char *tag),
                        void *context)
{
    DIR *dir = opendir(folder);
    const char *name, *tag;
    struct dirent *entry;
    int swept = 0;

    while (dir && (entry = readdir(dir))) {
        char copy[sizeof entry->d_name];

        memcpy(copy, entry->d_name, strlen(entry->d_name) + 1);
        if (take_apart(copy, &name, &tag) && dead(context, name, tag))
            swept += unlinkat(dirfd(dir), entry->d_name, 0) == 0;
    }
    if (dir)
        closedir(dir);
    return swept;
}

struct by_age {
    const char *folder, *tag_prefix;
    int age_s;
    time_t now;
};

static int is_old(void *context, const char *file, const char *tag)
{
    const struct by_age *by = context;
    struct stat st;
    char *path;
    int old;

    if (strncmp(tag, by->tag_prefix, strlen(by->tag_prefix)) != 0)
        return 0;
    if (by->age_s <= 0)
        return 1;
    path = dq_asprintf("%s/.%s.%s.tmp", by->folder, file, tag);
    old = lstat(path, &st) == 0 && by->now - st.st_mtime >= by->age_s;
    free(path);
    return old;
}

int dq_publish_sweep(const char *folder, const char *tag_prefix, int age_s)
{
    struct by_age by = {folder, tag_prefix, age_s, time(NULL)};

    return dq_publish_sweep_if(folder, is_old, &by);
}
