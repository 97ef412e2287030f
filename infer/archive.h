/* archive: one stored member of a zip file, read without any library.
 *
 * A TorchScript file is a zip whose members are stored, not compressed; the
 * contract is one of them. Bounds are checked at every step: the bytes come
 * from outside. Any thread.
 */
#ifndef DQ_INFER_ARCHIVE_H
#define DQ_INFER_ARCHIVE_H

#include <stddef.h>
#include "base/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whether the bytes begin as a zip file does. */
int dq_archive_is(const void *bytes, size_t count);

/* The member `<top>/<path>`, path "extra/depthq.json": *data and *size lie
 * inside bytes. *data is NULL when there is none. DQ_MODEL: no central
 * directory (truncated), a member outside the file, compressed or encrypted,
 * or beyond 4 GB (a zip64's directory is read; torch writes extra files
 * first). */
int dq_archive_find(const void *bytes, size_t count, const char *path,
                    const char **data, size_t *size, struct dq_err *err);

#ifdef __cplusplus
}
#endif
#endif
