/* world: what both kinds of world are made of. Private to this folder.
 *
 * All functions take a scene in the making and its stream of random numbers;
 * metres, world axes as in scene/scene.h. They draw from the stream in a fixed
 * order, which is part of what a seed means. */
#ifndef DQ_SCENE_WORLD_H
#define DQ_SCENE_WORLD_H

#include "scene/rng.h"
#include "scene/scene.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The two kinds of world: all but rule and path, which are set. */
void dq_world_natural(struct dq_scene *s, struct dq_rng *r);
void dq_world_coded(struct dq_scene *s, struct dq_rng *r);

static inline struct dq_vec dq_vec_of(float x, float y, float z)
{
    struct dq_vec v = {x, y, z};

    return v;
}

struct dq_vec dq_vec_unit(struct dq_vec v);

/* A texture of any kind in two random colours, 1 to 4 features a metre. */
struct dq_paint dq_world_paint(struct dq_rng *r);

/* The next body, zeroed; the last one again when there is no room. */
struct dq_body *dq_world_add(struct dq_scene *s);

/* What tracing needs of a cylinder, worked out once its axis is set. */
void dq_world_finish(struct dq_body *b);

void dq_world_turn(struct dq_body *b, float yaw);

/* Height of the ground; 0 where there is none. */
float dq_world_ground(const struct dq_scene *s, float z);

/* The point of the first frame's view at (across, down) of the picture, 0..1,
 * z metres deep. */
struct dq_vec dq_world_at(const struct dq_scene *s, float across, float down,
                          float z);

/* Somewhere in the first frame's view: uniform across the picture, uniform
 * in the log of depth from near to far, so that both are equally common. */
struct dq_vec dq_world_in_view(const struct dq_scene *s, struct dq_rng *r,
                               float near, float far, float *z);

/* A box of half sides half, turned by yaw. */
struct dq_body *dq_world_wall(struct dq_scene *s, struct dq_vec centre,
                              struct dq_vec half, float yaw, struct dq_rng *r);

/* Sun, sky and their colours. */
void dq_world_light(struct dq_scene *s, struct dq_rng *r);

/* Steps of a pan or a dolly. */
void dq_world_path(struct dq_scene *s, struct dq_rng *r);

/* rule.entering: a ball, near, across the picture in about a shot's time. */
void dq_world_entering(struct dq_scene *s, struct dq_rng *r);

#ifdef __cplusplus
}
#endif
#endif
