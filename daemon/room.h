/* room: what is left of the disk that the queue lies on.
 *
 * Some of it is kept by a file, the ballast. When the disk is nearly full it
 * is removed, so that people can still look, cancel and pause, and frames in
 * hand are settled; nothing new is taken or begun. When there is room again
 * the file is made anew and all goes on by itself. One thread: the loop's.
 */
#ifndef DQ_DAEMON_ROOM_H
#define DQ_DAEMON_ROOM_H

#include <stdint.h>
#include <uv.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DQ_ROOM_BALLAST ((int64_t)8 << 20) /* bytes of the file */
#define DQ_ROOM_LOW ((int64_t)4 << 20)     /* less is free beside it: full */
#define DQ_ROOM_HIGH ((int64_t)24 << 20)   /* more without it: no more so */

/* Whether it is full when so much is free, with a ballast or without: what is
 * free without one may be what it gave. */
int dq_room_is_full(int has_ballast, int64_t free_bytes);

/* Remove the ballast of a state folder: the last means. What needs no room
 * goes on with what that gives. */
void dq_room_drop_ballast(const char *folder);
/* The same, when so little is free that the database cannot be opened. */
void dq_room_before_open(const char *folder);

struct dq_room;

struct dq_room_rule {
    uv_loop_t *loop;
    const char *folder; /* of the state; lent */
    void *context;
    void (*changed)(void *context, int full);
};

/* Look each second. changed is called only when it is full, and when it is not
 * any more. */
struct dq_room *dq_room_new(const struct dq_room_rule *rule);
/* The ballast stays. The memory goes when the loop has run once more. NULL is
 * fine. */
void dq_room_close(struct dq_room *r);

#ifdef __cplusplus
}
#endif
#endif
