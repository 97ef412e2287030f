/* progress: how far a run is, for people and for programs.
 *
 *   bar    one line on a terminal, drawn again in place
 *   plain  one line of key=value words a frame, for logs
 *   json   the same as JSON lines
 *
 * Everything goes to one descriptor (standard error); a line is one write.
 * Plain and json say something at least once a minute, or farm engines take
 * us for hung. Times are milliseconds of one clock. One thread.
 */
#ifndef DQ_CLI_PROGRESS_H
#define DQ_CLI_PROGRESS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include "cli/pace.h"
#include "jobs/task_list.h"

#ifdef __cplusplus
extern "C" {
#endif

enum dq_progress_form {
    DQ_PROGRESS_AUTO, /* bar on a terminal that can, else plain */
    DQ_PROGRESS_BAR,
    DQ_PROGRESS_PLAIN,
    DQ_PROGRESS_JSON
};

/* DQ_PROGRESS_AUTO is decided from descriptor and TERM. */
enum dq_progress_form dq_progress_form_for(enum dq_progress_form wish, int fd);

struct dq_progress_rule {
    int fd;
    enum dq_progress_form form; /* not AUTO */
    int colour;                 /* red for failures, in the bar alone */
    const char *name;           /* of the job; lent */
    size_t frames;              /* to do in all */
    size_t scans;               /* before them */
    int workers;
};

struct dq_progress;

struct dq_progress *dq_progress_new(const struct dq_progress_rule *rule,
                                    int64_t now_ms);
/* Clears the bar. NULL is fine. */
void dq_progress_free(struct dq_progress *p);

/* Something happened to a task (a dq_list_watch's arguments): counts, and
 * tells. */
void dq_progress_task(struct dq_progress *p, const struct dq_list_entry *entry,
                      const struct dq_result *result, int64_t now_ms);

/* Tell of it without counting: for those who are told the counts.
 * entry->seconds.total < 0: its times are not known. */
void dq_progress_tell(struct dq_progress *p, const struct dq_list_entry *entry,
                      int64_t now_ms);

/* What somebody else has counted (frames). */
struct dq_progress_counts {
    size_t frames, settled, done, failed, blocked;
    size_t scans, scanned;
    int surveyed, solved;
};
void dq_progress_count(struct dq_progress *p,
                       const struct dq_progress_counts *counts, int64_t now_ms);

/* A worker is ready: on which device, of which execution class. The bar leaves
 * that to the last line. */
void dq_progress_device(struct dq_progress *p, const char *device,
                        const char *execution);

/* Tell people something; the bar makes room. level: "info", "warning",
 * "error". */
void dq_progress_say(struct dq_progress *p, const char *level, const char *fmt,
                     ...) DQ_PRINTF(3, 4);

/* The last line of a run: text for people, object (lent) for programs. */
void dq_progress_sum_up(struct dq_progress *p, const char *text,
                        const json_t *object);

/* Time has passed: draw the bar (at most ten times a second), or say that we
 * are alive. */
void dq_progress_tick(struct dq_progress *p, int64_t now_ms);

/* A run's state, from which the bar is made. */
struct dq_progress_state {
    const char *name;
    size_t frames, settled, failed;
    size_t scans, scanned; /* before the frames */
    size_t blocked;        /* wait for storage */
    int surveyed;          /* the shot has been looked at */
    int solved;            /* and what its scans tell is decided */
    double per_second;     /* frames; 0: not known yet */
    double left_s;         /* < 0: not known yet */
};

/* The bar, at most width columns, no newline. Caller frees. */
char *dq_progress_bar(const struct dq_progress_state *state, int width,
                      int colour);

/* One frame's line in plain form, no newline. Caller frees. */
char *dq_progress_plain(const struct dq_list_entry *entry);
/* And as JSON, without the time. */
char *dq_progress_json(const struct dq_list_entry *entry);

/* The same of a device. Callers free. */
char *dq_progress_device_plain(const char *device, const char *execution);
char *dq_progress_device_json(const char *device, const char *execution);

#ifdef __cplusplus
}
#endif
#endif
