/* depthq-worker: one device, one network, frames through the pipeline.
 *
 * Started by the supervisor with one end of a socketpair as descriptor 3
 * (daemon/wire.h), never by people except as `--one JOB FRAME` under a
 * debugger. It ignores the signals of people and engines: its supervisor
 * decides, and dies with it.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/log.h"
#include "daemon/worker_check.h"
#include "daemon/worker_one.h"
#if DQ_TORCH
#include "infer/torch_shim.h"
#endif

/* ---- listening ----------------------------------------------------------- */

static int is(const json_t *message, const char *what)
{
    const char *m = json_string_value(json_object_get(message, "m"));

    return m && strcmp(m, what) == 0;
}

/* One message; true when it ends the conversation. */
static int obey(struct dq_worker *w, const json_t *message, struct dq_err *err)
{
    struct dq_wire_job job = {0};
    struct dq_task task = {0};

    if (is(message, "job")) {
        if (!dq_wire_read_job(message, &job, err))
            dq_worker_learn(w, &job);
        dq_wire_job_free(&job);
    } else if (is(message, "task")) {
        if (!dq_wire_read_task(message, &task, err))
            dq_worker_do(w, &task);
    } else if (is(message, "drop")) {
        if (!dq_wire_read_task(message, &task, err))
            dq_worker_drop(w, &task);
    } else if (is(message, "forget")) {
        dq_worker_forget(w,
                         json_integer_value(json_object_get(message, "job")));
    } else if (is(message, "drain")) {
        return 1;
    } else {
        dq_fail(err, DQ_BUG, "a message that no worker knows");
    }
    return 0;
}

/* Everything that has arrived whole; true when the conversation is over. */
static int obey_all(struct dq_worker *w, struct dq_bytes *received,
                    struct dq_err *err)
{
    json_t *message;
    int over = 0;

    while (!over && !err->code && (message = dq_wire_next(received, err))) {
        over = obey(w, message, err);
        json_decref(message);
    }
    return over || err->code;
}

static int listen_to_supervisor(struct dq_worker *w)
{
    struct dq_bytes received = {0};
    struct dq_err err = {0};
    char piece[65536];
    ssize_t n;

    do {
        n = read(w->fd, piece, sizeof piece);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) /* no supervisor, no owner: nothing may be published */
            _exit(dq_code_exit(DQ_WORKER));
        dq_bytes_add(&received, piece, (size_t)n);
    } while (!obey_all(w, &received, &err));
    dq_bytes_free(&received);
    if (err.code)
        dq_log_error("conversation broken", "cause", err.text);
    return err.code;
}

/* ---- life ---------------------------------------------------------------- */

static void ignore_signals(void)
{
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGUSR1, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file limit is an error of write(2) */
}

static void pick_device(const struct dq_worker_args *args,
                        struct dq_device *device)
{
    const char *name = args->device;

    if (strcmp(name, "auto") == 0) {
#if DQ_TORCH
        name = dq_torch_cuda_devices() > 0 ? "cuda:0" : "cpu";
#else
        name = "cpu";
#endif
    }
    snprintf(device->name, sizeof device->name, "%s", name);
    device->threads = args->threads;
}

static void say_hello(struct dq_worker *w, const struct dq_device *device)
{
    struct dq_wire_hello hello = {.pid = (int)getpid(),
                                  .credit = dq_worker_credit()};

    snprintf(hello.version, sizeof hello.version, "%s", DQ_VERSION);
    snprintf(hello.device, sizeof hello.device, "%s", device->name);
    dq_backend_execution_class(device, hello.execution, sizeof hello.execution);
    dq_worker_send(w, dq_wire_hello_line(&hello));
}

static int serve(const struct dq_worker_args *args, struct dq_err *err)
{
    struct dq_worker w = {.fd = DQ_WIRE_FD, .id = args->run_id};
    struct dq_pipeline_rule rule;
    struct dq_device device = {0};
    int code;

    pthread_mutex_init(&w.sending, NULL);
    pick_device(args, &device);
    if (args->check)
        return dq_worker_check(&device);
    rule = dq_worker_rule(&w, args, &device);
    w.pipeline = dq_pipeline_new(&rule);
    if (args->one_job) {
        code = dq_worker_one(&w, args, &rule, err);
    } else {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        say_hello(&w, &device);
        code = listen_to_supervisor(&w);
    }
    dq_pipeline_finish(w.pipeline);
    dq_worker_forget_all(&w);
    pthread_mutex_destroy(&w.sending);
    return code ? code : args->one_job ? w.failed : DQ_OK;
}

int main(int argc, char **argv)
{
    struct dq_worker_args args;
    struct dq_err err = {0};
    int code;

    dq_log_setup("depthq-worker", DQ_LOG_INFO, DQ_LOG_TEXT);
    dq_fault_setup();
    ignore_signals();
    if (dq_worker_args_parse(argc, argv, &args, &err)) {
        fprintf(stderr, "depthq-worker: %s\n", err.text);
        return dq_code_exit(err.code);
    }
#if DQ_TORCH
    dq_torch_process_setup();
#endif
    code = serve(&args, &err);
    if (err.text[0])
        fprintf(stderr, "depthq-worker: %s\n", err.text);
    return dq_code_exit(code);
}
