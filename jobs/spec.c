#include "jobs/spec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/path.h"
#include "jobs/spec_fields.h"

enum { LIMIT = 64 << 10 };

void dq_spec_free(struct dq_spec *spec)
{
    if (!spec)
        return;
    for (int i = 0; i < DQ_FIELDS; i++)
        dq_value_free(&dq_fields[i], spec);
    free(spec->file);
    free(spec->folder);
    free(spec);
}

static int read_stdin(struct dq_bytes *text, struct dq_err *err)
{
    char piece[4096];

    while (text->count <= LIMIT) {
        ssize_t got = read(STDIN_FILENO, piece, sizeof piece);

        if (got == 0)
            return DQ_OK;
        if (got > 0)
            dq_bytes_add(text, piece, (size_t)got);
        else if (errno != EINTR)
            return dq_fail_errno(err, DQ_IO, errno, "standard input");
    }
    return dq_fail(err, DQ_SPEC, "standard input: has more than %d KiB",
                   LIMIT >> 10);
}

static int read_job(const char *path, struct dq_bytes *text, struct dq_err *err)
{
    text->count = 0;
    if (strcmp(path, "-") == 0)
        return read_stdin(text, err);
    return dq_bytes_read_file(text, path, LIMIT, DQ_SPEC, err);
}

/* The first problem as an error, and how many there are. */
static void summarize(const char *path, const struct dq_problems *problems,
                      struct dq_err *err)
{
    const struct dq_problem *first = problems->list;

    dq_fail(err, DQ_SPEC, "%s:%d:%d: %s", path, first->line, first->column,
            first->text);
    if (problems->count > 1) {
        char more[64];
        size_t used = strlen(err->text);

        snprintf(more, sizeof more, " (and %zu more)", problems->count - 1);
        if (used + strlen(more) < sizeof err->text)
            memcpy(err->text + used, more, strlen(more) + 1);
    }
}

/* A message without the path before it, which a problem gets anyway. */
static const char *after_path(const char *text, const char *path)
{
    size_t bytes = strlen(path);

    return strncmp(text, path, bytes) == 0 &&
                   strncmp(text + bytes, ": ", 2) == 0
               ? text + bytes + 2
               : text;
}

struct dq_spec *dq_spec_read_text(const char *path, struct dq_bytes *text,
                                  struct dq_problems *problems,
                                  struct dq_err *err)
{
    int piped = strcmp(path, "-") == 0;
    struct dq_spec *spec = NULL;
    char *file, *folder;

    if (read_job(path, text, err)) {
        if (err->code == DQ_SPEC)
            dq_problem_add(problems, 1, 1, "%s", after_path(err->text, path));
        return NULL;
    }
    file = piped ? dq_strdup(path) : dq_path_absolute(path);
    folder = piped ? dq_path_absolute(".") : dq_path_folder(file);
    spec = dq_spec_parse(text->data ? text->data : "", text->count, file,
                         folder, problems);
    if (!spec)
        summarize(path, problems, err);
    free(folder);
    free(file);
    return spec;
}

struct dq_spec *dq_spec_read(const char *path, struct dq_problems *problems,
                             struct dq_err *err)
{
    struct dq_bytes text = {0};
    struct dq_spec *spec = dq_spec_read_text(path, &text, problems, err);

    dq_bytes_free(&text);
    return spec;
}
