#include "daemon/trust.h"

#include <stdlib.h>

#define HOUR_NS ((int64_t)3600 * 1000000000)
#define DAY_NS (24 * HOUR_NS)

/* A clock that is set once more is another one. */
static int has_stayed(struct dq_trust *t, int64_t ahead_ns, int64_t boot_ns)
{
    if (!t->doubted || llabs(ahead_ns - t->ahead_ns) > HOUR_NS) {
        t->doubted = 1;
        t->since_ns = boot_ns;
        t->ahead_ns = ahead_ns;
    }
    return boot_ns - t->since_ns >= DAY_NS;
}

int dq_trust_day(struct dq_trust *t, int64_t day_ns, int64_t boot_ns)
{
    int64_t ahead_ns = day_ns - t->day_ns - (boot_ns - t->boot_ns);

    if (ahead_ns > DAY_NS && !has_stayed(t, ahead_ns, boot_ns))
        return 0;
    t->day_ns = day_ns;
    t->boot_ns = boot_ns;
    t->doubted = 0;
    return 1;
}
