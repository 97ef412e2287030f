#include "infer/quantity.h"

#include <math.h>

#include "base/sorted.h"

static const double FAR_SHARE = 0.005, NEAR_SHARE = 0.995;

/* Sky stands this many times beyond `far`: finite, and behind everything. */
static const double SKY_BEYOND_FAR = 10;

/* The longest distance that an inverse of a network's answer may become. */
static const double FARTHEST = 1e5;

const char *dq_depth_kind_name(enum dq_depth_kind kind)
{
    static const char *const names[] = {"auto", "distance", "inverse",
                                        "native"};

    return names[kind];
}

static double span(const struct dq_shot *shot)
{
    double range = shot->range_high - shot->range_low;

    return range > 0 ? range : 1; /* a flat shot: any slope will do */
}

static int affine_disparity(const struct dq_recipe *recipe,
                            const struct dq_shot *shot, struct dq_quantity *q,
                            struct dq_err *err)
{
    double slope = 1 / span(shot);

    q->form = DQ_FORM_LINE;
    q->unit = "relative";
    q->a = slope;
    q->b = -shot->range_low * slope;
    q->low = 0;
    if (q->kind == DQ_DEPTH_INVERSE)
        return DQ_OK;
    if (recipe->near <= 0 || recipe->far <= recipe->near)
        return dq_fail(err, DQ_SPEC,
                       "model %s gives relative disparity: depth.kind "
                       "distance needs depth.near and depth.far",
                       recipe->model->name);
    slope *= 1 / recipe->near - 1 / recipe->far;
    q->form = DQ_FORM_INVERSE;
    q->unit = "as near and far";
    q->a = slope;
    q->b = 1 / recipe->far - shot->range_low * slope;
    q->low = 1 / (SKY_BEYOND_FAR * recipe->far);
    q->sky = (float)(SKY_BEYOND_FAR * recipe->far);
    return DQ_OK;
}

/* Disparity or distance without an unknown shift: the same or its inverse. */
static void shiftless(const struct dq_model *model, struct dq_quantity *q)
{
    int is_distance = model->quantity == DQ_QUANTITY_DISTANCE;
    int wants_distance = q->kind == DQ_DEPTH_DISTANCE;
    int metric = model->scale == DQ_SCALE_METRIC;

    q->a = 1;
    if (is_distance == wants_distance) {
        q->form = DQ_FORM_AS_IS;
        q->low = 0;
    } else {
        q->form = DQ_FORM_INVERSE;
        q->low = 1 / FARTHEST;
    }
    if (!metric)
        q->unit = "relative";
    else
        q->unit = wants_distance ? "m" : "1/m";
    q->sky = wants_distance ? (float)FARTHEST : 0.0F;
}

int dq_quantity_new(const struct dq_recipe *recipe, const struct dq_shot *shot,
                    struct dq_quantity *q, struct dq_err *err)
{
    const struct dq_model *model = recipe->model;
    int is_disparity = model->quantity == DQ_QUANTITY_DISPARITY;
    struct dq_quantity fresh = {.kind = recipe->kind};

    *q = fresh;
    if (q->kind == DQ_DEPTH_AUTO)
        q->kind = model->scale == DQ_SCALE_METRIC ? DQ_DEPTH_DISTANCE
                                                  : DQ_DEPTH_INVERSE;
    if (q->kind == DQ_DEPTH_NATIVE) {
        q->unit = model->unit[0] ? model->unit : "the network's";
        q->form = DQ_FORM_AS_IS;
        q->a = 1;
        q->low = -INFINITY;
        q->sky = (float)(is_disparity ? shot->range_low : shot->range_high);
        return DQ_OK;
    }
    if (model->scale != DQ_SCALE_AFFINE) {
        shiftless(model, q);
        return DQ_OK;
    }
    if (!is_disparity)
        return dq_fail(err, DQ_SPEC,
                       "model %s gives distance up to an unknown shift: only "
                       "depth.kind native can be had of it",
                       model->name);
    return affine_disparity(recipe, shot, q, err);
}

/* Comparisons, not fmax: that is a call for every pixel. */
void dq_quantity_apply(const struct dq_quantity *q, float *values, size_t count)
{
    double low = q->low;
    float least = (float)low;

    if (q->form == DQ_FORM_AS_IS) {
        for (size_t i = 0; i < count; i++)
            values[i] = values[i] > least ? values[i] : least;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        double v = q->a * (double)values[i] + q->b;

        v = v > low ? v : low;
        values[i] = (float)(q->form == DQ_FORM_INVERSE ? 1 / v : v);
    }
}

void dq_quantity_ends(float *values, size_t count, double *low, double *high)
{
    *low = *high = 0;
    if (count == 0)
        return;
    dq_sort_floats(values, count);
    *low = (double)values[dq_quantile_at(FAR_SHARE, count)];
    *high = (double)values[dq_quantile_at(NEAR_SHARE, count)];
}
