#include "base/sequence.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/path.h"

enum { MOST_DIGITS = 10 };

/* Where a pattern's number stands. */
struct slot {
    const char *start;
    size_t length; /* of its spelling */
    int digits;
};

/* "####" */
static size_t hashes(const char *c, int *digits)
{
    size_t n = strspn(c, "#");

    *digits = (int)(n < 100 ? n : 100);
    return n;
}

/* "%d", "%04d"; a "%" with anything else is an error: *digits is -1. */
static size_t percent(const char *c, int *digits)
{
    size_t n = 1;

    *digits = 1;
    if (c[n] == '0') {
        n++;
        *digits = 0;
        while (c[n] >= '0' && c[n] <= '9' && *digits < 100)
            *digits = *digits * 10 + (c[n++] - '0');
    }
    if (c[n] != 'd' || *digits < 1) {
        *digits = -1;
        return 1;
    }
    return n + 1;
}

/* "$F", "$F4" */
static size_t dollar(const char *c, int *digits)
{
    size_t n = 2;

    *digits = 0;
    while (c[n] >= '0' && c[n] <= '9' && *digits < 100)
        *digits = *digits * 10 + (c[n++] - '0');
    if (n == 2)
        *digits = 1;
    return n;
}

static size_t slot_at(const char *c, int *digits)
{
    if (c[0] == '#')
        return hashes(c, digits);
    if (c[0] == '%')
        return percent(c, digits);
    if (c[0] == '$' && c[1] == 'F')
        return dollar(c, digits);
    return 0;
}

static int find_slots(const char *text, struct slot *slot, int *count,
                      struct dq_err *err)
{
    *count = 0;
    for (const char *c = text; *c;) {
        int digits = 0;
        size_t n = slot_at(c, &digits);

        if (n == 0) {
            c++;
            continue;
        }
        if (digits < 1 || digits > MOST_DIGITS)
            return dq_fail(err, DQ_SPEC,
                           "'%s': the frame number is spelled ####, %%04d or "
                           "$F4, with 1 to %d digits",
                           text, MOST_DIGITS);
        slot->start = c;
        slot->length = n;
        slot->digits = digits;
        ++*count;
        c += n;
    }
    return DQ_OK;
}

static int check_pattern(const char *pattern, const struct slot *slot,
                         int count, struct dq_err *err)
{
    const char *name = dq_path_name(pattern);

    if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return dq_fail(err, DQ_SPEC, "'%s': names no file", pattern);
    if (count > 1)
        return dq_fail(err, DQ_SPEC,
                       "'%s': has %d frame numbers; one is "
                       "the most",
                       pattern, count);
    if (count == 1 && slot->start < name)
        return dq_fail(err, DQ_SPEC,
                       "'%s': the frame number must be in the file's name, "
                       "not in its folder's",
                       pattern);
    return DQ_OK;
}

int dq_sequence_parse(const char *pattern, const char *folder,
                      struct dq_sequence *seq, struct dq_err *err)
{
    struct slot slot = {0};
    int count = 0;
    char *marked;

    memset(seq, 0, sizeof *seq);
    if (find_slots(pattern, &slot, &count, err) ||
        check_pattern(pattern, &slot, count, err))
        return err ? err->code : DQ_SPEC;
    /* the folder's own name may hold such marks: only the pattern counts */
    if (count == 0) {
        seq->prefix = dq_path_join(folder, pattern);
        seq->suffix = dq_strdup("");
        return DQ_OK;
    }
    /* A mark in the number's place keeps "." and "a/" from being tidied. */
    marked = dq_asprintf("%.*sx", (int)(slot.start - pattern), pattern);
    seq->prefix = dq_path_join(folder, marked);
    seq->prefix[strlen(seq->prefix) - 1] = '\0';
    free(marked);
    seq->suffix = dq_strdup(slot.start + slot.length);
    seq->digits = slot.digits;
    return DQ_OK;
}

void dq_sequence_copy(const struct dq_sequence *from, struct dq_sequence *to)
{
    to->prefix = dq_strdup(from->prefix);
    to->suffix = dq_strdup(from->suffix);
    to->digits = from->digits;
}

char *dq_sequence_path(const struct dq_sequence *seq, int32_t frame)
{
    int64_t size = frame < 0 ? -(int64_t)frame : frame;

    if (seq->digits == 0)
        return dq_strdup(seq->prefix);
    return dq_asprintf("%s%s%0*" PRId64 "%s", seq->prefix, frame < 0 ? "-" : "",
                       seq->digits, size, seq->suffix);
}

char *dq_sequence_text(const struct dq_sequence *seq)
{
    return dq_asprintf("%s%.*s%s", seq->prefix, seq->digits, "##########",
                       seq->suffix);
}

char *dq_sequence_folder(const struct dq_sequence *seq)
{
    return dq_path_folder(seq->prefix);
}

int dq_sequence_frame(const struct dq_sequence *seq, const char *name,
                      int32_t *frame)
{
    const char *head = dq_path_name(seq->prefix);
    size_t before = strlen(head), length = strlen(name);
    size_t after = strlen(seq->suffix);
    char *again;
    long value;
    int same;

    *frame = 1;
    if (seq->digits == 0)
        return strcmp(head, name) == 0;
    if (length <= before + after || strncmp(name, head, before) != 0 ||
        strcmp(name + length - after, seq->suffix) != 0 ||
        length - before - after > MOST_DIGITS + 1)
        return 0;
    value = strtol(name + before, NULL, 10);
    if (value < -DQ_FRAME_LIMIT || value > DQ_FRAME_LIMIT)
        return 0;
    *frame = (int32_t)value;
    again = dq_sequence_path(seq, *frame);
    same = strcmp(dq_path_name(again), name) == 0;
    free(again);
    return same;
}

static int ascending(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

    return (x > y) - (x < y);
}

/* A folder that changes while it is read may give a name twice. */
static void sort_and_unite(struct dq_range *found)
{
    size_t kept = 0;

    if (found->count)
        qsort(found->frames, found->count, sizeof *found->frames, ascending);
    for (size_t i = 0; i < found->count; i++)
        if (i == 0 || found->frames[i] != found->frames[kept - 1])
            found->frames[kept++] = found->frames[i];
    found->count = kept;
}

/* Every matching frame, or an error: a list cut short by a failing file
 * server would leave frames undone without a word. */
static int read_folder(const struct dq_sequence *seq, DIR *dir,
                       struct dq_range *found, struct dq_err *err)
{
    size_t room = 0;
    struct dirent *entry;
    int32_t frame;

    for (errno = 0; (entry = readdir(dir)); errno = 0) {
        if (!dq_sequence_frame(seq, entry->d_name, &frame))
            continue;
        if (found->count == DQ_RANGE_MAX)
            return dq_fail(err, DQ_SPEC, "more than %d frames on disk match",
                           DQ_RANGE_MAX);
        if (found->count == room) {
            room = room ? 2 * room : 256;
            found->frames = dq_grow(found->frames, room, sizeof *found->frames);
        }
        found->frames[found->count++] = frame;
    }
    if (errno)
        return dq_fail_errno(err, DQ_IO, errno, "the folder cannot be read");
    sort_and_unite(found);
    return DQ_OK;
}

static int scan_still(const struct dq_sequence *seq, struct dq_range *found,
                      struct dq_err *err)
{
    if (access(seq->prefix, F_OK) != 0)
        return dq_fail_errno(err, DQ_MISSING, errno, "%s", seq->prefix);
    found->frames = dq_new(sizeof *found->frames);
    found->frames[0] = 1;
    found->count = 1;
    return DQ_OK;
}

int dq_sequence_scan(const struct dq_sequence *seq, struct dq_range *found,
                     struct dq_err *err)
{
    struct dq_err own = {0};
    char *folder, *pattern;
    DIR *dir;

    memset(found, 0, sizeof *found);
    if (seq->digits == 0)
        return scan_still(seq, found, err);
    folder = dq_sequence_folder(seq);
    pattern = dq_sequence_text(seq);
    dir = opendir(folder);
    if (!dir)
        dq_fail_errno(&own, DQ_MISSING, errno, "%s", folder);
    else if (read_folder(seq, dir, found, &own))
        dq_because(&own, "%s", pattern);
    else if (found->count == 0)
        dq_fail(&own, DQ_MISSING, "no frame on disk matches %s", pattern);
    if (dir)
        closedir(dir);
    if (own.code)
        dq_range_free(found);
    if (own.code && err)
        *err = own;
    free(pattern);
    free(folder);
    return own.code;
}

void dq_sequence_free(struct dq_sequence *seq)
{
    if (!seq)
        return;
    free(seq->prefix);
    free(seq->suffix);
    memset(seq, 0, sizeof *seq);
}
