#include "scene/trace.h"

#include <math.h>

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

/* ---- bodies: o is the eye in the body's place, d the direction ----------- */

static int sphere(const struct dq_body *b, struct dq_vec o, struct dq_vec d,
                  float most, struct dq_hit *hit)
{
    float a = dq_vec_dot(d, d), half = dq_vec_dot(o, d);
    float c = dq_vec_dot(o, o) - b->size.x * b->size.x;
    float disc = half * half - a * c, t;

    if (disc <= 0)
        return 0;
    t = (-half - sqrtf(disc)) / a;
    if (t < NEAREST)
        t = (-half + sqrtf(disc)) / a;
    if (t < NEAREST || t >= most)
        return 0;
    hit->t = t;
    hit->local = dq_vec_add(o, dq_vec_scale(d, t));
    hit->normal = dq_vec_scale(hit->local, 1 / b->size.x);
    return 1;
}

static struct dq_vec yawed(struct dq_vec v, float s, float c)
{
    return vec(c * v.x + s * v.z, v.y, -s * v.x + c * v.z);
}

/* Slabs: the last entry and the first exit. */
static int box(const struct dq_body *b, struct dq_vec o, struct dq_vec d,
               float most, struct dq_hit *hit)
{
    struct dq_vec lo = yawed(o, -b->yaw_sin, b->yaw_cos);
    struct dq_vec ld = yawed(d, -b->yaw_sin, b->yaw_cos);
    float os[3] = {lo.x, lo.y, lo.z}, ds[3] = {ld.x, ld.y, ld.z};
    float sides[3] = {b->size.x, b->size.y, b->size.z};
    float in = -INFINITY, out = INFINITY, t;
    int in_axis = 0, out_axis = 0, axis;
    float n[3] = {0};

    for (int i = 0; i < 3; i++) {
        float inverse = 1 / ds[i];
        float one = (-sides[i] - os[i]) * inverse;
        float two = (sides[i] - os[i]) * inverse;
        float near = least(one, two), far = most_of(one, two);

        if (near > in) {
            in = near;
            in_axis = i;
        }
        if (far < out) {
            out = far;
            out_axis = i;
        }
    }
    t = in >= NEAREST ? in : out;
    axis = in >= NEAREST ? in_axis : out_axis;
    if (in > out || t < NEAREST || t >= most)
        return 0;
    hit->t = t;
    hit->local = dq_vec_add(lo, dq_vec_scale(ld, t));
    n[axis] = ds[axis] > 0 ? -1.0F : 1.0F;
    hit->normal = yawed(vec(n[0], n[1], n[2]), b->yaw_sin, b->yaw_cos);
    return 1;
}

/* Where the ray meets the plane of one end, inside the circle. */
static int cap(const struct dq_body *b, struct dq_vec o, struct dq_vec d,
               struct dq_vec axis, float half, float most, float *t)
{
    float along = dq_vec_dot(d, axis), at;
    struct dq_vec p, across;

    if (fabsf(along) < 1e-9F)
        return 0;
    at = (half - dq_vec_dot(o, axis)) / along;
    if (at < NEAREST || at >= most)
        return 0;
    p = dq_vec_add(o, dq_vec_scale(d, at));
    across = dq_vec_sub(p, dq_vec_scale(axis, half));
    if (dq_vec_dot(across, across) > b->size.x * b->size.x)
        return 0;
    *t = at;
    return 1;
}

static int side(const struct dq_body *b, struct dq_vec o, struct dq_vec d,
                struct dq_vec axis, float length, float most, float *t)
{
    struct dq_vec dp = dq_vec_sub(d, dq_vec_scale(axis, dq_vec_dot(d, axis)));
    struct dq_vec op = dq_vec_sub(o, dq_vec_scale(axis, dq_vec_dot(o, axis)));
    float a = dq_vec_dot(dp, dp), half = dq_vec_dot(op, dp);
    float c = dq_vec_dot(op, op) - b->size.x * b->size.x;
    float disc = half * half - a * c, at, along;

    if (disc <= 0 || a < 1e-12F)
        return 0;
    at = (-half - sqrtf(disc)) / a;
    along = dq_vec_dot(o, axis) + at * dq_vec_dot(d, axis);
    if (at < NEAREST || at >= most || fabsf(along) > length)
        return 0;
    *t = at;
    return 1;
}

static int cylinder(const struct dq_body *b, struct dq_vec o, struct dq_vec d,
                    float most, struct dq_hit *hit)
{
    struct dq_vec axis = b->along;
    float length = b->length;
    int found = 0, end = 0;
    float t = most;

    if (side(b, o, d, axis, length, t, &t))
        found = 1;
    for (int e = -1; e <= 1; e += 2)
        if (cap(b, o, d, dq_vec_scale(axis, (float)e), length, t, &t)) {
            found = 1;
            end = e;
        }
    if (!found)
        return 0;
    hit->t = t;
    hit->local = dq_vec_add(o, dq_vec_scale(d, t));
    if (end) {
        hit->normal = dq_vec_scale(axis, (float)end);
    } else {
        float along = dq_vec_dot(hit->local, axis);

        hit->normal = dq_vec_scale(
            dq_vec_sub(hit->local, dq_vec_scale(axis, along)), 1 / b->size.x);
    }
    return 1;
}

/* y = slope * z */
static int ground(const struct dq_scene *s, struct dq_vec o, struct dq_vec d,
                  float most, struct dq_hit *hit)
{
    float fall = d.y - s->slope * d.z, t;
    float n = 1 / sqrtf(1 + s->slope * s->slope);

    if (fall >= -1e-7F)
        return 0;
    t = (s->slope * o.z - o.y) / fall;
    if (t < NEAREST || t >= most)
        return 0;
    hit->t = t;
    hit->local = dq_vec_add(o, dq_vec_scale(d, t));
    hit->normal = vec(0, n, -s->slope * n);
    return 1;
}

void dq_trace(const struct dq_scene *s, int frame, const int *list, int count,
              struct dq_vec eye, struct dq_vec d, struct dq_hit *hit)
{
    static int (*const meet[])(const struct dq_body *, struct dq_vec,
                               struct dq_vec, float, struct dq_hit *) = {
        [DQ_SPHERE] = sphere, [DQ_BOX] = box, [DQ_CYLINDER] = cylinder};
    float most = 1e5F;

    hit->body = DQ_HIT_SKY;
    if (s->has_ground && ground(s, eye, d, most, hit)) {
        hit->body = DQ_HIT_GROUND;
        most = hit->t;
    }
    for (int i = 0; i < count; i++) {
        const struct dq_body *b = &s->bodies[list[i]];
        struct dq_vec o = dq_vec_sub(eye, dq_body_centre(b, frame));

        if (meet[b->kind](b, o, d, most, hit)) {
            hit->body = list[i];
            most = hit->t;
        }
    }
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
