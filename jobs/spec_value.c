/* How the text of a job file becomes values, by the declared type. Numbers
 * are written as in JSON and never quoted, words may be; nothing is guessed.
 */
#include "jobs/spec_fields.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { FORMAT = 1, MAX_WORDS = 16 };

static_assert(sizeof(enum dq_spec_mode) == sizeof(int),
              "choices are stored as int");

static void *member(const struct dq_field *field, struct dq_spec *spec)
{
    return (char *)spec + field->offset;
}

static void set_int(const struct dq_field *field, struct dq_spec *spec,
                    int value)
{
    memcpy(member(field, spec), &value, sizeof value);
}

/* ---- words ---------------------------------------------------------------*/

static const struct dq_choice *find_choice(const struct dq_choice *choices,
                                           const char *word)
{
    for (; choices->word; choices++)
        if (strcmp(choices->word, word) == 0)
            return choices;
    return NULL;
}

static int no_choice(const struct dq_field *field, const char *text,
                     struct dq_err *err)
{
    const char *words[MAX_WORDS];
    struct dq_bytes list = {0};
    const char *near;
    size_t count = 0;

    for (const struct dq_choice *c = field->choices; c->word; c++) {
        assert(count < MAX_WORDS);
        dq_bytes_printf(&list, "%s%s", count ? ", " : "", c->word);
        words[count++] = c->word;
    }
    near = dq_text_nearest(text, words, count);
    dq_fail(err, DQ_SPEC, "'%.80s' is none of %s%s%s%s", text, list.data,
            near ? " (did you mean '" : "", near ? near : "",
            near ? "'?)" : "");
    dq_bytes_free(&list);
    return DQ_SPEC;
}

static int read_choice(const struct dq_field *field,
                       const struct dq_yaml *value, struct dq_spec *spec,
                       struct dq_err *err)
{
    const struct dq_choice *choice = find_choice(field->choices, value->text);

    if (!choice)
        return no_choice(field, value->text, err);
    set_int(field, spec, choice->value);
    return DQ_OK;
}

static int read_flag(const struct dq_field *field, const struct dq_yaml *value,
                     struct dq_spec *spec, struct dq_err *err)
{
    int yes = strcmp(value->text, "true") == 0;

    if (value->quoted)
        return dq_fail(err, DQ_SPEC,
                       "is a text in quotes; write true or false without");
    if (!yes && strcmp(value->text, "false") != 0)
        return dq_fail(err, DQ_SPEC, "'%.80s' is neither true nor false",
                       value->text);
    set_int(field, spec, yes);
    return DQ_OK;
}

/* ---- numbers -------------------------------------------------------------*/

/* Past a JSON number's digits, point and exponent; whole stops before the
 * point. NULL: it does not begin like a number. */
static const char *skip_number(const char *p, int whole)
{
    p += *p == '-';
    if (!isdigit((unsigned char)*p) ||
        (*p == '0' && isdigit((unsigned char)p[1])))
        return NULL;
    p += strspn(p, "0123456789");
    if (!whole && *p == '.' && isdigit((unsigned char)p[1]))
        p += 1 + strspn(p + 1, "0123456789");
    if (!whole && (*p == 'e' || *p == 'E')) {
        p += 1 + (p[1] == '+' || p[1] == '-');
        if (!isdigit((unsigned char)*p))
            return NULL;
        p += strspn(p, "0123456789");
    }
    return p;
}

static int is_number(const char *text, int whole)
{
    const char *end = skip_number(text, whole);

    return end && !*end;
}

static int out_of_range(const struct dq_field *field, const char *text,
                        struct dq_err *err)
{
    return dq_fail(err, DQ_SPEC, "%.80s is not between %.10g and %.10g", text,
                   field->low, field->high);
}

static int check_number(const struct dq_field *field,
                        const struct dq_yaml *value, int whole,
                        struct dq_err *err)
{
    const char *or_word = field->choices ? field->choices->word : NULL;

    if (value->quoted && is_number(value->text, 0))
        return dq_fail(err, DQ_SPEC,
                       "is a text in quotes; write %.80s without them",
                       value->text);
    if (!value->quoted && is_number(value->text, whole))
        return DQ_OK;
    return dq_fail(err, DQ_SPEC, "'%.80s' is not a %snumber such as %s%s%s",
                   value->text, whole ? "whole " : "", whole ? "8" : "0.5",
                   or_word ? ", nor " : "", or_word ? or_word : "");
}

static int read_integer(const struct dq_field *field,
                        const struct dq_yaml *value, struct dq_spec *spec,
                        struct dq_err *err)
{
    long number = 0;

    if (check_number(field, value, 1, err))
        return err->code;
    if (dq_text_long(value->text, &number) || (double)number < field->low ||
        (double)number > field->high)
        return out_of_range(field, value->text, err);
    set_int(field, spec, (int)number);
    return DQ_OK;
}

static int read_count(const struct dq_field *field, const struct dq_yaml *value,
                      struct dq_spec *spec, struct dq_err *err)
{
    const struct dq_choice *choice = find_choice(field->choices, value->text);

    if (!choice)
        return read_integer(field, value, spec, err);
    set_int(field, spec, choice->value);
    return DQ_OK;
}

static int read_real(const struct dq_field *field, const struct dq_yaml *value,
                     struct dq_spec *spec, struct dq_err *err)
{
    double number = 0;

    if (check_number(field, value, 0, err))
        return err->code;
    if (dq_text_double(value->text, &number) ||
        !(number >= field->low && number <= field->high))
        return out_of_range(field, value->text, err);
    number += 0.0; /* -0 is 0: one value, one fingerprint */
    memcpy(member(field, spec), &number, sizeof number);
    return DQ_OK;
}

static int read_exposure(const struct dq_field *field,
                         const struct dq_yaml *value, struct dq_spec *spec,
                         struct dq_err *err)
{
    spec->input.exposure_auto = find_choice(field->choices, value->text) != 0;
    if (spec->input.exposure_auto)
        return DQ_OK;
    return read_real(field, value, spec, err);
}

static int read_format(const struct dq_field *field,
                       const struct dq_yaml *value, struct dq_spec *spec,
                       struct dq_err *err)
{
    long number = 0;

    if (check_number(field, value, 1, err))
        return err->code;
    if (dq_text_long(value->text, &number) || number != FORMAT)
        return dq_fail(err, DQ_SPEC,
                       "format %.80s is not known: depthq " DQ_VERSION
                       " reads format %d",
                       value->text, FORMAT);
    set_int(field, spec, FORMAT);
    return DQ_OK;
}

/* ---- texts ---------------------------------------------------------------*/

/* Characters that no eye sees in a name: controls (C0, delete, C1), line and
 * paragraph separators, the byte order mark and what is no character. */
static int is_unseen(const char *p)
{
    static const char *const more[] = {"\xe2\x80\xa8", "\xe2\x80\xa9",
                                       "\xef\xbb\xbf", "\xef\xbf\xbe",
                                       "\xef\xbf\xbf"};

    if (dq_text_control(p))
        return 1;
    for (size_t i = 0; i < sizeof more / sizeof *more; i++)
        if (strncmp(p, more[i], 3) == 0)
            return 1;
    return 0;
}

static int check_text(const struct dq_field *field, const char *text,
                      struct dq_err *err)
{
    size_t bytes = strlen(text);

    for (const char *p = text; *p; p++)
        if (is_unseen(p))
            return dq_fail(err, DQ_SPEC, "holds a control character");
    if ((double)bytes < field->low)
        return dq_fail(err, DQ_SPEC, "is empty");
    if ((double)bytes > field->high)
        return dq_fail(err, DQ_SPEC, "has %zu bytes; at most %.0f are allowed",
                       bytes, field->high);
    return DQ_OK;
}

static int read_text(const struct dq_field *field, const struct dq_yaml *value,
                     struct dq_spec *spec, struct dq_err *err)
{
    char *text;

    if (check_text(field, value->text, err))
        return err->code;
    text = dq_strdup(value->text);
    memcpy(member(field, spec), &text, sizeof text);
    return DQ_OK;
}

static int read_name(const struct dq_field *field, const struct dq_yaml *value,
                     struct dq_spec *spec, struct dq_err *err)
{
    if (check_text(field, value->text, err))
        return err->code;
    if (value->text[strspn(value->text, DQ_NAME_CHARACTERS)])
        return dq_fail(err, DQ_SPEC,
                       "'%.120s' may hold letters, digits, '.', '_' and '-' "
                       "only",
                       value->text);
    return read_text(field, value, spec, err);
}

static int read_sequence(const struct dq_field *field,
                         const struct dq_yaml *value, struct dq_spec *spec,
                         struct dq_err *err)
{
    if (check_text(field, value->text, err))
        return err->code;
    return dq_sequence_parse(value->text, spec->folder, member(field, spec),
                             err);
}

static int read_range(const struct dq_field *field, const struct dq_yaml *value,
                      struct dq_spec *spec, struct dq_err *err)
{
    if (check_text(field, value->text, err))
        return err->code;
    return dq_range_parse(value->text, member(field, spec), err);
}

/* ---- the types -----------------------------------------------------------*/

typedef int read_fn(const struct dq_field *field, const struct dq_yaml *value,
                    struct dq_spec *spec, struct dq_err *err);

static read_fn *const readers[DQ_VALUE_TYPES] = {
    [DQ_VALUE_FORMAT] = read_format,     [DQ_VALUE_NAME] = read_name,
    [DQ_VALUE_TEXT] = read_text,         [DQ_VALUE_SEQUENCE] = read_sequence,
    [DQ_VALUE_RANGE] = read_range,       [DQ_VALUE_INTEGER] = read_integer,
    [DQ_VALUE_REAL] = read_real,         [DQ_VALUE_FLAG] = read_flag,
    [DQ_VALUE_CHOICE] = read_choice,     [DQ_VALUE_COUNT] = read_count,
    [DQ_VALUE_EXPOSURE] = read_exposure,
};

/* What YAML calls nothing; a person means to come back to that line. */
static int is_nothing(const struct dq_yaml *value)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};

    for (size_t i = 0; !value->quoted && i < sizeof words / sizeof *words; i++)
        if (strcmp(value->text, words[i]) == 0)
            return 1;
    return 0;
}

int dq_value_read(const struct dq_field *field, const struct dq_yaml *value,
                  struct dq_spec *spec, struct dq_err *err)
{
    if (value->kind != DQ_YAML_SCALAR)
        return dq_fail(err, DQ_SPEC, "expects one value, not a %s",
                       value->kind == DQ_YAML_MAP ? "group of keys" : "list");
    if (is_nothing(value) && field->type == DQ_VALUE_SEQUENCE)
        return dq_fail(err, DQ_SPEC,
                       "has no value; a pattern that begins with '#' needs "
                       "quotes");
    if (is_nothing(value))
        return dq_fail(err, DQ_SPEC,
                       "has no value; write one or leave the line away");
    return readers[field->type](field, value, spec, err);
}

void dq_value_default(const struct dq_field *field, struct dq_spec *spec)
{
    struct dq_yaml value = {.kind = DQ_YAML_SCALAR};
    struct dq_err err = {0};
    int code;

    if (!field->fallback || !*field->fallback)
        return;
    value.text = dq_strdup(field->fallback);
    code = dq_value_read(field, &value, spec, &err);
    assert(!code);
    (void)code;
    free(value.text);
}

void dq_value_free(const struct dq_field *field, struct dq_spec *spec)
{
    void *at = member(field, spec);
    char *text;

    if (field->type == DQ_VALUE_SEQUENCE)
        dq_sequence_free(at);
    else if (field->type == DQ_VALUE_RANGE)
        dq_range_free(at);
    else if (field->type == DQ_VALUE_NAME || field->type == DQ_VALUE_TEXT) {
        memcpy(&text, at, sizeof text);
        free(text);
        memset(at, 0, sizeof text);
    }
}
