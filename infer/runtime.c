#include "infer/runtime.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/yaml.h"

enum { LIMIT = 64 * 1024 };

static const char file[] = "runtimes.yaml";

static void check_entry(const struct dq_yaml *entry,
                        struct dq_problems *problems)
{
    if (entry->kind != DQ_YAML_SCALAR || entry->text[0] != '/')
        dq_problem_add(problems, entry->line, entry->column,
                       "%s: the absolute path of a library is wanted",
                       entry->key);
}

/* The value of kind in a map that is right in all of its lines, or NULL. */
static char *look_up(const struct dq_yaml *tree, const char *kind,
                     struct dq_problems *problems)
{
    const char *path = NULL;

    if (tree->kind == DQ_YAML_SCALAR && !*tree->text && !tree->quoted)
        return NULL; /* nothing but comments */
    if (tree->kind != DQ_YAML_MAP)
        dq_problem_add(problems, tree->line, tree->column,
                       "lines of `kind: /path/of/library.so` are wanted");
    for (const struct dq_yaml *e = tree->child; e; e = e->next) {
        if (!e->key)
            continue;
        check_entry(e, problems);
        if (strcmp(e->key, kind) == 0)
            path = e->text;
    }
    return path && !problems->count ? dq_strdup(path) : NULL;
}

static char *read_file(const char *path, const char *kind, struct dq_err *err)
{
    struct dq_problems problems = {0};
    struct dq_bytes text = {0};
    struct dq_yaml *tree = NULL;
    char *library = NULL;

    if (!dq_bytes_read_file(&text, path, LIMIT, DQ_CONFIG, err) &&
        !dq_yaml_is_empty(text.data))
        tree = dq_yaml_parse(text.data, text.count, &problems);
    if (tree)
        library = look_up(tree, kind, &problems);
    if (problems.count)
        dq_fail(err, DQ_CONFIG, "%s:%d:%d: %s", path, problems.list->line,
                problems.list->column, problems.list->text);
    dq_yaml_free(tree);
    dq_problems_free(&problems);
    dq_bytes_free(&text);
    return library;
}

/* What it names runs with the worker's rights. One that is not there is left to
 * who opens it. */
static int check_owner(const char *path, struct dq_err *err)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return DQ_OK;
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return dq_fail(err, DQ_CONFIG,
                       "%s is of user %lld: what a worker loads must be its "
                       "user's or root's",
                       path, (long long)st.st_uid);
    if (st.st_mode & S_IWOTH)
        return dq_fail(err, DQ_CONFIG,
                       "%s may be written by anyone, and a worker would load "
                       "it: chmod o-w %s",
                       path, path);
    return DQ_OK;
}

char *dq_runtime_library(const char *kind, struct dq_err *err)
{
    char *path = dq_path_config(file);
    char *library =
        path && !check_owner(path, err) ? read_file(path, kind, err) : NULL;

    if (library && check_owner(library, err)) {
        free(library);
        library = NULL;
    }
    if (!library && !err->code)
        dq_fail(err, DQ_CONFIG,
                "no library is named for it in %s: install the runtime and "
                "say `%.60s: /path/of/library.so` there",
                path ? path : "/etc/depthq/runtimes.yaml", kind);
    free(path);
    return library;
}
