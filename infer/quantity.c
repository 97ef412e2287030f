#include "infer/quantity.h"

#include <float.h>
#include <math.h>

#include "base/sorted.h"
#include "io/frame.h"

static const double FAR_SHARE = 0.005, NEAR_SHARE = 0.995;

/* Sky stands this many times beyond `far`, or so many ranges beyond the far
 * end of what a network said: finite, and behind everything. */
static const double SKY_BEYOND_FAR = 10;

/* The longest distance that an inverse of a network's answer may become. */
static const double FARTHEST = 1e5;

/* What differs by this share of it is told apart in any file, half ones too;
 * and the least number above 0 that all of them have. */
static const double STEP = 1.0 / (1 << 10), LEAST_STEP = 1.0 / (1 << 24);
static const double HALF_MOST = 65504;
static const int PXR24_BITS = 16;

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

/* Behind all that a network says, in its own numbers. */
static double behind(const struct dq_model *model, const struct dq_shot *shot)
{
    double far = SKY_BEYOND_FAR * span(shot);

    return model->quantity == DQ_QUANTITY_DISPARITY ? shot->range_low - far
                                                    : shot->range_high + far;
}

/* As any form of file keeps it, so that who reads it finds what is told. */
static float kept(const struct dq_recipe *recipe, double value)
{
    int exponent;

    if (recipe->half) {
        float as_float = (float)fmax(-HALF_MOST, fmin(value, HALF_MOST));
        uint16_t as_half;

        dq_float_to_half(&as_float, &as_half, 1);
        dq_half_to_float(&as_half, &as_float, 1);
        return as_float;
    }
    value = ldexp(frexp(value, &exponent), PXR24_BITS);
    return (float)ldexp(rint(value), exponent - PXR24_BITS);
}

/* Distances, with the sky behind all of them. */
static void put_sky(struct dq_quantity *q, const struct dq_recipe *recipe,
                    double sky)
{
    q->sky = kept(recipe, sky);
    q->least = 0;
    q->most = (float)((double)q->sky * (1 - STEP));
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
    put_sky(q, recipe, SKY_BEYOND_FAR * recipe->far);
    return DQ_OK;
}

/* Disparity or distance without an unknown shift: the same or its inverse. */
static void shiftless(const struct dq_recipe *recipe, struct dq_quantity *q)
{
    const struct dq_model *model = recipe->model;
    int is_distance = model->quantity == DQ_QUANTITY_DISTANCE;
    int wants_distance = q->kind == DQ_DEPTH_DISTANCE;
    int metric = model->scale == DQ_SCALE_METRIC;

    q->a = 1;
    q->form = is_distance == wants_distance ? DQ_FORM_AS_IS : DQ_FORM_INVERSE;
    q->low = 1 / FARTHEST;
    if (!metric)
        q->unit = "relative";
    else
        q->unit = wants_distance ? "m" : "1/m";
    if (wants_distance)
        put_sky(q, recipe, FARTHEST);
}

int dq_quantity_new(const struct dq_recipe *recipe, const struct dq_shot *shot,
                    struct dq_quantity *q, struct dq_err *err)
{
    const struct dq_model *model = recipe->model;
    struct dq_quantity fresh = {
        .kind = recipe->kind, .least = (float)LEAST_STEP, .most = INFINITY};

    *q = fresh;
    if (q->kind == DQ_DEPTH_AUTO)
        q->kind = model->scale == DQ_SCALE_METRIC ? DQ_DEPTH_DISTANCE
                                                  : DQ_DEPTH_INVERSE;
    if (q->kind == DQ_DEPTH_NATIVE) {
        q->unit = model->unit[0] ? model->unit : "the network's";
        q->form = DQ_FORM_AS_IS;
        q->a = 1;
        q->least = -INFINITY;
        q->sky = kept(recipe, behind(model, shot));
        return DQ_OK;
    }
    if (model->scale != DQ_SCALE_AFFINE) {
        shiftless(recipe, q);
        return DQ_OK;
    }
    if (model->quantity != DQ_QUANTITY_DISPARITY)
        return dq_fail(err, DQ_SPEC,
                       "model %s gives distance up to an unknown shift: only "
                       "depth.kind native can be had of it",
                       model->name);
    return affine_disparity(recipe, shot, q, err);
}

/* Comparisons, not fmax: that is a call for every pixel. */
static float within(float v, float least, float most)
{
    v = v < least ? least : v;
    return v > most && v <= FLT_MAX ? most : v;
}

/* A line to or from infinity would end at a number that looks like depth. */
static float mapped(const struct dq_quantity *q, float value)
{
    double v;

    if (!isfinite(value))
        return value;
    if (q->form == DQ_FORM_AS_IS)
        return within(value, q->least, q->most);
    v = q->a * (double)value + q->b;
    if (q->form == DQ_FORM_INVERSE)
        v = 1 / (v < q->low ? q->low : v);
    return within((float)v, q->least, q->most);
}

void dq_quantity_apply(const struct dq_quantity *q, float *values, size_t count)
{
    const struct dq_quantity rule = *q; /* not in values: kept in registers */

    for (size_t i = 0; i < count; i++)
        values[i] = mapped(&rule, values[i]);
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
