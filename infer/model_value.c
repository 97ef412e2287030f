/* model_value: one value of a contract, by its type. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "infer/model_fields.h"

static const char name_characters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

static void *member_of(const struct dq_model_field *f, struct dq_model *m)
{
    return (char *)m + f->offset;
}

static const void *member_in(const struct dq_model_field *f,
                             const struct dq_model *m)
{
    return (const char *)m + f->offset;
}

/* ---- texts ----------------------------------------------------------------*/

static int has_control(const char *text, const char *but)
{
    for (; *text; text++)
        if (((unsigned char)*text < 32 || *text == 127) && !strchr(but, *text))
            return 1;
    return 0;
}

static int check_text(const struct dq_model_field *f, const char *text,
                      struct dq_err *err)
{
    if (strlen(text) > (size_t)f->high)
        return dq_fail(err, DQ_MODEL, "is longer than %.0f bytes", f->high);
    if (strlen(text) < (size_t)f->low)
        return dq_fail(err, DQ_MODEL, "is empty");
    if (f->type == DQ_MODEL_NAME &&
        (*text == '.' || text[strspn(text, name_characters)]))
        return dq_fail(err, DQ_MODEL,
                       "is made of letters, digits, '.', '_' and '-', and "
                       "begins with no '.'");
    if (has_control(text, f->type == DQ_MODEL_NOTE ? "\n\t" : ""))
        return dq_fail(err, DQ_MODEL, "has a control character in it");
    return DQ_OK;
}

static int read_text(const struct dq_model_field *f, const json_t *value,
                     struct dq_model *m, struct dq_err *err)
{
    const char *text = json_string_value(value);

    if (!text)
        return dq_fail(err, DQ_MODEL, "is not a string");
    if (check_text(f, text, err))
        return DQ_MODEL;
    *(char **)member_of(f, m) = dq_strdup(text);
    return DQ_OK;
}

/* ---- words ----------------------------------------------------------------*/

/* Length of the i-th of "a|b|c", which *word then points at; 0: no more. */
static size_t choice_at(const char *choices, int i, const char **word)
{
    for (; i > 0 && *choices; choices++)
        i -= *choices == '|';
    *word = choices;
    return strcspn(choices, "|");
}

static int choice_of(const char *choices, const char *text)
{
    const char *word;
    size_t n;

    for (int i = 0; (n = choice_at(choices, i, &word)) > 0; i++)
        if (strlen(text) == n && memcmp(text, word, n) == 0)
            return i;
    return -1;
}

static int no_choice(const struct dq_model_field *f, const char *text,
                     struct dq_err *err)
{
    char list[128];
    size_t used = 0;

    for (const char *c = f->choices; *c && used + 3 < sizeof list; c++) {
        if (*c == '|')
            list[used++] = ',';
        list[used++] = *c == '|' ? ' ' : *c;
    }
    list[used] = '\0';
    return dq_fail(err, DQ_MODEL, "'%.40s' is none of %s", text, list);
}

static int read_choice(const struct dq_model_field *f, const json_t *value,
                       struct dq_model *m, struct dq_err *err)
{
    const char *text = json_string_value(value);
    int found = text ? choice_of(f->choices, text) : -1;

    if (!text)
        return dq_fail(err, DQ_MODEL, "is not a string");
    if (found < 0)
        return no_choice(f, text, err);
    if (f->type == DQ_MODEL_LETTERS)
        snprintf(member_of(f, m), sizeof m->channels, "%s", text);
    else
        memcpy(member_of(f, m), &found, sizeof found);
    return DQ_OK;
}

/* ---- numbers --------------------------------------------------------------*/

static int whole(const struct dq_model_field *f, const json_t *value,
                 int *number, struct dq_err *err)
{
    json_int_t n = json_integer_value(value);

    if (!json_is_integer(value))
        return dq_fail(err, DQ_MODEL, "is not a whole number");
    if (n < (json_int_t)f->low || n > (json_int_t)f->high)
        return dq_fail(err, DQ_MODEL,
                       "%" JSON_INTEGER_FORMAT " is outside %.0f to %.0f", n,
                       f->low, f->high);
    *number = (int)n;
    return DQ_OK;
}

static int read_int(const struct dq_model_field *f, const json_t *value,
                    struct dq_model *m, struct dq_err *err)
{
    return whole(f, value, member_of(f, m), err);
}

/* A word that stands for `otherwise`, or a whole number. */
static int read_batch(const struct dq_model_field *f, const json_t *value,
                      struct dq_model *m, struct dq_err *err)
{
    if (json_is_string(value))
        return choice_of(f->choices, json_string_value(value)) < 0
                   ? no_choice(f, json_string_value(value), err)
                   : DQ_OK;
    return read_int(f, value, m, err);
}

static int read_plane(const struct dq_model_field *f, const json_t *value,
                      struct dq_model *m, struct dq_err *err)
{
    *(int *)member_of(f, m) = -1;
    return json_is_null(value) ? DQ_OK : read_int(f, value, m, err);
}

static int check_list(const json_t *value, size_t count, struct dq_err *err)
{
    if (json_array_size(value) != count)
        return dq_fail(err, DQ_MODEL, "is not a list of %zu numbers", count);
    return DQ_OK;
}

static int read_sides(const struct dq_model_field *f, const json_t *value,
                      struct dq_model *m, struct dq_err *err)
{
    int *sides = member_of(f, m);

    if (check_list(value, 2, err) ||
        whole(f, json_array_get(value, 0), &sides[0], err))
        return err->code;
    return whole(f, json_array_get(value, 1), &sides[1], err);
}

static size_t reals_in(const struct dq_model_field *f)
{
    return f->type == DQ_MODEL_REALS2 ? 2 : 3;
}

static int read_reals(const struct dq_model_field *f, const json_t *value,
                      struct dq_model *m, struct dq_err *err)
{
    float *reals = member_of(f, m);

    if (check_list(value, reals_in(f), err))
        return err->code;
    for (size_t i = 0; i < reals_in(f); i++) {
        double number = json_number_value(json_array_get(value, i));

        if (!json_is_number(json_array_get(value, i)))
            return dq_fail(err, DQ_MODEL, "is not a list of %zu numbers",
                           reals_in(f));
        if (!(number >= f->low && number <= f->high))
            return dq_fail(err, DQ_MODEL, "%g is outside %g to %g", number,
                           f->low, f->high);
        reals[i] = (float)number;
    }
    return DQ_OK;
}

/* ---- by type --------------------------------------------------------------*/

typedef int read_fn(const struct dq_model_field *field, const json_t *value,
                    struct dq_model *model, struct dq_err *err);

static read_fn *const readers[DQ_MODEL_TYPES] = {
    [DQ_MODEL_FORMAT] = read_int,    [DQ_MODEL_NAME] = read_text,
    [DQ_MODEL_TEXT] = read_text,     [DQ_MODEL_NOTE] = read_text,
    [DQ_MODEL_CHOICE] = read_choice, [DQ_MODEL_LETTERS] = read_choice,
    [DQ_MODEL_INT] = read_int,       [DQ_MODEL_BATCH] = read_batch,
    [DQ_MODEL_PLANE] = read_plane,   [DQ_MODEL_SIDES] = read_sides,
    [DQ_MODEL_REALS2] = read_reals,  [DQ_MODEL_REALS3] = read_reals,
};

int dq_model_value_read(const struct dq_model_field *field, const json_t *value,
                        struct dq_model *model, struct dq_err *err)
{
    return readers[field->type](field, value, model, err);
}

static int is_text(enum dq_model_type type)
{
    return type == DQ_MODEL_NAME || type == DQ_MODEL_TEXT ||
           type == DQ_MODEL_NOTE;
}

static void choice_text(const struct dq_model_field *f,
                        const struct dq_model *m, struct dq_bytes *text)
{
    const char *word;
    int value;
    size_t n;

    memcpy(&value, member_in(f, m), sizeof value);
    n = choice_at(f->choices, value, &word);
    dq_bytes_add(text, word, n);
}

void dq_model_value_text(const struct dq_model_field *f,
                         const struct dq_model *m, struct dq_bytes *text)
{
    const void *at = member_in(f, m);

    if (is_text(f->type))
        dq_bytes_text(text, *(char *const *)at);
    else if (f->type == DQ_MODEL_LETTERS)
        dq_bytes_text(text, at);
    else if (f->type == DQ_MODEL_CHOICE)
        choice_text(f, m, text);
    else if (f->type == DQ_MODEL_SIDES)
        dq_bytes_printf(text, "%d %d", ((const int *)at)[0],
                        ((const int *)at)[1]);
    else if (f->type == DQ_MODEL_REALS2 || f->type == DQ_MODEL_REALS3)
        for (size_t i = 0; i < reals_in(f); i++)
            dq_bytes_printf(text, "%s%.9g", i ? " " : "",
                            (double)((const float *)at)[i]);
    else
        dq_bytes_printf(text, "%d", *(const int *)at);
}

void dq_model_value_copy(const struct dq_model_field *f, struct dq_model *m)
{
    char **text = member_of(f, m);

    if (is_text(f->type))
        *text = dq_strdup(*text);
}

void dq_model_value_free(const struct dq_model_field *f, struct dq_model *m)
{
    if (is_text(f->type))
        free(*(char **)member_of(f, m));
}
