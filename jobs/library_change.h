/* library_change: what may change in a model library, one folder.
 *
 *   <sha256>.pt              an artefact; never changes
 *   <sha256>.json            its contract, when it has none inside
 *   <name>@<version>.json    a version's manifest (jobs/library.h)
 *   <name>@<version>.retired why it is not to be chosen any more
 *   <name>@<version>.verdict what `depthq models verify` found
 *   <name>.aliases.json      where its aliases point, and how they moved
 *
 * Each is published whole (base/publish.h): readers need no lock. Writers
 * take the folder's lock for as long as they look and write. A library that
 * nobody can write to is read-only: DQ_DENIED. Every function is of one
 * thread; by is who did it, for the records.
 */
#ifndef DQ_JOBS_LIBRARY_CHANGE_H
#define DQ_JOBS_LIBRARY_CHANGE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include "base/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The folder that is changed when none is named: the first of DEPTHQ_MODELS,
 * else the user's. NULL: neither is known. The caller frees. */
char *dq_library_own(void);

struct dq_library_addition {
    const char *name, *version;
    const char *suffix; /* of the artefact: "pt" */
    const void *bytes;
    size_t count;
    const char *sha256; /* of bytes */
    json_t *contract;   /* borrowed */
    int inside;         /* the contract is inside the artefact */
};

/* Make it a version of the library in folder, which is made when it is not
 * there. *there: the same one was there already, and nothing was written.
 * DQ_EXISTS: the version, or the artefact under another contract, is there
 * with other bytes, or an alias has that name. On failure (a full disk) the
 * library is as it was. */
int dq_library_add(const char *folder, const struct dq_library_addition *added,
                   int *there, struct dq_err *err);

/* Mark a version as not to be chosen: it is no longer the latest, and no
 * alias may point to it. Jobs that name it still find it. DQ_STATE: an alias
 * points to it. why may be "". */
int dq_library_retire(const char *folder, const char *name, const char *version,
                      const char *by, const char *why, struct dq_err *err);

/* Take a version out. DQ_STATE names the alias that points to it. The
 * artefact stays for dq_library_collect. */
int dq_library_remove(const char *folder, const char *name, const char *version,
                      struct dq_err *err);

struct dq_library_garbage {
    int files;
    int64_t bytes;
};

/* Unlink artefacts that no manifest names, and temps of dead writers, that
 * are at least age_s seconds old; try: only count them. */
int dq_library_collect(const char *folder, int age_s, int try_only,
                       struct dq_library_garbage *garbage, struct dq_err *err);

/* What verify found: any JSON object with a boolean `passed`. NULL: none
 * (no error), or err is set. New reference. */
json_t *dq_library_verdict(const char *folder, const char *name,
                           const char *version, struct dq_err *err);
int dq_library_set_verdict(const char *folder, const char *name,
                           const char *version, const json_t *verdict,
                           struct dq_err *err);

/* ---- aliases -------------------------------------------------------------*/

/* {"depthq_aliases": 1, "aliases": {"prod": "1.2.0"}, "history": [{"alias",
 * "from", "to", "by", "at"}]}, oldest first; empty ones when there is no
 * file. New reference; NULL: DQ_MODEL, DQ_IO. */
json_t *dq_library_aliases(const char *folder, const char *name,
                           struct dq_err *err);

/* Point name@alias to a version of the library in folder, or (to NULL) take
 * it away. DQ_USAGE: no alias' name (a letter, then letters, digits, '_',
 * '-'; never "latest", never that of a version). DQ_MODEL: no such version,
 * it is retired, or it failed verification; for prod and production it must
 * have passed. */
int dq_library_set_alias(const char *folder, const char *name,
                         const char *alias, const char *to, const char *by,
                         struct dq_err *err);

#ifdef __cplusplus
}
#endif
#endif
