/* bytes: a growing run of bytes or text, owned by one holder. One thread. */
#ifndef DQ_BASE_BYTES_H
#define DQ_BASE_BYTES_H

#include <stddef.h>
#include <sys/stat.h>
#include "base/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Zero-initialise, then add. data is NULL only while room is 0. */
struct dq_bytes {
    char *data;
    size_t count; /* bytes in use */
    size_t room;  /* the most that was asked for: memory that may be in use */
    size_t allocated; /* some more */
};

/* Make room for at least room bytes in all; DQ_MEMORY when there is none. */
int dq_bytes_reserve(struct dq_bytes *b, size_t room, struct dq_err *err);

/* Append; small text grows by abort-on-failure memory (base/mem.h). The
 * data stays zero-terminated beyond count after _add and _printf. */
void dq_bytes_add(struct dq_bytes *b, const void *data, size_t count);
void dq_bytes_text(struct dq_bytes *b, const char *text);
void dq_bytes_printf(struct dq_bytes *b, const char *fmt, ...) DQ_PRINTF(2, 3);

void dq_bytes_free(struct dq_bytes *b); /* and zero it; NULL is fine */

/* Read a whole regular file of at most limit bytes into b, whose buffer is
 * used again (recycled). Opens with O_NONBLOCK|O_CLOEXEC and refuses what is
 * not a regular file, so a FIFO never hangs the caller. Errors name the
 * path: DQ_MISSING, DQ_DENIED, DQ_IO, DQ_MEMORY; too_big (a code of the
 * caller's choice) when it is larger or no regular file. A file that grows
 * meanwhile gives what it had at first, one that shrinks what is left. The
 * data is zero-terminated beyond count. Fault point: read. */
int dq_bytes_read_file(struct dq_bytes *b, const char *path, size_t limit,
                       int too_big, struct dq_err *err);

/* The same, of a file whose bytes are remembered by its size and time: *st is
 * what it was before the first byte and after the last. DQ_GROWING when it was
 * written to meanwhile. (One that another took the place of is still itself.)
 */
int dq_bytes_read_still(struct dq_bytes *b, const char *path, size_t limit,
                        int too_big, struct stat *st, struct dq_err *err);

#ifdef __cplusplus
}
#endif
#endif
