/* Worlds whose depth can be told from a picture, by the cues that real places
 * give: bodies stand on something, materials come in usual sizes, air has
 * haze, and nobody holds a wall to the lens. */
#include <math.h>
#include <stddef.h>

#include "scene/world.h"

static const float PI = 3.14159265F;

/* Features a metre of each texture, as planks and tiles come; paints stray
 * from it by a fifth either way. */
static const float USUAL[] = {
    [DQ_PLAIN] = 1, [DQ_NOISE] = 1.6F, [DQ_CHECKER] = 2, [DQ_STRIPES] = 2.5F};

static struct dq_paint paint(struct dq_rng *r)
{
    struct dq_paint p = dq_world_paint(r);

    if (p.texture == DQ_PLAIN && dq_rng_next(r) < 0.5F)
        p.texture = DQ_NOISE;
    p.scale = USUAL[p.texture] * exp2f(dq_rng_range(r, -0.26F, 0.26F));
    return p;
}

/* ---- rooms --------------------------------------------------------------- */

struct room {
    float half_width, depth; /* 0 deep: outdoors */
};

static void wall(struct dq_scene *s, struct dq_vec centre, struct dq_vec half,
                 float yaw, struct dq_rng *r)
{
    struct dq_body *b = dq_world_wall(s, centre, half, yaw, r);

    b->paint = paint(r);
    b->paint.shine = 0;
}

/* Floor at 0, ceiling, three walls; the camera stands in the open side. */
static void add_room(struct dq_scene *s, struct dq_rng *r, struct room *room)
{
    float w = dq_rng_range(r, 2.2F, 5), h = dq_rng_range(r, 1.4F, 2.4F);
    float d = dq_rng_range(r, 5, 18), t = 0.2F;

    wall(s, dq_vec_of(-w - t, h, d / 2), dq_vec_of(t, h, d), 0, r);
    wall(s, dq_vec_of(w + t, h, d / 2), dq_vec_of(t, h, d), 0, r);
    wall(s, dq_vec_of(0, -t, d / 2), dq_vec_of(w, t, d), 0, r);
    wall(s, dq_vec_of(0, 2 * h + t, d / 2), dq_vec_of(w, t, d), 0, r);
    wall(s, dq_vec_of(0, h, d + t), dq_vec_of(w, h, t), 0, r);
    room->half_width = w;
    room->depth = d;
}

/* ---- streets ------------------------------------------------------------- */

/* House fronts to the side or behind: planes that are not the ground. */
static void add_fronts(struct dq_scene *s, struct dq_rng *r)
{
    int n = (int)dq_rng_range(r, 1, 4.99F);

    for (int i = 0; i < n; i++) {
        float z, high = dq_rng_range(r, 2.5F, 9);
        struct dq_vec at = dq_world_in_view(s, r, 12, 45, &z);

        at.y = dq_world_ground(s, at.z) + high;
        wall(s, at, dq_vec_of(dq_rng_range(r, 3, 9), high, 1),
             dq_rng_range(r, -1, 1), r);
    }
}

/* Lamp posts, and cables from house to house. */
static void add_wire(struct dq_scene *s, struct dq_rng *r)
{
    float z;
    struct dq_vec at = dq_world_in_view(s, r, 4, 20, &z);
    struct dq_body *b = dq_world_add(s);
    float high = dq_rng_range(r, 1.2F, 2.6F), ground;

    ground = dq_world_ground(s, at.z);
    b->kind = DQ_CYLINDER;
    b->size.x = z * dq_rng_range(r, 0.0015F, 0.006F);
    b->centre = dq_vec_of(at.x, ground + high, at.z);
    b->axis = dq_vec_of(0, high, 0);
    if (dq_rng_next(r) < 0.4F) {
        b->centre.y = ground + 2 * high;
        b->axis =
            dq_vec_scale(dq_vec_unit(dq_vec_of(1, dq_rng_range(r, -0.1F, 0.1F),
                                               dq_rng_range(r, -0.4F, 0.4F))),
                         z * 0.8F);
    }
    b->paint = paint(r);
    dq_world_finish(b);
}

/* ---- things -------------------------------------------------------------- */

static float radius_of(const struct dq_body *b)
{
    return b->kind == DQ_BOX ? hypotf(b->size.x, b->size.z) : b->size.x;
}

static float top_of(const struct dq_body *b)
{
    return b->centre.y + (b->kind == DQ_SPHERE ? b->size.x : b->size.y);
}

static void shape(struct dq_body *b, struct dq_rng *r)
{
    float size = exp2f(dq_rng_range(r, -2, 0)), pick = dq_rng_next(r);

    b->kind = pick < 0.45F ? DQ_BOX : pick < 0.7F ? DQ_SPHERE : DQ_CYLINDER;
    b->size = dq_vec_of(size, size * dq_rng_range(r, 0.5F, 2.2F),
                        size * dq_rng_range(r, 0.5F, 1.5F));
    if (b->kind == DQ_CYLINDER)
        b->size.x *= 0.6F;
    dq_world_turn(b, dq_rng_range(r, 0, PI));
}

/* Deep enough that it neither touches the camera nor fills the picture. */
static float least_depth(const struct dq_scene *s, const struct dq_body *b)
{
    float reach = radius_of(b);

    return fmaxf(1.2F + reach, reach / tanf(s->fov / 2) * 2.2F);
}

static struct dq_vec place(const struct dq_scene *s, const struct dq_body *b,
                           const struct room *room, struct dq_rng *r)
{
    float far = room->depth > 0 ? room->depth - radius_of(b) : 30;
    float near = fminf(least_depth(s, b), far), z, side;
    struct dq_vec at;

    at = dq_world_in_view(s, r, near, far, &z);
    if (room->depth > 0) {
        side = fmaxf(0, room->half_width - radius_of(b));
        at.x = fminf(fmaxf(at.x, -side), side);
        at.z = fminf(at.z, far);
    }
    return at;
}

/* On the ground, or now and then on the box before it. */
static void add_thing(struct dq_scene *s, const struct room *room,
                      struct dq_rng *r)
{
    const struct dq_body *below = s->count ? &s->bodies[s->count - 1] : NULL;
    struct dq_body *b = dq_world_add(s);
    float foot;

    shape(b, r);
    b->centre = place(s, b, room, r);
    foot = dq_world_ground(s, b->centre.z);
    if (dq_rng_next(r) < 0.2F && below && below->kind == DQ_BOX &&
        radius_of(below) > radius_of(b) && below->size.x < 1.01F) {
        b->centre = below->centre;
        foot = top_of(below);
    }
    b->centre.y = foot + (b->kind == DQ_SPHERE ? b->size.x : b->size.y);
    b->axis = dq_vec_of(0, b->size.y, 0);
    b->paint = paint(r);
    if (dq_rng_next(r) < 0.05F)
        b->paint.glow = dq_rng_range(r, 2, 8);
    if (dq_rng_next(r) < 0.15F)
        b->velocity =
            dq_vec_of(b->centre.z * dq_rng_range(r, -0.004F, 0.004F), 0, 0);
    dq_world_finish(b);
}

/* ---- the world ----------------------------------------------------------- */

static void make_camera(struct dq_scene *s, struct dq_rng *r)
{
    s->eye = dq_vec_of(0, dq_rng_range(r, 1.1F, 2.4F), 0);
    s->yaw = dq_rng_range(r, -0.25F, 0.25F);
    s->pitch = dq_rng_range(r, -0.1F, 0.22F);
    s->fov = dq_rng_range(r, 0.7F, 1.2F);
    dq_world_path(s, r);
}

void dq_world_natural(struct dq_scene *s, struct dq_rng *r)
{
    struct room room = {0};
    int indoor, things, wires;

    make_camera(s, r);
    dq_world_light(s, r);
    indoor = dq_rng_next(r) < 0.3F;
    if (s->rule.indoor >= 0)
        indoor = s->rule.indoor;
    s->fog = 1 / (indoor ? dq_rng_range(r, 15, 60) : dq_rng_range(r, 25, 120));
    s->has_ground = !indoor;
    s->slope = indoor ? 0 : dq_rng_range(r, -0.03F, 0.06F);
    s->ground = paint(r);
    s->ground.shine = 0;
    if (indoor)
        add_room(s, r, &room);
    else if (dq_rng_next(r) < 0.75F)
        add_fronts(s, r);
    things = (int)dq_rng_range(r, 7, 22);
    wires = indoor ? 0 : (int)dq_rng_range(r, 0, 4.99F);
    for (int i = 0; i < things; i++)
        add_thing(s, &room, r);
    for (int i = 0; i < wires; i++)
        add_wire(s, r);
    if (s->rule.entering)
        dq_world_entering(s, r);
}
