/* picture_tiff: a TIFF's first directory, and where it says that pixels are.
 * TIFF 6.0; BigTIFF as libtiff describes it (64-bit offsets, magic 43). */
#include "io/picture_view.h"
#include "io/plate.h"

#define REMEDY DQ_PLATE_REMEDY

enum {
    TAG_WIDTH = 256,
    TAG_HEIGHT = 257,
    TAG_STRIPS = 273,
    TAG_SAMPLES = 277,
    TAG_ROWS = 278,
    TAG_STRIP_SIZES = 279,
    TAG_PLANAR = 284,
    TAG_TILE_WIDTH = 322,
    TAG_TILE_HEIGHT = 323,
    TAG_TILES = 324,
    TAG_TILE_SIZES = 325
};

struct directory {
    const struct dq_view *view;
    uint64_t at, entries;
    int word; /* bytes of an offset: 4, or 8 of BigTIFF */
};

/* Numbers that a directory's entry lists; count 0 when it has none such. */
struct list {
    uint64_t at, count;
    int size; /* bytes a number */
};

static int cut(const struct dq_view *v, uint64_t end, struct dq_err *err,
               const char *what)
{
    return dq_fail(err, DQ_PLATE,
                   "the TIFF file is cut short: %s ends at byte %llu, the "
                   "file at %llu; " REMEDY,
                   what, (unsigned long long)end, (unsigned long long)v->count);
}

static int damaged(struct dq_err *err, const char *what)
{
    return dq_fail(err, DQ_PLATE, "the TIFF file is damaged: %s; " REMEDY,
                   what);
}

static int entry_size(const struct directory *d)
{
    return 4 + 2 * d->word;
}

static int open_directory(struct dq_view *v, struct directory *d,
                          struct dq_err *err)
{
    int big_tiff, count_size;

    v->big = v->bytes[0] == 'M';
    big_tiff = dq_view_number(v, 2, 2) == 43;
    d->view = v;
    d->word = big_tiff ? 8 : 4;
    count_size = big_tiff ? 8 : 2;
    if (!dq_view_fits(v, 0, big_tiff ? 16 : 8))
        return cut(v, big_tiff ? 16 : 8, err, "its header");
    d->at = dq_view_number(v, big_tiff ? 8 : 4, d->word);
    if (!dq_view_fits(v, d->at, (uint64_t)count_size))
        return cut(v, d->at, err, "what stands before its directory");
    d->entries = dq_view_number(v, d->at, count_size);
    d->at += (uint64_t)count_size;
    if (d->entries > 65535)
        return damaged(err, "its directory has too many entries");
    if (!dq_view_fits(v, d->at, d->entries * (uint64_t)entry_size(d)))
        return cut(v, d->at + d->entries * (uint64_t)entry_size(d), err,
                   "its directory");
    return DQ_OK;
}

static int number_size(uint64_t type)
{
    switch (type) {
    case 1: /* BYTE */
        return 1;
    case 3: /* SHORT */
        return 2;
    case 4: /* LONG */
        return 4;
    case 16: /* LONG8 */
        return 8;
    default:
        return 0;
    }
}

static int read_list(const struct directory *d, uint64_t entry, struct list *l,
                     struct dq_err *err)
{
    const struct dq_view *v = d->view;

    l->size = number_size(dq_view_number(v, entry + 2, 2));
    l->count = dq_view_number(v, entry + 4, d->word);
    l->at = entry + 4 + (uint64_t)d->word;
    if (!l->size)
        return damaged(err, "its directory has an entry of a wrong type");
    if (l->count > v->count)
        return cut(v, l->count, err, "a list of its directory");
    if (l->count * (uint64_t)l->size > (uint64_t)d->word)
        l->at = dq_view_number(v, l->at, d->word);
    if (!dq_view_fits(v, l->at, l->count * (uint64_t)l->size))
        return cut(v, l->at, err, "what stands before its directory's lists");
    return DQ_OK;
}

static int find(const struct directory *d, uint64_t tag, struct list *l,
                struct dq_err *err)
{
    uint64_t i;

    l->count = 0;
    for (i = 0; i < d->entries; i++) {
        uint64_t entry = d->at + i * (uint64_t)entry_size(d);

        if (dq_view_number(d->view, entry, 2) == tag)
            return read_list(d, entry, l, err);
    }
    return DQ_OK;
}

static uint64_t number(const struct directory *d, const struct list *l,
                       uint64_t i)
{
    return dq_view_number(d->view, l->at + i * (uint64_t)l->size, l->size);
}

static int find_one(const struct directory *d, uint64_t tag, uint64_t unless,
                    uint64_t *value, struct dq_err *err)
{
    struct list l;

    *value = unless;
    if (find(d, tag, &l, err))
        return err->code;
    if (l.count)
        *value = number(d, &l, 0);
    return DQ_OK;
}

static uint64_t steps(uint64_t all, uint64_t step)
{
    return all / step + (all % step != 0);
}

/* How many strips or tiles a picture of its size has. */
static int pieces_of(const struct directory *d, int tiled, uint64_t *pieces,
                     struct dq_err *err)
{
    uint64_t width, height, across, down, planar, samples;

    if (find_one(d, TAG_WIDTH, 0, &width, err) ||
        find_one(d, TAG_HEIGHT, 0, &height, err) ||
        find_one(d, TAG_TILE_WIDTH, 0, &across, err) ||
        find_one(d, tiled ? TAG_TILE_HEIGHT : TAG_ROWS, tiled ? 0 : UINT32_MAX,
                 &down, err) ||
        find_one(d, TAG_PLANAR, 1, &planar, err) ||
        find_one(d, TAG_SAMPLES, 1, &samples, err))
        return err->code;
    if (!tiled)
        across = width;
    if (!width || !height || !across || !down || width > UINT32_MAX ||
        height > UINT32_MAX || samples > 65535)
        return damaged(err, "its size makes no sense");
    *pieces = steps(width, across) * steps(height, down);
    if (*pieces > d->view->count)
        return damaged(err, "its size makes no sense");
    *pieces *= planar == 2 ? samples : 1;
    return DQ_OK;
}

static int check_piece(const struct directory *d, const char *what,
                       uint64_t which, uint64_t at, uint64_t size,
                       struct dq_err *err)
{
    if (!size)
        return dq_fail(err, DQ_PLATE,
                       "the TIFF file is not complete: %s %llu is empty; "
                       "" REMEDY,
                       what, (unsigned long long)which + 1);
    if (dq_view_fits(d->view, at, size))
        return DQ_OK;
    return dq_fail(err, DQ_PLATE,
                   "the TIFF file is cut short: %s %llu has %llu bytes from "
                   "byte %llu on, the file ends at %llu; " REMEDY,
                   what, (unsigned long long)which + 1,
                   (unsigned long long)size, (unsigned long long)at,
                   (unsigned long long)d->view->count);
}

static int check_pieces(const struct directory *d, int tiled,
                        const struct list *offsets, const struct list *sizes,
                        struct dq_err *err)
{
    const char *what = tiled ? "tile" : "strip";
    uint64_t pieces = 0, i;

    if (pieces_of(d, tiled, &pieces, err))
        return err->code;
    if (offsets->count < pieces || sizes->count < pieces)
        return dq_fail(err, DQ_PLATE,
                       "the TIFF file is not complete: it lists fewer than "
                       "its %llu %ss; " REMEDY,
                       (unsigned long long)pieces, what);
    for (i = 0; i < pieces; i++)
        if (check_piece(d, what, i, number(d, offsets, i), number(d, sizes, i),
                        err))
            return err->code;
    return DQ_OK;
}

int dq_picture_bounds_tiff(struct dq_view *view, struct dq_err *err)
{
    struct directory d;
    struct list offsets, sizes;
    struct dq_err local = {0};
    int tiled;

    if (!err)
        err = &local;
    if (open_directory(view, &d, err) || find(&d, TAG_TILES, &offsets, err))
        return err->code;
    tiled = offsets.count > 0;
    if (!tiled && find(&d, TAG_STRIPS, &offsets, err))
        return err->code;
    if (find(&d, tiled ? TAG_TILE_SIZES : TAG_STRIP_SIZES, &sizes, err))
        return err->code;
    return check_pieces(&d, tiled, &offsets, &sizes, err);
}
