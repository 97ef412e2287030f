/* Where the daemon listens. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/path.h"
#include "daemon/http_private.h"

enum { BACKLOG = 1024 };

static int address_of(const char *path, struct sockaddr_un *address,
                      struct dq_err *err)
{
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (strlen(path) >= sizeof address->sun_path)
        return dq_fail(err, DQ_CONFIG,
                       "%s: too long for a socket's path (%zu bytes at most): "
                       "set --socket and DEPTHQ_SOCKET",
                       path, sizeof address->sun_path - 1);
    memcpy(address->sun_path, path, strlen(path) + 1);
    return DQ_OK;
}

/* A socket that nobody listens on is a dead daemon's. One that we may not
 * ask, or that is too busy to answer, may be a living one's. */
static int remove_dead(const struct sockaddr_un *address, struct dq_err *err)
{
    const char *path = address->sun_path;
    struct stat st;
    int fd, why = 0;

    if (lstat(path, &st) != 0)
        return DQ_OK;
    if (!S_ISSOCK(st.st_mode))
        return dq_fail(err, DQ_CREATE, "%s is in the way and no socket", path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 ||
        connect(fd, (const struct sockaddr *)address, sizeof *address) != 0)
        why = errno;
    if (fd >= 0)
        close(fd);
    if (why == 0 || why == EAGAIN)
        return dq_fail(err, DQ_BUSY, "a daemon answers on %s already", path);
    if (why != ECONNREFUSED)
        return dq_fail_errno(err, dq_code_of_write_errno(why), why,
                             "%s: another daemon's socket?", path);
    unlink(path);
    return DQ_OK;
}

static void make_folder(const char *path)
{
    char *folder = dq_path_folder(path);

    mkdir(folder, 0750);
    free(folder);
}

int dq_socket_listen(const char *path, struct dq_err *err)
{
    struct sockaddr_un address;
    mode_t mask;
    int fd, bound;

    make_folder(path);
    if (address_of(path, &address, err) || remove_dead(&address, err))
        return -1;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mask = umask(0117);
    bound =
        fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
    umask(mask);
    if (bound && listen(fd, BACKLOG) == 0)
        return fd;
    dq_fail_errno(err, dq_code_of_write_errno(errno), errno, "%s", path);
    if (fd >= 0)
        close(fd);
    return -1;
}

int dq_socket_listen_remote(const struct dq_http_remote *remote,
                            struct dq_err *err)
{
    const int on = 1;
    int fd = socket(remote->address->sa_family,
                    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd >= 0 &&
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(fd, remote->address, remote->size) == 0 &&
        listen(fd, BACKLOG) == 0)
        return fd;
    dq_fail_errno(err,
                  errno == EADDRINUSE ? DQ_BUSY : dq_code_of_write_errno(errno),
                  errno, "listen on %s", remote->name);
    if (fd >= 0)
        close(fd);
    return -1;
}
