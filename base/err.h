/* err: what failed, and why, in words for the person who must mend it.
 *
 * A fallible function takes `struct dq_err *err` last and returns its code
 * (0 is success) or NULL. The struct lives on the caller's stack or in a
 * pipeline ticket: no global, no thread-local, no allocation, so any thread
 * may use its own. Callers prepend context with dq_because, which yields
 *   frame 1007: plate/sh010.1007.exr: no channel 'R'
 * Retry policy and exit status come from errors.def, never from an `if`.
 */
#ifndef DQ_BASE_ERR_H
#define DQ_BASE_ERR_H

#include <stdarg.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define DQ_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define DQ_PRINTF(fmt, args)
#endif

enum dq_code {
    DQ_OK = 0,
#define DQ_E(name, policy, status, text) DQ_##name,
#include "base/errors.def"
#undef DQ_E
    DQ_CODES
};

/* What the dispatcher does with a task that failed with a code. */
enum dq_policy {
    DQ_POLICY_FAIL_JOB,   /* nothing else of this job can succeed either */
    DQ_POLICY_FAIL_FRAME, /* permanent for this frame; the others go on */
    DQ_POLICY_RETRY,      /* may pass: try again after a pause, counted */
    DQ_POLICY_NEW_WORKER, /* try again in a fresh process, counted */
    DQ_POLICY_BLOCK,      /* wait for storage; not counted as a failure */
    DQ_POLICY_REQUEUE     /* somebody asked us to stop; not counted */
};

struct dq_err {
    int code;        /* enum dq_code; DQ_OK when nothing failed */
    char text[1024]; /* one line, always terminated; cut at the end, between
                      * characters of UTF-8 */
};

/* Set err to code with a formatted text and return code. A NULL err is
 * allowed: only the code is returned then. An earlier error is replaced. */
int dq_fail(struct dq_err *err, int code, const char *fmt, ...) DQ_PRINTF(3, 4);

/* As dq_fail, with ": <strerror(errnum)>" appended to the text. */
int dq_fail_errno(struct dq_err *err, int code, int errnum, const char *fmt,
                  ...) DQ_PRINTF(4, 5);

/* Prepend "<context>: " to an error that is set; returns err->code. With a
 * NULL err the code is not known: DQ_BUG, so that a failure stays one. */
int dq_because(struct dq_err *err, const char *fmt, ...) DQ_PRINTF(2, 3);

/* Forget an error. */
void dq_err_clear(struct dq_err *err);

/* The code's name ("PLATE"; "OK" for 0), its sentence, its exit status and
 * its policy. Unknown codes answer as BUG. The strings are static. */
const char *dq_code_name(int code);
const char *dq_code_text(int code);
int dq_code_exit(int code);
enum dq_policy dq_code_policy(int code);

/* The code whose name this is; -1 when there is none ("OK" gives 0). */
int dq_code_from_name(const char *name);

/* The code that an errno of a failed write, create or rename means:
 * ENOSPC, EDQUOT, EFBIG -> FULL; EACCES, EPERM, EROFS -> DENIED; ENOENT,
 * ENOTDIR, EISDIR, ENAMETOOLONG, ELOOP -> CREATE; else IO. */
int dq_code_of_write_errno(int errnum);

#ifdef __cplusplus
}
#endif
#endif
