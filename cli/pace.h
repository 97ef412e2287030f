/* pace: how fast frames come, from the last ones; pure. One thread. */
#ifndef DQ_CLI_PACE_H
#define DQ_CLI_PACE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { DQ_PACE_KEPT = 64, DQ_PACE_WARM = 5 };

/* Zero-initialise; workers as many as work at once. */
struct dq_pace {
    int workers;
    unsigned count; /* frames noted */
    int64_t ends_ms[DQ_PACE_KEPT];
};

/* A frame that took work is done. */
void dq_pace_note(struct dq_pace *pace, int64_t now_ms);

/* Seconds from one frame to the next: the median over recent stretches of as
 * many frames as there are workers, for those come in bursts. Negative until
 * some frames have warmed up. */
double dq_pace_seconds(const struct dq_pace *pace);

#ifdef __cplusplus
}
#endif
#endif
