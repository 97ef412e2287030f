/* model_fields: the table of a contract's keys, as data. Private to infer/.
 *
 * Made from infer/model_fields.def; constant, so any thread may read it.
 */
#ifndef DQ_INFER_MODEL_FIELDS_H
#define DQ_INFER_MODEL_FIELDS_H

#include <stddef.h>
#include "base/bytes.h"
#include "base/err.h"
#include "base/json.h"
#include "infer/model.h"

#ifdef __cplusplus
extern "C" {
#endif

enum dq_model_type {
    DQ_MODEL_FORMAT,  /* int: the format of the contract */
    DQ_MODEL_NAME,    /* char *: letters, digits, . _ - */
    DQ_MODEL_TEXT,    /* char *: one line */
    DQ_MODEL_NOTE,    /* char *: for people, lines allowed */
    DQ_MODEL_CHOICE,  /* an enum: a word of choices */
    DQ_MODEL_LETTERS, /* char[4]: a word of choices itself */
    DQ_MODEL_INT,     /* int */
    DQ_MODEL_BATCH,   /* int: a word of choices (0) or a whole number */
    DQ_MODEL_PLANE,   /* int: null (-1) or a whole number */
    DQ_MODEL_SIDES,   /* int[2] */
    DQ_MODEL_REALS2,  /* float[2] */
    DQ_MODEL_REALS3,  /* float[3] */
    DQ_MODEL_TYPES
};

struct dq_model_field {
    const char *object, *key;
    enum dq_model_type type;
    size_t offset;        /* of the member in struct dq_model */
    const char *fallback; /* default as JSON; NULL: needed; "": none */
    double low, high;
    const char *choices; /* "a|b", or NULL */
    int digest;
    const char *doc;
};

struct dq_model_object {
    const char *parent, *key, *path, *doc;
};

extern const struct dq_model_field dq_model_fields[];
extern const size_t dq_model_field_count;
extern const struct dq_model_object dq_model_objects[];
extern const size_t dq_model_object_count;

/* Set the field's member from a value. DQ_MODEL says what is wrong with it,
 * without the key. */
int dq_model_value_read(const struct dq_model_field *field, const json_t *value,
                        struct dq_model *model, struct dq_err *err);

/* Append the member as canonical text: integers, %.9g reals with blanks
 * between them, texts and words as they are. */
void dq_model_value_text(const struct dq_model_field *field,
                         const struct dq_model *model, struct dq_bytes *text);

/* What the member owns becomes a copy of its own. */
void dq_model_value_copy(const struct dq_model_field *field,
                         struct dq_model *model);

/* Free what the member owns. */
void dq_model_value_free(const struct dq_model_field *field,
                         struct dq_model *model);

/* What binds several keys (infer/model_rules.c): contradictions, and sizes
 * that follow from others. all is the contract as it was written. */
int dq_model_rules(struct dq_model *model, const json_t *all,
                   struct dq_err *err);

#ifdef __cplusplus
}
#endif
#endif
