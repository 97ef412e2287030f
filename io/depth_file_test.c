/* Depth files: what goes in comes out, in every form; what does not fit is
 * refused by name. Files are read back with our own reader here; the oracle
 * tests read them with other programs. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/depth_file.h"
#include "io/exr_pixels.h"
#include "io/plate_private.h"
#include "tests/exr_make.h"

#define HALF(name)              \
    {                           \
        name, EXR_PIXEL_HALF, 0 \
    }

static const struct made_channel rgb[] = {HALF("R"), HALF("G"), HALF("B")};
static const struct made_channel many[] = {HALF("R"),
                                           HALF("G"),
                                           HALF("B"),
                                           HALF("A"),
                                           {"id", EXR_PIXEL_UINT, 0},
                                           {"Z", EXR_PIXEL_FLOAT, 0}};

/* A plate, its choice, and a depth of the plate's size. */
struct scene {
    struct dq_bytes bytes;
    struct dq_plate *plate;
    struct dq_plate_choice choice;
    struct dq_depth_format format;
    struct dq_box data;
    float *depth, *mask;
    struct dq_bytes out;
    struct dq_err err;
};

static void open_scene(struct scene *s, const struct made_file *file,
                       struct dq_plate_wish wish)
{
    int64_t i, count;

    memset(s, 0, sizeof *s);
    s->bytes = made_bytes(file);
    s->plate = dq_plate_open(s->bytes.data, s->bytes.count, "p.exr", &s->err);
    if (!s->plate || dq_plate_choose(s->plate, &wish, &s->choice, &s->err))
        fail_msg("%s", s->err.text);
    s->data = dq_plate_info(s->plate)->parts[s->choice.part].data;
    count = dq_box_width(&s->data) * dq_box_height(&s->data);
    s->depth = malloc((size_t)count * 2 * sizeof *s->depth);
    s->mask = s->depth + count;
    for (i = 0; i < count; i++) {
        s->depth[i] = 1 + (float)i / 256;
        s->mask[i] = (float)(i & 1);
    }
    s->format = (struct dq_depth_format){.codec = DQ_CODEC_ZIPS,
                                         .channel = "depth.Z",
                                         .part = "depth",
                                         .view = wish.view};
}

static void close_scene(struct scene *s)
{
    dq_plate_close(s->plate);
    dq_bytes_free(&s->bytes);
    dq_bytes_free(&s->out);
    free(s->depth);
}

static void encode(struct scene *s, const float *mask)
{
    static const struct dq_depth_attr attrs[] = {
        {"depthq/model", "demo"},
        {"depthq/a-long-name-that-needs-more-than-31", "x"}};

    if (dq_depth_file_encode(s->plate, &s->choice, &s->format, s->depth, mask,
                             attrs, 2, &s->out, &s->err))
        fail_msg("%s", s->err.text);
}

static struct dq_plate *reopen(struct scene *s)
{
    struct dq_plate *plate =
        dq_plate_open(s->out.data, s->out.count, "d.exr", &s->err);

    if (!plate || dq_plate_verify(plate, &s->err))
        fail_msg("%s", s->err.text);
    return plate;
}

static int channel_of(const struct dq_plate_part *p, const char *name)
{
    int i;

    for (i = 0; i < p->channel_count; i++)
        if (!strcmp(p->channels[i].name, name))
            return i;
    return -1;
}

/* A channel of a part as float; the caller frees. */
static float *channel_read(struct dq_plate *plate, int part, const char *name)
{
    const struct dq_plate_part *p = &dq_plate_info(plate)->parts[part];
    int64_t width = dq_box_width(&p->data);
    float *plane =
        calloc((size_t)(width * dq_box_height(&p->data)), sizeof *plane);
    struct dq_exr_target target = {channel_of(p, name), plane, width * 4,
                                   EXR_PIXEL_FLOAT};
    struct dq_err err = {0};

    if (target.channel < 0)
        fail_msg("no channel %s", name);
    if (dq_exr_pixels_read(plate->exr, part, &target, 1, &err))
        fail_msg("%s", err.text);
    return plane;
}

static void assert_layer(struct scene *s, struct dq_plate *plate, int part,
                         const char *name, const float *want, float room)
{
    float *got = channel_read(plate, part, name);
    int64_t i, count = dq_box_width(&s->data) * dq_box_height(&s->data);

    assert_true(
        dq_box_equal(&dq_plate_info(plate)->parts[part].data, &s->data));
    for (i = 0; i < count; i++)
        if (!(fabsf(got[i] - want[i]) <= room * fabsf(want[i])))
            fail_msg("%s at %lld: %g, not %g", name, (long long)i,
                     (double)got[i], (double)want[i]);
    free(got);
}

static struct made_part simple_part(void)
{
    struct made_part part = {.codec = EXR_COMPRESSION_PIZ,
                             .data = {-5, 3, 40, 44},
                             .channels = rgb,
                             .channel_count = 3};

    return part;
}

static struct made_file file_of(const struct made_part *parts, int count)
{
    struct made_file file = {.display = {0, 0, 63, 35},
                             .aspect = 1.5f,
                             .parts = parts,
                             .part_count = count};

    return file;
}

/* ---- separate ------------------------------------------------------------ */

static void a_separate_file_keeps_windows_and_every_codec_keeps_depth(
    void **state)
{
    static const char *const names[] = {"none", "rle",   "zips",    "zip",
                                        "piz",  "pxr24", "htj2k32", "zstd"};
    struct made_part part = simple_part();
    struct made_file file = file_of(&part, 1);
    struct scene s;
    int codec, half;

    (void)state;
    open_scene(&s, &file, (struct dq_plate_wish){0});
    for (codec = DQ_CODEC_NONE; codec <= DQ_CODEC_ZSTD; codec++)
        for (half = 0; half < 2; half++) {
            const struct dq_plate_info *info;
            struct dq_plate *plate;
            float room = half                      ? 0x1p-11f
                         : codec == DQ_CODEC_PXR24 ? 0x1p-15f
                                                   : 0;

            s.format.codec = (enum dq_depth_codec)codec;
            s.format.half = half;
            encode(&s, s.mask);
            plate = reopen(&s);
            info = dq_plate_info(plate);
            assert_int_equal(info->part_count, 1);
            assert_int_equal(info->parts[0].channel_count, 2);
            assert_string_equal(info->parts[0].compression, names[codec]);
            assert_string_equal(info->parts[0].channels[0].type,
                                half ? "half" : "float");
            assert_true(dq_box_equal(&info->display, &file.display));
            assert_true(info->pixel_aspect == 1.5f);
            assert_layer(&s, plate, 0, "depth.Z", s.depth, room);
            assert_layer(&s, plate, 0, "mask", s.mask, 0);
            assert_string_equal(dq_plate_attribute(plate, 0, "depthq/model"),
                                "demo");
            assert_string_equal(
                dq_plate_attribute(
                    plate, 0, "depthq/a-long-name-that-needs-more-than-31"),
                "x");
            assert_null(dq_plate_attribute(plate, 0, "dataWindow"));
            dq_plate_close(plate);
        }
    close_scene(&s);
}

static void one_pixel_and_three_by_five_go_through_in_every_form(void **state)
{
    static const struct dq_box windows[] = {{7, -7, 7, -7}, {0, 0, 2, 4}};
    struct made_part part = simple_part();
    struct made_file file = file_of(&part, 1);
    size_t w;
    int mode;

    (void)state;
    for (w = 0; w < 2; w++)
        for (mode = DQ_DEPTH_SEPARATE; mode <= DQ_DEPTH_CHANNEL; mode++) {
            struct dq_plate *plate;
            struct scene s;

            part.data = windows[w];
            open_scene(&s, &file, (struct dq_plate_wish){0});
            s.format.mode = (enum dq_depth_mode)mode;
            encode(&s, NULL);
            plate = reopen(&s);
            assert_layer(&s, plate, mode == DQ_DEPTH_PART, "depth.Z", s.depth,
                         0);
            dq_plate_close(plate);
            close_scene(&s);
        }
}

static void the_same_input_gives_the_same_bytes(void **state)
{
    struct made_part part = simple_part();
    struct made_file file = file_of(&part, 1);
    struct dq_bytes first;
    struct scene s;
    int mode;

    (void)state;
    open_scene(&s, &file, (struct dq_plate_wish){0});
    for (mode = DQ_DEPTH_SEPARATE; mode <= DQ_DEPTH_CHANNEL; mode++) {
        s.format.mode = (enum dq_depth_mode)mode;
        encode(&s, NULL);
        first = s.out;
        memset(&s.out, 0, sizeof s.out);
        assert_int_equal(dq_bytes_reserve(&s.out, first.room * 2, NULL), 0);
        memset(s.out.data, 0xa5, s.out.room); /* what another frame left */
        encode(&s, NULL);
        assert_int_equal(s.out.count, first.count);
        assert_memory_equal(s.out.data, first.data, first.count);
        dq_bytes_free(&first);
    }
    close_scene(&s);
}

static void half_depth_out_of_range_is_clamped(void **state)
{
    struct made_part part = simple_part();
    struct made_file file = file_of(&part, 1);
    struct dq_plate *plate;
    struct scene s;

    (void)state;
    open_scene(&s, &file, (struct dq_plate_wish){0});
    s.format.half = 1;
    s.depth[0] = 1e6f;
    s.depth[1] = -1e6f;
    s.depth[2] = 65519;
    encode(&s, NULL);
    s.depth[0] = s.depth[2] = 65504;
    s.depth[1] = -65504;
    plate = reopen(&s);
    assert_layer(&s, plate, 0, "depth.Z", s.depth, 0x1p-11f);
    dq_plate_close(plate);
    close_scene(&s);
}

/* ---- attributes ---------------------------------------------------------- */

static void decorate(exr_context_t exr, int part)
{
    exr_attr_timecode_t code = {0x01020304, 7};
    exr_attr_rational_t rate = {24000, 1001};
    exr_attr_keycode_t key = {1, 2, 3, 4, 5, 6, 7};
    exr_attr_chromaticities_t aces = {0.7347f, 0.2653f, 0.0f,     1.0f,
                                      0.0001f, -0.077f, 0.32168f, 0.33767f};
    exr_attr_m44f_t camera = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}};
    exr_attr_box2i_t window = {{1, 2}, {3, 4}};
    uint8_t thumb[16] = {0};
    exr_attr_preview_t preview = {2, 2, 0, thumb};
    float stops[3] = {1, 2, 3};

    made_check(exr_attr_set_timecode(exr, part, "timeCode", &code));
    made_check(exr_attr_set_rational(exr, part, "framesPerSecond", &rate));
    made_check(exr_attr_set_keycode(exr, part, "keyCode", &key));
    made_check(exr_attr_set_chromaticities(exr, part, "chromaticities", &aces));
    made_check(exr_attr_set_string(exr, part, "colorInteropID", "lin_ap0"));
    made_check(exr_attr_set_string(exr, part, "owner", "a studio"));
    made_check(exr_attr_set_m44f(exr, part, "worldToCamera", &camera));
    made_check(exr_attr_set_box2i(exr, part, "originalDataWindow", &window));
    made_check(exr_attr_set_float_vector(exr, part, "stops", 3, stops));
    made_check(
        exr_attr_set_user(exr, part, "vendor", "studioblob", 5, "\1\2\0\3\4"));
    made_check(exr_attr_set_preview(exr, part, "preview", &preview));
    made_check(exr_attr_set_string(exr, part, "depthq/model", "earlier"));
}

static void assert_attributes(exr_context_t exr, int part)
{
    const exr_attribute_t *a;
    exr_attr_timecode_t code;
    exr_attr_rational_t rate;
    exr_attr_keycode_t key;
    exr_attr_chromaticities_t c;
    exr_attr_m44f_t camera;
    exr_attr_box2i_t window;
    const char *type;
    const void *blob;
    const float *stops;
    int32_t size;

    made_check(exr_attr_get_timecode(exr, part, "timeCode", &code));
    assert_int_equal(code.time_and_flags, 0x01020304);
    made_check(exr_attr_get_rational(exr, part, "framesPerSecond", &rate));
    assert_int_equal(rate.denom, 1001);
    made_check(exr_attr_get_keycode(exr, part, "keyCode", &key));
    assert_int_equal(key.perfs_per_count, 7);
    made_check(exr_attr_get_chromaticities(exr, part, "chromaticities", &c));
    assert_true(c.blue_y == -0.077f);
    made_check(exr_attr_get_m44f(exr, part, "worldToCamera", &camera));
    assert_true(camera.m[11] == 12);
    made_check(exr_attr_get_box2i(exr, part, "originalDataWindow", &window));
    assert_int_equal(window.max.y, 4);
    made_check(exr_attr_get_float_vector(exr, part, "stops", &size, &stops));
    assert_true(size == 3 && stops[2] == 3);
    made_check(exr_attr_get_user(exr, part, "vendor", &type, &size, &blob));
    assert_string_equal(type, "studioblob");
    assert_int_equal(size, 5);
    assert_memory_equal(blob, "\1\2\0\3\4", 5);
    assert_int_equal(exr_get_attribute_by_name(exr, part, "preview", &a),
                     EXR_ERR_NO_ATTR_BY_NAME);
    assert_int_equal(exr_get_attribute_by_name(exr, part, "multiView", &a),
                     EXR_ERR_NO_ATTR_BY_NAME);
}

static void attributes_are_kept_in_every_form(void **state)
{
    struct made_part part = simple_part();
    struct made_file file = file_of(&part, 1);
    struct scene s;
    int mode, i;

    (void)state;
    file.decorate = decorate;
    open_scene(&s, &file, (struct dq_plate_wish){0});
    for (mode = DQ_DEPTH_SEPARATE; mode <= DQ_DEPTH_CHANNEL; mode++) {
        struct dq_plate *plate;

        s.format.mode = (enum dq_depth_mode)mode;
        encode(&s, NULL);
        plate = reopen(&s);
        assert_int_equal(dq_plate_info(plate)->part_count,
                         mode == DQ_DEPTH_PART ? 2 : 1);
        assert_int_equal(dq_plate_info(plate)->timecode[1], 7);
        assert_int_equal(dq_plate_info(plate)->rate[0], 24000);
        assert_string_equal(dq_plate_info(plate)->interop_id, "lin_ap0");
        for (i = 0; i < dq_plate_info(plate)->part_count; i++)
            assert_attributes(plate->exr, i);
        /* Earlier provenance gives way, but for a copied part. */
        assert_string_equal(
            dq_plate_attribute(plate, mode == DQ_DEPTH_PART, "depthq/model"),
            "demo");
        dq_plate_close(plate);
    }
    close_scene(&s);
}

/* ---- part ---------------------------------------------------------------- */

/* The compressed bytes of every chunk of a part, one after another. */
static struct dq_bytes chunks_of(struct dq_plate *plate, int part)
{
    struct dq_bytes all = {0};
    struct dq_exr_walk walk;
    exr_chunk_info_t c;

    made_check(dq_exr_walk_start(&walk, plate->exr, part, 1));
    while (dq_exr_walk_next(&walk)) {
        made_check(dq_exr_walk_read(&walk, &c));
        dq_bytes_add(&all, plate->stream.bytes + c.data_offset, c.packed_size);
    }
    return all;
}

static void assert_copied(struct scene *s, struct dq_plate *plate, int part)
{
    const struct dq_plate_part *was = &dq_plate_info(s->plate)->parts[part];
    const struct dq_plate_part *is = &dq_plate_info(plate)->parts[part];
    struct dq_bytes a = chunks_of(s->plate, part), b = chunks_of(plate, part);

    assert_string_equal(was->name, is->name);
    assert_string_equal(was->view, is->view);
    assert_string_equal(was->storage, is->storage);
    assert_string_equal(was->compression, is->compression);
    assert_true(dq_box_equal(&was->data, &is->data));
    assert_int_equal(a.count, b.count);
    assert_memory_equal(a.data, b.data, a.count);
    dq_bytes_free(&a);
    dq_bytes_free(&b);
}

/* Scan lines, random tiles, a mipmap, a lossy codec, deep data behind. */
static void parts_are_copied_chunk_for_chunk_and_depth_comes_last(void **state)
{
    const struct made_part parts[] = {{.name = "lines",
                                       .view = "le",
                                       .codec = EXR_COMPRESSION_DWAA,
                                       .data = {-5, 3, 40, 44},
                                       .channels = rgb,
                                       .channel_count = 3},
                                      {.name = "tiles",
                                       .view = "ri",
                                       .storage = EXR_STORAGE_TILED,
                                       .order = EXR_LINEORDER_RANDOM_Y,
                                       .codec = EXR_COMPRESSION_ZIP,
                                       .data = {1, 2, 50, 30},
                                       .tile_x = 16,
                                       .tile_y = 8,
                                       .channels = rgb,
                                       .channel_count = 3},
                                      {.name = "mips",
                                       .storage = EXR_STORAGE_TILED,
                                       .levels = EXR_TILE_MIPMAP_LEVELS,
                                       .codec = EXR_COMPRESSION_RLE,
                                       .data = {0, 0, 40, 20},
                                       .tile_x = 16,
                                       .tile_y = 16,
                                       .channels = rgb,
                                       .channel_count = 3},
                                      {.name = "rips",
                                       .storage = EXR_STORAGE_TILED,
                                       .levels = EXR_TILE_RIPMAP_LEVELS,
                                       .codec = EXR_COMPRESSION_ZIPS,
                                       .data = {0, 0, 40, 20},
                                       .tile_x = 16,
                                       .tile_y = 16,
                                       .channels = rgb,
                                       .channel_count = 3}};
    struct made_file file = file_of(parts, 4);
    struct dq_plate *plate;
    struct scene s;
    int i;

    (void)state;
    file.pixels = MADE_SMOOTH;
    open_scene(&s, &file, (struct dq_plate_wish){.view = "ri"});
    s.format.mode = DQ_DEPTH_PART;
    encode(&s, s.mask);
    plate = reopen(&s);
    assert_int_equal(dq_plate_info(plate)->part_count, 5);
    for (i = 0; i < 4; i++)
        assert_copied(&s, plate, i);
    assert_string_equal(dq_plate_info(plate)->parts[4].name, "depth");
    assert_string_equal(dq_plate_info(plate)->parts[4].view, "ri");
    assert_layer(&s, plate, 4, "depth.Z", s.depth, 0);
    dq_plate_close(plate);
    close_scene(&s);
}

static void a_nameless_part_gets_a_name_beside_depth(void **state)
{
    struct made_part part = simple_part();
    struct made_file file = file_of(&part, 1);
    struct dq_plate *plate;
    struct scene s;

    (void)state;
    open_scene(&s, &file, (struct dq_plate_wish){0});
    s.format.mode = DQ_DEPTH_PART;
    encode(&s, NULL);
    plate = reopen(&s);
    assert_string_equal(dq_plate_info(plate)->parts[0].name, "rgba");
    dq_plate_close(plate);
    close_scene(&s);
}

/* A flat picture and a deep part of four pixels with 0, 1, 0 and 2 samples. */
static struct dq_bytes flat_and_deep(void)
{
    struct made_part part = simple_part();
    struct made_file file = file_of(&part, 1);
    exr_attr_box2i_t box = {{0, 0}, {3, 0}}, display = {{0, 0}, {63, 35}};
    exr_attr_v2f_t centre = {0, 0};
    int32_t counts[4] = {0, 1, 1, 3};
    float samples[3] = {1.5f, 2.5f, 3.5f};
    struct dq_bytes out = {0};
    exr_context_t exr = made_open(&out);
    int deep;

    part.name = "flat";
    made_header(exr, &file, 0);
    made_check(exr_set_version(exr, 0, 1)); /* every part, where one is deep */
    made_check(exr_add_part(exr, "deep", EXR_STORAGE_DEEP_SCANLINE, &deep));
    made_check(exr_initialize_required_attr(
        exr, deep, &display, &box, 1.5f, &centre, 1, EXR_LINEORDER_INCREASING_Y,
        EXR_COMPRESSION_NONE));
    made_check(exr_add_channel(exr, deep, "Z", EXR_PIXEL_FLOAT,
                               EXR_PERCEPTUALLY_LINEAR, 1, 1));
    made_check(exr_write_header(exr));
    made_part_chunks(exr, &file, 0);
    made_check(exr_write_deep_scanline_chunk(exr, deep, 0, samples,
                                             sizeof samples, sizeof samples,
                                             counts, sizeof counts));
    made_check(exr_finish(&exr));
    return out;
}

static void deep_parts_are_copied_beside_flat_ones(void **state)
{
    struct dq_bytes bytes = flat_and_deep(), out = {0};
    struct dq_err err = {0};
    struct dq_plate *plate = dq_plate_open(bytes.data, bytes.count, "p", &err);
    struct dq_plate_wish wish = {0};
    struct dq_plate_choice choice;
    struct dq_depth_format format = {
        .mode = DQ_DEPTH_PART, .channel = "Z", .part = "depth"};
    float *depth = calloc(46 * 42, sizeof *depth);
    exr_chunk_info_t chunk;
    float samples[3];
    int32_t counts[4];

    (void)state;
    assert_int_equal(dq_plate_choose(plate, &wish, &choice, &err), 0);
    if (dq_depth_file_encode(plate, &choice, &format, depth, NULL, NULL, 0,
                             &out, &err))
        fail_msg("%s", err.text);
    dq_plate_close(plate);
    plate = dq_plate_open(out.data, out.count, "d", &err);
    assert_int_equal(dq_plate_info(plate)->part_count, 3);
    assert_string_equal(dq_plate_info(plate)->parts[1].storage,
                        "deep scanline");
    made_check(exr_read_scanline_chunk_info(plate->exr, 1, 0, &chunk));
    made_check(exr_read_deep_chunk(plate->exr, 1, &chunk, samples, counts));
    assert_true(samples[2] == 3.5f);
    assert_int_equal(counts[3], 3);
    dq_plate_close(plate);
    dq_bytes_free(&bytes);
    dq_bytes_free(&out);
    free(depth);
}

/* ---- channel ------------------------------------------------------------- */

static void assert_plate_channel(struct dq_plate *plate, int part,
                                 const struct made_file *file,
                                 const struct made_part *p, const char *name)
{
    float *got = channel_read(plate, part, name);
    int c = made_index(p, name);
    int64_t x, y, i = 0;

    for (y = p->data.y0; y <= p->data.y1; y++)
        for (x = p->data.x0; x <= p->data.x1; x++, i++) {
            float want = made_float(file->pixels, p->channels[c].type, c, x, y);

            if (memcmp(&want, &got[i], sizeof want) != 0)
                fail_msg("%s differs at %lld, %lld", name, (long long)x,
                         (long long)y);
        }
    free(got);
}

static void channels_are_encoded_again_without_loss(void **state)
{
    static const exr_compression_t codecs[] = {
        EXR_COMPRESSION_NONE,    EXR_COMPRESSION_RLE, EXR_COMPRESSION_ZIPS,
        EXR_COMPRESSION_ZIP,     EXR_COMPRESSION_PIZ, EXR_COMPRESSION_HTJ2K256,
        EXR_COMPRESSION_HTJ2K32, EXR_COMPRESSION_ZSTD};
    size_t c;
    int tiled, i;

    (void)state;
    for (c = 0; c < sizeof codecs / sizeof *codecs; c++)
        for (tiled = 0; tiled < 2; tiled++) {
            struct made_part part = {.storage = tiled ? EXR_STORAGE_TILED
                                                      : EXR_STORAGE_SCANLINE,
                                     .codec = codecs[c],
                                     .data = {-5, 3, 40, 44},
                                     .tile_x = 16,
                                     .tile_y = 16,
                                     .channels = many,
                                     .channel_count = 6};
            struct made_file file = file_of(&part, 1);
            struct dq_plate *plate;
            struct scene s;

            open_scene(&s, &file, (struct dq_plate_wish){0});
            s.format.mode = DQ_DEPTH_CHANNEL;
            encode(&s, s.mask);
            plate = reopen(&s);
            assert_string_equal(dq_plate_info(plate)->parts[0].compression,
                                dq_plate_info(s.plate)->parts[0].compression);
            assert_string_equal(dq_plate_info(plate)->parts[0].storage,
                                tiled ? "tiled" : "scanline");
            assert_int_equal(dq_plate_info(plate)->parts[0].channel_count, 8);
            for (i = 0; i < 6; i++)
                assert_plate_channel(plate, 0, &file, &part, many[i].name);
            assert_layer(&s, plate, 0, "depth.Z", s.depth, 0);
            assert_layer(&s, plate, 0, "mask", s.mask, 0);
            dq_plate_close(plate);
            close_scene(&s);
        }
}

static void an_existing_channel_is_replaced_only_when_told(void **state)
{
    struct made_part part = {.codec = EXR_COMPRESSION_ZIP,
                             .data = {0, 0, 20, 20},
                             .channels = many,
                             .channel_count = 6};
    struct made_file file = file_of(&part, 1);
    struct dq_plate *plate;
    struct scene s;

    (void)state;
    open_scene(&s, &file, (struct dq_plate_wish){0});
    s.format.mode = DQ_DEPTH_CHANNEL;
    s.format.channel = "Z";
    s.format.half = 1;
    assert_int_equal(
        dq_depth_file_allowed(s.plate, &s.choice, &s.format, &s.err), DQ_SPEC);
    assert_non_null(strstr(s.err.text, "a channel 'Z' already"));
    s.format.replace_channel = 1;
    assert_int_equal(
        dq_depth_file_allowed(s.plate, &s.choice, &s.format, &s.err), 0);
    encode(&s, NULL);
    plate = reopen(&s);
    assert_int_equal(dq_plate_info(plate)->parts[0].channel_count, 6);
    assert_layer(&s, plate, 0, "Z", s.depth, 0x1p-11f);
    assert_plate_channel(plate, 0, &file, &part, "id");
    dq_plate_close(plate);
    close_scene(&s);
}

static void depth_of_another_view_carries_its_name(void **state)
{
    static const struct made_channel stereo[] = {
        HALF("R"),      HALF("G"),      HALF("B"),
        HALF("left.R"), HALF("left.G"), HALF("left.B")};
    static const char *const views[] = {"right", "left"};
    struct made_part part = {.codec = EXR_COMPRESSION_ZIP,
                             .data = {0, 0, 9, 9},
                             .channels = stereo,
                             .channel_count = 6};
    struct made_file file = file_of(&part, 1);
    struct dq_plate *plate;
    struct scene s;

    (void)state;
    file.views = views;
    file.view_count = 2;
    open_scene(&s, &file, (struct dq_plate_wish){.view = "left"});
    s.format.mode = DQ_DEPTH_CHANNEL;
    encode(&s, NULL);
    plate = reopen(&s);
    assert_layer(&s, plate, 0, "depth.left.Z", s.depth, 0);
    assert_int_equal(dq_plate_info(plate)->view_count, 2);
    dq_plate_close(plate);
    s.format.mode = DQ_DEPTH_SEPARATE; /* a file of its own has one view */
    encode(&s, NULL);
    plate = reopen(&s);
    assert_layer(&s, plate, 0, "depth.Z", s.depth, 0);
    assert_string_equal(dq_plate_info(plate)->parts[0].view, "left");
    dq_plate_close(plate);
    close_scene(&s);
}

static void the_other_parts_are_copied_beside_a_new_channel(void **state)
{
    const struct made_part parts[] = {{.name = "a",
                                       .codec = EXR_COMPRESSION_DWAB,
                                       .data = {0, 0, 20, 20},
                                       .channels = rgb,
                                       .channel_count = 3},
                                      {.name = "b",
                                       .codec = EXR_COMPRESSION_ZIP,
                                       .data = {0, 0, 9, 9},
                                       .channels = rgb,
                                       .channel_count = 3}};
    struct made_file file = file_of(parts, 2);
    struct dq_plate *plate;
    struct scene s;

    (void)state;
    file.pixels = MADE_SMOOTH;
    open_scene(&s, &file, (struct dq_plate_wish){.part = "b"});
    s.format.mode = DQ_DEPTH_CHANNEL;
    encode(&s, NULL);
    plate = reopen(&s);
    assert_copied(&s, plate, 0);
    assert_plate_channel(plate, 1, &file, &parts[1], "G");
    assert_layer(&s, plate, 1, "depth.Z", s.depth, 0);
    dq_plate_close(plate);
    close_scene(&s);
}

/* A chunk that deflates to nothing less is stored raw; for B44 the library
 * alone would store what nobody can read. Two columns of 4 x 4 blocks cut to
 * 7 x 4 pixels take 28 bytes compressed as raw. */
static void chunks_that_do_not_shrink_survive_b44(void **state)
{
    struct made_part part = {.codec = EXR_COMPRESSION_B44,
                             .data = {0, 0, 6, 1},
                             .channels = rgb,
                             .channel_count = 3};
    struct made_file file = file_of(&part, 1);
    struct dq_plate *plate;
    struct scene s;

    (void)state;
    file.pixels = MADE_SMOOTH;
    open_scene(&s, &file, (struct dq_plate_wish){0});
    s.format.mode = DQ_DEPTH_CHANNEL;
    encode(&s, NULL);
    plate = reopen(&s);
    assert_plate_channel(plate, 0, &file, &part, "R");
    assert_layer(&s, plate, 0, "depth.Z", s.depth, 0);
    dq_plate_close(plate);
    close_scene(&s);
}

/* ---- refused by name ----------------------------------------------------- */

static void assert_refused(const struct made_file *file,
                           struct dq_plate_wish wish, enum dq_depth_mode mode,
                           const char *channel, int half, const char *want)
{
    struct scene s;

    open_scene(&s, file, wish);
    s.format.mode = mode;
    s.format.channel = channel;
    s.format.half = half;
    assert_int_equal(
        dq_depth_file_allowed(s.plate, &s.choice, &s.format, &s.err), DQ_SPEC);
    if (!strstr(s.err.text, want))
        fail_msg("'%s' does not say '%s'", s.err.text, want);
    dq_err_clear(&s.err);
    assert_int_equal(dq_depth_file_encode(s.plate, &s.choice, &s.format,
                                          s.depth, NULL, NULL, 0, &s.out,
                                          &s.err),
                     DQ_SPEC);
    close_scene(&s);
}

#define NONE ((struct dq_plate_wish){0})

static void several_views_in_one_part_allow_no_added_part(void **state)
{
    static const char *const views[] = {"right", "left"};
    struct made_part part = simple_part();
    struct made_file file = file_of(&part, 1);

    (void)state;
    file.views = views;
    file.view_count = 2;
    assert_refused(&file, NONE, DQ_DEPTH_PART, "Z", 0,
                   "2 views in one part, which no multi-part file may; use "
                   "output.mode 'separate' or 'channel'");
}

static void a_part_of_the_same_name_is_refused(void **state)
{
    struct made_part part = simple_part();
    struct made_file file = file_of(&part, 1);

    (void)state;
    part.name = "depth";
    assert_refused(&file, NONE, DQ_DEPTH_PART, "Z", 0,
                   "a part named 'depth' already");
}

static void lossy_and_layered_plates_refuse_what_would_hurt(void **state)
{
    static const struct made_channel ry[] = {
        HALF("Y"), {"RY", EXR_PIXEL_HALF, 2}, {"BY", EXR_PIXEL_HALF, 2}};
    struct made_part part = simple_part();
    struct made_file file = file_of(&part, 1);

    (void)state;
    file.pixels = MADE_SMOOTH;
    part.codec = EXR_COMPRESSION_DWAA;
    assert_refused(&file, NONE, DQ_DEPTH_CHANNEL, "depth.Y", 0,
                   "compression (dwaa) would damage a depth channel named");
    part.codec = EXR_COMPRESSION_B44A;
    assert_refused(&file, NONE, DQ_DEPTH_CHANNEL, "Z", 1,
                   "compression (b44a) would damage half depth");
    part.codec = EXR_COMPRESSION_ZIP;
    assert_refused(&file, NONE, DQ_DEPTH_CHANNEL, "G", 0,
                   "channel 'G' is what depth is made from");
    part.storage = EXR_STORAGE_TILED;
    part.tile_x = part.tile_y = 16;
    part.levels = EXR_TILE_MIPMAP_LEVELS;
    assert_refused(&file, NONE, DQ_DEPTH_CHANNEL, "Z", 0, "(mipmap)");
    part = simple_part();
    part.data = (struct dq_box){0, 0, 7, 7};
    part.channels = ry;
    assert_refused(&file, NONE, DQ_DEPTH_CHANNEL, "Z", 0,
                   "channel 'BY' is sampled 2 x 2, and cannot be encoded "
                   "again");
}

static void a_mask_never_meets_another_channel_of_its_name(void **state)
{
    static const struct made_channel masked[] = {HALF("R"), HALF("G"),
                                                 HALF("B"), HALF("mask")};
    struct made_part part = simple_part();
    struct made_file file = file_of(&part, 1);
    struct scene s;

    (void)state;
    part.channels = masked;
    part.channel_count = 4;
    open_scene(&s, &file, NONE);
    s.format.mode = DQ_DEPTH_CHANNEL;
    assert_int_equal(dq_depth_file_encode(s.plate, &s.choice, &s.format,
                                          s.depth, s.mask, NULL, 0, &s.out,
                                          &s.err),
                     DQ_SPEC);
    assert_non_null(strstr(s.err.text, "a channel 'mask' already"));
    s.format.mode = DQ_DEPTH_SEPARATE;
    s.format.channel = "mask";
    assert_int_equal(dq_depth_file_encode(s.plate, &s.choice, &s.format,
                                          s.depth, s.mask, NULL, 0, &s.out,
                                          &s.err),
                     DQ_SPEC);
    close_scene(&s);
}

static void a_plate_that_cannot_be_copied_makes_no_file(void **state)
{
    struct made_part part = simple_part();
    struct made_file file = file_of(&part, 1);
    struct dq_plate_choice choice;
    struct dq_plate *cut;
    struct scene s;
    int mode;

    (void)state;
    open_scene(&s, &file, NONE);
    cut = dq_plate_open(s.bytes.data, s.bytes.count - 1, "cut.exr", &s.err);
    assert_int_equal(dq_plate_choose(cut, &NONE, &choice, &s.err), 0);
    for (mode = DQ_DEPTH_PART; mode <= DQ_DEPTH_CHANNEL; mode++) {
        s.format.mode = (enum dq_depth_mode)mode;
        assert_int_equal(dq_depth_file_encode(cut, &choice, &s.format, s.depth,
                                              NULL, NULL, 0, &s.out, &s.err),
                         DQ_PLATE);
        assert_non_null(strstr(s.err.text, "cut.exr: scan lines 35 to 44"));
    }
    dq_plate_close(cut);
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_separate_file_keeps_windows_and_every_codec_keeps_depth),
        cmocka_unit_test(one_pixel_and_three_by_five_go_through_in_every_form),
        cmocka_unit_test(the_same_input_gives_the_same_bytes),
        cmocka_unit_test(half_depth_out_of_range_is_clamped),
        cmocka_unit_test(attributes_are_kept_in_every_form),
        cmocka_unit_test(parts_are_copied_chunk_for_chunk_and_depth_comes_last),
        cmocka_unit_test(a_nameless_part_gets_a_name_beside_depth),
        cmocka_unit_test(deep_parts_are_copied_beside_flat_ones),
        cmocka_unit_test(channels_are_encoded_again_without_loss),
        cmocka_unit_test(an_existing_channel_is_replaced_only_when_told),
        cmocka_unit_test(depth_of_another_view_carries_its_name),
        cmocka_unit_test(the_other_parts_are_copied_beside_a_new_channel),
        cmocka_unit_test(chunks_that_do_not_shrink_survive_b44),
        cmocka_unit_test(several_views_in_one_part_allow_no_added_part),
        cmocka_unit_test(a_part_of_the_same_name_is_refused),
        cmocka_unit_test(lossy_and_layered_plates_refuse_what_would_hurt),
        cmocka_unit_test(a_mask_never_meets_another_channel_of_its_name),
        cmocka_unit_test(a_plate_that_cannot_be_copied_makes_no_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
