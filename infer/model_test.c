#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "infer/model_fields.h"

/* The contract of a network in full, and what a test changes in it. */
static const char full[] =
    "{\"depthq_model\": 1, \"name\": \"fastdepth\", \"version\": \"1.0.0\",\n"
    " \"input\": {\"channels\": \"BGR\", \"transfer\": \"srgb\",\n"
    "   \"range\": [0, 255], \"mean\": [1, 2, 3], \"std\": [4, 5, 6],\n"
    "   \"multiple\": 32, \"batch\": 2, \"dtype\": \"float16\",\n"
    "   \"size\": {\"preferred\": 224, \"min\": 64, \"max\": 1024}},\n"
    " \"output\": {\"quantity\": \"distance\", \"scale\": \"metric\",\n"
    "   \"unit\": \"m\", \"layout\": \"NCHW\", \"channels\": 3,\n"
    "   \"depth\": 1, \"sky\": 2},\n"
    " \"runtime\": \"other\", \"precision\": \"half\",\n"
    " \"licence\": \"MIT\", \"source\": \"here\", \"description\": \"x\"}";

static const char least[] =
    "{\"depthq_model\": 1, \"name\": \"n\", \"version\": \"1\",\n"
    " \"input\": {\"transfer\": \"linear\", \"multiple\": 14,\n"
    "   \"size\": {\"preferred\": 518}},\n"
    " \"output\": {\"quantity\": \"disparity\", \"scale\": \"affine\"}}";

/* text with the first `what` replaced by `with`; the caller frees. */
static char *changed(const char *text, const char *what, const char *with)
{
    const char *at = strstr(text, what);

    if (!at)
        fail_msg("there is no %s to change", what);
    return dq_asprintf("%.*s%s%s", (int)(at - text), text, with,
                       at + strlen(what));
}

static struct dq_model *parse(const char *text)
{
    struct dq_err err = {0};
    struct dq_model *m = dq_model_parse(text, strlen(text), &err);

    if (!m)
        fail_msg("%s", err.text);
    return m;
}

/* The contract with a change is refused, and the message tells. */
static void refuses(const char *text, const char *what, const char *with,
                    const char *told)
{
    char *wrong = changed(text, what, with);
    struct dq_err err = {0};
    struct dq_model *m = dq_model_parse(wrong, strlen(wrong), &err);

    if (m)
        fail_msg("it took %s", with);
    assert_int_equal(err.code, DQ_MODEL);
    if (!strstr(err.text, told) || strncmp(err.text, "contract: ", 10) != 0)
        fail_msg("'%s' says nothing of '%s'", err.text, told);
    free(wrong);
}

static void assert_reals(const float *got, double a, double b, double c)
{
    assert_true(fabs((double)got[0] - a) < 1e-6);
    assert_true(fabs((double)got[1] - b) < 1e-6);
    if (!isnan(c))
        assert_true(fabs((double)got[2] - c) < 1e-6);
}

static void a_full_contract_is_read_key_by_key(void **state)
{
    struct dq_model *m = parse(full);

    (void)state;
    assert_string_equal(m->name, "fastdepth");
    assert_string_equal(m->version, "1.0.0");
    assert_string_equal(m->channels, "BGR");
    assert_int_equal(m->transfer, DQ_MODEL_SRGB);
    assert_reals(m->range, 0, 255, NAN);
    assert_reals(m->mean, 1, 2, 3);
    assert_reals(m->std, 4, 5, 6);
    assert_int_equal(m->multiple, 32);
    assert_int_equal(m->batch, 2);
    assert_int_equal(m->dtype, DQ_DTYPE_FLOAT16);
    assert_int_equal(m->preferred, 224);
    assert_int_equal(m->min, 64);
    assert_int_equal(m->max, 1024);
    assert_int_equal(m->fixed[0], 0);
    assert_int_equal(m->quantity, DQ_QUANTITY_DISTANCE);
    assert_int_equal(m->scale, DQ_SCALE_METRIC);
    assert_string_equal(m->unit, "m");
    assert_int_equal(m->layout, DQ_LAYOUT_NCHW);
    assert_int_equal(m->output_channels, 3);
    assert_int_equal(m->depth_channel, 1);
    assert_int_equal(m->sky_channel, 2);
    assert_string_equal(m->runtime, "other");
    assert_string_equal(m->precision, "half");
    assert_string_equal(m->licence, "MIT");
    assert_string_equal(m->source, "here");
    assert_string_equal(m->description, "x");
    dq_model_free(m);
}

static void what_is_left_out_has_its_default(void **state)
{
    struct dq_model *m = parse(least);

    (void)state;
    assert_string_equal(m->channels, "RGB");
    assert_int_equal(m->transfer, DQ_MODEL_LINEAR);
    assert_reals(m->range, 0, 1, NAN);
    assert_reals(m->mean, 0, 0, 0);
    assert_reals(m->std, 1, 1, 1);
    assert_int_equal(m->batch, 0);
    assert_int_equal(m->dtype, DQ_DTYPE_FLOAT32);
    assert_int_equal(m->min, 14);
    assert_int_equal(m->max, 16384);
    assert_int_equal(m->quantity, DQ_QUANTITY_DISPARITY);
    assert_int_equal(m->scale, DQ_SCALE_AFFINE);
    assert_string_equal(m->unit, "");
    assert_int_equal(m->output_channels, 1);
    assert_int_equal(m->depth_channel, 0);
    assert_int_equal(m->sky_channel, -1);
    assert_string_equal(m->runtime, "torchscript");
    dq_model_free(m);
}

static void a_fixed_size_is_height_then_width(void **state)
{
    char *text = changed(least, "\"preferred\": 518", "\"fixed\": [392, 518]");
    struct dq_model *m = parse(text);

    (void)state;
    assert_int_equal(m->fixed[0], 392);
    assert_int_equal(m->fixed[1], 518);
    assert_int_equal(m->min, 392);
    assert_int_equal(m->max, 518);
    dq_model_free(m);
    free(text);
}

static void unknown_keys_name_what_was_meant(void **state)
{
    (void)state;
    refuses(full, "\"licence\"", "\"license\"", "did you mean 'licence'");
    refuses(full, "\"channels\": \"BGR\"", "\"chanels\": \"BGR\"",
            "input: unknown key 'chanels' (did you mean 'channels'");
    refuses(full, "\"min\"", "\"nim\"", "input.size: unknown key 'nim'");
    refuses(full, "\"sky\"", "\"zzzzzzzzz\"", "output: unknown key");
    refuses(full, "\"input\"", "\"imput\"", "did you mean 'input'");
}

static void keys_that_must_be_there_are_missed(void **state)
{
    static const char *const keys[][2] = {
        {"\"depthq_model\": 1, ", "depthq_model: is missing"},
        {"\"name\": \"n\", ", "name: is missing"},
        {"\"transfer\": \"linear\", ", "input.transfer: is missing"},
        {"\"multiple\": 14,", "input.multiple: is missing"},
        {"\"preferred\": 518", "neither preferred nor fixed"},
        {"\"quantity\": \"disparity\", ", "output.quantity: is missing"},
        {", \"scale\": \"affine\"", "output.scale: is missing"},
        {",\n   \"size\": {\"preferred\": 518}", "input.size: is missing"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        refuses(least, keys[i][0], "", keys[i][1]);
    refuses(least,
            ",\n \"output\": {\"quantity\": \"disparity\", \"scale\": "
            "\"affine\"}",
            "", "output: is missing");
}

static void a_value_of_another_type_is_told(void **state)
{
    static const char *const wrong[][3] = {
        {"\"name\": \"fastdepth\"", "\"name\": 3", "name: is not a string"},
        {"\"multiple\": 32", "\"multiple\": 1.5", "is not a whole number"},
        {"\"multiple\": 32", "\"multiple\": \"8\"", "input.multiple"},
        {"[1, 2, 3]", "[1, 2]", "input.mean: is not a list of 3 numbers"},
        {"[1, 2, 3]", "[1, 2, \"3\"]", "is not a list of 3 numbers"},
        {"[1, 2, 3]", "7", "is not a list of 3 numbers"},
        {"\"batch\": 2", "\"batch\": \"many\"", "'many' is none of any"},
        {"\"batch\": 2", "\"batch\": 2.5", "input.batch: is not a whole"},
        {"\"srgb\"", "\"sRGB\"", "'sRGB' is none of srgb, linear"},
        {"\"srgb\"", "true", "input.transfer: is not a string"},
        {"{\"preferred\": 224, \"min\": 64, \"max\": 1024}", "518",
         "input.size: is not an object"},
        {"\"sky\": 2", "\"sky\": \"no\"", "output.sky"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        refuses(full, wrong[i][0], wrong[i][1], wrong[i][2]);
}

static void a_value_out_of_range_is_told(void **state)
{
    static const char *const wrong[][3] = {
        {"\"depthq_model\": 1", "\"depthq_model\": 2", "2 is outside 1 to 1"},
        {"\"multiple\": 32", "\"multiple\": 0", "0 is outside 1 to 1024"},
        {"\"batch\": 2", "\"batch\": 0", "0 is outside 1 to 1024"},
        {"\"max\": 1024", "\"max\": 999999999999", "input.size.max"},
        {"[4, 5, 6]", "[4, 0, 6]", "input.std: 0 is outside"},
        {"[4, 5, 6]", "[4, -1, 6]", "input.std: -1 is outside"},
        {"[1, 2, 3]", "[1, 1e9, 3]", "input.mean: 1e+09 is outside"},
        {"\"channels\": 3", "\"channels\": 65", "output.channels"},
        {"\"name\": \"fastdepth\"", "\"name\": \"\"", "name: is empty"},
        {"\"fastdepth\"", "\"../evil\"", "letters, digits"},
        {"\"fastdepth\"", "\".hidden\"", "begins with no '.'"},
        {"\"1.0.0\"", "\"1 0\"", "version: is made of letters"},
        {"\"unit\": \"m\"", "\"unit\": \"\\n\"", "control character"},
        {"\"unit\": \"m\"", "\"unit\": \"12345678901234567\"",
         "longer than 16 bytes"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        refuses(full, wrong[i][0], wrong[i][1], wrong[i][2]);
}

static void contradictions_are_refused(void **state)
{
    static const char *const wrong[][3] = {
        {"\"preferred\": 224", "\"fixed\": [224, 224]",
         "fixed goes without preferred"},
        {"\"preferred\": 224", "\"preferred\": 230",
         "230 is no multiple of 32"},
        {"\"min\": 64", "\"min\": 256", "not in order"},
        {"\"max\": 1024", "\"max\": 192", "not in order"},
        {"\"mean\": [1, 2, 3], ", "", "mean and std go together"},
        {" \"std\": [4, 5, 6],", "", "mean and std go together"},
        {"[0, 255]", "[255, 0]", "255 is not below 0"},
        {"[0, 255]", "[1, 1]", "1 is not below 1"},
        {" \"channels\": 3,", "", "output.depth: plane 1 is not among the 1"},
        {"\"sky\": 2", "\"sky\": 3", "output.sky: plane 3 is not among the 3"},
        {"\"sky\": 2", "\"sky\": 1", "depth and sky are both plane 1"},
        {"\"NCHW\"", "\"NHW\"", "NHW has no room for 3 planes"},
        {"\"NCHW\"", "\"CHW\"", "input.batch must be 1"},
        {"\"unit\": \"m\"", "\"unit\": \"km\"", "metric output is in m"},
        {"\"unit\": \"m\"", "\"unit\": \"1/m\"", "metric output is in m"},
        {"\"scale\": \"metric\"", "\"scale\": \"affine\"",
         "the scale is unknown"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        refuses(full, wrong[i][0], wrong[i][1], wrong[i][2]);
    refuses(least, "\"preferred\": 518", "\"fixed\": [518, 520]",
            "520 is no multiple of 14");
}

static void sky_needs_planes_to_stand_in(void **state)
{
    (void)state;
    refuses(least, "\"scale\": \"affine\"", "\"scale\": \"affine\", \"sky\": 1",
            "output.sky: plane 1 is not among the 1");
}

static void text_that_is_no_json_is_told_by_line(void **state)
{
    (void)state;
    refuses(full, "\"version\"", "version", "line 1");
    refuses(full, "\"x\"}", "\"x\"} more", "line 10");
    refuses(full, "\"name\": \"fastdepth\",",
            "\"name\": \"fastdepth\", \"name\": \"b\",", "duplicate");
}

static int same_digest(const char *a, const char *b)
{
    struct dq_model *x = parse(a), *y = parse(b);
    int same = strcmp(x->contract_sha256, y->contract_sha256) == 0;

    dq_model_free(x);
    dq_model_free(y);
    return same;
}

static void the_digest_is_of_what_the_contract_means(void **state)
{
    static const char *const equal[][2] = {
        {"\"MIT\"", "\"Apache-2.0\""},
        {"\"description\": \"x\"", "\"description\": \"y\""},
        {"\"half\"", "\"float\""},
        {"[0, 255]", "[0.0, 2.55e2]"},
        {"\"name\": \"fastdepth\", \"version\": \"1.0.0\"",
         "\"version\": \"1.0.0\", \"name\": \"fastdepth\""},
    };
    static const char *const other[][2] = {
        {"\"fastdepth\"", "\"fastdepth2\""}, {"\"BGR\"", "\"RGB\""},
        {"[1, 2, 3]", "[1, 2, 3.0001]"},     {"\"min\": 64", "\"min\": 96"},
        {"\"depth\": 1", "\"depth\": 0"},    {"\"float16\"", "\"bfloat16\""},
        {"\"other\"", "\"torchscript\""},
    };
    char *text;

    (void)state;
    for (size_t i = 0; i < sizeof equal / sizeof *equal; i++) {
        text = changed(full, equal[i][0], equal[i][1]);
        assert_true(same_digest(full, text));
        free(text);
    }
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        text = changed(full, other[i][0], other[i][1]);
        assert_false(same_digest(full, text));
        free(text);
    }
}

static void a_default_written_out_has_the_same_digest(void **state)
{
    char *text =
        changed(least, "\"preferred\": 518", "\"preferred\": 518, \"min\": 14");

    (void)state;
    assert_true(same_digest(least, text));
    free(text);
    text = changed(least, "\"affine\"", "\"affine\", \"sky\": null");
    assert_true(same_digest(least, text));
    free(text);
}

/* Another way to the digest: the canonical form written by hand. */
static void the_canonical_form_is_as_stated(void **state)
{
    static const char canonical[] =
        "depthq_model=1\nname=n\nversion=1\nruntime=torchscript\n"
        "input.channels=RGB\ninput.transfer=linear\ninput.range=0 1\n"
        "input.mean=0 0 0\ninput.std=1 1 1\ninput.multiple=14\n"
        "input.batch=0\ninput.dtype=float32\ninput.size.preferred=518\n"
        "input.size.min=14\ninput.size.max=16384\ninput.size.fixed=0 0\n"
        "output.quantity=disparity\noutput.scale=affine\noutput.unit=\n"
        "output.layout=NCHW\noutput.channels=1\noutput.depth=0\n"
        "output.sky=-1\n";
    struct dq_model *m = parse(least);
    char want[DQ_SHA256_HEX];

    (void)state;
    dq_sha256(canonical, sizeof canonical - 1, want);
    assert_string_equal(m->contract_sha256, want);
    dq_model_free(m);
}

static void every_row_of_the_table_is_sound(void **state)
{
    (void)state;
    for (size_t i = 0; i < dq_model_field_count; i++) {
        const struct dq_model_field *f = &dq_model_fields[i];
        int found = *f->object == '\0';

        for (size_t k = 0; k < dq_model_object_count; k++)
            found |= strcmp(f->object, dq_model_objects[k].path) == 0;
        assert_true(found);
        assert_true(f->doc[strlen(f->doc) - 1] == '.');
        assert_true(f->low <= f->high);
        if (f->fallback && *f->fallback) {
            json_t *value = json_loads(f->fallback, JSON_DECODE_ANY, NULL);
            struct dq_model m = {0};
            struct dq_err err = {0};

            assert_non_null(value);
            assert_int_equal(dq_model_value_read(f, value, &m, &err), 0);
            dq_model_value_free(f, &m);
            json_decref(value);
        }
    }
}

static void a_copy_owns_its_texts(void **state)
{
    struct dq_model *m = parse(least), *copy = dq_model_copy(m);

    (void)state;
    assert_ptr_not_equal(copy->name, m->name);
    m->name[0] ^= 1;
    dq_model_free(m);
    m = parse(least);
    assert_string_equal(copy->name, m->name);
    assert_string_equal(copy->contract_sha256, m->contract_sha256);
    assert_int_equal(copy->multiple, m->multiple);
    assert_null(copy->path);
    dq_model_free(copy);
    dq_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_contract_is_read_key_by_key),
        cmocka_unit_test(what_is_left_out_has_its_default),
        cmocka_unit_test(a_fixed_size_is_height_then_width),
        cmocka_unit_test(unknown_keys_name_what_was_meant),
        cmocka_unit_test(keys_that_must_be_there_are_missed),
        cmocka_unit_test(a_value_of_another_type_is_told),
        cmocka_unit_test(a_value_out_of_range_is_told),
        cmocka_unit_test(contradictions_are_refused),
        cmocka_unit_test(sky_needs_planes_to_stand_in),
        cmocka_unit_test(text_that_is_no_json_is_told_by_line),
        cmocka_unit_test(the_digest_is_of_what_the_contract_means),
        cmocka_unit_test(a_default_written_out_has_the_same_digest),
        cmocka_unit_test(the_canonical_form_is_as_stated),
        cmocka_unit_test(every_row_of_the_table_is_sound),
        cmocka_unit_test(a_copy_owns_its_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
