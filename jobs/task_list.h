/* task_list: one job's tasks in memory; the source of `depthq run`.
 *
 * The survey first, then the scans, the solve, the renders, each phase when
 * the one before has settled and in the order of the list. A survey or solve
 * that failed for good fails all of the rest with its cause; a scan that
 * failed is gone without; when the first frames or scans fail alike, the rest
 * is not tried (jobs/source.h). One thread.
 */
#ifndef DQ_JOBS_TASK_LIST_H
#define DQ_JOBS_TASK_LIST_H

#include <stddef.h>
#include "base/range.h"
#include "jobs/source.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A task and all that is known of it. Lent; the list owns the strings. */
struct dq_list_entry {
    struct dq_task task;
    enum dq_task_state state;
    int failures;
    int suspect;
    int64_t not_before_ms;
    int code;   /* of the last failure, or DQ_OK */
    char *text; /* what it said, or NULL */
    char *path; /* the output, once known, or NULL */
    char *odd;  /* why a person should look, or NULL */
    char sha256[DQ_SHA256_HEX];
    int64_t bytes;
    double low, high;
    struct dq_stage_times seconds; /* of the attempt that settled it */
};

struct dq_list;

/* What a list is made of. */
struct dq_list_plan {
    int64_t job;
    const struct dq_range *renders; /* frames; NULL: none */
    const struct dq_range *scans;   /* frames; NULL: none */
    int32_t scan_from;              /* scans begin at this frame and go round:
                                       several runs share them so */
    int solve;                      /* whether the shot is solved */
    int retries;
};

/* A survey, then what the plan says. Never NULL. */
struct dq_list *dq_list_of(const struct dq_list_plan *plan);
/* A survey and a render of each frame, in their order. */
struct dq_list *dq_list_new(int64_t job, const struct dq_range *frames,
                            int retries);
void dq_list_free(struct dq_list *list); /* NULL is fine */

/* The list as a dispatcher's source; valid while the list lives. */
struct dq_source dq_list_source(struct dq_list *list);

/* Be told of every move out of RUNNING and of every task that fails with its
 * job, after it. result is NULL when no worker said anything. The callback
 * must not change the list. */
typedef void dq_list_watch(void *context, const struct dq_list_entry *entry,
                           const struct dq_result *result);
void dq_list_set_watch(struct dq_list *list, dq_list_watch *watch,
                       void *context);

/* Entries: the survey, the scans from the first on, the solve, the renders. */
size_t dq_list_count(const struct dq_list *list);
const struct dq_list_entry *dq_list_at(const struct dq_list *list, size_t i);

/* Where the last phase begins, which is what the list is for: the renders,
 * in a list that has some. It goes to the end. */
size_t dq_list_goal(const struct dq_list *list);

/* How many entries of the last phase are in a state. */
size_t dq_list_goals(const struct dq_list *list, enum dq_task_state state);

#ifdef __cplusplus
}
#endif
#endif
