/* worker_args: what the supervisor tells a worker on its command line. */
#ifndef DQ_DAEMON_WORKER_ARGS_H
#define DQ_DAEMON_WORKER_ARGS_H

#include <stddef.h>
#include <stdint.h>
#include "base/err.h"

struct dq_worker_args {
    const char *device;  /* "auto", "cpu", "cuda:N" */
    const char *run_id;  /* for temps' names */
    int threads;         /* of the network on the CPU; 0: all cores */
    size_t memory;       /* bytes that frames in flight may hold */
    const char *one_job; /* --one: a job file, for a debugger; else NULL */
    int32_t one_frame;
    int check; /* only tell whether it could work (daemon/worker_check.h) */
};

/* argv is borrowed. DQ_USAGE. */
int dq_worker_args_parse(int argc, char **argv, struct dq_worker_args *args,
                         struct dq_err *err);

#endif
