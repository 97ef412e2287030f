/* ask: what the verbs of the queue have in common: how their command line is
 * read, whom they talk to, and how they say what went wrong. One thread.
 *
 * A verb's options stand in its own table, with DQ_ASK_OPTIONS among them.
 */
#ifndef DQ_CLI_ASK_H
#define DQ_CLI_ASK_H

#include <jansson.h>
#include "base/option.h"
#include "cli/client.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { DQ_ASK_SOCKET = 1000, DQ_ASK_SERVER, DQ_ASK_JSON };

#define DQ_ASK_OPTIONS                                      \
    {"socket", required_argument, NULL, DQ_ASK_SOCKET},     \
        {"server", required_argument, NULL, DQ_ASK_SERVER}, \
        {"json", no_argument, NULL, DQ_ASK_JSON},           \
    {                                                       \
        "help", no_argument, NULL, 'h'                      \
    }

/* Their lines in a verb's help. */
#define DQ_ASK_HELP                                                        \
    "      --socket PATH    of the daemon (DEPTHQ_SOCKET, else its usual " \
    "place)\n"                                                             \
    "      --server HOST:PORT  ask there instead, over TCP "               \
    "(DEPTHQ_SERVER)\n"                                                    \
    "  -h, --help           show this\n"

struct dq_ask {
    const char *who; /* "depthq status" */
    struct dq_client *client;
    int json;
    char **words; /* of the command line that are no options, NULL-ended */
    int count;
};

/* A verb's manual. take gets the options that are the verb's own. */
struct dq_ask_manual {
    const char *help;
    const char *shorts; /* begins with ':' and has 'h' */
    const struct option *longs;
    int (*take)(void *context, int option, struct dq_err *err);
    void *context;
};

/* Read the command line and get ready to ask. -1: go on; else the exit
 * status: help was shown, or it was told what is wrong. Close in every case. */
int dq_ask_open(struct dq_ask *ask, int argc, char **argv,
                const struct dq_ask_manual *manual);
void dq_ask_close(struct dq_ask *ask);

/* Tell an error: words on standard error and, with --json, {"error": {"code",
 * "message", "retryable"}} on standard output. Returns its exit status. */
int dq_ask_fail(const struct dq_ask *ask, const struct dq_err *err);

/* A JSON value as one line on standard output; takes the reference. */
void dq_ask_print(json_t *value);

/* Members of the daemon's objects: "" and 0 for what is null. Lent. */
const char *dq_ask_text(const json_t *object, const char *key);
long long dq_ask_number(const json_t *object, const char *key);

/* Nothing in a text of somebody else's may command the terminal: control
 * characters and bytes of no UTF-8 become '?'. Returns text. */
char *dq_ask_safe(char *text);

#ifdef __cplusplus
}
#endif
#endif
