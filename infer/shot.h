/* shot: what is decided once a shot and then frozen, as `shot.json`.
 *
 * Made from the job's whole frame list by one survey, published once in the
 * shot's folder, and read by every render, so that no chunking, order or
 * machine can change a pixel. A file whose key differs was made for other
 * settings or another model; it is made again. Values; any thread.
 */
#ifndef DQ_INFER_SHOT_H
#define DQ_INFER_SHOT_H

#include "base/err.h"
#include "infer/recipe.h"
#include "io/frame.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { DQ_SHOT_SAMPLES = 16 }; /* frames that exposure and range come from */

struct dq_shot {
    char key[DQ_SHA256_HEX]; /* recipe->survey_key it was made for */
    struct dq_box display;   /* the plates' display window */
    float pixel_aspect;
    struct dq_box lattice; /* display and all data windows, plate pixels */
    float exposure_ev;
    double range_low;  /* network's quantity: the 0.5 % ... */
    double range_high; /* ... and the 99.5 % quantile, pooled */
};

/* Sizes of the lattice in square pixels: anamorphic plates are widened or
 * narrowed by their pixel aspect, never their height. */
void dq_shot_square(const struct dq_shot *shot, int *width, int *height);

/* The i-th of at most DQ_SHOT_SAMPLES frames, evenly spaced over the list.
 * Pure: frames[round(i (n - 1) / (samples - 1))]. *count receives how many.
 */
int32_t dq_shot_sample(const struct dq_range *frames, int i, int *count);

/* Read the shot's file. 0 when it is there and has the recipe's key;
 * DQ_MISSING when there is none or it has another key; DQ_IO or DQ_CONFIG
 * when it is there and cannot be understood (the message names the file and
 * says to delete it). */
int dq_shot_read(const struct dq_recipe *recipe, struct dq_shot *shot,
                 struct dq_err *err);

/* Publish it, unless somebody else has for this key: what is published first
 * stays, and *shot becomes it. (Another device or library may have found a
 * range that differs in its last bits; all renders read the file, so all use
 * one.) A file with another key is replaced; of two that replace one at once
 * the later stays. Errors as dq_publish and dq_shot_read. */
int dq_shot_write(const struct dq_recipe *recipe, struct dq_shot *shot,
                  const char *tag, struct dq_err *err);

/* The values as canonical text, for fingerprints. Caller frees. */
char *dq_shot_text(const struct dq_shot *shot);

#ifdef __cplusplus
}
#endif
#endif
