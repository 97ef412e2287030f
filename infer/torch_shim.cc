/* torch_shim: TorchScript on libtorch, CPU and CUDA from one source.
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
#include <torch/script.h>

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/csrc/jit/codegen/fuser/interface.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/inliner.h>
#include <torch/csrc/jit/passes/tensorexpr_fuser.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/version.h>

#include <malloc.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <istream>
#include <mutex>
#include <new>
#include <optional>
#include <streambuf>
#include <string>

#include "base/fault.h"
#include "base/log.h"
#include "infer/archive.h"
#include "infer/backend.h"
#include "infer/torch_shim.h"

struct dq_net {
    torch::jit::Module module;
    c10::Device device = at::kCPU;
    std::optional<c10::Stream> stream; /* CUDA: all our work is on this one */
    at::ScalarType dtype = at::kFloat;
    int threads = 0;
    enum dq_model_layout layout = DQ_LAYOUT_NCHW;
    int channels = 1;
    bool writes_input = false; /* in place: it is given a copy */
    bool lost = false;         /* the device; only a new process helps */
    at::Tensor up, down;       /* CUDA: pinned, kept from call to call */
};

namespace
{

/* ---- exceptions become errors ------------------------------------------- */

bool has(const std::string &text, const char *part)
{
    return text.find(part) != std::string::npos;
}

/* The interpreter of TorchScript throws what an operator threw as a
 * runtime_error, so memory that ran out is known by its text alone. */
bool tells_of_memory(const std::string &text)
{
    return has(text, "out of memory") ||
           has(text, "DefaultCPUAllocator: can't allocate memory") ||
           has(text, "DefaultCPUAllocator: not enough memory") ||
           has(text, "std::bad_alloc") || has(text, "_STATUS_ALLOC_FAILED");
}

/* The message without the interpreter's traceback, as one line. */
std::string essence(std::string text)
{
    std::string line;
    size_t at = std::string::npos;

    if (has(text, "TorchScript interpreter"))
        at = text.rfind("Error: ");
    if (at != std::string::npos) {
        size_t begin = text.rfind('\n', at);

        text.erase(0, begin == std::string::npos ? 0 : begin + 1);
    }
    for (char c : text) {
        bool blank = c == '\n' || c == '\t' || c == ' ';

        if (!blank)
            line += c;
        else if (!line.empty() && line.back() != ' ')
            line += ' ';
    }
    if (line.size() > 600)
        line.resize(600);
    while (!line.empty() && line.back() == ' ')
        line.pop_back();
    return line;
}

int fail_with(dq_err *err, int code, const char *text) noexcept
{
    try {
        std::string all(text);

        return dq_fail(err, tells_of_memory(all) ? (int)DQ_MEMORY : code, "%s",
                       essence(all).c_str());
    } catch (...) {
        return dq_fail(err, DQ_MEMORY, "not enough memory");
    }
}

/* Run fn, which returns a code of its own; what it throws is `code` unless
 * it tells of memory. The exception, which may hold tensors, is gone when
 * this returns: free and retry after it. */
template <class Fn> int guarded(dq_err *err, int code, Fn fn) noexcept
{
    try {
        return fn();
    } catch (const c10::OutOfMemoryError &e) {
        return fail_with(err, DQ_MEMORY, e.what_without_backtrace());
    } catch (const c10::Error &e) {
        return fail_with(err, code, e.what_without_backtrace());
    } catch (const std::bad_alloc &) {
        return dq_fail(err, DQ_MEMORY, "not enough memory");
    } catch (const std::exception &e) {
        return fail_with(err, code, e.what());
    } catch (...) {
        return dq_fail(err, DQ_BUG, "exception without a text");
    }
}

/* ---- the library's state ------------------------------------------------- */

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

/* What must hold in the calling thread while torch works for a net. */
struct calling {
    c10::InferenceMode inference;
    torch::jit::GraphOptimizerEnabledGuard no_profiling{false};
    c10::OptionalStreamGuard stream;

    explicit calling(const dq_net *net)
    {
        if (net->threads > 0 && at::get_num_threads() != net->threads)
            at::set_num_threads(net->threads);
        else
            at::init_num_threads();
        if (net->stream)
            stream.reset_stream(*net->stream);
    }
};

int cuda_devices()
{
    if (!c10::impl::hasDeviceGuardImpl(at::kCUDA))
        return 0;
    return c10::impl::VirtualGuardImpl(at::kCUDA).deviceCount();
}

int no_device(const char *name, int cuda, dq_err *err)
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

/* "cpu", "cuda" or "cuda:N" */
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
bool is_alive(const dq_net *net) noexcept
{
    if (!net->stream)
        return true;
    return guarded(nullptr, DQ_DEVICE, [&] {
               c10::impl::VirtualGuardImpl(at::kCUDA).synchronizeStream(
                   *net->stream);
               return DQ_OK;
           }) == DQ_OK;
}

/* What an error means for the net: memory is given back, a device that does
 * not answer is lost. Every tensor of the failed call is gone by now. */
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

/* ---- loading ------------------------------------------------------------- */

/* The caller's bytes as a stream, without a copy. */
class borrowed_bytes : public std::streambuf
{
  public:
    borrowed_bytes(const void *bytes, size_t count)
    {
        char *begin = const_cast<char *>(static_cast<const char *>(bytes));

        setg(begin, begin, begin + count);
    }

  protected:
    pos_type seekpos(pos_type at, std::ios_base::openmode which) override
    {
        return seekoff(off_type(at), std::ios_base::beg, which);
    }

    pos_type seekoff(off_type offset, std::ios_base::seekdir from,
                     std::ios_base::openmode) override
    {
        off_type base = from == std::ios_base::beg   ? 0
                        : from == std::ios_base::cur ? gptr() - eback()
                                                     : egptr() - eback();
        off_type to = base + offset;

        if (to < 0 || to > egptr() - eback())
            return pos_type(off_type(-1));
        setg(eback(), eback() + to, egptr());
        return pos_type(to);
    }
};

bool has_member(const void *bytes, size_t count, const char *suffix)
{
    dq_err ignored = {};
    const char *data;
    size_t size;

    return !dq_archive_find(bytes, count, suffix, &data, &size, &ignored) &&
           data;
}

/* Say what people hand over by mistake by its name. */
int check_archive(const void *bytes, size_t count, dq_err *err)
{
    const unsigned char *b = static_cast<const unsigned char *>(bytes);
    const char *data;
    size_t size;

    if (!dq_archive_is(bytes, count)) {
        const char *looks = count >= 2 && b[0] == 0x80 && b[1] <= 5
                                ? "; it looks like a pickled checkpoint"
                            : count >= 2 && b[0] == 0x08 && b[1] < 32
                                ? "; it looks like ONNX"
                                : "";

        return dq_fail(err, DQ_MODEL, "is no TorchScript archive%s", looks);
    }
    if (dq_archive_find(bytes, count, "/constants.pkl", &data, &size, err))
        return err->code;
    if (data)
        return DQ_OK;
    if (has_member(bytes, count, "/archive_format") ||
        has_member(bytes, count, ".so"))
        return dq_fail(err, DQ_MODEL,
                       "is a torch.export package (.pt2), not a TorchScript "
                       "archive; save it with torch.jit.save");
    if (has_member(bytes, count, "/data.pkl"))
        return dq_fail(err, DQ_MODEL,
                       "is a checkpoint (torch.save: weights without the "
                       "network), not a TorchScript archive; export the "
                       "network with torch.jit.save");
    return dq_fail(err, DQ_MODEL, "is a zip file but no TorchScript archive");
}

/* One tensor in, one tensor out: known before the first forward. */
int check_forward(const torch::jit::Module &module, dq_err *err)
{
    auto forward = module.find_method("forward");
    size_t needed = 0;

    if (!forward)
        return dq_fail(err, DQ_MODEL, "has no method 'forward'");
    const auto &schema = forward->function().getSchema();
    const auto &takes = schema.arguments();
    const auto &gives = schema.returns();

    for (const auto &argument : takes)
        needed += argument.default_value() ? 0 : 1;
    if (needed != 2 || !takes[1].type()->isSubtypeOf(*c10::TensorType::get()))
        return dq_fail(err, DQ_MODEL,
                       "its forward takes %zu arguments; depthq gives one "
                       "tensor, so wrap it when exporting",
                       takes.size() - 1);
    if (gives.size() != 1 ||
        !gives[0].type()->isSubtypeOf(*c10::TensorType::get()))
        return dq_fail(err, DQ_MODEL,
                       "its forward answers %s; depthq takes one tensor, so "
                       "wrap it when exporting to return depth alone",
                       gives.empty()
                           ? "nothing"
                           : gives[0].type()->annotation_str().c_str());
    return DQ_OK;
}

int load(dq_net *net, const void *bytes, size_t count, dq_err *err)
{
    borrowed_bytes buffer(bytes, count);
    std::istream stream(&buffer);

    if (check_archive(bytes, count, err))
        return err->code;
    net->module = torch::jit::load(stream, net->device);
    net->module.eval();
    return check_forward(net->module, err);
}

/* ---- one forward --------------------------------------------------------- */

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

at::Tensor answer_of(torch::jit::Module &module, const at::Tensor &in)
{
    return module.forward({in}).toTensor();
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
    answer = answer_of(net->module, give(net, in, {batch, 3, h, w}));
    if (check_answer(answer, wanted_shape(net, batch, h, w), err))
        return err->code;
    take(net, answer, out);
    return DQ_OK;
}

/* ---- the faster form of a network ---------------------------------------- */

/* The side of a trial: what every size rule allows, and quick. */
int trial_side(const dq_model *model, int axis)
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
at::Tensor trial_picture(const dq_net *net, const dq_model *model)
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
double difference(const at::Tensor &one, const at::Tensor &other)
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

double bound_of(at::ScalarType dtype)
{
    return dtype == at::kFloat ? 1e-5 : dtype == at::kHalf ? 5e-3 : 4e-2;
}

/* Frozen, and on the CPU with weights packed for oneDNN, when that answers
 * the same; the network as it came when not. False when the network itself
 * fails on the trial: `err` says how, and it stays as it came. */
bool make_fast(dq_net *net, const dq_model *model, dq_err *err)
{
    at::Tensor want;
    dq_err why = {};

    if (guarded(err, DQ_ANSWER, [&] {
            at::Tensor in = trial_picture(net, model);
            at::Tensor before = in.clone();

            want = answer_of(net->module, in);
            net->writes_input = !at::equal(in, before);
            return DQ_OK;
        }))
        return false;
    if (guarded(&why, DQ_MODEL, [&] {
            torch::jit::Module fast = torch::jit::freeze(net->module);
            double d;

            if (!net->stream)
                fast = torch::jit::optimize_for_inference(fast);
            d = difference(want, answer_of(fast, trial_picture(net, model)));
            if (!(d <= bound_of(net->dtype)))
                return dq_fail(&why, DQ_MODEL,
                               "it answers differently (%g of the range)", d);
            net->module = fast;
            return (int)DQ_OK;
        }))
        dq_log_warn("network runs as it came, it cannot be optimized", "model",
                    model->name, "why", why.text);
    return true;
}

/* ---- a device that the exporter left in the network ---------------------- */

std::optional<c10::Device> device_in(const torch::jit::Node *node)
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

std::optional<c10::Device> foreign_device(const torch::jit::Block *block,
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

/* The trial failed: say so now when another device is the reason, else leave
 * it to the frames, whose pictures may fare better. */
int blame_device(dq_net *net, const dq_err *why, dq_err *err)
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
    dq_err trial = {};

    settle_library();
    net->threads = device->threads;
    net->dtype = type_of(model->dtype);
    net->layout = model->layout;
    net->channels = model->output_channels;
    if (find_device(net, device->name, err))
        return err->code;
    calling state(net);

    if (load(net, bytes, count, err))
        return err->code;
    if (!make_fast(net, model, &trial))
        return blame_device(net, &trial, err);
    return DQ_OK;
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

} // namespace

extern "C" const struct dq_backend dq_backend_torchscript = {
    .runtime = "torchscript",
    .open = torch_open,
    .run = torch_run,
    .close = torch_close,
};

const char *dq_torch_version(void)
{
    return TORCH_VERSION;
}

int dq_torch_cuda_devices(void)
{
    int count = 0;

    guarded(nullptr, DQ_DEVICE, [&] {
        count = cuda_devices();
        return DQ_OK;
    });
    return count;
}

void dq_torch_process_setup(void)
{
    static const char *const changes_pixels[] = {
        "ONEDNN_DEFAULT_FPMATH_MODE", "DNNL_DEFAULT_FPMATH_MODE",
        "NVIDIA_TF32_OVERRIDE", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE"};

    for (const char *name : changes_pixels)
        unsetenv(name);
    /* cuBLAS is only deterministic with a workspace of its own. */
    setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0);
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_TRIM_THRESHOLD, -1); /* never */
    mallopt(M_TOP_PAD, 256 << 20);
}
