/* golden: the golden tile of an artefact: one picture and its answer, kept in
 * the archive as the extra file depthq-golden.bin by whoever exported it
 * (scripts/modelkit/golden.py has the layout). Any thread.
 */
#ifndef DQ_INFER_GOLDEN_H
#define DQ_INFER_GOLDEN_H

#include <stddef.h>
#include "base/err.h"
#include "infer/model.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dq_golden {
    int batch, height, width;
    float *picture; /* batch x 3 x height x width, the network's numbers */
    float *answer;  /* batch x output_channels x height x width */
    double bound;   /* of |difference|, as a share of the answer's range */
};

/* The golden tile of an artefact's bytes. *golden->picture is NULL when it
 * has none. DQ_MODEL: it is damaged, or not of the contract's shape. */
int dq_golden_read(const struct dq_model *model, const void *bytes,
                   size_t count, struct dq_golden *golden, struct dq_err *err);
void dq_golden_free(struct dq_golden *golden); /* and zero it */

/* The float of a half's bits (IEEE 754 binary16). */
float dq_golden_of_half(unsigned half);

#ifdef __cplusplus
}
#endif
#endif
