#include "jobs/source.h"

/* Whether it failed for good by itself, in a way that others may share. */
static int is_own_failure(const struct dq_settle *settle)
{
    return settle->result && dq_task_has_frame(settle->task.kind) &&
           dq_task_move(DQ_TASK_RUNNING, settle->event) == DQ_TASK_FAILED;
}

/* So many failures alike, and nothing done, are no accident. */
static void give_up_rest(const struct dq_source *source,
                         const struct dq_settle *settle)
{
    int64_t alike = source->ops->failed_alike(source->self, &settle->task);
    struct dq_err cause = {0};

    if (!alike)
        return;
    dq_fail(&cause, settle->result->code,
            DQ_NOT_TRIED "for the first %lld %s failed alike (retry begins "
                         "anew): %.700s",
            (long long)alike,
            settle->task.kind == DQ_TASK_SCAN ? "scans" : "frames",
            settle->result->text);
    source->ops->fail_job(source->self, settle->task.job, &cause);
}

int dq_source_settle(const struct dq_source *source,
                     const struct dq_settle *settle)
{
    if (!source->ops->settle(source->self, settle))
        return 0;
    if (is_own_failure(settle))
        give_up_rest(source, settle);
    return 1;
}
