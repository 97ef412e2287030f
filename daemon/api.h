/* api: what the daemon answers over HTTP; schemas/openapi.yaml describes it.
 *
 * Reads and changes the store alone: no storage of plates or outputs is
 * touched. What changes something is committed before it is answered. One
 * thread.
 */
#ifndef DQ_DAEMON_API_H
#define DQ_DAEMON_API_H

#include <jansson.h>
#include "daemon/access.h"
#include "daemon/crew.h"
#include "daemon/events.h"
#include "daemon/http.h"
#include "daemon/remote.h"
#include "jobs/store.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dq_api {
    struct dq_store *store;
    int64_t owner;                  /* the daemon's uid */
    const struct dq_access *access; /* who is what */
    const struct dq_remote *remote; /* who asks over TCP */
    int full;                       /* the disk is: nothing new is taken */
    struct dq_events *events;       /* told as they happen */
    struct dq_crew *crew;           /* who works */
    void *context;
    /* The store cannot commit. Does not return. */
    void (*broken)(void *context, const struct dq_err *err);
};

/* A dq_http_handler; context is a struct dq_api. */
void dq_api_handle(void *context, const struct dq_http_request *request,
                   struct dq_http_answer *answer);

/* A dq_http_admit, of TCP: whether somebody asks whom we know. */
int dq_api_admits(void *context, const struct dq_http_request *request);

#ifdef __cplusplus
}
#endif
#endif
