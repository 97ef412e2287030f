#include "cli/run_options.h"

#include <string.h>

#include "base/text.h"
#include "base/option.h"

const char dq_run_help[] =
    "Examples:\n"
    "  depthq run shot.yaml                       # the whole shot, here\n"
    "  depthq run shot.yaml --dry-run             # what would be done\n"
    "  depthq run shot.yaml --frames 1001-1010    # a chunk, as engines do\n"
    "  depthq run shot.yaml --device cuda:1 --json > result.json\n"
    "\n"
    "Usage: depthq run [OPTION]... JOB\n"
    "\n"
    "Makes the depth frames of a job on this machine, without a queue. Frames\n"
    "that are there and right are skipped, so running again is safe. JOB is a\n"
    "job file, - for standard input.\n"
    "\n"
    "      --frames RANGE      only these of the job's frames: "
    "1001-1100x2,1205\n"
    "      --stage STAGE       of a stabilized shot: scan (these frames), "
    "solve,\n"
    "                          render; without it, whatever is missing\n"
    "      --resolve           decide anew what was decided for the shot: "
    "exposure,\n"
    "                          range, every frame's scale and shift (with "
    "--stage\n"
    "                          solve these alone, from the guides that are "
    "there);\n"
    "                          what was decided stays until the new is "
    "there;\n"
    "                          frames that it changes are made again\n"
    "  -n, --dry-run           tell what would be done and do nothing\n"
    "      --json              a JSON document about every frame on standard\n"
    "                          output at the end\n"
    "      --progress FORM     auto (a bar on a terminal), bar, plain (a line\n"
    "                          a frame), json (JSON lines); on standard error\n"
    "      --device DEVICE     auto, cpu, cuda:N\n"
    "      --workers N         worker processes (1)\n"
    "      --threads N         of the network on the CPU, in each worker (the\n"
    "                          cores, shared by the workers)\n"
    "      --memory SIZE       that frames in flight may hold in all: 8G\n"
    "      --grace SECONDS     for frames in hand after a signal (30)\n"
    "      --patience SECONDS  to wait for room when storage is full (900)\n"
    "      --stall SECONDS     without progress until a worker is killed\n"
    "                          (600; three times that for its first frame)\n"
    "  -h, --help              show this\n"
    "\n"
    "SIGTERM, SIGINT, SIGUSR1: begin no more frames, finish those in hand\n"
    "within the grace time, exit 75. A second one hurries.\n"
    "\n"
    "Exit status: 0 every frame is right on disk, 1 some frames failed and\n"
    "the rest are safe, 75 what is missing is worth another run, 2 wrong\n"
    "usage, 65 the job, a plate or the model is wrong, 66 an input is\n"
    "missing, 69 no device, 73 the output cannot be made, 74 storage failed,\n"
    "77 not allowed, 78 the installation is wrong.\n";

enum run_option {
    FRAMES = 256,
    STAGE,
    RESOLVE,
    JSON,
    PROGRESS,
    DEVICE,
    WORKERS,
    THREADS,
    MEMORY,
    GRACE,
    PATIENCE,
    STALL
};

static const struct option long_options[] = {
    {"frames", required_argument, NULL, FRAMES},
    {"stage", required_argument, NULL, STAGE},
    {"resolve", no_argument, NULL, RESOLVE},
    {"dry-run", no_argument, NULL, 'n'},
    {"json", no_argument, NULL, JSON},
    {"progress", required_argument, NULL, PROGRESS},
    {"device", required_argument, NULL, DEVICE},
    {"workers", required_argument, NULL, WORKERS},
    {"threads", required_argument, NULL, THREADS},
    {"memory", required_argument, NULL, MEMORY},
    {"grace", required_argument, NULL, GRACE},
    {"patience", required_argument, NULL, PATIENCE},
    {"stall", required_argument, NULL, STALL},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* ---- one option ----------------------------------------------------------*/

static int take_progress(enum dq_progress_form *form, struct dq_err *err)
{
    static const char *const words[] = {"auto", "bar", "plain", "json"};

    for (int i = 0; i < 4; i++)
        if (strcmp(words[i], optarg) == 0) {
            *form = (enum dq_progress_form)i;
            return DQ_OK;
        }
    return dq_fail(err, DQ_USAGE,
                   "--progress is auto, bar, plain or json, not '%s'", optarg);
}

static int take_stage(enum dq_run_stage *stage, struct dq_err *err)
{
    static const char *const words[] = {"all", "scan", "solve", "render"};

    for (int i = 0; i < 4; i++)
        if (strcmp(words[i], optarg) == 0) {
            *stage = (enum dq_run_stage)i;
            return DQ_OK;
        }
    return dq_fail(err, DQ_USAGE,
                   "--stage is scan, solve, render or all, not '%s'", optarg);
}

static int take_memory(size_t *memory, struct dq_err *err)
{
    if (dq_text_size(optarg, memory) || *memory < (size_t)16 << 20)
        return dq_fail(err, DQ_USAGE,
                       "--memory is a size from 16M on, not '%s'", optarg);
    return DQ_OK;
}

static int take(int option, struct dq_run_options *o, struct dq_err *err)
{
    switch (option) {
    case FRAMES:
        o->frames = optarg;
        return DQ_OK;
    case STAGE:
        return take_stage(&o->stage, err);
    case RESOLVE:
        o->resolve = 1;
        return DQ_OK;
    case 'n':
        o->dry_run = 1;
        return DQ_OK;
    case JSON:
        o->json = 1;
        return DQ_OK;
    case PROGRESS:
        return take_progress(&o->progress, err);
    case DEVICE:
        o->device = optarg;
        return dq_option_device(optarg, err);
    case WORKERS:
        return dq_option_count("workers", optarg, 256, &o->workers, err);
    case THREADS:
        return dq_option_count("threads", optarg, 1024, &o->threads, err);
    case MEMORY:
        return take_memory(&o->memory, err);
    case GRACE:
        return dq_option_seconds("grace", optarg, &o->grace_ms, err);
    case PATIENCE:
        return dq_option_seconds("patience", optarg, &o->patience_ms, err);
    case STALL:
        return dq_option_seconds("stall", optarg, &o->stall_ms, err);
    case 'h':
        o->help = 1;
        return DQ_OK;
    default:
        return dq_fail(err, DQ_USAGE, "%s", "");
    }
}

int dq_run_options_parse(int argc, char **argv, struct dq_run_options *options,
                         struct dq_err *err)
{
    struct dq_run_options fresh = {.device = "auto",
                                   .workers = 1,
                                   .grace_ms = 30000,
                                   .patience_ms = 900000,
                                   .stall_ms = 600000};
    int option;

    *options = fresh;
    while ((option = dq_option_next("depthq run", argc, argv, ":nh",
                                    long_options)) != -1)
        if (take(option, options, err))
            return err->code;
    if (options->help)
        return DQ_OK;
    if (options->resolve &&
        (options->stage == DQ_RUN_SCAN || options->stage == DQ_RUN_RENDER))
        return dq_fail(err, DQ_USAGE,
                       "--resolve decides anew, which --stage %s cannot; use "
                       "--stage solve, or no --stage",
                       options->stage == DQ_RUN_SCAN ? "scan" : "render");
    if (optind == argc)
        return dq_fail(err, DQ_USAGE, "which job file?");
    if (optind + 1 < argc)
        return dq_fail(err, DQ_USAGE, "one job file, not '%s' as well",
                       argv[optind + 1]);
    options->job = argv[optind];
    return DQ_OK;
}
