#include "base/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/mem.h"

json_t *dq_json_parse(const char *text, size_t bytes, size_t limit, int code,
                      struct dq_err *err)
{
    json_error_t why;
    json_t *value;

    if (bytes > limit) {
        dq_fail(err, code, "%zu bytes of JSON; at most %zu are read", bytes,
                limit);
        return NULL;
    }
    value = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &why);
    if (!value)
        dq_fail(err, code, "line %d, column %d: %s", why.line, why.column,
                why.text);
    return value;
}

json_t *dq_json_read(const char *path, size_t limit, int code,
                     struct dq_err *err)
{
    struct dq_bytes bytes = {0};
    struct dq_err own = {0};
    json_t *value = NULL;

    if (!dq_bytes_read_file(&bytes, path, limit, code, &own)) {
        value = dq_json_parse(bytes.data, bytes.count, limit, code, &own);
        if (!value)
            dq_because(&own, "%s", path);
    }
    dq_bytes_free(&bytes);
    if (own.code && err)
        *err = own;
    return value;
}

static const json_t *member(const json_t *object, const char *key, int code,
                            struct dq_err *err)
{
    const json_t *value = json_object_get(object, key);

    if (!value)
        dq_fail(err, code, "%s: is missing", key);
    return value;
}

const char *dq_json_string(const json_t *object, const char *key, int code,
                           struct dq_err *err)
{
    const json_t *value = member(object, key, code, err);

    if (value && !json_is_string(value)) {
        dq_fail(err, code, "%s: is not a string", key);
        return NULL;
    }
    return json_string_value(value);
}

int dq_json_int(const json_t *object, const char *key, int64_t low,
                int64_t high, int64_t *value, int code, struct dq_err *err)
{
    const json_t *found = member(object, key, code, err);
    json_int_t number = json_integer_value(found);

    if (!found)
        return code;
    if (!json_is_integer(found))
        return dq_fail(err, code, "%s: is not a whole number", key);
    if (number < low || number > high)
        return dq_fail(err, code,
                       "%s: %" JSON_INTEGER_FORMAT " is outside %" PRId64
                       " to %" PRId64,
                       key, number, low, high);
    *value = number;
    return DQ_OK;
}

int dq_json_double(const json_t *object, const char *key, double *value,
                   int code, struct dq_err *err)
{
    const json_t *found = member(object, key, code, err);

    if (!found)
        return code;
    if (!json_is_number(found) || !isfinite(json_number_value(found)))
        return dq_fail(err, code, "%s: is not a number", key);
    *value = json_number_value(found);
    return DQ_OK;
}

char *dq_json_text(const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

    if (!text) /* out of memory, or a string that is not UTF-8 */
        abort();
    return text;
}
