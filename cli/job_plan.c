#include "cli/job_plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/problems.h"

static int list_frames(struct dq_job_plan *plan, struct dq_err *err)
{
    if (plan->spec->frames.count)
        dq_range_copy(&plan->spec->frames, &plan->all);
    else if (dq_sequence_scan(&plan->spec->plate, &plan->all, err))
        return dq_because(err, "plate");
    return DQ_OK;
}

int dq_job_plan_read(const char *file, struct dq_job_plan *plan,
                     struct dq_err *err)
{
    memset(plan, 0, sizeof *plan);
    plan->spec = dq_spec_read_text(file, &plan->text, &plan->problems, err);
    if (!plan->spec)
        return err->code;
    plan->output = dq_sequence_text(&plan->spec->output.path);
    return list_frames(plan, err);
}

void dq_job_plan_free(struct dq_job_plan *plan)
{
    dq_bytes_free(&plan->text);
    dq_problems_free(&plan->problems);
    dq_spec_free(plan->spec);
    dq_range_free(&plan->all);
    free(plan->output);
    memset(plan, 0, sizeof *plan);
}

/* A still stands for any frame. */
static int is_still(const struct dq_sequence *plate)
{
    return plate->digits == 0;
}

int dq_job_plan_check(const struct dq_job_plan *plan, struct dq_err *err)
{
    const struct dq_sequence *plate = &plan->spec->plate;
    struct dq_range found = {0};
    char *missing, *pattern;

    if (dq_sequence_scan(plate, &found, err))
        return dq_because(err, "plate");
    missing = is_still(plate) ? NULL : dq_range_missing(&found, &plan->all);
    if (missing) {
        pattern = dq_sequence_text(plate);
        dq_fail(err, DQ_MISSING, "plate: %.400s has no frame %.200s", pattern,
                missing);
        free(pattern);
    }
    free(missing);
    dq_range_free(&found);
    return err->code;
}

void dq_job_plan_tell(const struct dq_job_plan *plan, const char *file,
                      const char *who, const struct dq_err *err, FILE *to)
{
    struct dq_err shown = *err;

    if (err->code == DQ_SPEC && plan->problems.count)
        dq_problems_print(to, file, &plan->text, &plan->problems);
    else
        fprintf(to, "%s: %s\n", who, dq_text_harmless(shown.text, '?'));
}
