/* exr_header: what an EXR's header says, checked before anything is
 * allocated for its pixels. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/exr_scan.h"
#include "io/plate_private.h"

#define MAX_PARTS DQ_EXR_MAX_PARTS
#define MAX_CHANNELS DQ_EXR_MAX_CHANNELS
#define MAX_VIEWS 64
#define MAX_PIXELS ((int64_t)1 << 28)
#define MAX_ROW_BYTES ((int64_t)64 << 20)
#define MAX_CHUNK_BYTES ((uint64_t)1 << 30)
/* Coordinates beyond this are damage, and arithmetic on windows within it
 * stays far from overflow. */
#define MAX_COORDINATE (1 << 24)

static const char *const storage_names[] = {
    [EXR_STORAGE_SCANLINE] = "scanline",
    [EXR_STORAGE_TILED] = "tiled",
    [EXR_STORAGE_DEEP_SCANLINE] = "deep scanline",
    [EXR_STORAGE_DEEP_TILED] = "deep tiled",
};

static const char *storage_name(exr_storage_t storage)
{
    if ((unsigned)storage < sizeof storage_names / sizeof *storage_names)
        return storage_names[storage];
    return "unknown";
}

static struct dq_box box_of(const exr_attr_box2i_t *box)
{
    struct dq_box out = {box->min.x, box->min.y, box->max.x, box->max.y};

    return out;
}

/* The text of a string attribute, or NULL. */
static const char *text_of(exr_context_t exr, int part, const char *name)
{
    const char *text = NULL;
    int32_t length = 0;

    if (exr_attr_get_string(exr, part, name, &length, &text) != EXR_ERR_SUCCESS)
        return NULL;
    return text;
}

static const char *type_name(exr_pixel_type_t type)
{
    return type == EXR_PIXEL_HALF    ? "half"
           : type == EXR_PIXEL_FLOAT ? "float"
                                     : "uint";
}

/* ---- bounds -------------------------------------------------------------- */

static int out_of_range(int32_t coordinate)
{
    return coordinate < -MAX_COORDINATE || coordinate > MAX_COORDINATE;
}

static int check_window(const struct dq_box *box, const char *what,
                        struct dq_err *err)
{
    int64_t width = dq_box_width(box), height = dq_box_height(box);

    if (out_of_range(box->x0) || out_of_range(box->y0) ||
        out_of_range(box->x1) || out_of_range(box->y1))
        return dq_fail(err, DQ_PLATE,
                       "the %s window (%d, %d) to (%d, %d) "
                       "lies beyond %d: the header is damaged",
                       what, box->x0, box->y0, box->x1, box->y1,
                       MAX_COORDINATE);
    if (width < 1 || height < 1)
        return dq_fail(err, DQ_PLATE, "the %s window is empty", what);
    if (width > DQ_EXR_MAX_SIDE || height > DQ_EXR_MAX_SIDE ||
        width * height > MAX_PIXELS)
        return dq_fail(err, DQ_PLATE,
                       "the %s window is %lld x %lld pixels; at "
                       "most %d a side and 2^28 in all are read",
                       what, (long long)width, (long long)height,
                       DQ_EXR_MAX_SIDE);
    return DQ_OK;
}

static int check_sizes(exr_context_t exr, int part,
                       const struct dq_plate_part *p, struct dq_err *err)
{
    int64_t row = 0, width = dq_box_width(&p->data);
    uint64_t chunk = 0;
    int i;

    for (i = 0; i < p->channel_count; i++)
        row += width / p->channels[i].x_sampling *
               (p->channels[i].type[0] == 'h' ? 2 : 4);
    if (row > MAX_ROW_BYTES)
        return dq_fail(err, DQ_PLATE,
                       "one row of %d channels is %lld bytes; at most %lld "
                       "are read",
                       p->channel_count, (long long)row,
                       (long long)MAX_ROW_BYTES);
    if (!p->deep &&
        (exr_get_chunk_unpacked_size(exr, part, &chunk) != EXR_ERR_SUCCESS ||
         chunk > MAX_CHUNK_BYTES))
        return dq_fail(
            err, DQ_PLATE, "one chunk is %llu bytes; at most %llu are read",
            (unsigned long long)chunk, (unsigned long long)MAX_CHUNK_BYTES);
    return DQ_OK;
}

/* ---- parts --------------------------------------------------------------- */

static int read_channels(exr_context_t exr, int part, struct dq_plate_part *p,
                         struct dq_err *err)
{
    const exr_attr_chlist_t *list = NULL;
    struct dq_plate_channel *channels;
    int i;

    if (exr_get_channels(exr, part, &list) != EXR_ERR_SUCCESS)
        return dq_fail(err, DQ_PLATE, "it has no list of channels");
    if (list->num_channels < 1 || list->num_channels > MAX_CHANNELS)
        return dq_fail(err, DQ_PLATE, "%d channels; 1 to %d are read",
                       list->num_channels, MAX_CHANNELS);
    channels = dq_new_array((size_t)list->num_channels, sizeof *channels);
    for (i = 0; i < list->num_channels; i++) {
        channels[i].name = list->entries[i].name.str;
        channels[i].type = type_name(list->entries[i].pixel_type);
        channels[i].x_sampling = list->entries[i].x_sampling;
        channels[i].y_sampling = list->entries[i].y_sampling;
    }
    p->channels = channels;
    p->channel_count = list->num_channels;
    return DQ_OK;
}

static int read_part(exr_context_t exr, int part, struct dq_plate_part *p,
                     struct dq_err *err)
{
    exr_storage_t storage = EXR_STORAGE_UNKNOWN;
    exr_compression_t compression = EXR_COMPRESSION_LAST_TYPE;
    exr_attr_box2i_t data = {{0, 0}, {-1, -1}};
    const char *text;

    exr_get_storage(exr, part, &storage);
    exr_get_compression(exr, part, &compression);
    exr_get_data_window(exr, part, &data);
    text = text_of(exr, part, "name");
    p->name = text ? text : "";
    text = text_of(exr, part, "view");
    p->view = text ? text : "";
    p->storage = storage_name(storage);
    p->compression = exr_compression_name(compression);
    p->deep = storage != EXR_STORAGE_SCANLINE && storage != EXR_STORAGE_TILED;
    p->data = box_of(&data);
    if (check_window(&p->data, "data", err))
        return err->code;
    if (read_channels(exr, part, p, err))
        return err->code;
    return check_sizes(exr, part, p, err);
}

static int read_parts(struct dq_plate *plate, struct dq_err *err)
{
    struct dq_plate_part *parts;
    char where[DQ_PART_TEXT];
    int i, count = 0;

    exr_get_count(plate->exr, &count);
    if (count < 1 || count > MAX_PARTS)
        return dq_fail(err, DQ_PLATE, "%d parts; 1 to %d are read", count,
                       MAX_PARTS);
    parts = dq_new_array((size_t)count, sizeof *parts);
    plate->info.parts = parts;
    plate->info.part_count = count;
    for (i = 0; i < count; i++) {
        if (read_part(plate->exr, i, &parts[i], err)) {
            dq_plate_part_text(&plate->info, i, where);
            return dq_because(err, "%s", where);
        }
    }
    return DQ_OK;
}

/* ---- views --------------------------------------------------------------- */

static void add_view(const char **views, int *count, const char *view)
{
    int i;

    for (i = 0; i < *count; i++)
        if (!strcmp(views[i], view))
            return;
    if (*view && *count < MAX_VIEWS)
        views[(*count)++] = view;
}

/* Views of the parts in their order; where no part has one, those of the
 * first part's multiView, whose first is the default. */
static int read_views(struct dq_plate *plate, struct dq_err *err)
{
    struct dq_plate_info *info = &plate->info;
    const char **views = dq_new_array(MAX_VIEWS, sizeof *views);
    int32_t count = 0;
    int i;

    info->views = views;
    for (i = 0; i < info->part_count; i++)
        add_view(views, &info->view_count, info->parts[i].view);
    if (info->view_count ||
        exr_attr_get_string_vector(plate->exr, 0, "multiView", &count, NULL) !=
            EXR_ERR_SUCCESS)
        return DQ_OK;
    if (count > MAX_VIEWS)
        return dq_fail(err, DQ_PLATE, "%d views; at most %d are read", count,
                       MAX_VIEWS);
    if (exr_attr_get_string_vector(plate->exr, 0, "multiView", &count, views) ==
        EXR_ERR_SUCCESS)
        info->view_count = count;
    return DQ_OK;
}

/* ---- what belongs to the whole file -------------------------------------- */

static void read_chromaticities(struct dq_plate *plate)
{
    exr_attr_chromaticities_t c;

    if (exr_attr_get_chromaticities(plate->exr, 0, "chromaticities", &c) !=
        EXR_ERR_SUCCESS)
        return;
    plate->info.has_chromaticities = 1;
    memcpy(plate->info.chromaticities, &c, sizeof c);
}

static void read_time(struct dq_plate *plate)
{
    struct dq_plate_info *info = &plate->info;
    exr_attr_timecode_t code;
    exr_attr_rational_t rate;

    if (exr_attr_get_timecode(plate->exr, 0, "timeCode", &code) ==
        EXR_ERR_SUCCESS) {
        info->has_timecode = 1;
        info->timecode[0] = code.time_and_flags;
        info->timecode[1] = code.user_data;
    }
    if (exr_attr_get_rational(plate->exr, 0, "framesPerSecond", &rate) ==
            EXR_ERR_SUCCESS &&
        rate.denom <= INT32_MAX) {
        info->has_rate = 1;
        info->rate[0] = rate.num;
        info->rate[1] = (int32_t)rate.denom;
    }
}

int dq_exr_header_read(struct dq_plate *plate, struct dq_err *err)
{
    struct dq_plate_info *info = &plate->info;
    exr_attr_box2i_t display = {{0, 0}, {-1, -1}};

    info->format = "openexr";
    info->pixel_aspect = 1;
    exr_get_display_window(plate->exr, 0, &display);
    exr_get_pixel_aspect_ratio(plate->exr, 0, &info->pixel_aspect);
    info->display = box_of(&display);
    if (check_window(&info->display, "display", err) ||
        read_parts(plate, err) || read_views(plate, err))
        return err->code;
    info->interop_id = text_of(plate->exr, 0, "colorInteropID");
    read_chromaticities(plate);
    read_time(plate);
    plate->stream.message[0] = '\0'; /* attributes that are not there */
    return DQ_OK;
}

void dq_exr_header_free(struct dq_plate *plate)
{
    int i;

    for (i = 0; plate->info.parts && i < plate->info.part_count; i++)
        free((void *)plate->info.parts[i].channels);
    free((void *)plate->info.parts);
    free((void *)plate->info.views);
}

void dq_plate_part_text(const struct dq_plate_info *info, int part,
                        char text[DQ_PART_TEXT])
{
    if (info->part_count == 1)
        snprintf(text, DQ_PART_TEXT, "the plate");
    else if (info->parts[part].name && *info->parts[part].name)
        snprintf(text, DQ_PART_TEXT, "part '%.128s'", info->parts[part].name);
    else
        snprintf(text, DQ_PART_TEXT, "part %d", part);
}
