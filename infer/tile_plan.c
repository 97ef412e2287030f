#include "infer/tile_plan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

static int round_up(int value, int multiple)
{
    return (value + multiple - 1) / multiple * multiple;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

static int most(int a, int b)
{
    return a > b ? a : b;
}

/* ---- one shape for all tiles --------------------------------------------- */

static int check_size(int size, const struct dq_model *m, struct dq_err *err)
{
    int low = round_up(m->min, m->multiple);
    int high = m->max / m->multiple * m->multiple;
    int near = (size + m->multiple / 2) / m->multiple * m->multiple;

    if (size % m->multiple == 0 && size >= m->min && size <= m->max)
        return DQ_OK;
    return dq_fail(err, DQ_MODEL,
                   "tiles.size %d: model %s takes multiples of %d from %d to "
                   "%d; the nearest is %d",
                   size, m->name, m->multiple, low, high,
                   most(low, least(high, near)));
}

/* A lattice narrower than a tile needs no wider one, where the network takes
 * such sizes: less padding to think about. */
static int side_for(int lattice, int size, const struct dq_model *m)
{
    int needed = round_up(most(lattice, m->min), m->multiple);

    return least(size, needed);
}

static int whole_side(int lattice, const struct dq_model *m, struct dq_err *err)
{
    int side = round_up(most(lattice, m->min), m->multiple);

    if (side > m->max)
        dq_fail(err, DQ_MODEL,
                "tiles.size whole: %d pixels are more than the %d that model "
                "%s takes; use auto",
                lattice, m->max, m->name);
    return side;
}

static int choose_tile(struct dq_tile_plan *p, int size,
                       const struct dq_model *m, struct dq_err *err)
{
    if (m->fixed[0]) {
        p->tile_h = m->fixed[0];
        p->tile_w = m->fixed[1];
        if (size != 0 && (size != p->tile_h || size != p->tile_w))
            return dq_fail(err, DQ_MODEL,
                           "tiles.size: model %s takes %d x %d and no other; "
                           "use auto",
                           m->name, p->tile_w, p->tile_h);
        return DQ_OK;
    }
    if (size == DQ_TILES_WHOLE) {
        p->tile_w = whole_side(p->width, m, err);
        p->tile_h = whole_side(p->height, m, err);
        return err->code;
    }
    if (size == 0)
        size = m->preferred;
    else if (check_size(size, m, err))
        return err->code;
    p->tile_w = side_for(p->width, size, m);
    p->tile_h = side_for(p->height, size, m);
    return DQ_OK;
}

/* ---- where they lie ------------------------------------------------------ */

/* The share of a tile, to the nearest multiple: patches of neighbours then
 * lie alike more often. A share above none is never rounded to none (a fixed
 * size may be its own multiple), and half a tile is the most. */
static int overlap_of(int tile, double share, int multiple)
{
    int o = (int)floor(share * tile / multiple + 0.5) * multiple;

    if (o == 0 || o > tile / 2)
        o = (int)floor(share * tile + 0.5);
    return most(0, least(o, tile / 2));
}

static int count_of(int side, int tile, int overlap)
{
    if (side <= tile)
        return 1;
    return (side - overlap + (tile - overlap) - 1) / (tile - overlap);
}

/* round(i (side - tile) / (n - 1)): the last one ends at the rim. */
static int start_of(int i, int n, int side, int tile)
{
    if (n == 1)
        return 0;
    return (int)((2 * (long)i * (side - tile) + (n - 1)) / (2 * (n - 1)));
}

static int lay_tiles(struct dq_tile_plan *p, struct dq_err *err)
{
    p->columns = count_of(p->width, p->tile_w, p->overlap_x);
    p->rows = count_of(p->height, p->tile_h, p->overlap_y);
    p->count = p->columns * p->rows;
    if (p->count > DQ_TILES_MOST)
        return dq_fail(err, DQ_MODEL,
                       "%d x %d pixels are %d tiles of %d x %d, more than %d; "
                       "set a larger tiles.size, or see whether the plate's "
                       "windows are right",
                       p->width, p->height, p->count, p->tile_w, p->tile_h,
                       DQ_TILES_MOST);
    p->tiles = dq_new_array((size_t)p->count, sizeof *p->tiles);
    for (int i = 0; i < p->count; i++) {
        p->tiles[i].x =
            start_of(i % p->columns, p->columns, p->width, p->tile_w);
        p->tiles[i].y = start_of(i / p->columns, p->rows, p->height, p->tile_h);
    }
    return DQ_OK;
}

/* ---- the guide ----------------------------------------------------------- */

/* Short side as the network likes it, long side within what it takes, never
 * larger than the picture: a picture made larger tells nothing more. */
static double guide_scale(const struct dq_tile_plan *p,
                          const struct dq_model *m)
{
    int longest = m->max / m->multiple * m->multiple;
    double scale;

    if (m->fixed[0])
        scale = fmin((double)m->fixed[1] / p->width,
                     (double)m->fixed[0] / p->height);
    else
        scale = fmin((double)m->preferred / least(p->width, p->height),
                     (double)longest / most(p->width, p->height));
    return fmin(1, scale);
}

static void plan_guide(struct dq_tile_plan *p, const struct dq_model *m)
{
    double scale = guide_scale(p, m);
    int low = round_up(m->min, m->multiple);

    p->content_w = most(1, (int)floor(p->width * scale + 0.5));
    p->content_h = most(1, (int)floor(p->height * scale + 0.5));
    if (m->fixed[0]) {
        p->guide_w = m->fixed[1];
        p->guide_h = m->fixed[0];
    } else {
        p->guide_w = most(low, round_up(p->content_w, m->multiple));
        p->guide_h = most(low, round_up(p->content_h, m->multiple));
    }
    p->needs_guide = p->count > 1;
}

/* ---- life ---------------------------------------------------------------- */

struct dq_tile_plan *dq_tile_plan_new(int width, int height, int size,
                                      double overlap,
                                      const struct dq_model *model,
                                      struct dq_err *err)
{
    struct dq_tile_plan *p = dq_new(sizeof *p);

    p->width = width;
    p->height = height;
    if (width < 1 || height < 1)
        dq_fail(err, DQ_BUG, "a lattice of %d x %d", width, height);
    else if (!(overlap >= 0 && overlap <= 0.5))
        dq_fail(err, DQ_MODEL, "tiles.overlap %g is outside 0 to 0.5", overlap);
    else
        choose_tile(p, size, model, err);
    if (err->code)
        goto fail;
    p->overlap_x = overlap_of(p->tile_w, overlap, model->multiple);
    p->overlap_y = overlap_of(p->tile_h, overlap, model->multiple);
    if (lay_tiles(p, err))
        goto fail;
    plan_guide(p, model);
    return p;

fail:
    dq_tile_plan_free(p);
    return NULL;
}

void dq_tile_plan_free(struct dq_tile_plan *plan)
{
    if (!plan)
        return;
    free(plan->tiles);
    free(plan);
}

float dq_tile_ramp(int i, int n, int overlap, int first, int last)
{
    int inward = least(i, n - 1 - i);

    if (overlap <= 0 || (first && i < n / 2) || (last && i >= n / 2))
        return 1;
    return fminf(1, ((float)inward + 0.5F) / (float)overlap);
}

void dq_tile_plan_text(const struct dq_tile_plan *p, char *text, size_t room)
{
    if (!p->needs_guide) {
        snprintf(text, room, "1 of %dx%d", p->tile_w, p->tile_h);
        return;
    }
    snprintf(text, room, "%dx%d of %dx%d overlap %d guide %dx%d", p->columns,
             p->rows, p->tile_w, p->tile_h, p->overlap_x, p->content_w,
             p->content_h);
}
