#include "infer/merge.h"

#include "infer/align.h"
#include "infer/blend.h"

/* Where a tile says nothing the guide stands for it, enlarged. */
static const float *guide_tile(struct dq_answers *a,
                               const struct dq_tile_plan *plan, int k)
{
    const struct dq_tile *t = &plan->tiles[k];
    double sx = (double)plan->content_w / plan->width;
    double sy = (double)plan->content_h / plan->height;

    for (int y = 0; y < plan->tile_h; y++)
        for (int x = 0; x < plan->tile_w; x++) {
            int gx = (int)((t->x + x + 0.5) * sx);
            int gy = (int)((t->y + y + 0.5) * sy);

            gx = gx < plan->content_w ? gx : plan->content_w - 1;
            gy = gy < plan->content_h ? gy : plan->content_h - 1;
            a->upscaled[dq_area(y, plan->tile_w) + (size_t)x] =
                a->guide[dq_area(gy, plan->content_w) + (size_t)gx];
        }
    return a->upscaled;
}

static void count_fates(const struct dq_tile_affine *affine, int count,
                        struct dq_tile_counts *counts)
{
    for (int k = 0; k < count; k++) {
        counts->aligned += affine[k].fate == DQ_TILE_ALIGNED;
        counts->shift_only += affine[k].fate == DQ_TILE_SHIFT_ONLY;
        counts->guide_only += affine[k].fate == DQ_TILE_GUIDE_ONLY;
    }
}

/* Lay planes (depth's or sky's tiles) over each other. */
static void blend_all(struct dq_answers *a, const struct dq_tile_plan *plan,
                      const struct dq_picture *picture, const float *planes,
                      int aligned, float *out)
{
    struct dq_blend blend = {.depth = out,
                             .weight = a->weight,
                             .width = picture->width,
                             .height = picture->height,
                             .x = picture->x,
                             .y = picture->y};
    size_t tile = dq_area(plan->tile_w, plan->tile_h);

    dq_blend_clear(&blend);
    for (int k = 0; k < plan->count; k++) {
        const struct dq_tile_affine *fit = &a->affine[k];

        if (!a->at[k])
            continue;
        if (aligned && fit->fate == DQ_TILE_GUIDE_ONLY)
            dq_blend_add(&blend, plan, k, guide_tile(a, plan, k), 1, 0);
        else
            dq_blend_add(&blend, plan, k, planes + (size_t)k * tile,
                         aligned ? fit->scale : 1, aligned ? fit->shift : 0);
    }
}

static int align_and_blend(struct dq_answers *a,
                           const struct dq_tile_plan *plan,
                           const struct dq_model *model,
                           const struct dq_picture *picture, float *depth,
                           struct dq_tile_counts *counts, struct dq_err *err)
{
    struct dq_align_job job = {.plan = plan,
                               .picture = picture,
                               .guide = a->guide,
                               .tiles = a->at,
                               .log_space = model->scale != DQ_SCALE_AFFINE};

    if (dq_align(&job, a->affine, err))
        return err->code;
    count_fates(a->affine, plan->count, counts);
    blend_all(a, plan, picture, a->tiles, 1, depth);
    return dq_align_low_band(&job, depth, err);
}

int dq_merge(struct dq_answers *a, const struct dq_tile_plan *plan,
             const struct dq_model *model, const struct dq_picture *picture,
             float *depth, float *sky, struct dq_tile_counts *counts,
             struct dq_err *err)
{
    if (!a->has_guide)
        blend_all(a, plan, picture, a->tiles, 0, depth);
    else if (align_and_blend(a, plan, model, picture, depth, counts, err))
        return err->code;
    if (sky && a->skies)
        blend_all(a, plan, picture, a->skies, 0, sky);
    return DQ_OK;
}
