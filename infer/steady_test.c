#include "infer/steady_testing.h"

enum { FRAMES = 24 };

static struct dq_steady *two_worlds(const struct dq_recipe *recipe, int cut)
{
    struct dq_steady *s = dq_steady_new(recipe, FRAMES, W, H);
    struct dq_guide g = {0};
    struct dq_err err = {0};

    for (int t = 0; t < FRAMES; t++) {
        guide_of(&g, t < cut ? 1 : 2, scale_of(t), shift_of(t));
        assert_int_equal(dq_steady_add(s, t, &g, &err), DQ_OK);
    }
    dq_guide_free(&g);
    return s;
}

/* Where the place puts true disparity 1 and 2. */
static void put_at(const struct dq_frame_affine *p, int t, double *one,
                   double *two)
{
    *one = p->scale * (scale_of(t) + shift_of(t)) + p->shift;
    *two = p->scale * (2 * scale_of(t) + shift_of(t)) + p->shift;
}

static void every_frame_of_a_still_shot_says_the_same(void **state)
{
    struct dq_model model;
    struct dq_recipe recipe = recipe_of(&model, DQ_SCALE_AFFINE);
    struct dq_steady *s = two_worlds(&recipe, FRAMES);
    struct dq_frame_affine place[FRAMES];
    struct dq_err err = {0};
    double low, high, one, two, first_one, first_two;

    (void)state;
    assert_int_equal(dq_steady_solve(s, place, &low, &high, &err), DQ_OK);
    put_at(&place[0], 0, &first_one, &first_two);
    for (int t = 0; t < FRAMES; t++) {
        put_at(&place[t], t, &one, &two);
        assert_true(fabs(one - first_one) < 1e-3 * fabs(first_two - first_one));
        assert_true(fabs(two - first_two) < 1e-3 * fabs(first_two - first_one));
        assert_int_equal(place[t].stretch, 0);
    }
    assert_true(low < high);
    dq_steady_free(s);
}

/* One mapping serves the shot, so the short stretch goes where the long one
 * is; within each all frames agree. */
static void a_cut_begins_numbers_of_its_own_in_the_same_range(void **state)
{
    struct dq_model model;
    struct dq_recipe recipe = recipe_of(&model, DQ_SCALE_AFFINE);
    struct dq_steady *s = two_worlds(&recipe, 7);
    struct dq_frame_affine place[FRAMES];
    struct dq_err err = {0};
    double low, high, one, two, first_one, first_two;

    (void)state;
    assert_int_equal(dq_steady_solve(s, place, &low, &high, &err), DQ_OK);
    for (int t = 0; t < FRAMES; t++)
        assert_int_equal(place[t].stretch, t >= 7);
    for (int t = 1; t < 7; t++) {
        put_at(&place[0], 0, &first_one, &first_two);
        put_at(&place[t], t, &one, &two);
        assert_true(fabs(one - first_one) < 1e-3 * fabs(first_two - first_one));
    }
    /* true disparity goes from about 0.6 to about 1.9 in both worlds */
    for (int t = 0; t < FRAMES; t++) {
        put_at(&place[t], t, &one, &two);
        assert_true(one > low - 0.5 * (high - low) && one < high);
        assert_true(two > low && two < high + 0.6 * (high - low));
    }
    dq_steady_free(s);
}

/* A trend is the network's own; what stands out of it is flicker. */
static void of_a_metric_network_only_flicker_is_taken(void **state)
{
    struct dq_model model;
    struct dq_recipe recipe = recipe_of(&model, DQ_SCALE_METRIC);
    struct dq_steady *s = dq_steady_new(&recipe, FRAMES, W, H);
    struct dq_frame_affine place[FRAMES];
    struct dq_guide g = {0};
    struct dq_err err = {0};
    double low, high;

    (void)state;
    for (int t = 0; t < FRAMES; t++) {
        guide_of(&g, 1, exp(0.02 * t + (t % 2 ? 0.05 : -0.05)), 0);
        assert_int_equal(dq_steady_add(s, t, &g, &err), DQ_OK);
    }
    assert_int_equal(dq_steady_solve(s, place, &low, &high, &err), DQ_OK);
    for (int t = 2; t < FRAMES - 2; t++) {
        double left = log(place[t].scale) + (t % 2 ? 0.05 : -0.05);

        assert_true(fabs(left) < 0.02);
        assert_true(fabs(place[t].shift) < 1e-12);
    }
    dq_guide_free(&g);
    dq_steady_free(s);
}

static void a_late_frame_says_what_the_frozen_ones_say(void **state)
{
    struct dq_model model;
    struct dq_recipe recipe = recipe_of(&model, DQ_SCALE_AFFINE);
    struct dq_steady *s = two_worlds(&recipe, FRAMES);
    struct dq_frame_affine place[FRAMES], late;
    struct dq_err err = {0};
    double low, high, one, two, late_one, late_two;

    (void)state;
    assert_int_equal(dq_steady_solve(s, place, &low, &high, &err), DQ_OK);
    put_at(&place[5], 5, &one, &two);
    place[5].scale = 77; /* must not be looked at */
    assert_int_equal(dq_steady_fit(s, place, 5, 4, low, high, &late, &err),
                     DQ_OK);
    put_at(&late, 5, &late_one, &late_two);
    assert_true(fabs(late_one - one) < 1e-3 * fabs(two - one));
    assert_true(fabs(late_two - two) < 1e-3 * fabs(two - one));
    assert_int_equal(late.evidence, FRAMES - 1);
    dq_steady_free(s);
}

static void a_late_frame_after_a_cut_takes_the_shots_range(void **state)
{
    struct dq_model model;
    struct dq_recipe recipe = recipe_of(&model, DQ_SCALE_AFFINE);
    struct dq_steady *s = two_worlds(&recipe, FRAMES - 1);
    struct dq_frame_affine place[FRAMES], late;
    struct dq_err err = {0};
    double low, high, one, two;

    (void)state;
    assert_int_equal(dq_steady_solve(s, place, &low, &high, &err), DQ_OK);
    assert_int_equal(
        dq_steady_fit(s, place, FRAMES - 1, 0, low, high, &late, &err), DQ_OK);
    put_at(&late, FRAMES - 1, &one, &two);
    assert_true(one > low - 0.5 * (high - low) && two > one);
    assert_true(two < high + 0.6 * (high - low));
    assert_int_equal(late.evidence, 0);
    dq_steady_free(s);
}

static void flat_and_negative_guides_give_finite_places(void **state)
{
    static const enum dq_model_scale scales[] = {DQ_SCALE_AFFINE,
                                                 DQ_SCALE_METRIC};

    (void)state;
    for (size_t k = 0; k < 2; k++)
        for (int form = 0; form < 3; form++) {
            struct dq_model model;
            struct dq_recipe recipe = recipe_of(&model, scales[k]);
            struct dq_steady *s = dq_steady_new(&recipe, 4, W, H);
            struct dq_frame_affine place[4];
            struct dq_guide g = {0};
            struct dq_err err = {0};
            double low, high;

            for (int t = 0; t < 4; t++) {
                guide_of(&g, 1, form == 0 ? 0 : 1, form == 1 ? -1.5 : 0);
                if (form == 2)
                    memset(g.real, 0, W * H * sizeof *g.real);
                assert_int_equal(dq_steady_add(s, t, &g, &err), DQ_OK);
            }
            assert_int_equal(dq_steady_solve(s, place, &low, &high, &err),
                             DQ_OK);
            for (int t = 0; t < 4; t++) {
                assert_true(place[t].scale > 0 && isfinite(place[t].scale));
                assert_true(isfinite(place[t].shift));
            }
            assert_true(isfinite(low) && isfinite(high) && low <= high);
            dq_guide_free(&g);
            dq_steady_free(s);
        }
}

static void a_shot_without_any_guide_is_told(void **state)
{
    struct dq_model model;
    struct dq_recipe recipe = recipe_of(&model, DQ_SCALE_AFFINE);
    struct dq_steady *s = dq_steady_new(&recipe, 3, W, H);
    struct dq_frame_affine place[3];
    struct dq_err err = {0};
    double low, high;

    (void)state;
    assert_int_equal(dq_steady_solve(s, place, &low, &high, &err), DQ_MISSING);
    dq_steady_free(s);
}

static void count_call(void *context)
{
    ++*(int *)context;
}

static void it_tells_that_it_goes_on_for_every_frame(void **state)
{
    struct dq_model model;
    struct dq_recipe recipe = recipe_of(&model, DQ_SCALE_AFFINE);
    struct dq_steady *s = two_worlds(&recipe, FRAMES / 2);
    struct dq_frame_affine place[FRAMES];
    struct dq_err err = {0};
    double low, high;
    int calls = 0;

    (void)state;
    dq_steady_tell(s, count_call, &calls);
    assert_int_equal(dq_steady_solve(s, place, &low, &high, &err), DQ_OK);
    assert_true(calls >= FRAMES);
    dq_steady_free(s);
}

static void a_guide_of_another_size_is_refused(void **state)
{
    struct dq_model model;
    struct dq_recipe recipe = recipe_of(&model, DQ_SCALE_AFFINE);
    struct dq_steady *s = dq_steady_new(&recipe, 3, W + 4, H);
    struct dq_guide g = {0};
    struct dq_err err = {0};

    (void)state;
    guide_of(&g, 1, 1, 0);
    assert_int_equal(dq_steady_add(s, 0, &g, &err), DQ_PLATE);
    dq_guide_free(&g);
    dq_steady_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_frame_of_a_still_shot_says_the_same),
        cmocka_unit_test(a_cut_begins_numbers_of_its_own_in_the_same_range),
        cmocka_unit_test(of_a_metric_network_only_flicker_is_taken),
        cmocka_unit_test(a_late_frame_says_what_the_frozen_ones_say),
        cmocka_unit_test(a_late_frame_after_a_cut_takes_the_shots_range),
        cmocka_unit_test(flat_and_negative_guides_give_finite_places),
        cmocka_unit_test(a_shot_without_any_guide_is_told),
        cmocka_unit_test(it_tells_that_it_goes_on_for_every_frame),
        cmocka_unit_test(a_guide_of_another_size_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
