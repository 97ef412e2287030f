/* options: a command line's options, with words that help when one is wrong:
 *
 *   depthq run: there is no option '--fraems' (did you mean '--frames'?)
 *   Try: depthq run --help
 *
 * One thread: getopt keeps its place in globals.
 */
#ifndef DQ_CLI_OPTIONS_H
#define DQ_CLI_OPTIONS_H

#include <getopt.h>

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

#ifdef __cplusplus
}
#endif
#endif
