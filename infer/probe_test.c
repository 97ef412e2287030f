/* Networks against their contracts: fake ones, and ones of these tests. */
#include "base/testing.h"

#include "base/mem.h"
#include "infer/probe.h"

enum lie {
    HONEST,
    RANDOM,      /* another answer every time */
    CONSTANT,    /* whatever it is shown */
    BLACK_NAN,   /* for a black picture */
    BATCH_MIXED, /* the second picture's answer has some of the first */
    BATCH_LEAKS, /* the same, so little that sums alone could do it */
    SECOND_SIZE  /* fails at any size but the first */
};

/* The mean of the planes, with a lie; it counts its forwards. */
struct dq_net {
    enum lie lie;
    int calls, height, width, largest_batch, sizes;
};

static int answer(struct dq_net *net, const float *in, int batch, int h, int w,
                  float *out, struct dq_err *err)
{
    size_t plane = (size_t)h * (size_t)w;

    net->calls++;
    net->largest_batch =
        batch > net->largest_batch ? batch : net->largest_batch;
    if (net->height && (net->height != h || net->width != w)) {
        net->sizes++;
        if (net->lie == SECOND_SIZE)
            return dq_fail(err, DQ_MODEL, "answered %dx%d", net->height,
                           net->width);
    }
    net->height = h;
    net->width = w;
    for (size_t b = 0; b < (size_t)batch; b++)
        for (size_t i = 0; i < plane; i++) {
            const float *p = in + b * 3 * plane + i;
            float v = p[0] + p[plane] + p[2 * plane];

            if (net->lie == CONSTANT)
                v = (float)i;
            if (net->lie == RANDOM)
                v += (float)net->calls;
            if (net->lie == BLACK_NAN)
                v += 0.0F / v;
            if (net->lie == BATCH_MIXED && b)
                v += 0.01F * in[i];
            if (net->lie == BATCH_LEAKS && b)
                v += 5e-5F * in[i];
            out[b * plane + i] = v;
        }
    return DQ_OK;
}

static const struct dq_backend backend = {.runtime = "test", .run = answer};

static struct dq_model *model(const char *size, const char *batch)
{
    struct dq_err err = {0};
    char *json = dq_asprintf(
        "{\"depthq_model\": 1, \"name\": \"n\", \"version\": \"1\","
        " \"input\": {\"transfer\": \"srgb\", \"multiple\": 8, \"size\": {%s},"
        "  \"batch\": %s},"
        " \"output\": {\"quantity\": \"disparity\", \"scale\": \"affine\"}}",
        size, batch);
    struct dq_model *m = dq_model_parse(json, strlen(json), &err);

    assert_string_equal(err.text, "");
    free(json);
    return m;
}

#define FREE "\"preferred\": 32, \"min\": 8, \"max\": 64"

/* The code, and words that its text has. */
static void expect(enum lie lie, const char *size, const char *batch, int code,
                   const char *words)
{
    struct dq_model *m = model(size, batch);
    struct dq_net net = {.lie = lie};
    struct dq_golden none = {0};
    struct dq_probe found;
    struct dq_err err = {0};

    assert_int_equal(dq_probe_run(m, &backend, &net, &none, &found, &err),
                     code);
    if (!strstr(err.text, words))
        fail_msg("'%s' has no '%s'", err.text, words);
    dq_model_free(m);
}

static void an_honest_network_is_tried_at_four_sizes_and_in_batches(void **s)
{
    struct dq_model *m = model(FREE, "\"any\"");
    struct dq_net net = {0};
    struct dq_golden none = {0};
    struct dq_probe found;
    struct dq_err err = {0};

    (void)s;
    dq_probe_run(m, &backend, &net, &none, &found, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(net.sizes, 3);
    assert_int_equal(net.largest_batch, 4);
    assert_int_equal(found.measured, 8);
    assert_int_equal(found.measures[0].batch, 1);
    assert_true(found.batch_apart == 0 && found.golden_apart < 0);
    dq_model_free(m);
}

static void a_fixed_size_and_batch_are_the_only_ones_that_are_tried(void **s)
{
    struct dq_model *m = model("\"fixed\": [16, 24]", "2");
    struct dq_net net = {0};
    struct dq_golden none = {0};
    struct dq_probe found;
    struct dq_err err = {0};

    (void)s;
    dq_probe_run(m, &backend, &net, &none, &found, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(net.sizes, 0);
    assert_int_equal(net.largest_batch, 2);
    assert_int_equal(net.height, 16);
    assert_int_equal(net.width, 24);
    assert_int_equal(found.measured, 1);
    dq_model_free(m);
}

static void every_lie_is_found_and_named(void **s)
{
    (void)s;
    expect(HONEST, FREE, "\"any\"", DQ_OK, "");
    expect(RANDOM, FREE, "\"any\"", DQ_ANSWER, "when it is asked again");
    expect(CONSTANT, FREE, "\"any\"", DQ_ANSWER, "the same for any picture");
    expect(BLACK_NAN, FREE, "\"any\"", DQ_ANSWER, "a black picture");
    expect(BATCH_MIXED, FREE, "\"any\"", DQ_ANSWER, "input.batch");
    expect(SECOND_SIZE, FREE, "\"any\"", DQ_MODEL, "1x3x32x56: answered 32x32");
    expect(SECOND_SIZE, "\"fixed\": [32, 32]", "\"any\"", DQ_OK, "");
    expect(BATCH_MIXED, FREE, "1", DQ_OK, "");
    expect(BATCH_MIXED, FREE, "2", DQ_ANSWER, "beside it in the batch");
    expect(BATCH_LEAKS, FREE, "\"any\"", DQ_ANSWER, "beside it in the batch");
    expect(BATCH_LEAKS, FREE, "3", DQ_ANSWER, "beside it in the batch");
    expect(HONEST, FREE, "3", DQ_OK, "");
}

static void the_golden_tile_is_compared_within_its_bound(void **s)
{
    struct dq_model *m = model(FREE, "\"any\"");
    float picture[3 * 64], stored[64];
    struct dq_golden golden = {1, 8, 8, picture, stored, 1e-4};
    struct dq_net net = {0};
    struct dq_probe found;
    struct dq_err err = {0};

    (void)s;
    for (int i = 0; i < 3 * 64; i++)
        picture[i] = (float)i / 192;
    for (int i = 0; i < 64; i++)
        stored[i] = picture[i] + picture[i + 64] + picture[i + 128];
    dq_probe_run(m, &backend, &net, &golden, &found, &err);
    assert_string_equal(err.text, "");
    assert_true(found.golden_apart >= 0 && found.golden_apart < 1e-6);
    stored[9] += 0.001F; /* of a range of about 1 */
    assert_int_equal(dq_probe_run(m, &backend, &net, &golden, &found, &err),
                     DQ_ANSWER);
    assert_non_null(strstr(err.text, "golden tile"));
    assert_true(found.golden_apart > 5e-4 && found.golden_apart < 2e-3);
    dq_model_free(m);
}

/* IEEE 754 binary16, table of its own corners. */
static void halves_become_the_floats_that_they_are(void **s)
{
    static const struct {
        unsigned half;
        float value;
    } known[] = {{0x0000, 0.0F},        {0x3c00, 1.0F},     {0xc000, -2.0F},
                 {0x7bff, 65504.0F},    {0x0001, 0x1p-24F}, {0x0400, 0x1p-14F},
                 {0x3555, 0x1.554p-2F}, {0x8400, -0x1p-14F}};

    (void)s;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_true(dq_golden_of_half(known[i].half) == known[i].value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            an_honest_network_is_tried_at_four_sizes_and_in_batches),
        cmocka_unit_test(
            a_fixed_size_and_batch_are_the_only_ones_that_are_tried),
        cmocka_unit_test(every_lie_is_found_and_named),
        cmocka_unit_test(the_golden_tile_is_compared_within_its_bound),
        cmocka_unit_test(halves_become_the_floats_that_they_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
