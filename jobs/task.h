/* task: one unit of work, and what became of it. Plain values, as they
 * travel between dispatcher and worker (daemon/wire.h).
 *
 * Kinds, in the order of their phases: a shot's `survey` (once: windows,
 * exposure); with `stabilize: shot` a `scan` of every frame of the shot (its
 * guide) and the shot's `solve` (once: every frame's scale and shift); then
 * each frame's `render`. A phase begins when the one before has settled. A
 * survey or solve that fails fails the job; a scan that fails is solved
 * without. States and legal moves are in jobs/task_states.def.
 */
#ifndef DQ_JOBS_TASK_H
#define DQ_JOBS_TASK_H

#include <stdint.h>
#include "base/err.h"
#include "base/sha256.h"

#ifdef __cplusplus
extern "C" {
#endif

enum dq_task_kind {
    DQ_TASK_SURVEY,
    DQ_TASK_SCAN,
    DQ_TASK_SOLVE,
    DQ_TASK_RENDER,
    DQ_TASK_KINDS
};

/* "survey", "scan", "solve", "render"; -1 for another word. */
const char *dq_task_kind_name(enum dq_task_kind kind);
int dq_task_kind_from_name(const char *name);
/* Whether it is of a frame: a scan or a render. */
int dq_task_has_frame(enum dq_task_kind kind);

enum dq_task_state {
#define DQ_STATE(name, word, doc) DQ_TASK_##name,
#include "jobs/task_states.def"
    DQ_TASK_STATES
};

enum dq_task_event {
#define DQ_EVENT(name, word, doc) DQ_EVENT_##name,
#include "jobs/task_states.def"
    DQ_EVENTS
};

const char *dq_task_state_name(enum dq_task_state state);
const char *dq_task_event_name(enum dq_task_event event);

/* Where an event leads from a state, or -1 when that is no legal move. */
int dq_task_move(enum dq_task_state from, enum dq_task_event event);
/* Whether nothing more happens by itself: done failed skipped eaten
 * canceled. */
int dq_task_settled(enum dq_task_state state);

/* States, events and moves as Markdown, with a diagram. Caller frees. */
char *dq_task_manual(void);

struct dq_task {
    int64_t job;
    enum dq_task_kind kind;
    int32_t frame; /* 0 for a survey and a solve */
    int attempt;   /* the fencing token: only rises */
};

/* Seconds that a frame spent in each stage (wall clock of that stage). */
struct dq_stage_times {
    double read, colour, infer, encode, publish, total;
};

struct dq_result {
    struct dq_task task;
    int code;                   /* enum dq_code */
    char text[1024];            /* the error, or "" */
    int skipped;                /* the output was right already */
    char path[4096];            /* the output file, absolute */
    char sha256[DQ_SHA256_HEX]; /* of the output file */
    char fingerprint[DQ_SHA256_HEX];
    int64_t bytes;
    char suspect[256]; /* why a person should look, or "" */
    struct dq_stage_times seconds;
    double low, high; /* least and greatest depth written */
    /* of its worker: device, instruction set, library and threads, as its hello
     * said; "" when it never said one */
    char execution[256];
};

#ifdef __cplusplus
}
#endif
#endif
