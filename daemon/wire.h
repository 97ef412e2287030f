/* wire: what dispatcher and worker tell each other, one JSON line a message.
 *
 * A socketpair; the worker has its end as descriptor 3. Every message is one
 * object with the member "m"; the table is daemon/messages.def. A line is at
 * most DQ_WIRE_MAX bytes; an over-long or malformed line ends the
 * conversation (the other side is broken).
 *
 *   to the worker: job task drop forget drain
 *   from it:       hello stage result note
 */
#ifndef DQ_DAEMON_WIRE_H
#define DQ_DAEMON_WIRE_H

#include <jansson.h>
#include <stddef.h>
#include "base/bytes.h"
#include "base/err.h"
#include "jobs/task.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DQ_WIRE_FD 3
#define DQ_WIRE_MAX ((size_t)16 << 20) /* a job carries its frame list */

/* A job as a worker needs it: the text to parse again, where it stands, the
 * whole frame list, and the model, resolved and pinned. Owned strings. */
struct dq_wire_job {
    int64_t job;
    char *yaml;
    char *file, *folder;
    char *frames; /* the job's whole list, as range text */
    char *model_path;
    char *model_sha256; /* "" : whatever the file holds */
    int anew;           /* 0 nothing, 1 the solution, 2 all that is decided for
                           the shot (infer/recipe.h) */
    int apart;          /* solve alone: guides may not have been made yet */
};
void dq_wire_job_free(struct dq_wire_job *job); /* and zero it */

enum dq_message {
#define DQ_MESSAGE(id, word, to, doc) DQ_MESSAGE_##id,
#include "daemon/messages.def"
    DQ_MESSAGES
};

struct dq_wire_hello {
    int pid;
    char version[32];
    char device[32];
    char execution[256]; /* the execution class */
    int credit;          /* tasks that may be with the worker at once */
};

struct dq_wire_stage {
    struct dq_task task;
    char stage[32];
};

struct dq_wire_note {
    char *text; /* owned */
};

/* Which message an object is by its member "m"; -1 for none of the table. */
int dq_wire_message(const json_t *message);

/* Messages as lines, newline included; the caller frees. Bytes that are no
 * UTF-8 (paths may be anything) arrive as they were. */
char *dq_wire_job_line(const struct dq_wire_job *job);
char *dq_wire_task_line(const struct dq_task *task);
char *dq_wire_drop_line(const struct dq_task *task);
char *dq_wire_forget_line(int64_t job);
char *dq_wire_drain_line(void);
char *dq_wire_hello_line(const struct dq_wire_hello *hello);
char *dq_wire_stage_line(const struct dq_task *task, const char *stage);
char *dq_wire_result_line(const struct dq_result *result);
char *dq_wire_note_line(const char *text); /* a warning for people */

/* And back. DQ_BUG with the member at fault. */
int dq_wire_read_job(const json_t *message, struct dq_wire_job *job,
                     struct dq_err *err);
int dq_wire_read_task(const json_t *message, struct dq_task *task,
                      struct dq_err *err);
int dq_wire_read_hello(const json_t *message, struct dq_wire_hello *hello,
                       struct dq_err *err);
int dq_wire_read_stage(const json_t *message, struct dq_wire_stage *stage,
                       struct dq_err *err);
int dq_wire_read_result(const json_t *message, struct dq_result *result,
                        struct dq_err *err);
int dq_wire_read_note(const json_t *message, struct dq_wire_note *note,
                      struct dq_err *err); /* the caller frees note->text */

/* Take the next whole line out of what has been received so far: its parsed
 * object (new reference), a message of the table, or NULL with err clear
 * when there is no whole line yet, or NULL with DQ_BUG when the line is no
 * message. */
json_t *dq_wire_next(struct dq_bytes *received, struct dq_err *err);

#ifdef __cplusplus
}
#endif
#endif
