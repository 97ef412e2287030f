/* sha256: SHA-256 through libcrypto. */
#ifndef DQ_BASE_SHA256_H
#define DQ_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>
#include "base/err.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DQ_SHA256_HEX 65 /* 64 hexadecimal digits and the final zero */

/* The digest of bytes as lower-case hexadecimal in hex. Any thread. */
void dq_sha256(const void *bytes, size_t count, char hex[DQ_SHA256_HEX]);

/* The digest of a file, read in pieces. DQ_MISSING or DQ_IO with the path
 * in the text when it cannot be read. */
int dq_sha256_file(const char *path, char hex[DQ_SHA256_HEX],
                   struct dq_err *err);

/* A digest built up from pieces: _new, any number of _add, then _finish,
 * which also frees it. _finish with hex NULL only frees. One thread. */
struct dq_sha256;
struct dq_sha256 *dq_sha256_new(void);
void dq_sha256_add(struct dq_sha256 *hash, const void *bytes, size_t count);
void dq_sha256_finish(struct dq_sha256 *hash, char *hex);

#ifdef __cplusplus
}
#endif
#endif
