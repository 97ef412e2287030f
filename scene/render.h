/* render: one frame of a scene as planes of float32.
 *
 * RGB is linear and scene-referred, four samples a pixel on a rotated grid
 * (natural), or the centre sample (coded: R = near / z, B = 1 - R exactly, G a
 * world texture). Z is planar depth at the pixel's centre, by formula, in
 * metres. Grain depends on seed, frame and pixel alone. The same bytes from
 * any number of threads.
 */
#ifndef DQ_SCENE_RENDER_H
#define DQ_SCENE_RENDER_H

#include "scene/scene.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What Z holds where nothing is hit: finite, and behind everything. */
#define DQ_SCENE_SKY_Z 1.0e6F

/* Distance whose code is R = 1 in coded pictures, metres. */
#define DQ_SCENE_CODE_NEAR 0.5F

/* Planes of height x width, row by row; any may be NULL. u, v: where the
 * point at the pixel's centre lies in the next frame, less the pixel's own
 * place, in pixels; 0 for sky of a static camera. */
struct dq_planes {
    float *r, *g, *b, *z, *sky, *u, *v;
};

void dq_scene_render(const struct dq_scene *scene, int frame, int threads,
                     const struct dq_planes *planes);

#ifdef __cplusplus
}
#endif
#endif
