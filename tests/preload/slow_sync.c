/* slow_sync: LD_PRELOAD that makes every fsync and fdatasync take longer, as
 * a busy disk does: SLOW_SYNC_MS before the call. How many there were is
 * appended to the file SLOW_SYNC_COUNT, a byte each.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static void count_one(void)
{
    const char *path = getenv("SLOW_SYNC_COUNT");
    int fd =
        path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;

    if (fd < 0)
        return;
    if (write(fd, ".", 1) < 0)
        abort();
    close(fd);
}

static int slowly(const char *name, int fd)
{
    const char *ms = getenv("SLOW_SYNC_MS");
    long wait = ms ? strtol(ms, NULL, 10) : 0;
    struct timespec pause = {wait / 1000, wait % 1000 * 1000000L};
    int (*next)(int);

    *(void **)&next = dlsym(RTLD_NEXT, name);
    nanosleep(&pause, NULL);
    count_one();
    return next(fd);
}

int fsync(int fd)
{
    return slowly("fsync", fd);
}

int fdatasync(int fd)
{
    return slowly("fdatasync", fd);
}
