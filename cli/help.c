#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "cli/commands.h"

static void list_examples(void)
{
    puts("Examples:");
    for (size_t i = 0; i < dq_command_count; i++)
        if (dq_commands[i].example)
            printf("  %-44s # %s\n", dq_commands[i].example,
                   dq_commands[i].comment);
}

static void list_commands(void)
{
    puts("\nCommands:");
    for (size_t i = 0; i < dq_command_count; i++)
        printf("  %-10s %s\n", dq_commands[i].name, dq_commands[i].doc);
}

void dq_help_overview(void)
{
    puts("depthq " DQ_VERSION ": depth EXRs from camera plates\n");
    list_examples();
    list_commands();
    puts("\n  depthq COMMAND --help   shows a command's options\n"
         "  depthq --version        shows which depthq this is\n"
         "\n"
         "Exit status: 0 all is well, 1 some frames failed, 2 wrong usage,\n"
         "  65 a job file or data is wrong, 66 an input is missing,\n"
         "  69 no device or no daemon, 73 the output cannot be made,\n"
         "  74 storage failed, 75 try again, 77 not allowed,\n"
         "  78 the installation is wrong");
}

int dq_cli_help(int argc, char **argv)
{
    char *words[] = {NULL, "--help", NULL};
    const struct dq_command *command;

    if (argc > 2) {
        fputs("depthq help: takes one command\n", stderr);
        return dq_code_exit(DQ_USAGE);
    }
    if (argc < 2 || *argv[1] == '-') {
        dq_help_overview();
        return 0;
    }
    command = dq_command_find(argv[1]);
    if (!command)
        return dq_code_exit(DQ_USAGE);
    if (command->run == dq_cli_help) {
        dq_help_overview();
        return 0;
    }
    return dq_command_run(command, 2, words);
}
