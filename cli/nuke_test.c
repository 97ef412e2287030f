#include "base/testing.h"

#include "cli/nuke.h"

static const struct dq_nuke_read usual = {.pattern =
                                              "/show/depth/sh010_d.####.exr",
                                          .first = 1001,
                                          .last = 1240,
                                          .width = 2048,
                                          .height = 1080,
                                          .pixel_aspect = 2,
                                          .model = "mine@2.0.0",
                                          .channel = "Z",
                                          .kind = "inverse",
                                          .unit = "relative"};

static void expect_line(const struct dq_nuke_read *read, const char *line)
{
    char *text = dq_nuke_read_text(read), *found = strstr(text, line);

    if (!found || found[strlen(line)] != '\n')
        fail_msg("no line '%s' in:\n%s", line, text);
    free(text);
}

static void a_pass_becomes_one_read_node(void **state)
{
    char *text = dq_nuke_read_text(&usual);

    (void)state;
    assert_string_equal(text,
                        "# a depth pass, by depthq pull\n"
                        "Read {\n"
                        " inputs 0\n"
                        " file_type exr\n"
                        " file \"/show/depth/sh010_d.####.exr\"\n"
                        " format \"2048 1080 0 0 2048 1080 2 \"\n"
                        " first 1001\n"
                        " last 1240\n"
                        " origfirst 1001\n"
                        " origlast 1240\n"
                        " origset true\n"
                        " raw true\n"
                        " name Depth_sh010_d\n"
                        " label \"mine@2.0.0\\ndepth.Z inverse, relative\\n"
                        "ZDefocus math: far=0\"\n"
                        "}\n");
    free(text);
}

static void a_distance_tells_zdefocus_so(void **state)
{
    struct dq_nuke_read read = usual;

    (void)state;
    read.channel = "depth.Z";
    read.kind = "distance";
    read.unit = "m";
    expect_line(&read, " label \"mine@2.0.0\\ndepth.Z distance, m\\n"
                       "ZDefocus math: depth\"");
}

static void what_is_not_known_is_left_out(void **state)
{
    struct dq_nuke_read read = usual;

    (void)state;
    read.model = read.kind = read.unit = "";
    expect_line(&read, " label \"\\ndepth.Z \"");
}

/* A header's text is anybody's; Nuke runs what stands in brackets. */
static void a_header_commands_nothing(void **state)
{
    struct dq_nuke_read read = usual;

    (void)state;
    read.channel = "[exec rm]\"}\nX$y\\";
    read.kind = "native";
    expect_line(&read,
                " label \"mine@2.0.0\\n_exec rm____X_y_ native, relative\"");
}

static void a_path_stays_a_path(void **state)
{
    struct dq_nuke_read read = usual;

    (void)state;
    read.pattern = "/a b/[c]$d/\"e{f}.##.exr";
    expect_line(&read,
                " file \"/a b/\\\\\\[c\\\\\\]\\\\\\$d/\\\"e\\{f\\}.##.exr\"");
    read.pattern = "/a/7-b.####.exr";
    expect_line(&read, " name Depth_7_b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pass_becomes_one_read_node),
        cmocka_unit_test(a_distance_tells_zdefocus_so),
        cmocka_unit_test(what_is_not_known_is_left_out),
        cmocka_unit_test(a_header_commands_nothing),
        cmocka_unit_test(a_path_stays_a_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
