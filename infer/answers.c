#include "infer/answers.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "infer/align.h"

/* Floats of each piece, for a picture of so many pixels. */
struct pieces {
    size_t tiles, skies, guide, weight, upscaled;
};

static struct pieces pieces_of(const struct dq_tile_plan *plan,
                               const struct dq_model *model, size_t pixels)
{
    size_t tile = dq_area(plan->tile_w, plan->tile_h);
    size_t tiles = tile * (size_t)plan->count;
    struct pieces p = {.tiles = tiles,
                       .skies = model->sky_channel >= 0 ? tiles : 0,
                       .guide = dq_area(plan->content_w, plan->content_h),
                       .weight = pixels,
                       .upscaled = tile};

    return p;
}

static size_t floats_of(const struct pieces *p)
{
    return p->tiles + p->skies + p->guide + p->weight + p->upscaled;
}

static int make_room(struct dq_answers *a, size_t floats, int count)
{
    if (floats > a->room) {
        free(a->buffer);
        a->buffer = malloc(floats * sizeof *a->buffer);
        a->room = a->buffer ? floats : 0;
    }
    if (count > a->count) {
        a->at = dq_grow(a->at, (size_t)count, sizeof *a->at);
        a->affine = dq_grow(a->affine, (size_t)count, sizeof *a->affine);
        a->count = count;
    }
    return a->buffer != NULL;
}

int dq_answers_shape(struct dq_answers *a, const struct dq_tile_plan *plan,
                     const struct dq_model *model,
                     const struct dq_picture *picture, struct dq_err *err)
{
    struct pieces p =
        pieces_of(plan, model, dq_area(picture->width, picture->height));

    if (!make_room(a, floats_of(&p), plan->count))
        return dq_fail(err, DQ_MEMORY, "no memory for %d tiles of %d x %d",
                       plan->count, plan->tile_w, plan->tile_h);
    a->tiles = a->buffer;
    a->skies = p.skies ? a->tiles + p.tiles : NULL;
    a->guide = a->tiles + p.tiles + p.skies;
    a->weight = a->guide + p.guide;
    a->upscaled = a->weight + p.weight;
    a->has_guide = 0;
    return DQ_OK;
}

void dq_answers_free(struct dq_answers *a)
{
    free(a->buffer);
    free(a->at);
    free(a->affine);
    memset(a, 0, sizeof *a);
}

/* Where tiles meet the merge keeps their means, too (align_joint): two
 * doubles for 16 pixels. */
size_t dq_answers_bytes(const struct dq_tile_plan *plan,
                        const struct dq_model *model)
{
    size_t lattice = dq_area(plan->width, plan->height);
    struct pieces p = pieces_of(plan, model, lattice);

    return floats_of(&p) * sizeof(float) +
           (p.tiles > lattice ? p.tiles - lattice : 0);
}
