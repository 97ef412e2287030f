#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "infer/quantity.h"
#include "io/frame.h"

static char nothing[] = "", metres[] = "m", name[] = "net";

static struct dq_model affine(void)
{
    struct dq_model m = {.name = name, .unit = nothing};

    return m; /* disparity, affine */
}

static struct dq_model metric(void)
{
    struct dq_model m = {.name = name,
                         .unit = metres,
                         .quantity = DQ_QUANTITY_DISTANCE,
                         .scale = DQ_SCALE_METRIC};

    return m;
}

static const struct dq_shot shot = {.range_low = 2, .range_high = 6};

static struct dq_quantity mapping(struct dq_recipe *recipe)
{
    struct dq_quantity q;
    struct dq_err err = {0};

    assert_int_equal(dq_quantity_new(recipe, &shot, &q, &err), 0);
    return q;
}

static void affine_disparity_becomes_zero_to_one_over_the_shot(void **state)
{
    struct dq_model model = affine();
    struct dq_recipe recipe = {.model = &model};
    struct dq_quantity q = mapping(&recipe);
    float v[4] = {2, 4, 6, 1};

    (void)state;
    assert_int_equal(q.kind, DQ_DEPTH_INVERSE);
    assert_string_equal(q.unit, "relative");
    dq_quantity_apply(&q, v, 4);
    assert_true(fabsf(v[0]) < 1e-6F && fabsf(v[1] - 0.5F) < 1e-6F);
    assert_true(fabsf(v[2] - 1) < 1e-6F);
    assert_true(v[3] > 0 && v[3] < 1e-6F); /* beyond the far end, but no sky */
}

static void near_and_far_become_the_shots_quantiles(void **state)
{
    struct dq_model model = affine();
    struct dq_recipe recipe = {
        .model = &model, .kind = DQ_DEPTH_DISTANCE, .near = 2, .far = 50};
    struct dq_quantity q = mapping(&recipe);
    float v[3] = {6, 2, -100};

    (void)state;
    dq_quantity_apply(&q, v, 3);
    assert_true(fabsf(v[0] - 2) < 1e-5F);
    assert_true(fabsf(v[1] - 50) < 1e-3F);
    assert_true(v[2] < 500 && v[2] > 499); /* held before the sky */
    assert_true(fabsf(q.sky - 500) < 1e-3F);
}

static void distance_of_an_affine_model_needs_near_and_far(void **state)
{
    struct dq_model model = affine();
    struct dq_recipe recipe = {.model = &model, .kind = DQ_DEPTH_DISTANCE};
    struct dq_quantity q;
    struct dq_err err = {0};

    (void)state;
    assert_int_equal(dq_quantity_new(&recipe, &shot, &q, &err), DQ_SPEC);
    assert_non_null(strstr(err.text, "depth.near and depth.far"));
}

static void metric_distance_passes_through_bit_for_bit(void **state)
{
    struct dq_model model = metric();
    struct dq_recipe recipe = {.model = &model};
    struct dq_quantity q = mapping(&recipe);
    float v[3] = {0.1F, 3.14159265F, 97.3F}, was[3];

    (void)state;
    memcpy(was, v, sizeof v);
    dq_quantity_apply(&q, v, 3);
    assert_memory_equal(v, was, sizeof v);
    assert_string_equal(q.unit, "m");
    v[0] = -1;
    dq_quantity_apply(&q, v, 1);
    assert_true(fabsf(v[0]) < 1e-9F);
}

static void metric_distance_inverts(void **state)
{
    struct dq_model model = metric();
    struct dq_recipe recipe = {.model = &model, .kind = DQ_DEPTH_INVERSE};
    struct dq_quantity q = mapping(&recipe);
    float v[3] = {4, 0.5F, 0};

    (void)state;
    dq_quantity_apply(&q, v, 3);
    assert_true(fabsf(v[0] - 0.25F) < 1e-6F && fabsf(v[1] - 2) < 1e-6F);
    assert_true(isfinite(v[2]));
    assert_string_equal(q.unit, "1/m");
}

static void native_is_left_alone(void **state)
{
    struct dq_model model = affine();
    struct dq_recipe recipe = {.model = &model, .kind = DQ_DEPTH_NATIVE};
    struct dq_quantity q = mapping(&recipe);
    float v[2] = {-3.5F, 17}, was[2] = {-3.5F, 17};

    (void)state;
    dq_quantity_apply(&q, v, 2);
    assert_memory_equal(v, was, sizeof v);
    assert_true(fabsf(q.sky + 38) < 1e-6F); /* ten ranges behind the far end */
}

static void affine_distance_gives_native_only(void **state)
{
    struct dq_model model = affine();
    struct dq_recipe recipe = {.model = &model};
    struct dq_quantity q;
    struct dq_err err = {0};

    (void)state;
    model.quantity = DQ_QUANTITY_DISTANCE;
    assert_int_equal(dq_quantity_new(&recipe, &shot, &q, &err), DQ_SPEC);
    recipe.kind = DQ_DEPTH_NATIVE;
    assert_int_equal(dq_quantity_new(&recipe, &shot, &q, &err), 0);
}

/* As a file of half, or of floats in PXR24, gives it back. */
static float through_file(float v, int half)
{
    uint16_t bits;
    uint32_t word;

    if (half) {
        v = fmaxf(-65504, fminf(v, 65504));
        dq_float_to_half(&v, &bits, 1);
        dq_half_to_float(&bits, &v, 1);
        return v;
    }
    memcpy(&word, &v, sizeof word);
    word = (word + 0x80) & 0xffffff00; /* the last 8 bits are rounded away */
    memcpy(&v, &word, sizeof v);
    return v;
}

static void expect_no_sky(const struct dq_recipe *recipe)
{
    float real[] = {-1e9F, -3, 0,   1e-9F, 1e-6F, 1,
                    2,     6,  333, 70000, 1e5F,  1e9F};
    size_t n = sizeof real / sizeof *real;
    struct dq_quantity q;
    struct dq_err err = {0};

    if (dq_quantity_new(recipe, &shot, &q, &err))
        fail_msg("%s", err.text);
    /* who reads the file finds the very value that its header tells */
    assert_memory_equal(&(float){through_file(q.sky, recipe->half)}, &q.sky,
                        sizeof q.sky);
    dq_quantity_apply(&q, real, n);
    for (size_t i = 0; i < n; i++) {
        float v = through_file(real[i], recipe->half);

        if (!(v < q.sky) && !(v > q.sky))
            fail_msg("kind %d, half %d: %g has become the sky's %g", q.kind,
                     recipe->half, (double)real[i], (double)q.sky);
    }
}

static void what_is_real_never_has_the_value_of_sky(void **state)
{
    static const double fars[] = {50, 33.333, 102.41, 20000};
    struct dq_model models[] = {affine(), metric(), metric()};

    (void)state;
    models[2].quantity = DQ_QUANTITY_DISPARITY;
    for (int half = 0; half <= 1; half++)
        for (size_t m = 0; m < 3; m++)
            for (size_t f = 0; f < sizeof fars / sizeof *fars; f++) {
                struct dq_recipe recipe = {.model = &models[m],
                                           .half = half,
                                           .near = 2,
                                           .far = fars[f]};

                recipe.kind = DQ_DEPTH_INVERSE;
                expect_no_sky(&recipe);
                recipe.kind = DQ_DEPTH_DISTANCE;
                expect_no_sky(&recipe);
            }
}

static void what_is_not_finite_does_not_become_a_depth(void **state)
{
    struct dq_model models[] = {affine(), metric()};
    const enum dq_depth_kind kinds[] = {DQ_DEPTH_DISTANCE, DQ_DEPTH_INVERSE,
                                        DQ_DEPTH_NATIVE};

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        struct dq_recipe recipe = {.model = &models[i / 3],
                                   .kind = kinds[i % 3],
                                   .near = 1,
                                   .far = 50};
        struct dq_quantity q = mapping(&recipe);
        float v[3] = {NAN, INFINITY, -INFINITY};

        dq_quantity_apply(&q, v, 3);
        for (size_t k = 0; k < 3; k++)
            assert_true(!isfinite(v[k]));
    }
}

static void the_ends_are_the_half_percent_quantiles(void **state)
{
    float values[1001], none[1];
    double low = 7, high = 7;

    (void)state;
    for (int i = 0; i <= 1000; i++) /* 0 .. 1000, in no order */
        values[i] = (float)(i * 2 % 1001);
    dq_quantity_ends(values, 1001, &low, &high);
    assert_true(low == 5 && high == 995);
    dq_quantity_ends(none, 0, &low, &high);
    assert_true(low == 0 && high == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(affine_disparity_becomes_zero_to_one_over_the_shot),
        cmocka_unit_test(near_and_far_become_the_shots_quantiles),
        cmocka_unit_test(the_ends_are_the_half_percent_quantiles),
        cmocka_unit_test(distance_of_an_affine_model_needs_near_and_far),
        cmocka_unit_test(metric_distance_passes_through_bit_for_bit),
        cmocka_unit_test(metric_distance_inverts),
        cmocka_unit_test(native_is_left_alone),
        cmocka_unit_test(affine_distance_gives_native_only),
        cmocka_unit_test(what_is_real_never_has_the_value_of_sky),
        cmocka_unit_test(what_is_not_finite_does_not_become_a_depth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
