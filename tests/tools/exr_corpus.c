/* exr_corpus: tiny EXR files of every kind, the seeds of io/exr_fuzz.c.
 *
 *   exr_corpus FOLDER
 */
#include <stdio.h>

#include "tests/exr_make.h"

static const struct made_channel rgba[] = {{"R", EXR_PIXEL_HALF, 0},
                                           {"G", EXR_PIXEL_HALF, 0},
                                           {"B", EXR_PIXEL_HALF, 0},
                                           {"A", EXR_PIXEL_HALF, 0}};
static const struct made_channel mixed[] = {
    {"R", EXR_PIXEL_HALF, 0},      {"G", EXR_PIXEL_FLOAT, 0},
    {"B", EXR_PIXEL_UINT, 0},      {"left.R", EXR_PIXEL_HALF, 0},
    {"left.G", EXR_PIXEL_HALF, 0}, {"left.B", EXR_PIXEL_HALF, 0}};
static const struct made_channel chroma[] = {{"Y", EXR_PIXEL_HALF, 0},
                                             {"RY", EXR_PIXEL_HALF, 2},
                                             {"BY", EXR_PIXEL_HALF, 2}};

static void save(const char *folder, const char *name,
                 const struct made_file *file)
{
    struct dq_bytes bytes = made_bytes(file);
    char path[512];
    FILE *out;

    snprintf(path, sizeof path, "%s/%s.exr", folder, name);
    out = fopen(path, "wb");
    if (!out || fwrite(bytes.data, 1, bytes.count, out) != bytes.count ||
        fclose(out))
        abort();
    dq_bytes_free(&bytes);
}

static struct made_part part_of(int codec, int tiled)
{
    struct made_part part = {.storage = tiled ? EXR_STORAGE_TILED
                                              : EXR_STORAGE_SCANLINE,
                             .codec = (exr_compression_t)codec,
                             .data = {-2, 3, 9, 12},
                             .tile_x = 8,
                             .tile_y = 8,
                             .channels = rgba,
                             .channel_count = 4};

    return part;
}

static void save_codecs(const char *folder)
{
    char name[64];
    int codec, tiled;

    for (codec = 0; codec < EXR_COMPRESSION_LAST_TYPE; codec++)
        for (tiled = 0; tiled < 2; tiled++) {
            struct made_part part = part_of(codec, tiled);
            struct made_file file = {.display = {0, 0, 15, 15},
                                     .pixels = MADE_SMOOTH,
                                     .parts = &part,
                                     .part_count = 1};

            snprintf(name, sizeof name, "ok_%s_%s",
                     exr_compression_name(part.codec),
                     tiled ? "tiles" : "lines");
            save(folder, name, &file);
            part.channels = mixed;
            part.channel_count = 6;
            snprintf(name, sizeof name, "ok_%s_%s_mixed",
                     exr_compression_name(part.codec),
                     tiled ? "tiles" : "lines");
            save(folder, name, &file);
        }
}

static void save_kinds(const char *folder)
{
    static const char *const views[] = {"right", "left"};
    struct made_part parts[2] = {part_of(EXR_COMPRESSION_ZIPS, 0),
                                 part_of(EXR_COMPRESSION_RLE, 1)};
    struct made_file file = {.display = {0, 0, 15, 15},
                             .pixels = MADE_SMOOTH,
                             .parts = parts,
                             .part_count = 2};

    parts[0].name = "a";
    parts[0].view = "left";
    parts[1].name = "b";
    parts[1].view = "right";
    save(folder, "ok_parts", &file);
    file.part_count = 1;
    parts[0] = part_of(EXR_COMPRESSION_ZIP, 1);
    parts[0].levels = EXR_TILE_MIPMAP_LEVELS;
    save(folder, "ok_mipmap", &file);
    parts[0].levels = EXR_TILE_RIPMAP_LEVELS;
    save(folder, "ok_ripmap", &file);
    parts[0].levels = EXR_TILE_ONE_LEVEL;
    parts[0].order = EXR_LINEORDER_RANDOM_Y;
    save(folder, "ok_random", &file);
    parts[0] = part_of(EXR_COMPRESSION_PIZ, 0);
    parts[0].data = (struct dq_box){0, 0, 9, 9};
    parts[0].channels = chroma;
    parts[0].channel_count = 3;
    save(folder, "ok_chroma", &file);
    parts[0].channel_count = 1;
    save(folder, "ok_grey", &file);
    parts[0].channels = mixed;
    parts[0].channel_count = 6;
    file.views = views;
    file.view_count = 2;
    save(folder, "ok_views", &file);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: exr_corpus FOLDER\n");
        return 2;
    }
    save_codecs(argv[1]);
    save_kinds(argv[1]);
    return 0;
}
