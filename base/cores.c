#include "base/cores.h"

#include <sched.h>

int dq_usable_cores(void)
{
    cpu_set_t cores;
    int count = 0;

    if (sched_getaffinity(0, sizeof cores, &cores) == 0)
        count = CPU_COUNT(&cores);
    return count > 0 ? count : 1;
}

int dq_threads_each(int asked, int workers)
{
    int cores = dq_usable_cores();

    if (asked)
        return asked;
    return cores > workers ? cores / workers : 1;
}
