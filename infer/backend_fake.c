/* backend_fake: networks that need no library, for tests and rehearsals.
 *
 * A `.fake` artefact is JSON:
 *   {"depthq_fake": 1, "net": "identity", "contract": {...}, ...}
 *
 *   net            answers
 *   identity       the first plane, bit for bit
 *   luma           the mean of the three planes
 *   ramp           0 .. 1 from left to right, whatever it is shown
 *   affine         the first plane through a scale (1/3 .. 3) and a shift
 *                  (-0.5 .. 0.5) drawn from a hash of the input: what tiles
 *                  must be aligned against
 *   flat           0.5 everywhere
 *   slow           as identity, but slow_ms is 100 when not given
 *   nan, inf       as identity, but one value is NaN or infinite
 *   throw          DQ_ANSWER
 *   wrong-shape    DQ_MODEL
 *   oom            as identity, but memory_batch is 1 when not given
 *   abort, crash   end the process by SIGABRT, SIGSEGV
 *
 *   "slow_ms"      each forward takes this long
 *   "memory_batch" DQ_MEMORY for more pictures at once; 0: any number fits
 *   "after" N      bad ones are good for the first N forwards
 *   "when": "black"  ... and for all input that is not black
 *
 * The contract's sky plane answers the last input plane, other planes 0.
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

enum { FAKE_LIMIT = 256 * 1024, LARGEST = 1000000 };

enum kind {
    IDENTITY,
    LUMA,
    RAMP,
    AFFINE,
    FLAT,
    SLOW,
    NOT_A_NUMBER,
    INFINITE,
    THROW,
    WRONG_SHAPE,
    OOM,
    ABORT,
    CRASH,
    KINDS
};

static const char *const kind_names[KINDS] = {
    "identity", "luma",  "ramp",        "affine", "flat",  "slow", "nan",
    "inf",      "throw", "wrong-shape", "oom",    "abort", "crash"};

static const char *const keys[] = {"depthq_fake", "net",          "contract",
                                   "slow_ms",     "memory_batch", "after",
                                   "when"};
enum { KEYS = sizeof keys / sizeof *keys };

struct dq_net {
    enum kind kind;
    int channels, depth, sky;
    int slow_ms, memory_batch, after, when_black;
    long forwards;
};

/* ---- opening --------------------------------------------------------------*/

static int place_of(const char *word, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(word, list[i]) == 0)
            return (int)i;
    return -1;
}

/* A rehearsal with a mistyped key would rehearse nothing. */
static int check_keys(json_t *all, struct dq_err *err)
{
    int64_t format;

    for (void *i = json_object_iter(all); i; i = json_object_iter_next(all, i))
        if (place_of(json_object_iter_key(i), keys, KEYS) < 0)
            return dq_fail(err, DQ_MODEL, "unknown key '%.60s'",
                           json_object_iter_key(i));
    return dq_json_int(all, "depthq_fake", 1, 1, &format, DQ_MODEL, err);
}

static int read_int(const json_t *all, const char *key, int otherwise,
                    int *value, struct dq_err *err)
{
    int64_t number = otherwise;

    if (json_object_get(all, key) &&
        dq_json_int(all, key, 0, LARGEST, &number, DQ_MODEL, err))
        return err->code;
    *value = (int)number;
    return DQ_OK;
}

static int read_kind(const json_t *all, struct dq_net *net, struct dq_err *err)
{
    const char *name = dq_json_string(all, "net", DQ_MODEL, err);
    int kind = name ? place_of(name, kind_names, KINDS) : -1;

    if (!name)
        return err->code;
    if (kind < 0)
        return dq_fail(err, DQ_MODEL, "net: there is no fake '%.40s'", name);
    net->kind = (enum kind)kind;
    return DQ_OK;
}

static int read_when(const json_t *all, struct dq_net *net, struct dq_err *err)
{
    const json_t *when = json_object_get(all, "when");

    if (when && (!json_is_string(when) ||
                 strcmp(json_string_value(when), "black") != 0))
        return dq_fail(err, DQ_MODEL, "when: 'black' is all there is");
    net->when_black = when != NULL;
    return DQ_OK;
}

static int read_net(json_t *all, struct dq_net *net, struct dq_err *err)
{
    if (check_keys(all, err) || read_kind(all, net, err) ||
        read_when(all, net, err) ||
        read_int(all, "slow_ms", net->kind == SLOW ? 100 : 0, &net->slow_ms,
                 err) ||
        read_int(all, "memory_batch", net->kind == OOM, &net->memory_batch,
                 err))
        return err->code;
    return read_int(all, "after", 0, &net->after, err);
}

static struct dq_net *fake_open(const struct dq_model *model, const void *bytes,
                                size_t count, const struct dq_device *device,
                                struct dq_err *err)
{
    struct dq_err own = {0};
    json_t *all = dq_json_parse(bytes, count, FAKE_LIMIT, DQ_MODEL, &own);
    struct dq_net *net = dq_new(sizeof *net);

    net->channels = model->output_channels;
    net->depth = model->depth_channel;
    net->sky = model->sky_channel;
    if (strcmp(device->name, "cpu") != 0)
        dq_fail(&own, DQ_DEVICE, "a fake network knows no device %s",
                device->name);
    else if (all)
        read_net(all, net, &own);
    json_decref(all);
    if (!own.code)
        return net;
    free(net);
    dq_fail(err, own.code, "%s", own.text);
    return NULL;
}

static void fake_close(struct dq_net *net)
{
    free(net);
}

/* ---- answering ------------------------------------------------------------*/

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

static void answer_affine(const float *in, size_t plane, float *out)
{
    uint64_t hash = hash_of(in, 3 * plane);
    float scale = powf(3, 2 * share(hash, 24) - 1);
    float shift = share(hash, 44) - 0.5F;

    for (size_t i = 0; i < plane; i++)
        out[i] = scale * in[i] + shift;
}

static int all_black(const float *in, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (in[i] > 0)
            return 0;
    return 1;
}

/* One picture's depth plane. */
static void answer(const struct dq_net *net, const float *in, int h, int w,
                   float *out)
{
    size_t plane = (size_t)h * (size_t)w;

    if (net->kind == AFFINE) {
        answer_affine(in, plane, out);
        return;
    }
    for (size_t i = 0; i < plane; i++)
        switch (net->kind) {
        case LUMA:
            out[i] = (in[i] + in[plane + i] + in[2 * plane + i]) / 3;
            break;
        case RAMP:
            out[i] = ((float)(i % (size_t)w) + 0.5F) / (float)w;
            break;
        case FLAT:
            out[i] = 0.5F;
            break;
        default:
            out[i] = in[i];
        }
}

/* Whether a bad network is good this time. */
static int behaves(const struct dq_net *net, const float *in, size_t values)
{
    return net->forwards <= net->after ||
           (net->when_black && !all_black(in, values));
}

static void spoil(const struct dq_net *net, const float *in, size_t plane,
                  float *out)
{
    if (net->kind != NOT_A_NUMBER && net->kind != INFINITE)
        return;
    if (!behaves(net, in, 3 * plane))
        out[plane / 2] = net->kind == INFINITE ? INFINITY : NAN;
}

static int misbehave(const struct dq_net *net, const float *in, int batch,
                     size_t values, struct dq_err *err)
{
    if (dq_fault(DQ_FAULT_INFER))
        return dq_fail(err, DQ_ANSWER, "injected fault");
    if (dq_fault(DQ_FAULT_INFER_MEMORY))
        return dq_fail(err, DQ_MEMORY, "injected: no device memory");
    if (net->memory_batch && batch > net->memory_batch)
        return dq_fail(err, DQ_MEMORY, "no memory for %d at once", batch);
    if (behaves(net, in, values))
        return DQ_OK;
    if (net->kind == THROW)
        return dq_fail(err, DQ_ANSWER, "the fake network threw");
    if (net->kind == WRONG_SHAPE)
        return dq_fail(err, DQ_MODEL, "the fake network answered 1x1x1x1");
    if (net->kind == ABORT)
        abort();
    if (net->kind == CRASH) {
        signal(SIGSEGV, SIG_DFL); /* a sanitizer's handler would exit */
        raise(SIGSEGV);
    }
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
    if (misbehave(net, in, batch, (size_t)batch * 3 * plane, err))
        return err->code;
    for (int b = 0; b < batch; b++) {
        const float *picture = in + (size_t)b * 3 * plane;
        float *planes = out + (size_t)b * (size_t)net->channels * plane;
        float *depth = planes + (size_t)net->depth * plane;

        memset(planes, 0, (size_t)net->channels * plane * sizeof *planes);
        answer(net, picture, h, w, depth);
        spoil(net, picture, plane, depth);
        if (net->sky >= 0)
            memcpy(planes + (size_t)net->sky * plane, picture + 2 * plane,
                   plane * sizeof *planes);
    }
    return DQ_OK;
}

const struct dq_backend dq_backend_fake = {
    .runtime = "fake",
    .open = fake_open,
    .run = fake_run,
    .close = fake_close,
};
