/* autostart: a daemon for whoever has none. */
#ifndef DQ_CLI_AUTOSTART_H
#define DQ_CLI_AUTOSTART_H

#include "base/err.h"
#include "cli/client.h"

#ifdef __cplusplus
extern "C" {
#endif

/* When nobody answers at the client's socket, start the depthqd of this
 * installation there, on its own (a session of its own, its log in
 * <socket's folder>/depthqd.log), and wait until it answers, at most 30 s.
 * DQ_DAEMON names the log; DQ_CONFIG; DQ_USAGE of a client that asks a server.
 */
int dq_autostart(struct dq_client *client, struct dq_err *err);

#ifdef __cplusplus
}
#endif
#endif
