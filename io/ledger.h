/* ledger: which frames of a shot are finished, and by what, now and before.
 *
 * One small file a frame, `<shot folder>/done/<frame>.json`: a line of JSON
 * that says what the output is now, and below it, newest first, what it was
 * before. It is published like every other file: many programs on many
 * machines may note frames at once, and no line is ever torn (of two that
 * note one frame at the same moment the later one stays). A record is a
 * claim; whoever relies on it compares size and time of the files with it
 * (dq_file_mark_same).
 */
#ifndef DQ_IO_LEDGER_H
#define DQ_IO_LEDGER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include "base/clock.h"
#include "base/err.h"
#include "base/range.h"
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

/* Who made an output, and when; "" and 0 where it is not known. */
struct dq_made {
    char when[DQ_TIME_TEXT]; /* UTC: the output's time when it was noted */
    char model[224];         /* name@version */
    char model_sha256[DQ_SHA256_HEX];
    char suspect[256]; /* why a person should look */
    char host[65], device[32];
    int attempt;
};

struct dq_done {
    int32_t frame;
    char fingerprint[DQ_SHA256_HEX];
    struct dq_file_mark output;
    struct dq_file_mark plate;
    struct dq_made made; /* dq_ledger_read leaves it empty */
};

/* Read what a frame is now, but not who made it: what is asked of a hundred
 * thousand frames at once. 0: found. DQ_MISSING: no record, or one that
 * cannot be read (err NULL is fine: the frame is done again then). */
int dq_ledger_read(const char *shot_folder, int32_t frame, struct dq_done *done,
                   struct dq_err *err);

/* Every version that a frame has had and that is still told of, newest first,
 * with who made them (the first is what dq_ledger_read gives). *versions is the
 * caller's to free; *count is 1 or more. Lines that cannot be read are left
 * out. Errors as dq_ledger_read. */
int dq_ledger_history(const char *shot_folder, int32_t frame,
                      struct dq_done **versions, size_t *count,
                      struct dq_err *err);

/* The frames that have a record; none is fine. The caller frees. DQ_IO. */
int dq_ledger_frames(const char *shot_folder, struct dq_range *frames,
                     struct dq_err *err);

/* Note a finished frame; makes the folder. The same bytes with the same
 * fingerprint are the same version: what was known of its making stays, and
 * only the marks are brought up to date. Other ones become the newest version;
 * the oldest are forgotten beyond some 60. made.when is set here. Errors as
 * dq_publish. Fault point: ledger. tag as there. */
int dq_ledger_write(const char *shot_folder, const struct dq_done *done,
                    const char *tag, struct dq_err *err);

/* Set bytes and mtime_ns of mark from a stat; sha256 is left alone. */
void dq_file_mark_stat(struct dq_file_mark *mark, const struct stat *st);

/* Whether the file still has the size and time of mark; `now` (may be NULL)
 * receives what it has. False when it is not there. */
int dq_file_mark_same(const struct dq_file_mark *mark, const char *path,
                      struct dq_file_mark *now);

/* What the file at path has now (its digest is left alone). -1: it is not
 * there. */
int dq_file_mark_look(const char *path, struct dq_file_mark *now);

/* Whether the file is what mark says: by size and time, which now has, else by
 * digest. */
int dq_file_mark_holds(const struct dq_file_mark *mark, const char *path,
                       const struct dq_file_mark *now);

#ifdef __cplusplus
}
#endif
#endif
