/* keeper: keeps the queue's history as long as the configuration says. A round
 * a minute, in steps of a few milliseconds each. One thread: the loop's. */
#ifndef DQ_DAEMON_KEEPER_H
#define DQ_DAEMON_KEEPER_H

#include <uv.h>
#include "base/clock.h"
#include "jobs/store.h"

#ifdef __cplusplus
extern "C" {
#endif

/* All zero: for ever. */
struct dq_keep {
    int days, events;
};

/* One value of a key of the configuration: keep-days, keep-events. 0: no key
 * of ours; else 1, and DQ_USAGE says what is wrong with the value. */
int dq_keep_take(struct dq_keep *keep, const char *key, const char *text,
                 struct dq_err *err);
/* The moment before which jobs are forgotten, when it is now_ns after 1970. */
void dq_keep_before(const struct dq_keep *keep, int64_t now_ns,
                    char text[DQ_TIME_TEXT]);

struct dq_keeper;

struct dq_keeper_rule {
    uv_loop_t *loop;
    struct dq_store *store;
    struct dq_keep keep;
    void *context;
    /* The store cannot commit. Does not return. */
    void (*broken)(void *context, const struct dq_err *err);
};

struct dq_keeper *dq_keeper_new(const struct dq_keeper_rule *rule);
/* The memory goes when the loop has run once more. NULL is fine. */
void dq_keeper_close(struct dq_keeper *k);

#ifdef __cplusplus
}
#endif
#endif
