/* child: one exec'd worker process, as its supervisor sees it.
 *
 * A socketpair is its descriptor 3 (daemon/wire.h); standard input is
 * /dev/null; what it prints arrives line by line. It dumps no core. All
 * callbacks come from the loop's thread. The process must ignore SIGPIPE.
 * `gone` is the last one: the process is reaped, and everything that it said
 * before has been delivered.
 */
#ifndef DQ_DAEMON_CHILD_H
#define DQ_DAEMON_CHILD_H

#include <jansson.h>
#include <uv.h>
#include "base/err.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dq_child_end {
    int pid;
    int signal;         /* that ended it, or 0 */
    int status;         /* its exit status, when no signal did */
    const char *words;  /* the last lines it printed, "" for none; lent */
    const char *broken; /* why we ended the conversation, or NULL; lent */
};

struct dq_child_rule {
    uv_loop_t *loop;
    char **argv; /* argv[0] is the program's path; lent */
    int threads; /* OMP_NUM_THREADS; 0: not set */
    void *context;
    void (*message)(void *context, const json_t *message);
    void (*closing)(void *context); /* it will say nothing more */
    void (*words)(void *context, const char *line); /* no newline */
    void (*gone)(void *context, const struct dq_child_end *end);
};

struct dq_child;

/* Start it. NULL with DQ_CONFIG when it cannot be executed, DQ_MEMORY when
 * the machine has no room for another process. It frees itself after gone;
 * the loop must run on until then. */
struct dq_child *dq_child_start(const struct dq_child_rule *rule,
                                struct dq_err *err);

/* Send a line; the child takes it and frees it. A process that is ending
 * does not get it. */
void dq_child_send(struct dq_child *child, char *line);

/* SIGKILL; gone follows. */
void dq_child_kill(struct dq_child *child);

/* End the conversation: the other side is broken. As kill, with the reason
 * for the obituary. */
void dq_child_break(struct dq_child *child, const char *why);

int dq_child_pid(const struct dq_child *child);

#ifdef __cplusplus
}
#endif
#endif
