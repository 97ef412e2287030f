/* feed: knows when something has happened in the queue, for who waits for it:
 * the daemon's live events (GET /v1/events). What happened is asked for as
 * ever; a feed saves asking while nothing has. One thread.
 */
#ifndef DQ_CLI_FEED_H
#define DQ_CLI_FEED_H

#include "cli/client.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dq_feed;

/* Of one job or (0) of all. Nothing is asked yet; the client must outlive
 * it. */
struct dq_feed *dq_feed_new(struct dq_client *client, long long job);
void dq_feed_free(struct dq_feed *feed); /* NULL is fine */

/* Wait at least least_ms, so that whoever looks after each return does not
 * look too often, and until it is time to look: something has happened since
 * the last return, or may have. At most most_ms: 0, nothing has.
 *
 * A connection that is new has missed what was before, so one looks once. As
 * long as there is none (a daemon that is gone, too old, or has too many
 * listeners) anything may have happened: one looks again and again. */
int dq_feed_wait(struct dq_feed *feed, int least_ms, int most_ms);

#ifdef __cplusplus
}
#endif
#endif
