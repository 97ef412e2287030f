#include "infer/model_fields.h"

#define NEEDED NULL
#define NONE ""
#define DIGEST 1
#define NO_DIGEST 0

const struct dq_model_field dq_model_fields[] = {
#define DQ_MODEL_FIELD(in_object, name, kind, member, otherwise, least, most, \
                       words, in_digest, text)                                \
    {.object = in_object,                                                     \
     .key = name,                                                             \
     .type = DQ_MODEL_##kind,                                                 \
     .offset = offsetof(struct dq_model, member),                             \
     .fallback = otherwise,                                                   \
     .low = least,                                                            \
     .high = most,                                                            \
     .choices = words,                                                        \
     .digest = in_digest,                                                     \
     .doc = text},
#include "infer/model_fields.def"
};
const size_t dq_model_field_count =
    sizeof dq_model_fields / sizeof *dq_model_fields;

const struct dq_model_object dq_model_objects[] = {
#define DQ_MODEL_OBJECT(within, name, place, text) \
    {.parent = within, .key = name, .path = place, .doc = text},
#include "infer/model_fields.def"
};
const size_t dq_model_object_count =
    sizeof dq_model_objects / sizeof *dq_model_objects;
