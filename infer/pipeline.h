/* pipeline: frames from plates to published depth files, stages overlapped.
 *
 *   submitted -> [readers] -> [inference] -> [writers] -> settled
 *     plate to picture    picture to answers   merge, encode, publish
 *
 * A fixed set of tickets goes round. Every queue has room for all of them, so
 * only taking a free ticket waits; memory is bounded by tickets and by the
 * byte budget, not by the shot's length. Errors travel in the ticket: one
 * frame's failure is never another's. R reader threads, one inference
 * thread (which alone touches the network), W writer threads.
 */
#ifndef DQ_INFER_PIPELINE_H
#define DQ_INFER_PIPELINE_H

#include <stddef.h>
#include <stdint.h>
#include "base/err.h"
#include "base/sha256.h"
#include "infer/backend.h"
#include "infer/recipe.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One task. Of the whole shot (frame is ignored): survey its plates, or solve
 * it from its guides; of a frame: scan it (make its guide), or render it. The
 * recipe is lent until it has settled. */
enum dq_work { DQ_WORK_RENDER, DQ_WORK_SURVEY, DQ_WORK_SCAN, DQ_WORK_SOLVE };

struct dq_request {
    const struct dq_recipe *recipe;
    enum dq_work work;
    int32_t frame;
    int attempt;
};

/* Wall seconds of each stage; zero for stages not reached. */
struct dq_stage_seconds {
    double read, colour, infer, encode, publish, total;
};

struct dq_outcome {
    struct dq_err err; /* code DQ_OK when it is done or skipped */
    int skipped;       /* the output was right already */
    char *path;        /* the output (survey, solve: shot.json; scan: the
                          guide); borrowed */
    char sha256[DQ_SHA256_HEX];
    char fingerprint[DQ_SHA256_HEX];
    int64_t bytes;
    char suspect[256]; /* why a person should look, or "" */
    double low, high;  /* least and greatest depth written */
    struct dq_stage_seconds seconds;
};

struct dq_pipeline_rule {
    struct dq_device device;
    int readers, writers; /* threads; at least 1 each */
    int tickets;          /* frames in flight; at least 1 */
    size_t memory;        /* bytes that frames in flight may hold; 0: any */
    const char *run_id;   /* for temps' names: letters, digits, '-' */

    /* Called from the pipeline's threads; must not wait on the pipeline. */
    void *context;
    void (*stage)(void *context, const struct dq_request *request,
                  const char *stage); /* "read" "infer" "write" begins; of a
                                        survey or solve, often, with what it
                                        goes on: "plate 1010", "solve" */
    void (*settled)(void *context, const struct dq_request *request,
                    const struct dq_outcome *outcome);
    void (*note)(void *context, const char *text); /* a warning, the first of
                                                      its job */
};

struct dq_pipeline;

/* Start the threads. Never NULL. The rule is copied, run_id borrowed. The
 * network is loaded when the first frame needs it. */
struct dq_pipeline *dq_pipeline_new(const struct dq_pipeline_rule *rule);

/* Hand over a task; waits when as many as there are tickets are waiting
 * before this one. Tasks start in the order given. One thread. */
void dq_pipeline_submit(struct dq_pipeline *pipeline,
                        const struct dq_request *request);

/* Forget a render task that no reader has begun; true when it was there (it
 * settles with DQ_STOPPED). */
int dq_pipeline_drop(struct dq_pipeline *pipeline,
                     const struct dq_request *request);

/* Settle all that was submitted, end the threads, free everything. */
void dq_pipeline_finish(struct dq_pipeline *pipeline);

#ifdef __cplusplus
}
#endif
#endif
