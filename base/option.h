/* option: a command line's options, with words that help when one is wrong:
 *
 *   depthq run: there is no option '--fraems' (did you mean '--frames'?)
 *   Try: depthq run --help
 *
 * One thread: getopt keeps its place in globals.
 */
#ifndef DQ_BASE_OPTION_H
#define DQ_BASE_OPTION_H

#include <getopt.h>
#include <stdint.h>
#include "base/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* As getopt_long, which it calls. who is "depthq run"; shorts begins with
 * ':'. '?' after a message on stderr for whatever is wrong: an unknown or
 * ambiguous option, a value that is missing or too much. */
int dq_option_next(const char *who, int argc, char **argv, const char *shorts,
                   const struct option *longs);

/* Tell that there is no such option, with the one of longs that was meant. */
void dq_option_unknown(const char *who, const char *word,
                       const struct option *longs);

/* Values. text is optarg; name the option's, without dashes. DQ_USAGE says
 * what it may be and what it was. */
int dq_option_count(const char *name, const char *text, int most, int *value,
                    struct dq_err *err); /* 1 .. most */
int dq_option_seconds(const char *name, const char *text, int64_t *ms,
                      struct dq_err *err);
int dq_option_device(const char *text,
                     struct dq_err *err); /* auto cpu cuda:N */

#ifdef __cplusplus
}
#endif
#endif
