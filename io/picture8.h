/* picture8: 8-bit RGB pictures for people: composed, lettered, saved as PNG.
 *
 * Letters and PNG need OpenImageIO: DQ_CONFIG in a build without it. One
 * thread a picture.
 */
#ifndef DQ_IO_PICTURE8_H
#define DQ_IO_PICTURE8_H

#include <stdint.h>
#include "base/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* 8-bit sRGB, width x height, row by row. rgb is owned. */
struct dq_picture8 {
    uint8_t *rgb;
    int width, height;
};

/* A black one. DQ_MEMORY. dq_picture8_free(NULL) is fine. */
int dq_picture8_new(struct dq_picture8 *picture, int width, int height,
                    struct dq_err *err);
void dq_picture8_free(struct dq_picture8 *picture);

/* A rectangle in one grey, and another picture's copy with its top left at
 * (x, y), x and y not negative; both are cut at the rim. */
void dq_picture8_fill(struct dq_picture8 *picture, int x, int y, int width,
                      int height, uint8_t grey);
void dq_picture8_paste(struct dq_picture8 *into, const struct dq_picture8 *what,
                       int x, int y);

/* Values 0..1 (others are clamped; NaN is 0) in turbo colours into n pixels
 * of 3 bytes. Turbo is Anton Mikhailov's map (Google, 2019). DQ_CONFIG. */
int dq_picture8_turbo(const float *values, int width, int height, uint8_t *rgb,
                      struct dq_err *err);

/* A line of text. */
struct dq_letters {
    int size; /* the letters' height in pixels */
    uint8_t grey;
    int ends_at_x; /* else it begins there */
};
int dq_picture8_label(struct dq_picture8 *picture, int x, int y,
                      const struct dq_letters *letters, const char *text,
                      struct dq_err *err);

/* The PNG file, published whole. DQ_CREATE, DQ_IO, ... */
int dq_picture8_save(const struct dq_picture8 *picture, const char *path,
                     struct dq_err *err);

#ifdef __cplusplus
}
#endif
#endif
