#include "io/exr_attributes.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define LONG_NAMES 0x400u /* the flag in the file's version field */

/* Described by how the new part is made. */
static const char *const structure[] = {
    "channels",
    "compression",
    "dataWindow",
    "displayWindow",
    "lineOrder",
    "pixelAspectRatio",
    "chunkCount",
    "screenWindowCenter",
    "screenWindowWidth",
    "tiles",
    "name",
    "type",
    "version",
    "preview",
};

/* Of the plate's own pixels or of the file as a whole. */
static const char *const not_depth[] = {
    "multiView",           "view",           "timeCode",
    "chromaticities",      "deepImageState", "maxSamplesPerPixel",
    "dwaCompressionLevel",
};

static int is_listed(const char *name, const char *const *list, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++)
        if (!strcmp(name, list[i]))
            return 1;
    return 0;
}

static int is_kept(const char *name, enum dq_exr_keep keep)
{
    if (is_listed(name, structure, sizeof structure / sizeof *structure))
        return 0;
    if (keep == DQ_EXR_KEEP_ALL)
        return 1;
    if (!strncmp(name, "depthq/", 7))
        return 0;
    return keep == DQ_EXR_KEEP_MIXED ||
           !is_listed(name, not_depth, sizeof not_depth / sizeof *not_depth);
}

static exr_result_t set_texts(exr_context_t to, int part,
                              const exr_attribute_t *a)
{
    int32_t i, count = a->stringvector->n_strings;
    const char **texts = dq_new_array((size_t)count + 1, sizeof *texts);
    exr_result_t result;

    for (i = 0; i < count; i++)
        texts[i] = a->stringvector->strings[i].str;
    result = exr_attr_set_string_vector(to, part, a->name, count, texts);
    free((void *)texts);
    return result;
}

/* There is no setter for this one. */
static exr_result_t set_deep_state(exr_context_t to, int part,
                                   const exr_attribute_t *a)
{
    exr_attribute_t *made = NULL;
    exr_result_t result;

    result =
        exr_attr_declare(to, part, a->name, EXR_ATTR_DEEP_IMAGE_STATE, &made);
    if (result == EXR_ERR_SUCCESS)
        made->uc = a->uc;
    return result;
}

/* Of a type that the library does not know: bytes. Setting none of them
 * leaks in OpenEXR 3.5.3; an attribute without a value is just that. */
static exr_result_t set_opaque(exr_context_t to, int part,
                               const exr_attribute_t *a)
{
    exr_attribute_t *made = NULL;

    if (a->opaque->size > 0)
        return exr_attr_set_user(to, part, a->name, a->type_name,
                                 a->opaque->size, a->opaque->packed_data);
    return exr_attr_declare_by_type(to, part, a->name, a->type_name, &made);
}

static exr_result_t set_attribute(exr_context_t to, int part,
                                  const exr_attribute_t *a)
{
    switch (a->type) {
#define DQ_EXR_ATTR(type, setter, value) \
    case EXR_ATTR_##type:                \
        return exr_attr_set_##setter(to, part, a->name, value);
#include "io/exr_attributes.def"
#undef DQ_EXR_ATTR
    case EXR_ATTR_STRING:
        return exr_attr_set_string(to, part, a->name, a->string->str);
    case EXR_ATTR_STRING_VECTOR:
        return set_texts(to, part, a);
    case EXR_ATTR_FLOAT_VECTOR:
        return exr_attr_set_float_vector(
            to, part, a->name, a->floatvector->length, a->floatvector->arr);
    case EXR_ATTR_DEEP_IMAGE_STATE:
        return set_deep_state(to, part, a);
    case EXR_ATTR_OPAQUE:
        return set_opaque(to, part, a);
    case EXR_ATTR_UNKNOWN:
    case EXR_ATTR_LAST_KNOWN_TYPE:
        break;
    }
    return EXR_ERR_INVALID_ATTR;
}

static int copy_one(const exr_attribute_t *a, exr_context_t to, int to_part,
                    struct dq_err *err)
{
    exr_result_t result = set_attribute(to, to_part, a);

    if (result == EXR_ERR_SUCCESS)
        return DQ_OK;
    return dq_exr_fail(dq_exr_stream_of(to), result, DQ_PLATE, err,
                       "the attribute '%.64s' of type '%.64s' cannot be copied",
                       a->name, a->type_name);
}

int dq_exr_attributes_copy(exr_context_t from, int from_part, exr_context_t to,
                           int to_part, enum dq_exr_keep keep,
                           struct dq_err *err)
{
    const exr_attribute_t *a;
    int32_t i, count = 0;

    exr_get_attribute_count(from, from_part, &count);
    for (i = 0; i < count; i++) {
        if (exr_get_attribute_by_index(from, from_part,
                                       EXR_ATTR_LIST_FILE_ORDER, i,
                                       &a) != EXR_ERR_SUCCESS ||
            !is_kept(a->name, keep))
            continue;
        if (copy_one(a, to, to_part, err))
            return err->code;
    }
    return DQ_OK;
}

int dq_exr_attribute_copy(exr_context_t from, int from_part, const char *name,
                          exr_context_t to, int to_part, struct dq_err *err)
{
    const exr_attribute_t *a;

    if (exr_get_attribute_by_name(from, from_part, name, &a) != EXR_ERR_SUCCESS)
        return DQ_OK;
    return copy_one(a, to, to_part, err);
}

int dq_exr_has_long_names(exr_context_t exr)
{
    uint32_t flags = 0;

    exr_get_file_version_and_flags(exr, &flags);
    return (flags & LONG_NAMES) != 0;
}
