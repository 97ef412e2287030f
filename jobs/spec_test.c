#include "jobs/spec_testing.h"

#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"

static void the_least_job_gets_every_default(void **state)
{
    struct dq_spec *spec = parse_ok(LEAST);

    (void)state;
    assert_int_equal(spec->format, 1);
    assert_string_equal(spec->name, "shot");
    assert_string_equal(spec->file, "/jobs/shot.yaml");
    assert_string_equal(spec->folder, "/jobs");
    assert_string_equal(spec->plate.prefix, "/jobs/plate/a.");
    assert_string_equal(spec->plate.suffix, ".exr");
    assert_int_equal(spec->plate.digits, 4);
    assert_int_equal(spec->frames.count, 0);
    assert_string_equal(spec->model, "demo");
    assert_string_equal(spec->output.path.prefix, "/jobs/out/a.");
    assert_int_equal(spec->output.mode, DQ_MODE_SEPARATE);
    assert_string_equal(spec->output.channel, "Z");
    assert_int_equal(spec->output.type, DQ_TYPE_FLOAT);
    assert_int_equal(spec->output.compression, DQ_COMPRESSION_ZIPS);
    assert_int_equal(spec->output.existing, DQ_EXISTING_RESUME);
    assert_int_equal(spec->output.mask, 0);
    assert_int_equal(spec->output.replace_channel, 0);
    assert_int_equal(spec->depth.kind, DQ_KIND_AUTO);
    assert_true(spec->depth.near == 0 && spec->depth.far == 0);
    assert_null(spec->input.part);
    assert_null(spec->input.view);
    assert_null(spec->input.layer);
    assert_string_equal(spec->input.colorspace, "auto");
    assert_int_equal(spec->input.exposure_auto, 1);
    assert_int_equal(spec->input.tonemap, DQ_SPEC_SHOULDER);
    assert_int_equal(spec->tiles.size, 0);
    assert_true(spec->tiles.overlap == 0.25);
    assert_int_equal(spec->tiles.batch, 0);
    assert_int_equal(spec->tiles.align, DQ_SPEC_AUTO);
    assert_int_equal(spec->stabilize, DQ_STABILIZE_OFF);
    assert_int_equal(spec->priority, 50);
    assert_int_equal(spec->retries, 3);
    dq_spec_free(spec);
}

static const char full[] = "# the whole of it\n"
                           "depthq: 1\n"
                           "name: sh010_depth\n"
                           "plate: \"plate/sh010.%04d.exr\"\n"
                           "frames: 1001-1009x2,1020\n"
                           "model: demo-depth@1.2.0\n"
                           "output:\n"
                           "  path: /show/depth/sh010.$F4.exr\n"
                           "  mode: channel\n"
                           "  channel: depth.Z\n"
                           "  replace_channel: true\n"
                           "  type: half\n"
                           "  compression: piz\n"
                           "  existing: fail\n"
                           "  mask: true\n"
                           "depth:\n"
                           "  kind: distance\n"
                           "  near: 0.5\n"
                           "  far: 1.2e3\n"
                           "input:\n"
                           "  part: beauty\n"
                           "  view: left\n"
                           "  layer: RGBA\n"
                           "  colorspace: 'ACES - ACEScg'\n"
                           "  exposure: -1.5\n"
                           "  tonemap: clip\n"
                           "tiles:\n"
                           "  size: 518\n"
                           "  overlap: 0.5\n"
                           "  batch: 4\n"
                           "  align: off\n"
                           "stabilize: off\n"
                           "priority: 100\n"
                           "retries: 0\n";

static void every_key_reaches_its_member(void **state)
{
    struct dq_spec *spec = parse_ok(full);

    (void)state;
    assert_string_equal(spec->name, "sh010_depth");
    assert_int_equal(spec->plate.digits, 4);
    assert_int_equal(spec->frames.count, 6);
    assert_int_equal(spec->frames.frames[4], 1009);
    assert_string_equal(spec->model, "demo-depth@1.2.0");
    assert_string_equal(spec->output.path.prefix, "/show/depth/sh010.");
    assert_int_equal(spec->output.mode, DQ_MODE_CHANNEL);
    assert_string_equal(spec->output.channel, "depth.Z");
    assert_int_equal(spec->output.replace_channel, 1);
    assert_int_equal(spec->output.type, DQ_TYPE_HALF);
    assert_int_equal(spec->output.compression, DQ_COMPRESSION_PIZ);
    assert_int_equal(spec->output.existing, DQ_EXISTING_FAIL);
    assert_int_equal(spec->output.mask, 1);
    assert_int_equal(spec->depth.kind, DQ_KIND_DISTANCE);
    assert_true(spec->depth.near == 0.5 && spec->depth.far == 1200);
    assert_string_equal(spec->input.part, "beauty");
    assert_string_equal(spec->input.view, "left");
    assert_string_equal(spec->input.layer, "RGBA");
    assert_string_equal(spec->input.colorspace, "ACES - ACEScg");
    assert_int_equal(spec->input.exposure_auto, 0);
    assert_true(spec->input.exposure == -1.5);
    assert_int_equal(spec->input.tonemap, DQ_SPEC_CLIP);
    assert_int_equal(spec->tiles.size, 518);
    assert_true(spec->tiles.overlap == 0.5);
    assert_int_equal(spec->tiles.batch, 4);
    assert_int_equal(spec->tiles.align, DQ_SPEC_OFF);
    assert_int_equal(spec->stabilize, DQ_STABILIZE_OFF);
    assert_int_equal(spec->priority, 100);
    assert_int_equal(spec->retries, 0);
    dq_spec_free(spec);
}

static void a_job_without_a_name_is_called_as_its_file(void **state)
{
    static const char *const names[][2] = {
        {"/jobs/sh010_depth.yaml", "sh010_depth"},
        {"/jobs/sh010.v2.yml", "sh010.v2"},
        {"/jobs/my shot (2).yaml", "my-shot--2-"},
        {"/jobs/shot", "shot"},
        {"/jobs/.yaml", ".yaml"},
        {"-", "job"}};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct dq_problems problems = {0};
        struct dq_spec *spec = dq_spec_parse(LEAST, strlen(LEAST), names[i][0],
                                             "/jobs", &problems);

        assert_non_null(spec);
        assert_string_equal(spec->name, names[i][1]);
        dq_spec_free(spec);
    }
}

static void all_problems_come_at_once_in_the_order_of_lines(void **state)
{
    (void)state;
    expect_problems(
        "depthq: 1\n"
        "plate: plate/a.####.exr\n"
        "fraems: 1001-1240\n"
        "output:\n"
        "  mode: sperate\n"
        "  mask: yes\n"
        "tiles: {overlap: 0.75, sise: 512}\n"
        "retries: many\n",
        "1:1: missing key 'model'\n"
        "3:1: unknown key 'fraems' (did you mean 'frames'?)\n"
        "4:1: missing key 'output.path'\n"
        "5:9: output.mode: 'sperate' is none of separate, part, channel "
        "(did you mean 'separate'?)\n"
        "6:9: output.mask: 'yes' is neither true nor false\n"
        "7:18: tiles.overlap: 0.75 is not between 0 and 0.5\n"
        "7:24: unknown key 'sise' (did you mean 'size'?)\n"
        "8:10: retries: 'many' is not a whole number such as 8\n");
}

static void a_key_in_the_wrong_section_is_sent_home(void **state)
{
    (void)state;
    expect_more("  frames: 1-2\n"
                "overlap: 0.25\n"
                "depth:\n"
                "  priority: 3\n"
                "  size: 512\n"
                "zebra: 1\n",
                "6:3: unknown key 'frames' (it belongs at the top level, "
                "not indented)\n"
                "7:1: unknown key 'overlap' (it belongs under 'tiles:')\n"
                "9:3: unknown key 'priority' (it belongs at the top level, "
                "not indented)\n"
                "10:3: unknown key 'size' (it belongs under 'tiles:')\n"
                "11:1: unknown key 'zebra'\n");
}

static void what_is_needed_is_asked_for(void **state)
{
    (void)state;
    expect_problems("name: a\n",
                    "1:1: missing key 'depthq' (write 'depthq: 1' in the "
                    "first line)\n"
                    "1:1: missing key 'plate'\n"
                    "1:1: missing key 'model'\n"
                    "1:1: missing key 'output.path'\n");
}

static void another_format_names_what_this_build_reads(void **state)
{
    char *want = dq_asprintf("1:9: depthq: format 2 is not known: depthq %s "
                             "reads format 1\n",
                             DQ_VERSION);

    (void)state;
    expect_problems("depthq: 2\nplate: a.#.exr\nmodel: m\n"
                    "output: {path: b.#.exr}\n",
                    want);
    free(want);
}

static void a_section_is_a_group_and_a_key_is_not(void **state)
{
    (void)state;
    expect_more("tiles:\n"
                "depth: auto\n"
                "input: [a, b]\n"
                "priority: {a: 1}\n"
                "retries: [1]\n",
                "6:7: tiles: expects keys of its own, indented below it\n"
                "7:8: depth: expects keys of its own, indented below it\n"
                "8:8: input: expects keys of its own, indented below it\n"
                "9:11: priority: expects one value, not a group of keys\n"
                "10:10: retries: expects one value, not a list\n");
    expect_problems("depthq: 1\nplate: a.#.exr\nmodel: m\noutput: b.#.exr\n",
                    "4:9: output: expects keys of its own, indented below "
                    "it\n");
}

static void a_file_that_is_no_list_of_keys_is_told_so(void **state)
{
    (void)state;
    expect_problems("- a\n- b\n",
                    "1:1: a job file is a list of 'key: value' lines; the "
                    "first is 'depthq: 1'\n");
    expect_problems("just words\n",
                    "1:1: a job file is a list of 'key: value' lines; the "
                    "first is 'depthq: 1'\n");
}

/* What base/yaml refuses must come through with its place, whatever the
 * words. */
static void what_yaml_may_not_hold_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *more;
        const char *place;
    } cases[] = {
        {"retries: 1\nretries: 2\n", "7:1: "},
        {"retries: &a 1\npriority: *a\n", "6:10: "},
        {"retries: !!int 1\n", "6:10: "},
        {"<<: {retries: 1}\n", "6:1: "},
        {"retries: 1\n---\ndepthq: 1\n", "7:1: "},
        {"retries: [1\n", "7:1: "},
        {"\tretries: 1\n", "6:1: "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = dq_asprintf(LEAST "%s", cases[i].more);
        char *got = problems_of(text, strlen(text));

        if (strncmp(got, cases[i].place, strlen(cases[i].place)) != 0)
            fail_msg("%sis not at %sfrom\n%s", got, cases[i].place, text);
        free(got);
        free(text);
    }
}

static void a_duplicate_does_not_hide_the_other_problems(void **state)
{
    char *got = problems_of(LEAST "retries: 1\nretries: 2\nfraems: 1\n",
                            strlen(LEAST "retries: 1\nretries: 2\nfraems: 1"
                                         "\n"));

    (void)state;
    assert_memory_equal(got, "7:1: ", 5);
    assert_non_null(strstr(got, "'retries'"));
    assert_non_null(strstr(got, "8:1: unknown key 'fraems'"));
    free(got);
}

static void of_a_duplicate_the_first_one_stands(void **state)
{
    (void)state;
    expect_more("name: first\nname: no name\n",
                "7:1: key 'name' is there twice (first on line 6)\n");
    expect_more("tiles: {size: 64}\ntiles: {sise: 64}\n",
                "7:1: key 'tiles' is there twice (first on line 6)\n");
}

static void bytes_that_are_no_text_are_refused(void **state)
{
    static const char *const bad[] = {"retries: \xff\n", "retries: \xc0\x80\n",
                                      "name: \"\xed\xa0\x80\"\n"};
    char *got;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *text = dq_asprintf(LEAST "%s", bad[i]);

        got = problems_of(text, strlen(text));
        assert_memory_equal(got, "6:", 2);
        free(got);
        free(text);
    }
    got = problems_of("depthq: 1\0\n", 11);
    assert_string_not_equal(got, "none");
    free(got);
    got = problems_of("", 0);
    assert_string_not_equal(got, "none");
    free(got);
}

static void a_file_beyond_64_KiB_is_refused(void **state)
{
    struct dq_bytes text = {0};
    char *got;

    (void)state;
    dq_bytes_text(&text, LEAST);
    while (text.count <= 64 << 10)
        dq_bytes_text(&text, "# filler filler filler filler\n");
    got = problems_of(text.data, text.count);
    assert_non_null(strstr(got, "64 KiB"));
    free(got);
    dq_bytes_free(&text);
}

/* ---- canonical text ------------------------------------------------------*/

static void the_canonical_text_is_written_down_here(void **state)
{
    struct dq_spec *spec = parse_ok(full);
    char *text = dq_spec_pixels_text(spec);

    (void)state;
    assert_string_equal(text, "output.mode=channel\n"
                              "output.channel=depth.Z\n"
                              "output.replace_channel=true\n"
                              "output.type=half\n"
                              "output.compression=piz\n"
                              "output.mask=true\n"
                              "depth.kind=distance\n"
                              "depth.near=0.5\n"
                              "depth.far=1200\n"
                              "input.part=beauty\n"
                              "input.view=left\n"
                              "input.layer=RGBA\n"
                              "input.colorspace=ACES - ACEScg\n"
                              "input.exposure=-1.5\n"
                              "input.tonemap=clip\n"
                              "tiles.size=518\n"
                              "tiles.overlap=0.5\n"
                              "tiles.batch=4\n"
                              "tiles.align=off\n"
                              "stabilize=off\n");
    free(text);
    dq_spec_free(spec);
}

static char *pixels_of(const char *more)
{
    char *text = dq_asprintf(LEAST "%s", more);
    struct dq_spec *spec = parse_ok(text);
    char *pixels = dq_spec_pixels_text(spec);

    dq_spec_free(spec);
    free(text);
    return pixels;
}

static void compare_pixels(const char *these, const char *those, int same)
{
    char *one = pixels_of(these), *other = pixels_of(those);

    if ((strcmp(one, other) == 0) != same)
        fail_msg("%s and %s%s", these, those, same ? "differ" : "are alike");
    free(one);
    free(other);
}

static void expect_same_pixels(const char *more, int same)
{
    compare_pixels("", more, same);
}

static void one_value_has_one_canonical_text(void **state)
{
    (void)state;
    expect_same_pixels("tiles: {overlap: 2.5e-1}\n", 1);
    expect_same_pixels("tiles: {size: \"auto\", batch: auto}\n", 1);
    expect_same_pixels("  mode: 'separate'\n  mask: false\n", 1);
    expect_same_pixels("input: {exposure: auto}\n", 1);
    compare_pixels("input: {exposure: -0}\n", "input: {exposure: 0.0}\n", 1);
}

static void what_changes_no_pixel_changes_no_canonical_text(void **state)
{
    (void)state;
    expect_same_pixels("name: other\nframes: 1-9\npriority: 1\nretries: 9\n",
                       1);
    expect_same_pixels("  existing: replace\n", 1);
}

static void what_changes_a_pixel_changes_the_canonical_text(void **state)
{
    static const char *const changes[] = {
        "  mode: part\n",
        "  channel: depth\n",
        "  mode: channel\n  replace_channel: true\n",
        "  type: half\n",
        "  compression: zip\n",
        "  mask: true\n",
        "depth: {kind: native}\n",
        "depth: {near: 1, far: 2}\n",
        "input: {part: a}\n",
        "input: {view: a}\n",
        "input: {layer: a}\n",
        "input: {colorspace: a}\n",
        "input: {exposure: 0}\n",
        "input: {tonemap: clip}\n",
        "tiles: {size: whole}\n",
        "tiles: {overlap: 0.25000000000000006}\n",
        "tiles: {batch: 1}\n",
        "tiles: {align: off}\n"};

    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
        expect_same_pixels(changes[i], 0);
}

/* ---- files ---------------------------------------------------------------*/

static void a_file_is_read_and_its_first_problem_told_in_one_line(void **state)
{
    static const char text[] = LEAST "fraems: 1-2\nretries: 99\n";
    char path[] = "/tmp/depthq-spec-XXXXXX";
    int fd = mkstemp(path);
    struct dq_problems problems = {0};
    struct dq_err err = {0};
    char *want = dq_asprintf("%s:6:1: unknown key 'fraems' (did you mean "
                             "'frames'?) (and 1 more)",
                             path);

    (void)state;
    assert_true(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    assert_null(dq_spec_read(path, &problems, &err));
    assert_int_equal(err.code, DQ_SPEC);
    assert_string_equal(err.text, want);
    assert_int_equal(problems.count, 2);
    dq_problems_free(&problems);
    free(want);
    close(fd);
    unlink(path);
}

static void a_relative_file_gets_an_absolute_folder(void **state)
{
    char folder[] = "/tmp/depthq-spec-XXXXXX";
    struct dq_problems problems = {0};
    struct dq_err err = {0};
    struct dq_spec *spec;
    char *here = getcwd(NULL, 0), *want;
    FILE *file;

    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    file = fopen("sh9.yaml", "w");
    assert_non_null(file);
    fputs(LEAST, file);
    fclose(file);
    spec = dq_spec_read("sh9.yaml", &problems, &err);
    assert_non_null(spec);
    want = dq_asprintf("%s/sh9.yaml", folder);
    assert_string_equal(spec->file, want);
    assert_string_equal(spec->folder, folder);
    assert_string_equal(spec->name, "sh9");
    dq_spec_free(spec);
    unlink("sh9.yaml");
    assert_int_equal(chdir(here), 0);
    rmdir(folder);
    free(want);
    free(here);
}

static void a_file_that_is_not_there_is_missing(void **state)
{
    struct dq_problems problems = {0};
    struct dq_err err = {0};

    (void)state;
    assert_null(dq_spec_read("/nowhere/shot.yaml", &problems, &err));
    assert_int_equal(err.code, DQ_MISSING);
    assert_non_null(strstr(err.text, "/nowhere/shot.yaml"));
    assert_int_equal(problems.count, 0);
}

static void a_folder_is_no_job_file(void **state)
{
    struct dq_problems problems = {0};
    struct dq_err err = {0};

    (void)state;
    assert_null(dq_spec_read("/tmp", &problems, &err));
    assert_int_equal(err.code, DQ_SPEC);
    assert_string_equal(err.text, "/tmp: is a folder, not a file");
    assert_int_equal(problems.count, 1);
    assert_string_equal(problems.list[0].text, "is a folder, not a file");
    dq_problems_free(&problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_least_job_gets_every_default),
        cmocka_unit_test(every_key_reaches_its_member),
        cmocka_unit_test(a_job_without_a_name_is_called_as_its_file),
        cmocka_unit_test(all_problems_come_at_once_in_the_order_of_lines),
        cmocka_unit_test(a_key_in_the_wrong_section_is_sent_home),
        cmocka_unit_test(what_is_needed_is_asked_for),
        cmocka_unit_test(another_format_names_what_this_build_reads),
        cmocka_unit_test(a_section_is_a_group_and_a_key_is_not),
        cmocka_unit_test(a_file_that_is_no_list_of_keys_is_told_so),
        cmocka_unit_test(what_yaml_may_not_hold_is_refused_with_its_place),
        cmocka_unit_test(a_duplicate_does_not_hide_the_other_problems),
        cmocka_unit_test(of_a_duplicate_the_first_one_stands),
        cmocka_unit_test(bytes_that_are_no_text_are_refused),
        cmocka_unit_test(a_file_beyond_64_KiB_is_refused),
        cmocka_unit_test(the_canonical_text_is_written_down_here),
        cmocka_unit_test(one_value_has_one_canonical_text),
        cmocka_unit_test(what_changes_no_pixel_changes_no_canonical_text),
        cmocka_unit_test(what_changes_a_pixel_changes_the_canonical_text),
        cmocka_unit_test(a_file_is_read_and_its_first_problem_told_in_one_line),
        cmocka_unit_test(a_relative_file_gets_an_absolute_folder),
        cmocka_unit_test(a_file_that_is_not_there_is_missing),
        cmocka_unit_test(a_folder_is_no_job_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
