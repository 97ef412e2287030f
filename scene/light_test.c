/* What plates are made of: four samples a pixel, and fog. */
#include "base/testing.h"

#include <math.h>

#include "base/mem.h"
#include "scene/render.h"
#include "scene/trace.h"

enum { W = 96, H = 64, N = W * H };

struct point {
    double x, y, z;
};

static void make(uint64_t seed, int indoor, struct dq_scene *s)
{
    const struct dq_scene_rule rule = {.seed = seed,
                                       .kind = DQ_NATURAL,
                                       .width = W,
                                       .height = H,
                                       .indoor = indoor};

    dq_scene_make(&rule, s);
}

/* ---- samples ------------------------------------------------------------- */

/* A glowing ball in a world without any other light: a sample that meets it is
 * 1, any other 0. */
static const struct point ball = {0.1, 0.05, 6};
static const double ball_radius = 1.4;

static void make_ball(struct dq_scene *s)
{
    struct dq_body *b = &s->bodies[0];

    make(1, 0, s);
    memset(b, 0, sizeof *b);
    b->kind = DQ_SPHERE;
    b->centre = (struct dq_vec){(float)ball.x, (float)ball.y, (float)ball.z};
    b->size.x = (float)ball_radius;
    b->paint.glow = 1;
    s->count = 1;
    s->has_ground = 0;
    s->fog = s->yaw = s->pitch = 0;
    s->eye = s->sunlight = s->zenith = s->horizon = (struct dq_vec){0, 0, 0};
}

/* How far inside the ball the sight line through a place of the picture passes,
 * metres: pinhole, then the distance of a point from a line. */
static double depth_in_ball(const struct dq_camera *c, double x, double y)
{
    struct point d = {(x - (double)c->cx) / (double)c->fx,
                      -(y - (double)c->cy) / (double)c->fy, 1};
    double a = ball.y * d.z - ball.z * d.y;
    double b = ball.z * d.x - ball.x * d.z;
    double e = ball.x * d.y - ball.y * d.x;

    return ball_radius -
           sqrt((a * a + b * b + e * e) / (d.x * d.x + d.y * d.y + d.z * d.z));
}

/* Samples of a pixel that meet the ball; -1 where rounding may decide. */
static int samples_on_ball(const struct dq_camera *c, int column, int row)
{
    static const double grid[4][2] = {
        {-0.125, -0.375}, {0.375, -0.125}, {-0.375, 0.125}, {0.125, 0.375}};
    int n = 0;

    for (int i = 0; i < 4; i++) {
        double inside =
            depth_in_ball(c, column + 0.5 + grid[i][0], row + 0.5 + grid[i][1]);

        if (fabs(inside) < 1e-4)
            return -1;
        n += inside > 0;
    }
    return n;
}

static void a_pixel_is_the_mean_of_four_samples_on_a_rotated_grid(void **state)
{
    struct dq_scene s;
    struct dq_camera c;
    float *r = dq_new_array(N, sizeof *r);
    int seen[5] = {0};

    (void)state;
    make_ball(&s);
    dq_scene_render(&s, 0, 1, &(struct dq_planes){.r = r});
    dq_camera_at(&s, 0, &c);
    for (int i = 0; i < N; i++) {
        int samples = samples_on_ball(&c, i % W, i / W);

        if (samples < 0)
            continue;
        assert_int_equal(lroundf(r[i] * 1000), samples * 250);
        seen[samples]++;
    }
    for (int i = 0; i <= 4; i++)
        assert_true(seen[i] >= 5);
    free(r);
}

/* ---- fog ----------------------------------------------------------------- */

static double shade(struct dq_scene *s, const struct dq_hit *hit, float fog)
{
    s->fog = fog;
    return (double)dq_shade(s, hit, (struct dq_vec){0.2F, 0.3F, 1}).y;
}

/* Light decays by exp(-depth x fog), and the horizon's fills the rest. */
static void fog_hides_light_exponentially_in_depth(void **state)
{
    struct dq_hit hit = {.body = DQ_HIT_GROUND, .normal = {0, 1, 0}};
    struct dq_scene s;
    double clear, horizon;

    (void)state;
    make(4, 0, &s);
    clear = shade(&s, &hit, 0);
    horizon = (double)s.horizon.y;
    assert_true(fabs(clear - horizon) > 0.1);
    for (int i = 1; i <= 100; i++) {
        double left = exp(-(double)i * 0.02);

        hit.t = (float)i;
        assert_true(fabs(shade(&s, &hit, 0.02F) -
                         (clear * left + horizon * (1 - left))) < 1e-5);
    }
}

static void the_sky_is_as_it_is_in_any_fog(void **state)
{
    struct dq_hit hit = {.body = DQ_HIT_SKY};
    struct dq_scene s;

    (void)state;
    make(4, 0, &s);
    assert_true(fabs(shade(&s, &hit, 1) - shade(&s, &hit, 0)) < 1e-9);
    assert_true(fabs(shade(&s, &hit, 1) - (double)s.horizon.y) > 1e-3);
}

/* In fog of 1 mm nothing is seen of a room, but its depth is what it was. */
static void fog_lies_on_the_picture_and_not_on_its_depth(void **state)
{
    struct dq_scene s;
    float *all = dq_new_array(3 * (size_t)N, sizeof *all);
    float *g = all, *clear = all + N, *foggy = all + 2 * (size_t)N;

    (void)state;
    make(2, 1, &s);
    s.fog = 0;
    dq_scene_render(&s, 0, 1, &(struct dq_planes){.z = clear});
    s.fog = 1000;
    dq_scene_render(&s, 0, 1, &(struct dq_planes){.g = g, .z = foggy});
    assert_memory_equal(clear, foggy, N * sizeof *clear);
    for (int i = 0; i < N; i++)
        assert_true(fabsf(g[i] - s.horizon.y) < 1e-5F);
    free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pixel_is_the_mean_of_four_samples_on_a_rotated_grid),
        cmocka_unit_test(fog_hides_light_exponentially_in_depth),
        cmocka_unit_test(the_sky_is_as_it_is_in_any_fog),
        cmocka_unit_test(fog_lies_on_the_picture_and_not_on_its_depth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
