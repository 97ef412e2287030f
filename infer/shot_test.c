#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/publish.h"
#include "infer/shot.h"

static char key_a[] = "aaaa", key_b[] = "bbbb", net[] = "net";

/* A folder of its own, and a recipe that lives there. */
struct place {
    char folder[64];
    struct dq_model model;
    struct dq_recipe recipe;
    struct dq_err err;
};

static void place_make(struct place *p)
{
    memset(p, 0, sizeof *p);
    snprintf(p->folder, sizeof p->folder, "/tmp/shot_test.XXXXXX");
    assert_non_null(mkdtemp(p->folder));
    p->model.name = net;
    p->recipe.model = &p->model;
    p->recipe.shot_folder = p->folder;
    p->recipe.survey_key = key_a;
    if (dq_sequence_parse("p.####.exr", NULL, &p->recipe.plate, &p->err) ||
        dq_range_parse("1-40", &p->recipe.frames, &p->err))
        fail_msg("%s", p->err.text);
}

static void place_free(struct place *p)
{
    char *command = dq_asprintf("rm -r '%s'", p->folder);

    assert_int_equal(system(command), 0);
    free(command);
    dq_sequence_free(&p->recipe.plate);
    dq_range_free(&p->recipe.frames);
}

static struct dq_shot odd_values(void)
{
    struct dq_shot shot = {.key = "aaaa",
                           .display = {0, 0, 1920, 1080},
                           .pixel_aspect = 1.0F / 3,
                           .lattice = {-17, -9, 1931, 1088},
                           .exposure_ev = -0.1F,
                           .range_low = 1.0 / 3,
                           .range_high = 1e-17};

    return shot;
}

static void what_is_written_is_read_to_the_last_bit(void **state)
{
    struct place p;
    struct dq_shot was = odd_values(), got = {.key = ""};
    char *before, *after;

    (void)state;
    place_make(&p);
    if (dq_shot_write(&p.recipe, &was, "t", &p.err) ||
        dq_shot_read(&p.recipe, &got, &p.err))
        fail_msg("%s", p.err.text);
    assert_true(got.range_low == was.range_low);
    assert_true(got.range_high == was.range_high);
    assert_true(got.pixel_aspect == was.pixel_aspect);
    assert_true(got.exposure_ev == was.exposure_ev);
    assert_memory_equal(&got.lattice, &was.lattice, sizeof was.lattice);
    assert_memory_equal(&got.display, &was.display, sizeof was.display);
    before = dq_shot_text(&was);
    after = dq_shot_text(&got);
    assert_string_equal(before, after);
    free(before);
    free(after);
    place_free(&p);
}

static void another_key_or_no_file_is_missing(void **state)
{
    struct place p;
    struct dq_shot shot = odd_values();

    (void)state;
    place_make(&p);
    assert_int_equal(dq_shot_read(&p.recipe, &shot, &p.err), DQ_MISSING);
    shot = odd_values();
    dq_err_clear(&p.err);
    assert_int_equal(dq_shot_write(&p.recipe, &shot, "t", &p.err), 0);
    p.recipe.survey_key = key_b;
    assert_int_equal(dq_shot_read(&p.recipe, &shot, &p.err), DQ_MISSING);
    place_free(&p);
}

static void what_was_published_first_stays(void **state)
{
    struct place p;
    struct dq_shot first = odd_values(), second = odd_values(),
                   got = {.key = ""};

    (void)state;
    place_make(&p);
    second.range_low = 0.25;
    second.lattice.x0 = -99;
    if (dq_shot_write(&p.recipe, &first, "a", &p.err) ||
        dq_shot_write(&p.recipe, &second, "b", &p.err) ||
        dq_shot_read(&p.recipe, &got, &p.err))
        fail_msg("%s", p.err.text);
    assert_true(got.range_low == first.range_low);
    assert_int_equal(got.lattice.x0, first.lattice.x0);
    /* who came second goes on with the first's */
    assert_true(second.range_low == first.range_low);
    assert_int_equal(second.lattice.x0, first.lattice.x0);
    place_free(&p);
}

static void what_was_made_for_other_settings_gives_way(void **state)
{
    struct place p;
    struct dq_shot first = odd_values(), second = odd_values(),
                   got = {.key = ""};

    (void)state;
    place_make(&p);
    assert_int_equal(dq_shot_write(&p.recipe, &first, "a", &p.err), 0);
    p.recipe.survey_key = key_b;
    snprintf(second.key, sizeof second.key, "%s", key_b);
    second.range_low = 0.25;
    if (dq_shot_write(&p.recipe, &second, "b", &p.err) ||
        dq_shot_read(&p.recipe, &got, &p.err))
        fail_msg("%s", p.err.text);
    assert_true(got.range_low == 0.25 && second.range_low == 0.25);
    place_free(&p);
}

static struct dq_bytes bytes_of(const struct place *p, const char *name)
{
    char *path = dq_asprintf("%s/%s", p->folder, name);
    struct dq_bytes bytes = {0};
    struct dq_err err = {0};

    assert_int_equal(dq_bytes_read_file(&bytes, path, 1 << 20, DQ_IO, &err),
                     DQ_OK);
    free(path);
    return bytes;
}

/* Both find the same stale file; one of them has taken its place when the
 * other, who does not know, comes to do so. */
static void of_two_that_replace_a_file_at_once_one_decides(void **state)
{
    struct place p;
    struct dq_shot stale = odd_values(), first = odd_values(),
                   second = odd_values(), got = {.key = ""};
    struct dq_bytes before;
    char *path;

    (void)state;
    place_make(&p);
    path = dq_asprintf("%s/shot.json", p.folder);
    assert_int_equal(dq_shot_write(&p.recipe, &stale, "s", &p.err), 0);
    before = bytes_of(&p, "shot.json");
    p.recipe.survey_key = key_b;
    snprintf(first.key, sizeof first.key, "%s", key_b);
    snprintf(second.key, sizeof second.key, "%s", key_b);
    first.range_low = 0.25;
    second.range_low = 0.125;
    assert_int_equal(dq_shot_write(&p.recipe, &first, "a", &p.err), 0);
    assert_int_equal(dq_publish(path, before.data, before.count, "t",
                                DQ_PUBLISH_REPLACE, NULL, &p.err),
                     0);
    if (dq_shot_write(&p.recipe, &second, "b", &p.err) ||
        dq_shot_read(&p.recipe, &got, &p.err))
        fail_msg("%s", p.err.text);
    assert_true(got.range_low == 0.25 && second.range_low == 0.25);
    dq_bytes_free(&before);
    free(path);
    place_free(&p);
}

static void a_file_that_cannot_be_understood_is_left_for_a_person(void **state)
{
    struct place p;
    struct dq_shot shot = odd_values();
    char *path, text[16] = "";
    FILE *file;

    (void)state;
    place_make(&p);
    path = dq_asprintf("%s/shot.json", p.folder);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs("{ no", file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(dq_shot_write(&p.recipe, &shot, "t", &p.err), DQ_CONFIG);
    assert_non_null(strstr(p.err.text, "delete it to survey the shot again"));
    file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    fclose(file);
    assert_string_equal(text, "{ no");
    free(path);
    place_free(&p);
}

/* ---- solved -------------------------------------------------------------- */

static struct dq_shot solved_values(void)
{
    struct dq_shot shot = odd_values();
    static const struct dq_solved two[] = {
        {3, "abc", 1.0 / 3, -1e-17, 0, 7, DQ_KNOWN_SCALE},
        {9, "def", 1e5, 0.1, 2, 0, DQ_KNOWN_NOTHING}};

    shot.solved = dq_new_array(2, sizeof *shot.solved);
    memcpy(shot.solved, two, sizeof two);
    shot.solved_count = 2;
    return shot;
}

static void a_solution_is_read_to_the_last_bit(void **state)
{
    struct place p;
    struct dq_shot was = solved_values(), written = solved_values(),
                   got = {.solved_count = 0};
    char one[DQ_SHA256_HEX], two[DQ_SHA256_HEX];

    (void)state;
    place_make(&p);
    p.recipe.steady = 1;
    if (dq_shot_write(&p.recipe, &written, "t", &p.err) ||
        dq_shot_read(&p.recipe, &got, &p.err))
        fail_msg("%s", p.err.text);
    assert_int_equal(got.solved_count, 2);
    assert_memory_equal(got.solved, was.solved, 2 * sizeof *got.solved);
    dq_shot_identity(&was, one);
    dq_shot_identity(&got, two);
    assert_string_equal(one, two);
    got.solved[1].shift = 0.2;
    dq_shot_identity(&got, two);
    assert_string_not_equal(one, two);
    dq_shot_free(&got);
    dq_shot_free(&written);
    dq_shot_free(&was);
    place_free(&p);
}

static void a_frame_is_found_with_its_own_plate_alone(void **state)
{
    struct dq_shot shot = solved_values();

    (void)state;
    assert_ptr_equal(dq_shot_find(&shot, 3, "abc"), &shot.solved[0]);
    assert_ptr_equal(dq_shot_find(&shot, 9, "def"), &shot.solved[1]);
    assert_null(dq_shot_find(&shot, 9, "abc"));
    assert_null(dq_shot_find(&shot, 4, "abc"));
    assert_null(dq_shot_find(&shot, 10, "def"));
    dq_shot_free(&shot);
}

static void the_first_solution_of_a_key_stays(void **state)
{
    struct place p;
    struct dq_shot first = solved_values(), second = solved_values(),
                   got = {.key = ""};

    (void)state;
    place_make(&p);
    p.recipe.steady = 1;
    second.solved[0].scale = 5;
    if (dq_shot_write(&p.recipe, &first, "t", &p.err) ||
        dq_shot_write(&p.recipe, &second, "u", &p.err) ||
        dq_shot_read(&p.recipe, &got, &p.err))
        fail_msg("%s", p.err.text);
    assert_true(second.solved[0].scale < 1); /* it is the first one now */
    assert_true(got.solved[0].scale < 1);
    /* one of another key gives way */
    p.recipe.survey_key = key_b;
    memcpy(first.key, key_b, sizeof key_b);
    first.solved[0].scale = 6;
    if (dq_shot_write(&p.recipe, &first, "t", &p.err) ||
        dq_shot_read(&p.recipe, &got, &p.err))
        fail_msg("%s", p.err.text);
    assert_true(got.solved[0].scale > 5);
    dq_shot_free(&got);
    dq_shot_free(&second);
    dq_shot_free(&first);
    place_free(&p);
}

static void a_survey_serves_scans_until_the_shot_is_solved(void **state)
{
    struct place p;
    struct dq_shot shot = odd_values(), got = {.key = ""};

    (void)state;
    place_make(&p);
    p.recipe.steady = 1;
    assert_int_equal(dq_shot_write(&p.recipe, &shot, "t", &p.err), DQ_OK);
    assert_int_equal(dq_shot_read(&p.recipe, &got, &p.err), DQ_MISSING);
    dq_err_clear(&p.err);
    assert_int_equal(dq_shot_read_survey(&p.recipe, &got, &p.err), DQ_OK);
    assert_int_equal(got.solved_count, 0);
    shot = solved_values();
    assert_int_equal(dq_shot_write(&p.recipe, &shot, "t", &p.err), DQ_OK);
    assert_int_equal(dq_shot_read_survey(&p.recipe, &got, &p.err), DQ_OK);
    assert_int_equal(got.solved_count, 2);
    dq_shot_free(&shot);
    dq_shot_free(&got);
    place_free(&p);
}

static void what_is_decided_anew_replaces_only_what_it_decides(void **state)
{
    struct place p;
    struct dq_shot old = solved_values(), survey = odd_values(),
                   got = {.key = ""};

    (void)state;
    place_make(&p);
    p.recipe.steady = 1;
    assert_int_equal(dq_shot_write(&p.recipe, &old, "t", &p.err), DQ_OK);
    /* the solution alone: on the survey that it was made on */
    p.recipe.anew = DQ_ANEW_SOLUTION;
    assert_int_equal(dq_shot_read_survey(&p.recipe, &got, &p.err), DQ_OK);
    assert_int_equal(got.solved_count, 0);
    assert_memory_equal(&got.lattice, &old.lattice, sizeof got.lattice);
    /* all: shot.json is no survey, and stays beside the new one */
    p.recipe.anew = DQ_ANEW_ALL;
    assert_int_equal(dq_shot_read_survey(&p.recipe, &got, &p.err), DQ_MISSING);
    dq_err_clear(&p.err);
    assert_int_equal(dq_shot_write(&p.recipe, &survey, "t", &p.err), DQ_OK);
    survey = odd_values();
    survey.lattice.x0 = -99;
    assert_int_equal(dq_shot_write(&p.recipe, &survey, "t", &p.err), DQ_OK);
    assert_int_equal(dq_shot_read_survey(&p.recipe, &got, &p.err), DQ_OK);
    assert_int_equal(got.lattice.x0, -99);
    assert_int_equal(dq_shot_read(&p.recipe, &got, &p.err), DQ_OK);
    assert_true(got.solved[0].scale < 1);
    old.solved[0].scale = 5;
    assert_int_equal(dq_shot_write(&p.recipe, &old, "t", &p.err), DQ_OK);
    assert_int_equal(dq_shot_read(&p.recipe, &got, &p.err), DQ_OK);
    assert_true(got.solved[0].scale > 4);
    dq_shot_free(&got);
    dq_shot_free(&old);
    place_free(&p);
}

static void expect_window(const struct place *p, int32_t x1)
{
    struct dq_shot got = {.key = ""};
    struct dq_err err = {0};

    if (dq_shot_read_survey(&p->recipe, &got, &err))
        fail_msg("%s", err.text);
    assert_int_equal(got.display.x1, x1);
    dq_shot_free(&got);
}

static void put_window(const struct place *p, int32_t x1, double range_low)
{
    struct dq_shot shot = odd_values();
    struct dq_err err = {0};

    shot.display.x1 = x1;
    shot.range_low = range_low;
    if (dq_shot_write(&p->recipe, &shot, "w", &err))
        fail_msg("%s", err.text);
    assert_int_equal(shot.display.x1, x1);
}

static void a_survey_of_another_window_takes_the_place_of_the_old_one(
    void **state)
{
    struct place p;
    struct dq_shot got = {.key = ""};

    (void)state;
    place_make(&p);
    put_window(&p, 100, 1);
    put_window(&p, 200, 2);
    expect_window(&p, 200);
    put_window(&p, 200, 3); /* the same window: the first stays */
    assert_int_equal(dq_shot_read(&p.recipe, &got, &p.err), DQ_OK);
    assert_true(got.range_low < 2.5);
    /* back, and on to a third: what once took the place is for 200 alone */
    put_window(&p, 100, 1);
    put_window(&p, 300, 4);
    expect_window(&p, 300);
    put_window(&p, 100, 1);
    put_window(&p, 200, 2);
    expect_window(&p, 200);
    place_free(&p);
}

static void an_aspect_is_part_of_the_window(void **state)
{
    struct place p;
    struct dq_shot wide = odd_values(), got = {.key = ""};

    (void)state;
    place_make(&p);
    put_window(&p, wide.display.x1, 1);
    wide.pixel_aspect = 2;
    if (dq_shot_write(&p.recipe, &wide, "w", &p.err) ||
        dq_shot_read(&p.recipe, &got, &p.err))
        fail_msg("%s", p.err.text);
    assert_true(got.pixel_aspect > 1.5F);
    place_free(&p);
}

static void a_solution_for_another_window_than_the_survey_found_is_missing(
    void **state)
{
    struct place p;
    struct dq_shot old = solved_values(), new = solved_values(),
                   got = {.key = ""};

    (void)state;
    place_make(&p);
    p.recipe.steady = 1;
    put_window(&p, old.display.x1, 1);
    assert_int_equal(dq_shot_write(&p.recipe, &old, "t", &p.err), DQ_OK);
    assert_int_equal(dq_shot_read(&p.recipe, &got, &p.err), DQ_OK);
    put_window(&p, 200, 2);
    assert_int_equal(dq_shot_read(&p.recipe, &got, &p.err), DQ_MISSING);
    assert_non_null(strstr(p.err.text, "scan and solve the shot again"));
    dq_err_clear(&p.err);
    expect_window(&p, 200);
    /* and what is solved for it takes its place */
    new.display.x1 = 200;
    assert_int_equal(dq_shot_write(&p.recipe, &new, "t", &p.err), DQ_OK);
    assert_int_equal(dq_shot_read(&p.recipe, &got, &p.err), DQ_OK);
    assert_int_equal(got.display.x1, 200);
    dq_shot_free(&got);
    dq_shot_free(&new);
    dq_shot_free(&old);
    place_free(&p);
}

static void the_sample_is_spread_over_the_whole_list(void **state)
{
    static const int32_t told[DQ_SHOT_SAMPLES] = {
        1, 4, 6, 9, 11, 14, 17, 19, 22, 24, 27, 30, 32, 35, 37, 40};
    struct place p;
    int count;

    (void)state;
    place_make(&p);
    for (int i = 0; i < DQ_SHOT_SAMPLES; i++)
        assert_int_equal(dq_shot_sample(&p.recipe.frames, i, &count), told[i]);
    assert_int_equal(count, DQ_SHOT_SAMPLES);
    p.recipe.frames.count = 3;
    for (int i = 0; i < 3; i++)
        assert_int_equal(dq_shot_sample(&p.recipe.frames, i, &count), i + 1);
    assert_int_equal(count, 3);
    place_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_to_the_last_bit),
        cmocka_unit_test(another_key_or_no_file_is_missing),
        cmocka_unit_test(what_was_published_first_stays),
        cmocka_unit_test(what_was_made_for_other_settings_gives_way),
        cmocka_unit_test(of_two_that_replace_a_file_at_once_one_decides),
        cmocka_unit_test(a_file_that_cannot_be_understood_is_left_for_a_person),
        cmocka_unit_test(a_solution_is_read_to_the_last_bit),
        cmocka_unit_test(a_frame_is_found_with_its_own_plate_alone),
        cmocka_unit_test(the_first_solution_of_a_key_stays),
        cmocka_unit_test(a_survey_serves_scans_until_the_shot_is_solved),
        cmocka_unit_test(what_is_decided_anew_replaces_only_what_it_decides),
        cmocka_unit_test(
            a_survey_of_another_window_takes_the_place_of_the_old_one),
        cmocka_unit_test(an_aspect_is_part_of_the_window),
        cmocka_unit_test(
            a_solution_for_another_window_than_the_survey_found_is_missing),
        cmocka_unit_test(the_sample_is_spread_over_the_whole_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
