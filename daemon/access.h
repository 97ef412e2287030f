/* access: who is what, and who may do what (daemon/roles.def).
 *
 * The daemon's own user and root are admins. The configuration names users
 * and groups that are wranglers or admins; whoever else may open the socket
 * is an artist. Names are looked up once, when they are read: a directory
 * server that hangs later holds nobody up. One thread.
 */
#ifndef DQ_DAEMON_ACCESS_H
#define DQ_DAEMON_ACCESS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/err.h"

#ifdef __cplusplus
extern "C" {
#endif

enum dq_role { DQ_ROLE_ARTIST, DQ_ROLE_WRANGLER, DQ_ROLE_ADMIN, DQ_ROLES };

enum dq_right {
#define DQ_RIGHT(name, own, others, words) DQ_RIGHT_##name,
#include "daemon/roles.def"
    DQ_RIGHTS
};

/* Whether a role may, with what is its own or somebody else's. */
int dq_role_may(enum dq_role role, enum dq_right action, int own);
const char *dq_role_name(enum dq_role role); /* "artist" */
int dq_role_from_name(const char *name);     /* -1: none */
/* DQ_DENIED, with who may and how one becomes that. */
int dq_role_denied(enum dq_role role, enum dq_right action, int64_t uid,
                   struct dq_err *err);

/* What the configuration says of it; all zero is the usual. */
struct dq_access {
    struct dq_grant {
        int is_group;
        int64_t id;
        enum dq_role role;
    } * grants;
    size_t grant_count;
    char **roots; /* folders of artists' and wranglers' plates and outputs */
    size_t root_count;
    int jobs_most, frames_most; /* live ones of a user who is no admin; 0: any
                                 * number */
};

/* One value of a key of the configuration: wrangler, admin (a user's name or
 * number, group:NAME), roots (an absolute folder), limit-jobs, limit-frames.
 * 0: no key of ours; else 1, and DQ_USAGE says what is wrong with the value. */
int dq_access_take(struct dq_access *a, const char *key, const char *text,
                   struct dq_err *err);
void dq_access_free(struct dq_access *a);

/* The uid of a user's name or number. DQ_USAGE. */
int dq_access_user(const char *name, int64_t *uid, struct dq_err *err);

/* A peer's role. owner is the daemon's uid. */
enum dq_role dq_access_role(const struct dq_access *a, int64_t owner,
                            int64_t uid, const gid_t *groups, size_t count);

/* Whether a path may be in a job of that role, as text: no link is followed,
 * no file looked at. `what` names it in the message. Workers have the daemon's
 * rights: those of root are lent only below roots. DQ_DENIED. */
int dq_access_path(const struct dq_access *a, int64_t owner, enum dq_role role,
                   const char *what, const char *path, struct dq_err *err);

#ifdef __cplusplus
}
#endif
#endif
