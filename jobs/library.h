/* library: which model file a job's `model:` means.
 *
 * A model library is a folder of artefacts and one manifest a version,
 * `<name>@<version>.json` (file, sha256, contract). Libraries are searched in
 * order: the folders of DEPTHQ_MODELS (colon-separated), the user's
 * ($XDG_DATA_HOME/depthq/models), the installation's
 * (<prefix>/share/depthq/models; the source tree's models/ for a build in
 * place). Any thread; reads folders.
 */
#ifndef DQ_JOBS_LIBRARY_H
#define DQ_JOBS_LIBRARY_H

#include "base/err.h"
#include "base/sha256.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dq_model_ref {
    char *name, *version;       /* NULL for a path */
    char *path;                 /* of the artefact, absolute */
    char sha256[DQ_SHA256_HEX]; /* from the manifest; "" for a path */
};

/* Resolve `name` (the highest version), `name@version`, or, when
 * allow_path, a path to a model file (anything with a '/', or ending in
 * .pt, .ts, .pt2 or .fake; relative to folder). DQ_MODEL lists the names
 * that there are, with did-you-mean; DQ_MISSING for a path. */
int dq_library_find(const char *model, const char *folder, int allow_path,
                    struct dq_model_ref *ref, struct dq_err *err);
void dq_model_ref_free(struct dq_model_ref *ref); /* and zero it */

#ifdef __cplusplus
}
#endif
#endif
