/* spec_testing: what the tests of job files share. */
#ifndef DQ_JOBS_SPEC_TESTING_H
#define DQ_JOBS_SPEC_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "jobs/spec.h"

/* The least that a job file needs; lines 1 to 5. */
#define LEAST                   \
    "depthq: 1\n"               \
    "plate: plate/a.####.exr\n" \
    "model: demo\n"             \
    "output:\n"                 \
    "  path: out/a.####.exr\n"

static inline struct dq_spec *parse_ok(const char *text)
{
    struct dq_problems problems = {NULL, 0};
    struct dq_spec *spec = dq_spec_parse(text, strlen(text), "/jobs/shot.yaml",
                                         "/jobs", &problems);

    if (!spec)
        fail_msg("%d:%d: %s\nin\n%s", problems.list->line,
                 problems.list->column, problems.list->text, text);
    assert_int_equal(problems.count, 0);
    return spec;
}

/* All problems of a text as "line:column: text\n" lines. */
static inline char *problems_of(const char *text, size_t bytes)
{
    struct dq_problems problems = {NULL, 0};
    struct dq_bytes out = {0};
    struct dq_spec *spec =
        dq_spec_parse(text, bytes, "/jobs/shot.yaml", "/jobs", &problems);

    dq_bytes_text(&out, spec ? "none" : "");
    for (size_t i = 0; i < problems.count; i++)
        dq_bytes_printf(&out, "%d:%d: %s\n", problems.list[i].line,
                        problems.list[i].column, problems.list[i].text);
    dq_spec_free(spec);
    dq_problems_free(&problems);
    return out.data;
}

static inline void expect_problems(const char *text, const char *want)
{
    char *got = problems_of(text, strlen(text));

    if (strcmp(got, want) != 0)
        fail_msg("\n%swas expected, but came\n%sfrom\n%s", want, got, text);
    free(got);
}

/* The problems of LEAST with more lines below it. */
static inline void expect_more(const char *more, const char *want)
{
    char *text = dq_asprintf(LEAST "%s", more);

    expect_problems(text, want);
    free(text);
}

#endif
