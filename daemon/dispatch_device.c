#include "daemon/dispatch_private.h"

/* Something came back from it: it is sound. */
void dq_device_worked(struct device *device)
{
    device->deaths = 0;
    device->start_failures = 0;
}

static void give_up(struct device *device, int code, int times, const char *how,
                    const struct dq_death *death)
{
    if (!device->given_up.code)
        dq_fail(&device->given_up, code,
                "%d workers in a row died %s; the "
                "last one: %s",
                times, how, death->text);
}

void dq_device_death(struct dq_dispatch *d, int device,
                     const struct dq_death *death, int64_t now_ms)
{
    struct device *it = &d->devices[device];

    if (it->deaths && now_ms - it->first_death_ms > d->rule.deaths_within_ms)
        it->deaths = 0;
    if (it->deaths++ == 0)
        it->first_death_ms = now_ms;
    if (it->deaths >= d->rule.deaths)
        give_up(it, death->code == DQ_DEVICE ? DQ_DEVICE : DQ_WORKER,
                it->deaths, "without finishing a frame", death);
}

void dq_device_start_failed(struct dq_dispatch *d, int device,
                            const struct dq_death *death)
{
    struct device *it = &d->devices[device];

    if (++it->start_failures >= d->rule.start_failures)
        give_up(it, death->code ? death->code : DQ_WORKER, it->start_failures,
                "before they could take a frame", death);
}
