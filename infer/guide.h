/* guide: what a scan keeps of one frame, as a file in the shot's folder:
 * `<shot folder>/guides/<frame>.exr` (io/guide_file.h).
 *
 * The network's answer to the whole picture at its own size (docs/depth.md, 3),
 * to the last bit, so that a render need not ask again; the plate's luma on
 * the same pixels, for matching; and where the picture is real. It counts
 * only with the right key (model, input fields, exposure, lattice: what
 * decides a guide) and for the plate whose digest it names. A cache: whoever
 * finds none makes one. Any thread.
 */
#ifndef DQ_INFER_GUIDE_H
#define DQ_INFER_GUIDE_H

#include "base/bytes.h"
#include "base/err.h"
#include "infer/recipe.h"
#include "infer/shot.h"
#include "io/ledger.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dq_guide {
    int width, height;
    float *depth; /* height x width; owns all three */
    float *luma;  /* display-encoded, 0..1 */
    float *real;  /* 1 where picture and not sky, 0 where not */
    size_t room;  /* floats of depth's buffer */
    struct dq_file_mark plate;
};

void dq_guide_free(struct dq_guide *guide); /* what it holds; and zero it */
/* Room for width x height; kept when it is large enough. DQ_MEMORY. */
int dq_guide_shape(struct dq_guide *guide, int width, int height,
                   struct dq_err *err);

/* "<shot folder>/guides/<frame>.exr"; kept: "<frame>-solved.exr", the guide
 * that the shot was solved with, of a plate that was replaced since. Caller
 * frees. */
char *dq_guide_path(const struct dq_recipe *recipe, int32_t frame, int kept);

/* What decides the guides of a shot, less the plates. */
void dq_guide_key(const struct dq_recipe *recipe, const struct dq_shot *shot,
                  char hex[DQ_SHA256_HEX]);

/* As a file's bytes. DQ_MEMORY, DQ_BUG. */
int dq_guide_encode(const struct dq_guide *guide, const char *key,
                    struct dq_bytes *out, struct dq_err *err);

/* The plate that the file at path was made of, from its header alone.
 * DQ_MISSING: no file, another key, or none of ours. DQ_IO, DQ_DENIED,
 * DQ_MEMORY: whether there is one is not known. */
int dq_guide_look(const char *path, const char *key, struct dq_file_mark *plate,
                  struct dq_err *err);

/* Read it whole. plate_sha256 NULL: of any plate. DQ_MISSING: as above,
 * another plate, or damaged. The others as above. */
int dq_guide_read(const char *path, const char *key, const char *plate_sha256,
                  struct dq_guide *guide, struct dq_err *err);

#ifdef __cplusplus
}
#endif
#endif
