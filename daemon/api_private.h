/* api_private: what the pieces of the API share. */
#ifndef DQ_DAEMON_API_PRIVATE_H
#define DQ_DAEMON_API_PRIVATE_H

#include "base/yaml.h"
#include "daemon/api.h"

/* One request on its way. */
struct dq_call {
    struct dq_api *api;
    const struct dq_http_request *request;
    struct dq_who who;
    enum dq_role role;            /* of who */
    int64_t job, frame, worker;   /* from the path */
    enum dq_task_kind kind;       /* the frame is one, or a kind without */
    const char *word;             /* the last piece of the path; lent */
    int status;                   /* of success */
    char *text;                   /* an answer that is no JSON; given away */
    struct dq_http_stream stream; /* or that has no end */
    struct dq_problems problems;  /* what is wrong with a job file */
};

/* Whether a path is of a route's pattern, in which {job}, {frame} and {worker}
 * stand for numbers, which the call receives; a frame may be `survey` or
 * `solve`. word is the last other piece. */
int dq_call_fits(struct dq_call *c, const char *pattern, const char *path);

/* Find out who asks and what they may. The status of the refusal when nobody
 * is to be heard (DQ_DENIED), else 0. */
int dq_call_take_who(struct dq_call *c, struct dq_err *err);

/* The body as an object; {} when it is empty. Members must be among keys
 * (ended by NULL). NULL: DQ_USAGE. New reference. */
json_t *dq_call_body(struct dq_call *c, const char *const *keys,
                     struct dq_err *err);

/* Items of a page. */
enum { DQ_CALL_PAGE = 100, DQ_CALL_PAGE_MOST = 1000 };

/* A query parameter that is a number; left as it is when there is none.
 * DQ_USAGE. */
int dq_call_number(const struct dq_call *c, const char *key, int64_t low,
                   int64_t high, int64_t *value, struct dq_err *err);

/* Whether something new may be taken, or DQ_FULL. */
int dq_call_has_room(const struct dq_call *c, struct dq_err *err);

/* POST /v1/jobs; GET and POST /v1/models. The answer, or NULL. */
json_t *dq_call_submit(struct dq_call *c, struct dq_err *err);
json_t *dq_call_models(struct dq_call *c, struct dq_err *err);
json_t *dq_call_know(struct dq_call *c, struct dq_err *err);

#endif
