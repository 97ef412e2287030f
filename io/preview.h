/* preview: pictures for people: plates as they would look, depth in colours.
 *
 * A range is given from outside and is the shot's: a range per frame would
 * hide the very flicker that one looks for. One thread a picture. Needs
 * OpenImageIO for colours, letters and PNG: DQ_CONFIG in a build without it.
 */
#ifndef DQ_IO_PREVIEW_H
#define DQ_IO_PREVIEW_H

#include <stddef.h>
#include <stdint.h>
#include "base/bytes.h"
#include "base/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* 8-bit RGB, width x height, row by row. rgb is owned. */
struct dq_picture8 {
    uint8_t *rgb;
    int width, height;
};

/* A black one. DQ_MEMORY. dq_picture8_free(NULL) is fine. */
int dq_picture8_new(struct dq_picture8 *picture, int width, int height,
                    struct dq_err *err);
void dq_picture8_free(struct dq_picture8 *picture);

/* What stretches between a shot's far and near ends in a preview. */
struct dq_preview_range {
    double low, high;
    int invert; /* distance: near (low) is shown as the hot end */
};

/* The plate at most `width` across, exposed by its own mean, tone-mapped and
 * sRGB-encoded, over its data window. DQ_PLATE, ... with the path. */
int dq_preview_plate(const char *path, int width, struct dq_picture8 *out,
                     struct dq_err *err);

/* The depth channel of a file in turbo colours (near is red, far is blue,
 * sky and empty black), at most `width` across. range NULL: the file's own
 * 1 % and 99 % quantiles. */
int dq_preview_depth(const char *path, int width,
                     const struct dq_preview_range *range,
                     struct dq_picture8 *out, struct dq_err *err);

/* Widen range to hold a file's 1 % and 99 % quantiles; *first is 1 for the
 * first file of a shot, and is cleared. */
int dq_preview_measure(const char *path, struct dq_preview_range *range,
                       int *first, struct dq_err *err);

/* Copy a picture into another with its top left at (x, y), cut at the rim. */
void dq_picture8_paste(struct dq_picture8 *into, const struct dq_picture8 *what,
                       int x, int y);

/* Letters, and the PNG file, published whole. */
int dq_picture8_label(struct dq_picture8 *picture, int x, int y, int size,
                      const char *text, struct dq_err *err);
int dq_picture8_save(const struct dq_picture8 *picture, const char *path,
                     struct dq_err *err);

#ifdef __cplusplus
}
#endif
#endif
