/* torch_errors: exceptions of libtorch become errors of ours. Private to the
 * torch shim, C++ only. Any thread.
 */
#ifndef DQ_INFER_TORCH_ERRORS_HH
#define DQ_INFER_TORCH_ERRORS_HH

#include <c10/util/Exception.h>

#include <exception>
#include <new>

#include "base/err.h"

namespace dq_torch
{

/* Set err to `code`, or to DQ_MEMORY where the text tells of memory that ran
 * out; the text becomes one line without the interpreter's traceback. */
int fail_with(dq_err *err, int code, const char *text) noexcept;

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

} // namespace dq_torch

#endif
