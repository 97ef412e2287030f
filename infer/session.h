/* session: one network on one device, and frames through it.
 *
 * picture -> tiles and guide -> answers (answers.h; merge.h makes a frame of
 * them). The picture is in the network's colour (io/colour.h) and of square
 * pixels. One thread; buffers are planned at the first frame of a size and
 * used again.
 */
#ifndef DQ_INFER_SESSION_H
#define DQ_INFER_SESSION_H

#include <stddef.h>
#include <stdint.h>
#include "base/err.h"
#include "infer/answers.h"
#include "infer/backend.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dq_session;

struct dq_session_rule {
    int batch;          /* tiles a forward; 0: 1 on the CPU, chosen on a GPU */
    int align;          /* 0: blend the tiles as they are */
    const float *guide; /* the picture's, made before: even a single tile is
                           aligned to it; NULL: made here where tiles need
                           one */
};

/* Load a network. bytes are the artefact's; both are borrowed for the call. */
struct dq_session *dq_session_open(const struct dq_model *model,
                                   const void *bytes, size_t count,
                                   const struct dq_device *device,
                                   struct dq_err *err);
void dq_session_close(struct dq_session *session); /* NULL is fine */

/* Bytes that a session holds for frames of this plan on top of the network's
 * own: a batch in and out, and the guide's picture. Pure. */
size_t dq_session_bytes(const struct dq_model *model,
                        const struct dq_tile_plan *plan,
                        const struct dq_session_rule *rule,
                        const struct dq_device *device);

/* On a GPU three forwards of each shape that the plan uses, so that nothing is
 * loaded or chosen during the first frame; runs once a plan. */
int dq_session_warm(struct dq_session *session, const struct dq_tile_plan *plan,
                    const struct dq_session_rule *rule, struct dq_err *err);

/* The guide alone: content_h x content_w of the plan, the network's quantity
 * as it came; sky the same of its sky channel (NULL: not wanted). */
int dq_session_guide(struct dq_session *session,
                     const struct dq_tile_plan *plan,
                     const struct dq_picture *picture, float *guide, float *sky,
                     struct dq_err *err);

/* All tiles of a frame, and the guide where they need one, into answers (which
 * get the room that they need). A NaN or Inf from the network is DQ_ANSWER
 * with the tile. Out of device memory halves the batch, never the tile; at
 * batch 1 it is DQ_MEMORY. Same picture, same bits. */
int dq_session_run(struct dq_session *session, const struct dq_tile_plan *plan,
                   const struct dq_session_rule *rule,
                   const struct dq_picture *picture, struct dq_answers *answers,
                   struct dq_tile_counts *counts, struct dq_err *err);

/* Seconds spent in the network's forwards since it was opened. */
double dq_session_forward_s(const struct dq_session *session);

#ifdef __cplusplus
}
#endif
#endif
