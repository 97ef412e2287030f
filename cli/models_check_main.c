/* depthq-model-check: run one network against its contract, in a process of
 * its own: a network is a program, and one that brings its process down is
 * refused like any other. Run by `depthq models verify`, not by people.
 *
 *   depthq-model-check FILE SHA256 DEVICE
 *
 * One line of JSON on stdout: code (of the error; "OK"), text, and what was
 * found until then: class, seconds, peak_bytes, outside, batch_apart,
 * place_apart, golden_apart, measures. Exit status 0 whenever that line is out.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/json.h"
#include "base/log.h"
#include "infer/backend.h"
#include "infer/golden.h"
#include "infer/probe.h"
#if DQ_TORCH
#include "infer/torch_shim.h"
#endif

struct check {
    struct dq_bytes bytes;
    struct dq_model *model;
    struct dq_golden golden;
    struct dq_probe found;
    char outside[256];
};

static void run_net(struct check *c, const struct dq_device *device,
                    struct dq_err *err)
{
    const struct dq_backend *backend = dq_backend_find(c->model->runtime, err);
    struct dq_net *net = NULL;

    if (backend)
        net =
            backend->open(c->model, c->bytes.data, c->bytes.count, device, err);
    if (!net)
        return;
    if (backend->outside)
        snprintf(c->outside, sizeof c->outside, "%s", backend->outside(net));
    dq_probe_run(c->model, backend, net, &c->golden, &c->found, err);
    backend->close(net);
}

static json_t *measures(const struct dq_probe *found)
{
    json_t *all = json_array();

    for (int i = 0; i < found->measured; i++) {
        const struct dq_probe_measure *m = &found->measures[i];

        json_array_append_new(
            all, json_pack("{s:i, s:i, s:i, s:f}", "height", m->height, "width",
                           m->width, "batch", m->batch, "seconds", m->seconds));
    }
    return all;
}

static void tell(const struct check *c, const struct dq_device *device,
                 double begun, const struct dq_err *err)
{
    char class[128], *text;
    struct rusage usage;
    json_t *told;

    getrusage(RUSAGE_SELF, &usage);
    dq_backend_execution_class(device, class, sizeof class);
    told = json_pack("{s:s, s:s, s:s, s:f, s:I, s:s, s:f, s:f, s:f, s:o}",
                     "code", dq_code_name(err->code), "text", err->text,
                     "class", class, "seconds", dq_clock_s() - begun,
                     "peak_bytes", (json_int_t)usage.ru_maxrss * 1024,
                     "outside", c->outside, "batch_apart", c->found.batch_apart,
                     "place_apart", c->found.place_apart, "golden_apart",
                     c->found.golden_apart, "measures", measures(&c->found));
    if (c->found.golden_apart < 0)
        json_object_set_new(told, "golden_apart", json_null());
    text = dq_json_text(told);
    puts(text);
    free(text);
    json_decref(told);
}

int main(int argc, char **argv)
{
    struct check c = {.found.golden_apart = -1};
    struct dq_device device = {0};
    struct dq_err err = {0};
    double begun = dq_clock_s();

    dq_log_setup("depthq-model-check", DQ_LOG_WARN, DQ_LOG_TEXT);
    if (argc != 4) {
        fputs("usage: depthq-model-check FILE SHA256 DEVICE\n", stderr);
        return 2;
    }
#if DQ_TORCH
    dq_torch_process_setup();
#endif
    dq_fault_setup();
    snprintf(device.name, sizeof device.name, "%s", argv[3]);
    c.model = dq_model_read(argv[1], argv[2], &c.bytes, &err);
    if (c.model &&
        !dq_golden_read(c.model, c.bytes.data, c.bytes.count, &c.golden, &err))
        run_net(&c, &device, &err);
    tell(&c, &device, begun, &err);
    dq_golden_free(&c.golden);
    dq_model_free(c.model);
    dq_bytes_free(&c.bytes);
    return ferror(stdout) || fflush(stdout) ? 74 : 0;
}
