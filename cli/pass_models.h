/* pass_models: which models have made the frames of a pass, from its ledger.
 * For listings; reads records, and headers where old records are silent. One
 * thread. */
#ifndef DQ_CLI_PASS_MODELS_H
#define DQ_CLI_PASS_MODELS_H

#include <jansson.h>
#include "cli/pass.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dq_pass_model {
    struct dq_made made;     /* model and its digest; "unknown" and "" where no
                                record says it */
    struct dq_range had;     /* frames of the pass that it has made, */
    struct dq_range now;     /* and those that are its now */
    struct dq_range suspect; /* of now: a person should look */
    char first[DQ_TIME_TEXT], last[DQ_TIME_TEXT]; /* of its deliveries */
};

/* One entry a model, the one that delivered last first. The caller frees it
 * with dq_pass_models_free. */
struct dq_pass_model *dq_pass_models(const struct dq_pass *pass, size_t *count);
void dq_pass_models_free(struct dq_pass_model *models, size_t count);

/* The same as a table for people (caller frees), and as JSON: [{"model",
 * "model_sha256", "frames", "frames_now", "suspect", "first", "last"}]; new
 * reference. */
char *dq_pass_models_text(const struct dq_pass_model *models, size_t count);
json_t *dq_pass_models_json(const struct dq_pass_model *models, size_t count);

/* A version as JSON: {"when", "model", "model_sha256", "fingerprint",
 * "sha256", "bytes", "suspect", "host", "device", "attempt"}, null for what is
 * not known; new reference. */
json_t *dq_pass_version_json(const struct dq_done *version);

#ifdef __cplusplus
}
#endif
#endif
