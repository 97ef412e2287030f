/* pull: a depth pass for an artist: what there is of it, what is wrong with
 * it, and its files, checked, in a folder of theirs. Private to depthq-pull.
 *
 *   pull.c        which frames, and what is to be said of them
 *   pull_tell.c   saying it
 *   pull_file.c   one file
 *   pull_run.c    the files one by one, and as they arrive
 *   pull_maker.c  who makes those that are waited for
 *   pull_main.c   the command line
 */
#ifndef DQ_CLI_PULL_H
#define DQ_CLI_PULL_H

#include <jansson.h>
#include <stdio.h>
#include "cli/pass.h"
#include "cli/pull_file.h"
#include "cli/stale.h"

#ifdef __cplusplus
extern "C" {
#endif

enum dq_pull_state {
    DQ_PULL_WANTED,  /* not tried yet */
    DQ_PULL_DONE,    /* in the folder */
    DQ_PULL_MISSING, /* never made, or its file is gone */
    DQ_PULL_UNKNOWN, /* a file that no record speaks of */
    DQ_PULL_OTHER,   /* by another model than the one asked for */
    DQ_PULL_LATER,   /* younger than the day asked for */
    DQ_PULL_REFUSED  /* err says why */
};

struct dq_pull_frame {
    int32_t frame;
    enum dq_pull_state state;
    char *path, *to;
    struct dq_done *versions; /* newest first; NULL when there is none */
    size_t count;
    struct dq_stale_frame stale; /* DQ_FRESH when nothing is known */
    enum dq_pull_way way;        /* DQ_PULL_DONE */
    struct dq_err err;
};

/* What is asked for. */
struct dq_pull_wish {
    const char *frames, *to, *model, *as_of;
    int copy, replace, watch, list, json, help;
    char moment[DQ_TIME_TEXT];    /* of as_of; "" for now */
    char name[128], version[128]; /* of model; "" for any */
};

struct dq_pull {
    const struct dq_pull_wish *wish;
    struct dq_pass pass;
    char *target; /* pattern of the files in the folder, absolute */
    struct dq_pull_frame *frames;
    size_t count;
    struct dq_err unjudged; /* why it is not known what is stale; code 0: it
                               is */
};

/* Read --model and --as-of: an alias becomes its version; a day or a time
 * becomes its last millisecond in UTC (local time unless it ends in Z).
 * DQ_USAGE. */
int dq_pull_wish_read(struct dq_pull_wish *wish, struct dq_err *err);

/* Look at the pass that word names. Errors as dq_pass_find and dq_pass_cut.
 * Close in every case. */
int dq_pull_open(struct dq_pull *pull, const struct dq_pull_wish *wish,
                 const char *word, struct dq_err *err);
void dq_pull_close(struct dq_pull *pull);

/* Find out what would be made otherwise now (reads the model). */
void dq_pull_judge(struct dq_pull *pull);

/* The frames in a state as a range; the caller frees it. */
void dq_pull_range(const struct dq_pull *pull, enum dq_pull_state state,
                   struct dq_range *range);

/* pull_run.c: say what is wrong, bring every frame that is wanted, and with
 * wish->watch those that come; sum up. The exit status; err is set when the
 * folder or the node cannot be written. SIGINT and SIGTERM end it after the
 * frame in hand. word: as for dq_pull_open. */
int dq_pull_run(struct dq_pull *pull, const char *word, struct dq_err *err);

/* pull_tell.c */

/* Say what is missing, stale or suspect, a line a reason. */
void dq_pull_tell_state(const struct dq_pull *pull, FILE *to);

/* "sh010: 3 pulled (2 reflink, 1 there), 1 not (1003), to /a/d.####.exr". The
 * caller frees. */
char *dq_pull_summary(const struct dq_pull *pull);

/* All of it; nuke (may be NULL) is the .nk file. New reference. */
json_t *dq_pull_json(const struct dq_pull *pull, const char *nuke, int status);

/* Write the node that reads what was pulled beside it; NULL when nothing was.
 * The caller frees the path. */
char *dq_pull_write_nuke(const struct dq_pull *pull, struct dq_err *err);

#ifdef __cplusplus
}
#endif
#endif
