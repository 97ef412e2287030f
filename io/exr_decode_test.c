/* Decoding EXR plates: every codec, type, window and layout, pixel by pixel
 * against the function that made the file. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "io/plate.h"
#include "tests/exr_make.h"

static const struct dq_box windows[] = {
    {0, 0, 0, 0},            /* one pixel */
    {0, 0, 2, 4},            /* 3 x 5 */
    {-37, -21, 40, 12},      /* negative, two chunks of 16 lines and a rest */
    {1000, 2000, 1019, 2269} /* far out, more than 256 lines */
};
#define WINDOWS (sizeof windows / sizeof *windows)

static const exr_pixel_type_t types[] = {EXR_PIXEL_HALF, EXR_PIXEL_FLOAT,
                                         EXR_PIXEL_UINT};

/* How far a codec may move a value of a type, relative to 1. */
static float loss(exr_compression_t codec, exr_pixel_type_t type)
{
    switch (codec) {
    case EXR_COMPRESSION_PXR24:
        return type == EXR_PIXEL_FLOAT ? 1e-4f : 0;
    case EXR_COMPRESSION_B44:
    case EXR_COMPRESSION_B44A:
        return type == EXR_PIXEL_HALF ? 0.03f : 0;
    case EXR_COMPRESSION_DWAA:
    case EXR_COMPRESSION_DWAB:
    case EXR_COMPRESSION_LJ2K:
        return type == EXR_PIXEL_UINT ? 0 : 0.05f;
    default:
        return 0;
    }
}

/* One pixel of a frame as the bits it would have in a float. */
static float pixel(const struct dq_frame *f, int plane, int64_t x, int64_t y)
{
    float value;

    dq_frame_row(f, (enum dq_plane)plane, y - f->data.y0, x - f->data.x0, 1,
                 &value);
    return value;
}

static void assert_plane(const struct dq_frame *f, int plane,
                         const struct made_file *file,
                         const struct made_part *p, const char *name)
{
    int c = made_index(p, name);
    float room = loss(p->codec, p->channels[c].type);
    int64_t x, y;

    for (y = p->data.y0; y <= p->data.y1; y++)
        for (x = p->data.x0; x <= p->data.x1; x++) {
            float want = made_float(file->pixels, p->channels[c].type, c, x, y);
            float got = pixel(f, plane, x, y);

            if (room > 0 ? fabsf(got - want) > room
                         : memcmp(&got, &want, sizeof got) != 0)
                fail_msg("codec %d type %d channel %s at (%lld, %lld): %g, "
                         "not %g",
                         p->codec, p->channels[c].type, name, (long long)x,
                         (long long)y, (double)got, (double)want);
        }
}

static void decode(const struct dq_bytes *bytes,
                   const struct dq_plate_wish *wish, struct dq_frame *frame)
{
    static const struct dq_plate_wish any = {0};
    struct dq_plate_choice choice;
    struct dq_err err = {0};
    struct dq_plate *plate =
        dq_plate_open(bytes->data, bytes->count, "made.exr", &err);

    if (!plate || dq_plate_choose(plate, wish ? wish : &any, &choice, &err) ||
        dq_plate_decode(plate, &choice, frame, &err))
        fail_msg("%s", err.text);
    assert_int_equal(dq_plate_verify(plate, &err), 0);
    dq_plate_close(plate);
}

/* Make, decode and compare R, G, B and A. */
static void round_trip(const struct made_part *part, struct dq_frame *frame)
{
    static const char *const names[4] = {"R", "G", "B", "A"};
    struct made_file file = {
        .display = {0, 0, 63, 63}, .parts = part, .part_count = 1};
    struct dq_bytes bytes;
    int i, half = 1;

    for (i = 0; i < 4; i++) {
        if (part->channels[i].type != EXR_PIXEL_HALF)
            half = 0;
        if (loss(part->codec, part->channels[i].type) > 0)
            file.pixels = MADE_SMOOTH;
    }
    bytes = made_bytes(&file);
    decode(&bytes, NULL, frame);
    assert_int_equal(frame->type, half ? DQ_PIXEL_HALF : DQ_PIXEL_FLOAT);
    assert_true(dq_box_equal(&frame->data, &part->data));
    for (i = 0; i < 4; i++)
        assert_plane(frame, i, &file, part, names[i]);
    dq_bytes_free(&bytes);
}

static void all_types_and_windows(struct made_part part)
{
    struct made_channel channels[4] = {
        {"R", 0, 0}, {"G", 0, 0}, {"B", 0, 0}, {"A", 0, 0}};
    struct dq_frame frame = {0};
    size_t t, w;
    int i;

    part.channels = channels;
    part.channel_count = 4;
    for (t = 0; t < 3; t++)
        for (w = 0; w < WINDOWS; w++) {
            for (i = 0; i < 4; i++)
                channels[i].type = types[t];
            part.data = windows[w];
            round_trip(&part, &frame);
        }
    dq_frame_free(&frame);
}

static void scan_lines_of_every_codec_decode_exactly(void **state)
{
    int codec;

    (void)state;
    for (codec = 0; codec < EXR_COMPRESSION_LAST_TYPE; codec++) {
        struct made_part part = {.storage = EXR_STORAGE_SCANLINE,
                                 .codec = (exr_compression_t)codec};

        all_types_and_windows(part);
    }
}

static void tiles_of_every_codec_decode_exactly(void **state)
{
    int codec;

    (void)state;
    for (codec = 0; codec < EXR_COMPRESSION_LAST_TYPE; codec++) {
        struct made_part part = {.storage = EXR_STORAGE_TILED,
                                 .codec = (exr_compression_t)codec,
                                 .tile_x = 32,
                                 .tile_y = 16};

        all_types_and_windows(part);
    }
}

static void tiles_in_random_order_decode_exactly(void **state)
{
    struct made_part part = {.storage = EXR_STORAGE_TILED,
                             .codec = EXR_COMPRESSION_ZIP,
                             .order = EXR_LINEORDER_RANDOM_Y,
                             .tile_x = 8,
                             .tile_y = 8};

    (void)state;
    all_types_and_windows(part);
}

static void mipmaps_and_ripmaps_give_their_full_size(void **state)
{
    struct made_part part = {.storage = EXR_STORAGE_TILED,
                             .codec = EXR_COMPRESSION_ZIPS,
                             .levels = EXR_TILE_MIPMAP_LEVELS,
                             .tile_x = 16,
                             .tile_y = 16};

    (void)state;
    all_types_and_windows(part);
    part.levels = EXR_TILE_RIPMAP_LEVELS;
    all_types_and_windows(part);
}

static void mixed_types_become_float(void **state)
{
    static const struct made_channel channels[] = {{"R", EXR_PIXEL_HALF, 0},
                                                   {"G", EXR_PIXEL_UINT, 0},
                                                   {"B", EXR_PIXEL_FLOAT, 0},
                                                   {"A", EXR_PIXEL_HALF, 0}};
    struct made_part part = {.codec = EXR_COMPRESSION_PIZ,
                             .data = windows[2],
                             .channels = channels,
                             .channel_count = 4};
    struct dq_frame frame = {0};

    (void)state;
    round_trip(&part, &frame);
    dq_frame_free(&frame);
}

/* ---- lines stored from the bottom up ------------------------------------- */

static uint64_t little(const uint8_t *at)
{
    uint64_t value = 0;
    int i;

    for (i = 7; i >= 0; i--)
        value = value << 8 | at[i];
    return value;
}

/* Store the chunks of a one-part file the other way round: the table keeps
 * its order and points at their new places. */
static struct dq_bytes upside_down(const struct dq_bytes *in, size_t table,
                                   size_t count)
{
    struct dq_bytes out = {0};
    const uint8_t *bytes = (const uint8_t *)in->data;
    size_t i, k;

    dq_bytes_add(&out, in->data, table + count * 8);
    for (i = count; i-- > 0;) {
        uint64_t from = little(bytes + table + i * 8);
        uint64_t to =
            i + 1 < count ? little(bytes + table + (i + 1) * 8) : in->count;
        uint64_t at = out.count;

        dq_bytes_add(&out, bytes + from, to - from);
        for (k = 0; k < 8; k++)
            out.data[table + i * 8 + k] = (char)(at >> (8 * k));
    }
    return out;
}

static void lines_stored_bottom_up_decode_exactly(void **state)
{
    static const struct made_channel channels[] = {{"R", EXR_PIXEL_HALF, 0},
                                                   {"G", EXR_PIXEL_HALF, 0},
                                                   {"B", EXR_PIXEL_HALF, 0}};
    struct made_part part = {.codec = EXR_COMPRESSION_ZIPS,
                             .order = EXR_LINEORDER_DECREASING_Y,
                             .data = {-3, -7, 20, 22},
                             .channels = channels,
                             .channel_count = 3};
    struct made_file file = {
        .display = {0, 0, 9, 9}, .parts = &part, .part_count = 1};
    struct dq_bytes bytes = made_bytes(&file), flipped;
    struct dq_frame frame = {0};
    size_t count = 30, table = 0;

    (void)state;
    /* The table begins where its first entry points past its own end. */
    while (little((uint8_t *)bytes.data + table) != table + count * 8)
        table++;
    flipped = upside_down(&bytes, table, count);
    assert_true(little((uint8_t *)flipped.data + table) > table + count * 8);
    decode(&flipped, NULL, &frame);
    assert_plane(&frame, DQ_PLANE_R, &file, &part, "R");
    assert_plane(&frame, DQ_PLANE_B, &file, &part, "B");
    dq_frame_free(&frame);
    dq_bytes_free(&flipped);
    dq_bytes_free(&bytes);
}

/* ---- luminance ----------------------------------------------------------- */

static void luminance_alone_is_grey(void **state)
{
    static const struct made_channel channels[] = {{"Y", EXR_PIXEL_HALF, 0},
                                                   {"A", EXR_PIXEL_HALF, 0}};
    struct made_part part = {.codec = EXR_COMPRESSION_ZIP,
                             .data = windows[2],
                             .channels = channels,
                             .channel_count = 2};
    struct made_file file = {
        .display = {0, 0, 9, 9}, .parts = &part, .part_count = 1};
    struct dq_bytes bytes = made_bytes(&file);
    struct dq_frame frame = {0};

    (void)state;
    decode(&bytes, NULL, &frame);
    assert_int_equal(frame.type, DQ_PIXEL_HALF);
    assert_ptr_equal(frame.plane[DQ_PLANE_R], frame.plane[DQ_PLANE_B]);
    assert_plane(&frame, DQ_PLANE_G, &file, &part, "Y");
    assert_plane(&frame, DQ_PLANE_A, &file, &part, "A");
    dq_frame_free(&frame);
    dq_bytes_free(&bytes);
}

/* By the definition: at an even pixel its own sample, beside it the mean. */
static float chroma_at(int channel, const struct dq_box *box, int64_t x,
                       int64_t y)
{
    int64_t x1 = x + (x & 1), y1 = y + (y & 1);

    x -= x & 1;
    y -= y & 1;
    x1 = x1 > box->x1 ? x : x1;
    y1 = y1 > box->y1 ? y : y1;
    return (made_float(MADE_SMOOTH, EXR_PIXEL_HALF, channel, x, y) +
            made_float(MADE_SMOOTH, EXR_PIXEL_HALF, channel, x1, y) +
            made_float(MADE_SMOOTH, EXR_PIXEL_HALF, channel, x, y1) +
            made_float(MADE_SMOOTH, EXR_PIXEL_HALF, channel, x1, y1)) /
           4;
}

static void luminance_and_chroma_become_rgb(void **state)
{
    static const struct made_channel channels[] = {{"Y", EXR_PIXEL_HALF, 1},
                                                   {"RY", EXR_PIXEL_HALF, 2},
                                                   {"BY", EXR_PIXEL_HALF, 2}};
    struct made_part part = {.codec = EXR_COMPRESSION_ZIPS,
                             .data = {-4, 2, 21, 33},
                             .channels = channels,
                             .channel_count = 3};
    struct made_file file = {.display = {0, 0, 9, 9},
                             .pixels = MADE_SMOOTH,
                             .parts = &part,
                             .part_count = 1};
    struct dq_bytes bytes = made_bytes(&file);
    struct dq_frame f = {0};
    int64_t x, y;

    (void)state;
    decode(&bytes, NULL, &f);
    assert_int_equal(f.type, DQ_PIXEL_FLOAT);
    for (y = part.data.y0; y <= part.data.y1; y++)
        for (x = part.data.x0; x <= part.data.x1; x++) {
            float lum = made_float(MADE_SMOOTH, EXR_PIXEL_HALF, 0, x, y);
            float r = lum * (1 + chroma_at(1, &part.data, x, y));
            float b = lum * (1 + chroma_at(2, &part.data, x, y));
            /* Rec. 709's weights */
            float g = (lum - 0.2126f * r - 0.0722f * b) / 0.7152f;

            assert_true(fabsf(pixel(&f, DQ_PLANE_R, x, y) - r) < 1e-5f);
            assert_true(fabsf(pixel(&f, DQ_PLANE_B, x, y) - b) < 1e-5f);
            assert_true(fabsf(pixel(&f, DQ_PLANE_G, x, y) - g) < 1e-4f);
        }
    dq_frame_free(&f);
    dq_bytes_free(&bytes);
}

/* ---- many channels, views, layers, parts --------------------------------- */

static void a_layer_of_a_view_is_read_among_many_channels(void **state)
{
    static const struct made_channel channels[] = {
        {"R", EXR_PIXEL_HALF, 0},        {"G", EXR_PIXEL_HALF, 0},
        {"B", EXR_PIXEL_HALF, 0},        {"key.R", EXR_PIXEL_HALF, 0},
        {"key.G", EXR_PIXEL_HALF, 0},    {"key.B", EXR_PIXEL_HALF, 0},
        {"key.le.R", EXR_PIXEL_HALF, 0}, {"key.le.G", EXR_PIXEL_HALF, 0},
        {"key.le.B", EXR_PIXEL_HALF, 0}, {"le.A", EXR_PIXEL_FLOAT, 0},
        {"Z", EXR_PIXEL_FLOAT, 0},       {"id", EXR_PIXEL_UINT, 0},
    };
    static const char *const views[] = {"ri", "le"};
    struct made_part part = {.codec = EXR_COMPRESSION_ZIP,
                             .data = windows[2],
                             .channels = channels,
                             .channel_count = 12};
    struct made_file file = {.display = {0, 0, 9, 9},
                             .views = views,
                             .view_count = 2,
                             .parts = &part,
                             .part_count = 1};
    struct dq_plate_wish wish = {.view = "le", .layer = "key"};
    struct dq_bytes bytes = made_bytes(&file);
    struct dq_frame frame = {0};

    (void)state;
    decode(&bytes, &wish, &frame);
    assert_int_equal(frame.type, DQ_PIXEL_HALF);
    assert_null(frame.plane[DQ_PLANE_A]);
    assert_plane(&frame, DQ_PLANE_R, &file, &part, "key.le.R");
    assert_plane(&frame, DQ_PLANE_B, &file, &part, "key.le.B");
    wish.view = NULL;
    decode(&bytes, &wish, &frame);
    assert_plane(&frame, DQ_PLANE_R, &file, &part, "key.R");
    dq_frame_free(&frame);
    dq_bytes_free(&bytes);
}

static void each_part_has_its_own_window_codec_and_view(void **state)
{
    static const struct made_channel depth[] = {{"Z", EXR_PIXEL_FLOAT, 0}};
    static const struct made_channel rgb[] = {{"R", EXR_PIXEL_HALF, 0},
                                              {"G", EXR_PIXEL_HALF, 0},
                                              {"B", EXR_PIXEL_HALF, 0}};
    const struct made_part parts[] = {
        {.name = "z",
         .view = "le",
         .codec = EXR_COMPRESSION_ZIPS,
         .data = {0, 0, 9, 9},
         .channels = depth,
         .channel_count = 1},
        {.name = "a",
         .view = "le",
         .codec = EXR_COMPRESSION_PIZ,
         .data = {-5, 1, 30, 60},
         .channels = rgb,
         .channel_count = 3},
        {.name = "b",
         .view = "ri",
         .storage = EXR_STORAGE_TILED,
         .tile_x = 16,
         .tile_y = 8,
         .codec = EXR_COMPRESSION_RLE,
         .data = {7, -8, 40, 11},
         .channels = rgb,
         .channel_count = 3},
    };
    struct made_file file = {
        .display = {0, 0, 9, 9}, .aspect = 2, .parts = parts, .part_count = 3};
    struct dq_plate_wish right = {.view = "ri"}, number = {.part = "1"};
    struct dq_bytes bytes = made_bytes(&file);
    struct dq_frame frame = {0};

    (void)state;
    decode(&bytes, &right, &frame);
    assert_true(dq_box_equal(&frame.data, &parts[2].data));
    assert_true(dq_box_equal(&frame.display, &file.display));
    assert_true(frame.pixel_aspect == 2);
    assert_plane(&frame, DQ_PLANE_G, &file, &parts[2], "G");
    decode(&bytes, &number, &frame);
    assert_plane(&frame, DQ_PLANE_B, &file, &parts[1], "B");
    decode(&bytes, NULL, &frame); /* the first that has R, G and B */
    assert_plane(&frame, DQ_PLANE_R, &file, &parts[1], "R");
    dq_frame_free(&frame);
    dq_bytes_free(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scan_lines_of_every_codec_decode_exactly),
        cmocka_unit_test(tiles_of_every_codec_decode_exactly),
        cmocka_unit_test(tiles_in_random_order_decode_exactly),
        cmocka_unit_test(mipmaps_and_ripmaps_give_their_full_size),
        cmocka_unit_test(mixed_types_become_float),
        cmocka_unit_test(lines_stored_bottom_up_decode_exactly),
        cmocka_unit_test(luminance_alone_is_grey),
        cmocka_unit_test(luminance_and_chroma_become_rgb),
        cmocka_unit_test(a_layer_of_a_view_is_read_among_many_channels),
        cmocka_unit_test(each_part_has_its_own_window_codec_and_view),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
