/* Format: PKWARE's APPNOTE 6.3, sections 4.3.7 (local header), 4.3.12
 * (central directory), 4.3.14 (zip64 end), 4.3.16 (end record). */
#include "infer/archive.h"

#include <stdint.h>
#include <string.h>

enum {
    END_SIZE = 22,
    CENTRAL_SIZE = 46,
    LOCAL_SIZE = 30,
    LONGEST_COMMENT = 65535,
    LOCATOR_SIZE = 20, /* of zip64 */
    RECORD_SIZE = 56,
    ENCRYPTED = 1
};
static const uint32_t ALL_ONES = 0xffffffff;

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

static uint64_t u64(const unsigned char *p)
{
    return u32(p) | (uint64_t)u32(p + 4) << 32;
}

static int fits(const struct view *v, uint64_t at, uint64_t size)
{
    return at <= v->count && size <= v->count - at;
}

int dq_archive_is(const void *bytes, size_t count)
{
    return count >= 4 && memcmp(bytes, "PK\3\4", 4) == 0;
}

/* The end record stands last, but for a comment that it tells the length of.
 */
static const unsigned char *find_end(const struct view *v)
{
    size_t least = v->count > END_SIZE + LONGEST_COMMENT
                       ? v->count - END_SIZE - LONGEST_COMMENT
                       : 0;

    if (v->count < END_SIZE)
        return NULL;
    for (size_t at = v->count - END_SIZE + 1; at-- > least;)
        if (memcmp(v->bytes + at, "PK\5\6", 4) == 0 &&
            u16(v->bytes + at + 20) == v->count - END_SIZE - at)
            return v->bytes + at;
    return NULL;
}

/* Where the directory begins and how many entries it has. Numbers that do not
 * fit (all ones) stand in the zip64 record, to which a locator before the end
 * record points. */
static int find_directory(const struct view *v, const unsigned char *end,
                          uint64_t *at, uint64_t *entries, struct dq_err *err)
{
    const unsigned char *locator;
    uint64_t record;

    *at = u32(end + 16);
    *entries = u16(end + 10);
    if (*at != ALL_ONES && *entries != 0xffff)
        return DQ_OK;
    locator = end - v->bytes >= LOCATOR_SIZE ? end - LOCATOR_SIZE : NULL;
    if (!locator || memcmp(locator, "PK\6\7", 4) != 0)
        return dq_fail(err, DQ_MODEL, "the archive's zip64 end is damaged");
    record = u64(locator + 8);
    if (!fits(v, record, RECORD_SIZE) ||
        memcmp(v->bytes + record, "PK\6\6", 4) != 0)
        return dq_fail(err, DQ_MODEL, "the archive's zip64 end is damaged");
    *entries = u64(v->bytes + record + 32);
    *at = u64(v->bytes + record + 48);
    return DQ_OK;
}

static int take_member(const struct view *v, const unsigned char *central,
                       const char **data, size_t *size, struct dq_err *err)
{
    uint64_t local = u32(central + 42), bytes = u32(central + 20);
    uint64_t start;

    if (u16(central + 8) & ENCRYPTED)
        return dq_fail(err, DQ_MODEL, "its contract is encrypted");
    if (u16(central + 10) != 0)
        return dq_fail(err, DQ_MODEL,
                       "its contract is stored compressed; "
                       "save the archive with torch.jit.save");
    if (bytes == ALL_ONES || local == ALL_ONES)
        return dq_fail(err, DQ_MODEL,
                       "its contract lies beyond 4 GB, where it is not read");
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

/* "<top>/<path>": torch names the top folder after the file. */
static int is_member(const unsigned char *name, size_t length, const char *path)
{
    const unsigned char *slash = memchr(name, '/', length);
    size_t top = slash ? (size_t)(slash - name) + 1 : 0, n = strlen(path);

    return top > 1 && length == top + n && memcmp(name + top, path, n) == 0;
}

int dq_archive_find(const void *bytes, size_t count, const char *path,
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
    if (find_directory(&v, end, &at, &left, err))
        return err->code;
    for (; left > 0; left--) {
        const unsigned char *c;

        if (!fits(&v, at, CENTRAL_SIZE) ||
            memcmp(v.bytes + at, "PK\1\2", 4) != 0 ||
            !fits(&v, at + CENTRAL_SIZE, u16(v.bytes + at + 28)))
            return dq_fail(err, DQ_MODEL,
                           "the archive's directory is "
                           "damaged");
        c = v.bytes + at;
        if (is_member(c + CENTRAL_SIZE, u16(c + 28), path))
            return take_member(&v, c, data, size, err);
        at += CENTRAL_SIZE + u16(c + 28) + u16(c + 30) + u16(c + 32);
    }
    return DQ_OK;
}
