/* obituary: what a worker's end means, in words and as a code. Any thread. */
#ifndef DQ_DAEMON_OBITUARY_H
#define DQ_DAEMON_OBITUARY_H

#include "daemon/child.h"
#include "daemon/dispatch.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How a worker ended, for people. */
struct dq_obituary {
    int worker, pid;
    const char *device;
    int asked;          /* it did as it was told, or came too late to be
                           needed; no cause for worry */
    const char *text;   /* "signal 11 (Segmentation fault), with plate 1010;
                           last words: ..." */
    const char *frames; /* that it had in hand, "1001,1002", "" for none */
};

/* The death as a dispatcher is told of it. killed: why we killed it, or
 * NULL. with: what it was busy with ("plate 1010"), or "". */
void dq_obituary_death(const struct dq_child_end *end, const char *killed,
                       const char *with, struct dq_death *death);

/* Whether what it has in hand is a survey or a solve. */
int dq_obituary_is_of_shot(const struct dq_dispatch *dispatch, int worker);

/* What a worker has in hand, as in dq_obituary. The caller frees. */
char *dq_obituary_frames(const struct dq_dispatch *dispatch, int worker);

#ifdef __cplusplus
}
#endif
#endif
