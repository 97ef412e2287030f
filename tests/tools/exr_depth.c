/* exr_depth: a depth file with known depth for a plate, for the oracle.
 *
 *   exr_depth PLATE OUT separate|part|channel CODEC float|half [key=value]...
 *   keys: channel, part (the added part), from (the plate's part), view,
 *         mask=1, replace=1
 *
 * Depth at column c and row r of the data window is 1 + r / 64 + c / 1024,
 * the mask (r + c) mod 2.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "io/depth_file.h"
#include "io/plate.h"

struct order {
    struct dq_depth_format format;
    struct dq_plate_wish wish;
    int mask;
};

static int find(const char *word, const char *const *words, int count)
{
    int i;

    for (i = 0; i < count; i++)
        if (!strcmp(word, words[i]))
            return i;
    return -1;
}

static const char *value_of(const char *word, const char *key)
{
    size_t n = strlen(key);

    return strncmp(word, key, n) || word[n] != '=' ? NULL : word + n + 1;
}

static int parse_key(const char *word, struct order *order)
{
    const char *v;

    if ((v = value_of(word, "channel")))
        order->format.channel = v;
    else if ((v = value_of(word, "part")))
        order->format.part = v;
    else if ((v = value_of(word, "from")))
        order->wish.part = v;
    else if ((v = value_of(word, "view")))
        order->format.view = order->wish.view = v;
    else if ((v = value_of(word, "mask")))
        order->mask = 1;
    else if ((v = value_of(word, "replace")))
        order->format.replace_channel = 1;
    else
        return -1;
    return 0;
}

static int parse(int argc, char **argv, struct order *order)
{
    static const char *const modes[] = {"separate", "part", "channel"};
    static const char *const codecs[] = {"none", "rle",   "zips",  "zip",
                                         "piz",  "pxr24", "htj2k", "zstd"};
    int i, mode, codec;

    if (argc < 6)
        return -1;
    mode = find(argv[3], modes, 3);
    codec = find(argv[4], codecs, 8);
    order->format.mode = (enum dq_depth_mode)mode;
    order->format.codec = (enum dq_depth_codec)codec;
    order->format.half = !strcmp(argv[5], "half");
    order->format.channel = "Z";
    order->format.part = "depth";
    for (i = 6; i < argc; i++)
        if (parse_key(argv[i], order))
            return -1;
    return mode < 0 || codec < 0 ? -1 : 0;
}

static int make(const struct dq_plate *plate, const struct order *order,
                struct dq_bytes *out, struct dq_err *err)
{
    static const struct dq_depth_attr attrs[] = {
        {"depthq/model", "demo-depth"},
        {"depthq/a-name-of-more-than-31-characters", "long"},
    };
    struct dq_plate_choice choice;
    const struct dq_box *data;
    float *depth, *mask;
    int64_t width, count, i;

    if (dq_plate_choose(plate, &order->wish, &choice, err))
        return err->code;
    data = &dq_plate_info(plate)->parts[choice.part].data;
    width = dq_box_width(data);
    count = width * dq_box_height(data);
    depth = calloc((size_t)count * 2, sizeof *depth);
    if (!depth)
        return dq_fail(err, DQ_MEMORY, "no memory");
    mask = depth + count;
    for (i = 0; i < count; i++) {
        int64_t row = i / width, column = i % width;

        depth[i] = 1 + (float)row / 64 + (float)column / 1024;
        mask[i] = (float)((row + column) % 2);
    }
    dq_depth_file_encode(plate, &choice, &order->format, depth,
                         order->mask ? mask : NULL, attrs, 2, out, err);
    free(depth);
    return err->code;
}

static int save(const char *path, const struct dq_bytes *bytes,
                struct dq_err *err)
{
    FILE *out = fopen(path, "wb");

    if (!out || fwrite(bytes->data, 1, bytes->count, out) != bytes->count)
        dq_fail(err, DQ_IO, "%s: cannot be written", path);
    if (out && fclose(out))
        dq_fail(err, DQ_IO, "%s: cannot be closed", path);
    return err->code;
}

int main(int argc, char **argv)
{
    struct order order = {0};
    struct dq_bytes bytes = {0}, out = {0};
    struct dq_plate *plate = NULL;
    struct dq_err err = {0};

    if (parse(argc, argv, &order)) {
        fprintf(stderr, "usage: exr_depth PLATE OUT MODE CODEC TYPE "
                        "[key=value]...\n");
        return 2;
    }
    if (!dq_bytes_read_file(&bytes, argv[1], DQ_PLATE_MAX_BYTES, DQ_PLATE,
                            &err))
        plate = dq_plate_open(bytes.data, bytes.count, argv[1], &err);
    if (plate && !make(plate, &order, &out, &err))
        save(argv[2], &out, &err);
    if (err.code)
        fprintf(stderr, "%s\n", err.text);
    dq_plate_close(plate);
    dq_bytes_free(&bytes);
    dq_bytes_free(&out);
    return err.code ? dq_code_exit(err.code) : 0;
}
