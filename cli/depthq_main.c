/* depthq: the command. It finds the verb and hands over. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/fault.h"
#include "cli/commands.h"
#include "base/option.h"
#include "base/output.h"

/* Options before the verb; the status, or -1 for none of them. */
static int answer_option(const char *option)
{
    static const struct option options[] = {{"help", no_argument, NULL, 'h'},
                                            {"version", no_argument, NULL, 0},
                                            {NULL, 0, NULL, 0}};

    if (strcmp(option, "--help") == 0 || strcmp(option, "-h") == 0) {
        dq_help_overview();
        return 0;
    }
    if (strcmp(option, "--version") == 0) {
        puts("depthq " DQ_VERSION);
        return 0;
    }
    dq_option_unknown("depthq", option, options);
    return dq_code_exit(DQ_USAGE);
}

static int answer(int argc, char **argv)
{
    const struct dq_command *command;

    if (argc < 2) {
        fputs("depthq: which command?\nTry: depthq --help\n", stderr);
        return dq_code_exit(DQ_USAGE);
    }
    if (*argv[1] == '-')
        return answer_option(argv[1]);
    command = dq_command_find(argv[1]);
    if (!command)
        return dq_code_exit(DQ_USAGE);
    return dq_command_run(command, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    dq_fault_setup();
    return dq_output_finish("depthq", answer(argc, argv));
}
