/* library: which model file a job's `model:` means.
 *
 * A model library is a folder of artefacts and one manifest a version,
 * `<name>@<version>.json`:
 *
 *   {"depthq_manifest": 1, "name": "demo-depth", "version": "1.0.0",
 *    "file": "<artefact beside it>", "bytes": 123456,
 *    "sha256": "<its digest>", "contract": {...}}
 *
 * Libraries are searched in order; the first that has what is asked answers:
 * the folders of DEPTHQ_MODELS (colon-separated), the user's
 * ($XDG_DATA_HOME/depthq/models, else ~/.local/share/depthq/models), the
 * installation's (share/depthq/models beside the bin or libexec folder of
 * this program; a build in place has a link to the source tree's models/
 * there). An alias, name@prod, is looked up in the same order and stands for
 * a version of any of them (jobs/library_change.h). Any thread; reads
 * folders.
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

/* Whether a job's model is a path, not a name: anything with a '/', or
 * ending in .pt, .ts, .pt2 or .fake. */
int dq_library_is_path(const char *model);

/* Resolve `name` (the latest version by jobs/version.h that is not retired; a
 * pre-release when there is nothing else), `name@version`, `name@alias`, or,
 * when allow_path, a path to a model file (relative to folder). The artefact is
 * there and has the size of its manifest; its digest is for whoever reads it.
 * DQ_MODEL: no such model (with did-you-mean and what there is), or a manifest
 * that is wrong; DQ_MISSING: no such file. ref is empty on failure. */
int dq_library_find(const char *model, const char *folder, int allow_path,
                    struct dq_model_ref *ref, struct dq_err *err);

/* The same of a version that a folder of the library has, by its manifest
 * there; ref is zero before, and may hold something on failure. */
int dq_library_read(const char *folder, const char *name, const char *version,
                    struct dq_model_ref *ref, struct dq_err *err);

void dq_model_ref_free(struct dq_model_ref *ref); /* and zero it */

#ifdef __cplusplus
}
#endif
#endif
