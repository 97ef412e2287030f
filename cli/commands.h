/* commands: what `depthq <word>` runs. The table is cli/commands.def. */
#ifndef DQ_CLI_COMMANDS_H
#define DQ_CLI_COMMANDS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dq_command {
    const char *name;
    int (*run)(int argc, char **argv); /* or NULL: */
    const char *program;               /* a program of the libexec folder */
    int client;                        /* of the client, which wants the verb */
    const char *doc;
    const char *example, *comment; /* or NULL */
};

extern const struct dq_command dq_commands[];
extern const size_t dq_command_count;

#define DQ_VERB(name, function, doc, example, comment) \
    int function(int argc, char **argv);
#define DQ_CLIENT(name, function, doc, example, comment) \
    int function(int argc, char **argv);
#include "cli/commands.def"

/* The command of that name, or NULL after a message on stderr with
 * did-you-mean. */
const struct dq_command *dq_command_find(const char *name);

/* Run it with the words from its name on; returns the exit status, or does
 * not return at all (a program takes over). */
int dq_command_run(const struct dq_command *command, int argc, char **argv);

/* The overview of all commands, on stdout. */
void dq_help_overview(void);

#ifdef __cplusplus
}
#endif
#endif
