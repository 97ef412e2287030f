/* The JSON Schema (draft-07) of a job file, for editors: a text that YAML
 * would read as a number needs no quotes here either. What binds several
 * keys is left to `depthq validate`. */
#include "jobs/spec_fields.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void set(json_t *object, const char *key, json_t *value)
{
    json_object_set_new(object, key, value);
}

/* A whole value as an integer, else as a real. */
static json_t *number_json(double value)
{
    if (value == (double)(json_int_t)value)
        return json_integer((json_int_t)value);
    return json_real(value);
}

/* ---- by type -------------------------------------------------------------*/

static void add_bounds(json_t *schema, const struct dq_field *field)
{
    set(schema, "minimum", number_json(field->low));
    set(schema, "maximum", number_json(field->high));
}

static void add_words(json_t *schema, const struct dq_field *field)
{
    json_t *words = json_array();

    for (const struct dq_choice *c = field->choices; c->word; c++)
        json_array_append_new(words, json_string(c->word));
    set(schema, "enum", words);
}

static void describe_number(json_t *schema, const struct dq_field *field)
{
    set(schema, "type",
        json_string(field->type == DQ_VALUE_REAL ? "number" : "integer"));
    add_bounds(schema, field);
}

/* A word, or a number within bounds. */
static void describe_either(json_t *schema, const struct dq_field *field)
{
    json_t *word = json_object(), *number = json_object();

    add_words(word, field);
    set(number, "type",
        json_string(field->type == DQ_VALUE_COUNT ? "integer" : "number"));
    add_bounds(number, field);
    set(schema, "anyOf", json_pack("[o,o]", word, number));
}

static void describe_flag(json_t *schema, const struct dq_field *field)
{
    (void)field;
    set(schema, "type", json_string("boolean"));
}

static void describe_text(json_t *schema, const struct dq_field *field)
{
    set(schema, "type", json_pack("[s,s]", "string", "number"));
    set(schema, "minLength", number_json(field->low));
    set(schema, "maxLength", number_json(field->high));
}

static void describe_name(json_t *schema, const struct dq_field *field)
{
    describe_text(schema, field);
    set(schema, "pattern", json_string("^[A-Za-z0-9._-]+$"));
}

static void describe_format(json_t *schema, const struct dq_field *field)
{
    set(schema, "const", number_json(field->high));
}

typedef void describe_fn(json_t *schema, const struct dq_field *field);

static describe_fn *const describers[DQ_VALUE_TYPES] = {
    [DQ_VALUE_FORMAT] = describe_format,   [DQ_VALUE_NAME] = describe_name,
    [DQ_VALUE_TEXT] = describe_text,       [DQ_VALUE_SEQUENCE] = describe_text,
    [DQ_VALUE_RANGE] = describe_text,      [DQ_VALUE_INTEGER] = describe_number,
    [DQ_VALUE_REAL] = describe_number,     [DQ_VALUE_FLAG] = describe_flag,
    [DQ_VALUE_CHOICE] = add_words,         [DQ_VALUE_COUNT] = describe_either,
    [DQ_VALUE_EXPOSURE] = describe_either,
};

/* ---- the whole -----------------------------------------------------------*/

static json_t *default_json(const struct dq_field *field)
{
    char *end = NULL;
    double number = strtod(field->fallback, &end);

    if (field->type == DQ_VALUE_FLAG)
        return json_boolean(strcmp(field->fallback, "true") == 0);
    return *end ? json_string(field->fallback) : number_json(number);
}

static json_t *field_schema(const struct dq_field *field)
{
    json_t *schema = json_object();

    set(schema, "description", json_string(field->doc));
    describers[field->type](schema, field);
    if (field->fallback && *field->fallback)
        set(schema, "default", default_json(field));
    return schema;
}

/* An object with exactly the keys of a section. */
static json_t *object_schema(const char *section)
{
    json_t *all = json_object(), *properties = json_object();
    json_t *required = json_array();

    set(all, "type", json_string("object"));
    for (int i = 0; i < DQ_FIELDS; i++) {
        const struct dq_field *field = &dq_fields[i];

        if (strcmp(field->section, section) != 0)
            continue;
        set(properties, field->key, field_schema(field));
        if (!field->fallback)
            json_array_append_new(required, json_string(field->key));
    }
    set(all, "properties", properties);
    if (json_array_size(required))
        json_object_set(all, "required", required);
    json_decref(required);
    set(all, "additionalProperties", json_false());
    return all;
}

static void add_section(json_t *top, const struct dq_section *section)
{
    json_t *schema = object_schema(section->key);

    set(schema, "description", json_string(section->doc));
    if (json_object_get(schema, "required"))
        json_array_append_new(json_object_get(top, "required"),
                              json_string(section->key));
    set(json_object_get(top, "properties"), section->key, schema);
}

char *dq_spec_schema(void)
{
    json_t *all = json_object(), *top = object_schema("");
    char *text, *lines;

    set(all, "$schema", json_string("http://json-schema.org/draft-07/schema#"));
    set(all, "title", json_string("depthq job file"));
    for (size_t i = 0; i < dq_section_count; i++)
        if (*dq_sections[i].key)
            add_section(top, &dq_sections[i]);
    json_object_update(all, top);
    json_decref(top);
    text = json_dumps(all, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
    lines = dq_asprintf("%s\n", text);
    free(text);
    json_decref(all);
    return lines;
}
