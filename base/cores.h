/* cores: how much of the machine this process may use. Any thread. */
#ifndef DQ_BASE_CORES_H
#define DQ_BASE_CORES_H

#ifdef __cplusplus
extern "C" {
#endif

/* Cores that this process may run on (its affinity, as taskset, cpusets and
 * systemd's CPUAffinity= set it), at least 1. */
int dq_usable_cores(void);

/* Threads of each of so many workers (1 or more): asked, or with 0 an equal
 * share of the usable cores, at least 1. */
int dq_threads_each(int asked, int workers);

#ifdef __cplusplus
}
#endif
#endif
