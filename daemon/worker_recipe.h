/* worker_recipe: from a job as the dispatcher tells it to a recipe for the
 * pipeline. The only place where jobs/ and infer/ meet. */
#ifndef DQ_DAEMON_WORKER_RECIPE_H
#define DQ_DAEMON_WORKER_RECIPE_H

#include "daemon/wire.h"
#include "infer/recipe.h"

/* Parse the job's text again (never trust a sender), read and hash its
 * model, and work out the texts that fingerprints cover. The caller frees
 * with dq_recipe_free. NULL: DQ_SPEC, DQ_MODEL, DQ_MISSING, ... */
struct dq_recipe *dq_recipe_new(const struct dq_wire_job *job,
                                struct dq_err *err);

#endif
