/* store_look: what is in a daemon's state folder, without changing it: no lock
 * is taken, and the database is read from a copy, for SQLite writes beside
 * what it opens. For depthq doctor. One thread. */
#ifndef DQ_JOBS_STORE_LOOK_H
#define DQ_JOBS_STORE_LOOK_H

#include <stdint.h>
#include "base/err.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dq_store_look {
    int there;          /* a database is */
    int owner;          /* pid of the daemon that has its lock; 0: none has */
    int killed;         /* the last daemon did not come to its end */
    int unseen;         /* nothing is known: no copy could be made */
    int schema, newest; /* of the database, of this program */
};

/* The pid of the daemon that has folder's lock; 0: none that is seen from here
 * (locks of another container are not). */
int dq_store_owner(const char *folder);

/* Look into folder, which must be there; the copy is made in the folder scratch
 * (NULL: there is none, and it stays unseen) and removed again. An error is
 * what dq_store_open would say: DQ_CONFIG a network file system or a newer
 * schema; DQ_IO the database is damaged, or part of it is gone; or, with unseen
 * set, why nobody can tell. A database that a daemon has open is not looked at:
 * that one did so at its start. */
int dq_store_look(const char *folder, const char *scratch,
                  struct dq_store_look *look, struct dq_err *err);

#ifdef __cplusplus
}
#endif
#endif
