/* Format: PKWARE's APPNOTE 6.3, sections 4.3.7 (local header), 4.3.12
 * (central directory) and 4.3.16 (its end record). */
#include "infer/archive.h"

#include <stdint.h>
#include <string.h>

enum {
    END_SIZE = 22,
    CENTRAL_SIZE = 46,
    LOCAL_SIZE = 30,
    LONGEST_COMMENT = 65535
};

struct view {
    const unsigned char *bytes;
    size_t count;
};

static uint32_t u16(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static uint32_t u32(const unsigned char *p)
{
    return u16(p) | u16(p + 2) << 16;
}

static int fits(const struct view *v, uint64_t at, uint64_t size)
{
    return at <= v->count && size <= v->count - at;
}

int dq_archive_is(const void *bytes, size_t count)
{
    return count >= 4 && memcmp(bytes, "PK\3\4", 4) == 0;
}

/* The end record stands last, but for a comment. */
static const unsigned char *find_end(const struct view *v)
{
    size_t least = v->count > END_SIZE + LONGEST_COMMENT
                       ? v->count - END_SIZE - LONGEST_COMMENT
                       : 0;

    if (v->count < END_SIZE)
        return NULL;
    for (size_t at = v->count - END_SIZE + 1; at-- > least;)
        if (memcmp(v->bytes + at, "PK\5\6", 4) == 0)
            return v->bytes + at;
    return NULL;
}

static int take_member(const struct view *v, const unsigned char *central,
                       const char **data, size_t *size, struct dq_err *err)
{
    uint64_t local = u32(central + 42), bytes = u32(central + 20);
    uint64_t start;

    if (u16(central + 10) != 0)
        return dq_fail(err, DQ_MODEL,
                       "its contract is stored compressed; "
                       "save the archive with torch.jit.save");
    if (!fits(v, local, LOCAL_SIZE) ||
        memcmp(v->bytes + local, "PK\3\4", 4) != 0)
        return dq_fail(err, DQ_MODEL, "the archive is damaged");
    start = local + LOCAL_SIZE + u16(v->bytes + local + 26) +
            u16(v->bytes + local + 28);
    if (!fits(v, start, bytes))
        return dq_fail(err, DQ_MODEL, "the archive is cut short");
    *data = (const char *)v->bytes + start;
    *size = (size_t)bytes;
    return DQ_OK;
}

static int ends_in(const unsigned char *name, size_t length, const char *suffix)
{
    size_t n = strlen(suffix);

    return length >= n && memcmp(name + length - n, suffix, n) == 0;
}

int dq_archive_find(const void *bytes, size_t count, const char *suffix,
                    const char **data, size_t *size, struct dq_err *err)
{
    struct view v = {bytes, count};
    const unsigned char *end = find_end(&v);
    uint64_t at, left;

    *data = NULL;
    *size = 0;
    if (!end)
        return dq_fail(err, DQ_MODEL,
                       "the archive is cut short: it has no "
                       "directory at its end");
    at = u32(end + 16);
    for (left = u16(end + 10); left > 0; left--) {
        const unsigned char *c = v.bytes + at;

        if (!fits(&v, at, CENTRAL_SIZE) || memcmp(c, "PK\1\2", 4) != 0 ||
            !fits(&v, at + CENTRAL_SIZE, u16(c + 28)))
            return dq_fail(err, DQ_MODEL,
                           "the archive's directory is "
                           "damaged");
        if (ends_in(c + CENTRAL_SIZE, u16(c + 28), suffix))
            return take_member(&v, c, data, size, err);
        at += CENTRAL_SIZE + u16(c + 28) + u16(c + 30) + u16(c + 32);
    }
    return DQ_OK;
}
