/* shot: what is decided once a shot and then frozen, as `shot.json`.
 *
 * Made from the job's whole frame list, published once in the shot's folder,
 * and read by every render, so that no chunking, order or machine can change
 * a pixel. Without `stabilize` the survey makes it. With it the survey leaves
 * `survey.json`, which the scans read, and the solve publishes `shot.json`:
 * the same and every frame's scale and shift. A file whose key differs was
 * made for other settings or another model; it is made again, and so is one
 * for plates of another display window or pixel aspect than a later survey
 * found: no frame of theirs could be rendered with it. Any thread.
 */
#ifndef DQ_INFER_SHOT_H
#define DQ_INFER_SHOT_H

#include "base/err.h"
#include "infer/recipe.h"
#include "infer/shot_solve.h"
#include "io/frame.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { DQ_SHOT_SAMPLES = 16 }; /* frames that exposure and range come from */

/* A frame's place in the shot: the network's u becomes scale u + shift. */
struct dq_solved {
    int32_t frame;
    char plate[DQ_SHA256_HEX]; /* the plate that it was solved for */
    double scale, shift;
    int stretch;         /* 0, 1, ...: between two cuts */
    int evidence;        /* pairs of frames behind it */
    enum dq_known known; /* what of scale and shift they tell */
};

struct dq_shot {
    char key[DQ_SHA256_HEX]; /* recipe->survey_key it was made for */
    struct dq_box display;   /* the plates' display window */
    float pixel_aspect;
    struct dq_box lattice; /* display and all data windows, plate pixels */
    float exposure_ev;
    double range_low;  /* network's quantity: the 0.5 % ... */
    double range_high; /* ... and the 99.5 % quantile, pooled (of scale u +
                          shift) */
    int solved_count;  /* 0: only surveyed, or not stabilized */
    struct dq_solved *solved; /* by rising frame; owned */
};

void dq_shot_free(struct dq_shot *shot); /* what it holds; and zero it */

/* Whether plates of that display window and pixel aspect are the shot's. */
int dq_shot_has_window(const struct dq_shot *shot, const struct dq_box *display,
                       float pixel_aspect);

/* Sizes of the lattice in square pixels: anamorphic plates are widened or
 * narrowed by their pixel aspect, never their height. */
void dq_shot_square(const struct dq_shot *shot, int *width, int *height);

/* The i-th of at most DQ_SHOT_SAMPLES frames, evenly spaced over the list.
 * Pure: frames[round(i (n - 1) / (samples - 1))]. *count receives how many.
 */
int32_t dq_shot_sample(const struct dq_range *frames, int i, int *count);

/* Read the shot's file; what shot held is freed. 0 when it is there and has
 * the recipe's key; DQ_MISSING when there is none, it has another key, or it
 * was solved before survey.json found plates of another display window; DQ_IO
 * or DQ_CONFIG when it is there and cannot be understood (the message names the
 * file and says to delete it). */
int dq_shot_read(const struct dq_recipe *recipe, struct dq_shot *shot,
                 struct dq_err *err);

/* The same for survey, scan and solve: survey.json does where there is no
 * shot.json yet. Where the recipe decides anew what stands in shot.json is not
 * heard: DQ_ANEW_ALL reads survey.json alone, DQ_ANEW_SOLUTION leaves the
 * solution out. */
int dq_shot_read_survey(const struct dq_recipe *recipe, struct dq_shot *shot,
                        struct dq_err *err);

/* Publish it (as survey.json when the recipe wants frames solved and they
 * are not), unless somebody else has for this key: what is published first
 * stays, and *shot becomes it. (Another device or library may have found a
 * range that differs in its last bits; all renders read the file, so all use
 * one.) Where the recipe decides it anew it is replaced in any case. A file
 * with another key, or of another display window or pixel aspect, is replaced;
 * of two that find the same one stale, the first decides for both (in heirs/,
 * where what was decided waits for the same settings to come back). Errors as
 * dq_publish and dq_shot_read. */
int dq_shot_write(const struct dq_recipe *recipe, struct dq_shot *shot,
                  const char *tag, struct dq_err *err);

/* The frame as it was solved for a plate of that digest, or NULL. */
const struct dq_solved *dq_shot_find(const struct dq_shot *shot, int32_t frame,
                                     const char *plate_sha256);

/* The shot's constants as canonical text, for fingerprints (a frame adds its
 * own scale and shift). Caller frees. */
char *dq_shot_text(const struct dq_shot *shot);

/* That text with a frame's own place, as its fingerprint covers it. */
char *dq_shot_frame_text(const char *shot_text, double scale, double shift);

/* A digest of all that is in the file: which solution it is. */
void dq_shot_identity(const struct dq_shot *shot, char hex[DQ_SHA256_HEX]);

#ifdef __cplusplus
}
#endif
#endif
