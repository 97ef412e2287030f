#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fault.h"
#include "base/mem.h"
#include "infer/merge.h"
#include "infer/session.h"

static const struct dq_device cpu = {.name = "cpu"};
static char name[] = "net", version[] = "1", runtime[] = "fake", unit[] = "";

static struct dq_model plain(void)
{
    struct dq_model m = {.name = name,
                         .version = version,
                         .runtime = runtime,
                         .unit = unit,
                         .channels = "RGB",
                         .range = {0, 1},
                         .std = {1, 1, 1},
                         .multiple = 8,
                         .preferred = 32,
                         .min = 8,
                         .max = 1024,
                         .output_channels = 1,
                         .sky_channel = -1};

    return m;
}

/* A frame through a network of backend_fake. */
struct shot {
    struct dq_model model;
    struct dq_session *session;
    struct dq_tile_plan *plan;
    struct dq_session_rule rule;
    struct dq_picture picture;
    float *rgb, *depth, *sky;
    struct dq_answers answers;
    struct dq_tile_counts counts;
    struct dq_err err;
};

static float told(int c, int x, int y)
{
    return (float)(0.5 + 0.2 * sin(0.021 * x + c) + 0.2 * cos(0.017 * y + c) +
                   0.05 * sin(0.9 * x * (c + 1) + 0.7 * y));
}

static struct shot *shot_of(const char *net, int w, int h, int size,
                            struct dq_model model)
{
    struct shot *s = dq_new(sizeof *s);
    size_t n = (size_t)w * (size_t)h;
    char *json = dq_asprintf("{\"depthq_fake\": 1, \"net\": %s}", net);

    s->model = model;
    s->session = dq_session_open(&s->model, json, strlen(json), &cpu, &s->err);
    s->plan = dq_tile_plan_new(w, h, size, 0.25, &s->model, &s->err);
    if (!s->session || !s->plan)
        fail_msg("%s", s->err.text);
    s->rgb = dq_new_array(3 * n, sizeof *s->rgb);
    for (size_t i = 0; i < 3 * n; i++)
        s->rgb[i] =
            told((int)(i / n), (int)(i % (size_t)w), (int)(i % n / (size_t)w));
    s->depth = dq_new_array(n, sizeof *s->depth);
    s->sky = dq_new_array(n, sizeof *s->sky);
    s->picture.rgb = s->rgb;
    s->picture.width = w;
    s->picture.height = h;
    free(json);
    return s;
}

static int run(struct shot *s)
{
    dq_err_clear(&s->err);
    if (!dq_session_run(s->session, s->plan, &s->rule, &s->picture, &s->answers,
                        &s->counts, &s->err))
        dq_merge(&s->answers, s->plan, &s->model, &s->picture, s->depth, s->sky,
                 &s->counts, &s->err);
    return s->err.code;
}

static void shot_free(struct shot *s)
{
    dq_session_close(s->session);
    dq_tile_plan_free(s->plan);
    dq_answers_free(&s->answers);
    free(s->rgb);
    free(s->depth);
    free(s->sky);
    free(s);
}

static size_t bytes_of(const struct shot *s)
{
    return (size_t)s->picture.width * (size_t)s->picture.height *
           sizeof *s->depth;
}

/* ---- identity ------------------------------------------------------------ */

static void identity_returns_every_bit(int w, int h, int size, int batch)
{
    struct shot *s = shot_of("\"identity\"", w, h, size, plain());

    s->rule.batch = batch;
    assert_int_equal(run(s), 0);
    if (memcmp(s->depth, s->rgb, bytes_of(s)) != 0)
        fail_msg("%d x %d in tiles of %d, %d at once", w, h, size, batch);
    assert_int_equal(s->counts.tiles, s->plan->count);
    shot_free(s);
}

static void pad_tile_blend_unpad_keep_every_bit(void **state)
{
    static const int sides[] = {1, 2, 3, 5, 7, 8, 9, 31, 32, 33, 50, 64, 97};
    enum { N = sizeof sides / sizeof *sides };

    (void)state;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            for (int size = 0; size <= 48; size += 24)
                identity_returns_every_bit(sides[i], sides[j], size,
                                           1 + (i + j) % 4);
    identity_returns_every_bit(97, 61, DQ_TILES_WHOLE, 1);
}

/* A job that is over takes its model along; the loaded network stays for the
 * next one. */
static void a_session_outlives_the_model_it_was_opened_with(void **state)
{
    struct shot *s = shot_of("\"identity\"", 50, 33, 24, plain());

    (void)state;
    memset(&s->model, 0x5a, sizeof s->model);
    assert_int_equal(run(s), 0);
    assert_memory_equal(s->depth, s->rgb, bytes_of(s));
    shot_free(s);
}

static void a_fixed_shape_keeps_every_bit_too(void **state)
{
    struct dq_model fixed = plain();
    struct shot *s;

    (void)state;
    fixed.fixed[0] = 24;
    fixed.fixed[1] = 40;
    fixed.batch = 3;
    s = shot_of("\"identity\"", 101, 67, 0, fixed);
    assert_int_equal(run(s), 0);
    assert_memory_equal(s->depth, s->rgb, bytes_of(s));
    assert_int_equal(s->counts.batch, 3);
    shot_free(s);
}

/* The lattice is the shot's; this frame covers a piece of it. */
static void a_picture_that_covers_a_piece_of_the_lattice_keeps_every_bit(
    void **state)
{
    struct shot *s = shot_of("\"identity\"", 200, 120, 0, plain());

    (void)state;
    s->picture.width = 90; /* the first pixels of rgb, as another picture */
    s->picture.height = 50;
    s->picture.x = 61;
    s->picture.y = 33;
    assert_int_equal(run(s), 0);
    assert_memory_equal(s->depth, s->rgb, bytes_of(s));
    assert_true(s->counts.tiles < s->plan->count);
    shot_free(s);
}

static void another_plan_for_the_same_picture_is_not_mixed_up(void **state)
{
    struct shot *s = shot_of("\"identity\"", 90, 60, 16, plain());

    (void)state;
    assert_int_equal(run(s), 0);
    dq_tile_plan_free(s->plan);
    s->plan = dq_tile_plan_new(90, 60, 64, 0.25, &s->model, &s->err);
    memset(s->depth, 0, bytes_of(s));
    assert_int_equal(run(s), 0);
    assert_memory_equal(s->depth, s->rgb, bytes_of(s));
    shot_free(s);
}

/* ---- tiles against the whole --------------------------------------------- */

static double most_apart(const struct shot *a, const struct shot *b)
{
    double most = 0;

    for (size_t i = 0; i < bytes_of(a) / sizeof *a->depth; i++)
        most = fmax(most, fabs((double)a->depth[i] - (double)b->depth[i]));
    return most;
}

/* A guide of a quarter of the size cuts no block: it is exact too. */
static void tiles_of_a_pointwise_network_make_the_whole(void **state)
{
    static const int sides[][2] = {{230, 150}, {240, 160}};
    struct dq_model model = plain();

    (void)state;
    model.preferred = 40;
    for (int align = 0; align < 2; align++) {
        int w = sides[align][0], h = sides[align][1];
        struct shot *whole = shot_of("\"luma\"", w, h, DQ_TILES_WHOLE, model);
        struct shot *tiled = shot_of("\"luma\"", w, h, 64, model);

        tiled->rule.align = align;
        assert_int_equal(run(whole), 0);
        assert_int_equal(run(tiled), 0);
        assert_int_equal(tiled->counts.aligned, align ? tiled->plan->count : 0);
        assert_true(most_apart(whole, tiled) < 1e-6);
        shot_free(whole);
        shot_free(tiled);
    }
}

/* Every call answers in a scale and shift of its own: what is left after the
 * alignment is one line for the whole frame, the guide's. */
static void tiles_with_scales_of_their_own_tell_one_story(void **state)
{
    struct dq_model model = plain();
    struct shot *s;
    size_t n;
    double sx = 0, sy = 0, sxx = 0, sxy = 0, most = 0, a, b;

    (void)state;
    model.preferred = 128;
    s = shot_of("\"affine\"", 384, 256, 96, model);
    s->rule.align = 1;
    assert_int_equal(run(s), 0);
    n = bytes_of(s) / sizeof *s->depth;
    for (size_t i = 0; i < n; i++) {
        double x = (double)s->rgb[i], y = (double)s->depth[i];

        sx += x;
        sy += y;
        sxx += x * x;
        sxy += x * y;
    }
    a = ((double)n * sxy - sx * sy) / ((double)n * sxx - sx * sx);
    b = (sy - a * sx) / (double)n;
    for (size_t i = 0; i < n; i++)
        most = fmax(most,
                    fabs(a * (double)s->rgb[i] + b - (double)s->depth[i]) / a);
    assert_true(a > 0.3);
    assert_true(most < 0.02);
    shot_free(s);
}

static void any_batch_gives_the_same_bits(void **state)
{
    struct shot *one = shot_of("\"affine\"", 210, 140, 64, plain());

    (void)state;
    one->rule = (struct dq_session_rule){1, 1, NULL};
    assert_int_equal(run(one), 0);
    for (int batch = 2; batch < 40; batch += 5) {
        struct shot *many = shot_of("\"affine\"", 210, 140, 64, plain());

        many->rule = (struct dq_session_rule){batch, 1, NULL};
        assert_int_equal(run(many), 0);
        assert_int_equal(many->counts.batch, batch);
        assert_memory_equal(one->depth, many->depth, bytes_of(one));
        shot_free(many);
    }
    shot_free(one);
}

static void the_same_frame_again_has_the_same_bits(void **state)
{
    struct shot *s = shot_of("\"affine\"", 150, 110, 0, plain());
    float *first = dq_new(bytes_of(s));

    (void)state;
    s->rule.align = 1;
    assert_int_equal(run(s), 0);
    memcpy(first, s->depth, bytes_of(s));
    memset(s->depth, 0xff, bytes_of(s));
    assert_int_equal(run(s), 0);
    assert_memory_equal(first, s->depth, bytes_of(s));
    free(first);
    shot_free(s);
}

static void the_sky_channel_is_blended_and_not_aligned(void **state)
{
    struct dq_model model = plain();
    struct shot *s;
    size_t n;

    (void)state;
    model.output_channels = 2;
    model.sky_channel = 1;
    s = shot_of("\"affine\"", 100, 70, 0, model);
    s->rule.align = 1;
    n = bytes_of(s) / sizeof *s->sky;
    assert_int_equal(run(s), 0); /* the fake's sky is the last plane */
    assert_memory_equal(s->sky, s->rgb + 2 * n, bytes_of(s));
    shot_free(s);
}

/* ---- what goes wrong ----------------------------------------------------- */

static void out_of_memory_halves_the_batch_and_never_the_tile(void **state)
{
    struct shot *calm = shot_of("\"affine\"", 210, 140, 64, plain());
    struct shot *tight =
        shot_of("\"affine\", \"memory_batch\": 3", 210, 140, 64, plain());

    (void)state;
    calm->rule = tight->rule = (struct dq_session_rule){16, 1, NULL};
    assert_int_equal(run(calm), 0);
    assert_int_equal(run(tight), 0);
    assert_int_equal(tight->counts.halved, 3); /* 16, 8, 4, then 2 */
    assert_int_equal(tight->counts.batch, 2);
    assert_int_equal(tight->counts.tiles, calm->counts.tiles);
    assert_memory_equal(calm->depth, tight->depth, bytes_of(calm));
    assert_int_equal(run(tight), 0); /* the next frame knows */
    assert_int_equal(tight->counts.halved, 0);
    assert_int_equal(tight->counts.batch, 2);
    shot_free(calm);
    shot_free(tight);
}

static void out_of_memory_at_one_tile_says_what_to_do(void **state)
{
    struct shot *s = shot_of("\"identity\"", 100, 70, 0, plain());

    (void)state;
    setenv("DQ_FAULT", "infer.memory", 1);
    dq_fault_setup();
    s->rule.batch = 4;
    assert_int_equal(run(s), DQ_MEMORY);
    unsetenv("DQ_FAULT");
    dq_fault_setup();
    assert_non_null(strstr(s->err.text, "tile 0"));
    assert_non_null(strstr(s->err.text, "tiles.size"));
    assert_int_equal(run(s), 0); /* it is usable again */
    shot_free(s);
}

static void a_baked_batch_cannot_be_halved(void **state)
{
    struct dq_model model = plain();
    struct shot *s;

    (void)state;
    model.batch = 4;
    s = shot_of("\"identity\", \"memory_batch\": 2", 100, 70, 0, model);
    assert_int_equal(run(s), DQ_MEMORY);
    shot_free(s);
}

static void nothing_but_finite_numbers_leaves_the_network(void **state)
{
    static const char *const nets[] = {"\"nan\"", "\"inf\"",
                                       "\"nan\", \"after\": 5"};

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct shot *s = shot_of(nets[i], 100, 70, 0, plain());

        assert_int_equal(run(s), DQ_ANSWER);
        assert_non_null(strstr(s->err.text, "not finite"));
        assert_non_null(strstr(s->err.text, i < 2 ? "tile 0" : "tile 5"));
        shot_free(s);
    }
}

static void a_guide_that_is_not_finite_is_named(void **state)
{
    struct shot *s = shot_of("\"nan\"", 100, 70, 0, plain());
    float *guide = dq_new(bytes_of(s));

    (void)state;
    assert_int_equal(dq_session_guide(s->session, s->plan, &s->picture, guide,
                                      NULL, &s->err),
                     DQ_ANSWER);
    assert_non_null(strstr(s->err.text, "the guide"));
    free(guide);
    shot_free(s);
}

static void a_sky_that_is_not_finite_is_an_error_too(void **state)
{
    struct dq_model model = plain();
    struct shot *s;

    (void)state;
    model.output_channels = 2;
    model.sky_channel = 1;
    s = shot_of("\"identity\"", 20, 20, 0, model);
    s->rgb[2 * 400 + 7] = NAN;
    assert_int_equal(run(s), DQ_ANSWER);
    shot_free(s);
}

static void what_the_network_throws_arrives_with_its_tile(void **state)
{
    struct shot *s = shot_of("\"throw\", \"after\": 2", 100, 70, 0, plain());

    (void)state;
    assert_int_equal(run(s), DQ_ANSWER);
    assert_non_null(strstr(s->err.text, "tile 2: the fake network threw"));
    shot_free(s);
}

static void a_wrong_shape_is_the_models_fault(void **state)
{
    struct shot *s = shot_of("\"wrong-shape\"", 100, 70, 0, plain());

    (void)state;
    assert_int_equal(run(s), DQ_MODEL);
    assert_non_null(strstr(s->err.text, "1x1x1x1"));
    shot_free(s);
}

static void a_network_that_cannot_be_loaded_is_named(void **state)
{
    struct dq_model model = plain();
    struct dq_err err = {0};

    (void)state;
    assert_null(dq_session_open(&model, "{}", 2, &cpu, &err));
    assert_int_equal(err.code, DQ_MODEL);
    assert_non_null(strstr(err.text, "model net@1"));
    dq_session_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pad_tile_blend_unpad_keep_every_bit),
        cmocka_unit_test(a_fixed_shape_keeps_every_bit_too),
        cmocka_unit_test(a_session_outlives_the_model_it_was_opened_with),
        cmocka_unit_test(
            a_picture_that_covers_a_piece_of_the_lattice_keeps_every_bit),
        cmocka_unit_test(another_plan_for_the_same_picture_is_not_mixed_up),
        cmocka_unit_test(tiles_of_a_pointwise_network_make_the_whole),
        cmocka_unit_test(tiles_with_scales_of_their_own_tell_one_story),
        cmocka_unit_test(any_batch_gives_the_same_bits),
        cmocka_unit_test(the_same_frame_again_has_the_same_bits),
        cmocka_unit_test(the_sky_channel_is_blended_and_not_aligned),
        cmocka_unit_test(out_of_memory_halves_the_batch_and_never_the_tile),
        cmocka_unit_test(out_of_memory_at_one_tile_says_what_to_do),
        cmocka_unit_test(a_baked_batch_cannot_be_halved),
        cmocka_unit_test(nothing_but_finite_numbers_leaves_the_network),
        cmocka_unit_test(a_guide_that_is_not_finite_is_named),
        cmocka_unit_test(a_sky_that_is_not_finite_is_an_error_too),
        cmocka_unit_test(what_the_network_throws_arrives_with_its_tile),
        cmocka_unit_test(a_wrong_shape_is_the_models_fault),
        cmocka_unit_test(a_network_that_cannot_be_loaded_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
