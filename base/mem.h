/* mem: small allocations that cannot fail.
 *
 * The worker is supervised and the daemon's truth is in its database, so a
 * few bytes that cannot be had end the process (a message, then abort).
 * Pixel buffers are not small: they use plain malloc and fail politely with
 * DQ_MEMORY. Free what these return with free(). Any thread.
 */
#ifndef DQ_BASE_MEM_H
#define DQ_BASE_MEM_H

#include <stddef.h>
#include "base/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Zeroed bytes; never NULL. */
__attribute__((returns_nonnull)) void *dq_new(size_t bytes);

/* Zeroed array of count elements of size bytes each; overflow aborts. */
__attribute__((returns_nonnull)) void *dq_new_array(size_t count, size_t size);

/* realloc to count elements of size bytes; new bytes are not zeroed. */
__attribute__((returns_nonnull)) void *dq_grow(void *old, size_t count,
                                               size_t size);

/* Copies of a string, of at most n bytes of it; NULL gives NULL. */
char *dq_strdup(const char *text);
char *dq_strndup(const char *text, size_t n);

/* A formatted string in memory of its own. */
char *dq_asprintf(const char *fmt, ...) DQ_PRINTF(1, 2);

/* From now on large blocks (a megabyte and more) go back to the system when
 * they are freed: where memory is short, a hole of a size that nobody asks for
 * again costs as much as a block in use. */
void dq_give_back_large(void);

/* a * b in *out; false when that overflows. For sizes of pixel buffers. */
int dq_mul(size_t a, size_t b, size_t *out);

#ifdef __cplusplus
}
#endif
#endif
