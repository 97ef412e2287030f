/* Depth is checked against the bodies' own equations, in double: a point at
 * the depth lies on a surface, and none before it lies inside a body. */
#include "base/testing.h"

#include <math.h>

#include "base/mem.h"
#include "scene/render.h"
#include "scene/rng.h"
#include "scene/trace.h"

enum { W = 96, H = 64, N = W * H };

struct picture {
    struct dq_scene scene;
    struct dq_planes planes;
};

static struct picture *picture_new(uint64_t seed, enum dq_scene_kind kind,
                                   enum dq_camera_path path, int frame,
                                   int threads)
{
    struct dq_scene_rule rule = {.seed = seed,
                                 .kind = kind,
                                 .path = path,
                                 .width = W,
                                 .height = H,
                                 .grain = kind == DQ_CODED ? 0 : 0.01F,
                                 .indoor = -1};
    struct picture *p = dq_new(sizeof *p);
    float *all = dq_new_array((size_t)N * 7, sizeof *all);

    p->planes =
        (struct dq_planes){all,         all + N,     all + 2 * N, all + 3 * N,
                           all + 4 * N, all + 5 * N, all + 6 * N};
    dq_scene_make(&rule, &p->scene);
    dq_scene_render(&p->scene, frame, threads, &p->planes);
    return p;
}

static void picture_free(struct picture *p)
{
    free(p->planes.r);
    free(p);
}

/* ---- the bodies' equations: below 0 inside, 0 on the surface, metres -------
 */

struct point {
    double x, y, z;
};

static double sphere_at(const struct dq_body *b, struct point p)
{
    return sqrt(p.x * p.x + p.y * p.y + p.z * p.z) - (double)b->size.x;
}

static double box_at(const struct dq_body *b, struct point p)
{
    double c = (double)b->yaw_cos, s = (double)b->yaw_sin;
    double x = c * p.x - s * p.z, z = s * p.x + c * p.z;

    return fmax(
        fmax(fabs(x) - (double)b->size.x, fabs(p.y) - (double)b->size.y),
        fabs(z) - (double)b->size.z);
}

static double cylinder_at(const struct dq_body *b, struct point p)
{
    double ax = (double)b->axis.x, ay = (double)b->axis.y;
    double az = (double)b->axis.z, l = sqrt(ax * ax + ay * ay + az * az);
    double along = (p.x * ax + p.y * ay + p.z * az) / l;
    double x = p.x - along * ax / l, y = p.y - along * ay / l;
    double z = p.z - along * az / l;

    return fmax(sqrt(x * x + y * y + z * z) - (double)b->size.x,
                fabs(along) - l);
}

/* The least over all bodies and the ground. */
static double surface_at(const struct dq_scene *s, int frame, struct point p)
{
    double least = s->has_ground ? p.y - (double)s->slope * p.z : 1e9;

    for (int i = 0; i < s->count; i++) {
        const struct dq_body *b = &s->bodies[i];
        struct point q = {
            p.x - (double)b->centre.x - (double)b->velocity.x * frame,
            p.y - (double)b->centre.y - (double)b->velocity.y * frame,
            p.z - (double)b->centre.z - (double)b->velocity.z * frame};

        least = fmin(least, b->kind == DQ_SPHERE ? sphere_at(b, q)
                            : b->kind == DQ_BOX  ? box_at(b, q)
                                                 : cylinder_at(b, q));
    }
    return least;
}

/* The point at planar depth t of a pixel's centre: the pinhole's formula. */
static struct point at_depth(const struct dq_camera *c, int x, int y, double t)
{
    double u = (x + 0.5 - (double)c->cx) / (double)c->fx * t;
    double v = -(y + 0.5 - (double)c->cy) / (double)c->fy * t;
    struct point p = {(double)c->eye.x + (double)c->forward.x * t +
                          (double)c->right.x * u + (double)c->up.x * v,
                      (double)c->eye.y + (double)c->forward.y * t +
                          (double)c->right.y * u + (double)c->up.y * v,
                      (double)c->eye.z + (double)c->forward.z * t +
                          (double)c->right.z * u + (double)c->up.z * v};

    return p;
}

static void check_pixel(const struct picture *p, const struct dq_camera *c,
                        int frame, int x, int y)
{
    int at = y * W + x;
    double z = (double)p->planes.z[at];
    int is_sky = p->planes.sky[at] > 0.5F;
    double end = is_sky ? 200 : z * 0.999;

    if (is_sky)
        assert_true(p->planes.z[at] >= DQ_SCENE_SKY_Z);
    else if (z < 1e3)
        assert_true(fabs(surface_at(&p->scene, frame, at_depth(c, x, y, z))) <
                    2e-4 * z + 1e-4);
    for (double t = 0.06; t < fmin(end, 200); t += 0.01 + t / 64)
        assert_true(surface_at(&p->scene, frame, at_depth(c, x, y, t)) >
                    -1e-3 * (1 + t));
}

static void depth_is_where_the_first_surface_is(void **state)
{
    int seen = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 12; seed++) {
        int frame = (int)seed * 3;
        struct picture *p = picture_new(
            seed, DQ_NATURAL, (enum dq_camera_path)(seed % 3), frame, 1);
        struct dq_camera c;

        dq_camera_at(&p->scene, frame, &c);
        /* where the eye stands inside a body, what lies before is no matter */
        if (surface_at(&p->scene, frame, at_depth(&c, 0, 0, 0)) > 0.1)
            for (int i = 0; i < 400; i++, seen++)
                check_pixel(p, &c, frame, (i * 37) % W, (i * 53) % H);
        picture_free(p);
    }
    assert_true(seen >= 2000);
}

static void the_same_bytes_from_any_number_of_threads(void **state)
{
    (void)state;
    for (uint64_t seed = 20; seed < 24; seed++) {
        struct picture *one = picture_new(seed, DQ_NATURAL, DQ_PAN, 5, 1);
        struct picture *many = picture_new(seed, DQ_NATURAL, DQ_PAN, 5, 7);
        struct picture *other = picture_new(seed + 9, DQ_NATURAL, DQ_PAN, 5, 7);

        assert_memory_equal(one->planes.r, many->planes.r,
                            sizeof(float) * N * 7);
        assert_memory_not_equal(one->planes.r, other->planes.r,
                                sizeof(float) * N * 3);
        picture_free(one);
        picture_free(many);
        picture_free(other);
    }
}

static void coded_plates_tell_disparity_exactly(void **state)
{
    int bodies = 0;
    struct picture *p = picture_new(3, DQ_CODED, DQ_DOLLY, 4, 1);

    (void)state;
    for (int i = 0; i < N; i++) {
        float code =
            p->planes.sky[i] > 0.5F ? 0 : DQ_SCENE_CODE_NEAR / p->planes.z[i];

        bodies += code > 0;
        assert_true(p->planes.r[i] >= code && p->planes.r[i] <= code);
        assert_true(p->planes.b[i] >= 1 - code && p->planes.b[i] <= 1 - code);
        assert_true(p->planes.g[i] >= 0 && p->planes.g[i] <= 1);
    }
    assert_true(bodies > N / 4);
    picture_free(p);
}

/* A point of the standing world, followed by the pinhole's formula alone. */
static void motion_leads_to_the_same_point_of_the_next_frame(void **state)
{
    int checked = 0;
    struct picture *p = picture_new(8, DQ_NATURAL, DQ_DOLLY, 2, 1);
    struct dq_camera now, next;

    (void)state;
    for (int i = 0; i < p->scene.count; i++) /* nobody moves but the camera */
        p->scene.bodies[i].velocity = (struct dq_vec){0, 0, 0};
    dq_scene_render(&p->scene, 2, 1, &p->planes);
    dq_camera_at(&p->scene, 2, &now);
    dq_camera_at(&p->scene, 3, &next);
    for (int i = 0; i < N; i++) {
        double z = (double)p->planes.z[i];
        double advance = (double)p->scene.advance;
        /* a dolly along the view: planar depth falls by the advance */
        double grow = z / (z - advance);
        double u = (i % W + 0.5 - (double)now.cx) * (grow - 1);
        double v = (i / W + 0.5 - (double)now.cy) * (grow - 1);

        if (p->planes.sky[i] > 0.5F)
            continue;
        checked++;
        assert_true(fabs((double)p->planes.u[i] - u) < 2e-3);
        assert_true(fabs((double)p->planes.v[i] - v) < 2e-3);
    }
    assert_true(checked > N / 4);
    picture_free(p);
}

static void plates_hold_highlights_above_one_and_no_bad_values(void **state)
{
    int above = 0;

    (void)state;
    for (uint64_t seed = 40; seed < 60; seed++) {
        struct picture *p = picture_new(seed, DQ_NATURAL, DQ_STATIC, 0, 1);

        for (int i = 0; i < 3 * N; i++) {
            assert_true(isfinite(p->planes.r[i]) && p->planes.r[i] >= 0);
            above += p->planes.r[i] > 1;
        }
        picture_free(p);
    }
    assert_true(above > 100);
}

/* Mean and spread of the grain alone: the same world with and without it. */
static void grain_has_the_spread_that_was_asked_for(void **state)
{
    struct picture *clean = picture_new(4, DQ_NATURAL, DQ_STATIC, 0, 1);
    struct picture *grainy = picture_new(4, DQ_NATURAL, DQ_STATIC, 0, 1);
    double sum = 0, squares = 0;
    int n = 0;

    (void)state;
    clean->scene.rule.grain = 0;
    dq_scene_render(&clean->scene, 0, 1, &clean->planes);
    for (int i = 0; i < 3 * N; i++) {
        double value = (double)clean->planes.r[i];
        double noise = (double)grainy->planes.r[i] - value;

        if (value < 0.05) /* near black it is cut at 0 */
            continue;
        noise /= 0.01 * sqrt(value / 0.18);
        sum += noise;
        squares += noise * noise;
        n++;
    }
    assert_true(n > N);
    assert_true(fabs(sum / n) < 0.05);
    assert_true(fabs(sqrt(squares / n) - 1) < 0.05);
    picture_free(clean);
    picture_free(grainy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(depth_is_where_the_first_surface_is),
        cmocka_unit_test(the_same_bytes_from_any_number_of_threads),
        cmocka_unit_test(coded_plates_tell_disparity_exactly),
        cmocka_unit_test(motion_leads_to_the_same_point_of_the_next_frame),
        cmocka_unit_test(plates_hold_highlights_above_one_and_no_bad_values),
        cmocka_unit_test(grain_has_the_spread_that_was_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
