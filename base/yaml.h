/* yaml: a small YAML document as a tree that knows its lines.
 *
 * For files that people write. Through libyaml's event API, with what
 * surprises removed: scalars stay text (the caller converts by the declared
 * type), and anchors, aliases, tags, merge keys, duplicate keys, a second
 * document, more than 64 KiB, depth above 32, more than 10,000 events and
 * text that is not UTF-8 are refused, each with line and column (in
 * characters). A UTF-8 byte order mark is skipped.
 */
#ifndef DQ_BASE_YAML_H
#define DQ_BASE_YAML_H

#include <stddef.h>
#include "base/err.h"

#ifdef __cplusplus
extern "C" {
#endif

enum dq_yaml_kind { DQ_YAML_SCALAR, DQ_YAML_MAP, DQ_YAML_LIST };

struct dq_yaml {
    enum dq_yaml_kind kind;
    int line, column; /* of the value, from 1 */
    char *key;        /* in a map: the key; else NULL */
    int key_line, key_column;
    char *text;            /* scalar: its text ("" for nothing) */
    int quoted;            /* scalar: written in quotes */
    struct dq_yaml *child; /* map or list: first entry */
    struct dq_yaml *next;  /* next entry of the same map or list */
};

/* Something wrong with a text, where. */
struct dq_problem {
    int line, column;
    char *text;
};

/* All that is wrong with a document, in the order of its lines. Zero to
 * start; the holder frees. */
struct dq_problems {
    struct dq_problem *list;
    size_t count;
};

void dq_problem_add(struct dq_problems *all, int line, int column,
                    const char *fmt, ...) DQ_PRINTF(4, 5);
void dq_problems_sort(struct dq_problems *all); /* by line, then column */
void dq_problems_free(struct dq_problems *all);

/* Parse; NULL when the text is no acceptable document, with every reason
 * found in problems (syntax stops at the first). Duplicate keys are all told,
 * and the tree holds both, the first one first: the caller goes on to tell
 * what else is wrong, but a tree with problems is not to be used. The caller
 * frees the tree. One thread a call. */
struct dq_yaml *dq_yaml_parse(const char *text, size_t bytes,
                              struct dq_problems *problems);
void dq_yaml_free(struct dq_yaml *tree); /* NULL is fine */

/* Nothing but blanks and comments, which is no document to parse. */
int dq_yaml_is_empty(const char *text);

#ifdef __cplusplus
}
#endif
#endif
