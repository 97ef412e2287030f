/* depth_file: the three forms of a depth file, from header to last chunk.
 * depth_check says what is allowed, depth_parts makes headers, exr_encode
 * and exr_copy make chunks. */
#include "io/depth_file.h"

#include <string.h>

#include "base/fault.h"
#include "io/depth_private.h"
#include "io/exr_attributes.h"
#include "io/exr_copy.h"

#define SHORT_NAME 31
#define HEADER_ROOM ((size_t)64 << 10)
#define CHUNK_ROOM 64 /* leader and table entry, generously */

static int write_header(struct dq_depth_job *job, struct dq_err *err)
{
    exr_result_t result = exr_write_header(job->exr);

    if (result == EXR_ERR_SUCCESS)
        return DQ_OK;
    return dq_exr_fail(&job->stream, result, DQ_BUG, err,
                       "the header cannot be made");
}

/* The plate's name for a part, else fallback. */
static const char *part_name(const struct dq_depth_job *job, int part,
                             const char *fallback)
{
    const char *name = job->plate->info.parts[part].name;

    return *name ? name : fallback;
}

static int write_separate(struct dq_depth_job *job, struct dq_err *err)
{
    if (dq_depth_add_own_part(job, NULL, err) || write_header(job, err))
        return err->code;
    return dq_exr_encoder_write(&job->encoder, err);
}

/* Depth goes last, so that old readers still open the picture. */
static int write_part(struct dq_depth_job *job, struct dq_err *err)
{
    int i, count = job->plate->info.part_count;

    for (i = 0; i < count; i++)
        if (dq_depth_add_copied_part(job, i, part_name(job, i, DQ_PLATE_PART),
                                     err))
            return err->code;
    if (dq_depth_add_own_part(job, job->format->part, err) ||
        write_header(job, err))
        return err->code;
    for (i = 0; i < count; i++)
        if (dq_exr_copy_chunks(job->plate, i, job->exr, i, err))
            return err->code;
    return dq_exr_encoder_write(&job->encoder, err);
}

static int write_channel(struct dq_depth_job *job, struct dq_err *err)
{
    int i, count = job->plate->info.part_count, at = job->choice->part;

    for (i = 0; i < count; i++) {
        const char *name = part_name(job, i, NULL);

        if (i == at ? dq_depth_add_mixed_part(job, name, err)
                    : dq_depth_add_copied_part(job, i, name, err))
            return err->code;
    }
    if (write_header(job, err))
        return err->code;
    for (i = 0; i < count; i++) {
        if (i == at ? dq_exr_copy_pixels(job->plate, i, &job->encoder, err)
                    : dq_exr_copy_chunks(job->plate, i, job->exr, i, err))
            return err->code;
    }
    return DQ_OK;
}

/* ---- set up -------------------------------------------------------------- */

static void set_layers(struct dq_depth_job *job, const float *depth,
                       const float *mask)
{
    const struct dq_plate_info *info = dq_plate_info(job->plate);
    const char *channels[DQ_EXR_LAYERS] = {job->format->channel,
                                           DQ_MASK_CHANNEL};
    const float *planes[DQ_EXR_LAYERS] = {depth, mask};
    int i;

    job->encoder.half = job->format->half;
    job->encoder.layer_count = mask ? 2 : 1;
    for (i = 0; i < job->encoder.layer_count; i++) {
        struct dq_exr_layer *layer = &job->encoder.layers[i];

        dq_depth_channel_name(info, job->format, channels[i], job->names[i]);
        layer->name = job->names[i];
        layer->plane = planes[i];
        layer->width = dq_box_width(&info->parts[job->choice->part].data);
    }
}

static int needs_long_names(const struct dq_depth_job *job)
{
    size_t i;

    for (i = 0; i < job->attr_count; i++)
        if (strlen(job->attrs[i].name) > SHORT_NAME)
            return 1;
    for (i = 0; i < (size_t)job->encoder.layer_count; i++)
        if (strlen(job->names[i]) > SHORT_NAME)
            return 1;
    return job->plate->exr && dq_exr_has_long_names(job->plate->exr);
}

/* Room for the file at its largest, so that it is never moved: a chunk that
 * does not shrink is stored as it is. */
static int make_room(struct dq_depth_job *job, struct dq_err *err)
{
    const struct dq_plate_part *part =
        &dq_plate_info(job->plate)->parts[job->choice->part];
    size_t width = (size_t)dq_box_width(&part->data);
    size_t height = (size_t)dq_box_height(&part->data);
    size_t room = HEADER_ROOM + height * CHUNK_ROOM +
                  width * height * 4 * (size_t)job->encoder.layer_count;

    if (job->format->mode != DQ_DEPTH_SEPARATE)
        room += (size_t)job->plate->stream.count;
    return dq_bytes_reserve(job->stream.out, room, err);
}

static int write_all(struct dq_depth_job *job, struct dq_err *err)
{
    exr_result_t result;

    if (make_room(job, err))
        return err->code;
    job->exr = dq_exr_open_write(&job->stream, err);
    if (!job->exr)
        return err->code;
    job->encoder.exr = job->exr;
    if (needs_long_names(job)) {
        result = exr_set_longname_support(job->exr, 1);
        if (result != EXR_ERR_SUCCESS)
            return dq_exr_fail(&job->stream, result, DQ_BUG, err, "long names");
    }
    switch (job->format->mode) {
    case DQ_DEPTH_SEPARATE:
        return write_separate(job, err);
    case DQ_DEPTH_PART:
        return write_part(job, err);
    case DQ_DEPTH_CHANNEL:
        return write_channel(job, err);
    }
    return dq_fail(err, DQ_BUG, "no such form of depth file");
}

static int finish(struct dq_depth_job *job, struct dq_err *err)
{
    exr_result_t result;

    dq_exr_encoder_free(&job->encoder);
    if (!job->exr)
        return err->code;
    result = exr_finish(&job->exr);
    if (!err->code && result != EXR_ERR_SUCCESS)
        dq_exr_fail(&job->stream, result, DQ_BUG, err,
                    "the file cannot be finished");
    return err->code;
}

int dq_depth_file_encode(const struct dq_plate *plate,
                         const struct dq_plate_choice *choice,
                         const struct dq_depth_format *format,
                         const float *depth, const float *mask,
                         const struct dq_depth_attr *attrs, size_t attr_count,
                         struct dq_bytes *out, struct dq_err *err)
{
    struct dq_depth_job job = {
        .plate = plate,
        .choice = choice,
        .format = format,
        .attrs = attrs,
        .attr_count = attr_count,
        .stream = {.out = out, .fd = -1},
    };
    struct dq_err local = {0};

    if (!err)
        err = &local;
    dq_err_clear(err);
    if (plate->header_only)
        return dq_fail(err, DQ_BUG, "%s: opened for its header alone",
                       plate->name);
    if (dq_fault(DQ_FAULT_ENCODE))
        return dq_fail(err, DQ_MEMORY, "%s: a fault was injected", plate->name);
    if (!dq_depth_check(plate, choice, format, mask != NULL, err)) {
        set_layers(&job, depth, mask);
        write_all(&job, err);
        finish(&job, err);
    }
    return err->code ? dq_because(err, "%s", plate->name) : DQ_OK;
}
