#include "infer/torch_errors.hh"

#include <string>

namespace dq_torch
{

static bool has(const std::string &text, const char *part)
{
    return text.find(part) != std::string::npos;
}

/* The interpreter of TorchScript throws what an operator threw as a
 * runtime_error, so memory that ran out is known by its text alone. */
static bool tells_of_memory(const std::string &text)
{
    return has(text, "out of memory") ||
           has(text, "DefaultCPUAllocator: can't allocate memory") ||
           has(text, "DefaultCPUAllocator: not enough memory") ||
           has(text, "std::bad_alloc") || has(text, "_STATUS_ALLOC_FAILED");
}

/* The message without the interpreter's traceback, as one line. */
static std::string essence(std::string text)
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

} // namespace dq_torch
