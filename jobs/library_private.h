/* library_private: what the files that change a library share. Private to
 * jobs/. */
#ifndef DQ_JOBS_LIBRARY_PRIVATE_H
#define DQ_JOBS_LIBRARY_PRIVATE_H

#include <jansson.h>
#include "base/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The lock of a folder, waited for: what _unlock takes; -1: err is set. */
int dq_library_lock(const char *folder, struct dq_err *err);
void dq_library_unlock(int lock); /* -1 is fine */

/* Whether <name>@<version>.<ending> is there. */
int dq_library_has(const char *folder, const char *name, const char *version,
                   const char *ending);

/* Publish a value with a line a member; replace 0: DQ_EXISTS when the file is
 * there. */
int dq_library_put_json(const char *path, const json_t *value, int replace,
                        struct dq_err *err);

/* An alias of a book that points to version, borrowed; NULL: none does. */
const char *dq_library_alias_of(const json_t *book, const char *version);

#ifdef __cplusplus
}
#endif
#endif
