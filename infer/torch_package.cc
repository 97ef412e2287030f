/* torch_package: a package of AOTInductor (.pt2), native code in a zip.
 *
 * libtorch takes a path and unpacks the code into a private folder of the
 * system's temporary one, which is gone when the net is closed. The path leads
 * to memory with the very bytes that were hashed.
 */
#include "infer/torch_net.hh"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "infer/archive.h"
#include "infer/torch_errors.hh"

namespace dq_torch
{

namespace
{

/* The bytes as a file without a name, for as long as this lives. */
class memory_file
{
  public:
    memory_file(const void *bytes, size_t count)
        : fd(memfd_create("depthq-model", MFD_CLOEXEC))
    {
        const char *from = static_cast<const char *>(bytes);

        while (count > 0 && fd >= 0) {
            ssize_t n = write(fd, from, count);

            if (n <= 0)
                break;
            from += n;
            count -= (size_t)n;
        }
        whole = fd >= 0 && count == 0;
    }
    memory_file(const memory_file &) = delete;
    memory_file &operator=(const memory_file &) = delete;
    ~memory_file()
    {
        if (fd >= 0)
            close(fd);
    }

    std::string path() const
    {
        return "/proc/self/fd/" + std::to_string(fd);
    }

    bool whole = false;

  private:
    int fd;
};

} // namespace

/* An instruction set as inductor names the widest that code uses ("AVX2",
 * "AVX512 AMX_TILE"); what is not known here passes. */
static bool machine_runs(const std::string &isa)
{
#if defined(__x86_64__)
    if (isa.find("AVX512") != std::string::npos)
        return __builtin_cpu_supports("avx512f") &&
               __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512vl");
    if (isa.find("AVX2") != std::string::npos)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
    return true;
}

/* Code for another instruction set would end the process, for another device
 * it cannot be loaded: what it was compiled for is asked before that. */
static int check_made_for(const dq_net *net, const std::string &path,
                          dq_err *err)
{
    auto about =
        torch::inductor::AOTIModelPackageLoader::load_metadata_from_package(
            path, "model");
    const std::string &device = about["AOTI_DEVICE_KEY"];
    const char *own = net->stream ? "cuda" : "cpu";
    const std::string &isa = about["AOTI_CPU_ISA"];

    if (!device.empty() && device != own)
        return dq_fail(err, DQ_MODEL,
                       "it was compiled for %.20s, not for %s; export it for "
                       "this device",
                       device.c_str(), own);
    if (!machine_runs(isa))
        return dq_fail(err, DQ_MODEL,
                       "it was compiled for processors with %.40s, which this "
                       "one has not; export it for an older instruction set",
                       isa.c_str());
    return DQ_OK;
}

int load_package(dq_net *net, const void *bytes, size_t count, dq_err *err)
{
    dq_err ignored = {};
    const char *format;
    size_t size;

    if (dq_archive_find(bytes, count, "archive_format", &format, &size,
                        &ignored) ||
        !format)
        return dq_fail(err, DQ_MODEL,
                       "is no whole package of torch.export (.pt2), which its "
                       "contract promises (runtime aoti)");
    memory_file file(bytes, count);

    if (!file.whole)
        return dq_fail_errno(err, DQ_MEMORY, errno, "no room for the package");
    return guarded(err, DQ_MODEL, [&] {
        if (check_made_for(net, file.path(), err))
            return err->code;
        net->package =
            std::make_unique<torch::inductor::AOTIModelPackageLoader>(
                file.path(), "model", /*run_single_threaded=*/true, 1,
                net->stream ? net->device.index() : c10::DeviceIndex(-1));
        return (int)DQ_OK;
    });
}

} // namespace dq_torch
