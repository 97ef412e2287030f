/* write_exr: planes as a single-part EXR file, through OpenEXRCore.
 *
 * Scanlines, ZIPS, whole display window, Rec.709 chromaticities, 24 frames a
 * second. Published whole (base/publish.h). One thread a call.
 */
#ifndef DQ_SCENE_WRITE_EXR_H
#define DQ_SCENE_WRITE_EXR_H

#include "base/err.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dq_exr_plane {
    const char *name;    /* channel */
    const float *values; /* height x width, row by row */
};

/* Write count planes as half or float. DQ_MEMORY, or as dq_publish. */
int dq_scene_write_exr(const char *path, int width, int height,
                       const struct dq_exr_plane *planes, int count, int half,
                       struct dq_err *err);

#ifdef __cplusplus
}
#endif
#endif
