#include "io/picture_bounds.h"

#include <string.h>

#include "io/picture_view.h"
#include "io/plate.h"

#define REMEDY DQ_PLATE_REMEDY

static int begins(const struct dq_view *v, const char *magic, size_t count)
{
    return v->count >= count && memcmp(v->bytes, magic, count) == 0;
}

/* ---- JPEG ---------------------------------------------------------------- */

enum { JPEG_EOI = 0xd9, JPEG_SOS = 0xda, JPEG_TEM = 0x01, JPEG_NONE = -1 };

static int is_restart(int marker)
{
    return marker >= 0xd0 && marker <= 0xd7;
}

/* Start of frame: 0xc0 to 0xcf but tables (c4, cc) and a reserved one. */
static int is_frame(int marker)
{
    return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 &&
           marker != 0xc8 && marker != 0xcc;
}

/* The next marker at or after *at, which goes behind it. Coded data has
 * 0xff only before 0 or a restart; some cameras leave rubbish in between. */
static int next_marker(const struct dq_view *v, uint64_t *at)
{
    uint64_t p = *at;

    while (p + 1 < v->count) {
        int marker = v->bytes[p + 1];

        if (v->bytes[p] != 0xff || marker == 0xff || marker == 0 ||
            is_restart(marker) || marker == JPEG_TEM) {
            p++;
            continue;
        }
        *at = p + 2;
        return marker;
    }
    return JPEG_NONE;
}

static int jpeg_cut(struct dq_err *err, const char *where)
{
    return dq_fail(err, DQ_PLATE,
                   "the JPEG file is cut short: it ends %s; " REMEDY, where);
}

static int jpeg(struct dq_view *v, struct dq_err *err)
{
    int marker, frames = 0, scans = 0;
    uint64_t at = 2;

    v->big = 1;
    while ((marker = next_marker(v, &at)) != JPEG_EOI) {
        if (marker == JPEG_NONE || !dq_view_fits(v, at, 2))
            return jpeg_cut(err, scans ? "in the picture's data"
                                       : "before the picture's data");
        if (!dq_view_fits(v, at, dq_view_number(v, at, 2)))
            return jpeg_cut(err, "inside a header");
        at += dq_view_number(v, at, 2);
        frames += is_frame(marker);
        scans += marker == JPEG_SOS;
    }
    return frames && scans
               ? DQ_OK
               : dq_fail(err, DQ_PLATE, "the JPEG file has no picture");
}

/* ---- PNG ----------------------------------------------------------------- */

static int is_letters(const uint8_t *name)
{
    int i;

    for (i = 0; i < 4; i++)
        if ((name[i] | 0x20) < 'a' || (name[i] | 0x20) > 'z')
            return 0;
    return 1;
}

static int png_cut(struct dq_err *err, uint64_t at)
{
    return dq_fail(err, DQ_PLATE,
                   "the PNG file is cut short: the chunk at byte %llu is not "
                   "complete; " REMEDY,
                   (unsigned long long)at);
}

static int png(struct dq_view *v, struct dq_err *err)
{
    uint64_t at = 8, size;
    int pixels = 0;

    for (v->big = 1;; at += 12 + size) {
        const uint8_t *name;

        if (!dq_view_fits(v, at, 12))
            return png_cut(err, at);
        name = v->bytes + at + 4;
        size = dq_view_number(v, at, 4);
        if (!is_letters(name))
            return dq_fail(err, DQ_PLATE,
                           "the PNG file is damaged: no chunk at byte "
                           "%llu; " REMEDY,
                           (unsigned long long)at);
        if (!dq_view_fits(v, at, 12 + size))
            return png_cut(err, at);
        pixels |= memcmp(name, "IDAT", 4) == 0;
        if (memcmp(name, "IEND", 4) == 0)
            return pixels
                       ? DQ_OK
                       : dq_fail(err, DQ_PLATE, "the PNG file has no picture");
    }
}

/* ---- DPX ----------------------------------------------------------------- */

/* Where the fields stand that tell how much there has to be. */
enum {
    DPX_OFFSET = 4,
    DPX_FILE_SIZE = 16,
    DPX_WIDTH = 772,
    DPX_HEIGHT = 776,
    DPX_DESCRIPTOR = 800,
    DPX_BITS = 803,
    DPX_PACKING = 804,
    DPX_ENCODING = 806,
    DPX_DATA = 808,
    DPX_HEADER = 852, /* with the first element */
    MOST_SIDE = 32768 /* beyond it the reader refuses */
};

static uint64_t dpx_components(uint64_t descriptor)
{
    switch (descriptor) {
    case 50:  /* RGB */
    case 101: /* CbYACrYA */
    case 102: /* CbYCr */
        return 3;
    case 51: /* RGBA */
    case 52: /* ABGR */
    case 103:
        return 4;
    case 100: /* CbYCrY */
        return 2;
    default: /* 150 to 156 are the user's, of 2 to 8 */
        return descriptor >= 150 && descriptor <= 156 ? descriptor - 148 : 1;
    }
}

/* The least that values of so many bits take: lines may be padded beyond. */
static uint64_t dpx_least(uint64_t values, uint64_t bits, uint64_t packing)
{
    if (bits == 10 && packing)
        return (values + 2) / 3 * 4;
    if (bits == 12 && packing)
        return values * 2;
    return (values * bits + 7) / 8;
}

static uint64_t dpx_end(const struct dq_view *v)
{
    uint64_t start = dq_view_number(v, DPX_DATA, 4), values;
    uint64_t width = dq_view_number(v, DPX_WIDTH, 4);
    uint64_t height = dq_view_number(v, DPX_HEIGHT, 4);
    uint64_t told = dq_view_number(v, DPX_FILE_SIZE, 4);

    if (start == 0 || start == UINT32_MAX)
        start = dq_view_number(v, DPX_OFFSET, 4);
    if (width > MOST_SIDE || height > MOST_SIDE)
        return start;
    if (dq_view_number(v, DPX_ENCODING, 2) == 1)
        return told == UINT32_MAX ? start : told;
    values =
        width * height * dpx_components(dq_view_number(v, DPX_DESCRIPTOR, 1));
    return start + dpx_least(values, dq_view_number(v, DPX_BITS, 1),
                             dq_view_number(v, DPX_PACKING, 2));
}

static int dpx(struct dq_view *v, struct dq_err *err)
{
    uint64_t end;

    v->big = v->bytes[0] == 'S';
    if (!dq_view_fits(v, 0, DPX_HEADER))
        return dq_fail(err, DQ_PLATE,
                       "the DPX file is cut short inside its header; " REMEDY);
    end = dpx_end(v);
    return end <= v->count
               ? DQ_OK
               : dq_fail(err, DQ_PLATE,
                         "the DPX file is cut short: its picture ends at byte "
                         "%llu, the file at %llu; " REMEDY,
                         (unsigned long long)end, (unsigned long long)v->count);
}

/* -------------------------------------------------------------------------- */

int dq_picture_bounds(const void *bytes, size_t count, struct dq_err *err)
{
    struct dq_view v = {(const uint8_t *)bytes, count, 0};

    if (begins(&v, "\xff\xd8\xff", 3))
        return jpeg(&v, err);
    if (begins(&v, "\x89PNG\r\n\x1a\n", 8))
        return png(&v, err);
    if (begins(&v, "SDPX", 4) || begins(&v, "XPDS", 4))
        return dpx(&v, err);
    if (begins(&v, "II*\0", 4) || begins(&v, "II+\0", 4) ||
        begins(&v, "MM\0*", 4) || begins(&v, "MM\0+", 4))
        return dq_picture_bounds_tiff(&v, err);
    return DQ_OK;
}
