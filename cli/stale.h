/* stale: which frames of a shot on disk are not what the job would give now.
 * Private to depthq-stale.
 *
 * A frame's record (io/ledger.h) says what it was made of. Files are looked
 * at by size and time; only one that has others is read and hashed. Nothing
 * is written.
 */
#ifndef DQ_CLI_STALE_H
#define DQ_CLI_STALE_H

#include <stdint.h>
#include "base/err.h"
#include "cli/run_plan.h"
#include "infer/recipe.h"

#ifdef __cplusplus
extern "C" {
#endif

enum dq_stale_why {
    DQ_FRESH,          /* as the job would make it */
    DQ_STALE_ABSENT,   /* never made, or its output is gone */
    DQ_STALE_ALTERED,  /* the output is not what was written */
    DQ_STALE_PLATE,    /* made from another plate */
    DQ_STALE_NO_PLATE, /* there is no plate to make it from */
    DQ_STALE_MODEL,    /* made by another model */
    DQ_STALE_SETTINGS, /* made with other settings, or another solution */
    DQ_STALE_WHYS
};

/* "output missing", ...; and the word that --changed takes. Static. */
const char *dq_stale_text(enum dq_stale_why why);
const char *dq_stale_word(enum dq_stale_why why);

struct dq_stale_frame {
    int32_t frame;
    enum dq_stale_why why;
    char was[224]; /* DQ_STALE_MODEL: the model that made it, name@version */
};

/* A job against the files on disk. frames receives one entry for each of the
 * job's frames (the caller frees); how many is plan->job.all.count. NULL:
 * the recipe cannot be made (DQ_MODEL, DQ_MISSING, ...) or shot.json cannot
 * be read. */
struct dq_stale_frame *dq_stale_find(const struct dq_run_plan *plan,
                                     struct dq_err *err);

#ifdef __cplusplus
}
#endif
#endif
