/* run_options: what `depthq run` is asked for on its command line. Nothing
 * here changes a pixel: that is the job file's alone. */
#ifndef DQ_CLI_RUN_OPTIONS_H
#define DQ_CLI_RUN_OPTIONS_H

#include <stddef.h>
#include <stdint.h>
#include "base/err.h"
#include "cli/progress.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What of a stabilized shot a run does; others are rendered alone. */
enum dq_run_stage {
    DQ_RUN_ALL, /* what is missing */
    DQ_RUN_SCAN,
    DQ_RUN_SOLVE,
    DQ_RUN_RENDER
};

/* Strings are borrowed from argv. */
struct dq_run_options {
    const char *job;    /* the file, "-" for standard input */
    const char *frames; /* range text, or NULL */
    const char *device; /* "auto", "cpu", "cuda:N" */
    int workers;
    int threads;   /* 0: the cores, shared by the workers */
    size_t memory; /* bytes, shared by the workers; 0: not said */
    int64_t grace_ms, patience_ms, stall_ms;
    enum dq_progress_form progress;
    enum dq_run_stage stage;
    int resolve; /* forget what was decided for the shot */
    int dry_run, json;
    int help; /* only show the help */
};

extern const char dq_run_help[];

/* DQ_USAGE. Unknown options have been told of: err.text is "" then. */
int dq_run_options_parse(int argc, char **argv, struct dq_run_options *options,
                         struct dq_err *err);

#ifdef __cplusplus
}
#endif
#endif
