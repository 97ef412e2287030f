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

static void swap(double *a, double *b)
{
    double was = *a;

    *a = *b;
    *b = was;
}

static double middle_of(double a, double b, double c)
{
    double low = a < b ? a : b, high = a < b ? b : a;

    return c < low ? low : c > high ? high : c;
}

/* Hoare's, in three parts: smaller, equal (half a picture of sky is one
 * number), larger. */
double dq_nth_double(double *v, size_t count, size_t nth)
{
    size_t first = 0, end = count;

    for (;;) {
        double pivot =
            middle_of(v[first], v[first + (end - first) / 2], v[end - 1]);
        size_t low = first, at = first, high = end;

        while (at < high)
            if (v[at] < pivot)
                swap(&v[at++], &v[low++]);
            else if (v[at] > pivot)
                swap(&v[at], &v[--high]);
            else
                at++;
        if (nth < low)
            end = low;
        else if (nth >= high)
            first = high;
        else
            return pivot;
    }
}

size_t dq_quantile_at(double share, size_t count)
{
    return (size_t)(share * (double)(count - 1) + 0.5);
}
