/* sequence: the names of a sequence's files.
 *
 *   sh010.####.exr   sh010.%04d.exr   sh010.$F4.exr   still.exr
 *
 * One number a pattern, in the file's name, not its folder. A pattern
 * without a number is a still: it names one file whatever the frame. */
#ifndef DQ_BASE_SEQUENCE_H
#define DQ_BASE_SEQUENCE_H

#include <stddef.h>
#include <stdint.h>
#include "base/err.h"
#include "base/range.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dq_sequence {
    char *prefix; /* path up to the number; the whole path of a still */
    char *suffix; /* what follows it; "" for a still */
    int digits;   /* least number of digits; 0 for a still */
};

/* Parse a pattern; relative ones are taken from folder (absolute, or NULL to
 * leave them). `.` and doubled slashes are tidied, `..` and links are not
 * resolved. DQ_SPEC with the remedy: two numbers, a number in the folder, an
 * empty name, a `%d` form other than %d or %0Nd. Caller frees. */
int dq_sequence_parse(const char *pattern, const char *folder,
                      struct dq_sequence *seq, struct dq_err *err);

/* A copy of its own; the caller frees it. */
void dq_sequence_copy(const struct dq_sequence *from, struct dq_sequence *to);

/* The path of one frame (negative numbers carry the sign before the zeros:
 * -0005). Caller frees. */
char *dq_sequence_path(const struct dq_sequence *seq, int32_t frame);

/* The frame of a file's name (no folder), when it is what dq_sequence_path
 * would give for it; false otherwise. Of a still the one name is frame 1. */
int dq_sequence_frame(const struct dq_sequence *seq, const char *name,
                      int32_t *frame);

/* The pattern in #-form, absolute: one canonical text. Caller frees. */
char *dq_sequence_text(const struct dq_sequence *seq);

/* The folder that the files lie in. Caller frees. */
char *dq_sequence_folder(const struct dq_sequence *seq);

/* Frames on disk: reads the folder once. A name counts only when it is what
 * dq_sequence_path would give for its number. DQ_MISSING when the folder
 * cannot be opened or holds none, DQ_IO when reading it fails midway, DQ_SPEC
 * beyond DQ_RANGE_MAX frames. A still that exists gives frame 1. */
int dq_sequence_scan(const struct dq_sequence *seq, struct dq_range *found,
                     struct dq_err *err);

void dq_sequence_free(struct dq_sequence *seq); /* and zero it */

#ifdef __cplusplus
}
#endif
#endif
