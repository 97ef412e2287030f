/* models: the verbs of `depthq models`. Private to depthq-models.
 *
 *   models_main.c      the command line
 *   models_list.c      list, show
 *   models_change.c    add, alias, retire, rm, gc
 *   models_verify.c    verify
 *   models_daemon.c    what a daemon knows of models, and telling it
 */
#ifndef DQ_CLI_MODELS_H
#define DQ_CLI_MODELS_H

#include <jansson.h>
#include "base/err.h"
#include "jobs/library.h"
#include "jobs/library_folders.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What the command line asks for. */
struct dq_models_wish {
    const char *library;     /* the folder that is changed; never NULL */
    int only;                /* --library was given: no other is looked into */
    int json;                /* one JSON value on stdout instead of text */
    int dry_run;             /* gc */
    const char *contract;    /* add: its file; NULL: inside or beside */
    const char *from_export; /* add: a folder that export_model wrote */
    const char *why;         /* retire */
    const char *device;      /* verify: "cpu", "cuda:0" */
    int older_s;             /* gc: age of what may go */
    char **words;            /* what stands after the verb */
    int count;
};

/* Each prints what it has to tell on stdout; errors are the caller's to
 * print. */
int dq_models_list(const struct dq_models_wish *wish, struct dq_err *err);
int dq_models_show(const struct dq_models_wish *wish, struct dq_err *err);
int dq_models_add(const struct dq_models_wish *wish, struct dq_err *err);
int dq_models_alias(const struct dq_models_wish *wish, struct dq_err *err);
int dq_models_retire(const struct dq_models_wish *wish, struct dq_err *err);
int dq_models_rm(const struct dq_models_wish *wish, struct dq_err *err);
int dq_models_gc(const struct dq_models_wish *wish, struct dq_err *err);
int dq_models_verify(const struct dq_models_wish *wish, struct dq_err *err);

/* The one word after the verb, or DQ_USAGE that says what it is. */
const char *dq_models_word(const struct dq_models_wish *wish, const char *what,
                           struct dq_err *err);

/* The user's name, or number. The caller frees. */
char *dq_models_user(void);

/* Everything that a library tells of a version: name, version, folder,
 * sha256, bytes, file, contract, aliases, retired, verdict. New reference. */
json_t *dq_models_describe(const char *folder, const char *name,
                           const char *version, struct dq_err *err);

/* What the daemon has counted of a name's versions, or of all (NULL): the
 * objects of GET /v1/models in an array (new reference); NULL without an error
 * when no daemon is there. */
json_t *dq_models_counted(const char *name, struct dq_err *err);

/* Those of a version with these bytes (NULL: any); NULL: none. Borrowed. */
const json_t *dq_models_count_of(const json_t *counted, const char *name,
                                 const char *version, const char *sha256);

/* Something of name is new in the library: a daemon that is there looks at it.
 * What hinders that is told on standard error and changes nothing. */
void dq_models_tell(const char *name);

#ifdef __cplusplus
}
#endif
#endif
