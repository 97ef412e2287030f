/* A job as canonical text: one form for one value, whatever way it was
 * written. */
#include "jobs/spec_fields.h"

#include <stdlib.h>
#include <string.h>

static const void *member(const struct dq_field *field,
                          const struct dq_spec *spec)
{
    return (const char *)spec + field->offset;
}

static int get_int(const struct dq_field *field, const struct dq_spec *spec)
{
    int value;

    memcpy(&value, member(field, spec), sizeof value);
    return value;
}

static void print_integer(const struct dq_field *field,
                          const struct dq_spec *spec, struct dq_bytes *out)
{
    dq_bytes_printf(out, "%d", get_int(field, spec));
}

static void print_flag(const struct dq_field *field, const struct dq_spec *spec,
                       struct dq_bytes *out)
{
    dq_bytes_text(out, get_int(field, spec) ? "true" : "false");
}

static void print_count(const struct dq_field *field,
                        const struct dq_spec *spec, struct dq_bytes *out)
{
    for (const struct dq_choice *c = field->choices; c->word; c++)
        if (c->value == get_int(field, spec)) {
            dq_bytes_text(out, c->word);
            return;
        }
    print_integer(field, spec, out);
}

static void print_real(const struct dq_field *field, const struct dq_spec *spec,
                       struct dq_bytes *out)
{
    double number;

    memcpy(&number, member(field, spec), sizeof number);
    if (number != 0 || *field->fallback)
        dq_bytes_printf(out, "%.17g", number);
}

static void print_exposure(const struct dq_field *field,
                           const struct dq_spec *spec, struct dq_bytes *out)
{
    if (spec->input.exposure_auto)
        dq_bytes_text(out, field->choices->word);
    else
        print_real(field, spec, out);
}

static void print_text(const struct dq_field *field, const struct dq_spec *spec,
                       struct dq_bytes *out)
{
    char *text;

    memcpy(&text, member(field, spec), sizeof text);
    if (text)
        dq_bytes_text(out, text);
}

static void print_sequence(const struct dq_field *field,
                           const struct dq_spec *spec, struct dq_bytes *out)
{
    const struct dq_sequence *sequence = member(field, spec);
    char *text = sequence->prefix ? dq_sequence_text(sequence) : NULL;

    if (text)
        dq_bytes_text(out, text);
    free(text);
}

static void print_range(const struct dq_field *field,
                        const struct dq_spec *spec, struct dq_bytes *out)
{
    const struct dq_range *range = member(field, spec);
    char *text = range->count ? dq_range_text(range) : NULL;

    if (text)
        dq_bytes_text(out, text);
    free(text);
}

typedef void print_fn(const struct dq_field *field, const struct dq_spec *spec,
                      struct dq_bytes *out);

static print_fn *const printers[DQ_VALUE_TYPES] = {
    [DQ_VALUE_FORMAT] = print_integer,    [DQ_VALUE_NAME] = print_text,
    [DQ_VALUE_TEXT] = print_text,         [DQ_VALUE_SEQUENCE] = print_sequence,
    [DQ_VALUE_RANGE] = print_range,       [DQ_VALUE_INTEGER] = print_integer,
    [DQ_VALUE_REAL] = print_real,         [DQ_VALUE_FLAG] = print_flag,
    [DQ_VALUE_CHOICE] = print_count,      [DQ_VALUE_COUNT] = print_count,
    [DQ_VALUE_EXPOSURE] = print_exposure,
};

void dq_value_print(const struct dq_field *field, const struct dq_spec *spec,
                    struct dq_bytes *out)
{
    printers[field->type](field, spec, out);
}

/* Fields that decide pixels; of one section, or of all (NULL). */
static char *pixels_of(const struct dq_spec *spec, const char *section)
{
    struct dq_bytes out = {0};
    char name[DQ_FIELD_ROOM];

    for (int i = 0; i < DQ_FIELDS; i++) {
        if (!dq_fields[i].pixels ||
            (section && strcmp(dq_fields[i].section, section) != 0))
            continue;
        dq_field_name(&dq_fields[i], name);
        dq_bytes_printf(&out, "%s=", name);
        dq_value_print(&dq_fields[i], spec, &out);
        dq_bytes_text(&out, "\n");
    }
    return out.data;
}

char *dq_spec_pixels_text(const struct dq_spec *spec)
{
    return pixels_of(spec, NULL);
}

char *dq_spec_input_text(const struct dq_spec *spec)
{
    return pixels_of(spec, "input");
}
