/* backend_fake: networks that need no library, for tests and rehearsals.
 *
 * A `.fake` artefact is JSON:
 *   {"depthq_fake": 1, "net": "identity", "contract": {...}, ...}
 *
 *   net            answers
 *   identity       the first channel, bit for bit
 *   luma           (r + g + b) / 3
 *   affine         the first channel through a scale (1/3 .. 3) and a shift
 *                  drawn from a hash of the input: what tiles must be
 *                  aligned against
 *   flat           0.5 everywhere
 *   nan            NaN in one pixel; with "when": "black" for black input only
 *   throw          DQ_ANSWER
 *   wrong-shape    DQ_MODEL
 *   oom            DQ_MEMORY for more than "memory_batch" pictures at once
 *   abort, crash   end the process
 *   "slow_ms"      each forward takes this long; "after" N: bad ones are good
 *                  for the first N forwards
 */
#include <math.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fault.h"
#include "base/json.h"
#include "base/mem.h"
#include "infer/backend.h"

enum { FAKE_LIMIT = 256 * 1024 };

enum kind {
    IDENTITY,
    LUMA,
    AFFINE,
    FLAT,
    NOT_A_NUMBER,
    THROW,
    WRONG_SHAPE,
    OOM,
    ABORT,
    CRASH,
    KINDS
};

static const char *const kind_names[KINDS] = {
    "identity", "luma",        "affine", "flat",  "nan",
    "throw",    "wrong-shape", "oom",    "abort", "crash"};

struct dq_net {
    enum kind kind;
    int channels, depth;
    int slow_ms, memory_batch, after, when_black;
    long forwards;
};

static int read_int(const json_t *all, const char *key, int *value,
                    struct dq_err *err)
{
    int64_t number = *value;

    if (json_object_get(all, key) &&
        dq_json_int(all, key, 0, 1000000, &number, DQ_MODEL, err))
        return err->code;
    *value = (int)number;
    return DQ_OK;
}

static int read_kind(const json_t *all, struct dq_net *net, struct dq_err *err)
{
    const char *name = dq_json_string(all, "net", DQ_MODEL, err);
    const char *when = json_string_value(json_object_get(all, "when"));

    if (!name)
        return err->code;
    net->when_black = when && strcmp(when, "black") == 0;
    for (int i = 0; i < KINDS; i++)
        if (strcmp(name, kind_names[i]) == 0) {
            net->kind = (enum kind)i;
            return DQ_OK;
        }
    return dq_fail(err, DQ_MODEL, "net: there is no fake '%.40s'", name);
}

static struct dq_net *fake_open(const struct dq_model *model, const void *bytes,
                                size_t count, const struct dq_device *device,
                                struct dq_err *err)
{
    json_t *all = dq_json_parse(bytes, count, FAKE_LIMIT, DQ_MODEL, err);
    struct dq_net *net = dq_new(sizeof *net);

    net->channels = model->output_channels;
    net->depth = model->depth_channel;
    net->memory_batch = 1;
    if (strncmp(device->name, "cpu", 3) != 0)
        dq_fail(err, DQ_DEVICE, "a fake network knows no device %s",
                device->name);
    else if (all && !read_kind(all, net, err) &&
             !read_int(all, "slow_ms", &net->slow_ms, err) &&
             !read_int(all, "memory_batch", &net->memory_batch, err))
        read_int(all, "after", &net->after, err);
    json_decref(all);
    if (err->code) {
        free(net);
        net = NULL;
    }
    return net;
}

static void fake_close(struct dq_net *net)
{
    free(net);
}

/* FNV-1a over the bits of a tile. */
static uint64_t hash_of(const float *values, size_t n)
{
    uint64_t h = 1469598103934665603U;

    for (size_t i = 0; i < n; i++) {
        uint32_t bits;

        memcpy(&bits, &values[i], sizeof bits);
        h = (h ^ bits) * 1099511628211U;
    }
    return h;
}

/* 0..1 from some bits of a hash. */
static float share(uint64_t hash, int shift)
{
    return (float)((hash >> shift) & 0xffff) / 65535.0F;
}

static int all_black(const float *in, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (in[i] > 0)
            return 0;
    return 1;
}

static void answer(const struct dq_net *net, const float *in, size_t plane,
                   float *out)
{
    uint64_t hash;
    float scale, shift;

    switch (net->kind) {
    case LUMA:
        for (size_t i = 0; i < plane; i++)
            out[i] = (in[i] + in[plane + i] + in[2 * plane + i]) / 3;
        break;
    case AFFINE:
        hash = hash_of(in, 3 * plane);
        scale = powf(3, 2 * share(hash, 8) - 1);
        shift = share(hash, 32) - 0.5F;
        for (size_t i = 0; i < plane; i++)
            out[i] = scale * in[i] + shift;
        break;
    case FLAT:
        for (size_t i = 0; i < plane; i++)
            out[i] = 0.5F;
        break;
    default:
        memcpy(out, in, plane * sizeof *out);
    }
    if (net->kind == NOT_A_NUMBER &&
        (!net->when_black || all_black(in, 3 * plane)))
        out[plane / 2] = NAN;
}

static int misbehave(const struct dq_net *net, int batch, struct dq_err *err)
{
    if (dq_fault(DQ_FAULT_INFER))
        return dq_fail(err, DQ_ANSWER, "injected fault");
    if (dq_fault(DQ_FAULT_INFER_MEMORY))
        return dq_fail(err, DQ_MEMORY, "injected: no device memory");
    if (net->forwards <= net->after)
        return DQ_OK;
    if (net->kind == THROW)
        return dq_fail(err, DQ_ANSWER, "the fake network threw");
    if (net->kind == WRONG_SHAPE)
        return dq_fail(err, DQ_MODEL, "the fake network answered 1x1x1x1");
    if (net->kind == OOM && batch > net->memory_batch)
        return dq_fail(err, DQ_MEMORY, "no memory for %d at once", batch);
    if (net->kind == ABORT)
        abort();
    if (net->kind == CRASH)
        raise(SIGSEGV);
    return DQ_OK;
}

static int fake_run(struct dq_net *net, const float *in, int batch, int h,
                    int w, float *out, struct dq_err *err)
{
    size_t plane = (size_t)h * (size_t)w;
    struct timespec pause = {net->slow_ms / 1000,
                             net->slow_ms % 1000 * 1000000L};

    net->forwards++;
    if (net->slow_ms)
        nanosleep(&pause, NULL);
    if (misbehave(net, batch, err))
        return err->code;
    for (int b = 0; b < batch; b++) {
        float *planes = out + (size_t)(b * net->channels) * plane;

        memset(planes, 0, (size_t)net->channels * plane * sizeof *planes);
        answer(net, in + (size_t)b * 3 * plane, plane,
               planes + (size_t)net->depth * plane);
    }
    return DQ_OK;
}

const struct dq_backend dq_backend_fake = {
    .runtime = "fake",
    .open = fake_open,
    .run = fake_run,
    .close = fake_close,
};
