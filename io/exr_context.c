#include "io/exr_context.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "io/exr_scan.h"

struct dq_exr_stream *dq_exr_stream_of(exr_const_context_t exr)
{
    void *data = NULL;

    if (exr_get_user_data(exr, &data) != EXR_ERR_SUCCESS)
        return NULL;
    return data;
}

/* ---- what the library calls ---------------------------------------------- */

/* Keeps the first message: the library reports where it failed first, and
 * then once more, vaguely, from each caller. */
static void take_message(exr_const_context_t exr, exr_result_t code,
                         const char *text)
{
    struct dq_exr_stream *stream = dq_exr_stream_of(exr);

    (void)code;
    if (stream && !stream->message[0])
        snprintf(stream->message, sizeof stream->message, "%s", text);
}

static int64_t stream_size(exr_const_context_t exr, void *data)
{
    const struct dq_exr_stream *stream = data;

    (void)exr;
    return (int64_t)stream->count;
}

static int64_t read_bytes(exr_const_context_t exr, void *data, void *buffer,
                          uint64_t count, uint64_t offset,
                          exr_stream_error_func_ptr_t fail)
{
    const struct dq_exr_stream *stream = data;
    uint64_t left = offset < stream->count ? stream->count - offset : 0;

    (void)exr;
    (void)fail;
    if (count > left)
        count = left;
    if (count)
        memcpy(buffer, stream->bytes + offset, count);
    return (int64_t)count;
}

static int64_t read_file(exr_const_context_t exr, void *data, void *buffer,
                         uint64_t count, uint64_t offset,
                         exr_stream_error_func_ptr_t fail)
{
    const struct dq_exr_stream *stream = data;
    uint64_t done = 0;
    ssize_t n;

    while (done < count) {
        n = pread(stream->fd, (char *)buffer + done, count - done,
                  (off_t)(offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            fail(exr, EXR_ERR_READ_IO, "%s", strerror(errno));
            return -1;
        }
        if (n == 0)
            break;
        done += (uint64_t)n;
    }
    return (int64_t)done;
}

/* Room is doubled, so that a file of n chunks is not copied n times; a
 * recycled buffer soon has room for every frame of a shot. */
static int make_room(struct dq_bytes *out, uint64_t end)
{
    uint64_t room = out->room;

    if (end <= room)
        return DQ_OK;
    if (end > SIZE_MAX / 2)
        return DQ_MEMORY;
    room = room * 2 > end ? room * 2 : end;
    return dq_bytes_reserve(out, room, NULL);
}

static int64_t write_bytes(exr_const_context_t exr, void *data,
                           const void *buffer, uint64_t count, uint64_t offset,
                           exr_stream_error_func_ptr_t fail)
{
    const struct dq_exr_stream *stream = data;
    struct dq_bytes *out = stream->out;
    uint64_t end = offset + count;

    if (end < offset || make_room(out, end)) {
        fail(exr, EXR_ERR_OUT_OF_MEMORY, "no memory for the file");
        return -1;
    }
    /* The gap that is left for the chunk tables: filled at the end, but never
     * to hold what an earlier frame left there. */
    if (offset > out->count)
        memset(out->data + out->count, 0, offset - out->count);
    memcpy(out->data + offset, buffer, count);
    if (end > out->count)
        out->count = end;
    return (int64_t)count;
}

/* ---- open and fail ------------------------------------------------------- */

static exr_context_initializer_t settings(struct dq_exr_stream *stream)
{
    exr_context_initializer_t init = EXR_DEFAULT_CONTEXT_INITIALIZER;

    init.user_data = stream;
    init.error_handler_fn = take_message;
    init.max_image_width = init.max_image_height = DQ_EXR_MAX_SIDE;
    init.max_tile_width = init.max_tile_height = DQ_EXR_MAX_TILE;
    stream->message[0] = '\0';
    return init;
}

/* The library forgives a header much, and puts a default where an attribute
 * makes no sense: 64 x 64 for a window, ZIP for a compression that it does not
 * know. A picture read by such a guess is not the one that was meant. */
static int is_fatal(const char *complaint)
{
    static const char *const needed[] = {
        "channels",  "compression",      "dataWindow", "displayWindow",
        "lineOrder", "pixelAspectRatio", "tiles",
    };
    size_t i;

    for (i = 0; i < sizeof needed / sizeof *needed; i++)
        if (strstr(complaint, needed[i]))
            return 1;
    return 0;
}

exr_context_t dq_exr_open_read(struct dq_exr_stream *stream, const char *name,
                               struct dq_err *err)
{
    exr_context_initializer_t init = settings(stream);
    exr_context_t exr = NULL;
    exr_result_t result;

    if (dq_exr_scan(stream, err))
        return NULL;
    init.read_fn = stream->bytes ? read_bytes : read_file;
    init.size_fn = stream_size; /* without it nothing is checked by size */
    init.flags = EXR_CONTEXT_FLAG_DISABLE_CHUNK_RECONSTRUCTION;
    result = exr_start_read(&exr, name, &init);
    if (result != EXR_ERR_SUCCESS) {
        dq_exr_fail(stream, result, DQ_PLATE, err, "the header is damaged");
        return NULL;
    }
    if (is_fatal(stream->message)) {
        dq_exr_fail(stream, EXR_ERR_INVALID_ATTR, DQ_PLATE, err,
                    "the header is damaged, or newer than OpenEXR %s",
                    OPENEXR_VERSION_STRING);
        exr_finish(&exr);
    }
    return exr;
}

exr_context_t dq_exr_open_write(struct dq_exr_stream *stream,
                                struct dq_err *err)
{
    exr_context_initializer_t init = settings(stream);
    exr_context_t exr = NULL;
    exr_result_t result;

    stream->out->count = 0;
    init.write_fn = write_bytes;
    result = exr_start_write(&exr, "memory", EXR_WRITE_FILE_DIRECTLY, &init);
    if (result != EXR_ERR_SUCCESS) {
        dq_exr_fail(stream, result, DQ_BUG, err, "cannot begin an EXR file");
        return NULL;
    }
    return exr;
}

int dq_exr_fail(struct dq_exr_stream *stream, exr_result_t result, int code,
                struct dq_err *err, const char *fmt, ...)
{
    char what[512];
    va_list args;

    va_start(args, fmt);
    vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    /* deflate data that unpacks to more than its chunk is "out of memory" to
     * the library, too: only its words tell the two apart */
    if (result == EXR_ERR_OUT_OF_MEMORY &&
        !strstr(stream->message, "decompress"))
        code = DQ_MEMORY;
    code = dq_fail(err, code, "%s: %s", what,
                   stream->message[0] ? stream->message
                                      : exr_get_default_error_message(result));
    stream->message[0] = '\0';
    return code;
}
