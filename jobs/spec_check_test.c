/* The rules that bind several keys. */
#include "jobs/spec_testing.h"

/* Problems of a job with this plate, output and more. */
static void expect(const char *plate, const char *output, const char *more,
                   const char *want)
{
    char *text = dq_asprintf("depthq: 1\nplate: '%s'\noutput: {path: '%s'}\n"
                             "model: m\n%s",
                             plate, output, more);

    expect_problems(text, want);
    free(text);
}

#define OVERWRITTEN \
    "3:16: output.path: is the plate itself; it would be overwritten\n"
#define NEEDS_NUMBER                                                           \
    "3:16: output.path: needs a frame number, such as ####, as the plate has " \
    "one; else every frame would go to one file\n"

static void the_output_is_never_the_plate(void **state)
{
    (void)state;
    expect("a.####.exr", "a.####.exr", "", OVERWRITTEN);
    expect("a.####.exr", "./a.%04d.exr", "", OVERWRITTEN);
    expect("a.####.exr", "/jobs//./a.$F4.exr", "", OVERWRITTEN);
    expect("a.####.exr", ".//a.####.exr", "", OVERWRITTEN);
    expect("a.####.exr", "././/./a.####.exr", "", OVERWRITTEN);
    expect("a.####.exr", "a.##.exr", "", OVERWRITTEN);
    expect("a.exr", "a.exr", "", OVERWRITTEN);
    expect("a.0001.exr", "a.####.exr", "", OVERWRITTEN);
    expect("a.####.exr", "b/a.####.exr", "", "none");
    expect("a.####.exr", "a.####.depth.exr", "", "none");
    expect("a.0002.exr", "a.####.exr", "", "none");
}

static void two_frames_never_go_to_one_file(void **state)
{
    (void)state;
    expect("a.####.exr", "b.exr", "", NEEDS_NUMBER);
    expect("a.####.exr", "b.exr", "frames: 1\n", NEEDS_NUMBER);
    expect("a.exr", "b.exr", "", "none");
    expect("a.exr", "b.####.exr", "", "none");
}

static void the_output_is_an_exr(void **state)
{
    (void)state;
    expect("a.####.dpx", "b.####.png", "",
           "3:16: output.path: depthq writes OpenEXR; let the name end in "
           ".exr\n");
    expect("a.dpx", "depth", "",
           "3:16: output.path: depthq writes OpenEXR; let the name end in "
           ".exr\n");
    expect("a.####.dpx", "b.####.EXR", "", "none");
}

#define ONE_FILE                                                            \
    "5:9: frames: the plate is one file, which is frame 1; give 'plate' a " \
    "frame number, such as ####, or leave 'frames' away\n"

static void a_plate_of_one_file_is_frame_1(void **state)
{
    (void)state;
    expect("a.exr", "b.exr", "frames: 1-2\n", ONE_FILE);
    expect("a.exr", "b.exr", "frames: 1001\n", ONE_FILE);
    expect("a.exr", "b.exr", "frames: 1\n", "none");
}

static void near_and_far_come_together_and_in_order(void **state)
{
    (void)state;
    expect_more("depth: {near: 1}\n",
                "6:15: depth.near: needs 'far' beside it\n");
    expect_more("depth: {far: 1}\n",
                "6:14: depth.far: needs 'near' beside it\n");
    expect_more("depth: {near: 2, far: 2}\n",
                "6:23: depth.far: must be larger than 'near'\n");
    expect_more("depth: {near: 2, far: 1}\n",
                "6:23: depth.far: must be larger than 'near'\n");
    expect_more("depth: {near: 0, far: 1}\n",
                "6:15: depth.near: 0 is not between 1e-06 and 1000000000\n");
    expect_more("depth: {near: -1, far: 1}\n",
                "6:15: depth.near: -1 is not between 1e-06 and 1000000000\n");
    expect_more("depth: {near: x, far: 1}\n",
                "6:15: depth.near: 'x' is not a number such as 0.5\n");
    expect_more("depth: {near: 0.1, far: 100}\n", "none");
    expect_more("depth: {kind: distance, near: 0.1, far: 100}\n", "none");
}

static void a_range_is_for_distances(void **state)
{
    (void)state;
    expect_more("depth: {kind: inverse, near: 1, far: 2}\n",
                "6:30: depth.near: has a meaning only with 'kind: distance' "
                "or 'kind: auto'\n"
                "6:38: depth.far: has a meaning only with 'kind: distance' "
                "or 'kind: auto'\n");
    expect_more("depth: {kind: native, near: 1, far: 2}\n",
                "6:29: depth.near: has a meaning only with 'kind: distance' "
                "or 'kind: auto'\n"
                "6:37: depth.far: has a meaning only with 'kind: distance' "
                "or 'kind: auto'\n");
}

static void a_half_holds_what_is_asked_of_it(void **state)
{
    (void)state;
    expect_more("  type: half\ndepth: {near: 1, far: 65504}\n", "none");
    expect_more("  type: float\ndepth: {near: 1, far: 65505}\n", "none");
    expect_more("  type: half\ndepth: {near: 1, far: 65505}\n",
                "7:23: depth.far: is more than a half can hold (65504); write "
                "'type: float' under 'output:'\n");
}

static void replacing_a_channel_needs_the_mode_that_has_one(void **state)
{
    (void)state;
    expect_more("  replace_channel: true\n",
                "6:20: output.replace_channel: has a meaning only with "
                "'mode: channel'\n");
    expect_more("  replace_channel: true\n  mode: part\n",
                "6:20: output.replace_channel: has a meaning only with "
                "'mode: channel'\n");
    expect_more("  replace_channel: false\n", "none");
    expect_more("  replace_channel: true\n  mode: channel\n", "none");
}

static void a_steady_shot_needs_tiles_that_are_aligned(void **state)
{
    (void)state;
    expect_more("stabilize: shot\n", "none");
    expect_more("stabilize: shot\ntiles: {align: off}\n",
                "6:12: stabilize: 'shot' needs tiles that are aligned; write "
                "'align: auto' under 'tiles:', or 'stabilize: off'\n");
    expect_more("stabilize: off\ntiles: {align: off}\n", "none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_output_is_never_the_plate),
        cmocka_unit_test(two_frames_never_go_to_one_file),
        cmocka_unit_test(the_output_is_an_exr),
        cmocka_unit_test(a_plate_of_one_file_is_frame_1),
        cmocka_unit_test(near_and_far_come_together_and_in_order),
        cmocka_unit_test(a_range_is_for_distances),
        cmocka_unit_test(a_half_holds_what_is_asked_of_it),
        cmocka_unit_test(replacing_a_channel_needs_the_mode_that_has_one),
        cmocka_unit_test(a_steady_shot_needs_tiles_that_are_aligned),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
