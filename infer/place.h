/* place: a frame's place in a shot whose solution is frozen: its scale and
 * shift. Internal to infer/.
 *
 * A frame that the shot was solved with has its own. One that came later, or
 * whose plate was replaced since, is fitted to the frozen frames nearest to it
 * and noted in `<shot folder>/late/<frame>.json`; the first note stands, so
 * that every render of that plate has the same pixels. Any thread.
 */
#ifndef DQ_INFER_PLACE_H
#define DQ_INFER_PLACE_H

#include "infer/guide.h"

struct dq_place {
    double scale, shift; /* of the network's quantity */
};

/* 0: the place of the frame with that plate is known. DQ_MISSING: it is to be
 * fitted yet. */
int dq_place_find(const struct dq_recipe *recipe, const struct dq_shot *shot,
                  int32_t frame, const char *plate_sha256,
                  struct dq_place *place, struct dq_err *err);

/* Fit a late frame by its guide, note it, or take what was noted meanwhile.
 * DQ_MISSING: no guide of a frozen frame is there any more; errors as
 * dq_publish. */
int dq_place_fit(const struct dq_recipe *recipe, const struct dq_shot *shot,
                 int32_t frame, const struct dq_guide *guide, const char *tag,
                 struct dq_place *place, struct dq_err *err);

#endif
