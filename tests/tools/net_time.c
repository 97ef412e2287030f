/* net_time: what a network's bare forwards cost, for the bench.
 *
 *   net_time MODEL DEVICE THREADS BATCH HEIGHT WIDTH TIMES
 *
 * The same graph, allocator and libraries' settings as in depthq-worker, and
 * nothing else: no plates, no tiles, one buffer in and out. Three forwards to
 * warm up, then TIMES; the answer is one line of JSON with the medians of a
 * forward's wall and CPU seconds. What libraries read from the environment
 * when they are loaded needs a second start: the program execs itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/sorted.h"
#include "daemon/child_environment.h"
#include "infer/backend.h"
#if DQ_TORCH
#include "infer/torch_shim.h"
#endif

enum { WARM_UPS = 3 };

static double cpu_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double median(double *values, int count)
{
    dq_sort_doubles(values, (size_t)count);
    return (values[count / 2] + values[(count - 1) / 2]) / 2;
}

struct shape {
    int batch, h, w, times;
};

static int run(const struct dq_backend *backend, struct dq_net *net,
               int channels, const struct shape *s, struct dq_err *err)
{
    size_t plane = (size_t)s->h * (size_t)s->w * (size_t)s->batch;
    float *in = dq_new_array(3 * plane, sizeof *in);
    float *out = dq_new_array((size_t)channels * plane, sizeof *out);
    double *wall = dq_new_array((size_t)s->times, sizeof *wall);
    double *cpu = dq_new_array((size_t)s->times, sizeof *cpu);

    for (size_t i = 0; i < 3 * plane; i++)
        in[i] = (float)(i % 251) / 251;
    for (int i = -WARM_UPS; i < s->times && !err->code; i++) {
        double begun = dq_clock_s(), spent = cpu_s();

        backend->run(net, in, s->batch, s->h, s->w, out, err);
        if (i >= 0) {
            wall[i] = dq_clock_s() - begun;
            cpu[i] = cpu_s() - spent;
        }
    }
    if (!err->code)
        printf("{\"wall\": %.6f, \"cpu\": %.6f, \"forwards\": %d}\n",
               median(wall, s->times), median(cpu, s->times), s->times);
    free(in);
    free(out);
    free(wall);
    free(cpu);
    return err->code;
}

static int measure(char **argv, struct dq_err *err)
{
    struct shape shape = {atoi(argv[4]), atoi(argv[5]), atoi(argv[6]),
                          atoi(argv[7])};
    struct dq_bytes bytes = {0};
    struct dq_device device = {.threads = atoi(argv[3])};
    const struct dq_backend *backend = NULL;
    struct dq_model *model = dq_model_read(argv[1], NULL, &bytes, err);
    struct dq_net *net = NULL;

    snprintf(device.name, sizeof device.name, "%s", argv[2]);
    if (model)
        backend = dq_backend_find(model->runtime, err);
    if (backend)
        net = backend->open(model, bytes.data, bytes.count, &device, err);
    if (net && shape.times > 0)
        run(backend, net, model->output_channels, &shape, err);
    if (backend)
        backend->close(net);
    dq_model_free(model);
    dq_bytes_free(&bytes);
    return err->code;
}

int main(int argc, char **argv)
{
    struct dq_err err = {0};

    if (argc != 8) {
        fputs("usage: net_time MODEL DEVICE THREADS BATCH HEIGHT WIDTH "
              "TIMES\n",
              stderr);
        return 2;
    }
    if (!getenv("NET_TIME_READY")) {
        setenv("NET_TIME_READY", "1", 1);
        execve("/proc/self/exe", argv, dq_child_environment(atoi(argv[3])));
        perror("net_time: execve");
        return 1;
    }
#if DQ_TORCH
    dq_torch_process_setup();
#endif
    if (measure(argv, &err))
        fprintf(stderr, "net_time: %s\n", err.text);
    return err.code ? dq_code_exit(err.code) : 0;
}
