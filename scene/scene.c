#include "scene/scene.h"

#include <math.h>
#include <string.h>

#include "scene/rng.h"

static const float PI = 3.14159265F;

static struct dq_vec vec(float x, float y, float z)
{
    struct dq_vec v = {x, y, z};

    return v;
}

static struct dq_vec unit(struct dq_vec v)
{
    return dq_vec_scale(v, 1 / sqrtf(dq_vec_dot(v, v)));
}

/* ---- paint --------------------------------------------------------------- */

static struct dq_vec colour(struct dq_rng *r, float low, float high)
{
    float level = dq_rng_range(r, low, high);

    return vec(level * dq_rng_range(r, 0.5F, 1),
               level * dq_rng_range(r, 0.5F, 1),
               level * dq_rng_range(r, 0.5F, 1));
}

static struct dq_paint paint(struct dq_rng *r)
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

static struct dq_body *add(struct dq_scene *s)
{
    return &s->bodies[s->count < DQ_BODIES ? s->count++ : DQ_BODIES - 1];
}

static float ground_at(const struct dq_scene *s, float z)
{
    return s->has_ground ? s->slope * z : 0;
}

/* What tracing needs of a cylinder, worked out once. */
static void finish(struct dq_body *b)
{
    if (b->kind != DQ_CYLINDER)
        return;
    b->length = sqrtf(dq_vec_dot(b->axis, b->axis));
    b->along = dq_vec_scale(b->axis, 1 / b->length);
}

static void turn(struct dq_body *b, float yaw)
{
    b->yaw_sin = sinf(yaw);
    b->yaw_cos = cosf(yaw);
}

/* Somewhere in the first frame's view: uniform across the picture, uniform
 * in the log of distance, so that near and far are equally common. */
static struct dq_vec in_view(struct dq_scene *s, struct dq_rng *r, float near,
                             float far, float *z)
{
    struct dq_camera c;
    float x, y;

    dq_camera_at(s, 0, &c);
    *z = near * powf(far / near, dq_rng_next(r));
    x = (dq_rng_range(r, -0.1F, 1.1F) * (float)c.width - c.cx) / c.fx * *z;
    y = -(dq_rng_range(r, 0, 1) * (float)c.height - c.cy) / c.fy * *z;
    return dq_vec_add(c.eye,
                      dq_vec_add(dq_vec_scale(c.right, x),
                                 dq_vec_add(dq_vec_scale(c.up, y),
                                            dq_vec_scale(c.forward, *z))));
}

static void add_thing(struct dq_scene *s, struct dq_rng *r)
{
    struct dq_body *b = add(s);
    float z, size, pick = dq_rng_next(r);
    struct dq_vec at = in_view(s, r, 2.5F, 30, &z);
    int floats = !s->has_ground || dq_rng_next(r) < 0.25F;

    /* sizes of real things, whatever the distance: what is small is far */
    size = exp2f(dq_rng_range(r, -1.6F, 0.9F));
    b->kind = pick < 0.4F ? DQ_BOX : pick < 0.7F ? DQ_SPHERE : DQ_CYLINDER;
    b->size = vec(size, size * dq_rng_range(r, 0.4F, 2.2F),
                  size * dq_rng_range(r, 0.4F, 1.6F));
    turn(b, dq_rng_range(r, 0, PI));
    if (!floats) /* stand on the ground */
        at.y =
            ground_at(s, at.z) + (b->kind == DQ_SPHERE ? b->size.x : b->size.y);
    if (b->kind == DQ_CYLINDER) {
        b->axis = vec(0, b->size.y, 0);
        b->size.x *= 0.5F;
    }
    b->centre = at;
    b->paint = paint(r);
    if (dq_rng_next(r) < 0.06F)
        b->paint.glow = dq_rng_range(r, 2, 8);
    if (dq_rng_next(r) < 0.15F)
        b->velocity = vec(z * dq_rng_range(r, -0.004F, 0.004F), 0, 0);
    finish(b);
}

/* Poles and cables: a few thousandths of the picture wide. */
static void add_wire(struct dq_scene *s, struct dq_rng *r)
{
    struct dq_body *b = add(s);
    float z, length;
    struct dq_vec at = in_view(s, r, 3, 25, &z);

    length = z * dq_rng_range(r, 0.3F, 1.2F);
    b->kind = DQ_CYLINDER;
    b->centre = at;
    b->axis = dq_rng_next(r) < 0.5F
                  ? vec(0, length, 0)
                  : dq_vec_scale(unit(vec(1, dq_rng_range(r, -0.3F, 0.3F),
                                          dq_rng_range(r, -0.4F, 0.4F))),
                                 length);
    b->size.x = z * dq_rng_range(r, 0.0015F, 0.006F);
    b->paint = paint(r);
    finish(b);
}

static void add_wall(struct dq_scene *s, struct dq_vec centre,
                     struct dq_vec half, float yaw, struct dq_rng *r)
{
    struct dq_body *b = add(s);

    b->kind = DQ_BOX;
    b->centre = centre;
    b->size = half;
    turn(b, yaw);
    b->paint = paint(r);
    b->paint.shine = 0;
    finish(b);
}

/* Five big boxes about the camera, the near side open. */
static void add_room(struct dq_scene *s, struct dq_rng *r)
{
    float w = dq_rng_range(r, 2, 7), h = dq_rng_range(r, 1.2F, 3);
    float d = dq_rng_range(r, 5, 22), t = 0.2F;
    float y = dq_rng_range(r, -0.4F, 0.4F) * h;
    struct dq_vec e = s->eye;

    add_wall(s, vec(e.x - w - t, e.y + y, e.z + d / 2), vec(t, h, d), 0, r);
    add_wall(s, vec(e.x + w + t, e.y + y, e.z + d / 2), vec(t, h, d), 0, r);
    add_wall(s, vec(e.x, e.y + y - h - t, e.z + d / 2), vec(w, t, d), 0, r);
    add_wall(s, vec(e.x, e.y + y + h + t, e.z + d / 2), vec(w, t, d), 0, r);
    add_wall(s, vec(e.x, e.y + y, e.z + d + t), vec(w, h, t), 0, r);
}

/* House fronts to the side or behind: planes that are not the ground. */
static void add_fronts(struct dq_scene *s, struct dq_rng *r)
{
    int n = (int)dq_rng_range(r, 1, 3.99F);

    for (int i = 0; i < n; i++) {
        float z, high = dq_rng_range(r, 3, 12);
        struct dq_vec at = in_view(s, r, 8, 45, &z);

        at.y = ground_at(s, at.z) + high;
        add_wall(s, at, vec(dq_rng_range(r, 3, 14), high, 1),
                 dq_rng_range(r, -1.2F, 1.2F), r);
    }
}

/* Near, across the picture, about as long as a shot. */
static void add_entering(struct dq_scene *s, struct dq_rng *r)
{
    struct dq_body *b = add(s);
    struct dq_camera c;

    dq_camera_at(s, 0, &c);
    b->kind = DQ_SPHERE;
    b->size.x = 0.35F;
    b->centre = dq_vec_add(c.eye, dq_vec_add(dq_vec_scale(c.forward, 1.6F),
                                             dq_vec_scale(c.right, -2.6F)));
    b->velocity = dq_vec_scale(c.right, 0.022F);
    b->paint = paint(r);
    finish(b);
}

/* ---- the world ----------------------------------------------------------- */

static void make_light(struct dq_scene *s, struct dq_rng *r)
{
    float strength = dq_rng_range(r, 0.6F, 2.2F);
    float day = dq_rng_range(r, 0.25F, 1);

    s->sun = unit(vec(dq_rng_range(r, -1, 1), dq_rng_range(r, 0.25F, 1.2F),
                      dq_rng_range(r, -1, 0.6F)));
    s->sunlight = vec(strength, strength * 0.93F, strength * 0.8F);
    s->zenith = vec(0.25F * day, 0.45F * day, 0.95F * day);
    s->horizon = vec(0.85F * day, 0.9F * day, 1.0F * day);
    s->fog = dq_rng_next(r) < 0.5F ? 1 / dq_rng_range(r, 40, 400) : 0;
}

static void make_camera(struct dq_scene *s, struct dq_rng *r)
{
    float high = exp2f(dq_rng_range(r, -0.5F, 2.6F));

    s->eye = vec(0, high, 0);
    s->yaw = dq_rng_range(r, -0.3F, 0.3F);
    s->pitch = dq_rng_range(r, -0.22F, 0.30F);
    s->fov = dq_rng_range(r, 0.65F, 1.35F);
    s->yaw_step = s->rule.path == DQ_PAN ? dq_rng_range(r, 0.0015F, 0.004F) : 0;
    s->advance = s->rule.path == DQ_DOLLY ? dq_rng_range(r, 0.01F, 0.03F) : 0;
}

void dq_scene_make(const struct dq_scene_rule *rule, struct dq_scene *s)
{
    struct dq_rng r = {.key = dq_rng_mix(rule->seed)};
    float style;
    int things, wires;

    memset(s, 0, sizeof *s);
    s->rule = *rule;
    make_camera(s, &r);
    make_light(s, &r);
    style = dq_rng_next(&r);
    if (rule->indoor == 1)
        style = 0.1F;
    else if (rule->indoor == 0)
        style = 0.5F;
    s->has_ground = style >= 0.25F && style < 0.88F;
    s->slope = s->has_ground ? dq_rng_range(&r, -0.05F, 0.09F) : 0;
    s->ground = paint(&r);
    s->ground.shine = 0;
    if (style < 0.25F)
        add_room(s, &r);
    else if (dq_rng_next(&r) < 0.55F)
        add_fronts(s, &r);
    things = (int)dq_rng_range(&r, 7, 22);
    wires = (int)dq_rng_range(&r, 0, 4.99F);
    for (int i = 0; i < things; i++)
        add_thing(s, &r);
    for (int i = 0; i < wires; i++)
        add_wire(s, &r);
    if (rule->entering)
        add_entering(s, &r);
}

/* ---- camera -------------------------------------------------------------- */

void dq_camera_at(const struct dq_scene *s, int frame, struct dq_camera *c)
{
    float yaw = s->yaw + s->yaw_step * (float)frame;
    float cy = cosf(yaw), sy = sinf(yaw);
    float cp = cosf(s->pitch), sp = sinf(s->pitch);

    c->width = s->rule.width;
    c->height = s->rule.height;
    c->right = vec(cy, 0, -sy);
    c->up = vec(sy * sp, cp, cy * sp);
    c->forward = vec(sy * cp, -sp, cy * cp);
    c->eye =
        dq_vec_add(s->eye, dq_vec_scale(c->forward, s->advance * (float)frame));
    c->fx = c->fy = (float)c->width / (2 * tanf(s->fov / 2));
    c->cx = (float)c->width / 2;
    c->cy = (float)c->height / 2;
}

void dq_camera_project(const struct dq_camera *c, struct dq_vec world,
                       float *column, float *row, float *depth)
{
    struct dq_vec d = dq_vec_sub(world, c->eye);

    *depth = dq_vec_dot(d, c->forward);
    *column = c->cx + c->fx * dq_vec_dot(d, c->right) / *depth;
    *row = c->cy - c->fy * dq_vec_dot(d, c->up) / *depth;
}
