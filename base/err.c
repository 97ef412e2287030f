#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

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

/* A text that was cut may end within a character, which JSON refuses. */
static void end_whole(char *text, size_t room)
{
    size_t n = strlen(text);

    if (n + 1 < room)
        return;
    for (size_t back = 1; back < 4; back++) {
        unsigned char byte = (unsigned char)text[n - back];

        if (byte >= 0xc0 && dq_text_character(text + n - back) == 0)
            text[n - back] = '\0';
        if (byte >= 0xc0 || byte < 0x80)
            return;
    }
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
    end_whole(err->text, sizeof err->text);
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
    end_whole(err->text, sizeof err->text);
    return code;
}

int dq_because(struct dq_err *err, const char *fmt, ...)
{
    char was[sizeof err->text];
    va_list args;
    size_t used;

    if (!err)
        return DQ_BUG;
    if (err->code == DQ_OK)
        return DQ_OK;
    memcpy(was, err->text, sizeof was);
    va_start(args, fmt);
    vsnprintf(err->text, sizeof err->text, fmt, args);
    va_end(args);
    used = strlen(err->text);
    snprintf(err->text + used, sizeof err->text - used, ": %s", was);
    end_whole(err->text, sizeof err->text);
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
