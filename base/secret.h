/* secret: files that only their owner may read, and comparing what is in
 * them. Any thread. */
#ifndef DQ_BASE_SECRET_H
#define DQ_BASE_SECRET_H

#include "base/bytes.h"
#include "base/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Read a file of at most 64 KiB. DQ_DENIED with the remedy when others than
 * its owner have any right to it, or its owner is neither we nor root; else as
 * dq_bytes_read_file. The caller frees b in every case. */
int dq_secret_read(const char *path, struct dq_bytes *b, struct dq_err *err);

/* Whether two texts are the same; how long it takes tells nothing of where
 * they differ. */
int dq_secret_same(const char *a, const char *b);

#ifdef __cplusplus
}
#endif
#endif
