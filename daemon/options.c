#include "daemon/options.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/option.h"
#include "base/path.h"
#include "daemon/config.h"
#include "jobs/places.h"

const char dq_daemon_help[] =
    "Examples:\n"
    "  depthqd                                 # for one person, no set-up\n"
    "  depthqd --device cuda:0 --device cuda:1 # a worker for each\n"
    "  depthqd --backup queue-copy.db          # when it does not run\n"
    "\n"
    "Usage: depthqd [OPTION]...\n"
    "\n"
    "The queue: takes jobs from depthq submit, keeps them in a database and\n"
    "has workers make their frames. What it has acknowledged outlives kills\n"
    "and power cuts. It runs in the foreground and logs to standard error.\n"
    "\n"
    "      --state FOLDER    the database; a local disk (DEPTHQ_STATE, else\n"
    "                        $XDG_STATE_HOME/depthq, ~/.local/state/depthq)\n"
    "      --socket PATH     where clients ask (in --state, else "
    "DEPTHQ_SOCKET,\n"
    "                        $XDG_RUNTIME_DIR/depthq/socket, or in the state)\n"
    "      --device DEVICE   a worker on it: cpu, cuda:N, auto; once or more\n"
    "                        (a worker for each GPU, else one on the CPU)\n"
    "      --workers N       so many workers on each device (1)\n"
    "      --threads N       of the network on the CPU, in each worker\n"
    "      --grace SECONDS   for frames in hand after SIGTERM (30)\n"
    "      --stall SECONDS   without progress until a worker is killed (600)\n"
    "      --log-json        log lines as JSON\n"
    "  -q, --quiet           only warnings\n"
    "      --config FILE     of these options in YAML (else ~/.config/depthq/\n"
    "                        depthqd.yaml or /etc/depthq/depthqd.yaml)\n"
    "      --check-config    tell what is wrong with it and exit\n"
    "      --print-config    print such a file, with comments\n"
    "      --backup FILE     copy the database into a new file and exit\n"
    "  -h, --help            show this\n"
    "      --version         show which depthqd this is\n"
    "\n"
    "SIGTERM, SIGINT: begin no more frames, finish those in hand within the\n"
    "grace time, exit 0. A second one hurries.\n"
    "\n"
    "Exit status: 0 stopped, 2 wrong usage, 74 the database is damaged, 75\n"
    "another depthqd is there, 77 not allowed, 78 the installation is wrong.\n";

enum {
    STATE = 256,
    SOCKET,
    DEVICE,
    WORKERS,
    THREADS,
    GRACE,
    STALL,
    LOG_JSON,
    BACKUP,
    CONFIG,
    CHECK_CONFIG,
    PRINT_CONFIG,
    VERSION_OF
};

static const struct option long_options[] = {
    {"state", required_argument, NULL, STATE},
    {"socket", required_argument, NULL, SOCKET},
    {"device", required_argument, NULL, DEVICE},
    {"workers", required_argument, NULL, WORKERS},
    {"threads", required_argument, NULL, THREADS},
    {"grace", required_argument, NULL, GRACE},
    {"stall", required_argument, NULL, STALL},
    {"log-json", no_argument, NULL, LOG_JSON},
    {"quiet", no_argument, NULL, 'q'},
    {"backup", required_argument, NULL, BACKUP},
    {"config", required_argument, NULL, CONFIG},
    {"check-config", no_argument, NULL, CHECK_CONFIG},
    {"print-config", no_argument, NULL, PRINT_CONFIG},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, VERSION_OF},
    {NULL, 0, NULL, 0},
};

/* ---- one option ----------------------------------------------------------*/

static int take_device(struct dq_daemon_options *o, const char *text,
                       struct dq_err *err)
{
    if (dq_option_device(text, err))
        return err->code;
    if (o->named_count == DQ_DEVICES_MOST)
        return dq_fail(err, DQ_USAGE, "at most %d devices", DQ_DEVICES_MOST);
    o->named[o->named_count++] = dq_strdup(text);
    return DQ_OK;
}

static int take_path(char **path, const char *text)
{
    free(*path);
    *path = dq_path_absolute(text);
    return DQ_OK;
}

/* An option with its value, wherever it stands. */
static int take_value(struct dq_daemon_options *o, int option, const char *text,
                      struct dq_err *err)
{
    switch (option) {
    case STATE:
        return take_path(&o->state, text);
    case SOCKET:
        return take_path(&o->socket, text);
    case DEVICE:
        return take_device(o, text, err);
    case WORKERS:
        return dq_option_count("workers", text, DQ_DEVICES_MOST, &o->workers,
                               err);
    case THREADS:
        return dq_option_count("threads", text, 1024, &o->threads, err);
    case GRACE:
        return dq_option_seconds("grace", text, &o->grace_ms, err);
    case STALL:
        return dq_option_seconds("stall", text, &o->stall_ms, err);
    default:
        return dq_fail(err, DQ_USAGE, "%s", "");
    }
}

/* What only a command line has, and flags. */
static int take(int option, struct dq_daemon_options *o, struct dq_err *err)
{
    switch (option) {
    case LOG_JSON:
        o->json = 1;
        return DQ_OK;
    case 'q':
        o->quiet = 1;
        return DQ_OK;
    case BACKUP:
        o->backup = optarg;
        return DQ_OK;
    case CONFIG:
        return take_path(&o->config, optarg);
    case CHECK_CONFIG:
        o->check_config = 1;
        return DQ_OK;
    case PRINT_CONFIG:
        o->print_config = 1;
        return DQ_OK;
    case 'h':
        o->help = 1;
        return DQ_OK;
    case VERSION_OF:
        o->version = 1;
        return DQ_OK;
    default:
        return take_value(o, option, optarg, err);
    }
}

/* ---- the file ------------------------------------------------------------*/

struct layer {
    struct dq_daemon_options *said, *file;
};

/* Values are looked at in any case: what is wrong in the file is told. */
static int take_config(void *context, const char *name, const char *text,
                       struct dq_err *err)
{
    struct layer *l = context;
    const struct option *option = long_options;

    if (dq_access_take(&l->said->access, name, text, err) ||
        dq_remote_take(&l->said->remote, name, text, err) ||
        dq_keep_take(&l->said->keep, name, text, err))
        return err->code;
    while (option->name && strcmp(option->name, name) != 0)
        option++;
    if (option->has_arg == no_argument)
        return take(option->val, l->said, err);
    return take_value(l->file, option->val, text, err);
}

static void move_text(char **to, char **from)
{
    *to = *from;
    *from = NULL;
}

/* What the command line left open is as the file says. */
static void merge(struct dq_daemon_options *o, struct dq_daemon_options *file)
{
    int placed = o->state || getenv("DEPTHQ_STATE");

    if (!placed && !o->socket && !getenv("DEPTHQ_SOCKET"))
        move_text(&o->socket, &file->socket);
    if (!placed && !o->socket &&
        (getenv("DEPTHQ_SOCKET") || getenv("RUNTIME_DIRECTORY")))
        o->socket = dq_place_socket();
    if (!placed)
        move_text(&o->state, &file->state);
    if (!o->workers)
        o->workers = file->workers;
    if (!o->threads)
        o->threads = file->threads;
    if (o->grace_ms < 0)
        o->grace_ms = file->grace_ms;
    if (o->stall_ms < 0)
        o->stall_ms = file->stall_ms;
    if (o->named_count)
        return;
    o->named_count = file->named_count;
    for (int i = 0; i < file->named_count; i++)
        move_text(&o->named[i], &file->named[i]);
}

static int read_config(struct dq_daemon_options *o, struct dq_err *err)
{
    struct dq_daemon_options file = {
        .workers = 1, .grace_ms = 30000, .stall_ms = 600000};
    struct layer layer = {o, &file};

    if (!o->config)
        o->config = dq_path_config("depthqd.yaml");
    if (o->config)
        dq_config_read(o->config, take_config, &layer, &o->problems, err);
    if (!err->code && dq_remote_check(&o->remote, err))
        dq_because(err, "%s", o->config);
    merge(o, &file);
    dq_daemon_options_free(&file);
    return err->code;
}

/* ---- devices -------------------------------------------------------------*/

/* Several GPUs get a worker each; with one or none the worker looks itself,
 * for only it knows whether its libtorch can use one. */
static int find_devices(struct dq_daemon_options *o)
{
    static const char *const names[] = {"cuda:0", "cuda:1", "cuda:2", "cuda:3",
                                        "cuda:4", "cuda:5", "cuda:6", "cuda:7"};
    glob_t found = {0};
    int count = 1;

    o->devices[0] = "auto";
    if (!getenv("CUDA_VISIBLE_DEVICES") &&
        glob("/dev/nvidia[0-9]", 0, NULL, &found) == 0 && found.gl_pathc > 1)
        for (count = 0; count < 8 && count < (int)found.gl_pathc; count++)
            o->devices[count] = names[count];
    globfree(&found);
    return count;
}

/* So many workers on each device, side by side. */
static int spread(struct dq_daemon_options *o, int devices, struct dq_err *err)
{
    int each = o->workers;

    for (int i = 0; i < devices; i++)
        o->devices[i] = o->named[i];
    if (devices == 0)
        devices = find_devices(o);
    if (devices * each > DQ_DEVICES_MOST)
        return dq_fail(err, DQ_USAGE, "at most %d workers in all",
                       DQ_DEVICES_MOST);
    for (int i = devices; i < devices * each; i++)
        o->devices[i] = o->devices[i - devices];
    o->workers = devices * each;
    return DQ_OK;
}

static int find_places(struct dq_daemon_options *o, struct dq_err *err)
{
    if (!o->socket) /* a state of its own has a socket of its own */
        o->socket =
            o->state ? dq_path_join(o->state, "socket") : dq_place_socket();
    if (!o->state)
        o->state = dq_place_state();
    if (!o->state || !o->socket)
        return dq_fail(err, DQ_CONFIG,
                       "where to? HOME is not set: give --state and --socket");
    return DQ_OK;
}

int dq_daemon_options_parse(int argc, char **argv, struct dq_daemon_options *o,
                            struct dq_err *err)
{
    struct dq_daemon_options unsaid = {.grace_ms = -1, .stall_ms = -1};
    int option;

    *o = unsaid;
    while ((option = dq_option_next("depthqd", argc, argv, ":qh",
                                    long_options)) != -1)
        if (take(option, o, err))
            return err->code;
    if (optind < argc)
        return dq_fail(err, DQ_USAGE, "what is '%s' for?", argv[optind]);
    if (o->help || o->version || o->print_config)
        return DQ_OK;
    if (read_config(o, err) || spread(o, o->named_count, err))
        return err->code;
    return find_places(o, err);
}

void dq_daemon_options_free(struct dq_daemon_options *o)
{
    for (int i = 0; i < DQ_DEVICES_MOST; i++)
        free(o->named[i]);
    dq_access_free(&o->access);
    dq_remote_free(&o->remote);
    dq_problems_free(&o->problems);
    free(o->config);
    free(o->state);
    free(o->socket);
    memset(o, 0, sizeof *o);
}
