#include "io/picture8.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/publish.h"
#if DQ_OIIO
#include "io/oiio_shim.h"
#endif

int dq_picture8_new(struct dq_picture8 *p, int width, int height,
                    struct dq_err *err)
{
    p->width = width;
    p->height = height;
    p->rgb = calloc((size_t)width * (size_t)height, 3);
    return p->rgb ? DQ_OK
                  : dq_fail(err, DQ_MEMORY, "no memory for a %d x %d picture",
                            width, height);
}

void dq_picture8_free(struct dq_picture8 *p)
{
    if (!p)
        return;
    free(p->rgb);
    memset(p, 0, sizeof *p);
}

static uint8_t *pixel(const struct dq_picture8 *p, int x, int y)
{
    return p->rgb + 3 * ((size_t)y * (size_t)p->width + (size_t)x);
}

/* How much of width from x on lies inside. */
static int inside(int x, int width, int all)
{
    int room = all - x;

    return width < room ? width : room > 0 ? room : 0;
}

void dq_picture8_fill(struct dq_picture8 *p, int x, int y, int width,
                      int height, uint8_t grey)
{
    int w = inside(x, width, p->width), h = inside(y, height, p->height);

    for (int row = 0; row < h && w > 0; row++)
        memset(pixel(p, x, y + row), grey, 3 * (size_t)w);
}

void dq_picture8_paste(struct dq_picture8 *into, const struct dq_picture8 *what,
                       int x, int y)
{
    int w = inside(x, what->width, into->width);
    int h = inside(y, what->height, into->height);

    for (int row = 0; row < h && w > 0; row++)
        memcpy(pixel(into, x, y + row), pixel(what, 0, row), 3 * (size_t)w);
}

#if !DQ_OIIO
static int lacking(struct dq_err *err)
{
    return dq_fail(err, DQ_CONFIG,
                   "this build has no OpenImageIO (OIIO=0), "
                   "which previews need");
}
#endif

int dq_picture8_turbo(const float *values, int width, int height, uint8_t *rgb,
                      struct dq_err *err)
{
#if DQ_OIIO
    return dq_oiio_turbo(values, width, height, rgb, err);
#else
    (void)values;
    (void)width;
    (void)height;
    (void)rgb;
    return lacking(err);
#endif
}

int dq_picture8_label(struct dq_picture8 *p, int x, int y,
                      const struct dq_letters *letters, const char *text,
                      struct dq_err *err)
{
#if DQ_OIIO
    return dq_oiio_text(p->rgb, p->width, p->height, x, y, letters, text, err);
#else
    (void)p;
    (void)x;
    (void)y;
    (void)letters;
    (void)text;
    return lacking(err);
#endif
}

int dq_picture8_save(const struct dq_picture8 *p, const char *path,
                     struct dq_err *err)
{
#if DQ_OIIO
    struct dq_bytes png = {0};

    if (!dq_oiio_png(p->rgb, p->width, p->height, &png, err))
        dq_publish(path, png.data, png.count, "preview", DQ_PUBLISH_REPLACE,
                   NULL, err);
    dq_bytes_free(&png);
    return err->code;
#else
    (void)p;
    (void)path;
    return lacking(err);
#endif
}
