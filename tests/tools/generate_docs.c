/* generate_docs FOLDER: write the files that are made from tables of jobs/
 * into the folder's schemas/ and docs/. scripts/generate calls it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/publish.h"
#include "jobs/spec.h"
#include "jobs/task.h"

static const struct {
    const char *path;
    char *(*make)(void);
} files[] = {
    {"schemas/job.schema.json", dq_spec_schema},
    {"docs/job-file.md", dq_spec_manual},
    {"docs/states.md", dq_task_manual},
};

static int write_file(const char *folder, size_t i, struct dq_err *err)
{
    char *path = dq_asprintf("%s/%s", folder, files[i].path);
    char *text = files[i].make();
    int code = dq_publish(path, text, strlen(text), "generate",
                          DQ_PUBLISH_REPLACE, NULL, err);

    free(text);
    free(path);
    return code;
}

int main(int argc, char **argv)
{
    struct dq_err err = {0};

    if (argc != 2) {
        fputs("usage: generate_docs FOLDER\n", stderr);
        return dq_code_exit(DQ_USAGE);
    }
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (write_file(argv[1], i, &err)) {
            fprintf(stderr, "generate_docs: %s\n", err.text);
            return dq_code_exit(err.code);
        }
    return 0;
}
