/* Who asks, and what they may. */
#include <stdlib.h>

#include "daemon/api_private.h"

/* Of the socket: the peer's uid, and what the configuration makes of it. */
static void take_peer(struct dq_call *c)
{
    size_t count = 0;
    gid_t *groups = dq_http_groups(c->request, &count);

    c->who.uid = c->request->uid;
    c->who.pid = c->request->pid;
    c->role = dq_access_role(c->api->access, c->api->owner, c->who.uid, groups,
                             count);
    free(groups);
}

/* Of TCP: whose token it is. The status of the refusal, or 0. */
static int take_remote(struct dq_call *c, struct dq_err *err)
{
    const struct dq_remote *remote = c->api->remote;
    const char *host = dq_http_header(c->request, "Host");
    const struct dq_token *token =
        dq_remote_who(remote, dq_http_header(c->request, "Authorization"));

    if (!dq_remote_is_ours(remote, host)) {
        dq_fail(err, DQ_DENIED,
                "'%.100s' is no name of this machine (hosts in depthqd's "
                "configuration)",
                host ? host : "");
        return 403;
    }
    if (!token) {
        dq_fail(err, DQ_DENIED,
                "%s: send Authorization: Bearer TOKEN, one of those in "
                "depthqd's file of tokens",
                dq_http_header(c->request, "Authorization")
                    ? "this token is not known"
                    : "a token is wanted");
        return 401;
    }
    c->who.uid = token->uid;
    c->role = token->role;
    return 0;
}

int dq_call_take_who(struct dq_call *c, struct dq_err *err)
{
    int refused = 0;

    if (c->request->is_remote)
        refused = take_remote(c, err);
    else
        take_peer(c);
    c->who.all = dq_role_may(c->role, DQ_RIGHT_TOUCH, 0);
    if (!dq_role_may(c->role, DQ_RIGHT_EXCEED, 0)) {
        c->who.jobs_most = c->api->access->jobs_most;
        c->who.frames_most = c->api->access->frames_most;
    }
    return refused;
}

int dq_api_admits(void *context, const struct dq_http_request *request)
{
    struct dq_call c = {.api = context, .request = request};
    struct dq_err err = {0};

    return dq_call_take_who(&c, &err) == 0;
}
