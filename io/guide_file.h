/* guide_file: three float planes of one small picture as an EXR file: what a
 * scan keeps of a frame (infer/guide.h). Any viewer opens it: the guide is R,
 * the plate's luma G, and B says where the picture is real.
 *
 * Lossless, compressed, with text attributes and a digest of the planes: a
 * file that was altered or is torn is no guide. Any thread.
 */
#ifndef DQ_IO_GUIDE_FILE_H
#define DQ_IO_GUIDE_FILE_H

#include <stddef.h>
#include "base/bytes.h"
#include "base/err.h"
#include "io/depth_file.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { DQ_GUIDE_PLANES = 3 };

/* plane[i]: height x width. Same planes and attributes, same bytes. out is
 * recycled. DQ_MEMORY, DQ_BUG. */
int dq_guide_file_encode(int width, int height,
                         const float *const plane[DQ_GUIDE_PLANES],
                         const struct dq_depth_attr *attrs, size_t attr_count,
                         struct dq_bytes *out, struct dq_err *err);

struct dq_guide_file {
    int width, height;
    float *planes; /* DQ_GUIDE_PLANES x height x width; owned */
};

/* Decode a whole file; wanted are attributes that it must have with exactly
 * these texts. DQ_PLATE: it is not that, or it is damaged; DQ_MEMORY. Free
 * with dq_guide_file_free. */
int dq_guide_file_decode(const struct dq_bytes *bytes, const char *name,
                         const struct dq_depth_attr *wanted,
                         size_t wanted_count, struct dq_guide_file *file,
                         struct dq_err *err);
void dq_guide_file_free(struct dq_guide_file *file); /* and zero it */

#ifdef __cplusplus
}
#endif
#endif
