/* sorted: numbers in ascending order, and what is read off them. Pure; any
 * thread. NaN has no place in an order: the caller leaves it out.
 */
#ifndef DQ_BASE_SORTED_H
#define DQ_BASE_SORTED_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* In place. */
void dq_sort_floats(float *values, size_t count);
void dq_sort_doubles(double *values, size_t count);

/* The value that stands at place nth (< count) once all are in order; what was
 * there is left in some other order. In linear time, where a sort is not. */
double dq_nth_double(double *values, size_t count, size_t nth);

/* Which of count sorted values is the share-quantile, by nearest rank:
 * floor(share (count - 1) + 1/2). share: 0 .. 1; count: 1 or more. */
size_t dq_quantile_at(double share, size_t count);

#ifdef __cplusplus
}
#endif
#endif
