/* net_run: one network on raw floats, for the tests that compare it.
 *
 *   net_run MODEL DEVICE THREADS BATCH HEIGHT WIDTH [TIMES] <in >out
 *
 * in: batch x 3 x height x width float32; out: batch x channels x height x
 * width float32 of the last of TIMES forwards (1). An error is one line on
 * stderr, `CODE: text`, and the code's exit status.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/fault.h"
#include "base/mem.h"
#include "infer/backend.h"
#if DQ_TORCH
#include "infer/torch_shim.h"
#endif

static int fail(const struct dq_err *err)
{
    fprintf(stderr, "%s: %s\n", dq_code_name(err->code), err->text);
    return dq_code_exit(err->code);
}

static int run(const struct dq_backend *backend, struct dq_net *net,
               int channels, char **argv, struct dq_err *err)
{
    int batch = atoi(argv[4]), h = atoi(argv[5]), w = atoi(argv[6]);
    size_t plane = (size_t)h * (size_t)w, pictures = (size_t)batch;
    size_t given = pictures * 3 * plane;
    size_t answered = pictures * (size_t)channels * plane;
    float *in = dq_new_array(given, sizeof *in);
    float *out = dq_new_array(answered, sizeof *out);

    if (fread(in, sizeof *in, given, stdin) != given)
        dq_fail(err, DQ_USAGE, "stdin has fewer than %zu floats", given);
    for (int i = argv[7] ? atoi(argv[7]) : 1; i > 0 && !err->code; i--)
        backend->run(net, in, batch, h, w, out, err);
    if (!err->code && fwrite(out, sizeof *out, answered, stdout) != answered)
        dq_fail(err, DQ_IO, "cannot write to stdout");
    free(in);
    free(out);
    return err->code;
}

int main(int argc, char **argv)
{
    struct dq_err err = {0};
    struct dq_bytes bytes = {0};
    struct dq_device device = {0};
    const struct dq_backend *backend = NULL;
    struct dq_model *model;
    struct dq_net *net = NULL;

    if (argc != 7 && argc != 8) {
        fputs("usage: net_run MODEL DEVICE THREADS BATCH HEIGHT WIDTH "
              "[TIMES]\n",
              stderr);
        return 2;
    }
#if DQ_TORCH
    dq_torch_process_setup();
#endif
    dq_fault_setup();
    snprintf(device.name, sizeof device.name, "%s", argv[2]);
    device.threads = atoi(argv[3]);
    model = dq_model_read(argv[1], NULL, &bytes, &err);
    if (model)
        backend = dq_backend_find(model->runtime, &err);
    if (backend)
        net = backend->open(model, bytes.data, bytes.count, &device, &err);
    if (net)
        run(backend, net, model->output_channels, argv, &err);
    if (backend)
        backend->close(net);
    dq_model_free(model);
    dq_bytes_free(&bytes);
    return err.code ? fail(&err) : 0;
}
