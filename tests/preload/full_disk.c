/* full_disk: LD_PRELOAD under which the disk is full while the file FULL_DISK
 * exists: what would grow a file fails with ENOSPC, as on ext4 (SQLite writes
 * through pwrite64). Standard error, pipes and sockets are not concerned.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int is_full(int fd)
{
    const char *path = getenv("FULL_DISK");
    struct stat st;
    int why = errno, full = path && fd > 2 && access(path, F_OK) == 0 &&
                            fstat(fd, &st) == 0 && S_ISREG(st.st_mode);

    errno = full ? ENOSPC : why;
    return full;
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at)
{
    ssize_t (*next)(int, const void *, size_t, off_t);

    *(void **)&next = dlsym(RTLD_NEXT, "pwrite");
    return is_full(fd) ? -1 : next(fd, bytes, count, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at)
{
    ssize_t (*next)(int, const void *, size_t, off64_t);

    *(void **)&next = dlsym(RTLD_NEXT, "pwrite64");
    return is_full(fd) ? -1 : next(fd, bytes, count, at);
}

ssize_t write(int fd, const void *bytes, size_t count)
{
    ssize_t (*next)(int, const void *, size_t);

    *(void **)&next = dlsym(RTLD_NEXT, "write");
    return is_full(fd) ? -1 : next(fd, bytes, count);
}
