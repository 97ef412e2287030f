#include "daemon/worker_args.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

enum worker_option { DEVICE = 1, RUN_ID, THREADS, MEMORY, ONE, CHECK };

static const struct option options[] = {
    {"device", required_argument, NULL, DEVICE},
    {"run-id", required_argument, NULL, RUN_ID},
    {"threads", required_argument, NULL, THREADS},
    {"memory", required_argument, NULL, MEMORY},
    {"one", required_argument, NULL, ONE},
    {"check", no_argument, NULL, CHECK},
    {NULL, 0, NULL, 0},
};

/* Half of the machine's memory: the network and the page cache want some. */
static size_t default_memory(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGE_SIZE);

    return pages > 0 && size > 0 ? (size_t)pages * (size_t)size / 2
                                 : (size_t)2 << 30;
}

static int known_device(const char *name)
{
    long number;

    return strcmp(name, "auto") == 0 || strcmp(name, "cpu") == 0 ||
           (strncmp(name, "cuda:", 5) == 0 &&
            dq_text_long(name + 5, &number) == 0 && number >= 0 &&
            number < 1024);
}

static int take(int option, struct dq_worker_args *args, struct dq_err *err)
{
    long number = 0;

    switch (option) {
    case DEVICE:
        args->device = optarg;
        if (!known_device(optarg))
            return dq_fail(err, DQ_USAGE,
                           "--device is auto, cpu or cuda:N, not '%s'", optarg);
        return DQ_OK;
    case RUN_ID:
        args->run_id = optarg;
        return DQ_OK;
    case THREADS:
        if (dq_text_long(optarg, &number) || number < 1 || number > 1024)
            return dq_fail(err, DQ_USAGE, "--threads is 1 to 1024, not '%s'",
                           optarg);
        args->threads = (int)number;
        return DQ_OK;
    case MEMORY:
        if (dq_text_size(optarg, &args->memory))
            return dq_fail(err, DQ_USAGE, "--memory is no size: '%s'", optarg);
        return DQ_OK;
    case ONE:
        args->one_job = optarg;
        return DQ_OK;
    case CHECK:
        args->check = 1;
        return DQ_OK;
    default:
        return dq_fail(err, DQ_USAGE, "unknown option");
    }
}

static int take_frame(int argc, char **argv, struct dq_worker_args *args,
                      struct dq_err *err)
{
    long frame = 0;

    if (!args->one_job && optind < argc)
        return dq_fail(err, DQ_USAGE, "what is '%s'?", argv[optind]);
    if (!args->one_job)
        return DQ_OK;
    if (optind + 1 != argc || dq_text_long(argv[optind], &frame) ||
        frame < INT32_MIN || frame > INT32_MAX)
        return dq_fail(err, DQ_USAGE, "--one JOB.yaml FRAME");
    args->one_frame = (int32_t)frame;
    return DQ_OK;
}

int dq_worker_args_parse(int argc, char **argv, struct dq_worker_args *args,
                         struct dq_err *err)
{
    struct dq_worker_args fresh = {
        .device = "auto", .run_id = "worker", .memory = default_memory()};
    int option;

    *args = fresh;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
        if (take(option, args, err))
            return err->code;
    return take_frame(argc, argv, args, err);
}
