/* doctor: what depthq-doctor finds, and how it is told. One finding a line:
 *
 *   wrong  daemon  nobody answers at /run/depthq/socket — start it: depthqd
 *
 * Every check says something, if only that all is well. Checks change nothing.
 * Those that look at storage or drivers run in a process of their own with a
 * time limit: what hangs there is a finding, too. One thread.
 */
#ifndef DQ_CLI_DOCTOR_H
#define DQ_CLI_DOCTOR_H

#include <jansson.h>
#include <stdint.h>
#include "base/err.h"
#include "daemon/options.h"

#ifdef __cplusplus
extern "C" {
#endif

enum dq_doctor_level {
    DQ_DOCTOR_OK,
    DQ_DOCTOR_NOTE,
    DQ_DOCTOR_WARN,
    DQ_DOCTOR_WRONG
};

struct dq_doctor {
    /* from the command line, or NULL; lent */
    const char *state_said, *socket_said, *config_said;
    int json;

    struct dq_daemon_options daemon; /* as a depthqd started here has them */
    char *state, *socket; /* where it works, where clients ask; or NULL */
    int expected;         /* somebody wants a queue here */
    int answers;          /* it does, at the socket */
    int64_t daemon_uid;   /* whose it is, once it answers */

    json_t *findings;
    int wrong, warnings;
    int code;      /* of the first that is wrong, DQ_DAEMON behind all others */
    int to;        /* in a process of its own: where findings go; else -1 */
    char *scratch; /* a folder for copies, or NULL: */
    struct dq_err no_scratch; /* why there is none */
};

/* Tell a finding of a check. code is of what is wrong, else DQ_OK; todo is what
 * to do about it, or NULL; then what was found. */
void dq_doctor_say(struct dq_doctor *d, enum dq_doctor_level level, int code,
                   const char *check, const char *todo, const char *fmt, ...)
    DQ_PRINTF(6, 7);

/* Run a check in a process of its own, which has so many seconds. */
void dq_doctor_apart(struct dq_doctor *d, const char *check,
                     void (*look)(struct dq_doctor *d), int seconds);

/* A folder of its own in $TMPDIR (/tmp) for what a check writes, and its end
 * with all in it: a check that was cut off leaves nothing there. */
void dq_doctor_scratch(struct dq_doctor *d);
void dq_doctor_scratch_end(struct dq_doctor *d);

/* All findings are told: the last line, or the document. The exit status. */
int dq_doctor_sum_up(struct dq_doctor *d);

/* ---- the checks ----------------------------------------------------------*/

/* doctor_config.c */
void dq_doctor_config(struct dq_doctor *d); /* first: finds the places */
void dq_doctor_roots(struct dq_doctor *d);
void dq_doctor_remote(struct dq_doctor *d); /* after the daemon's */

/* doctor_environment.c */
void dq_doctor_environment(struct dq_doctor *d);

/* doctor_place.c */
void dq_doctor_state(struct dq_doctor *d); /* the folder and the database */
/* Whether a folder could be written to, as a worker makes it when it is not
 * there, with room on its disk; DQ_OK, DQ_DENIED, DQ_CREATE, DQ_FULL. *bytes:
 * what is free. */
int dq_doctor_folder(const char *path, int64_t *bytes, struct dq_err *err);

/* doctor_daemon.c */
void dq_doctor_daemon(struct dq_doctor *d); /* socket, version, workers */
void dq_doctor_outputs(struct dq_doctor *d);

/* doctor_work.c */
void dq_doctor_programs(struct dq_doctor *d);
void dq_doctor_worker(struct dq_doctor *d);
void dq_doctor_models(struct dq_doctor *d);

/* doctor_system.c */
void dq_doctor_limits(struct dq_doctor *d);
void dq_doctor_clock(struct dq_doctor *d);
void dq_doctor_service(struct dq_doctor *d);
/* The systemd unit of depthqd that counts, or NULL. The caller frees. */
char *dq_doctor_unit(void);

#ifdef __cplusplus
}
#endif
#endif
