/* The pipeline over real plates: what comes out, whoever works beside it. */
#include "infer/pipeline_testing.h"

#include "infer/shot.h"
#include "io/plate.h"

/* ---- how much memory a frame takes ----------------------------------------
 */

/* Whether the surveyed shot's first frame can be made with so much. */
static int suffices(const struct dq_recipe *recipe, size_t memory)
{
    struct told told;
    struct dq_pipeline *p;

    told_start(&told);
    p = pipeline_of(&told, (struct threads){1, 1, 1, memory});
    submit(p, recipe, FIRST);
    dq_pipeline_finish(p);
    told_end(&told);
    return told.outcome[FIRST].err.code == DQ_OK;
}

/* The least --memory that it can be made with, give or take; others need a
 * little more or less, as their files are larger or smaller. */
enum { PRECISION = 512, LITTLE = 4096 };
static size_t least_memory(const struct dq_recipe *recipe)
{
    size_t too_little = 0, enough = (size_t)1 << 24;

    while (enough - too_little > PRECISION) {
        size_t middle = too_little + (enough - too_little) / 2;

        if (suffices(recipe, middle))
            enough = middle;
        else
            too_little = middle;
    }
    return enough;
}

/* ---- what comes out ------------------------------------------------------ */

static struct dq_frame read_depth(int frame)
{
    struct dq_err err = {0};
    struct dq_bytes bytes = {0};
    char *path = dq_asprintf("out/d.%04d.exr", frame);
    const struct dq_plate_choice choice = {.channel = {0, 0, 0, -1}, .grey = 1};
    struct dq_frame depth = {0};
    struct dq_plate *plate = NULL;

    if (!dq_bytes_read_file(&bytes, path, 1 << 24, DQ_IO, &err))
        plate = dq_plate_open(bytes.data, bytes.count, path, &err);
    if (!plate || dq_plate_decode(plate, &choice, &depth, &err))
        fail_msg("%s", err.text);
    dq_plate_close(plate);
    dq_bytes_free(&bytes);
    free(path);
    return depth;
}

/* An identity network without alignment answers the plate's R. */
static void each_frame_is_its_own_plate_to_the_last_bit(void **state)
{
    struct told told;
    struct dq_recipe *recipe = recipe_of("\"identity\"", "out/d.####.exr");

    (void)state;
    recipe->align = 0;
    run_shot(recipe, (struct threads){3, 2, 5, 0}, NULL, &told);
    expect_all_done(&told);
    for (int f = FIRST; f <= SHOT_FRAMES; f++) {
        struct dq_frame depth = read_depth(f);
        struct dq_box want = window_of(f);
        const float *z = depth.plane[0];

        assert_memory_equal(&depth.data, &want, sizeof want);
        for (int y = want.y0; y <= want.y1; y++)
            for (int x = want.x0; x <= want.x1; x++, z++)
                if (*z < made_slope(f % 3, x, y) ||
                    *z > made_slope(f % 3, x, y))
                    fail_msg("frame %d: pixel %d, %d", f, x, y);
        dq_frame_free(&depth);
    }
    told_end(&told);
    dq_recipe_free(recipe);
}

static float pixel_at(const struct dq_frame *f, int x, int y)
{
    const float *row =
        (const float *)f->plane[0] + (size_t)(y - f->data.y0) * WIDTH;

    return row[x - f->data.x0];
}

/* A ramp answers by the place in the tile: tiles do not move with windows. */
static void a_pixel_keeps_its_place_in_its_tile_in_every_frame(void **state)
{
    struct told told;
    struct dq_recipe *recipe = recipe_of("\"ramp\"", "out/d.####.exr");
    struct dq_frame first, other;

    (void)state;
    recipe->align = 0;
    run_shot(recipe, (struct threads){2, 2, 3, 0}, NULL, &told);
    expect_all_done(&told);
    first = read_depth(FIRST);
    for (int f = FIRST + 1; f <= SHOT_FRAMES; f++) {
        other = read_depth(f);
        for (int y = 4; y < HEIGHT; y++)
            for (int x = 2; x < WIDTH - 2; x++)
                if (memcmp(&(float){pixel_at(&first, x, y)},
                           &(float){pixel_at(&other, x, y)}, sizeof(float)))
                    fail_msg("frame %d: pixel %d, %d", f, x, y);
        dq_frame_free(&other);
    }
    dq_frame_free(&first);
    told_end(&told);
    dq_recipe_free(recipe);
}

static void the_bytes_are_the_same_for_any_number_of_threads(void **state)
{
    static const struct threads many[] = {
        {1, 1, 1, 0}, {4, 1, 4, 0}, {1, 3, 6, 0}, {3, 4, 12, 0}, {2, 2, 2, 0}};
    static const int shuffled[SHOT_FRAMES] = {7, 2,  12, 1,  9, 4,
                                              3, 11, 5,  10, 8, 6};
    struct told first, told;

    (void)state;
    for (size_t i = 0; i < sizeof many / sizeof *many; i++) {
        char *output = dq_asprintf("out%zu/d.####.exr", i);
        struct dq_recipe *recipe = recipe_of("\"affine\"", output);

        run_shot(recipe, many[i], i % 2 ? shuffled : NULL, &told);
        expect_all_done(&told);
        if (i == 0)
            first = told;
        for (int f = FIRST; f <= SHOT_FRAMES; f++)
            assert_string_equal(told.outcome[f].sha256,
                                first.outcome[f].sha256);
        told_end(&told);
        dq_recipe_free(recipe);
        free(output);
    }
    assert_string_not_equal(first.outcome[1].sha256, first.outcome[2].sha256);
}

/* ---- errors -------------------------------------------------------------- */

static void spoil_plates(void)
{
    static const struct made_channel yz[] = {{"left", EXR_PIXEL_HALF, 0},
                                             {"right", EXR_PIXEL_HALF, 0}};
    struct made_part part = {.storage = EXR_STORAGE_SCANLINE,
                             .data = {0, 0, WIDTH - 1, HEIGHT - 1},
                             .channels = yz,
                             .channel_count = 2};
    struct made_file file = {.display = {0, 0, WIDTH - 1, HEIGHT - 1},
                             .parts = &part,
                             .part_count = 1};
    struct dq_bytes bytes = plate_bytes(5);

    assert_int_equal(remove("plate/p.0002.exr"), 0);
    put_plate(5, bytes.data, bytes.count * 3 / 4);
    dq_bytes_free(&bytes);
    put_plate(6, "", 0);
    assert_int_equal(remove("plate/p.0008.exr"), 0);
    assert_int_equal(mkdir("plate/p.0008.exr", 0777), 0);
    bytes = made_bytes(&file);
    put_plate(9, bytes.data, bytes.count);
    dq_bytes_free(&bytes);
    part.channels = rgb_of[0];
    part.channel_count = 3;
    file.display.x1++;
    bytes = made_bytes(&file);
    put_plate(11, bytes.data, bytes.count);
    dq_bytes_free(&bytes);
}

static void each_error_stays_with_its_frame(void **state)
{
    static const int code[SHOT_FRAMES + 1] = {
        [2] = DQ_MISSING, [5] = DQ_PLATE, [6] = DQ_PLATE,
        [8] = DQ_PLATE,   [9] = DQ_PLATE, [11] = DQ_PLATE};
    static const char *const says[SHOT_FRAMES + 1] = {
        [2] = "p.0002.exr",
        [5] = "p.0005.exr",
        [6] = "p.0006.exr: the file is empty",
        [8] = "p.0008.exr: is a folder",
        [9] = "p.0009.exr",
        [11] = "p.0011.exr: its display window (0, 0) to (60, 40) differs"};
    struct dq_recipe *recipe = recipe_of("\"affine\"", "out/d.####.exr");
    struct told whole, told;

    (void)state;
    run_shot(recipe, (struct threads){1, 1, 1, 0}, NULL, &whole);
    told_end(&whole);
    spoil_plates();
    dq_recipe_free(recipe);
    recipe = recipe_of("\"affine\"", "again/d.####.exr");
    run_shot(recipe, (struct threads){3, 3, 4, 0}, NULL, &told);
    for (int f = FIRST; f <= SHOT_FRAMES; f++) {
        assert_int_equal(told.settled[f], 1);
        assert_int_equal(told.outcome[f].err.code, code[f]);
        if (!code[f])
            assert_int_equal(told.outcome[f].sha256[0] != 0, 1);
        else if (!strstr(told.outcome[f].err.text, says[f]))
            fail_msg("frame %d: %s", f, told.outcome[f].err.text);
    }
    assert_int_equal(entries_in("again"), SHOT_FRAMES - 6 + 1 /* .depthq */);
    told_end(&told);
    dq_recipe_free(recipe);
}

/* A network that throws from its third forward on fails frames, not the
 * pipeline; publishing that fails, one frame alone. */
static void a_stage_that_fails_settles_its_frame(void **state)
{
    struct dq_recipe *recipe =
        recipe_of("\"throw\", \"after\": 60", "out/d.####.exr");
    struct told told;
    int failed = 0;

    (void)state;
    assert_int_equal(mkdir("out", 0777), 0);
    assert_int_equal(mkdir("out/d.0002.exr", 0777), 0);
    run_shot(recipe, (struct threads){2, 2, 3, 0}, NULL, &told);
    for (int f = FIRST; f <= SHOT_FRAMES; f++) {
        int is = told.outcome[f].err.code;

        assert_int_equal(told.settled[f], 1);
        failed += is == DQ_ANSWER;
        if (f == 2)
            assert_true(is == DQ_EXISTS || is == DQ_CREATE);
        else
            assert_true(is == DQ_OK || is == DQ_ANSWER);
    }
    assert_in_range(failed, 1, SHOT_FRAMES - 2);
    told_end(&told);
    dq_recipe_free(recipe);
}

/* ---- a job beside a survey ----------------------------------------------- */

/* Frames of a surveyed shot, the survey of another and, without waiting for
 * it, a frame of a third that was never surveyed. */
static void a_survey_goes_among_the_frames_of_another_shot(void **state)
{
    struct dq_recipe *a = recipe_of("\"affine\"", "a/d.####.exr");
    struct dq_recipe *b = recipe_of("\"affine\"", "b/d.####.exr");
    struct dq_recipe *c = recipe_of("\"affine\"", "c/d.####.exr");
    struct dq_pipeline *p;
    struct dq_shot alone = {.key = ""}, beside = {.key = ""};
    struct dq_err err = {0};
    struct told told;

    (void)state;
    run_shot(a, (struct threads){1, 1, 1, 0}, NULL, &told);
    expect_all_done(&told);
    told_end(&told);
    a->existing = DQ_REPLACE;
    told_start(&told);
    p = pipeline_of(&told, (struct threads){3, 2, 4, least_memory(a) + LITTLE});
    for (int f = FIRST; f <= SHOT_FRAMES; f++) {
        submit(p, f == 7 ? c : a, f);
        if (f == 3)
            submit(p, b, 0);
    }
    dq_pipeline_finish(p);
    for (int f = 0; f <= SHOT_FRAMES; f++)
        if (f != 7)
            expect_done(&told, f);
    assert_int_equal(told.settled[7], 1);
    assert_int_equal(told.outcome[7].err.code, DQ_MISSING);
    if (dq_shot_read(a, &alone, &err) || dq_shot_read(b, &beside, &err))
        fail_msg("%s", err.text);
    assert_true(alone.range_low >= beside.range_low &&
                alone.range_low <= beside.range_low);
    assert_memory_equal(&alone.lattice, &beside.lattice, sizeof alone.lattice);
    told_end(&told);
    dq_recipe_free(a);
    dq_recipe_free(b);
    dq_recipe_free(c);
}

/* ---- the byte budget ----------------------------------------------------- */

/* How many frames are past the gate at once. The third to come to its end is
 * held there and keeps its share; `beside` others are waited for meanwhile
 * (of twelve with six tickets four at least are still to come). */
static int most_at_once(struct dq_recipe *recipe, size_t memory, int beside)
{
    struct told told;
    struct dq_pipeline *p;
    int most;

    told_start(&told);
    told.hold_settling = 3;
    p = pipeline_of(&told, (struct threads){4, 4, 6, memory});
    for (int f = FIRST; f <= SHOT_FRAMES; f++)
        submit(p, recipe, f);
    wait_held(&told);
    wait_beside(&told, beside);
    let_go(&told);
    dq_pipeline_finish(p);
    for (int f = FIRST; f <= SHOT_FRAMES; f++)
        expect_done(&told, f);
    most = told.open_most;
    told_end(&told);
    return most;
}

static void the_budget_bounds_what_is_in_flight(void **state)
{
    struct dq_recipe *recipe = recipe_of("\"identity\"", "out/d.####.exr");
    size_t least;
    struct told told;

    (void)state;
    run_shot(recipe, (struct threads){1, 1, 1, 0}, NULL, &told);
    told_end(&told);
    recipe->existing = DQ_REPLACE;
    least = least_memory(recipe);
    most_at_once(recipe, 0, 3);
    most_at_once(recipe, 2 * (least + LITTLE), 3);
    assert_int_equal(most_at_once(recipe, least + LITTLE, 0), 1);
    dq_recipe_free(recipe);
}

static void a_frame_beyond_the_budget_is_refused_by_name(void **state)
{
    struct dq_recipe *recipe = recipe_of("\"identity\"", "out/d.####.exr");
    size_t least;
    struct told told;
    int refused = 0;

    (void)state;
    run_shot(recipe, (struct threads){1, 1, 1, 0}, NULL, &told);
    told_end(&told);
    recipe->existing = DQ_REPLACE;
    least = least_memory(recipe);
    run_shot(recipe, (struct threads){2, 2, 3, least - PRECISION}, NULL, &told);
    for (int f = FIRST; f <= SHOT_FRAMES; f++) {
        const struct dq_err *err = &told.outcome[f].err;

        assert_int_equal(told.settled[f], 1);
        refused += err->code == DQ_PLATE;
        if (err->code && !strstr(err->text, "raise --memory"))
            fail_msg("%s", err->text);
    }
    assert_in_range(refused, 1, SHOT_FRAMES);
    told_end(&told);
    dq_recipe_free(recipe);
}

/* ---- dropping ------------------------------------------------------------ */

static void only_what_nobody_has_begun_can_be_dropped(void **state)
{
    struct dq_recipe *recipe = recipe_of("\"identity\"", "out/d.####.exr");
    struct dq_request one = {.recipe = recipe, .frame = 1, .attempt = 1};
    struct dq_request two = {.recipe = recipe, .frame = 2, .attempt = 1};
    struct dq_request never = {.recipe = recipe, .frame = 99, .attempt = 1};
    struct told told;
    struct dq_pipeline *p;

    (void)state;
    run_shot(recipe, (struct threads){1, 1, 1, 0}, NULL, &told);
    told_end(&told);
    assert_int_equal(remove("out/d.0001.exr"), 0);
    told_start(&told);
    told.hold_reading = 1;
    p = pipeline_of(&told, (struct threads){1, 1, 3, 0});
    for (int f = 1; f <= 3; f++)
        submit(p, recipe, f);
    wait_held(&told);
    assert_int_equal(dq_pipeline_drop(p, &one), 0); /* in flight */
    assert_int_equal(dq_pipeline_drop(p, &two), 1);
    assert_int_equal(dq_pipeline_drop(p, &two), 0); /* only once */
    assert_int_equal(dq_pipeline_drop(p, &never), 0);
    assert_int_equal(told.settled[2], 1);
    let_go(&told);
    dq_pipeline_finish(p);
    expect_done(&told, 1);
    assert_int_equal(access("out/d.0001.exr", F_OK), 0);
    assert_int_equal(told.outcome[2].err.code, DQ_STOPPED);
    assert_int_equal(told.settled[2], 1);
    expect_done(&told, 3);
    told_end(&told);
    dq_recipe_free(recipe);
}

/* Plates that say nothing, in two jobs of one pipeline. */
static void a_guessed_colour_space_is_told_once_a_job(void **state)
{
    struct dq_recipe *jobs[] = {recipe_of("\"identity\"", "one/d.####.exr"),
                                recipe_of("\"identity\"", "two/d.####.exr")};
    struct told told;
    struct dq_pipeline *p;

    (void)state;
    for (int i = 0; i < 2; i++) {
        jobs[i]->job = i + 1;
        free(jobs[i]->colorspace);
        jobs[i]->colorspace = dq_strdup("auto");
        run_shot(jobs[i], (struct threads){2, 1, 3, 0}, NULL, &told);
        expect_all_done(&told);
        assert_int_equal(told.notes, 1);
        told_end(&told);
    }
    jobs[0]->existing = jobs[1]->existing = DQ_REPLACE;
    told_start(&told);
    p = pipeline_of(&told, (struct threads){2, 1, 3, 0});
    for (int f = FIRST; f <= SHOT_FRAMES; f++)
        submit(p, jobs[f % 2], f);
    dq_pipeline_finish(p);
    for (int f = FIRST; f <= SHOT_FRAMES; f++)
        expect_done(&told, f);
    assert_int_equal(told.notes, 2);
    told_end(&told);
    dq_recipe_free(jobs[0]);
    dq_recipe_free(jobs[1]);
}

int main(void)
{
#define IN_A_SHOT(test) \
    cmocka_unit_test_setup_teardown(test, shot_setup, folder_teardown)
    const struct CMUnitTest tests[] = {
        IN_A_SHOT(each_frame_is_its_own_plate_to_the_last_bit),
        IN_A_SHOT(a_pixel_keeps_its_place_in_its_tile_in_every_frame),
        IN_A_SHOT(the_bytes_are_the_same_for_any_number_of_threads),
        IN_A_SHOT(each_error_stays_with_its_frame),
        IN_A_SHOT(a_stage_that_fails_settles_its_frame),
        IN_A_SHOT(a_survey_goes_among_the_frames_of_another_shot),
        IN_A_SHOT(the_budget_bounds_what_is_in_flight),
        IN_A_SHOT(a_frame_beyond_the_budget_is_refused_by_name),
        IN_A_SHOT(only_what_nobody_has_begun_can_be_dropped),
        IN_A_SHOT(a_guessed_colour_space_is_told_once_a_job),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
