/* range: lists of frame numbers as wranglers write them.
 *
 *   1001-1100      every frame        1001-1100x2    every second
 *   1001,1005      a list             -5--1          negative frames
 *
 * `:N` and `yN` are refused by name: they mean a step in some programs and
 * an interleave in others. Duplicates are an error. Text in, numbers out;
 * no files. Any thread.
 */
#ifndef DQ_BASE_RANGE_H
#define DQ_BASE_RANGE_H

#include <stddef.h>
#include <stdint.h>
#include "base/err.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DQ_RANGE_MAX 1000000      /* frames in one list */
#define DQ_FRAME_LIMIT 1000000000 /* |frame| is at most this */

/* A sorted list without duplicates. */
struct dq_range {
    int32_t *frames;
    size_t count;
};

/* Parse text into range (sorted ascending); the caller frees it. DQ_SPEC
 * with the offending piece and the remedy; range is empty then. */
int dq_range_parse(const char *text, struct dq_range *range,
                   struct dq_err *err);

/* A short text for a sorted list, the same for the same frames:
 * "1001-1009x2,1020". Caller frees. */
char *dq_range_text(const struct dq_range *range);

/* Position of frame in range, or -1. */
long dq_range_find(const struct dq_range *range, int32_t frame);

/* Frames of want that are not in range, as text, or NULL when all are. */
char *dq_range_missing(const struct dq_range *range,
                       const struct dq_range *want);

/* A copy of its own; the caller frees it. */
void dq_range_copy(const struct dq_range *from, struct dq_range *to);

void dq_range_free(struct dq_range *range); /* and zero it */

#ifdef __cplusplus
}
#endif
#endif
