/* depth_parts: the headers of a depth file's parts. */
#include <string.h>

#include "io/depth_private.h"
#include "io/exr_attributes.h"

static int bad_header(struct dq_depth_job *job, exr_result_t result,
                      struct dq_err *err)
{
    return dq_exr_fail(&job->stream, result, DQ_BUG, err,
                       "the header cannot be made");
}

/* ---- parts --------------------------------------------------------------- */

/* What every part has to say, taken over from a plate's part. */
struct frame_header {
    exr_attr_box2i_t display, data;
    float aspect, window_width;
    exr_attr_v2f_t window_centre;
};

static exr_attr_box2i_t exr_box(const struct dq_box *box)
{
    exr_attr_box2i_t out = {{box->x0, box->y0}, {box->x1, box->y1}};

    return out;
}

/* Display window and pixel aspect belong to the file: all parts must agree,
 * so the first one's are taken. */
static struct frame_header header_of(const struct dq_plate *plate, int part)
{
    const struct dq_plate_info *info = dq_plate_info(plate);
    struct frame_header h = {.window_width = 1};

    h.display = exr_box(&info->display);
    h.data = exr_box(&info->parts[part].data);
    h.aspect = info->pixel_aspect;
    if (plate->exr) {
        exr_get_screen_window_center(plate->exr, part, &h.window_centre);
        exr_get_screen_window_width(plate->exr, part, &h.window_width);
    }
    return h;
}

/* Where one part is deep, every part has to state its version. */
static int has_deep(const struct dq_depth_job *job)
{
    const struct dq_plate_info *info = dq_plate_info(job->plate);
    int i;

    for (i = 0; i < info->part_count; i++)
        if (info->parts[i].deep)
            return job->format->mode != DQ_DEPTH_SEPARATE;
    return 0;
}

static exr_result_t set_header(struct dq_depth_job *job, int part,
                               const struct frame_header *h,
                               exr_lineorder_t order, exr_compression_t codec)
{
    exr_result_t result = exr_initialize_required_attr(
        job->exr, part, &h->display, &h->data, h->aspect, &h->window_centre,
        h->window_width, order, codec);

    if (result == EXR_ERR_SUCCESS && has_deep(job))
        result = exr_set_version(job->exr, part, 1);
    return result;
}

/* Chunks are written in the order of their lines, whatever order the plate's
 * came in; only tiles may say that they come in any order. */
static exr_lineorder_t order_of(const struct dq_plate *plate, int part)
{
    exr_lineorder_t order = EXR_LINEORDER_INCREASING_Y;

    exr_get_lineorder(plate->exr, part, &order);
    return order == EXR_LINEORDER_RANDOM_Y ? order : EXR_LINEORDER_INCREASING_Y;
}

static exr_result_t copy_tiling(struct dq_depth_job *job, int from, int part)
{
    exr_tile_level_mode_t mode;
    exr_tile_round_mode_t round;
    uint32_t width, height;
    exr_storage_t storage = EXR_STORAGE_SCANLINE;
    exr_result_t result;

    exr_get_storage(job->plate->exr, from, &storage);
    if (storage != EXR_STORAGE_TILED && storage != EXR_STORAGE_DEEP_TILED)
        return EXR_ERR_SUCCESS;
    result = exr_get_tile_descriptor(job->plate->exr, from, &width, &height,
                                     &mode, &round);
    if (result != EXR_ERR_SUCCESS)
        return result;
    return exr_set_tile_descriptor(job->exr, part, width, height, mode, round);
}

/* A part stored like the plate's, less its channels and attributes. */
static exr_result_t add_like(struct dq_depth_job *job, int from,
                             const char *name, int *part)
{
    exr_context_t plate = job->plate->exr;
    struct frame_header h = header_of(job->plate, from);
    exr_storage_t storage = EXR_STORAGE_SCANLINE;
    exr_compression_t codec = EXR_COMPRESSION_NONE;
    exr_result_t result;

    exr_get_storage(plate, from, &storage);
    exr_get_compression(plate, from, &codec);
    result = exr_add_part(job->exr, name, storage, part);
    if (result == EXR_ERR_SUCCESS)
        result = set_header(job, *part, &h, order_of(job->plate, from), codec);
    if (result == EXR_ERR_SUCCESS)
        result = copy_tiling(job, from, *part);
    return result;
}

static exr_result_t add_layers(struct dq_depth_job *job, int part)
{
    exr_pixel_type_t type =
        job->format->half ? EXR_PIXEL_HALF : EXR_PIXEL_FLOAT;
    exr_result_t result = EXR_ERR_SUCCESS;
    int i;

    for (i = 0; i < job->encoder.layer_count && result == EXR_ERR_SUCCESS; i++)
        result = exr_add_channel(job->exr, part, job->encoder.layers[i].name,
                                 type, EXR_PERCEPTUALLY_LINEAR, 1, 1);
    return result;
}

static int add_depth_attrs(struct dq_depth_job *job, int part,
                           struct dq_err *err)
{
    exr_result_t result = EXR_ERR_SUCCESS;
    size_t i;

    for (i = 0; i < job->attr_count && result == EXR_ERR_SUCCESS; i++)
        result = exr_attr_set_string(job->exr, part, job->attrs[i].name,
                                     job->attrs[i].value);
    return result == EXR_ERR_SUCCESS ? DQ_OK : bad_header(job, result, err);
}

/* What OpenImageIO knows of a plate in another format. */
static exr_result_t set_known(struct dq_depth_job *job, int part)
{
    const struct dq_plate_info *info = dq_plate_info(job->plate);
    exr_attr_timecode_t code = {info->timecode[0], info->timecode[1]};
    exr_attr_rational_t rate = {info->rate[0], (uint32_t)info->rate[1]};
    exr_result_t result = EXR_ERR_SUCCESS;

    if (info->has_timecode)
        result = exr_attr_set_timecode(job->exr, part, "timeCode", &code);
    if (result == EXR_ERR_SUCCESS && info->has_rate)
        result =
            exr_attr_set_rational(job->exr, part, "framesPerSecond", &rate);
    return result;
}

/* timeCode and chromaticities belong to the file, as the display window. */
static int keep_attributes(struct dq_depth_job *job, int part,
                           struct dq_err *err)
{
    exr_context_t plate = job->plate->exr;
    int from = job->choice->part;
    exr_result_t result;

    if (!plate) {
        result = set_known(job, part);
        return result == EXR_ERR_SUCCESS ? DQ_OK : bad_header(job, result, err);
    }
    if (dq_exr_attributes_copy(plate, from, job->exr, part, DQ_EXR_KEEP_DEPTH,
                               err) ||
        dq_exr_attribute_copy(plate, 0, "timeCode", job->exr, part, err) ||
        dq_exr_attribute_copy(plate, 0, "chromaticities", job->exr, part, err))
        return err->code;
    return DQ_OK;
}

static const char *view_of(const struct dq_depth_job *job)
{
    if (job->format->view)
        return job->format->view;
    return dq_plate_info(job->plate)->parts[job->choice->part].view;
}

/* Deflate finds little in the low bits of float depth: the fastest level
 * takes 4/5 of the default's time for 0.2 % more bytes on a grainy 4K frame
 * (7 % on one without any grain). Half packs well, and is worth the default,
 * which is pinned so that the same input gives the same bytes. */
#define ZIP_LEVEL_FLOAT 1
#define ZIP_LEVEL_HALF 4

/* A part that holds depth and nothing else. */
int dq_depth_add_own_part(struct dq_depth_job *job, const char *name,
                          struct dq_err *err)
{
    struct frame_header h = header_of(job->plate, job->choice->part);
    const char *view = view_of(job);
    exr_result_t result;
    int part = 0;

    result = exr_add_part(job->exr, name, EXR_STORAGE_SCANLINE, &part);
    if (result == EXR_ERR_SUCCESS)
        result = set_header(job, part, &h, EXR_LINEORDER_INCREASING_Y,
                            dq_depth_codec(job->format->codec));
    if (result == EXR_ERR_SUCCESS)
        result = exr_set_zip_compression_level(
            job->exr, part,
            job->format->half ? ZIP_LEVEL_HALF : ZIP_LEVEL_FLOAT);
    if (result == EXR_ERR_SUCCESS)
        result = add_layers(job, part);
    if (result == EXR_ERR_SUCCESS && view && *view)
        result = exr_attr_set_string(job->exr, part, "view", view);
    if (result != EXR_ERR_SUCCESS)
        return bad_header(job, result, err);
    job->encoder.part = part;
    if (keep_attributes(job, part, err))
        return err->code;
    return add_depth_attrs(job, part, err);
}

static int is_layer(const struct dq_depth_job *job, const char *name)
{
    int i;

    for (i = 0; i < job->encoder.layer_count; i++)
        if (!strcmp(job->encoder.layers[i].name, name))
            return 1;
    return 0;
}

/* The plate's channels less those that depth and mask replace. */
static exr_result_t add_channels(struct dq_depth_job *job, int from, int part)
{
    const exr_attr_chlist_t *list = NULL;
    exr_result_t result = exr_get_channels(job->plate->exr, from, &list);
    int i;

    for (i = 0; result == EXR_ERR_SUCCESS && i < list->num_channels; i++) {
        const exr_attr_chlist_entry_t *c = &list->entries[i];

        if (is_layer(job, c->name.str))
            continue;
        result = exr_add_channel(job->exr, part, c->name.str, c->pixel_type,
                                 (exr_perceptual_treatment_t)c->p_linear,
                                 c->x_sampling, c->y_sampling);
    }
    return result;
}

/* A DWA plate is encoded again as finely as it was. */
static exr_result_t keep_quality(struct dq_depth_job *job, int from, int part)
{
    float level;

    if (exr_attr_get_float(job->plate->exr, from, "dwaCompressionLevel",
                           &level) != EXR_ERR_SUCCESS ||
        !(level >= 0))
        return EXR_ERR_SUCCESS;
    return exr_set_dwa_compression_level(job->exr, part, level);
}

int dq_depth_add_mixed_part(struct dq_depth_job *job, const char *name,
                            struct dq_err *err)
{
    int from = job->choice->part, part = 0;
    exr_result_t result = add_like(job, from, name, &part);

    if (result == EXR_ERR_SUCCESS)
        result = add_channels(job, from, part);
    if (result == EXR_ERR_SUCCESS)
        result = add_layers(job, part);
    if (result == EXR_ERR_SUCCESS)
        result = keep_quality(job, from, part);
    if (result != EXR_ERR_SUCCESS)
        return bad_header(job, result, err);
    job->encoder.part = part;
    if (dq_exr_attributes_copy(job->plate->exr, from, job->exr, part,
                               DQ_EXR_KEEP_MIXED, err))
        return err->code;
    return add_depth_attrs(job, part, err);
}

int dq_depth_add_copied_part(struct dq_depth_job *job, int from,
                             const char *name, struct dq_err *err)
{
    const exr_attr_chlist_t *channels = NULL;
    exr_result_t result;
    int part = 0;

    result = add_like(job, from, name, &part);
    if (result == EXR_ERR_SUCCESS)
        result = exr_get_channels(job->plate->exr, from, &channels);
    if (result == EXR_ERR_SUCCESS)
        result = exr_set_channels(job->exr, part, channels);
    if (result != EXR_ERR_SUCCESS)
        return bad_header(job, result, err);
    return dq_exr_attributes_copy(job->plate->exr, from, job->exr, part,
                                  DQ_EXR_KEEP_ALL, err);
}
