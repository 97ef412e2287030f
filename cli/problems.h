/* problems: what is wrong with a text file, shown with the line and a caret:
 *
 *   shot.yaml:7:3: unknown key 'fraems' (did you mean 'frames'?)
 *       7 |   fraems: 1001-1240
 *         |   ^
 *
 * The layout is the same on a terminal and in a log; control characters of
 * the file come out as '?'. One thread.
 */
#ifndef DQ_CLI_PROBLEMS_H
#define DQ_CLI_PROBLEMS_H

#include <jansson.h>
#include <stdio.h>
#include "base/bytes.h"
#include "base/yaml.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Print all problems of file, whose text is given (empty: no lines). */
void dq_problems_print(FILE *to, const char *file, const struct dq_bytes *text,
                       const struct dq_problems *problems);

/* The same as JSON: [{"line", "column", "text"}]. New reference. */
json_t *dq_problems_json(const struct dq_problems *problems);

/* And back: add what is in such a list; items of another shape are left out. */
void dq_problems_from_json(const json_t *list, struct dq_problems *problems);

/* A text as a JSON string; bytes that are no UTF-8 come out as '?'. */
json_t *dq_text_json(const char *text);

#ifdef __cplusplus
}
#endif
#endif
