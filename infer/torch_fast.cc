/* torch_fast: the form of a network that runs. Frozen, and on the CPU with
 * weights packed for oneDNN, where that answers the same as the network that
 * came; as it came where not.
 */
#include "infer/torch_net.hh"

#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/inliner.h>

#include <cmath>

#include "base/log.h"
#include "infer/torch_errors.hh"

namespace dq_torch
{

/* ---- a trial ---------------------------------------------------------------
 */

/* The side of a trial: what every size rule allows, and quick. */
static int trial_side(const dq_model *model, int axis)
{
    int side = model->preferred < 256 ? model->preferred : 256;

    if (model->fixed[0])
        return model->fixed[axis];
    if (side < model->min)
        side = model->min;
    return (side + model->multiple - 1) / model->multiple * model->multiple;
}

/* A picture in the contract's numbers, the same every time: a slope with a
 * pattern in it. */
static at::Tensor trial_picture(const dq_net *net, const dq_model *model)
{
    int64_t batch = model->batch ? model->batch : 1;
    int64_t h = trial_side(model, 0), w = trial_side(model, 1);
    at::Tensor host = at::empty({batch, 3, h, w}, at::kFloat);
    float *v = host.mutable_data_ptr<float>();
    uint32_t dice = 1;

    for (int64_t i = 0; i < host.numel(); i++) {
        int64_t plane = i / (h * w) % 3, y = i / w % h;
        float slope = (float)y / (float)h;

        dice = dice * 1664525U + 1013904223U;
        slope = 0.8F * slope + 0.2F * (float)(dice >> 8) / 16777216.0F;
        slope = model->range[0] + slope * (model->range[1] - model->range[0]);
        v[i] = (slope - model->mean[plane]) / model->std[plane];
    }
    return host.to(net->device).to(net->dtype);
}

/* max |a - b| over the range of a; places where both are NaN are equal. */
static double difference(const at::Tensor &one, const at::Tensor &other)
{
    at::Tensor a = one.to(at::kCPU, at::kFloat).contiguous();
    at::Tensor b = other.to(at::kCPU, at::kFloat).contiguous();
    const float *p = a.const_data_ptr<float>(), *q = b.const_data_ptr<float>();
    double low = HUGE_VAL, high = -HUGE_VAL, most = 0;

    if (a.sizes() != b.sizes())
        return HUGE_VAL;
    for (int64_t i = 0; i < a.numel(); i++) {
        if (std::isnan(p[i]) && std::isnan(q[i]))
            continue;
        if (!(std::abs((double)p[i] - q[i]) <= most))
            most = std::abs((double)p[i] - q[i]);
        if (std::isnan(most))
            return HUGE_VAL;
        low = std::min(low, (double)p[i]);
        high = std::max(high, (double)p[i]);
    }
    return most == 0 ? 0 : high > low ? most / (high - low) : HUGE_VAL;
}

static double bound_of(at::ScalarType dtype)
{
    return dtype == at::kFloat ? 1e-5 : dtype == at::kHalf ? 5e-3 : 4e-2;
}

/* ---- a device that the exporter left in the network ------------------------
 */

static std::optional<c10::Device> device_in(const torch::jit::Node *node)
{
    if (node->kind() != c10::prim::Constant)
        return std::nullopt;
    auto value = torch::jit::toIValue(node->output());

    if (value && value->isDevice())
        return value->toDevice();
    if (value && value->isString() &&
        value->toStringRef().compare(0, 4, "cuda") == 0)
        return c10::Device(at::kCUDA);
    return std::nullopt;
}

static std::optional<c10::Device> foreign_device(const torch::jit::Block *block,
                                                 c10::Device own)
{
    for (const torch::jit::Node *node : block->nodes()) {
        auto found = device_in(node);

        if (found && (found->type() != own.type() ||
                      (found->has_index() && own.has_index() &&
                       found->index() != own.index())))
            return found;
        for (const torch::jit::Block *inner : node->blocks())
            if (auto deeper = foreign_device(inner, own))
                return deeper;
    }
    return std::nullopt;
}

/* Whether a failed trial is the fault of another device. */
static int blame_device(dq_net *net, const dq_err *why, dq_err *err)
{
    auto graph = net->module.get_method("forward").graph()->copy();

    torch::jit::Inline(*graph);
    auto found = foreign_device(graph->block(), net->device);

    if (!found)
        return DQ_OK;
    return dq_fail(err, DQ_MODEL,
                   "it was exported with the device %s baked in and fails on "
                   "%s (%.300s); export it again without a device literal",
                   found->str().c_str(), net->device.str().c_str(), why->text);
}

/* ---- the faster form -------------------------------------------------------
 */

static torch::jit::Module fast_form(const dq_net *net)
{
    /* Freezing inlines only while this is on; what it leaves as a call it
     * then cannot run. */
    torch::jit::GraphOptimizerEnabledGuard on(true);
    torch::jit::Module fast = torch::jit::freeze(net->module);

    return net->stream ? fast : torch::jit::optimize_for_inference(fast);
}

/* The network as it came, on the trial picture. */
static int try_plain(dq_net *net, const dq_model *model, at::Tensor *want,
                     dq_err *err)
{
    return guarded(err, DQ_ANSWER, [&] {
        at::Tensor in = trial_picture(net, model), before = in.clone();

        *want = answer_of(net->module, in);
        net->writes_input = !at::equal(in, before);
        return DQ_OK;
    });
}

static int try_fast(dq_net *net, const dq_model *model, const at::Tensor &want,
                    dq_err *err)
{
    return guarded(err, DQ_MODEL, [&] {
        torch::jit::Module fast = fast_form(net);
        double d = difference(want, answer_of(fast, trial_picture(net, model)));

        if (!(d <= bound_of(net->dtype)))
            return dq_fail(err, DQ_MODEL,
                           "it answers differently (%g of the range)", d);
        net->module = fast;
        return (int)DQ_OK;
    });
}

int make_fast(dq_net *net, const dq_model *model, dq_err *err)
{
    dq_err why = {};
    at::Tensor want;

    /* A network that fails here may fare better with real pictures: unless a
     * device is the reason, that is left to them. */
    if (try_plain(net, model, &want, &why))
        return blame_device(net, &why, err);
    if (try_fast(net, model, want, &why))
        dq_log_warn("network runs as it came, it cannot be optimized", "model",
                    model->name, "why", why.text);
    return DQ_OK;
}

} // namespace dq_torch
