/* pull_file: one delivered depth file into an artist's folder: checked against
 * its record, whole or not at all. Any thread; blocks on storage. */
#ifndef DQ_CLI_PULL_FILE_H
#define DQ_CLI_PULL_FILE_H

#include <stddef.h>
#include "base/err.h"
#include "io/ledger.h"

#ifdef __cplusplus
extern "C" {
#endif

enum dq_pull_way {
    DQ_PULL_THERE,   /* it was there already, and right */
    DQ_PULL_REFLINK, /* a copy that shares its blocks until one is written */
    DQ_PULL_LINK,    /* another name of the same file */
    DQ_PULL_COPY
};

const char *dq_pull_way_name(enum dq_pull_way way); /* "reflink"; static */

struct dq_pull_rule {
    int copy;        /* a copy of its own in any case */
    int replace;     /* also what is at `to` and was never this frame */
    const char *tag; /* of temps (base/publish.h) */
};

/* Bring from to `to`, whose folder exists: what versions[0] says, byte for
 * byte; the others (count - 1) are what the frame was before, and may be
 * replaced at `to`. DQ_ALTERED: from is not what was delivered; DQ_MISSING;
 * DQ_EXISTS: something else is at `to`; DQ_FULL, DQ_DENIED, DQ_IO, ... On
 * failure `to` is as it was. */
int dq_pull_file(const char *from, const char *to,
                 const struct dq_done *versions, size_t count,
                 const struct dq_pull_rule *rule, enum dq_pull_way *way,
                 struct dq_err *err);

#ifdef __cplusplus
}
#endif
#endif
