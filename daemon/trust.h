/* trust: whether the time of day can be believed. What is old is forgotten for
 * good, so a clock that was set years ahead by mistake must not decide what is
 * old. Pure: no clock is read.
 */
#ifndef DQ_DAEMON_TRUST_H
#define DQ_DAEMON_TRUST_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What it was when it was believed last. */
struct dq_trust {
    int64_t day_ns;  /* the time of day, after 1970 */
    int64_t boot_ns; /* then, on the clock that nobody sets (dq_clock_ns) */
    int doubted;
    int64_t since_ns; /* on that clock: so long has it been doubted */
    int64_t ahead_ns; /* by how much, when that began */
};

/* Whether the time of day is believed now. It is, unless it is more than a
 * day ahead of what it was plus what has passed since (a restart or a set
 * clock); and then, too, once it has gone on like that for a day: a machine
 * that was off for a month forgets what is old a day later. One that goes back
 * is believed. */
int dq_trust_day(struct dq_trust *t, int64_t day_ns, int64_t boot_ns);

#ifdef __cplusplus
}
#endif
#endif
