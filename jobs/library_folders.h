/* library_folders: the folders of models, and what is in them by the names
 * of their manifests. For jobs/ and for programs that list them. Any thread;
 * reads folders.
 */
#ifndef DQ_JOBS_LIBRARY_FOLDERS_H
#define DQ_JOBS_LIBRARY_FOLDERS_H

#include <stddef.h>
#include "base/err.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DQ_VERSION_CHARACTERS \
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+"

struct dq_library_entry {
    char *name, *version;
    int retired; /* not to be chosen as the latest */
};

struct dq_library_folder {
    char *path;                    /* absolute */
    int error;                     /* errno of reading it, or 0 */
    struct dq_library_entry *list; /* by name, then by version */
    size_t count;
};

struct dq_library_folders {
    struct dq_library_folder *list;
    size_t count;
};

/* All folders in the order of search, read. */
struct dq_library_folders dq_library_folders(void);
void dq_library_folders_free(struct dq_library_folders *all);

/* The version of name that is meant: want, or the latest that is not retired
 * when want is NULL; NULL when the folder has none such. Borrowed. */
const char *dq_library_version(const struct dq_library_folder *folder,
                               const char *name, const char *want);

/* DQ_MODEL: that there is no such model or version, and what there is. */
int dq_library_no_model(const struct dq_library_folders *all, const char *name,
                        const char *want, struct dq_err *err);

#ifdef __cplusplus
}
#endif
#endif
