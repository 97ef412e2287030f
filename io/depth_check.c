/* depth_check: whether a plate allows the depth file that was asked for. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "io/depth_private.h"
#include "io/plate_private.h"

#define EXR_AT_LEAST(minor)       \
    (OPENEXR_VERSION_MAJOR > 3 || \
     (OPENEXR_VERSION_MAJOR == 3 && OPENEXR_VERSION_MINOR >= (minor)))

exr_compression_t dq_depth_codec(enum dq_depth_codec codec)
{
    switch (codec) {
    case DQ_CODEC_NONE:
        return EXR_COMPRESSION_NONE;
    case DQ_CODEC_RLE:
        return EXR_COMPRESSION_RLE;
    case DQ_CODEC_ZIPS:
        return EXR_COMPRESSION_ZIPS;
    case DQ_CODEC_ZIP:
        return EXR_COMPRESSION_ZIP;
    case DQ_CODEC_PIZ:
        return EXR_COMPRESSION_PIZ;
    case DQ_CODEC_PXR24:
        return EXR_COMPRESSION_PXR24;
    case DQ_CODEC_HTJ2K:
        return EXR_COMPRESSION_HTJ2K32;
    case DQ_CODEC_ZSTD:
#if EXR_AT_LEAST(5)
        return EXR_COMPRESSION_ZSTD;
#else
        break;
#endif
    }
    return EXR_COMPRESSION_LAST_TYPE;
}

static int view_in_name(const struct dq_plate_info *info,
                        const struct dq_depth_format *format)
{
    return format->mode == DQ_DEPTH_CHANNEL && info->part_count == 1 &&
           info->view_count > 1 && !*info->parts[0].view && format->view &&
           strcmp(format->view, info->views[0]) != 0;
}

void dq_depth_channel_name(const struct dq_plate_info *info,
                           const struct dq_depth_format *format,
                           const char *channel, char name[DQ_DEPTH_NAME])
{
    const char *last = strrchr(channel, '.');
    int layer = last ? (int)(last - channel) + 1 : 0;

    if (view_in_name(info, format))
        snprintf(name, DQ_DEPTH_NAME, "%.*s%s.%s", layer, channel, format->view,
                 channel + layer);
    else
        snprintf(name, DQ_DEPTH_NAME, "%s", channel);
}

/* Both forms that hold the plate's parts copy them. */
static int check_kinds(const struct dq_plate_info *info, struct dq_err *err)
{
    int i;

    for (i = 0; i < info->part_count; i++)
        if (!strcmp(info->parts[i].storage, "unknown"))
            return dq_fail(err, DQ_SPEC,
                           "part '%s' is of a kind that cannot be copied; use "
                           "output.mode 'separate'",
                           info->parts[i].name);
    return DQ_OK;
}

/* ---- mode part ----------------------------------------------------------- */

static int check_parts(const struct dq_plate_info *info,
                       const struct dq_depth_format *format, struct dq_err *err)
{
    int i;

    if (info->part_count == 1 && info->view_count > 1)
        return dq_fail(err, DQ_SPEC,
                       "the plate holds %d views in one part, "
                       "which no multi-part file may; use output.mode "
                       "'separate' or 'channel'",
                       info->view_count);
    for (i = 0; i < info->part_count; i++) {
        const char *name = info->parts[i].name;

        if (!*name)
            name = DQ_PLATE_PART;
        if (!strcmp(name, format->part))
            return dq_fail(err, DQ_SPEC,
                           "the plate has a part named '%s' "
                           "already; use output.mode 'separate'",
                           name);
    }
    return DQ_OK;
}

/* ---- mode channel -------------------------------------------------------- */

/* DWA and lossy HTJ2K go by the last piece of a channel's name: these hold
 * colour, which they damage; all others stay as they are. */
static int is_colour_name(const char *channel)
{
    static const char *const names[] = {
        "r", "g", "b", "y", "ry", "by", "red", "grn", "blu", "green", "blue"};
    const char *last = strrchr(channel, '.');
    size_t i;

    last = last ? last + 1 : channel;
    for (i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcasecmp(last, names[i]))
            return 1;
    return 0;
}

static int check_codec(const struct dq_plate_part *part,
                       const struct dq_depth_format *format,
                       const char *channel, struct dq_err *err)
{
    const char *codec = part->compression;
    int by_name = !strncmp(codec, "dwa", 3) || !strcmp(codec, "lj2k");
    int half = !strncmp(codec, "b44", 3);

    if (by_name && is_colour_name(channel))
        return dq_fail(err, DQ_SPEC,
                       "the plate's compression (%s) would "
                       "damage a depth channel named '%s'; name "
                       "output.channel 'Z'",
                       codec, channel);
    if (half && format->half)
        return dq_fail(err, DQ_SPEC,
                       "the plate's compression (%s) would "
                       "damage half depth; use output.type 'float'",
                       codec);
    return DQ_OK;
}

static int check_subsampled(const struct dq_plate_part *part,
                            struct dq_err *err)
{
    int i;

    for (i = 0; i < part->channel_count; i++) {
        const struct dq_plate_channel *c = &part->channels[i];

        if (c->x_sampling != 1 || c->y_sampling != 1)
            return dq_fail(err, DQ_SPEC,
                           "channel '%s' is sampled %d x %d, "
                           "and cannot be encoded again; use output.mode "
                           "'separate' or 'part'",
                           c->name, c->x_sampling, c->y_sampling);
    }
    return DQ_OK;
}

static int check_name(const struct dq_plate_part *part,
                      const struct dq_plate_choice *choice,
                      const struct dq_depth_format *format, const char *name,
                      struct dq_err *err)
{
    int i, k;

    for (i = 0; i < part->channel_count; i++) {
        if (strcmp(part->channels[i].name, name) != 0)
            continue;
        for (k = 0; k < 4; k++)
            if (choice->channel[k] == i)
                return dq_fail(err, DQ_SPEC,
                               "channel '%s' is what depth is "
                               "made from; name another output.channel",
                               name);
        if (!format->replace_channel)
            return dq_fail(err, DQ_SPEC,
                           "the plate has a channel '%s' "
                           "already; name another output.channel, or set "
                           "output.replace_channel to true",
                           name);
    }
    return DQ_OK;
}

/* Only one level can be made anew; a mipmap's others would be the old ones. */
static int check_levels(const struct dq_plate *plate, int part,
                        struct dq_err *err)
{
    exr_tile_level_mode_t mode = EXR_TILE_ONE_LEVEL;
    exr_tile_round_mode_t round;
    uint32_t width, height;

    if (strcmp(plate->info.parts[part].storage, "tiled") != 0)
        return DQ_OK;
    exr_get_tile_descriptor(plate->exr, part, &width, &height, &mode, &round);
    if (mode != EXR_TILE_ONE_LEVEL)
        return dq_fail(err, DQ_SPEC,
                       "the plate is stored at several sizes "
                       "(mipmap); use output.mode 'separate' or 'part'");
    return DQ_OK;
}

static int check_channels(const struct dq_plate *plate,
                          const struct dq_plate_choice *choice,
                          const struct dq_depth_format *format, int mask,
                          struct dq_err *err)
{
    const struct dq_plate_part *part = &plate->info.parts[choice->part];
    char name[DQ_DEPTH_NAME];

    dq_depth_channel_name(&plate->info, format, format->channel, name);
    if (check_name(part, choice, format, name, err) ||
        check_codec(part, format, name, err))
        return err->code;
    if (mask) {
        dq_depth_channel_name(&plate->info, format, DQ_MASK_CHANNEL, name);
        if (check_name(part, choice, format, name, err))
            return err->code;
    }
    if (check_subsampled(part, err))
        return err->code;
    return check_levels(plate, choice->part, err);
}

/* ---- all ----------------------------------------------------------------- */

int dq_depth_check(const struct dq_plate *plate,
                   const struct dq_plate_choice *choice,
                   const struct dq_depth_format *format, int mask,
                   struct dq_err *err)
{
    if (mask && !strcmp(format->channel, DQ_MASK_CHANNEL))
        return dq_fail(err, DQ_SPEC,
                       "output.channel is '%s', which is the "
                       "mask's name; name another",
                       format->channel);
    if (format->mode != DQ_DEPTH_CHANNEL &&
        dq_depth_codec(format->codec) == EXR_COMPRESSION_LAST_TYPE)
        return dq_fail(err, DQ_SPEC,
                       "this build's OpenEXR (%s) lacks that "
                       "output.compression",
                       OPENEXR_VERSION_STRING);
    if (format->mode == DQ_DEPTH_SEPARATE)
        return DQ_OK;
    if (!plate->exr)
        return dq_fail(err, DQ_SPEC,
                       "output.mode '%s' needs EXR plates; use "
                       "'separate'",
                       format->mode == DQ_DEPTH_PART ? "part" : "channel");
    if (check_kinds(&plate->info, err))
        return err->code;
    if (format->mode == DQ_DEPTH_PART)
        return check_parts(&plate->info, format, err);
    return check_channels(plate, choice, format, mask, err);
}

int dq_depth_file_allowed(const struct dq_plate *plate,
                          const struct dq_plate_choice *choice,
                          const struct dq_depth_format *format,
                          struct dq_err *err)
{
    struct dq_err local = {0};

    if (!err)
        err = &local;
    if (dq_depth_check(plate, choice, format, 0, err))
        return dq_because(err, "%s", plate->name);
    return DQ_OK;
}
