/* Worlds for alignment and motion, where nobody has to guess depth from the
 * picture: bodies anywhere, also in mid-air and across the lens. */
#include <math.h>

#include "scene/world.h"

static const float PI = 3.14159265F;

static void add_thing(struct dq_scene *s, struct dq_rng *r)
{
    struct dq_body *b = dq_world_add(s);
    float z, size, pick = dq_rng_next(r);
    struct dq_vec at = dq_world_in_view(s, r, 2.5F, 30, &z);
    int floats = !s->has_ground || dq_rng_next(r) < 0.25F;

    /* sizes of real things, whatever the distance: what is small is far */
    size = exp2f(dq_rng_range(r, -1.6F, 0.9F));
    b->kind = pick < 0.4F ? DQ_BOX : pick < 0.7F ? DQ_SPHERE : DQ_CYLINDER;
    b->size = dq_vec_of(size, size * dq_rng_range(r, 0.4F, 2.2F),
                        size * dq_rng_range(r, 0.4F, 1.6F));
    dq_world_turn(b, dq_rng_range(r, 0, PI));
    if (!floats) /* stand on the ground */
        at.y = dq_world_ground(s, at.z) +
               (b->kind == DQ_SPHERE ? b->size.x : b->size.y);
    if (b->kind == DQ_CYLINDER) {
        b->axis = dq_vec_of(0, b->size.y, 0);
        b->size.x *= 0.5F;
    }
    b->centre = at;
    b->paint = dq_world_paint(r);
    if (dq_rng_next(r) < 0.06F)
        b->paint.glow = dq_rng_range(r, 2, 8);
    if (dq_rng_next(r) < 0.15F)
        b->velocity = dq_vec_of(z * dq_rng_range(r, -0.004F, 0.004F), 0, 0);
    dq_world_finish(b);
}

/* Poles and cables: a few thousandths of the picture wide. */
static void add_wire(struct dq_scene *s, struct dq_rng *r)
{
    struct dq_body *b = dq_world_add(s);
    float z, length;
    struct dq_vec at = dq_world_in_view(s, r, 3, 25, &z);

    length = z * dq_rng_range(r, 0.3F, 1.2F);
    b->kind = DQ_CYLINDER;
    b->centre = at;
    b->axis = dq_rng_next(r) < 0.5F
                  ? dq_vec_of(0, length, 0)
                  : dq_vec_scale(
                        dq_vec_unit(dq_vec_of(1, dq_rng_range(r, -0.3F, 0.3F),
                                              dq_rng_range(r, -0.4F, 0.4F))),
                        length);
    b->size.x = z * dq_rng_range(r, 0.0015F, 0.006F);
    b->paint = dq_world_paint(r);
    dq_world_finish(b);
}

/* Five big boxes about the camera, the near side open. */
static void add_room(struct dq_scene *s, struct dq_rng *r)
{
    float w = dq_rng_range(r, 2, 7), h = dq_rng_range(r, 1.2F, 3);
    float d = dq_rng_range(r, 5, 22), t = 0.2F;
    float y = dq_rng_range(r, -0.4F, 0.4F) * h;
    struct dq_vec e = s->eye;

    dq_world_wall(s, dq_vec_of(e.x - w - t, e.y + y, e.z + d / 2),
                  dq_vec_of(t, h, d), 0, r);
    dq_world_wall(s, dq_vec_of(e.x + w + t, e.y + y, e.z + d / 2),
                  dq_vec_of(t, h, d), 0, r);
    dq_world_wall(s, dq_vec_of(e.x, e.y + y - h - t, e.z + d / 2),
                  dq_vec_of(w, t, d), 0, r);
    dq_world_wall(s, dq_vec_of(e.x, e.y + y + h + t, e.z + d / 2),
                  dq_vec_of(w, t, d), 0, r);
    dq_world_wall(s, dq_vec_of(e.x, e.y + y, e.z + d + t), dq_vec_of(w, h, t),
                  0, r);
}

/* House fronts to the side or behind: planes that are not the ground. */
static void add_fronts(struct dq_scene *s, struct dq_rng *r)
{
    int n = (int)dq_rng_range(r, 1, 3.99F);

    for (int i = 0; i < n; i++) {
        float z, high = dq_rng_range(r, 3, 12);
        struct dq_vec at = dq_world_in_view(s, r, 8, 45, &z);

        at.y = dq_world_ground(s, at.z) + high;
        dq_world_wall(s, at, dq_vec_of(dq_rng_range(r, 3, 14), high, 1),
                      dq_rng_range(r, -1.2F, 1.2F), r);
    }
}

static void make_camera(struct dq_scene *s, struct dq_rng *r)
{
    float high = exp2f(dq_rng_range(r, -0.5F, 2.6F));

    s->eye = dq_vec_of(0, high, 0);
    s->yaw = dq_rng_range(r, -0.3F, 0.3F);
    s->pitch = dq_rng_range(r, -0.22F, 0.30F);
    s->fov = dq_rng_range(r, 0.65F, 1.35F);
    dq_world_path(s, r);
}

void dq_world_coded(struct dq_scene *s, struct dq_rng *r)
{
    float style;
    int things, wires;

    make_camera(s, r);
    dq_world_light(s, r);
    style = dq_rng_next(r);
    if (s->rule.indoor == 1)
        style = 0.1F;
    else if (s->rule.indoor == 0)
        style = 0.5F;
    s->has_ground = style >= 0.25F && style < 0.88F;
    s->slope = s->has_ground ? dq_rng_range(r, -0.05F, 0.09F) : 0;
    s->ground = dq_world_paint(r);
    s->ground.shine = 0;
    if (style < 0.25F)
        add_room(s, r);
    else if (dq_rng_next(r) < 0.55F)
        add_fronts(s, r);
    things = (int)dq_rng_range(r, 7, 22);
    wires = (int)dq_rng_range(r, 0, 4.99F);
    for (int i = 0; i < things; i++)
        add_thing(s, r);
    for (int i = 0; i < wires; i++)
        add_wire(s, r);
    if (s->rule.entering)
        dq_world_entering(s, r);
}
