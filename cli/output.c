#include "cli/output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

int dq_output_finish(const char *who, int status)
{
    if (!fflush(stdout) && !ferror(stdout))
        return status;
    fprintf(stderr, "%s: standard output: %s\n", who, strerror(errno));
    return status ? status : dq_code_exit(DQ_IO);
}

int dq_output_each(const char *who, char *const *words, int count, int json,
                   int (*look)(const void *wish, const char *word, json_t *all),
                   const void *wish)
{
    json_t *all = json_array();
    int code = DQ_OK;

    for (int i = 0; i < count; i++) {
        int failed = look(wish, words[i], all);

        code = code ? code : failed;
    }
    if (json) {
        json_dumpf(all, stdout, JSON_INDENT(1));
        puts("");
    }
    json_decref(all);
    return dq_output_finish(who, dq_code_exit(code));
}
