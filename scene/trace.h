/* trace: where a ray meets the world first, exactly.
 *
 * Rays start at the eye; their direction has length 1 along the camera's
 * forward axis, so the ray's parameter t is planar depth. Pure; any thread.
 */
#ifndef DQ_SCENE_TRACE_H
#define DQ_SCENE_TRACE_H

#include "scene/scene.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dq_hit {
    float t;              /* planar depth; only when body or ground is hit */
    int body;             /* index; DQ_HIT_GROUND, DQ_HIT_SKY */
    struct dq_vec normal; /* unit, against the ray */
    struct dq_vec local;  /* the point in the body's own place: textures */
};
enum { DQ_HIT_SKY = -1, DQ_HIT_GROUND = -2 };

/* A body's centre at a frame: movers move. */
struct dq_vec dq_body_centre(const struct dq_body *body, int frame);

/* A body as the eye sees it in one frame: what all rays from there share. */
struct dq_seen {
    const struct dq_body *body;
    int index;       /* in the scene */
    float near;      /* no point of it has less planar depth */
    struct dq_vec o; /* the eye in the body's place; box: turned with it;
                        cylinder: without the part along its axis */
    float along, c;  /* cylinder: that part. sphere, cylinder: o.o - r.r */
};

/* See all bodies of a scene from a camera: seen[scene->count], nearest first.
 */
void dq_see(const struct dq_scene *scene, int frame,
            const struct dq_camera *camera, struct dq_seen *seen);

/* First hit among the listed ones of seen (rising) and the ground. */
void dq_trace(const struct dq_scene *scene, const struct dq_seen *seen,
              const int *list, int count, struct dq_vec eye,
              struct dq_vec direction, struct dq_hit *hit);

/* Radiance that a hit sends along the ray, fog included. */
struct dq_vec dq_shade(const struct dq_scene *scene, const struct dq_hit *hit,
                       struct dq_vec direction);

/* A texture fixed to the world that knows nothing of depth: 0..1. */
float dq_world_texture(struct dq_vec point, uint64_t key);

#ifdef __cplusplus
}
#endif
#endif
