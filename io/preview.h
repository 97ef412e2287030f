/* preview: plates as they would look, depth in colours.
 *
 * Range and exposure are given from outside and are the shot's: those of
 * each frame would hide the very flicker that one looks for. One thread a
 * picture. Needs OpenImageIO for colours: DQ_CONFIG in a build without it.
 */
#ifndef DQ_IO_PREVIEW_H
#define DQ_IO_PREVIEW_H

#include "base/err.h"
#include "io/picture8.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What stretches between the far and near ends of the colours, in the file's
 * own numbers: of distances, low is near. */
struct dq_preview_range {
    double low, high;
};

/* What a shot's depth files say of themselves. Zero-initialise. */
struct dq_preview_shot {
    int files;
    struct dq_preview_range range; /* holds every file's 1 % and 99 %
                                      quantiles */
    int is_distance;
    int has_exposure;
    double exposure_ev; /* that the network saw */
    /* of the first file; "" where it says nothing */
    char model[128], version[64], kind[32], unit[32];
};

/* Take a depth file into shot. DQ_PLATE: it has no depth; ... */
int dq_preview_measure(const char *path, struct dq_preview_shot *shot,
                       struct dq_err *err);

/* The plate at most `width` across, tone-mapped and sRGB-encoded, over its
 * data window, with square pixels. exposure_ev NULL: exposed by its own
 * mean. DQ_PLATE, ... with the path. */
int dq_preview_plate(const char *path, int width, const double *exposure_ev,
                     struct dq_picture8 *out, struct dq_err *err);

/* The depth channel of a file in turbo colours (near is red, far is blue,
 * sky and empty black), at most `width` across. range NULL: the file's own
 * 1 % and 99 % quantiles. */
int dq_preview_depth(const char *path, int width,
                     const struct dq_preview_range *range,
                     struct dq_picture8 *out, struct dq_err *err);

#ifdef __cplusplus
}
#endif
#endif
