/* output: a listing that could not be written whole is no success. */
#ifndef DQ_CLI_OUTPUT_H
#define DQ_CLI_OUTPUT_H

#include <jansson.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The exit status of a program (named who) that is about to end with status:
 * when not all of its standard output went out, that of DQ_IO instead of 0,
 * with words on stderr. */
int dq_output_finish(const char *who, int status);

/* What a program that lists does with its words: look at each, which prints,
 * or with json appends to all, tells its own errors and returns a code; then
 * that array, and the end as above with the first error. */
int dq_output_each(const char *who, char *const *words, int count, int json,
                   int (*look)(const void *wish, const char *word, json_t *all),
                   const void *wish);

#ifdef __cplusplus
}
#endif
#endif
