/* ledger_quick: a record's line as dq_ledger_write spells it, read without a
 * parser of JSON: for those who look at a hundred thousand. Private to io/.
 */
#ifndef DQ_IO_LEDGER_QUICK_H
#define DQ_IO_LEDGER_QUICK_H

#include "io/ledger.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Fill fingerprint and marks of done. 0: it is not spelled just so (another
 * program's, or damaged): then JSON has the word, and done is spoilt. What a
 * line tells of its making is not looked at. */
int dq_ledger_quick(const char *line, size_t bytes, struct dq_done *done);

#ifdef __cplusplus
}
#endif
#endif
