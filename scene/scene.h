/* scene: a seeded world of simple bodies, and a camera that moves through it.
 *
 * Everything about a picture follows from (seed, kind, camera, frame): depth
 * is exact, by formula. World: x right, y up, z forward at yaw 0; metres. The
 * camera looks along its own z; pixel (column, row) has its centre at
 * +0.5. A scene never changes once made; any thread may read it.
 */
#ifndef DQ_SCENE_SCENE_H
#define DQ_SCENE_SCENE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dq_vec {
    float x, y, z;
};

enum dq_body_kind { DQ_SPHERE, DQ_BOX, DQ_CYLINDER };

enum dq_texture { DQ_PLAIN, DQ_NOISE, DQ_CHECKER, DQ_STRIPES };

struct dq_paint {
    enum dq_texture texture;
    float scale;               /* features a metre */
    struct dq_vec dark, light; /* linear reflectance, 0..1 */
    float shine;               /* strength of the highlight */
    float glow;                /* radiance of its own: lamps */
    uint64_t key;
};

/* Sphere: radius size.x. Box: half sides size, turned by yaw about y.
 * Cylinder: from centre - axis to centre + axis, radius size.x, capped; thin
 * ones are wires. */
struct dq_body {
    enum dq_body_kind kind;
    struct dq_vec centre, size, axis;
    float yaw_sin, yaw_cos;
    struct dq_vec velocity; /* metres a frame: movers */
    struct dq_vec along;    /* axis, of length 1 */
    float length;           /* of axis */
    struct dq_paint paint;
};

enum { DQ_BODIES = 64 };

enum dq_camera_path { DQ_STATIC, DQ_PAN, DQ_DOLLY };
enum dq_scene_kind { DQ_NATURAL, DQ_CODED };

struct dq_scene_rule {
    uint64_t seed;
    enum dq_scene_kind kind;
    enum dq_camera_path path;
    int width, height; /* pixels */
    float grain;       /* standard deviation at 0.18; 0: none */
    int entering;      /* something near crosses the picture */
    int indoor;        /* -1: the seed decides */
};

struct dq_scene {
    struct dq_scene_rule rule;
    struct dq_body bodies[DQ_BODIES];
    int count;
    int has_ground;
    float slope; /* of the ground, rise over run along z */
    struct dq_paint ground;
    struct dq_vec sun;                       /* unit, towards it */
    struct dq_vec sunlight, zenith, horizon; /* radiance */
    float fog;             /* 1 / distance of 63 % fog; 0: none */
    struct dq_vec eye;     /* at frame 0 */
    float yaw, pitch, fov; /* radians; fov across the picture */
    float yaw_step;        /* pan: radians a frame */
    float advance;         /* dolly: metres a frame along the view */
};

/* Make a scene. The same rule gives the same scene everywhere. */
void dq_scene_make(const struct dq_scene_rule *rule, struct dq_scene *scene);

/* A camera at one frame: rows of the rotation are right, up, forward. */
struct dq_camera {
    struct dq_vec eye, right, up, forward;
    float fx, fy, cx, cy; /* pixels; square pixels: fx = fy */
    int width, height;
};

void dq_camera_at(const struct dq_scene *scene, int frame,
                  struct dq_camera *camera);

/* World -> pixel and planar depth (along forward); depth <= 0: behind. */
void dq_camera_project(const struct dq_camera *camera, struct dq_vec world,
                       float *column, float *row, float *depth);

static inline struct dq_vec dq_vec_add(struct dq_vec a, struct dq_vec b)
{
    struct dq_vec v = {a.x + b.x, a.y + b.y, a.z + b.z};

    return v;
}

static inline struct dq_vec dq_vec_sub(struct dq_vec a, struct dq_vec b)
{
    struct dq_vec v = {a.x - b.x, a.y - b.y, a.z - b.z};

    return v;
}

static inline struct dq_vec dq_vec_scale(struct dq_vec a, float s)
{
    struct dq_vec v = {a.x * s, a.y * s, a.z * s};

    return v;
}

static inline float dq_vec_dot(struct dq_vec a, struct dq_vec b)
{
    return a.x * b.x + a.y * b.y + a.z * b.z;
}

#ifdef __cplusplus
}
#endif
#endif
