/* Which channels a wish finds, and how a wish that finds none is told. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "io/plate.h"
#include "tests/exr_make.h"

#define HALF(name)              \
    {                           \
        name, EXR_PIXEL_HALF, 0 \
    }

static const struct made_channel rgba[] = {HALF("R"), HALF("G"), HALF("B"),
                                           HALF("A")};
static const struct made_channel depth[] = {HALF("Z")};
static const struct made_channel stereo[] = {
    HALF("R"),      HALF("G"),      HALF("B"),       HALF("left.R"),
    HALF("left.G"), HALF("left.B"), HALF("left.A"),  HALF("key.R"),
    HALF("key.G"),  HALF("key.B"),  HALF("fog.le.R")};
static const char *const views[] = {"right", "left"};

/* A plate of these parts, one pixel each. */
static struct dq_plate *plate_of(const struct made_part *parts, int count,
                                 int view_count, struct dq_bytes *bytes)
{
    struct made_file file = {.display = {0, 0, 0, 0},
                             .views = views,
                             .view_count = view_count,
                             .parts = parts,
                             .part_count = count};
    struct dq_err err = {0};
    struct dq_plate *plate;

    *bytes = made_bytes(&file);
    plate = dq_plate_open(bytes->data, bytes->count, "a.exr", &err);
    if (!plate)
        fail_msg("%s", err.text);
    return plate;
}

/* The chosen channels as text: "R G B A", "-" for none. */
static void assert_choice(const struct made_part *parts, int count,
                          int view_count, struct dq_plate_wish wish, int part,
                          const char *want)
{
    struct dq_bytes bytes;
    struct dq_plate *plate = plate_of(parts, count, view_count, &bytes);
    const struct dq_plate_info *info = dq_plate_info(plate);
    struct dq_plate_choice choice;
    struct dq_err err = {0};
    char text[256] = "";
    int i;

    if (dq_plate_choose(plate, &wish, &choice, &err))
        fail_msg("%s", err.text);
    assert_int_equal(choice.part, part);
    for (i = 0; i < 4; i++) {
        size_t at = strlen(text);

        snprintf(text + at, sizeof text - at, "%s%s", i ? " " : "",
                 choice.channel[i] < 0
                     ? "-"
                     : info->parts[part].channels[choice.channel[i]].name);
    }
    assert_string_equal(text, want);
    dq_plate_close(plate);
    dq_bytes_free(&bytes);
}

static void assert_refused(const struct made_part *parts, int count,
                           int view_count, struct dq_plate_wish wish,
                           const char *want)
{
    struct dq_bytes bytes;
    struct dq_plate *plate = plate_of(parts, count, view_count, &bytes);
    struct dq_plate_choice choice;
    struct dq_err err = {0};

    assert_int_equal(dq_plate_choose(plate, &wish, &choice, &err), DQ_PLATE);
    assert_int_equal(dq_plate_choose(plate, &wish, &choice, NULL), DQ_PLATE);
    if (!strstr(err.text, want) || strncmp(err.text, "a.exr: ", 7) != 0)
        fail_msg("'%s' does not say '%s'", err.text, want);
    dq_plate_close(plate);
    dq_bytes_free(&bytes);
}

static struct made_part part_of(const char *name, const char *view,
                                const struct made_channel *channels, int count)
{
    struct made_part part = {.name = name,
                             .view = view,
                             .channels = channels,
                             .channel_count = count};

    return part;
}

#define WISH(...) ((struct dq_plate_wish){__VA_ARGS__})

static void rgb_and_alpha_are_the_default(void **state)
{
    struct made_part part = part_of(NULL, NULL, rgba, 4);

    (void)state;
    assert_choice(&part, 1, 0, WISH(0), 0, "R G B A");
    part.channel_count = 3;
    assert_choice(&part, 1, 0, WISH(0), 0, "R G B -");
}

static void luminance_stands_for_all_three(void **state)
{
    static const struct made_channel grey[] = {HALF("Y"), HALF("A")};
    struct made_part part = part_of(NULL, NULL, grey, 2);

    (void)state;
    assert_choice(&part, 1, 0, WISH(0), 0, "Y Y Y A");
}

/* Positions and normals have a Y, too. */
static void the_y_of_a_vector_is_no_luminance(void **state)
{
    static const struct made_channel xyz[] = {HALF("X"), HALF("Y"), HALF("Z")};
    static const struct made_channel grey[] = {HALF("Y"), HALF("Z")};
    struct made_part parts[2] = {part_of("P", NULL, xyz, 3),
                                 part_of("grey", NULL, grey, 2)};

    (void)state;
    assert_refused(parts, 1, 0, WISH(0), "no channel 'R' (its channels: X,");
    assert_choice(parts, 2, 0, WISH(0), 1, "Y Y Y -");
}

static void a_view_of_one_part_is_found_by_channel_names(void **state)
{
    struct made_part part = part_of(NULL, NULL, stereo, 11);

    (void)state;
    assert_choice(&part, 1, 2, WISH(0), 0, "R G B -");
    assert_choice(&part, 1, 2, WISH(.view = "right"), 0, "R G B -");
    assert_choice(&part, 1, 2, WISH(.view = "left"), 0,
                  "left.R left.G left.B left.A");
    assert_choice(&part, 1, 2, WISH(.layer = "key"), 0, "key.R key.G key.B -");
    assert_refused(&part, 1, 2, WISH(.view = "left", .layer = "key"),
                   "no channel 'key.left.R'");
    assert_refused(&part, 1, 2, WISH(.view = "top"),
                   "no view 'top' (views: right, left)");
}

static void names_of_views_mean_nothing_without_views(void **state)
{
    struct made_part part = part_of(NULL, NULL, stereo, 11);

    (void)state;
    assert_choice(&part, 1, 0, WISH(.layer = "left"), 0,
                  "left.R left.G left.B left.A");
    assert_refused(&part, 1, 0, WISH(.view = "left"), "has no views");
}

static void parts_are_found_by_view_name_and_number(void **state)
{
    const struct made_part parts[] = {
        part_of("z", "left", depth, 1),
        part_of("l", "left", rgba, 4),
        part_of("2", "right", rgba, 3),
    };

    (void)state;
    assert_choice(parts, 3, 0, WISH(0), 1, "R G B A");
    assert_choice(parts, 3, 0, WISH(.view = "right"), 2, "R G B -");
    assert_choice(parts, 3, 0, WISH(.part = "1"), 1, "R G B A");
    assert_choice(parts, 3, 0, WISH(.part = "2"), 2, "R G B -"); /* its name */
    assert_choice(parts, 3, 0, WISH(.part = "l", .view = "left"), 1, "R G B A");
    assert_refused(parts, 3, 0, WISH(.part = "l", .view = "right"),
                   "part 'l' belongs to view 'left'");
    assert_refused(parts, 3, 0, WISH(.part = "z"),
                   "part 'z' has no channel 'R' (its channels: Z)");
    assert_refused(parts, 3, 0, WISH(.part = "3"),
                   "no part '3' (3 parts: z, l, 2)");
    assert_refused(parts, 3, 0, WISH(.part = "-1"), "no part '-1'");
    assert_refused(parts, 3, 0, WISH(.view = "centre"), "(views: left, right)");
}

static void a_missing_colour_is_named(void **state)
{
    struct made_part part = part_of(NULL, NULL, rgba, 2);

    (void)state;
    assert_refused(&part, 1, 0, WISH(0),
                   "the plate has no channel 'B' (its channels: G, R)");
}

static void many_channels_do_not_fill_the_message(void **state)
{
    struct made_channel channels[64];
    char names[64][32];
    struct made_part part = part_of(NULL, NULL, channels, 64);
    int i;

    (void)state;
    for (i = 0; i < 64; i++) {
        snprintf(names[i], sizeof names[i], "layer.channel%02d", i);
        channels[i] = (struct made_channel){names[i], EXR_PIXEL_HALF, 0};
    }
    assert_refused(&part, 1, 0, WISH(0), ", ...); name another input.part");
}

static void subsampled_colour_is_refused_by_name(void **state)
{
    static const struct made_channel g2[] = {
        HALF("R"), {"G", EXR_PIXEL_HALF, 2}, HALF("B")};
    static const struct made_channel y4[] = {
        HALF("Y"), {"RY", EXR_PIXEL_HALF, 4}, {"BY", EXR_PIXEL_HALF, 4}};
    static const struct made_channel half_chroma[] = {
        HALF("Y"), {"RY", EXR_PIXEL_HALF, 2}};
    struct made_part part = part_of(NULL, NULL, g2, 3);

    (void)state;
    part.data = (struct dq_box){0, 0, 7, 7};
    assert_refused(&part, 1, 0, WISH(0), "channel 'G' is sampled 2 x 2");
    part.channels = y4;
    assert_refused(&part, 1, 0, WISH(0), "channel 'RY' is sampled 4 x 4");
    part.channels = half_chroma;
    part.channel_count = 2;
    assert_refused(&part, 1, 0, WISH(0), "no channel 'R'");
}

/* ---- deep ---------------------------------------------------------------- */

/* A deep part of one pixel without samples. */
static struct dq_bytes deep_bytes(void)
{
    exr_attr_box2i_t box = {{0, 0}, {0, 0}};
    exr_attr_v2f_t centre = {0, 0};
    struct dq_bytes out = {0};
    exr_context_t exr = made_open(&out);
    int32_t samples = 0;
    int part;

    made_check(exr_add_part(exr, "deep", EXR_STORAGE_DEEP_SCANLINE, &part));
    made_check(exr_initialize_required_attr(exr, part, &box, &box, 1, &centre,
                                            1, EXR_LINEORDER_INCREASING_Y,
                                            EXR_COMPRESSION_NONE));
    made_check(exr_add_channel(exr, part, "Z", EXR_PIXEL_FLOAT,
                               EXR_PERCEPTUALLY_LINEAR, 1, 1));
    made_check(exr_write_header(exr));
    made_check(exr_write_deep_scanline_chunk(exr, part, 0, &samples, 0, 0,
                                             &samples, sizeof samples));
    made_check(exr_finish(&exr));
    return out;
}

static void deep_data_is_refused_clearly(void **state)
{
    struct dq_bytes bytes = deep_bytes();
    struct dq_err err = {0};
    struct dq_plate *plate =
        dq_plate_open(bytes.data, bytes.count, "deep.exr", &err);
    struct dq_plate_wish wish = {0};
    struct dq_plate_choice choice;

    (void)state;
    assert_non_null(plate);
    assert_int_equal(dq_plate_info(plate)->parts[0].deep, 1);
    assert_string_equal(dq_plate_info(plate)->parts[0].storage,
                        "deep scanline");
    assert_int_equal(dq_plate_choose(plate, &wish, &choice, &err), DQ_PLATE);
    assert_string_equal(err.text,
                        "deep.exr: the plate is deep scanline data; only flat "
                        "images can be read: flatten it, or name a flat part");
    dq_plate_close(plate);
    dq_bytes_free(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rgb_and_alpha_are_the_default),
        cmocka_unit_test(luminance_stands_for_all_three),
        cmocka_unit_test(the_y_of_a_vector_is_no_luminance),
        cmocka_unit_test(a_view_of_one_part_is_found_by_channel_names),
        cmocka_unit_test(names_of_views_mean_nothing_without_views),
        cmocka_unit_test(parts_are_found_by_view_name_and_number),
        cmocka_unit_test(a_missing_colour_is_named),
        cmocka_unit_test(many_channels_do_not_fill_the_message),
        cmocka_unit_test(subsampled_colour_is_refused_by_name),
        cmocka_unit_test(deep_data_is_refused_clearly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
