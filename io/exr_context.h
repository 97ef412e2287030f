/* exr_context: OpenEXRCore contexts over memory, over a file for its header
 * alone, and into a growing buffer, with the library's messages brought into
 * our errors. Private to io.
 */
#ifndef DQ_IO_EXR_CONTEXT_H
#define DQ_IO_EXR_CONTEXT_H

#include <stddef.h>
#include <stdint.h>

#include <openexr.h>

#include "base/bytes.h"
#include "base/err.h"

#define DQ_EXR_MAX_SIDE 32768
#define DQ_EXR_MAX_TILE 4096

/* What stands behind a context. It must not move while the context lives.
 * One thread at a time, because of message. */
struct dq_exr_stream {
    const uint8_t *bytes; /* reading: the whole file, or NULL: fd is read */
    uint64_t count;       /* reading: bytes of the file */
    int fd;               /* reading a header: borrowed */
    struct dq_bytes *out; /* writing: borrowed */
    char message[256];    /* the library's first word on the failing call */
};

/* A context that reads stream (bytes or fd, and count, are set by the
 * caller). The header is parsed in full; sides of windows and tiles are
 * bounded. name is for messages. NULL with DQ_PLATE or DQ_MEMORY. */
exr_context_t dq_exr_open_read(struct dq_exr_stream *stream, const char *name,
                               struct dq_err *err);

/* A context that writes to stream->out, which is emptied and used again.
 * NULL with DQ_MEMORY or DQ_BUG. */
exr_context_t dq_exr_open_write(struct dq_exr_stream *stream,
                                struct dq_err *err);

/* The stream behind a context. */
struct dq_exr_stream *dq_exr_stream_of(exr_const_context_t exr);

/* Set err from a result of the library: "<formatted text>: <its message>".
 * code is what the failure is called; running out of memory is always
 * DQ_MEMORY. Forgets the message. Returns the code. */
int dq_exr_fail(struct dq_exr_stream *stream, exr_result_t result, int code,
                struct dq_err *err, const char *fmt, ...) DQ_PRINTF(5, 6);

#endif
