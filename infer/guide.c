#include "infer/guide.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fingerprint.h"
#include "base/mem.h"
#include "io/guide_file.h"
#include "io/plate.h"

#define KEY_ATTR "depthq/guide_key"
#define SHA256_ATTR "depthq/plate_sha256"
#define BYTES_ATTR "depthq/plate_bytes"
#define MTIME_ATTR "depthq/plate_mtime_ns"

enum { GUIDE_LIMIT = 1 << 30 }; /* of a file */

void dq_guide_free(struct dq_guide *g)
{
    free(g->depth);
    memset(g, 0, sizeof *g);
}

int dq_guide_shape(struct dq_guide *g, int width, int height,
                   struct dq_err *err)
{
    size_t one = (size_t)width * (size_t)height;

    if (one * DQ_GUIDE_PLANES > g->room) {
        free(g->depth);
        g->depth = malloc(one * DQ_GUIDE_PLANES * sizeof *g->depth);
        g->room = g->depth ? one * DQ_GUIDE_PLANES : 0;
    }
    if (!g->depth)
        return dq_fail(err, DQ_MEMORY, "no memory for a guide of %d x %d",
                       width, height);
    g->width = width;
    g->height = height;
    g->luma = g->depth + one;
    g->real = g->luma + one;
    return DQ_OK;
}

char *dq_guide_path(const struct dq_recipe *recipe, int32_t frame, int kept)
{
    return dq_asprintf("%s/guides/%" PRId32 "%s.exr", recipe->shot_folder,
                       frame, kept ? "-solved" : "");
}

void dq_guide_key(const struct dq_recipe *recipe, const struct dq_shot *shot,
                  char hex[DQ_SHA256_HEX])
{
    const struct dq_box *l = &shot->lattice;
    char *all = dq_asprintf(
        "revision=%d\n%slattice=%" PRId32 ",%" PRId32 ",%" PRId32 ",%" PRId32
        "\npixel_aspect=%.9g\nexposure_ev=%.9g\n",
        DQ_PIXELS_REVISION, recipe->scan_text, l->x0, l->y0, l->x1, l->y1,
        (double)shot->pixel_aspect, (double)shot->exposure_ev);

    dq_sha256(all, strlen(all), hex);
    free(all);
}

int dq_guide_encode(const struct dq_guide *g, const char *key,
                    struct dq_bytes *out, struct dq_err *err)
{
    const float *const plane[DQ_GUIDE_PLANES] = {g->depth, g->luma, g->real};
    char bytes[32], mtime[32];
    const struct dq_depth_attr attrs[] = {{KEY_ATTR, key},
                                          {SHA256_ATTR, g->plate.sha256},
                                          {BYTES_ATTR, bytes},
                                          {MTIME_ATTR, mtime}};

    snprintf(bytes, sizeof bytes, "%" PRId64, g->plate.bytes);
    snprintf(mtime, sizeof mtime, "%" PRId64, g->plate.mtime_ns);
    return dq_guide_file_encode(g->width, g->height, plane, attrs, 4, out, err);
}

/* ---- reading ------------------------------------------------------------- */

static int64_t number_of(const struct dq_plate *file, const char *name)
{
    const char *text = dq_plate_attribute(file, 0, name);

    return text ? (int64_t)strtoll(text, NULL, 10) : -1;
}

static int take_mark(const struct dq_plate *file, const char *key,
                     struct dq_file_mark *plate, struct dq_err *err)
{
    const char *has = dq_plate_attribute(file, 0, KEY_ATTR);
    const char *sha256 = dq_plate_attribute(file, 0, SHA256_ATTR);

    if (!has || strcmp(has, key) != 0 || !sha256)
        return dq_fail(err, DQ_MISSING, "was made otherwise");
    snprintf(plate->sha256, sizeof plate->sha256, "%s", sha256);
    plate->bytes = number_of(file, BYTES_ATTR);
    plate->mtime_ns = number_of(file, MTIME_ATTR);
    return DQ_OK;
}

/* Whatever is wrong with what a guide holds, there is none; storage that does
 * not answer says nothing about it. */
static int missing(struct dq_err *err, const char *path)
{
    if (err->code == DQ_PLATE)
        err->code = DQ_MISSING;
    if (strncmp(err->text, path, strlen(path)) == 0)
        return err->code; /* who read the file has named it */
    return dq_because(err, "%s", path);
}

int dq_guide_look(const char *path, const char *key, struct dq_file_mark *plate,
                  struct dq_err *err)
{
    struct dq_plate *file = dq_plate_open_header(path, err);

    if (file)
        take_mark(file, key, plate, err);
    dq_plate_close(file);
    return err->code ? missing(err, path) : DQ_OK;
}

static int decode(const struct dq_bytes *bytes, const char *path,
                  const char *key, const char *plate_sha256, struct dq_guide *g,
                  struct dq_err *err)
{
    const struct dq_depth_attr wanted[] = {{KEY_ATTR, key},
                                           {SHA256_ATTR, plate_sha256}};
    struct dq_guide_file file = {0};

    if (dq_guide_file_decode(bytes, path, wanted, plate_sha256 ? 2 : 1, &file,
                             err))
        return err->code;
    if (!dq_guide_shape(g, file.width, file.height, err))
        memcpy(g->depth, file.planes,
               (size_t)file.width * (size_t)file.height * DQ_GUIDE_PLANES *
                   sizeof *g->depth);
    dq_guide_file_free(&file);
    return err->code;
}

int dq_guide_read(const char *path, const char *key, const char *plate_sha256,
                  struct dq_guide *g, struct dq_err *err)
{
    struct dq_bytes bytes = {0};
    struct dq_plate *file = NULL;

    if (!dq_bytes_read_file(&bytes, path, GUIDE_LIMIT, DQ_PLATE, err))
        file = dq_plate_open(bytes.data, bytes.count, path, err);
    if (file && !take_mark(file, key, &g->plate, err))
        decode(&bytes, path, key, plate_sha256, g, err);
    dq_plate_close(file);
    dq_bytes_free(&bytes);
    return err->code ? missing(err, path) : DQ_OK;
}
