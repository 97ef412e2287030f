/* spec: a job file, parsed and checked. Text only: no storage is touched.
 *
 * The table of keys is jobs/job_fields.def; parser, defaults, JSON Schema,
 * documentation and fingerprint are made from it. A spec never changes once
 * parsed; any thread may read it.
 */
#ifndef DQ_JOBS_SPEC_H
#define DQ_JOBS_SPEC_H

#include <stddef.h>
#include "base/bytes.h"
#include "base/err.h"
#include "base/range.h"
#include "base/sequence.h"
#include "base/yaml.h"

#ifdef __cplusplus
extern "C" {
#endif

/* DQ_MODE_SEPARATE, DQ_COMPRESSION_ZIPS ...: jobs/job_choices.def. */
enum dq_spec_mode {
#define DQ_MODE_CHOICE(name, word, doc) name,
#include "jobs/job_choices.def"
};
enum dq_spec_type {
#define DQ_TYPE_CHOICE(name, word, doc) name,
#include "jobs/job_choices.def"
};
enum dq_spec_compression {
#define DQ_COMPRESSION_CHOICE(name, word, doc) name,
#include "jobs/job_choices.def"
};
enum dq_spec_existing {
#define DQ_EXISTING_CHOICE(name, word, doc) name,
#include "jobs/job_choices.def"
};
enum dq_spec_kind {
#define DQ_KIND_CHOICE(name, word, doc) name,
#include "jobs/job_choices.def"
};
enum dq_spec_tonemap {
#define DQ_TONEMAP_CHOICE(name, word, doc) name,
#include "jobs/job_choices.def"
};
enum dq_spec_switch {
#define DQ_ALIGN_CHOICE(name, word, doc) name,
#include "jobs/job_choices.def"
};
enum dq_spec_stabilize {
#define DQ_STABILIZE_CHOICE(name, word, doc) name,
#include "jobs/job_choices.def"
};

struct dq_spec {
    int format;   /* 1 */
    char *file;   /* absolute path of the job file, or "-" */
    char *folder; /* absolute; relative paths start here */
    char *name;
    struct dq_sequence plate;
    struct dq_range frames; /* empty: every frame on disk */
    char *model;            /* as written */
    struct {
        struct dq_sequence path;
        enum dq_spec_mode mode;
        char *channel;
        enum dq_spec_type type;
        enum dq_spec_compression compression;
        enum dq_spec_existing existing;
        int mask;
        int replace_channel;
    } output;
    struct {
        enum dq_spec_kind kind;
        double near, far; /* 0: not given */
    } depth;
    struct {
        char *part, *view, *layer; /* NULL: not given */
        char *colorspace;          /* "auto" or a name */
        int exposure_auto;
        double exposure; /* EV, when not auto */
        enum dq_spec_tonemap tonemap;
    } input;
    struct {
        int size; /* pixels; 0 auto; -1 whole */
        double overlap;
        int batch; /* 0 auto */
        enum dq_spec_switch align;
    } tiles;
    enum dq_spec_stabilize stabilize;
    int priority;
    int retries;
};

/* Parse a job file's text. NULL when anything is wrong: problems then holds
 * all of it, in the order of lines. file and folder as in the struct (file
 * is only for the default name). The caller frees. */
struct dq_spec *dq_spec_parse(const char *text, size_t bytes, const char *file,
                              const char *folder, struct dq_problems *problems);
void dq_spec_free(struct dq_spec *spec); /* NULL is fine */

/* Read and parse a job file ("-": standard input, folder is the working
 * one). NULL: err says it in one line, problems (when DQ_SPEC) in full. */
struct dq_spec *dq_spec_read(const char *path, struct dq_problems *problems,
                             struct dq_err *err);

/* As dq_spec_read; text receives what was read, for messages that show the
 * line. It may hold something from before; the caller frees it. */
struct dq_spec *dq_spec_read_text(const char *path, struct dq_bytes *text,
                                  struct dq_problems *problems,
                                  struct dq_err *err);

/* The fields that change pixels, one canonical `key=value` line each in the
 * table's order, defaults written out, no paths: what a fingerprint covers.
 * The caller frees. */
char *dq_spec_pixels_text(const struct dq_spec *spec);

/* The same of the section `input` alone: what decides how the network sees a
 * plate. The caller frees. */
char *dq_spec_input_text(const struct dq_spec *spec);

/* The JSON Schema (draft-07) of a job file; made from the table. */
char *dq_spec_schema(void);

/* Every key with type, default and meaning, as Markdown. */
char *dq_spec_manual(void);

#ifdef __cplusplus
}
#endif
#endif
