/* oiio: io/oiio_shim.h through the plugin, which is loaded by the first call
 * that makes something. OpenImageIO brings some 200 libraries, half a second
 * of a process's start; EXR plates need none of them.
 */
#include "io/oiio_shim.h"

#if DQ_OIIO

#include <stdatomic.h>

#include "base/plugin.h"
#include "io/oiio_table.h"

/* Two threads may load it at once: to the loader it is the same library. */
static const struct dq_oiio_table *table(struct dq_err *err)
{
    static const struct dq_oiio_table *_Atomic loaded;

    if (!atomic_load(&loaded))
        atomic_store(&loaded,
                     dq_plugin_load(DQ_OIIO_PLUGIN, "dq_oiio_table", err));
    return atomic_load(&loaded);
}

struct dq_oiio_image *dq_oiio_open(const void *bytes, size_t count,
                                   const char *name, struct dq_err *err)
{
    const struct dq_oiio_table *t = table(err);

    return t ? t->open(bytes, count, name, err) : NULL;
}

/* Who has an image has loaded the plugin. */
void dq_oiio_close(struct dq_oiio_image *image)
{
    if (image)
        table(NULL)->close(image);
}

const struct dq_plate_info *dq_oiio_info(const struct dq_oiio_image *image)
{
    return table(NULL)->info(image);
}

int dq_oiio_decode(struct dq_oiio_image *image,
                   const struct dq_plate_choice *choice, struct dq_frame *frame,
                   struct dq_err *err)
{
    return table(NULL)->decode(image, choice, frame, err);
}

struct dq_ocio *dq_ocio_open(const char *colorspace, struct dq_err *err)
{
    const struct dq_oiio_table *t = table(err);

    return t ? t->ocio_open(colorspace, err) : NULL;
}

void dq_ocio_close(struct dq_ocio *ocio)
{
    if (ocio)
        table(NULL)->ocio_close(ocio);
}

int dq_ocio_apply(const struct dq_ocio *ocio, float *rgb, int n,
                  struct dq_err *err)
{
    return table(NULL)->ocio_apply(ocio, rgb, n, err);
}

int dq_oiio_png(const uint8_t *rgb, int width, int height, struct dq_bytes *out,
                struct dq_err *err)
{
    const struct dq_oiio_table *t = table(err);

    return t ? t->png(rgb, width, height, out, err) : DQ_CONFIG;
}

int dq_oiio_turbo(const float *values, int width, int height, uint8_t *rgb,
                  struct dq_err *err)
{
    const struct dq_oiio_table *t = table(err);

    return t ? t->turbo(values, width, height, rgb, err) : DQ_CONFIG;
}

int dq_oiio_text(uint8_t *rgb, int width, int height, int x, int y,
                 const struct dq_letters *letters, const char *text,
                 struct dq_err *err)
{
    const struct dq_oiio_table *t = table(err);

    return t ? t->text(rgb, width, height, x, y, letters, text, err)
             : DQ_CONFIG;
}

#endif
