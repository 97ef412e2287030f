/* json: strict reading of JSON that somebody else wrote, on jansson.
 *
 * Each getter checks the type and names the place on failure:
 *   tile.json: input.size.min: 12.5 is not a whole number
 */
#ifndef DQ_BASE_JSON_H
#define DQ_BASE_JSON_H

#include <jansson.h>
#include <stdint.h>
#include <stddef.h>
#include "base/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Parse a text; duplicate keys and trailing text are errors, depth and size
 * are bounded by jansson and by limit. code is what a failure is called.
 * New reference, or NULL with line and column in err. */
json_t *dq_json_parse(const char *text, size_t bytes, size_t limit, int code,
                      struct dq_err *err);

/* Parse a file of at most limit bytes. DQ_MISSING, DQ_IO, or code. */
json_t *dq_json_read(const char *path, size_t limit, int code,
                     struct dq_err *err);

/* Members, required: code with "<key>: is missing" or "<key>: is not a
 * string". Strings are borrowed from the object. */
const char *dq_json_string(const json_t *object, const char *key, int code,
                           struct dq_err *err);
int dq_json_int(const json_t *object, const char *key, int64_t low,
                int64_t high, int64_t *value, int code, struct dq_err *err);
int dq_json_double(const json_t *object, const char *key, double *value,
                   int code, struct dq_err *err);

/* The compact text, keys in insertion order, no newline. Caller frees. */
char *dq_json_text(const json_t *value);

#ifdef __cplusplus
}
#endif
#endif
