/* depthq-pull: a depth pass into an artist's folder. Run by `depthq pull`.
 *
 *   depthq pull sh010.yaml --to ~/sh010
 *   depthq pull sh010.yaml --list
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/option.h"
#include "base/output.h"
#include "cli/pass_models.h"
#include "cli/problems.h"
#include "cli/pull.h"

static const char help[] =
    "Examples:\n"
    "  depthq pull sh010.yaml --to ~/sh010          # its depth, and a .nk\n"
    "  depthq pull sh010.yaml --list                # what there is\n"
    "  depthq pull 12 --to .                        # of the queue's job\n"
    "  depthq pull /show/sh010/depth --model my-depth@2.0.0 --to .\n"
    "\n"
    "Usage: depthq pull [OPTION]... JOB|PATTERN|FOLDER|FILE|NUMBER\n"
    "\n"
    "Brings the depth frames of a shot into a folder. Says first what is\n"
    "missing, stale or suspect; checks every file against the record of its\n"
    "delivery, and refuses one that was altered since. Files come as reflinks\n"
    "where the file system can, else as hard links, else as copies (a hard\n"
    "link is the farm's own file: do not write into it). Run again, it brings\n"
    "what is not there yet. A Nuke Read node is written beside them.\n"
    "\n"
    "      --to DIR          the folder; made when it is not there\n"
    "      --frames RANGE    these frames alone\n"
    "      --model NAME      made by this model: NAME, NAME@VERSION or\n"
    "                        NAME@ALIAS\n"
    "      --as-of TIME      as they were then: 2026-11-24, 2026-11-24T18:00,\n"
    "                        or with a Z for UTC\n"
    "      --copy            copies of their own, no links\n"
    "      --replace         also over files that were never these frames\n"
    "      --watch           go on as frames arrive, until none is missing or\n"
    "                        the queue's job that makes them is over\n"
    "      --list            tell what there is, and pull nothing\n"
    "      --json            one JSON value on standard output\n"
    "  -h, --help            show this\n"
    "\n"
    "Exit status: 0 every frame is there (stale and suspect ones count), 1\n"
    "some are not, else of why none is: 65 altered, or the job is wrong, 66\n"
    "nothing was made, 69 no daemon tells of the job, 73 something else is in\n"
    "the way; 74 storage failed, 75 stopped, or the disk is full: run it\n"
    "again; 77 not allowed.\n";

/* ---- the command line ----------------------------------------------------*/

static int take(int option, struct dq_pull_wish *w)
{
    switch (option) {
    case 'f':
        w->frames = optarg;
        break;
    case 't':
        w->to = optarg;
        break;
    case 'm':
        w->model = optarg;
        break;
    case 'a':
        w->as_of = optarg;
        break;
    case 'c':
        w->copy = 1;
        break;
    case 'r':
        w->replace = 1;
        break;
    case 'l':
        w->list = 1;
        break;
    case 'w':
        w->watch = 1;
        break;
    case 'j':
        w->json = 1;
        break;
    case 'h':
        w->help = 1;
        break;
    default:
        return DQ_USAGE;
    }
    return DQ_OK;
}

/* What does not go together, and what is missing. */
static int check(struct dq_pull_wish *w, int words)
{
    struct dq_err err = {0};

    if (w->help)
        return DQ_OK;
    if (words != 1)
        dq_fail(&err, DQ_USAGE,
                "name one job, pattern, folder, file or job's number");
    else if (!w->list && !w->to)
        dq_fail(&err, DQ_USAGE, "--to which folder? (or --list)");
    else
        dq_pull_wish_read(w, &err);
    if (err.code)
        fprintf(stderr, "depthq pull: %s\nTry: depthq pull --help\n", err.text);
    return err.code;
}

static int take_options(int argc, char **argv, struct dq_pull_wish *w)
{
    static const struct option options[] = {
        {"to", required_argument, NULL, 't'},
        {"frames", required_argument, NULL, 'f'},
        {"model", required_argument, NULL, 'm'},
        {"as-of", required_argument, NULL, 'a'},
        {"copy", no_argument, NULL, 'c'},
        {"replace", no_argument, NULL, 'r'},
        {"list", no_argument, NULL, 'l'},
        {"watch", no_argument, NULL, 'w'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    int option;

    while ((option =
                dq_option_next("depthq pull", argc, argv, ":h", options)) != -1)
        if (take(option, w))
            return DQ_USAGE;
    return check(w, argc - optind);
}

/* ---- listing -------------------------------------------------------------*/

static void list_pass(const struct dq_pull_wish *w, const struct dq_pass *pass,
                      json_t *all)
{
    size_t count;
    struct dq_pass_model *models = dq_pass_models(pass, &count);
    char *text = dq_pass_models_text(models, count);

    if (!w->json)
        printf("%s\n%s", pass->pattern, text);
    json_array_append_new(all, json_pack("{s:o, s:o, s:o}", "name",
                                         dq_text_json(pass->name), "output",
                                         dq_text_json(pass->pattern), "models",
                                         dq_pass_models_json(models, count)));
    free(text);
    dq_pass_models_free(models, count);
}

static int list_one(const struct dq_pull_wish *w, const char *word, json_t *all)
{
    struct dq_pass pass;
    struct dq_err err = {0};

    if (!dq_pass_find(word, &pass, &err) &&
        !dq_pass_cut(&pass, w->frames, &err))
        list_pass(w, &pass, all);
    else
        dq_job_plan_tell(&pass.plan.job, word, "depthq pull", &err, stderr);
    dq_pass_free(&pass);
    return err.code;
}

/* A folder may hold several passes. */
static int list(const struct dq_pull_wish *w, const char *word)
{
    struct dq_err ignored = {0};
    json_t *all = json_array();
    char **patterns;
    size_t count;
    int code = DQ_OK;

    dq_pass_list(word, &patterns, &count, &ignored);
    for (size_t i = 0; i < count; i++) {
        int failed = list_one(w, patterns[i], all);

        code = code ? code : failed;
        free(patterns[i]);
    }
    free(patterns);
    if (!count)
        code = list_one(w, word, all);
    if (w->json) {
        json_dumpf(all, stdout, JSON_INDENT(1));
        puts("");
    }
    json_decref(all);
    return dq_code_exit(code);
}

/* ---- the program ---------------------------------------------------------*/

static int pull(const struct dq_pull_wish *w, const char *word)
{
    struct dq_pull p;
    struct dq_err err = {0};
    int status;

    if (dq_pull_open(&p, w, word, &err))
        status = dq_code_exit(err.code);
    else
        status = dq_pull_run(&p, word, &err);
    if (err.code)
        dq_job_plan_tell(&p.pass.plan.job, word, "depthq pull", &err, stderr);
    dq_pull_close(&p);
    return status;
}

int main(int argc, char **argv)
{
    struct dq_pull_wish w = {0};
    int status = 0;

    dq_fault_setup();
    dq_log_setup("depthq", DQ_LOG_WARN, DQ_LOG_TEXT);
    if (take_options(argc, argv, &w))
        return dq_code_exit(DQ_USAGE);
    if (w.help)
        fputs(help, stdout);
    else
        status = w.list ? list(&w, argv[optind]) : pull(&w, argv[optind]);
    return dq_output_finish("depthq pull", status);
}
