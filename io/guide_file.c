#include "io/guide_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "io/exr_encode.h"
#include "io/plate.h"

#define DIGEST_ATTR "depthq/planes_sha256"

static const char *const channel_names[DQ_GUIDE_PLANES] = {"R", "G", "B"};

static void digest_of(int width, int height,
                      const float *const plane[DQ_GUIDE_PLANES],
                      char hex[DQ_SHA256_HEX])
{
    size_t bytes = (size_t)width * (size_t)height * sizeof(float);
    struct dq_bytes all = {0};

    for (int i = 0; i < DQ_GUIDE_PLANES; i++) {
        char one[DQ_SHA256_HEX];

        dq_sha256(plane[i], bytes, one);
        dq_bytes_text(&all, one);
    }
    dq_sha256(all.data, all.count, hex);
    dq_bytes_free(&all);
}

/* ---- writing ------------------------------------------------------------- */

static exr_result_t add_part(exr_context_t exr, int width, int height,
                             int *part)
{
    exr_attr_box2i_t box = {{0, 0}, {width - 1, height - 1}};
    exr_attr_v2f_t centre = {0, 0};
    exr_result_t result = exr_add_part(exr, NULL, EXR_STORAGE_SCANLINE, part);

    if (result == EXR_ERR_SUCCESS)
        result = exr_initialize_required_attr(
            exr, *part, &box, &box, 1, &centre, 1, EXR_LINEORDER_INCREASING_Y,
            EXR_COMPRESSION_ZIP);
    for (int i = 0; i < DQ_GUIDE_PLANES && result == EXR_ERR_SUCCESS; i++)
        result = exr_add_channel(exr, *part, channel_names[i], EXR_PIXEL_FLOAT,
                                 EXR_PERCEPTUALLY_LINEAR, 1, 1);
    return result;
}

static exr_result_t write_header(exr_context_t exr, int part,
                                 const struct dq_depth_attr *attrs,
                                 size_t attr_count, const char *digest)
{
    exr_result_t result = EXR_ERR_SUCCESS;

    for (size_t i = 0; i < attr_count && result == EXR_ERR_SUCCESS; i++)
        result = exr_attr_set_string(exr, part, attrs[i].name, attrs[i].value);
    if (result == EXR_ERR_SUCCESS)
        result = exr_attr_set_string(exr, part, DIGEST_ATTR, digest);
    return result == EXR_ERR_SUCCESS ? exr_write_header(exr) : result;
}

static void set_layers(struct dq_exr_encoder *encoder, int width,
                       const float *const plane[DQ_GUIDE_PLANES])
{
    encoder->layer_count = DQ_GUIDE_PLANES;
    for (int i = 0; i < DQ_GUIDE_PLANES; i++) {
        encoder->layers[i].name = channel_names[i];
        encoder->layers[i].plane = plane[i];
        encoder->layers[i].width = width;
    }
}

int dq_guide_file_encode(int width, int height,
                         const float *const plane[DQ_GUIDE_PLANES],
                         const struct dq_depth_attr *attrs, size_t attr_count,
                         struct dq_bytes *out, struct dq_err *err)
{
    struct dq_exr_stream stream = {.out = out, .fd = -1};
    struct dq_exr_encoder encoder = {0};
    char digest[DQ_SHA256_HEX];
    exr_context_t exr = dq_exr_open_write(&stream, err);
    exr_result_t result;

    if (!exr)
        return err->code;
    digest_of(width, height, plane, digest);
    encoder.exr = exr;
    set_layers(&encoder, width, plane);
    result = add_part(exr, width, height, &encoder.part);
    if (result == EXR_ERR_SUCCESS)
        result = write_header(exr, encoder.part, attrs, attr_count, digest);
    if (result != EXR_ERR_SUCCESS)
        dq_exr_fail(&stream, result, DQ_BUG, err, "a guide's header");
    else
        dq_exr_encoder_write(&encoder, err);
    dq_exr_encoder_free(&encoder);
    result = exr_finish(&exr);
    if (!err->code && result != EXR_ERR_SUCCESS)
        dq_exr_fail(&stream, result, DQ_BUG, err, "a guide cannot be finished");
    return err->code;
}

/* ---- reading ------------------------------------------------------------- */

static int check_attributes(const struct dq_plate *plate,
                            const struct dq_depth_attr *wanted, size_t count,
                            struct dq_err *err)
{
    for (size_t i = 0; i < count; i++) {
        const char *has = dq_plate_attribute(plate, 0, wanted[i].name);

        if (!has || strcmp(has, wanted[i].value) != 0)
            return dq_fail(err, DQ_PLATE, "%s is '%s', not '%s'",
                           wanted[i].name, has ? has : "", wanted[i].value);
    }
    return DQ_OK;
}

static int take_planes(const struct dq_frame *f, struct dq_guide_file *file,
                       struct dq_err *err)
{
    size_t one;

    file->width = (int)dq_box_width(&f->data);
    file->height = (int)dq_box_height(&f->data);
    one = (size_t)file->width * (size_t)file->height;
    if (f->type != DQ_PIXEL_FLOAT || !f->plane[DQ_PLANE_B])
        return dq_fail(err, DQ_PLATE, "holds no float R, G and B");
    file->planes = malloc(one * DQ_GUIDE_PLANES * sizeof *file->planes);
    if (!file->planes)
        return dq_fail(err, DQ_MEMORY, "no memory for a guide of %d x %d",
                       file->width, file->height);
    for (size_t i = 0; i < DQ_GUIDE_PLANES; i++)
        memcpy(file->planes + i * one, f->plane[i], one * sizeof(float));
    return DQ_OK;
}

static int check_digest(const struct dq_plate *plate,
                        const struct dq_guide_file *file, struct dq_err *err)
{
    const char *has = dq_plate_attribute(plate, 0, DIGEST_ATTR);
    size_t one = (size_t)file->width * (size_t)file->height;
    const float *const plane[DQ_GUIDE_PLANES] = {
        file->planes, file->planes + one, file->planes + 2 * one};
    char digest[DQ_SHA256_HEX];

    digest_of(file->width, file->height, plane, digest);
    if (!has || strcmp(has, digest) != 0)
        return dq_fail(err, DQ_PLATE, "its planes are not what was written");
    return DQ_OK;
}

int dq_guide_file_decode(const struct dq_bytes *bytes, const char *name,
                         const struct dq_depth_attr *wanted,
                         size_t wanted_count, struct dq_guide_file *file,
                         struct dq_err *err)
{
    struct dq_plate *plate =
        dq_plate_open(bytes->data, bytes->count, name, err);
    struct dq_plate_wish wish = {0};
    struct dq_plate_choice choice = {0};
    struct dq_frame frame = {0};

    memset(file, 0, sizeof *file);
    if (plate && !check_attributes(plate, wanted, wanted_count, err) &&
        !dq_plate_choose(plate, &wish, &choice, err) &&
        !dq_plate_decode(plate, &choice, &frame, err) &&
        !take_planes(&frame, file, err))
        check_digest(plate, file, err);
    if (err->code)
        dq_guide_file_free(file);
    dq_frame_free(&frame);
    dq_plate_close(plate);
    return err->code;
}

void dq_guide_file_free(struct dq_guide_file *file)
{
    free(file->planes);
    memset(file, 0, sizeof *file);
}
