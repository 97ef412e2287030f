/* job_pick: which jobs of the queue a command line means.
 *
 *   12   12,15   12-20     ids, as ranges are written
 *   sh010_depth   sh0*     names, with the shell's wildcards
 *   --user me --failed     everything that is so
 *
 * Ids are taken at their word, unless a wish beside them is not theirs. Names
 * and wishes mean those jobs alone with which something can be done (the
 * caller says what). A number that is a job's name means that one, unless
 * another job has it for its id: then people are asked. One thread.
 */
#ifndef DQ_CLI_JOB_PICK_H
#define DQ_CLI_JOB_PICK_H

#include <jansson.h>
#include "base/option.h"
#include "cli/client.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dq_job_wish {
    long long uid;     /* -1: of anybody */
    const char *state; /* the job's, or NULL */
    int failed;        /* has failed frames */
    int all;           /* just all of them */
};

/* The options of a wish in a verb's table. */
enum { DQ_JOB_USER = 1100, DQ_JOB_STATE, DQ_JOB_FAILED, DQ_JOB_ALL = 'a' };

#define DQ_JOB_WISH_OPTIONS                               \
    {"user", required_argument, NULL, DQ_JOB_USER},       \
        {"state", required_argument, NULL, DQ_JOB_STATE}, \
        {"failed", no_argument, NULL, DQ_JOB_FAILED},     \
    {                                                     \
        "all", no_argument, NULL, DQ_JOB_ALL              \
    }

/* Their lines in its help, without --all: what all is, each verb says. */
#define DQ_JOB_WISH_HELP                                                    \
    "      --user WHO       jobs of a user: me, a name, a uid\n"            \
    "      --state STATE    jobs in a state: active, paused, failed, ...\n" \
    "      --failed         jobs with failed frames\n"

/* Take one of them. 1: it was one, and err says what is wrong with it. */
int dq_job_wish_take(struct dq_job_wish *wish, int option, struct dq_err *err);

/* A user's uid from "me", a number or a name. DQ_USAGE: there is none. */
int dq_user_uid(const char *word, long long *uid, struct dq_err *err);
/* And back: the name, or the number as text. The caller frees. */
char *dq_user_name(long long uid);

/* DQ_USAGE, with did-you-mean, when word is no state of jobs. */
int dq_job_state_check(const char *word, struct dq_err *err);

/* Whether a wish was uttered at all. */
int dq_job_wish_any(const struct dq_job_wish *wish);

/* The jobs (the API's objects, oldest first, each once) that words mean, or
 * the wish when there is no word; a wish beside words narrows what they mean.
 * fits may be NULL. Of ids that no job has missing says so (DQ_MISSING) while
 * there is another job that words mean; NULL: any is an error. NULL:
 * DQ_MISSING no such job, DQ_USAGE neither words nor wish, or a number that
 * may mean two, or what the daemon said. */
json_t *dq_job_pick(struct dq_client *client, char *const *words,
                    const struct dq_job_wish *wish,
                    int (*fits)(const json_t *job), struct dq_err *missing,
                    struct dq_err *err);

/* One job by its word; the newest when several have the name. */
json_t *dq_job_pick_one(struct dq_client *client, const char *word,
                        struct dq_err *err);

/* Whether a job (the API's object) came to its end. */
int dq_job_is_over(const json_t *job);

#ifdef __cplusplus
}
#endif
#endif
