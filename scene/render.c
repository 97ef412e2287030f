#include "scene/render.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "scene/rng.h"
#include "scene/trace.h"

enum { TILE = 8, SAMPLES = 4 };

/* A rotated grid: no two samples share a row or a column. */
static const float OFFSET[SAMPLES][2] = {
    {-0.125F, -0.375F}, {0.375F, -0.125F}, {-0.375F, 0.125F}, {0.125F, 0.375F}};

struct job {
    const struct dq_scene *scene;
    const struct dq_planes *planes;
    struct dq_camera camera, next;
    int frame, columns, rows;
    atomic_int tile; /* the next one that nobody has */
    struct dq_seen seen[DQ_BODIES];
    /* reach of each seen body on the picture, in pixels: tiles skip the others
     */
    float left[DQ_BODIES], right[DQ_BODIES], top[DQ_BODIES], bottom[DQ_BODIES];
};

/* ---- which bodies a tile can see ----------------------------------------- */

/* Least and greatest of a/z for a in centre +- r and z in near .. far. */
static void reach(float centre, float r, float near, float far, float *low,
                  float *high)
{
    *low = fminf(*low, fminf((centre - r) / near, (centre - r) / far));
    *high = fmaxf(*high, fmaxf((centre + r) / near, (centre + r) / far));
}

/* Widen a body's reach to hold a ball about a point of it, seen from the eye;
 * a ball that is not wholly before the eye may be anywhere. */
static void reach_ball(struct job *j, int i, struct dq_vec at, float r)
{
    const struct dq_camera *c = &j->camera;
    struct dq_vec d = dq_vec_sub(at, c->eye);
    float z = dq_vec_dot(d, c->forward);
    float left = j->left[i], right = j->right[i];
    float top = j->top[i], bottom = j->bottom[i];

    if (z - r < 0.05F) {
        left = top = -INFINITY;
        right = bottom = INFINITY;
    } else {
        reach(dq_vec_dot(d, c->right), r, z - r, z + r, &left, &right);
        reach(-dq_vec_dot(d, c->up), r, z - r, z + r, &top, &bottom);
    }
    j->left[i] = left;
    j->right[i] = right;
    j->top[i] = top;
    j->bottom[i] = bottom;
}

static struct dq_vec corner(const struct dq_body *b, int n)
{
    float x = n & 1 ? b->size.x : -b->size.x;
    float y = n & 2 ? b->size.y : -b->size.y;
    float z = n & 4 ? b->size.z : -b->size.z;
    struct dq_vec v = {b->yaw_cos * x + b->yaw_sin * z, y,
                       -b->yaw_sin * x + b->yaw_cos * z};

    return v;
}

/* A body lies within the hull of a few balls, and so does its picture. */
static void bound_body(struct job *j, int i)
{
    const struct dq_body *b = j->seen[i].body;
    struct dq_vec at = dq_body_centre(b, j->frame);

    j->left[i] = j->top[i] = INFINITY;
    j->right[i] = j->bottom[i] = -INFINITY;
    if (b->kind == DQ_SPHERE)
        reach_ball(j, i, at, b->size.x);
    for (int n = 0; b->kind == DQ_BOX && n < 8; n++)
        reach_ball(j, i, dq_vec_add(at, corner(b, n)), 0);
    if (b->kind == DQ_CYLINDER) {
        reach_ball(j, i, dq_vec_add(at, b->axis), b->size.x);
        reach_ball(j, i, dq_vec_sub(at, b->axis), b->size.x);
    }
    j->left[i] = j->camera.cx + j->camera.fx * j->left[i] - 1;
    j->right[i] = j->camera.cx + j->camera.fx * j->right[i] + 1;
    j->top[i] = j->camera.cy + j->camera.fy * j->top[i] - 1;
    j->bottom[i] = j->camera.cy + j->camera.fy * j->bottom[i] + 1;
}

static int list_bodies(const struct job *j, int x, int y, int *list)
{
    int n = 0;

    for (int i = 0; i < j->scene->count; i++)
        if (j->left[i] <= (float)(x + TILE) && j->right[i] >= (float)x &&
            j->top[i] <= (float)(y + TILE) && j->bottom[i] >= (float)y)
            list[n++] = i;
    return n;
}

/* ---- one pixel ----------------------------------------------------------- */

static struct dq_vec ray(const struct dq_camera *c, float column, float row)
{
    return dq_vec_add(
        c->forward, dq_vec_add(dq_vec_scale(c->right, (column - c->cx) / c->fx),
                               dq_vec_scale(c->up, -(row - c->cy) / c->fy)));
}

static struct dq_vec natural(const struct job *j, const int *list, int n,
                             float x, float y)
{
    struct dq_vec sum = {0, 0, 0};
    struct dq_hit hit;

    for (int i = 0; i < SAMPLES; i++) {
        struct dq_vec d = ray(&j->camera, x + OFFSET[i][0], y + OFFSET[i][1]);

        dq_trace(j->scene, j->seen, list, n, j->camera.eye, d, &hit);
        sum = dq_vec_add(sum, dq_shade(j->scene, &hit, d));
    }
    return dq_vec_scale(sum, 1.0F / SAMPLES);
}

/* Near a normal deviate: the sum of four uniforms, unit variance. */
static float deviate(uint64_t key)
{
    uint64_t bits = dq_rng_mix(key);
    uint32_t sum = 0;

    for (int i = 0; i < 4; i++, bits >>= 16)
        sum += (uint32_t)(bits & 0xffff);
    return ((float)sum * (1.0F / 65536) - 2) * 1.7320508F;
}

/* Grain as film and sensors have it: growing with the root of the signal. */
static float grainy(const struct job *j, float value, size_t pixel, int plane)
{
    const struct dq_scene_rule *rule = &j->scene->rule;
    uint64_t key;

    if (rule->grain <= 0)
        return value;
    key = dq_rng_mix(rule->seed ^ 0x67726e00U) +
          ((uint64_t)(uint32_t)j->frame << 40) + (uint64_t)pixel * 4 +
          (uint64_t)plane;
    return fmaxf(0, value + rule->grain * sqrtf(value / 0.18F) * deviate(key));
}

static void put_motion(const struct job *j, const struct dq_hit *hit,
                       struct dq_vec d, float x, float y, size_t at)
{
    struct dq_vec p;
    float column, row, depth, far = 1e6F;
    float t = hit->body == DQ_HIT_SKY ? far : hit->t;

    p = dq_vec_add(j->camera.eye, dq_vec_scale(d, t));
    if (hit->body >= 0)
        p = dq_vec_add(p, j->scene->bodies[hit->body].velocity);
    dq_camera_project(&j->next, p, &column, &row, &depth);
    if (j->planes->u)
        j->planes->u[at] = depth > 0 ? column - x : 0;
    if (j->planes->v)
        j->planes->v[at] = depth > 0 ? row - y : 0;
}

static void put_colour(const struct job *j, struct dq_vec c, size_t at)
{
    const struct dq_planes *p = j->planes;

    if (p->r)
        p->r[at] = grainy(j, c.x, at, 0);
    if (p->g)
        p->g[at] = grainy(j, c.y, at, 1);
    if (p->b)
        p->b[at] = grainy(j, c.z, at, 2);
}

static struct dq_vec coded(const struct job *j, const struct dq_hit *hit,
                           struct dq_vec d)
{
    struct dq_vec c = {0, 0.5F, 1}, p;

    if (hit->body == DQ_HIT_SKY)
        return c;
    p = dq_vec_add(j->camera.eye, dq_vec_scale(d, hit->t));
    if (hit->body >= 0) /* the texture goes with a mover */
        p = dq_vec_sub(p, dq_vec_scale(j->scene->bodies[hit->body].velocity,
                                       (float)j->frame));
    c.x = DQ_SCENE_CODE_NEAR / hit->t;
    c.y = dq_world_texture(p, j->scene->rule.seed);
    c.z = 1 - c.x;
    return c;
}

static void pixel(const struct job *j, const int *list, int n, int column,
                  int row)
{
    const struct dq_planes *p = j->planes;
    float x = (float)column + 0.5F, y = (float)row + 0.5F;
    size_t at = (size_t)row * (size_t)j->camera.width + (size_t)column;
    struct dq_vec d = ray(&j->camera, x, y);
    struct dq_hit hit;

    dq_trace(j->scene, j->seen, list, n, j->camera.eye, d, &hit);
    if (p->z)
        p->z[at] = hit.body == DQ_HIT_SKY ? DQ_SCENE_SKY_Z : hit.t;
    if (p->sky)
        p->sky[at] = hit.body == DQ_HIT_SKY ? 1.0F : 0.0F;
    if (p->u || p->v)
        put_motion(j, &hit, d, x, y, at);
    if (p->r || p->g || p->b)
        put_colour(j,
                   j->scene->rule.kind == DQ_CODED ? coded(j, &hit, d)
                                                   : natural(j, list, n, x, y),
                   at);
}

/* ---- all of them --------------------------------------------------------- */

static void *work(void *context)
{
    struct job *j = context;
    int list[DQ_BODIES], t;

    while ((t = atomic_fetch_add(&j->tile, 1)) < j->columns * j->rows) {
        int x0 = t % j->columns * TILE, y0 = t / j->columns * TILE;
        int n = list_bodies(j, x0, y0, list);

        for (int y = y0; y < y0 + TILE && y < j->camera.height; y++)
            for (int x = x0; x < x0 + TILE && x < j->camera.width; x++)
                pixel(j, list, n, x, y);
    }
    return NULL;
}

void dq_scene_render(const struct dq_scene *scene, int frame, int threads,
                     const struct dq_planes *planes)
{
    struct job j = {.scene = scene, .planes = planes, .frame = frame};
    pthread_t *others = dq_new_array((size_t)threads, sizeof *others);
    int started = 0;

    dq_camera_at(scene, frame, &j.camera);
    dq_camera_at(scene, frame + 1, &j.next);
    j.columns = (j.camera.width + TILE - 1) / TILE;
    j.rows = (j.camera.height + TILE - 1) / TILE;
    dq_see(scene, frame, &j.camera, j.seen);
    for (int i = 0; i < scene->count; i++)
        bound_body(&j, i);
    while (started < threads - 1 &&
           pthread_create(&others[started], NULL, work, &j) == 0)
        started++;
    work(&j);
    for (int i = 0; i < started; i++)
        pthread_join(others[i], NULL);
    free(others);
}
