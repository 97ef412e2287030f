/* torch_net: a network on libtorch, as the parts of the torch shim share it.
 * Private to the shim, C++ only.
 *
 *   torch_shim.cc    the backend: one forward
 *   torch_device.cc  the library's state, devices, the process
 *   torch_load.cc    bytes -> a module
 *   torch_package.cc bytes -> a package of native code
 *   torch_scan.cc    what a module's code reaches for
 *   torch_fast.cc    the form of it that runs
 *   torch_errors.cc  exceptions -> errors
 *
 * All but the functions marked noexcept throw what torch throws.
 */
#ifndef DQ_INFER_TORCH_NET_HH
#define DQ_INFER_TORCH_NET_HH

#include <torch/script.h>

#include <c10/core/StreamGuard.h>
#include <torch/csrc/inductor/aoti_package/model_package_loader.h>
#include <torch/csrc/jit/runtime/graph_executor.h>

#include <memory>
#include <optional>
#include <string>

#include "infer/backend.h"

struct dq_net {
    torch::jit::Module module; /* or */
    std::unique_ptr<torch::inductor::AOTIModelPackageLoader> package;
    c10::Device device = at::kCPU;
    std::optional<c10::Stream> stream; /* CUDA: all our work is on this one */
    at::ScalarType dtype = at::kFloat;
    int threads = 0;
    enum dq_model_layout layout = DQ_LAYOUT_NCHW;
    int channels = 1;
    bool writes_input = false; /* in place: it is given a copy */
    bool lost = false;         /* the device; only a new process helps */
    at::Tensor up, down;       /* CUDA: pinned, kept from call to call */
    std::string outside;       /* operators that reach outside */
};

namespace dq_torch
{

/* What must hold in the calling thread while torch works for a net. */
struct calling {
    c10::InferenceMode inference;
    torch::jit::GraphOptimizerEnabledGuard no_profiling{false};
    c10::OptionalStreamGuard stream;

    explicit calling(const dq_net *net);
};

/* Fix what decides pixels in the library; does its work once. */
void settle_library();

/* "cpu", "cuda" or "cuda:N" -> the net's device and stream. DQ_DEVICE tells
 * what there is. */
int find_device(dq_net *net, const char *name, dq_err *err);
int cuda_devices();

/* What an error means for the net: memory is given back; a device that does
 * not answer is lost, and the error becomes DQ_DEVICE. Every tensor of the
 * failed call must be gone. */
int after_failure(dq_net *net, int code, dq_err *err) noexcept;

/* Bytes -> net->module on its device, in eval mode, one tensor in and one
 * out. DQ_MODEL says what the bytes are when they are no such thing. */
int load(dq_net *net, const void *bytes, size_t count, dq_err *err);

/* Bytes -> net->package on its device. DQ_MODEL: no such package, or one for
 * another kind of machine. */
int load_package(dq_net *net, const void *bytes, size_t count, dq_err *err);

/* Names of a module's operators that reach files or other machines. */
std::string outside_of(const torch::jit::Module &module);

/* Replace net->module by its faster form where that answers the same; see
 * whether it writes to its input. DQ_MODEL: a device is baked in. */
int make_fast(dq_net *net, const dq_model *model, dq_err *err);

at::Tensor answer_of(torch::jit::Module &module, const at::Tensor &in);

} // namespace dq_torch

#endif
