#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    const char *text;
    int status;
    enum dq_policy policy;
} codes[DQ_CODES] = {
    [DQ_OK] = {"OK", "no error", 0, DQ_POLICY_FAIL_FRAME},
#define DQ_E(name, policy, status, text) \
    [DQ_##name] = {#name, text, status, DQ_POLICY_##policy},
#include "base/errors.def"
#undef DQ_E
};

static int known(int code)
{
    return code >= 0 && code < DQ_CODES ? code : DQ_BUG;
}

int dq_fail(struct dq_err *err, int code, const char *fmt, ...)
{
    va_list args;

    if (!err)
        return code;
    err->code = code;
    va_start(args, fmt);
    vsnprintf(err->text, sizeof err->text, fmt, args);
    va_end(args);
    return code;
}

int dq_fail_errno(struct dq_err *err, int code, int errnum, const char *fmt,
                  ...)
{
    va_list args;
    size_t used;
    char why[128];

    if (!err)
        return code;
    err->code = code;
    va_start(args, fmt);
    vsnprintf(err->text, sizeof err->text, fmt, args);
    va_end(args);
    used = strlen(err->text);
    snprintf(err->text + used, sizeof err->text - used, ": %s",
             strerror_r(errnum, why, sizeof why)); /* the GNU one */
    return code;
}

int dq_because(struct dq_err *err, const char *fmt, ...)
{
    char was[sizeof err->text];
    va_list args;
    size_t used;

    if (!err)
        return DQ_OK;
    if (err->code == DQ_OK)
        return DQ_OK;
    memcpy(was, err->text, sizeof was);
    va_start(args, fmt);
    vsnprintf(err->text, sizeof err->text, fmt, args);
    va_end(args);
    used = strlen(err->text);
    snprintf(err->text + used, sizeof err->text - used, ": %s", was);
    return err->code;
}

void dq_err_clear(struct dq_err *err)
{
    err->code = DQ_OK;
    err->text[0] = '\0';
}

const char *dq_code_name(int code)
{
    return codes[known(code)].name;
}

const char *dq_code_text(int code)
{
    return codes[known(code)].text;
}

int dq_code_exit(int code)
{
    return codes[known(code)].status;
}

enum dq_policy dq_code_policy(int code)
{
    return codes[known(code)].policy;
}

int dq_code_from_name(const char *name)
{
    for (int i = 0; i < DQ_CODES; i++)
        if (strcmp(codes[i].name, name) == 0)
            return i;
    return -1;
}

int dq_code_of_write_errno(int errnum)
{
    switch (errnum) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return DQ_FULL;
    case EACCES:
    case EPERM:
    case EROFS:
        return DQ_DENIED;
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
    case ENAMETOOLONG:
    case ELOOP:
        return DQ_CREATE;
    default:
        return DQ_IO;
    }
}
