/* output: a listing that could not be written whole is no success. */
#ifndef DQ_CLI_OUTPUT_H
#define DQ_CLI_OUTPUT_H

#include <jansson.h>
#include "base/output.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a program that lists does with its words: look at each, which prints,
 * or with json appends to all, tells its own errors and returns a code; then
 * that array. The exit status of the first error. */
int dq_output_each(char *const *words, int count, int json,
                   int (*look)(const void *wish, const char *word, json_t *all),
                   const void *wish);

#ifdef __cplusplus
}
#endif
#endif
