#include "scene/trace.h"

#include <math.h>
#include <stddef.h>

#include "scene/rng.h"

static const float NEAREST = 0.05F; /* metres before the eye */

/* Without fminf's call and its care for NaN. */
static float least(float a, float b)
{
    return a < b ? a : b;
}

static float most_of(float a, float b)
{
    return a > b ? a : b;
}

static struct dq_vec vec(float x, float y, float z)
{
    struct dq_vec v = {x, y, z};

    return v;
}

struct dq_vec dq_body_centre(const struct dq_body *b, int frame)
{
    return dq_vec_add(b->centre, dq_vec_scale(b->velocity, (float)frame));
}

/* ---- a body as the eye sees it --------------------------------------------
 */

static struct dq_vec yawed(struct dq_vec v, float s, float c)
{
    return vec(c * v.x + s * v.z, v.y, -s * v.x + c * v.z);
}

/* Of a ball about the centre that holds the body. */
static float radius_of(const struct dq_body *b)
{
    if (b->kind == DQ_SPHERE)
        return b->size.x;
    if (b->kind == DQ_CYLINDER)
        return b->length + b->size.x;
    return sqrtf(dq_vec_dot(b->size, b->size));
}

static struct dq_seen see(const struct dq_body *b, int index, int frame,
                          const struct dq_camera *camera)
{
    struct dq_vec o = dq_vec_sub(camera->eye, dq_body_centre(b, frame));
    struct dq_seen s = {.body = b, .index = index, .o = o};

    s.near = -dq_vec_dot(o, camera->forward) - radius_of(b);
    if (b->kind == DQ_BOX)
        s.o = yawed(o, -b->yaw_sin, b->yaw_cos);
    if (b->kind == DQ_CYLINDER) {
        s.along = dq_vec_dot(o, b->along);
        s.o = dq_vec_sub(o, dq_vec_scale(b->along, s.along));
    }
    s.c = dq_vec_dot(s.o, s.o) - b->size.x * b->size.x;
    return s;
}

void dq_see(const struct dq_scene *scene, int frame,
            const struct dq_camera *camera, struct dq_seen *seen)
{
    for (int i = 0; i < scene->count; i++) {
        struct dq_seen one = see(&scene->bodies[i], i, frame, camera);
        int at = i;

        for (; at > 0 && seen[at - 1].near > one.near; at--)
            seen[at] = seen[at - 1];
        seen[at] = one;
    }
}

/* ---- how far along a ray a body is: part tells which side of it was met ----
 */

struct meeting {
    float t;
    int part; /* box: axis of the side; cylinder: -1, 1 ends, 0 round */
};

static int sphere(const struct dq_seen *s, struct dq_vec d, float most,
                  struct meeting *m)
{
    float a = dq_vec_dot(d, d), half = dq_vec_dot(s->o, d);
    float disc = half * half - a * s->c, t;

    if (disc <= 0)
        return 0;
    disc = sqrtf(disc);
    t = (-half - disc) / a;
    if (t < NEAREST)
        t = (-half + disc) / a;
    if (t < NEAREST || t >= most)
        return 0;
    m->t = t;
    return 1;
}

/* Slabs: the last entry and the first exit. */
static int box(const struct dq_seen *s, struct dq_vec d, float most,
               struct meeting *m)
{
    const struct dq_body *b = s->body;
    struct dq_vec ld = yawed(d, -b->yaw_sin, b->yaw_cos);
    float rx = 1 / ld.x, ry = 1 / ld.y, rz = 1 / ld.z;
    /* the middle of a slab and half its width, along the ray */
    float mx = -s->o.x * rx, hx = b->size.x * fabsf(rx);
    float my = -s->o.y * ry, hy = b->size.y * fabsf(ry);
    float mz = -s->o.z * rz, hz = b->size.z * fabsf(rz);
    float in = most_of(most_of(mx - hx, my - hy), mz - hz);
    float out = least(least(mx + hx, my + hy), mz + hz);
    float t = in >= NEAREST ? in : out;

    if (in > out || t < NEAREST || t >= most)
        return 0;
    m->t = t;
    if (in >= NEAREST)
        m->part = in <= mx - hx ? 0 : in <= my - hy ? 1 : 2;
    else
        m->part = out >= mx + hx ? 0 : out >= my + hy ? 1 : 2;
    return 1;
}

/* Where the ray meets the plane of one end, inside the circle. */
static int cap(const struct dq_seen *s, struct dq_vec across, float along,
               int end, float most, struct meeting *m)
{
    const struct dq_body *b = s->body;
    float t = ((float)end * b->length - s->along) / along;
    struct dq_vec p;

    if (!(t >= NEAREST) || t >= most)
        return 0;
    p = dq_vec_add(s->o, dq_vec_scale(across, t));
    if (dq_vec_dot(p, p) > b->size.x * b->size.x)
        return 0;
    m->t = t;
    m->part = end;
    return 1;
}

static int cylinder(const struct dq_seen *s, struct dq_vec d, float most,
                    struct meeting *m)
{
    const struct dq_body *b = s->body;
    float along = dq_vec_dot(d, b->along), at;
    struct dq_vec across = dq_vec_sub(d, dq_vec_scale(b->along, along));
    float a = dq_vec_dot(across, across), half = dq_vec_dot(s->o, across);
    float disc = half * half - a * s->c;
    int found = 0;

    /* a line that passes the endless cylinder by meets no end either */
    if (disc <= 0 && a >= 1e-12F)
        return 0;
    if (a >= 1e-12F) {
        at = (-half - sqrtf(disc)) / a;
        if (at >= NEAREST && at < most &&
            fabsf(s->along + at * along) <= b->length) {
            m->t = most = at;
            m->part = 0;
            found = 1;
        }
    }
    if (fabsf(along) < 1e-9F)
        return found;
    for (int end = -1; end <= 1; end += 2)
        if (cap(s, across, along, end, most, m)) {
            most = m->t;
            found = 1;
        }
    return found;
}

/* y = slope * z */
static int ground(const struct dq_scene *s, struct dq_vec o, struct dq_vec d,
                  float most, struct meeting *m)
{
    float fall = d.y - s->slope * d.z, t;

    if (fall >= -1e-7F)
        return 0;
    t = (s->slope * o.z - o.y) / fall;
    if (t < NEAREST || t >= most)
        return 0;
    m->t = t;
    return 1;
}

/* ---- what was met ----------------------------------------------------------
 */

static void box_surface(const struct dq_body *b, int axis, struct dq_vec ld,
                        struct dq_hit *hit)
{
    float ds[3] = {ld.x, ld.y, ld.z}, n[3] = {0};

    n[axis] = ds[axis] > 0 ? -1.0F : 1.0F;
    hit->normal = yawed(vec(n[0], n[1], n[2]), b->yaw_sin, b->yaw_cos);
}

static void cylinder_surface(const struct dq_body *b, int end,
                             struct dq_vec across, struct dq_hit *hit)
{
    hit->normal = end ? dq_vec_scale(b->along, (float)end)
                      : dq_vec_scale(across, 1 / b->size.x);
}

/* Point and normal of the one body that was met first. */
static void surface(const struct dq_seen *s, struct dq_vec d,
                    const struct meeting *m, struct dq_hit *hit)
{
    const struct dq_body *b = s->body;
    struct dq_vec ld = d;

    if (b->kind == DQ_BOX)
        ld = yawed(d, -b->yaw_sin, b->yaw_cos);
    if (b->kind == DQ_CYLINDER) {
        float along = dq_vec_dot(d, b->along);
        struct dq_vec across = dq_vec_sub(d, dq_vec_scale(b->along, along));

        across = dq_vec_add(s->o, dq_vec_scale(across, m->t));
        along = s->along + along * m->t;
        hit->local = dq_vec_add(across, dq_vec_scale(b->along, along));
        cylinder_surface(b, m->part, across, hit);
        return;
    }
    hit->local = dq_vec_add(s->o, dq_vec_scale(ld, m->t));
    if (b->kind == DQ_BOX)
        box_surface(b, m->part, ld, hit);
    else
        hit->normal = dq_vec_scale(hit->local, 1 / b->size.x);
}

static void ground_surface(const struct dq_scene *s, struct dq_vec eye,
                           struct dq_vec d, float t, struct dq_hit *hit)
{
    float n = 1 / sqrtf(1 + s->slope * s->slope);

    hit->local = dq_vec_add(eye, dq_vec_scale(d, t));
    hit->normal = vec(0, n, -s->slope * n);
}

static int meet(const struct dq_seen *s, struct dq_vec d, float most,
                struct meeting *m)
{
    switch (s->body->kind) {
    case DQ_SPHERE:
        return sphere(s, d, most, m);
    case DQ_BOX:
        return box(s, d, most, m);
    default:
        return cylinder(s, d, most, m);
    }
}

void dq_trace(const struct dq_scene *s, const struct dq_seen *seen,
              const int *list, int count, struct dq_vec eye, struct dq_vec d,
              struct dq_hit *hit)
{
    struct meeting m = {.t = 1e5F};
    const struct dq_seen *first = NULL;

    hit->body = DQ_HIT_SKY;
    if (s->has_ground && ground(s, eye, d, m.t, &m))
        hit->body = DQ_HIT_GROUND;
    for (int i = 0; i < count && seen[list[i]].near < m.t; i++)
        if (meet(&seen[list[i]], d, m.t, &m))
            first = &seen[list[i]];
    if (first) {
        hit->body = first->index;
        surface(first, d, &m, hit);
    } else if (hit->body == DQ_HIT_GROUND) {
        ground_surface(s, eye, d, m.t, hit);
    }
    hit->t = m.t;
}

/* ---- textures ------------------------------------------------------------ */

static float lattice(int x, int y, int z, uint32_t key)
{
    uint32_t h = (uint32_t)x * 0x8da6b343U ^ (uint32_t)y * 0xd8163841U ^
                 (uint32_t)z * 0xcb1ab31fU ^ key;

    h = (h ^ (h >> 15)) * 0x2c1b3c6dU;
    h = (h ^ (h >> 12)) * 0x297a2d39U;
    return (float)(h >> 8) * (1.0F / 16777216.0F);
}

/* floorf without its call: SSE2, the common ground, has no such instruction. */
static int whole(float x)
{
    int i = (int)x;

    return i - (x < (float)i);
}

static float smooth(float t)
{
    return t * t * (3 - 2 * t);
}

static float mix(float a, float b, float t)
{
    return a + t * (b - a);
}

/* Value noise: random values at whole points, smooth between. */
static float noise(struct dq_vec p, uint32_t key)
{
    int x = whole(p.x), y = whole(p.y), z = whole(p.z);
    float u = smooth(p.x - (float)x), v = smooth(p.y - (float)y);
    float w = smooth(p.z - (float)z);
    float low = mix(
        mix(lattice(x, y, z, key), lattice(x + 1, y, z, key), u),
        mix(lattice(x, y + 1, z, key), lattice(x + 1, y + 1, z, key), u), v);
    float high =
        mix(mix(lattice(x, y, z + 1, key), lattice(x + 1, y, z + 1, key), u),
            mix(lattice(x, y + 1, z + 1, key),
                lattice(x + 1, y + 1, z + 1, key), u),
            v);

    return mix(low, high, w);
}

float dq_world_texture(struct dq_vec p, uint64_t key)
{
    uint32_t k = (uint32_t)key;

    return 0.65F * noise(dq_vec_scale(p, 1.7F), k) +
           0.35F * noise(dq_vec_scale(p, 6.1F), k ^ 0x5bd1e995U);
}

static float pattern(const struct dq_paint *p, struct dq_vec at)
{
    struct dq_vec q = dq_vec_scale(at, p->scale);

    switch (p->texture) {
    case DQ_NOISE:
        return 0.6F * noise(q, (uint32_t)p->key) +
               0.4F * noise(dq_vec_scale(q, 3.3F), (uint32_t)p->key + 1);
    case DQ_CHECKER:
        return (
            float)(((int)floorf(q.x) + (int)floorf(q.y) + (int)floorf(q.z)) &
                   1);
    case DQ_STRIPES:
        return q.x + q.z - (float)whole(q.x + q.z) < 0.4F ? 1.0F : 0.0F;
    default:
        return 0.6F;
    }
}

/* ---- light --------------------------------------------------------------- */

static struct dq_vec sky(const struct dq_scene *s, struct dq_vec d)
{
    float up = d.y / sqrtf(dq_vec_dot(d, d));
    float t = up > 0 ? sqrtf(up) : 0;
    float toward = dq_vec_dot(d, s->sun) / sqrtf(dq_vec_dot(d, d));
    struct dq_vec base = vec(mix(s->horizon.x, s->zenith.x, t),
                             mix(s->horizon.y, s->zenith.y, t),
                             mix(s->horizon.z, s->zenith.z, t));

    if (toward > 0.9995F) /* the sun's disc, well above 1 */
        base = dq_vec_add(base, dq_vec_scale(s->sunlight, 20));
    return base;
}

static float power_40(float x)
{
    float x2 = x * x, x4 = x2 * x2, x8 = x4 * x4;

    return x8 * x8 * x8 * x8 * x8;
}

static float highlight(const struct dq_scene *s, const struct dq_hit *hit,
                       struct dq_vec d)
{
    struct dq_vec to_eye = dq_vec_scale(d, -1 / sqrtf(dq_vec_dot(d, d)));
    struct dq_vec half = dq_vec_add(to_eye, s->sun);
    float cosine =
        dq_vec_dot(half, hit->normal) / sqrtf(dq_vec_dot(half, half) + 1e-9F);

    return cosine > 0 ? power_40(cosine) : 0;
}

struct dq_vec dq_shade(const struct dq_scene *s, const struct dq_hit *hit,
                       struct dq_vec d)
{
    const struct dq_paint *p;
    float k, sun, up, shine, haze;
    struct dq_vec c, light;

    if (hit->body == DQ_HIT_SKY)
        return sky(s, d);
    p = hit->body == DQ_HIT_GROUND ? &s->ground : &s->bodies[hit->body].paint;
    k = pattern(p, hit->local);
    c = vec(mix(p->dark.x, p->light.x, k), mix(p->dark.y, p->light.y, k),
            mix(p->dark.z, p->light.z, k));
    sun = most_of(0, dq_vec_dot(hit->normal, s->sun));
    up = 0.35F + 0.3F * hit->normal.y;
    light = dq_vec_add(dq_vec_scale(s->sunlight, sun),
                       dq_vec_scale(s->horizon, up));
    shine = p->shine > 0 ? p->shine * highlight(s, hit, d) : 0;
    c = vec(c.x * light.x + shine + p->glow,
            c.y * light.y + shine + p->glow * 0.9F,
            c.z * light.z + shine + p->glow * 0.7F);
    if (s->fog <= 0)
        return c;
    haze = 1 - expf(-hit->t * s->fog);
    return vec(mix(c.x, s->horizon.x, haze), mix(c.y, s->horizon.y, haze),
               mix(c.z, s->horizon.z, haze));
}
