/* spec_fields: the table of a job file's keys, as data. Private to jobs/.
 *
 * Made from jobs/job_fields.def and jobs/job_choices.def; constant, so any
 * thread may read it.
 */
#ifndef DQ_JOBS_SPEC_FIELDS_H
#define DQ_JOBS_SPEC_FIELDS_H

#include <stddef.h>
#include "base/bytes.h"
#include "base/err.h"
#include "base/yaml.h"
#include "jobs/spec.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a job's or a model's name is made of. */
#define DQ_NAME_CHARACTERS \
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

enum dq_value_type {
    DQ_VALUE_FORMAT,   /* int: the format of the job file */
    DQ_VALUE_NAME,     /* char *: letters, digits, . _ - */
    DQ_VALUE_TEXT,     /* char * */
    DQ_VALUE_SEQUENCE, /* struct dq_sequence */
    DQ_VALUE_RANGE,    /* struct dq_range */
    DQ_VALUE_INTEGER,  /* int */
    DQ_VALUE_REAL,     /* double */
    DQ_VALUE_FLAG,     /* int: true or false */
    DQ_VALUE_CHOICE,   /* an enum: a word of choices */
    DQ_VALUE_COUNT,    /* int: a word of choices or a whole number */
    DQ_VALUE_EXPOSURE, /* double and exposure_auto: "auto" or a number */
    DQ_VALUE_TYPES
};

struct dq_choice {
    const char *word, *doc; /* word NULL ends a list */
    int value;
};

struct dq_field {
    const char *section, *key;
    enum dq_value_type type;
    size_t offset;        /* of the member in struct dq_spec */
    const char *fallback; /* default as text; NULL: needed; "": none */
    double low, high;
    const struct dq_choice *choices; /* or NULL */
    int pixels;                      /* the fingerprint covers it */
    const char *doc;
};

struct dq_section {
    const char *key, *doc; /* key "" is the top level */
};

enum dq_field_id {
#define DQ_FIELD(id, section, key, type, member, fallback, low, high, choices, \
                 pixels, doc)                                                  \
    DQ_FIELD_##id,
#include "jobs/job_fields.def"
    DQ_FIELDS
};

extern const struct dq_field dq_fields[DQ_FIELDS];
extern const struct dq_section dq_sections[];
extern const size_t dq_section_count;

/* The field of a key in a section, the section of a key; -1: none. */
int dq_field_find(const char *section, const char *key);
int dq_section_find(const char *key);

/* "output.path"; "plate" at the top level. */
#define DQ_FIELD_ROOM 64
void dq_field_name(const struct dq_field *field, char name[DQ_FIELD_ROOM]);

/* Set the field's member from a scalar. DQ_SPEC says what is wrong with the
 * value and how to write it, without the key; the member is empty then. */
int dq_value_read(const struct dq_field *field, const struct dq_yaml *value,
                  struct dq_spec *spec, struct dq_err *err);

/* Set the field's member to its default, if it has one. */
void dq_value_default(const struct dq_field *field, struct dq_spec *spec);

/* Append the member as canonical text: one form for one value. A sequence or
 * range prints as its own canonical text, an empty one as nothing. */
void dq_value_print(const struct dq_field *field, const struct dq_spec *spec,
                    struct dq_bytes *out);

/* Free and empty the field's member. */
void dq_value_free(const struct dq_field *field, struct dq_spec *spec);

/* The rules that bind several fields. state tells for each field whether it
 * was given and good; where, its entry in the file, or NULL. */
enum dq_given { DQ_ABSENT, DQ_GOOD, DQ_BAD };
struct dq_given_field {
    enum dq_given state;
    const struct dq_yaml *where;
};
void dq_spec_check(const struct dq_spec *spec,
                   const struct dq_given_field given[DQ_FIELDS],
                   struct dq_problems *problems);

#ifdef __cplusplus
}
#endif
#endif
