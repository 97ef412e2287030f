#include "cli/commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"

const struct dq_command dq_commands[] = {
#define DQ_VERB(name, function, doc, example, comment) \
    {name, function, NULL, 0, doc, example, comment},
#define DQ_PROGRAM(name, program, doc, example, comment) \
    {name, NULL, program, 0, doc, example, comment},
#define DQ_CLIENT(name, function, doc, example, comment) \
    {name, NULL, "depthq-client", 1, doc, example, comment},
#include "cli/commands.def"
};

const size_t dq_command_count = sizeof dq_commands / sizeof *dq_commands;

static void tell_unknown(const char *name)
{
    const char *names[sizeof dq_commands / sizeof *dq_commands];
    const char *near;

    for (size_t i = 0; i < dq_command_count; i++)
        names[i] = dq_commands[i].name;
    near = dq_text_nearest(name, names, dq_command_count);
    fprintf(stderr, "depthq: there is no command '%s'", name);
    if (near)
        fprintf(stderr, " (did you mean '%s'?)", near);
    fputs("\nTry: depthq --help\n", stderr);
}

const struct dq_command *dq_command_find(const char *name)
{
    for (size_t i = 0; i < dq_command_count; i++)
        if (strcmp(dq_commands[i].name, name) == 0)
            return &dq_commands[i];
    tell_unknown(name);
    return NULL;
}

/* Become a program of our own; returns only when that fails. The client is
 * told the verb, the others have one each. argv[0] is the verb's place. */
static int become(const struct dq_command *command, int argc, char **argv)
{
    struct dq_err err = {0};
    char *path = dq_path_libexec(command->program, &err);
    char **words = dq_new_array((size_t)argc + 2, sizeof *words);
    int at = 0;

    words[at++] = path;
    if (command->client)
        words[at++] = (char *)command->name;
    memcpy(words + at, argv + 1, (size_t)(argc - 1) * sizeof *words);
    if (path) {
        execv(path, words);
        dq_fail_errno(&err, DQ_CONFIG, errno, "%s", path);
    }
    fprintf(stderr, "depthq: %s\n", err.text);
    free(words);
    free(path);
    return dq_code_exit(err.code);
}

int dq_command_run(const struct dq_command *command, int argc, char **argv)
{
    char *name;
    int status;

    if (command->program)
        return become(command, argc, argv);
    name = dq_asprintf("depthq %s", command->name);
    argv[0] = name;
    status = command->run(argc, argv);
    free(name);
    return status;
}
