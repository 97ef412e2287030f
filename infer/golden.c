#include "infer/golden.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "infer/archive.h"

enum { FORMAT = 1, HEAD_LIMIT = 4096, MEMBERS = 1 << 28 };

float dq_golden_of_half(unsigned half)
{
    int exponent = (int)(half >> 10) & 31;
    double fraction = (double)(half & 1023) / 1024;
    double value = exponent == 0 ? ldexp(fraction, -14)
                   : exponent < 31
                       ? ldexp(1 + fraction, exponent - 15)
                       : (fraction > 0 ? (double)NAN : (double)INFINITY);

    return (float)(half & 0x8000 ? -value : value);
}

void dq_golden_free(struct dq_golden *golden)
{
    free(golden->picture);
    free(golden->answer);
    memset(golden, 0, sizeof *golden);
}

/* Numbers of an axis list, multiplied; 0: it is none. */
static size_t product(const json_t *axes)
{
    size_t all = 1, i;
    const json_t *axis;

    json_array_foreach (axes, i, axis) {
        json_int_t side = json_integer_value(axis);

        if (side < 1 || side > MEMBERS || (size_t)side > MEMBERS / all)
            return 0;
        all *= (size_t)side;
    }
    return json_array_size(axes) ? all : 0;
}

static int side(const json_t *axes, size_t i)
{
    return (int)json_integer_value(json_array_get(axes, i));
}

/* Shapes of the head against the contract. */
static int take_head(const struct dq_model *model, const json_t *head,
                     struct dq_golden *g, struct dq_err *err)
{
    const json_t *input = json_object_get(head, "input");
    int64_t format = 0;

    if (dq_json_int(head, "depthq_golden", FORMAT, FORMAT, &format, DQ_MODEL,
                    err) ||
        dq_json_double(head, "bound", &g->bound, DQ_MODEL, err))
        return err->code;
    g->batch = side(input, 0);
    g->height = side(input, 2);
    g->width = side(input, 3);
    if (json_array_size(input) != 4 || !product(input) || side(input, 1) != 3 ||
        g->height % model->multiple || g->width % model->multiple ||
        product(json_object_get(head, "answer")) !=
            product(input) / 3 * (size_t)model->output_channels)
        return dq_fail(err, DQ_MODEL, "is not of the contract's shape");
    return DQ_OK;
}

/* Little-endian numbers, wherever they lie. */
static void take_numbers(const unsigned char *from, size_t pictures,
                         size_t answers, struct dq_golden *g)
{
    g->picture = dq_new_array(pictures, sizeof *g->picture);
    g->answer = dq_new_array(answers, sizeof *g->answer);
    for (size_t i = 0; i < pictures; i++, from += 2)
        g->picture[i] = dq_golden_of_half(from[0] | (unsigned)from[1] << 8);
    for (size_t i = 0; i < answers; i++, from += 4) {
        uint32_t bits = from[0] | (uint32_t)from[1] << 8 |
                        (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;

        memcpy(&g->answer[i], &bits, sizeof bits);
    }
}

static int parse(const struct dq_model *model, const char *data, size_t size,
                 struct dq_golden *g, struct dq_err *err)
{
    const char *end = memchr(data, '\n', size < HEAD_LIMIT ? size : HEAD_LIMIT);
    size_t line = end ? (size_t)(end - data) : 0, pictures, answers;
    json_t *head;

    if (!end)
        return dq_fail(err, DQ_MODEL, "has no head");
    head = dq_json_parse(data, line, HEAD_LIMIT, DQ_MODEL, err);
    if (head && !take_head(model, head, g, err)) {
        pictures = product(json_object_get(head, "input"));
        answers = product(json_object_get(head, "answer"));
        if (size - line - 1 != 2 * pictures + 4 * answers)
            dq_fail(err, DQ_MODEL, "is cut short");
        else
            take_numbers((const unsigned char *)end + 1, pictures, answers, g);
    }
    json_decref(head);
    return err->code;
}

/* torch reads a package's extra files as text: there the tile lies beside
 * them. */
static const char *path_of(const struct dq_model *model)
{
    return strcmp(model->runtime, "aoti") == 0 ? "depthq/depthq-golden.bin"
                                               : "extra/depthq-golden.bin";
}

int dq_golden_read(const struct dq_model *model, const void *bytes,
                   size_t count, struct dq_golden *golden, struct dq_err *err)
{
    const char *data = NULL;
    size_t size = 0;

    memset(golden, 0, sizeof *golden);
    if (!dq_archive_is(bytes, count) || /* a fake network */
        dq_archive_find(bytes, count, path_of(model), &data, &size, err) ||
        !data)
        return err->code;
    if (parse(model, data, size, golden, err))
        dq_because(err, "the golden tile");
    return err->code;
}
