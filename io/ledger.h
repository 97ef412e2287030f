/* ledger: which frames of a shot are finished, and by what.
 *
 * One small JSON file a frame, `<shot folder>/done/<frame>.json`, published
 * like every other file: many programs on many machines may note frames at
 * once, and no line is ever torn. A record is a claim; whoever relies on it
 * compares size and time of the files with it (dq_file_mark_same).
 */
#ifndef DQ_IO_LEDGER_H
#define DQ_IO_LEDGER_H

#include <stdint.h>
#include <sys/stat.h>
#include "base/err.h"
#include "base/sha256.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a file was when it was looked at. */
struct dq_file_mark {
    int64_t bytes;
    int64_t mtime_ns;
    char sha256[DQ_SHA256_HEX];
};

struct dq_done {
    int32_t frame;
    char fingerprint[DQ_SHA256_HEX];
    struct dq_file_mark output;
    struct dq_file_mark plate;
};

/* Read a frame's record. 0: found. DQ_MISSING: none, or one that cannot be
 * read (err NULL is fine: the frame is done again then). */
int dq_ledger_read(const char *shot_folder, int32_t frame, struct dq_done *done,
                   struct dq_err *err);

/* Note a finished frame; makes the folder. Errors as dq_publish. Fault
 * point: ledger. tag as there. */
int dq_ledger_write(const char *shot_folder, const struct dq_done *done,
                    const char *tag, struct dq_err *err);

/* Set bytes and mtime_ns of mark from a stat; sha256 is left alone. */
void dq_file_mark_stat(struct dq_file_mark *mark, const struct stat *st);

/* Whether the file still has the size and time of mark; `now` (may be NULL)
 * receives what it has. False when it is not there. */
int dq_file_mark_same(const struct dq_file_mark *mark, const char *path,
                      struct dq_file_mark *now);

#ifdef __cplusplus
}
#endif
#endif
