/* quantity: from what a network answers to what a compositor reads.
 *
 * One mapping a shot, from shot constants; never per frame. With u the
 * network's aligned answer, u_f and u_n the shot's far and near quantiles:
 *
 *   affine disparity   inverse    v = (u - u_f) / (u_n - u_f), above 0
 *                      distance   1/z = 1/far + (u - u_f)
 *                                   (1/near - 1/far) / (u_n - u_f)
 *                                 (docs/depth.md, 8), z below z_sky
 *   scaled, metric     inverse    u        distance   1/u
 *     disparity
 *   distance           inverse    1/u      distance   u, below z_sky
 *   (affine distance: 1 - the affine inverse's ramp is no disparity; asked
 *    for anything but native it is refused)
 *   native             u, whatever it is
 *
 * Sky is behind everything: 0 of inverse, z_sky of distance (10 far, or 1e5),
 * of native 10 times u_n - u_f beyond u_f. What is real keeps off it, so far
 * that no form of file (half, PXR24) makes the two one: an inverse is at least
 * 2^-24, a distance at most z_sky (1 - 2^-10).
 *
 * Pure; any thread.
 */
#ifndef DQ_INFER_QUANTITY_H
#define DQ_INFER_QUANTITY_H

#include <stddef.h>
#include "base/err.h"
#include "infer/recipe.h"
#include "infer/shot.h"

#ifdef __cplusplus
extern "C" {
#endif

enum dq_quantity_form {
    DQ_FORM_AS_IS,  /* u: not one bit changed between least and most */
    DQ_FORM_LINE,   /* a u + b */
    DQ_FORM_INVERSE /* 1 / max(a u + b, low) */
};

struct dq_quantity {
    enum dq_depth_kind kind; /* never AUTO */
    const char *unit;        /* "m", "1/m", "relative", ... ; static */
    enum dq_quantity_form form;
    double a, b, low;
    float least, most; /* what comes out of it is held to these */
    float sky;         /* the value of sky and of empty pixels, as a file of
                          the recipe's form keeps it */
};

/* The mapping for a recipe's model and a shot. DQ_SPEC when the job asks
 * for what the model cannot give (distance of an affine model without near
 * and far), with the remedy. */
int dq_quantity_new(const struct dq_recipe *recipe, const struct dq_shot *shot,
                    struct dq_quantity *quantity, struct dq_err *err);

/* In place over count values. Finite in, finite out; what is not finite may
 * stay so. */
void dq_quantity_apply(const struct dq_quantity *quantity, float *values,
                       size_t count);

/* The far and the near quantile, 0.5 % and 99.5 %, of answers pooled from a
 * shot; sorts them. 0 and 0 of none. */
void dq_quantity_ends(float *values, size_t count, double *low, double *high);

const char *dq_depth_kind_name(enum dq_depth_kind kind);

#ifdef __cplusplus
}
#endif
#endif
