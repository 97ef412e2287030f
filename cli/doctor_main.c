/* depthq-doctor: what is wrong with this installation, and how to mend it. Run
 * by `depthq doctor`. It links SQLite and libcurl, which depthq does not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/option.h"
#include "cli/doctor.h"
#include "base/output.h"

static const char help[] =
    "Examples:\n"
    "  depthq doctor                          # as you would use it\n"
    "  sudo -u depthq depthq doctor --state /var/lib/depthq\n"
    "  depthq doctor --json                   # for programs\n"
    "\n"
    "Usage: depthq doctor [OPTION]...\n"
    "\n"
    "Looks at programs, configuration, state, database, daemon, workers,\n"
    "models, outputs and the system, and says what is wrong and how to mend\n"
    "it: a line each, ok, note, warn or wrong. Changes nothing. What only the\n"
    "daemon's user may see, only that user is told.\n"
    "\n"
    "      --state FOLDER   of the daemon, as depthqd has it\n"
    "      --socket PATH    where it answers (DEPTHQ_SOCKET, else its usual\n"
    "                       place)\n"
    "      --config FILE    of depthqd\n"
    "      --json           {\"findings\": [{\"check\", \"level\", \"text\",\n"
    "                       \"todo\", \"code\"}], ...}\n"
    "  -h, --help           show this\n"
    "\n"
    "Exit status: 0 nothing is wrong (there may be warnings), else that of "
    "the\n"
    "first that is: 65 a model, 69 no daemon or device, 73 or 77 a folder, 74\n"
    "the database, 75 no room, 78 the installation or its configuration.\n";

enum { STATE = 256, SOCKET, CONFIG, JSON };

static const struct option long_options[] = {
    {"state", required_argument, NULL, STATE},
    {"socket", required_argument, NULL, SOCKET},
    {"config", required_argument, NULL, CONFIG},
    {"json", no_argument, NULL, JSON},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0}};

/* DQ_USAGE, after a message. */
static int take_options(int argc, char **argv, struct dq_doctor *d,
                        int *asks_help)
{
    int option;

    while ((option = dq_option_next("depthq doctor", argc, argv, ":h",
                                    long_options)) != -1) {
        if (option == '?')
            return DQ_USAGE;
        if (option == STATE)
            d->state_said = optarg;
        if (option == SOCKET)
            d->socket_said = optarg;
        if (option == CONFIG)
            d->config_said = optarg;
        d->json |= option == JSON;
        *asks_help |= option == 'h';
    }
    if (optind == argc)
        return DQ_OK;
    fprintf(stderr,
            "depthq doctor: what is '%s' for?\nTry: depthq doctor --help\n",
            argv[optind]);
    return DQ_USAGE;
}

enum { DISK_S = 60, DEVICE_S = 300, FOLDERS_S = 20, MODELS_S = 600 };

static int examine(struct dq_doctor *d)
{
    int status;

    d->findings = json_array();
    dq_doctor_programs(d);
    dq_doctor_config(d);
    dq_doctor_environment(d);
    dq_doctor_daemon(d);
    dq_doctor_remote(d);
    dq_doctor_apart(d, "roots", dq_doctor_roots, FOLDERS_S);
    dq_doctor_scratch(d);
    dq_doctor_apart(d, "state", dq_doctor_state, DISK_S);
    dq_doctor_scratch_end(d);
    dq_doctor_apart(d, "outputs", dq_doctor_outputs, FOLDERS_S);
    dq_doctor_apart(d, "worker", dq_doctor_worker, DEVICE_S);
    dq_doctor_apart(d, "models", dq_doctor_models, MODELS_S);
    dq_doctor_limits(d);
    dq_doctor_clock(d);
    dq_doctor_service(d);
    status = dq_doctor_sum_up(d);
    json_decref(d->findings);
    dq_daemon_options_free(&d->daemon);
    free(d->state);
    free(d->socket);
    return status;
}

static int answer(int argc, char **argv)
{
    struct dq_doctor d = {.to = -1, .daemon_uid = -1};
    int asks_help = 0;

    if (take_options(argc, argv, &d, &asks_help))
        return dq_code_exit(DQ_USAGE);
    if (!asks_help)
        return examine(&d);
    fputs(help, stdout);
    return 0;
}

int main(int argc, char **argv)
{
    dq_log_setup("depthq", DQ_LOG_WARN, DQ_LOG_TEXT);
    return dq_output_finish("depthq doctor", answer(argc, argv));
}
