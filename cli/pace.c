#include "cli/pace.h"

#include <stdlib.h>

void dq_pace_note(struct dq_pace *pace, int64_t now_ms)
{
    pace->ends_ms[pace->count++ % DQ_PACE_KEPT] = now_ms;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The first frame paid for loading the network; it is no measure. */
double dq_pace_seconds(const struct dq_pace *pace)
{
    unsigned workers = pace->workers > 1 ? (unsigned)pace->workers : 1;
    unsigned kept = pace->count < DQ_PACE_KEPT ? pace->count : DQ_PACE_KEPT;
    unsigned first = pace->count - kept, stretches = 0;
    double seconds[DQ_PACE_KEPT];

    if (workers > DQ_PACE_KEPT / 2)
        workers = DQ_PACE_KEPT / 2;
    if (pace->count < DQ_PACE_WARM + workers)
        return -1;
    if (first == 0)
        first = workers;
    for (unsigned i = first; i + workers < pace->count; i++)
        seconds[stretches++] =
            (double)(pace->ends_ms[(i + workers) % DQ_PACE_KEPT] -
                     pace->ends_ms[i % DQ_PACE_KEPT]) /
            1000 / workers;
    if (!stretches)
        return -1;
    qsort(seconds, stretches, sizeof *seconds, by_size);
    return (seconds[(stretches - 1) / 2] + seconds[stretches / 2]) / 2;
}
