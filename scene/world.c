#include "scene/world.h"

#include <math.h>

struct dq_vec dq_vec_unit(struct dq_vec v)
{
    return dq_vec_scale(v, 1 / sqrtf(dq_vec_dot(v, v)));
}

/* ---- paint --------------------------------------------------------------- */

static struct dq_vec colour(struct dq_rng *r, float low, float high)
{
    float level = dq_rng_range(r, low, high);

    return dq_vec_of(level * dq_rng_range(r, 0.5F, 1),
                     level * dq_rng_range(r, 0.5F, 1),
                     level * dq_rng_range(r, 0.5F, 1));
}

struct dq_paint dq_world_paint(struct dq_rng *r)
{
    struct dq_paint p = {0};

    p.texture = (enum dq_texture)(int)dq_rng_range(r, 0, 3.999F);
    p.scale = exp2f(dq_rng_range(r, 0, 2));
    p.dark = colour(r, 0.03F, 0.3F);
    p.light = colour(r, 0.2F, 0.9F);
    p.shine = dq_rng_next(r) < 0.3F ? dq_rng_range(r, 0.5F, 6) : 0;
    p.key = dq_rng_mix(r->key + 977 * ++r->at);
    return p;
}

/* ---- bodies -------------------------------------------------------------- */

struct dq_body *dq_world_add(struct dq_scene *s)
{
    return &s->bodies[s->count < DQ_BODIES ? s->count++ : DQ_BODIES - 1];
}

float dq_world_ground(const struct dq_scene *s, float z)
{
    return s->has_ground ? s->slope * z : 0;
}

void dq_world_finish(struct dq_body *b)
{
    if (b->kind != DQ_CYLINDER)
        return;
    b->length = sqrtf(dq_vec_dot(b->axis, b->axis));
    b->along = dq_vec_scale(b->axis, 1 / b->length);
}

void dq_world_turn(struct dq_body *b, float yaw)
{
    b->yaw_sin = sinf(yaw);
    b->yaw_cos = cosf(yaw);
}

struct dq_vec dq_world_at(const struct dq_scene *s, float across, float down,
                          float z)
{
    struct dq_camera c;
    float x, y;

    dq_camera_at(s, 0, &c);
    x = (across * (float)c.width - c.cx) / c.fx * z;
    y = -(down * (float)c.height - c.cy) / c.fy * z;
    return dq_vec_add(c.eye,
                      dq_vec_add(dq_vec_scale(c.right, x),
                                 dq_vec_add(dq_vec_scale(c.up, y),
                                            dq_vec_scale(c.forward, z))));
}

struct dq_vec dq_world_in_view(const struct dq_scene *s, struct dq_rng *r,
                               float near, float far, float *z)
{
    float across, down;

    *z = near * powf(far / near, dq_rng_next(r));
    across = dq_rng_range(r, -0.1F, 1.1F);
    down = dq_rng_range(r, 0, 1);
    return dq_world_at(s, across, down, *z);
}

struct dq_body *dq_world_wall(struct dq_scene *s, struct dq_vec centre,
                              struct dq_vec half, float yaw, struct dq_rng *r)
{
    struct dq_body *b = dq_world_add(s);

    b->kind = DQ_BOX;
    b->centre = centre;
    b->size = half;
    dq_world_turn(b, yaw);
    b->paint = dq_world_paint(r);
    b->paint.shine = 0;
    return b;
}

void dq_world_entering(struct dq_scene *s, struct dq_rng *r)
{
    struct dq_body *b = dq_world_add(s);
    struct dq_camera c;

    dq_camera_at(s, 0, &c);
    b->kind = DQ_SPHERE;
    b->size.x = 0.35F;
    b->centre = dq_vec_add(c.eye, dq_vec_add(dq_vec_scale(c.forward, 1.6F),
                                             dq_vec_scale(c.right, -2.6F)));
    b->velocity = dq_vec_scale(c.right, 0.022F);
    b->paint = dq_world_paint(r);
    dq_world_finish(b);
}

/* ---- light and path ------------------------------------------------------ */

void dq_world_light(struct dq_scene *s, struct dq_rng *r)
{
    float strength = dq_rng_range(r, 0.6F, 2.2F);
    float day = dq_rng_range(r, 0.25F, 1);

    s->sun = dq_vec_unit(dq_vec_of(dq_rng_range(r, -1, 1),
                                   dq_rng_range(r, 0.25F, 1.2F),
                                   dq_rng_range(r, -1, 0.6F)));
    s->sunlight = dq_vec_of(strength, strength * 0.93F, strength * 0.8F);
    s->zenith = dq_vec_of(0.25F * day, 0.45F * day, 0.95F * day);
    s->horizon = dq_vec_of(0.85F * day, 0.9F * day, 1.0F * day);
    s->fog = dq_rng_next(r) < 0.5F ? 1 / dq_rng_range(r, 40, 400) : 0;
}

void dq_world_path(struct dq_scene *s, struct dq_rng *r)
{
    s->yaw_step = s->rule.path == DQ_PAN ? dq_rng_range(r, 0.0015F, 0.004F) : 0;
    s->advance = s->rule.path == DQ_DOLLY ? dq_rng_range(r, 0.01F, 0.03F) : 0;
}
