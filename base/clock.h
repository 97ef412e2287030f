/* clock: monotonic time that goes on while the machine sleeps. Any thread. */
#ifndef DQ_BASE_CLOCK_H
#define DQ_BASE_CLOCK_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

int64_t dq_clock_ns(void);    /* CLOCK_BOOTTIME */
double dq_clock_s(void);      /* the same in seconds */
double dq_thread_cpu_s(void); /* CPU seconds of the calling thread */

/* Now as RFC 3339 UTC with milliseconds: 2026-11-24T15:04:05.123Z */
#define DQ_TIME_TEXT 25
void dq_clock_utc(char text[DQ_TIME_TEXT]);

/* The same of a moment: nanoseconds since 1970, such as a file's time. */
void dq_clock_utc_of(int64_t ns, char text[DQ_TIME_TEXT]);

#ifdef __cplusplus
}
#endif
#endif
