/* recipe: all that decides a job's pixels, as the pipeline needs it.
 *
 * Made once a job by the worker from the job file and the model
 * (daemon/worker_recipe.c), never changed after; any thread may read it. It
 * borrows nothing: dq_recipe_free gives everything back.
 */
#ifndef DQ_INFER_RECIPE_H
#define DQ_INFER_RECIPE_H

#include <stddef.h>
#include <stdint.h>
#include "base/bytes.h"
#include "base/err.h"
#include "base/range.h"
#include "base/sequence.h"
#include "infer/model.h"
#include "io/colour.h"
#include "io/depth_file.h"
#include "io/plate.h"

#ifdef __cplusplus
extern "C" {
#endif

enum dq_existing { DQ_RESUME, DQ_REPLACE, DQ_REFUSE };
/* What is decided anew though it is frozen; the old one stays in place until
 * the new one is there. */
enum dq_anew {
    DQ_ANEW_NOTHING,
    DQ_ANEW_SOLUTION, /* scales and shifts, with the survey as it is */
    DQ_ANEW_ALL
};
enum dq_depth_kind {
    DQ_DEPTH_AUTO,
    DQ_DEPTH_DISTANCE,
    DQ_DEPTH_INVERSE,
    DQ_DEPTH_NATIVE
};

struct dq_recipe {
    int64_t job;
    struct dq_sequence plate, output;
    struct dq_range frames;    /* the job's whole list */
    char *part, *view, *layer; /* of the plate; NULL: not said */
    char *colorspace;          /* "auto" or a name */
    struct dq_ocio *ocio;      /* converts it (io/oiio_shim.h); NULL: a space
                                  that io/colour.h knows. Owned */
    int exposure_auto;
    float exposure_ev; /* when not auto */
    enum dq_tonemap tonemap;
    int tile_size; /* pixels, 0 auto, DQ_TILES_WHOLE */
    double overlap;
    int batch; /* 0 auto */
    int align;
    int steady; /* stabilize: shot */
    enum dq_anew anew;
    int apart; /* the solve does not follow scans of its own run: guides that
                  are not there were perhaps never made */
    enum dq_depth_kind kind;
    double near, far; /* 0: not given */
    enum dq_depth_mode mode;
    enum dq_depth_codec codec;
    int half;
    char *channel;
    int replace_channel;
    int mask; /* write the mask channel */
    enum dq_existing existing;
    char *shot_folder; /* <output folder>/.depthq/<pattern> */
    char *survey_key;  /* digest of what decides the survey */
    char *scan_text;   /* what decides a guide, less plate and shot */
    char *pixels_text; /* what decides pixels, for fingerprints */
    struct dq_model *model;
    struct dq_bytes artefact; /* the model's bytes, hashed */
};

void dq_recipe_free(struct dq_recipe *recipe); /* NULL is fine */

/* Where a plate's colours start from: its encoding and matrix, or OCIO; the
 * rest of colour is left alone. guessed and errors as dq_colour_matrix. */
int dq_recipe_colour(const struct dq_recipe *recipe,
                     const struct dq_plate_info *info, struct dq_colour *colour,
                     int *guessed, struct dq_err *err);

/* The wish for dq_plate_choose, and the form of the output. Borrow. */
struct dq_plate_wish dq_recipe_wish(const struct dq_recipe *recipe);
struct dq_depth_format dq_recipe_format(const struct dq_recipe *recipe);

#ifdef __cplusplus
}
#endif
#endif
