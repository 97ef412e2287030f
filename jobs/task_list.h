/* task_list: one job's tasks in memory; the source of `depthq run`.
 *
 * The survey first; the renders wait for it and then go in order.
 * A survey that failed for good fails them all with its cause. One thread.
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

/* A survey and a render of each frame (they are sorted, and run in that order).
 * Never NULL. */
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

/* Entries: 0 is the survey, then the renders in order. */
size_t dq_list_count(const struct dq_list *list);
const struct dq_list_entry *dq_list_at(const struct dq_list *list, size_t i);

/* How many renders are in a state. */
size_t dq_list_renders(const struct dq_list *list, enum dq_task_state state);

#ifdef __cplusplus
}
#endif
#endif
