#include "base/clock.h"

#include <stdio.h>
#include <time.h>

int64_t dq_clock_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_BOOTTIME, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

double dq_clock_s(void)
{
    return (double)dq_clock_ns() * 1e-9;
}

double dq_thread_cpu_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Before 1970 the remainder must still count upwards. */
void dq_clock_utc_of(int64_t ns, char text[DQ_TIME_TEXT])
{
    int64_t rest = ns % 1000000000;
    time_t seconds = (time_t)(ns / 1000000000 - (rest < 0));
    struct tm tm = {0};

    rest += rest < 0 ? 1000000000 : 0;
    gmtime_r(&seconds, &tm);
    snprintf(text, DQ_TIME_TEXT, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
             (unsigned)(tm.tm_year + 1900) % 10000U,
             (unsigned)(tm.tm_mon + 1) % 100U, (unsigned)tm.tm_mday % 100U,
             (unsigned)tm.tm_hour % 100U, (unsigned)tm.tm_min % 100U,
             (unsigned)tm.tm_sec % 100U, (unsigned)(rest / 1000000) % 1000U);
}

void dq_clock_utc(char text[DQ_TIME_TEXT])
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    dq_clock_utc_of((int64_t)now.tv_sec * 1000000000 + now.tv_nsec, text);
}
