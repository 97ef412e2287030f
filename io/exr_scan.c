#include "io/exr_scan.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { NAME_MOST = 256, MULTI_PART = 0x1000, CHANNEL_BYTES = 16 };

/* A place in the header, over the file's bytes or a window of them. */
struct cursor {
    const struct dq_exr_stream *stream;
    uint64_t at;
    uint64_t window_at; /* of a file: what of it is in window */
    size_t window_count;
    uint8_t window[4096];
};

static int fill(struct cursor *c)
{
    ssize_t n;

    do
        n = pread(c->stream->fd, c->window, sizeof c->window, (off_t)c->at);
    while (n < 0 && errno == EINTR);
    c->window_at = c->at;
    c->window_count = n > 0 ? (size_t)n : 0;
    return n > 0;
}

/* The next byte, or -1 at the end. */
static int take(struct cursor *c)
{
    if (c->at >= c->stream->count)
        return -1;
    if (c->stream->bytes)
        return c->stream->bytes[c->at++];
    if ((c->at < c->window_at || c->at - c->window_at >= c->window_count) &&
        !fill(c))
        return -1;
    return c->window[c->at++ - c->window_at];
}

/* Its length; -1: it does not end where names have to. */
static int take_name(struct cursor *c, char name[NAME_MOST])
{
    for (int i = 0; i < NAME_MOST; i++) {
        int byte = take(c);

        if (byte < 0)
            return -1;
        name[i] = (char)byte;
        if (!byte)
            return i;
    }
    return -1;
}

static int64_t take_int(struct cursor *c)
{
    uint32_t value = 0;

    for (int shift = 0; shift < 32; shift += 8) {
        int byte = take(c);

        if (byte < 0)
            return -1;
        value |= (uint32_t)byte << shift;
    }
    return (int64_t)value;
}

static int count_channels(struct cursor *c, uint64_t end)
{
    char name[NAME_MOST];
    int count = 0;

    while (c->at < end && take_name(c, name) > 0) {
        c->at += CHANNEL_BYTES;
        count++;
    }
    return count;
}

enum walked { NEXT, NO_MORE, REFUSED };

static enum walked walk_attribute(struct cursor *c, struct dq_err *err)
{
    char name[NAME_MOST], type[NAME_MOST];
    int64_t size;
    uint64_t end;
    int channels;

    if (take_name(c, name) <= 0 || take_name(c, type) < 0)
        return NO_MORE;
    size = take_int(c);
    if (size < 0 || (uint64_t)size > c->stream->count)
        return NO_MORE;
    end = c->at + (uint64_t)size;
    channels = strcmp(type, "chlist") == 0 ? count_channels(c, end) : 0;
    if (channels > DQ_EXR_MAX_CHANNELS) {
        dq_fail(err, DQ_PLATE, "%d channels; 1 to %d are read", channels,
                DQ_EXR_MAX_CHANNELS);
        return REFUSED;
    }
    c->at = end;
    return NEXT;
}

/* NO_MORE: the part's end, or damage. */
static enum walked walk_part(struct cursor *c, int *attributes,
                             struct dq_err *err)
{
    enum walked walked;

    *attributes = 0;
    while ((walked = walk_attribute(c, err)) == NEXT) {
        if (++*attributes > DQ_EXR_MAX_ATTRIBUTES) {
            dq_fail(err, DQ_PLATE, "more than %d attributes are not read",
                    DQ_EXR_MAX_ATTRIBUTES);
            return REFUSED;
        }
    }
    return walked;
}

int dq_exr_scan(const struct dq_exr_stream *stream, struct dq_err *err)
{
    struct cursor c = {.stream = stream, .at = 4};
    int64_t version = take_int(&c);
    int attributes = 0;

    for (int part = 0;; part++) {
        if (part > DQ_EXR_MAX_PARTS)
            return dq_fail(err, DQ_PLATE, "more than %d parts are not read",
                           DQ_EXR_MAX_PARTS);
        if (walk_part(&c, &attributes, err) == REFUSED)
            return err->code;
        /* a part without attributes ends a list of parts */
        if (version < 0 || !(version & MULTI_PART) || attributes == 0)
            return DQ_OK;
    }
}
