#include "daemon/room.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

enum { LOOK_MS = 1000 };

struct dq_room {
    struct dq_room_rule rule;
    uv_timer_t timer;
    int full;
    int ballast; /* it is there */
};

int dq_room_is_full(int has_ballast, int64_t free_bytes)
{
    return free_bytes < (has_ballast ? DQ_ROOM_LOW : DQ_ROOM_HIGH);
}

/* What we may still write; much when nobody can tell. */
static int64_t free_bytes(const char *folder)
{
    struct statvfs fs;

    if (statvfs(folder, &fs) != 0)
        return INT64_MAX;
    return (int64_t)(fs.f_bavail * fs.f_frsize);
}

/* ---- the ballast ---------------------------------------------------------*/

static char *ballast_of(const char *folder)
{
    return dq_asprintf("%s/ballast", folder);
}

void dq_room_drop_ballast(const char *folder)
{
    char *path = ballast_of(folder);

    unlink(path);
    free(path);
}

void dq_room_before_open(const char *folder)
{
    if (free_bytes(folder) < DQ_ROOM_LOW)
        dq_room_drop_ballast(folder);
}

/* With all its blocks, or not at all. */
static int make_ballast(const char *folder)
{
    char *path = ballast_of(folder);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int made = fd >= 0 && posix_fallocate(fd, 0, DQ_ROOM_BALLAST) == 0;

    if (fd >= 0)
        close(fd);
    if (fd >= 0 && !made)
        unlink(path);
    free(path);
    return made;
}

static int has_ballast(const char *folder)
{
    char *path = ballast_of(folder);
    int has = access(path, F_OK) == 0;

    free(path);
    return has;
}

/* ---- looking -------------------------------------------------------------*/

static void tell(const struct dq_room *r)
{
    if (r->full)
        dq_log_error("the disk of the state is full: nothing is begun or "
                     "taken until there is room",
                     "state", r->rule.folder);
    else
        dq_log_info("there is room again: all goes on", "state",
                    r->rule.folder);
}

static void look(struct dq_room *r)
{
    int64_t left = free_bytes(r->rule.folder);
    int full = dq_room_is_full(r->ballast, left);

    if (full)
        dq_room_drop_ballast(r->rule.folder);
    r->ballast = !full && (r->ballast || make_ballast(r->rule.folder));
    if (full == r->full)
        return;
    r->full = full;
    tell(r);
    r->rule.changed(r->rule.context, full);
}

static void on_look(uv_timer_t *timer)
{
    look(timer->data);
}

struct dq_room *dq_room_new(const struct dq_room_rule *rule)
{
    struct dq_room *r = dq_new(sizeof *r);

    r->rule = *rule;
    uv_timer_init(rule->loop, &r->timer);
    r->timer.data = r;
    r->ballast = has_ballast(rule->folder);
    look(r);
    uv_timer_start(&r->timer, on_look, LOOK_MS, LOOK_MS);
    return r;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void dq_room_close(struct dq_room *r)
{
    if (r)
        uv_close((uv_handle_t *)&r->timer, on_closed);
}
