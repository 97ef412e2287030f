#include "base/range.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"

static const char *skip_blanks(const char *c)
{
    while (*c == ' ' || *c == '\t')
        c++;
    return c;
}

/* A frame number with its sign; NULL when there is none. What is too far
 * stays just beyond DQ_FRAME_LIMIT, however many digits follow. */
static const char *number(const char *c, int64_t *value)
{
    int negative = *c == '-';
    int64_t v = 0;

    c += negative;
    if (*c < '0' || *c > '9')
        return NULL;
    for (; *c >= '0' && *c <= '9'; c++) {
        v = v * 10 + (*c - '0');
        if (v > DQ_FRAME_LIMIT)
            v = (int64_t)DQ_FRAME_LIMIT + 1;
    }
    *value = negative ? -v : v;
    return c;
}

/* Bytes of a piece that a message shows; whole characters. */
static int shown(const char *piece)
{
    size_t n = strnlen(piece, 60);

    while (n > 0 && ((unsigned char)piece[n] & 0xc0) == 0x80)
        n--;
    return (int)n;
}

static int bad_piece(const char *piece, const char *why, struct dq_err *err)
{
    int n = shown(piece);

    return dq_fail(err, DQ_SPEC, "frames: '%.*s%s': %s", n, piece,
                   piece[n] ? "..." : "", why);
}

struct piece {
    int64_t first, last, step;
};

/* What follows ':' or 'y'; the remedy is spelled out where it is clear. */
static int other_step(const char *piece, struct piece *p, const char *after,
                      struct dq_err *err)
{
    const char *end = number(after, &p->step);
    char why[160];

    if (!end || *end || p->step < 1 || p->first >= p->last)
        return bad_piece(piece,
                         "write a step as 1-10x5 (a colon or y means "
                         "another thing in every program)",
                         err);
    snprintf(why, sizeof why,
             "write the step as %" PRId64 "-%" PRId64 "x%" PRId64
             " (a colon or y means another thing in every program)",
             p->first, p->last, p->step);
    return bad_piece(piece, why, err);
}

static int too_far(int64_t frame)
{
    return frame > DQ_FRAME_LIMIT || frame < -DQ_FRAME_LIMIT;
}

static int check_piece(const char *text, const struct piece *p,
                       struct dq_err *err)
{
    if (too_far(p->first) || too_far(p->last) || too_far(p->step))
        return bad_piece(text, "goes beyond 1,000,000,000", err);
    if (p->last < p->first)
        return bad_piece(text, "the range runs backwards", err);
    return DQ_OK;
}

/* "1001", "1001-1100", "1001-1100x2"; no blanks inside. */
static int parse_piece(const char *text, struct piece *p, struct dq_err *err)
{
    const char *c;
    int many;

    if (!*text)
        return bad_piece(text, "a frame is missing between commas", err);
    c = number(text, &p->first);
    if (!c)
        return bad_piece(text, "is no frame number", err);
    p->last = p->first;
    p->step = 1;
    many = *c == '-';
    if (many) {
        c = number(c + 1, &p->last);
        if (!c)
            return bad_piece(text, "the range has no end", err);
    }
    if (*c == 'x' && !many)
        return bad_piece(text, "a step (x) needs a range, as 1-10x5", err);
    if (*c == 'x') {
        c = number(c + 1, &p->step);
        if (!c || p->step < 1)
            return bad_piece(text, "the step after x is no number above 0",
                             err);
    }
    if (*c == ':' || *c == 'y')
        return other_step(text, p, c + 1, err);
    if (*c)
        return bad_piece(text, "is no frame or range; write 1001-1100x2,1205",
                         err);
    return check_piece(text, p, err);
}

static int add_piece(struct dq_range *range, const struct piece *p,
                     struct dq_err *err)
{
    int64_t count;

    assert(p->step >= 1); /* parse_piece refuses others */
    count = (p->last - p->first) / p->step + 1;
    if (count + (int64_t)range->count > DQ_RANGE_MAX)
        return dq_fail(err, DQ_SPEC, "frames: more than %d frames",
                       DQ_RANGE_MAX);
    range->frames = dq_grow(range->frames, range->count + (size_t)count,
                            sizeof *range->frames);
    for (int64_t i = 0; i < count; i++)
        range->frames[range->count++] = (int32_t)(p->first + i * p->step);
    return DQ_OK;
}

static int ascending(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

    return (x > y) - (x < y);
}

static int refuse_duplicates(struct dq_range *range, struct dq_err *err)
{
    qsort(range->frames, range->count, sizeof *range->frames, ascending);
    for (size_t i = 1; i < range->count; i++)
        if (range->frames[i] == range->frames[i - 1])
            return dq_fail(err, DQ_SPEC, "frames: %" PRId32 " is there twice",
                           range->frames[i]);
    return DQ_OK;
}

static void trim(char *piece)
{
    size_t n = strlen(piece);

    while (n > 0 && (piece[n - 1] == ' ' || piece[n - 1] == '\t'))
        piece[--n] = '\0';
}

int dq_range_parse(const char *text, struct dq_range *range, struct dq_err *err)
{
    char *copy = dq_strdup(text), *rest = copy, *piece;
    int code = DQ_OK;

    memset(range, 0, sizeof *range);
    if (!*skip_blanks(text))
        code = dq_fail(err, DQ_SPEC,
                       "frames: names no frame; write 1001-1100x2,1205");
    while (!code && (piece = strsep(&rest, ","))) {
        const char *start = skip_blanks(piece);
        struct piece p = {.step = 1};

        trim(piece);
        start = start > piece + strlen(piece) ? "" : start;
        code = parse_piece(start, &p, err);
        if (!code)
            code = add_piece(range, &p, err);
    }
    if (!code)
        code = refuse_duplicates(range, err);
    if (code)
        dq_range_free(range);
    free(copy);
    return code;
}

/* How many frames from `at` on share one step; at least 1. */
static size_t run_length(const struct dq_range *range, size_t at)
{
    size_t n = 1;
    int64_t step;

    if (at + 1 >= range->count)
        return 1;
    step = (int64_t)range->frames[at + 1] - range->frames[at];
    while (at + n < range->count &&
           (int64_t)range->frames[at + n] - range->frames[at + n - 1] == step)
        n++;
    return n;
}

char *dq_range_text(const struct dq_range *range)
{
    struct dq_bytes out = {0};

    dq_bytes_text(&out, "");
    for (size_t at = 0; at < range->count;) {
        size_t n = run_length(range, at);
        int32_t first = range->frames[at];
        int64_t step = n > 1 ? (int64_t)range->frames[at + 1] - first : 0;

        if (n == 2 && step > 1)
            n = 1; /* two frames are shorter as a list */
        dq_bytes_printf(&out, "%s%" PRId32, at ? "," : "", first);
        if (n > 1)
            dq_bytes_printf(&out, "-%" PRId32, range->frames[at + n - 1]);
        if (n > 1 && step > 1)
            dq_bytes_printf(&out, "x%" PRId64, step);
        at += n;
    }
    return out.data;
}

long dq_range_find(const struct dq_range *range, int32_t frame)
{
    const int32_t *at = range->count
                            ? bsearch(&frame, range->frames, range->count,
                                      sizeof frame, ascending)
                            : NULL;

    return at ? (long)(at - range->frames) : -1;
}

char *dq_range_missing(const struct dq_range *range,
                       const struct dq_range *want)
{
    struct dq_range missing = {0};
    char *text = NULL;

    missing.frames = dq_new_array(want->count, sizeof *missing.frames);
    for (size_t i = 0; i < want->count; i++)
        if (dq_range_find(range, want->frames[i]) < 0)
            missing.frames[missing.count++] = want->frames[i];
    if (missing.count)
        text = dq_range_text(&missing);
    dq_range_free(&missing);
    return text;
}

void dq_range_copy(const struct dq_range *from, struct dq_range *to)
{
    to->count = from->count;
    to->frames = dq_new_array(from->count, sizeof *to->frames);
    memcpy(to->frames, from->frames, from->count * sizeof *to->frames);
}

void dq_range_free(struct dq_range *range)
{
    if (!range)
        return;
    free(range->frames);
    memset(range, 0, sizeof *range);
}
