#include "base/output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

int dq_output_finish(const char *who, int status)
{
    errno = 0;
    if (!fflush(stdout) && !ferror(stdout))
        return status;
    fprintf(stderr, "%s: standard output: %s\n", who,
            errno ? strerror(errno) : "a write has failed");
    return status ? status : dq_code_exit(DQ_IO);
}
