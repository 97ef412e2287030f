/* store_model: what the daemon's database knows of models: versions with the
 * frames that each has made, verdicts, and how aliases moved. The library is
 * the truth of all but the frames (jobs/library_change.h): the daemon's rows
 * follow it when somebody tells of a change. One thread, as the store.
 */
#ifndef DQ_JOBS_STORE_MODEL_H
#define DQ_JOBS_STORE_MODEL_H

#include "jobs/store.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A version as its library has it; borrowed. */
struct dq_model_known {
    const char *version, *path, *sha256; /* NULL, NULL: it cannot be read */
    int retired;
    const char *verdict, *verified; /* "passed", "failed" and when; or NULL */
};

/* Make the rows of a name say what its library says: all of its versions (one
 * that is not among them is gone, one that cannot be read stays as it was), and
 * its aliases' moves, [{"alias", "from", "to", "by", "at"}] in their order.
 * Frames stay as they are counted. */
int dq_store_know(struct dq_store *s, const char *name,
                  const struct dq_model_known *versions, size_t count,
                  const json_t *moves, struct dq_err *err);

/* A page of versions (schemas/openapi.yaml, Models), of a name or (NULL) of
 * all, from the one after `after` on. The moves are there for a name alone. */
json_t *dq_store_models_json(struct dq_store *s, const char *name,
                             int64_t after, int limit);

#ifdef __cplusplus
}
#endif
#endif
