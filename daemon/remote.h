/* remote: asking over TCP, when the configuration says so. Who asks is told by
 * a token, which stands in a file that only the daemon may read; the Host of a
 * request must be a name of ours, so that no web page reaches us through a
 * name of its own (DNS rebinding). Nothing is encrypted. One thread. */
#ifndef DQ_DAEMON_REMOTE_H
#define DQ_DAEMON_REMOTE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include "daemon/access.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { DQ_TOKEN_LEAST = 32, DQ_TOKEN_MOST = 256 };

/* All zero: nobody may ask so. */
struct dq_remote {
    char *listen; /* "127.0.0.1:8630", "[::1]:8630" */
    char **hosts; /* names, without ports */
    size_t host_count;
    struct dq_token {
        char *text;
        int64_t uid;
        enum dq_role role;
    } * tokens;
    size_t token_count;
};

/* One value of a key of the configuration: listen (ADDRESS:PORT), hosts (a
 * name), tokens (a file of lines `USER ROLE TOKEN`). 0: no key of ours; else 1,
 * and DQ_USAGE says what is wrong with the value, DQ_DENIED with the file. */
int dq_remote_take(struct dq_remote *r, const char *key, const char *text,
                   struct dq_err *err);
/* Whether what it says goes together: DQ_CONFIG. */
int dq_remote_check(const struct dq_remote *r, struct dq_err *err);
void dq_remote_free(struct dq_remote *r);

/* The address of "127.0.0.1:8630" or "[::1]:8630"; its size. 0: it is none. */
socklen_t dq_remote_address(const char *text, struct sockaddr_storage *address);

/* Whether that address is of this machine's loopback. */
int dq_remote_is_local(const char *listen);

/* Whether a Host header (NULL: none) is a name of ours. Without `hosts` those
 * are the address that we listen on, and localhost with a loopback one. */
int dq_remote_is_ours(const struct dq_remote *r, const char *host);

/* Whose token an Authorization header ("Bearer TOKEN"; NULL: none) has, or
 * NULL. */
const struct dq_token *dq_remote_who(const struct dq_remote *r,
                                     const char *authorization);

#ifdef __cplusplus
}
#endif
#endif
