/* torch_shim: TorchScript, and packages of AOTInductor, on libtorch; CPU and
 * CUDA from one source.
 *
 * Nothing of CUDA is included: streams, memory and copies go through c10's
 * virtual device interface, which dispatches to whatever libtorch was loaded.
 * No exception leaves this file, and its text is not lost.
 *
 * What decides pixels is fixed here, not left to defaults or environment: no
 * TF32, no cuDNN benchmark, deterministic algorithms where there are any, no
 * fusers, and no profiling executor (which compiles anew after the first call
 * of a shape, so that the first answers could differ from the later ones).
 */
#include "infer/torch_net.hh"

#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <cstring>
#include <string>
#include <vector>

#include "base/fault.h"
#include "base/log.h"
#include "infer/torch_errors.hh"
#include "infer/torch_table.h"

at::Tensor dq_torch::answer_of(torch::jit::Module &module, const at::Tensor &in)
{
    return module.forward({in}).toTensor();
}

namespace
{

using namespace dq_torch;

/* ---- one forward --------------------------------------------------------- */

at::Tensor ask(dq_net *net, const at::Tensor &in)
{
    if (!net->package)
        return answer_of(net->module, in);
    auto answers = net->package->run({in});

    TORCH_CHECK(answers.size() == 1, "the network answers ", answers.size(),
                " tensors; depthq takes one");
    return answers[0];
}

std::string shape_text(at::IntArrayRef sizes)
{
    std::string text;

    for (int64_t n : sizes)
        text += (text.empty() ? "" : "x") + std::to_string(n);
    return text.empty() ? "one number" : text;
}

std::vector<int64_t> wanted_shape(const dq_net *net, int batch, int h, int w)
{
    switch (net->layout) {
    case DQ_LAYOUT_NHW:
        return {batch, h, w};
    case DQ_LAYOUT_CHW:
        return {net->channels, h, w};
    default:
        return {batch, net->channels, h, w};
    }
}

/* The answer has the contract's shape, to the letter. */
int check_answer(const at::Tensor &answer, at::IntArrayRef wanted, dq_err *err)
{
    size_t n = wanted.size();
    const char *hint = "";

    if (!answer.defined() || answer.layout() != at::kStrided ||
        !at::isFloatingType(answer.scalar_type()))
        return dq_fail(err, DQ_MODEL,
                       "the network answered %s; a dense tensor of floating "
                       "point is wanted",
                       answer.defined() ? answer.toString().c_str()
                                        : "an empty tensor");
    if (answer.sizes() == wanted)
        return DQ_OK;
    if ((size_t)answer.dim() != n)
        hint = "; correct the contract's layout";
    else if (answer.size(-1) != wanted[n - 1] ||
             answer.size(-2) != wanted[n - 2])
        hint = "; if a trace baked its size in, the contract must say so "
               "(input.size.fixed)";
    else if (answer.size(0) != wanted[0] && n != 3)
        hint = "; if a trace baked its batch in, the contract must say so "
               "(input.batch)";
    return dq_fail(err, DQ_MODEL,
                   "the network answered %s where its contract promises %s%s",
                   shape_text(answer.sizes()).c_str(),
                   shape_text(wanted).c_str(), hint);
}

/* Pinned memory of at least n floats; it is rounded up to a power of two by
 * its allocator and slow to get, so it stays. */
at::Tensor &slab(at::Tensor &kept, int64_t n)
{
    if (!kept.defined() || kept.numel() < n) {
        kept = at::Tensor();
        kept =
            at::empty({n}, at::TensorOptions(at::kFloat).pinned_memory(true));
    }
    return kept;
}

/* The batch on the device, in the contract's type. On the CPU it is the
 * caller's memory itself where the type allows. */
at::Tensor give(dq_net *net, const float *in, at::IntArrayRef shape)
{
    int64_t n = c10::multiply_integers(shape);
    at::Tensor host;

    if (!net->stream) {
        host = at::from_blob(const_cast<float *>(in), shape, at::kFloat);
        if (net->writes_input && net->dtype == at::kFloat)
            return host.clone();
        return host.to(net->dtype);
    }
    host = slab(net->up, n).narrow(0, 0, n).view(shape);
    memcpy(host.mutable_data_ptr(), in, (size_t)n * sizeof *in);
    return host.to(net->device, /*non_blocking=*/true).to(net->dtype);
}

void take(dq_net *net, const at::Tensor &answer, float *out)
{
    int64_t n = answer.numel();
    at::Tensor host;

    if (!net->stream) {
        at::from_blob(out, answer.sizes(), at::kFloat).copy_(answer);
        return;
    }
    host = slab(net->down, n).narrow(0, 0, n).view(answer.sizes());
    host.copy_(answer.to(at::kFloat), /*non_blocking=*/true);
    c10::impl::VirtualGuardImpl(at::kCUDA).synchronizeStream(*net->stream);
    memcpy(out, host.const_data_ptr(), (size_t)n * sizeof *out);
}

int forward(dq_net *net, const float *in, int batch, int h, int w, float *out,
            dq_err *err)
{
    calling state(net);
    at::Tensor answer;

    if (dq_fault(DQ_FAULT_INFER))
        return dq_fail(err, DQ_ANSWER, "injected fault");
    if (dq_fault(DQ_FAULT_INFER_MEMORY))
        TORCH_CHECK_WITH(OutOfMemoryError, false, "injected: out of memory");
    answer = ask(net, give(net, in, {batch, 3, h, w}));
    if (check_answer(answer, wanted_shape(net, batch, h, w), err))
        return err->code;
    take(net, answer, out);
    return DQ_OK;
}

/* ---- the backend --------------------------------------------------------- */

at::ScalarType type_of(enum dq_model_dtype dtype)
{
    return dtype == DQ_DTYPE_FLOAT16    ? at::kHalf
           : dtype == DQ_DTYPE_BFLOAT16 ? at::kBFloat16
                                        : at::kFloat;
}

int set_up(dq_net *net, const dq_model *model, const void *bytes, size_t count,
           const dq_device *device, dq_err *err)
{
    settle_library();
    net->threads = device->threads;
    net->dtype = type_of(model->dtype);
    net->layout = model->layout;
    net->channels = model->output_channels;
    if (find_device(net, device->name, err))
        return err->code;
    calling state(net);

    if (strcmp(model->runtime, "aoti") == 0)
        return load_package(net, bytes, count, err);
    if (load(net, bytes, count, err))
        return err->code;
    return make_fast(net, model, err);
}

void torch_close(dq_net *net) noexcept
{
    if (!net)
        return;
    guarded(nullptr, DQ_BUG, [&] {
        bool on_cuda = net->stream.has_value() && !net->lost;

        delete net;
        if (on_cuda)
            c10::getDeviceAllocator(at::kCUDA)->emptyCache();
        return DQ_OK;
    });
}

dq_net *torch_open(const dq_model *model, const void *bytes, size_t count,
                   const dq_device *device, dq_err *err) noexcept
{
    dq_net *net = new (std::nothrow) dq_net;
    dq_err own = {};
    int code;

    if (!net) {
        dq_fail(err, DQ_MEMORY, "not enough memory");
        return nullptr;
    }
    code = guarded(&own, DQ_MODEL, [&] {
        return set_up(net, model, bytes, count, device, &own);
    });
    if (code == DQ_OK)
        return net;
    after_failure(net, code, &own);
    torch_close(net);
    if (err)
        *err = own;
    return nullptr;
}

int torch_run(dq_net *net, const float *in, int batch, int h, int w, float *out,
              dq_err *err) noexcept
{
    dq_err own = {};
    int code;

    if (net->lost)
        return dq_fail(err, DQ_DEVICE, "%s is lost; a new process is needed",
                       net->device.str().c_str());
    code = guarded(&own, DQ_ANSWER,
                   [&] { return forward(net, in, batch, h, w, out, &own); });
    if (code == DQ_OK)
        return DQ_OK;
    after_failure(net, code, &own);
    if (err)
        *err = own;
    return own.code;
}

const char *torch_outside(const dq_net *net) noexcept
{
    return net->outside.c_str();
}

/* Their code is machine code: what it reaches for is not told. */
const dq_backend packages = {
    .runtime = "aoti",
    .open = torch_open,
    .run = torch_run,
    .close = torch_close,
    .outside = nullptr,
};

const dq_backend torchscript = {
    .runtime = "torchscript",
    .open = torch_open,
    .run = torch_run,
    .close = torch_close,
    .outside = torch_outside,
};

/* ---- the plugin ---------------------------------------------------------- */

void start() noexcept
{
    dq_log_setup("depthq-worker", DQ_LOG_INFO, DQ_LOG_TEXT);
    dq_fault_setup();
}

int count_devices() noexcept
{
    int count = 0;

    guarded(nullptr, DQ_DEVICE, [&] {
        count = cuda_devices();
        return DQ_OK;
    });
    return count;
}

} // namespace

extern "C" __attribute__((visibility("default")))
const struct dq_torch_table dq_torch_table = {
    .backend = &torchscript,
    .packages = &packages,
    .start = start,
    .cuda_devices = count_devices,
};
