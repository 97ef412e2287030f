#include "infer/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

enum { CONTRACT_LIMIT = 256 * 1024, LARGEST_SIDE = 16384 };

/* ---- known keys ---------------------------------------------------------- */

static const struct {
    const char *object, *key;
    int required;
} keys[] = {
#define DQ_KEY(in_object, name, kind, is_required, doc) \
    {in_object, name, is_required},
#include "infer/model_fields.def"
#undef DQ_KEY
};
enum { KEYS = sizeof keys / sizeof *keys };

static int unknown_key(const char *object, const char *key, struct dq_err *err)
{
    const char *known[KEYS], *near;
    size_t count = 0;

    for (size_t i = 0; i < KEYS; i++)
        if (strcmp(keys[i].object, object) == 0)
            known[count++] = keys[i].key;
    near = dq_text_nearest(key, known, count);
    return dq_fail(err, DQ_MODEL, "%s%sunknown key '%.60s'%s%s%s", object,
                   *object ? ": " : "", key, near ? " (did you mean '" : "",
                   near ? near : "", near ? "'?)" : "");
}

static int is_known(const char *object, const char *key)
{
    for (size_t i = 0; i < KEYS; i++)
        if (strcmp(keys[i].object, object) == 0 &&
            strcmp(keys[i].key, key) == 0)
            return 1;
    return 0;
}

/* An object with no key that we do not know, and all that it must have. */
static int check_keys(const json_t *from, const char *object,
                      struct dq_err *err)
{
    const char *key;
    json_t *value;

    if (!json_is_object(from))
        return dq_fail(err, DQ_MODEL, "%s: is not an object",
                       *object ? object : "the contract");
    json_object_foreach ((json_t *)(uintptr_t)from, key, value)
        if (!is_known(object, key))
            return unknown_key(object, key, err);
    for (size_t i = 0; i < KEYS; i++)
        if (keys[i].required && strcmp(keys[i].object, object) == 0 &&
            !json_object_get(from, keys[i].key))
            return dq_fail(err, DQ_MODEL, "%s%s%s: is missing", object,
                           *object ? "." : "", keys[i].key);
    return DQ_OK;
}

/* ---- values -------------------------------------------------------------- */

static char *text_of(const json_t *from, const char *key, const char *otherwise,
                     struct dq_err *err)
{
    const char *text = otherwise;

    if (json_object_get(from, key))
        text = dq_json_string(from, key, DQ_MODEL, err);
    if (text && strlen(text) > 2000) {
        dq_fail(err, DQ_MODEL, "%s: is longer than 2,000 bytes", key);
        text = NULL;
    }
    return dq_strdup(text);
}

/* One of a few words; its place in the list. */
static int word_of(const json_t *from, const char *key,
                   const char *const *words, int *value, struct dq_err *err)
{
    const char *text;

    if (!json_object_get(from, key))
        return DQ_OK; /* the default is there already */
    text = dq_json_string(from, key, DQ_MODEL, err);
    if (!text)
        return DQ_MODEL;
    for (int i = 0; words[i]; i++)
        if (strcmp(text, words[i]) == 0) {
            *value = i;
            return DQ_OK;
        }
    return dq_fail(err, DQ_MODEL, "%s: '%.40s' is none of %s, %s%s%s", key,
                   text, words[0], words[1], words[2] ? ", " : "",
                   words[2] ? words[2] : "");
}

static int int_of(const json_t *from, const char *key, int low, int high,
                  int *value, struct dq_err *err)
{
    int64_t number = *value;

    if (json_object_get(from, key) &&
        dq_json_int(from, key, low, high, &number, DQ_MODEL, err))
        return DQ_MODEL;
    *value = (int)number;
    return DQ_OK;
}

static int reals_of(const json_t *from, const char *key, size_t count,
                    float *values, struct dq_err *err)
{
    const json_t *list = json_object_get(from, key);

    if (!list)
        return DQ_OK;
    if (json_array_size(list) != count)
        return dq_fail(err, DQ_MODEL, "%s: is not a list of %zu numbers", key,
                       count);
    for (size_t i = 0; i < count; i++) {
        const json_t *number = json_array_get(list, i);

        if (!json_is_number(number) || !(fabs(json_number_value(number)) < 1e6))
            return dq_fail(err, DQ_MODEL, "%s: is not a list of %zu numbers",
                           key, count);
        values[i] = (float)json_number_value(number);
    }
    return DQ_OK;
}

/* ---- objects ------------------------------------------------------------- */

static int read_fixed(const json_t *size, struct dq_model *m,
                      struct dq_err *err)
{
    float sides[2] = {0};

    if (json_object_size(size) != 1)
        return dq_fail(err, DQ_MODEL,
                       "fixed: goes without preferred, min and max");
    if (reals_of(size, "fixed", 2, sides, err))
        return DQ_MODEL;
    for (int i = 0; i < 2; i++) {
        m->fixed[i] = (int)sides[i];
        if (m->fixed[i] < 1 || m->fixed[i] > LARGEST_SIDE ||
            sides[i] > (float)m->fixed[i])
            return dq_fail(err, DQ_MODEL, "fixed: %g is no side",
                           (double)sides[i]);
        if (m->fixed[i] % m->multiple)
            return dq_fail(err, DQ_MODEL,
                           "fixed: %d is no multiple of %d (input.multiple)",
                           m->fixed[i], m->multiple);
    }
    m->min = m->fixed[0] < m->fixed[1] ? m->fixed[0] : m->fixed[1];
    m->max = m->fixed[0] > m->fixed[1] ? m->fixed[0] : m->fixed[1];
    m->preferred = m->min;
    return DQ_OK;
}

static int read_size(const json_t *size, struct dq_model *m, struct dq_err *err)
{
    if (check_keys(size, "input.size", err))
        return DQ_MODEL;
    if (json_object_get(size, "fixed"))
        return read_fixed(size, m, err);
    if (!json_object_get(size, "preferred"))
        return dq_fail(err, DQ_MODEL, "input.size.preferred: is missing");
    if (int_of(size, "preferred", 1, LARGEST_SIDE, &m->preferred, err))
        return DQ_MODEL;
    m->min = m->multiple;
    m->max = LARGEST_SIDE;
    if (int_of(size, "min", 1, LARGEST_SIDE, &m->min, err) ||
        int_of(size, "max", 1, LARGEST_SIDE, &m->max, err))
        return DQ_MODEL;
    if (m->min > m->preferred || m->preferred > m->max)
        return dq_fail(err, DQ_MODEL,
                       "input.size: min %d, preferred %d, max %d are not in "
                       "order",
                       m->min, m->preferred, m->max);
    if (m->preferred % m->multiple)
        return dq_fail(err, DQ_MODEL,
                       "input.size.preferred: %d is no multiple of %d "
                       "(input.multiple)",
                       m->preferred, m->multiple);
    return DQ_OK;
}

static int read_batch(const json_t *input, struct dq_model *m,
                      struct dq_err *err)
{
    const json_t *batch = json_object_get(input, "batch");
    const char *word = json_string_value(batch);

    if (!batch || (word && strcmp(word, "any") == 0))
        return DQ_OK;
    if (!json_is_integer(batch))
        return dq_fail(err, DQ_MODEL, "batch: is neither any nor a number");
    return int_of(input, "batch", 1, 1024, &m->batch, err);
}

static int read_normalising(const json_t *input, struct dq_model *m,
                            struct dq_err *err)
{
    int has_mean = json_object_get(input, "mean") != NULL;
    int has_std = json_object_get(input, "std") != NULL;

    if (has_mean != has_std)
        return dq_fail(err, DQ_MODEL,
                       "mean and std: one is there without the other");
    if (reals_of(input, "range", 2, m->range, err) ||
        reals_of(input, "mean", 3, m->mean, err) ||
        reals_of(input, "std", 3, m->std, err))
        return DQ_MODEL;
    if (!(m->range[0] < m->range[1]))
        return dq_fail(err, DQ_MODEL, "range: %g is not below %g",
                       (double)m->range[0], (double)m->range[1]);
    for (int i = 0; i < 3; i++)
        if (!(m->std[i] > 0))
            return dq_fail(err, DQ_MODEL, "std: %g is not above 0",
                           (double)m->std[i]);
    return DQ_OK;
}

static int read_input(const json_t *input, struct dq_model *m,
                      struct dq_err *err)
{
    static const char *const channels[] = {"RGB", "BGR", NULL};
    static const char *const transfers[] = {"srgb", "linear", NULL};
    static const char *const dtypes[] = {"float32", "float16", "bfloat16",
                                         NULL};
    int order = 0, transfer = 0, dtype = 0;

    if (check_keys(input, "input", err))
        return DQ_MODEL;
    if (word_of(input, "channels", channels, &order, err) ||
        word_of(input, "transfer", transfers, &transfer, err) ||
        word_of(input, "dtype", dtypes, &dtype, err) ||
        int_of(input, "multiple", 1, 1024, &m->multiple, err) ||
        read_normalising(input, m, err) || read_batch(input, m, err) ||
        read_size(json_object_get(input, "size"), m, err))
        return dq_because(err, "input");
    snprintf(m->channels, sizeof m->channels, "%s", channels[order]);
    m->transfer = (enum dq_model_transfer)transfer;
    m->dtype = (enum dq_model_dtype)dtype;
    return DQ_OK;
}

static int check_planes(struct dq_model *m, struct dq_err *err)
{
    if (m->depth_channel >= m->output_channels ||
        m->sky_channel >= m->output_channels)
        return dq_fail(err, DQ_MODEL,
                       "depth and sky must be planes below channels (%d)",
                       m->output_channels);
    if (m->depth_channel == m->sky_channel)
        return dq_fail(err, DQ_MODEL, "depth and sky are the same plane");
    if (m->layout != DQ_LAYOUT_NCHW && m->output_channels != 1 &&
        m->layout == DQ_LAYOUT_NHW)
        return dq_fail(err, DQ_MODEL, "layout NHW has no room for %d planes",
                       m->output_channels);
    if (m->layout == DQ_LAYOUT_CHW && m->batch != 1)
        return dq_fail(err, DQ_MODEL,
                       "layout CHW has no batch: input.batch must be 1");
    if (m->scale == DQ_SCALE_METRIC && strcmp(m->unit, "m") != 0)
        return dq_fail(err, DQ_MODEL, "unit: metric output is in m");
    return DQ_OK;
}

static int read_output(const json_t *output, struct dq_model *m,
                       struct dq_err *err)
{
    static const char *const quantities[] = {"disparity", "distance", NULL};
    static const char *const scales[] = {"affine", "scale", "metric", NULL};
    static const char *const layouts[] = {"NCHW", "NHW", "CHW", NULL};
    int quantity = 0, scale = 0, layout = 0;

    if (check_keys(output, "output", err))
        return DQ_MODEL;
    m->unit = text_of(output, "unit", "", err);
    if (!m->unit || word_of(output, "quantity", quantities, &quantity, err) ||
        word_of(output, "scale", scales, &scale, err) ||
        word_of(output, "layout", layouts, &layout, err) ||
        int_of(output, "channels", 1, 64, &m->output_channels, err) ||
        int_of(output, "depth", 0, 63, &m->depth_channel, err) ||
        int_of(output, "sky", 0, 63, &m->sky_channel, err))
        return dq_because(err, "output");
    m->quantity = (enum dq_model_quantity)quantity;
    m->scale = (enum dq_model_scale)scale;
    m->layout = (enum dq_model_layout)layout;
    if (check_planes(m, err))
        return dq_because(err, "output");
    return DQ_OK;
}

static int is_name(const char *text)
{
    size_t n = strlen(text);

    return n > 0 && n <= 100 && text[0] != '.' &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                        "0123456789._-+") == n;
}

static int read_top(const json_t *all, struct dq_model *m, struct dq_err *err)
{
    int format = 1;

    if (check_keys(all, "", err) ||
        int_of(all, "depthq_model", 1, 1, &format, err))
        return DQ_MODEL;
    m->name = text_of(all, "name", NULL, err);
    m->version = text_of(all, "version", NULL, err);
    m->runtime = text_of(all, "runtime", "torchscript", err);
    m->licence = text_of(all, "licence", "", err);
    m->source = text_of(all, "source", "", err);
    m->description = text_of(all, "description", "", err);
    if (err->code)
        return err->code;
    if (!is_name(m->name) || !is_name(m->version))
        return dq_fail(err, DQ_MODEL,
                       "name and version are made of letters, digits and "
                       ". _ - +");
    if (read_input(json_object_get(all, "input"), m, err))
        return DQ_MODEL;
    return read_output(json_object_get(all, "output"), m, err);
}

/* ---- the whole ----------------------------------------------------------- */

/* The canonical form: keys sorted, no blanks, so that a contract that only
 * looks different has the same digest. */
static void digest_contract(const json_t *all, struct dq_model *m)
{
    char *text = json_dumps(all, JSON_SORT_KEYS | JSON_COMPACT |
                                     JSON_REAL_PRECISION(17));

    if (!text)
        abort();
    dq_sha256(text, strlen(text), m->contract_sha256);
    free(text);
}

struct dq_model *dq_model_parse(const char *json, size_t bytes,
                                struct dq_err *err)
{
    struct dq_err own = {0};
    json_t *all = dq_json_parse(json, bytes, CONTRACT_LIMIT, DQ_MODEL, &own);
    struct dq_model *m = dq_new(sizeof *m);

    m->range[1] = 1;
    for (int i = 0; i < 3; i++)
        m->std[i] = 1;
    m->output_channels = 1;
    m->sky_channel = -1;
    if (all && !read_top(all, m, &own))
        digest_contract(all, m);
    json_decref(all);
    if (own.code) {
        dq_because(&own, "contract");
        if (err)
            *err = own;
        dq_model_free(m);
        return NULL;
    }
    return m;
}

void dq_model_free(struct dq_model *m)
{
    if (!m)
        return;
    free(m->name);
    free(m->version);
    free(m->unit);
    free(m->runtime);
    free(m->licence);
    free(m->source);
    free(m->description);
    free(m->path);
    free(m);
}

/* ---- from an artefact ---------------------------------------------------- */

struct dq_model *dq_model_read(const char *path, const char *want_sha256,
                               struct dq_bytes *bytes, struct dq_err *err)
{
    const size_t limit = (size_t)16 << 30;
    char sha256[DQ_SHA256_HEX];
    struct dq_model *m;
    char *json = NULL;
    size_t count = 0;

    if (dq_bytes_read_file(bytes, path, limit, DQ_MODEL, err))
        return NULL;
    dq_sha256(bytes->data, bytes->count, sha256);
    if (want_sha256 && strcmp(want_sha256, sha256) != 0) {
        dq_fail(err, DQ_MODEL,
                "%s: has SHA-256 %.12s..., the library says %.12s...; the "
                "file was altered or cut: fetch it again",
                path, sha256, want_sha256);
        return NULL;
    }
    if (dq_model_contract(path, bytes->data, bytes->count, &json, &count, err))
        return NULL;
    m = dq_model_parse(json, count, err);
    free(json);
    if (!m) {
        dq_because(err, "%s", path);
        return NULL;
    }
    memcpy(m->sha256, sha256, sizeof sha256);
    m->path = dq_strdup(path);
    return m;
}
