/* oiio_table: what the plugin libdq_oiio.so shows (base/plugin.h). The
 * functions are those of io/oiio_shim.h, which says what they do; io/oiio.c
 * calls them through this table, io/oiio_shim.cc fills it.
 */
#ifndef DQ_IO_OIIO_TABLE_H
#define DQ_IO_OIIO_TABLE_H

#include "io/oiio_shim.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DQ_OIIO_PLUGIN "libdq_oiio.so"

struct dq_oiio_table {
    struct dq_oiio_image *(*open)(const void *bytes, size_t count,
                                  const char *name, struct dq_err *err);
    void (*close)(struct dq_oiio_image *image);
    const struct dq_plate_info *(*info)(const struct dq_oiio_image *image);
    int (*decode)(struct dq_oiio_image *image,
                  const struct dq_plate_choice *choice, struct dq_frame *frame,
                  struct dq_err *err);
    struct dq_ocio *(*ocio_open)(const char *colorspace, struct dq_err *err);
    void (*ocio_close)(struct dq_ocio *ocio);
    int (*ocio_apply)(const struct dq_ocio *ocio, float *rgb, int n,
                      struct dq_err *err);
    int (*png)(const uint8_t *rgb, int width, int height, struct dq_bytes *out,
               struct dq_err *err);
    int (*turbo)(const float *values, int width, int height, uint8_t *rgb,
                 struct dq_err *err);
    int (*text)(uint8_t *rgb, int width, int height, int x, int y,
                const struct dq_letters *letters, const char *text,
                struct dq_err *err);
};

#ifdef __cplusplus
}
#endif
#endif
