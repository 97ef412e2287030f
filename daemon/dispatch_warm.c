#include <string.h>

#include "daemon/dispatch_private.h"

int dq_slot_is_warm(const struct slot *slot, int64_t model)
{
    for (int i = 0; i < slot->model_count; i++)
        if (slot->models[i] == model)
            return 1;
    return 0;
}

void dq_slot_warms(struct slot *slot, int64_t model)
{
    int at = 0;

    while (at < slot->model_count && slot->models[at] != model)
        at++;
    if (at == slot->model_count && slot->model_count < DQ_WARM)
        slot->model_count++;
    if (at == DQ_WARM)
        at--; /* the one that was used longest ago goes */
    memmove(slot->models + 1, slot->models, (size_t)at * sizeof *slot->models);
    slot->models[0] = model;
}

void dq_slot_cools(struct slot *slot)
{
    slot->model_count = 0;
}
