/* options: what depthqd is told on its command line. */
#ifndef DQ_DAEMON_OPTIONS_H
#define DQ_DAEMON_OPTIONS_H

#include <stdint.h>
#include "base/err.h"
#include "base/yaml.h"
#include "daemon/access.h"
#include "daemon/keeper.h"
#include "daemon/remote.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { DQ_DEVICES_MOST = 64 };

struct dq_daemon_options {
    char *state, *socket;                 /* owned */
    char *named[DQ_DEVICES_MOST];         /* devices as given; owned */
    int named_count;                      /* of the named */
    const char *devices[DQ_DEVICES_MOST]; /* of each worker */
    int workers;
    int threads;
    int64_t grace_ms, stall_ms;
    int json, quiet;         /* log lines */
    struct dq_access access; /* of the file alone, as this: */
    struct dq_remote remote;
    struct dq_keep keep;
    const char *backup;          /* only copy the database there */
    char *config;                /* the file that was read, or NULL; owned */
    int check_config;            /* only tell what is wrong with it */
    struct dq_problems problems; /* of the file */
    int help, version;           /* only show that */
    int print_config;            /* only show a file */
};

extern const char dq_daemon_help[];

/* The command line, and under it the configuration file. DQ_USAGE (unknown
 * options are told already: err.text is "" then), DQ_CONFIG: no place for the
 * state is known, or problems with the file, or it cannot be read. Free in
 * every case. */
int dq_daemon_options_parse(int argc, char **argv, struct dq_daemon_options *o,
                            struct dq_err *err);
void dq_daemon_options_free(struct dq_daemon_options *o);

#ifdef __cplusplus
}
#endif
#endif
