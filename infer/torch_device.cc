#include "infer/torch_net.hh"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/csrc/jit/codegen/fuser/interface.h>
#include <torch/csrc/jit/passes/tensorexpr_fuser.h>
#include <torch/version.h>

#include <cstdlib>
#include <cstring>
#include <mutex>

#include "infer/torch_errors.hh"

namespace dq_torch
{

void settle_library()
{
    static std::once_flag once;

    std::call_once(once, [] {
        at::Context &context = at::globalContext();

        torch::jit::setTensorExprFuserEnabled(false);
        torch::jit::overrideCanFuseOnCPU(false);
        torch::jit::overrideCanFuseOnGPU(false);
        context.setAllowTF32CuBLAS(false);
        context.setAllowTF32CuDNN(false);
        context.setBenchmarkCuDNN(false);
        context.setDeterministicCuDNN(true);
        /* Only warn: an operator that has no other form must still run. */
        context.setDeterministicAlgorithms(true, true);
        context.setDeterministicFillUninitializedMemory(false);
    });
}

calling::calling(const dq_net *net)
{
    if (net->threads > 0 && at::get_num_threads() != net->threads)
        at::set_num_threads(net->threads);
    else
        at::init_num_threads();
    if (net->stream)
        stream.reset_stream(*net->stream);
}

int cuda_devices()
{
    if (!c10::impl::hasDeviceGuardImpl(at::kCUDA))
        return 0;
    return c10::impl::VirtualGuardImpl(at::kCUDA).deviceCount();
}

static int no_device(const char *name, int cuda, dq_err *err)
{
    if (cuda == 0)
        return dq_fail(err, DQ_DEVICE,
                       "there is no device '%s': this libtorch (" TORCH_VERSION
                       ") sees no CUDA device, only cpu",
                       name);
    return dq_fail(err, DQ_DEVICE,
                   "there is no device '%s': there are cpu and cuda:0 to "
                   "cuda:%d",
                   name, cuda - 1);
}

int find_device(dq_net *net, const char *name, dq_err *err)
{
    int cuda, index = 0;
    char *end;

    if (strcmp(name, "cpu") == 0)
        return DQ_OK;
    cuda = cuda_devices();
    if (strncmp(name, "cuda", 4) != 0)
        return no_device(name, cuda, err);
    if (name[4] != '\0') {
        long number = strtol(name + 5, &end, 10);

        if (name[4] != ':' || end == name + 5 || *end || number < 0)
            return no_device(name, cuda, err);
        index = number < 1000 ? (int)number : 1000;
    }
    if (index >= cuda)
        return no_device(name, cuda, err);
    net->device = c10::Device(at::kCUDA, (c10::DeviceIndex)index);
    net->stream =
        c10::impl::VirtualGuardImpl(at::kCUDA).getStreamFromGlobalPool(
            net->device);
    return DQ_OK;
}

/* Whether a device still answers. After a sticky CUDA error it never does. */
static bool is_alive(const dq_net *net) noexcept
{
    if (!net->stream)
        return true;
    return guarded(nullptr, DQ_DEVICE, [&] {
               c10::impl::VirtualGuardImpl(at::kCUDA).synchronizeStream(
                   *net->stream);
               return DQ_OK;
           }) == DQ_OK;
}

int after_failure(dq_net *net, int code, dq_err *err) noexcept
{
    if (!is_alive(net)) {
        net->lost = true;
        if (err)
            err->code = DQ_DEVICE;
        dq_because(err, "%s is lost", net->device.str().c_str());
        return DQ_DEVICE;
    }
    if (code == DQ_MEMORY && net->stream)
        guarded(nullptr, DQ_DEVICE, [] {
            c10::getDeviceAllocator(at::kCUDA)->emptyCache();
            return DQ_OK;
        });
    return code;
}

} // namespace dq_torch
