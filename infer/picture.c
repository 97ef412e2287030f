/* picture: between a plate's pixels and the network's square ones. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "infer/ticket.h"
#include "io/resample.h"

/* Network pixels across for plate pixels across. */
static int square_width(int64_t plate_px, float aspect)
{
    return (int)fmax(1, floor((double)plate_px * (double)aspect + 0.5));
}

static void place(struct dq_ticket *t)
{
    const struct dq_box *data = &t->frame.data;
    const struct dq_shot *shot = &t->shot;
    double left = (double)((int64_t)data->x0 - shot->lattice.x0);

    t->picture.width = square_width(dq_box_width(data), shot->pixel_aspect);
    t->picture.height = (int)dq_box_height(data);
    t->picture.x = (int)floor(left * (double)shot->pixel_aspect + 0.5);
    t->picture.y = (int)((int64_t)data->y0 - shot->lattice.y0);
}

static int make_room(struct dq_ticket *t, int wants_valid, int wants_sky)
{
    struct dq_ticket_picture *p = &t->picture;
    size_t one = (size_t)p->width * (size_t)p->height;
    size_t want = one * (4 + (wants_valid ? 1U : 0) + (wants_sky ? 1U : 0));
    float *next;

    if (want > p->room) {
        free(p->buffer);
        p->buffer = malloc(want * sizeof *p->buffer);
        p->room = p->buffer ? want : 0;
    }
    if (!p->buffer)
        return dq_fail(t->err, DQ_MEMORY, "no memory for a %d x %d picture",
                       p->width, p->height);
    next = p->buffer;
    p->rgb = next;
    p->depth = next + 3 * one;
    next = p->depth + one;
    p->valid = wants_valid ? next : NULL;
    p->sky = wants_sky ? next + (wants_valid ? one : 0) : NULL;
    return DQ_OK;
}

/* Colour at plate size, then each plane across to square pixels. */
static int apply_anamorphic(struct dq_ticket *t, const struct dq_colour *colour,
                            struct dq_pixel_counts *counts)
{
    struct dq_ticket_picture *p = &t->picture;
    int w = (int)dq_box_width(&t->frame.data), h = p->height;
    size_t from = (size_t)w * (size_t)h;
    size_t to = (size_t)p->width * (size_t)h;
    float *plate = malloc(4 * from * sizeof *plate);
    int code = DQ_OK;

    if (!plate)
        return dq_fail(t->err, DQ_MEMORY, "no memory for a %d x %d plate", w,
                       h);
    dq_colour_apply(colour, &t->frame, plate,
                    p->valid ? plate + 3 * from : NULL, counts);
    for (size_t i = 0; i < 3 && !code; i++)
        code = (p->width < w ? dq_resample_area : dq_resample_linear)(
            plate + i * from, h, w, p->rgb + i * to, h, p->width, t->err);
    if (!code && p->valid)
        dq_resample_nearest(plate + 3 * from, h, w, p->valid, h, p->width);
    free(plate);
    return code;
}

/* Alpha becomes a mask: a pixel that holds nothing is not real. */
static void alpha_to_valid(struct dq_ticket_picture *p)
{
    size_t n = (size_t)p->width * (size_t)p->height;

    for (size_t i = 0; p->valid && i < n; i++)
        p->valid[i] = p->valid[i] > 0 ? 1.0F : 0.0F;
}

int dq_picture_make(struct dq_ticket *t, struct dq_pixel_counts *counts,
                    int *guessed_colour)
{
    const struct dq_recipe *recipe = t->request.recipe;
    struct dq_colour colour = {
        .gain = exp2f(t->shot.exposure_ev),
        .tonemap = recipe->tonemap,
        .transfer = recipe->model->transfer == DQ_MODEL_SRGB
                        ? DQ_TRANSFER_SRGB
                        : DQ_TRANSFER_LINEAR,
    };
    int has_alpha = t->frame.plane[DQ_PLANE_A] != NULL;

    if (dq_recipe_colour(recipe, dq_plate_info(t->plate), &colour,
                         guessed_colour, t->err))
        return t->err->code;
    place(t);
    if (make_room(t, has_alpha, recipe->model->sky_channel >= 0))
        return t->err->code;
    if (t->picture.width != dq_box_width(&t->frame.data)) {
        if (apply_anamorphic(t, &colour, counts))
            return t->err->code;
    } else {
        dq_colour_apply(&colour, &t->frame, t->picture.rgb, t->picture.valid,
                        counts);
    }
    alpha_to_valid(&t->picture);
    return DQ_OK;
}

static int plane_room(struct dq_ticket *t, size_t want)
{
    if (want <= t->plane_room)
        return DQ_OK;
    free(t->plane);
    free(t->mask);
    t->plane = malloc(want * sizeof *t->plane);
    t->mask = malloc(want * sizeof *t->mask);
    t->plane_room = t->plane && t->mask ? want : 0;
    return t->plane_room
               ? DQ_OK
               : dq_fail(t->err, DQ_MEMORY, "no memory for a depth plane");
}

static void fill_mask(struct dq_ticket *t)
{
    struct dq_ticket_picture *p = &t->picture;
    size_t n = (size_t)p->width * (size_t)p->height;
    float *real = p->rgb; /* the colours are no longer needed */

    for (size_t i = 0; i < n; i++) {
        int sky = p->sky && p->sky[i] >= DQ_SKY_FROM;
        int empty = p->valid && p->valid[i] == 0;

        real[i] = sky || empty ? 0.0F : 1.0F;
    }
}

struct dq_picture dq_ticket_picture(const struct dq_ticket *t)
{
    struct dq_picture picture = {
        .rgb = t->picture.rgb,
        .valid = t->picture.valid,
        .width = t->picture.width,
        .height = t->picture.height,
        .x = t->picture.x,
        .y = t->picture.y,
    };

    return picture;
}

int dq_picture_back(struct dq_ticket *t)
{
    struct dq_ticket_picture *p = &t->picture;
    int w = (int)dq_box_width(&t->frame.data), h = p->height;

    if (plane_room(t, (size_t)w * (size_t)h))
        return t->err->code;
    fill_mask(t);
    /* nearest: an average of two depths would float between two objects */
    dq_resample_nearest(p->depth, h, p->width, t->plane, h, w);
    dq_resample_nearest(p->rgb, h, p->width, t->mask, h, w);
    return DQ_OK;
}
