/* depthq schema: the JSON Schema of a kind of file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "cli/commands.h"
#include "base/option.h"
#include "jobs/spec.h"

static const char help[] =
    "Example:\n"
    "  depthq schema > job.schema.json\n"
    "  # then, as the first line of shot.yaml:\n"
    "  # yaml-language-server: $schema=job.schema.json\n"
    "\n"
    "Usage: depthq schema [job]\n"
    "\n"
    "Prints the JSON Schema (draft-07) of job files. It knows every key, its\n"
    "type, range and default; rules that bind several keys are told by\n"
    "`depthq validate` alone.\n"
    "\n"
    "  -h, --help    show this\n";

static int usage(const char *what)
{
    fprintf(stderr,
            "depthq schema: there is no schema of '%s'; there is: job\n", what);
    return dq_code_exit(DQ_USAGE);
}

int dq_cli_schema(int argc, char **argv)
{
    static const struct option options[] = {{"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int option = dq_option_next("depthq schema", argc, argv, ":h", options);
    char *schema;

    if (option == 'h') {
        fputs(help, stdout);
        return 0;
    }
    if (option == '?')
        return dq_code_exit(DQ_USAGE);
    if (optind < argc && strcmp(argv[optind], "job") != 0)
        return usage(argv[optind]);
    if (optind + 1 < argc)
        return usage(argv[optind + 1]);
    schema = dq_spec_schema();
    fputs(schema, stdout);
    free(schema);
    return 0;
}
