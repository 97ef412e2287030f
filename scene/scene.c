#include "scene/scene.h"

#include <math.h>
#include <string.h>

#include "scene/world.h"

void dq_scene_make(const struct dq_scene_rule *rule, struct dq_scene *s)
{
    struct dq_rng r = {.key = dq_rng_mix(rule->seed)};

    memset(s, 0, sizeof *s);
    s->rule = *rule;
    if (rule->kind == DQ_CODED)
        dq_world_coded(s, &r);
    else
        dq_world_natural(s, &r);
}

/* ---- camera -------------------------------------------------------------- */

void dq_camera_at(const struct dq_scene *s, int frame, struct dq_camera *c)
{
    float yaw = s->yaw + s->yaw_step * (float)frame;
    float cy = cosf(yaw), sy = sinf(yaw);
    float cp = cosf(s->pitch), sp = sinf(s->pitch);

    c->width = s->rule.width;
    c->height = s->rule.height;
    c->right = dq_vec_of(cy, 0, -sy);
    c->up = dq_vec_of(sy * sp, cp, cy * sp);
    c->forward = dq_vec_of(sy * cp, -sp, cy * cp);
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
