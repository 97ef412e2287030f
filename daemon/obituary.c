#include "daemon/obituary.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

/* What an end means when there was no hello: by errors.def where the worker
 * chose a status of ours, else something about the installation is wrong
 * (a library that is not there, another version, a broken program). */
static int code_of(const struct dq_child_end *end, const char *killed)
{
    if (end->broken)
        return DQ_CONFIG;
    if (end->signal || killed || end->status == dq_code_exit(DQ_WORKER))
        return DQ_WORKER;
    return end->status == dq_code_exit(DQ_DEVICE) ? DQ_DEVICE : DQ_CONFIG;
}

/* As much as there is room for. */
static void add(struct dq_death *death, const char *before, const char *text)
{
    size_t used = strlen(death->text);

    if (*text)
        snprintf(death->text + used, sizeof death->text - used, "%s%s", before,
                 text);
}

void dq_obituary_death(const struct dq_child_end *end, const char *killed,
                       const char *with, struct dq_death *death)
{
    size_t size = sizeof death->text;

    death->code = code_of(end, killed);
    if (end->broken)
        snprintf(death->text, size, "it was killed: %.400s", end->broken);
    else if (killed)
        snprintf(death->text, size, "it was killed: %s", killed);
    else if (end->signal)
        snprintf(death->text, size, "signal %d (%s)", end->signal,
                 strsignal(end->signal));
    else
        snprintf(death->text, size, "exit status %d", end->status);
    add(death, ", with ", with);
    add(death, "; last words: ", end->words);
}

int dq_obituary_is_of_shot(const struct dq_dispatch *dispatch, int worker)
{
    int count = dq_dispatch_held(dispatch, worker), is = 0;

    for (int i = 0; i < count; i++)
        is |=
            !dq_task_has_frame(dq_dispatch_held_at(dispatch, worker, i)->kind);
    return is;
}

char *dq_obituary_frames(const struct dq_dispatch *dispatch, int worker)
{
    struct dq_bytes text = {0};
    int count = dq_dispatch_held(dispatch, worker);

    dq_bytes_text(&text, "");
    for (int i = 0; i < count; i++) {
        const struct dq_task *t = dq_dispatch_held_at(dispatch, worker, i);

        if (!dq_task_has_frame(t->kind))
            dq_bytes_printf(&text, "%s%s", i ? "," : "",
                            dq_task_kind_name(t->kind));
        else
            dq_bytes_printf(&text, "%s%d", i ? "," : "", t->frame);
    }
    return text.data;
}
