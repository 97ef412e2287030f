/* picture_view: numbers of either byte order out of bytes from outside.
 * Private to io/picture_*.c. Readers expect that the caller asked _fits. */
#ifndef DQ_IO_PICTURE_VIEW_H
#define DQ_IO_PICTURE_VIEW_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct dq_view {
    const uint8_t *bytes;
    uint64_t count;
    int big; /* the most significant byte first */
};

static inline int dq_view_fits(const struct dq_view *v, uint64_t at,
                               uint64_t size)
{
    return at <= v->count && size <= v->count - at;
}

/* size bytes (1, 2, 4, 8) as one number. */
static inline uint64_t dq_view_number(const struct dq_view *v, uint64_t at,
                                      int size)
{
    uint64_t n = 0;
    int i;

    for (i = 0; i < size; i++)
        n = n << 8 | v->bytes[at + (uint64_t)(v->big ? i : size - 1 - i)];
    return n;
}

/* One a format, as dq_picture_bounds; the magic was seen. */
int dq_picture_bounds_tiff(struct dq_view *view, struct dq_err *err);

#endif
