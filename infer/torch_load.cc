#include "infer/torch_net.hh"

#include <istream>
#include <streambuf>

#include "infer/archive.h"
#include "infer/torch_errors.hh"

namespace dq_torch
{

namespace
{

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

} // namespace

static int not_an_archive(const void *bytes, size_t count, dq_err *err)
{
    const unsigned char *b = static_cast<const unsigned char *>(bytes);
    const char *looks = "";

    if (count >= 2 && b[0] == 0x80 && b[1] <= 5)
        looks = "; it looks like a pickled checkpoint";
    else if (count >= 2 && b[0] == 0x08 && b[1] < 32)
        looks = "; it looks like ONNX";
    return dq_fail(err, DQ_MODEL, "is no TorchScript archive%s", looks);
}

static bool has_member(const void *bytes, size_t count, const char *path)
{
    dq_err ignored = {};
    const char *data;
    size_t size;

    return !dq_archive_find(bytes, count, path, &data, &size, &ignored) && data;
}

/* A zip that torch cannot load: call what people hand over by mistake by its
 * name. err holds what torch said, and keeps it where that is all. */
static int explain(const void *bytes, size_t count, dq_err *err)
{
    dq_err own = {};
    const char *data;
    size_t size;

    if (dq_archive_find(bytes, count, "constants.pkl", &data, &size, &own)) {
        *err = own; /* cut short, or damaged */
        return err->code;
    }
    if (data)
        return dq_because(err, "cannot be loaded");
    if (has_member(bytes, count, "archive_format"))
        return dq_fail(err, DQ_MODEL,
                       "is a torch.export package (.pt2), no TorchScript "
                       "archive; save the network with torch.jit.save");
    if (has_member(bytes, count, "data.pkl"))
        return dq_fail(err, DQ_MODEL,
                       "is a checkpoint (weights without the network, of "
                       "torch.save), no TorchScript archive; save the "
                       "network with torch.jit.save");
    return dq_fail(err, DQ_MODEL, "is a zip file but no TorchScript archive");
}

/* One tensor in, one tensor out: known before the first forward. */
static int check_forward(const torch::jit::Module &module, dq_err *err)
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
    int code;

    if (!dq_archive_is(bytes, count))
        return not_an_archive(bytes, count, err);
    code = guarded(err, DQ_MODEL, [&] {
        net->module = torch::jit::load(stream, net->device);
        net->module.eval();
        net->outside = outside_of(net->module);
        return DQ_OK;
    });
    if (code == DQ_MODEL)
        return explain(bytes, count, err);
    return code ? code : check_forward(net->module, err);
}

} // namespace dq_torch
