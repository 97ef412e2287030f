#include "base/sorted.h"

#include <stdlib.h>

static int by_float(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

static int by_double(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

void dq_sort_floats(float *values, size_t count)
{
    if (count)
        qsort(values, count, sizeof *values, by_float);
}

void dq_sort_doubles(double *values, size_t count)
{
    if (count)
        qsort(values, count, sizeof *values, by_double);
}

size_t dq_quantile_at(double share, size_t count)
{
    return (size_t)(share * (double)(count - 1) + 0.5);
}
