/* A late frame's place: found, fitted to frozen neighbours, noted. */
#include "infer/steady_testing.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/publish.h"
#include "base/testing.h"
#include "infer/place.h"

enum { FRAMES = 30, LATE = 15, WORLD = 1, OTHER = 2 };

static char scan_text[] = "model=m\n";

/* A shot's folder of its own, with a solution that is exact: every frame is
 * brought to true disparity. */
struct folder {
    char *path;
    struct dq_model model;
    struct dq_recipe recipe;
    struct dq_solved solved[FRAMES];
    struct dq_shot shot;
    struct dq_err err;
};

static void plate_of(int frame, char hex[DQ_SHA256_HEX])
{
    memset(hex, 'a' + frame % 6, DQ_SHA256_HEX - 1);
    hex[DQ_SHA256_HEX - 1] = 0;
}

static void folder_make(struct folder *f, enum dq_model_scale scale)
{
    memset(f, 0, sizeof *f);
    f->path = enter_folder();
    f->recipe = recipe_of(&f->model, scale);
    f->recipe.shot_folder = f->path;
    f->recipe.scan_text = scan_text;
    f->shot.pixel_aspect = 1;
    f->shot.range_low = 1;
    f->shot.range_high = 2;
    f->shot.solved = f->solved;
    for (int t = 0; t < FRAMES; t++) {
        struct dq_solved *s = &f->solved[f->shot.solved_count];

        if (t == LATE)
            continue;
        s->frame = t;
        plate_of(t, s->plate);
        s->scale = 1 / scale_of(t);
        s->shift = -shift_of(t) / scale_of(t);
        f->shot.solved_count++;
    }
}

static void put(const struct folder *f, const char *name, const void *data,
                size_t bytes)
{
    char *path = dq_asprintf("%s/%s", f->path, name);
    char *end = strrchr(path, '/');
    struct dq_err err = {0};

    *end = 0;
    assert_int_equal(dq_make_folders(path, &err), DQ_OK);
    *end = '/';
    assert_int_equal(
        dq_publish(path, data, bytes, "t", DQ_PUBLISH_REPLACE, NULL, &err),
        DQ_OK);
    free(path);
}

/* The guide of a frame of a world, as its scan left it. */
static void put_guide(const struct folder *f, int frame, int world)
{
    char name[40], key[DQ_SHA256_HEX];
    struct dq_guide g = {0};
    struct dq_bytes bytes = {0};
    struct dq_err err = {0};

    guide_of(&g, world, scale_of(frame), shift_of(frame));
    plate_of(frame, g.plate.sha256);
    dq_guide_key(&f->recipe, &f->shot, key);
    assert_int_equal(dq_guide_encode(&g, key, &bytes, &err), DQ_OK);
    snprintf(name, sizeof name, "guides/%d.exr", frame);
    put(f, name, bytes.data, bytes.count);
    dq_bytes_free(&bytes);
    dq_guide_free(&g);
}

static void put_guides(const struct folder *f, int first, int end)
{
    for (int t = first; t < end; t++)
        if (t != LATE)
            put_guide(f, t, WORLD);
}

/* Fit frame LATE, which shows the shot's world through an affine of its own,
 * with that plate. */
static int fit_late(struct folder *f, char plate, double scale, double shift,
                    struct dq_place *place)
{
    struct dq_guide g = {0};

    guide_of(&g, WORLD, scale, shift);
    memset(g.plate.sha256, plate, DQ_SHA256_HEX - 1);
    dq_place_fit(&f->recipe, &f->shot, LATE, &g, "t", place, &f->err);
    dq_guide_free(&g);
    return f->err.code;
}

static int find_late(struct folder *f, char plate, struct dq_place *place)
{
    char hex[DQ_SHA256_HEX] = {0};

    memset(hex, plate, DQ_SHA256_HEX - 1);
    dq_err_clear(&f->err);
    return dq_place_find(&f->recipe, &f->shot, LATE, hex, place, &f->err);
}

static void assert_same(const struct dq_place *one, const struct dq_place *two)
{
    assert_true(one->scale == two->scale && one->shift == two->shift);
}

/* ---- found --------------------------------------------------------------- */

static void a_solved_frame_has_its_own_place_with_its_own_plate(void **state)
{
    struct folder f;
    struct dq_place place;
    char plate[DQ_SHA256_HEX];

    (void)state;
    folder_make(&f, DQ_SCALE_AFFINE);
    plate_of(3, plate);
    assert_int_equal(
        dq_place_find(&f.recipe, &f.shot, 3, plate, &place, &f.err), DQ_OK);
    assert_true(place.scale == f.solved[3].scale);
    assert_true(place.shift == f.solved[3].shift);
    plate[0] = '9'; /* its plate was replaced */
    assert_int_equal(
        dq_place_find(&f.recipe, &f.shot, 3, plate, &place, &f.err),
        DQ_MISSING);
    leave_folder(f.path);
}

/* ---- fitted -------------------------------------------------------------- */

static void a_late_frame_is_brought_to_what_the_frozen_ones_say(void **state)
{
    struct folder f;
    struct dq_place place;

    (void)state;
    folder_make(&f, DQ_SCALE_AFFINE);
    put_guides(&f, 0, FRAMES);
    assert_int_equal(fit_late(&f, '1', 2.5, -0.3, &place), DQ_OK);
    assert_true(fabs(place.scale * 2.5 - 1) < 1e-3);
    assert_true(fabs(place.scale * -0.3 + place.shift) < 2e-3);
    leave_folder(f.path);
}

/* Eight, so what lies farther is neither read nor missed. */
static void the_nearest_frames_decide(void **state)
{
    struct folder f, near;
    struct dq_place place, alone;

    (void)state;
    folder_make(&f, DQ_SCALE_AFFINE);
    put_guides(&f, LATE - 4, LATE + 5);
    for (int t = 0; t < FRAMES; t++)
        if (abs(t - LATE) > 4)
            put_guide(&f, t, OTHER);
    folder_make(&near, DQ_SCALE_AFFINE);
    put_guides(&near, LATE - 4, LATE + 5);
    assert_int_equal(fit_late(&f, '1', 2, 0.1, &place), DQ_OK);
    assert_int_equal(fit_late(&near, '1', 2, 0.1, &alone), DQ_OK);
    assert_same(&place, &alone);
    leave_folder(near.path);
    leave_folder(f.path);
}

static void frames_whose_guides_are_gone_are_passed_over(void **state)
{
    struct folder f;
    struct dq_place place;

    (void)state;
    folder_make(&f, DQ_SCALE_AFFINE);
    put_guides(&f, 0, 2); /* far before the late one, and nothing else */
    assert_int_equal(fit_late(&f, '1', 0.5, 0.2, &place), DQ_OK);
    assert_true(fabs(place.scale * 0.5 - 1) < 1e-3);
    leave_folder(f.path);
}

static void without_any_guide_a_late_frame_asks_for_a_new_solution(void **state)
{
    struct folder f;
    struct dq_place place;

    (void)state;
    folder_make(&f, DQ_SCALE_AFFINE);
    assert_int_equal(fit_late(&f, '1', 2, 0, &place), DQ_MISSING);
    assert_non_null(strstr(f.err.text, "--resolve"));
    assert_non_null(strstr(f.err.text, "frame 15"));
    leave_folder(f.path);
}

/* Its former guide lies in the folder; it says nothing of the new plate. */
static void a_replaced_plates_own_guide_is_no_neighbour(void **state)
{
    struct folder f;
    struct dq_place place;
    struct dq_solved *own;

    (void)state;
    folder_make(&f, DQ_SCALE_AFFINE);
    put_guides(&f, LATE + 1, LATE + 3);
    own = &f.solved[LATE];
    f.shot.solved_count = LATE + 1;
    own->frame = LATE;
    own->scale = 77; /* a place that would be seen */
    plate_of(LATE, own->plate);
    put_guide(&f, LATE, WORLD);
    assert_int_equal(fit_late(&f, '1', 2, 0, &place), DQ_MISSING);
    leave_folder(f.path);
}

static void a_metric_frame_at_the_end_is_right_already(void **state)
{
    struct folder f;
    struct dq_place place;

    (void)state;
    folder_make(&f, DQ_SCALE_METRIC);
    for (int i = 0; i < f.shot.solved_count; i++) {
        f.solved[i].scale = 1;
        f.solved[i].shift = 0;
    }
    f.shot.solved_count = LATE; /* frozen frames before it alone */
    put_guides(&f, LATE - 3, LATE);
    assert_int_equal(fit_late(&f, '1', 1.3, 0, &place), DQ_OK);
    assert_true(place.scale == 1 && place.shift == 0);
    leave_folder(f.path);
}

/* ---- noted --------------------------------------------------------------- */

static void what_was_fitted_is_found_again_to_the_last_bit(void **state)
{
    struct folder f;
    struct dq_place place, found;

    (void)state;
    folder_make(&f, DQ_SCALE_AFFINE);
    put_guides(&f, LATE - 2, LATE + 2);
    assert_int_equal(find_late(&f, '1', &found), DQ_MISSING);
    dq_err_clear(&f.err);
    assert_int_equal(fit_late(&f, '1', 2, 0.1, &place), DQ_OK);
    assert_int_equal(find_late(&f, '1', &found), DQ_OK);
    assert_same(&place, &found);
    leave_folder(f.path);
}

static void a_note_of_another_plate_or_solution_counts_for_nothing(void **state)
{
    struct folder f;
    struct dq_place place, found;

    (void)state;
    folder_make(&f, DQ_SCALE_AFFINE);
    put_guides(&f, LATE - 2, LATE + 2);
    assert_int_equal(fit_late(&f, '1', 2, 0.1, &place), DQ_OK);
    assert_int_equal(find_late(&f, '2', &found), DQ_MISSING);
    f.solved[0].scale *= 1.5;
    assert_int_equal(find_late(&f, '1', &found), DQ_MISSING);
    leave_folder(f.path);
}

/* Another device's guide of the same plate: its bits may differ, the first
 * note's may not. */
static void the_first_note_of_a_plate_stands(void **state)
{
    struct folder f;
    struct dq_place first, second;

    (void)state;
    folder_make(&f, DQ_SCALE_AFFINE);
    put_guides(&f, LATE - 2, LATE + 2);
    assert_int_equal(fit_late(&f, '1', 2, 0.1, &first), DQ_OK);
    assert_int_equal(fit_late(&f, '1', 2.001, 0.1, &second), DQ_OK);
    assert_same(&first, &second);
    leave_folder(f.path);
}

static void a_new_plates_note_takes_the_old_ones_place(void **state)
{
    struct folder f;
    struct dq_place first, second, found;

    (void)state;
    folder_make(&f, DQ_SCALE_AFFINE);
    put_guides(&f, LATE - 2, LATE + 2);
    assert_int_equal(fit_late(&f, '1', 2, 0.1, &first), DQ_OK);
    assert_int_equal(fit_late(&f, '2', 3, 0.1, &second), DQ_OK);
    assert_true(fabs(second.scale * 3 - 1) < 1e-3);
    assert_int_equal(find_late(&f, '2', &found), DQ_OK);
    assert_same(&second, &found);
    leave_folder(f.path);
}

static void a_damaged_note_is_none(void **state)
{
    static const char *const damaged[] = {
        "", "{\"depthq_late\": 1, \"scale\": ", "[]",
        "{\"depthq_late\": 9, \"scale\": 1.0, \"shift\": 0.0}"};
    struct folder f;
    struct dq_place place, found;

    (void)state;
    folder_make(&f, DQ_SCALE_AFFINE);
    put_guides(&f, LATE - 2, LATE + 2);
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        put(&f, "late/15.json", damaged[i], strlen(damaged[i]));
        assert_int_equal(find_late(&f, '1', &found), DQ_MISSING);
        dq_err_clear(&f.err);
        assert_int_equal(fit_late(&f, '1', 2, 0.1, &place), DQ_OK);
        assert_int_equal(find_late(&f, '1', &found), DQ_OK);
        assert_same(&place, &found);
    }
    leave_folder(f.path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_solved_frame_has_its_own_place_with_its_own_plate),
        cmocka_unit_test(a_late_frame_is_brought_to_what_the_frozen_ones_say),
        cmocka_unit_test(the_nearest_frames_decide),
        cmocka_unit_test(frames_whose_guides_are_gone_are_passed_over),
        cmocka_unit_test(
            without_any_guide_a_late_frame_asks_for_a_new_solution),
        cmocka_unit_test(a_replaced_plates_own_guide_is_no_neighbour),
        cmocka_unit_test(a_metric_frame_at_the_end_is_right_already),
        cmocka_unit_test(what_was_fitted_is_found_again_to_the_last_bit),
        cmocka_unit_test(
            a_note_of_another_plate_or_solution_counts_for_nothing),
        cmocka_unit_test(the_first_note_of_a_plate_stands),
        cmocka_unit_test(a_new_plates_note_takes_the_old_ones_place),
        cmocka_unit_test(a_damaged_note_is_none),
    };

    return cmocka_run_group_tests_name("place", tests, NULL, NULL);
}
