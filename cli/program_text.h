/* program_text: what another program of ours prints. One thread. */
#ifndef DQ_CLI_PROGRAM_TEXT_H
#define DQ_CLI_PROGRAM_TEXT_H

#include <jansson.h>
#include "base/bytes.h"
#include "base/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Run a program of ours (base/path.h finds it) with these words, as below, and
 * give all that it prints. After so many seconds (0: never) SIGALRM ends it.
 * The caller frees; NULL: err tells, DQ_CONFIG (not installed) or DQ_BUG.
 * *status is as waitpid's. */
char *dq_program_text(const char *name, const char *const *words, int seconds,
                      int *status, struct dq_err *err);

/* Run a program of the libexec folder with these words (NULL-ended, its own
 * name not among them) and read the JSON that it prints; what it says on
 * standard error goes where ours goes. A new reference, or NULL: *status is
 * its exit status when it failed by itself and has said why, else err tells:
 * DQ_CONFIG (not installed), DQ_BUG. */
json_t *dq_program_json(const char *name, const char *const *words, int *status,
                        struct dq_err *err);

#ifdef __cplusplus
}
#endif
#endif
