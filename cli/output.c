#include "cli/output.h"

#include <stdio.h>

#include "base/err.h"

int dq_output_each(char *const *words, int count, int json,
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
    return dq_code_exit(code);
}
