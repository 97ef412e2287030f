/* depthq-client: the verbs that ask the daemon. A program of its own, so that
 * depthq itself starts without libcurl; depthq execs it with the verb as its
 * first word. The table is cli/commands.def. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/fault.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "base/output.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} verbs[] = {
#define DQ_CLIENT(name, function, doc, example, comment) {name, function},
#include "cli/commands.def"
};

static int answer(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(verbs[i].name, argv[1]) == 0) {
            char *who = dq_asprintf("depthq %s", argv[1]);
            int status;

            argv[1] = who;
            status = verbs[i].run(argc - 1, argv + 1);
            free(who);
            return status;
        }
    fputs("depthq-client: call it as depthq\nTry: depthq --help\n", stderr);
    return dq_code_exit(DQ_USAGE);
}

int main(int argc, char **argv)
{
    dq_fault_setup();
    return dq_output_finish("depthq", answer(argc, argv));
}
