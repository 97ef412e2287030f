/* probe: does a network do what its contract says? Run where a crash costs
 * nothing: a network is a program.
 */
#ifndef DQ_INFER_PROBE_H
#define DQ_INFER_PROBE_H

#include "base/err.h"
#include "infer/backend.h"
#include "infer/golden.h"
#include "infer/model.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { DQ_PROBE_MEASURES = 8 };

struct dq_probe_measure {
    int height, width, batch;
    double seconds; /* of the faster of two forwards */
};

struct dq_probe {
    struct dq_probe_measure measures[DQ_PROBE_MEASURES];
    int measured;
    double batch_apart;  /* worst difference in a batch against alone */
    double place_apart;  /* and elsewhere in another batch of that size */
    double golden_apart; /* from the stored answer; -1: none is stored */
};

/* At four sizes that the contract claims (square, wide, tall, small; or the
 * one that is fixed), in batches of one and more: answers are finite (for a
 * black and a white picture too), the same when asked again, another for
 * another picture, and in a batch what they are alone. Then the golden tile;
 * golden->picture NULL: there is none. Differences are shares of the
 * answer's range. In float32 a picture's answer may move by 1e-5 with its place
 * and its neighbours in batches of one size; alone and in a batch may differ by
 * 1e-4, for kernels sum in another order there (1.4e-5 was seen; a batch that
 * is baked in differs by far more). 5e-3 in float16, 4e-2 in bfloat16.
 * DQ_MODEL, DQ_ANSWER: what it does instead; DQ_MEMORY, DQ_DEVICE: it could not
 * be tried. */
int dq_probe_run(const struct dq_model *model, const struct dq_backend *backend,
                 struct dq_net *net, const struct dq_golden *golden,
                 struct dq_probe *found, struct dq_err *err);

#ifdef __cplusplus
}
#endif
#endif
