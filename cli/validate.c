/* depthq validate: everything that is wrong with job files, text only. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "cli/commands.h"
#include "base/option.h"
#include "cli/problems.h"
#include "jobs/spec.h"

static const char help[] =
    "Examples:\n"
    "  depthq validate shot.yaml             # is it right?\n"
    "  depthq validate --json shots/*.yaml   # for programs\n"
    "  depthq validate - < shot.yaml         # from standard input\n"
    "\n"
    "Usage: depthq validate [OPTION]... JOB...\n"
    "\n"
    "Tells everything that is wrong with job files, each with line and\n"
    "column. Only the text is looked at: no plate, no model.\n"
    "\n"
    "      --json    one JSON object a file, a line each:\n"
    "                {\"file\", \"ok\", \"problems\": [{\"line\", \"column\", "
    "\"text\"}]}\n"
    "                and \"error\" when it cannot be read\n"
    "  -q, --quiet   nothing but problems\n"
    "  -h, --help    show this\n"
    "\n"
    "Exit status: 0 all are right, 65 one is wrong, else 66 one is missing.\n";

struct wish {
    int json, quiet;
};

/* What became of one file. */
struct verdict {
    const char *file;
    struct dq_spec *spec; /* NULL: it is wrong, or was not read */
    struct dq_bytes text;
    struct dq_problems problems;
    struct dq_err err;
};

static void print_ok(const struct dq_spec *spec, const char *file)
{
    char *frames = spec->frames.count ? dq_range_text(&spec->frames) : NULL;
    char *path = dq_sequence_text(&spec->output.path);

    printf("%s: ok: %s, %s%s, model %s, to %s\n", file, spec->name,
           frames ? "frames " : "every frame on disk", frames ? frames : "",
           spec->model, path);
    free(path);
    free(frames);
}

static void print_plain(const struct verdict *v, const struct wish *wish)
{
    if (v->spec && !wish->quiet)
        print_ok(v->spec, v->file);
    else if (!v->spec && v->err.code == DQ_SPEC)
        dq_problems_print(stdout, v->file, &v->text, &v->problems);
    else if (!v->spec)
        fprintf(stderr, "depthq validate: %s\n", v->err.text);
}

static void print_json(const struct verdict *v)
{
    json_t *all =
        json_pack("{s:o, s:b, s:o}", "file", dq_text_json(v->file), "ok",
                  v->spec != NULL, "problems", dq_problems_json(&v->problems));
    char *text;

    if (v->err.code && v->err.code != DQ_SPEC)
        json_object_set_new(all, "error",
                            json_pack("{s:s, s:o}", "code",
                                      dq_code_name(v->err.code), "message",
                                      dq_text_json(v->err.text)));
    text = dq_json_text(all);
    puts(text);
    free(text);
    json_decref(all);
}

/* The code of a file: 0 when it is right. */
static int validate(const char *file, const struct wish *wish)
{
    struct verdict v = {.file = file};

    v.spec = dq_spec_read_text(file, &v.text, &v.problems, &v.err);
    if (wish->json)
        print_json(&v);
    else
        print_plain(&v, wish);
    dq_spec_free(v.spec);
    dq_problems_free(&v.problems);
    dq_bytes_free(&v.text);
    return v.err.code;
}

static int validate_all(char **files, const struct wish *wish)
{
    int status = 0;

    for (; *files; files++) {
        int code = validate(*files, wish);

        if (code && (!status || code == DQ_SPEC))
            status = dq_code_exit(code);
    }
    return status;
}

int dq_cli_validate(int argc, char **argv)
{
    static const struct option options[] = {{"json", no_argument, NULL, 'j'},
                                            {"quiet", no_argument, NULL, 'q'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    struct wish wish = {0};
    int option;

    while ((option = dq_option_next("depthq validate", argc, argv, ":qh",
                                    options)) != -1) {
        if (option == 'h') {
            fputs(help, stdout);
            return 0;
        }
        if (option == '?')
            return dq_code_exit(DQ_USAGE);
        wish.json |= option == 'j';
        wish.quiet |= option == 'q';
    }
    if (optind < argc)
        return validate_all(argv + optind, &wish);
    fputs("depthq validate: which job file?\n"
          "Try: depthq validate shot.yaml\n",
          stderr);
    return dq_code_exit(DQ_USAGE);
}
