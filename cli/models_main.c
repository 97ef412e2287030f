/* depthq-models: the model library. Run by `depthq models`.
 *
 *   depthq models list
 *   depthq models add net.pt
 *   depthq models alias my-depth@prod=1.0.0
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/option.h"
#include "base/path.h"
#include "base/text.h"
#include "cli/models.h"
#include "base/output.h"
#include "jobs/library_change.h"

static const char help[] =
    "Examples:\n"
    "  depthq models list                           # what there is\n"
    "  depthq models add --from-export export       # take a version in\n"
    "  depthq models alias my-depth@prod=1.0.0      # what prod means from "
    "now\n"
    "\n"
    "Usage: depthq models VERB [OPTION]... [MODEL]...\n"
    "\n"
    "  list [NAME]                versions, newest last, with aliases and "
    "verdicts\n"
    "  show NAME[@VERSION]        all that is known of one\n"
    "  add FILE|--from-export DIR take a version in; it never changes after\n"
    "  verify NAME[@VERSION]...   run it against its contract and golden tile\n"
    "  alias NAME@ALIAS=VERSION   point an alias; without VERSION take it "
    "away\n"
    "  retire NAME@VERSION        no longer the latest; old jobs still find "
    "it\n"
    "  rm NAME@VERSION            take it out; refused while an alias or a "
    "live\n"
    "                             job of the queue needs it\n"
    "  gc                         remove artefacts that no version has\n"
    "\n"
    "      --library DIR       the library (the first of DEPTHQ_MODELS, else\n"
    "                          your own); list and show look into it alone\n"
    "      --json              one JSON value instead of text\n"
    "      --contract FILE     add: the contract of a file that has none\n"
    "      --from-export DIR   add: what scripts/export_model.py wrote\n"
    "      --device DEVICE     verify: cpu or cuda:N (cpu)\n"
    "      --why TEXT          retire: the reason\n"
    "  -n, --dry-run           gc: only tell\n"
    "      --older SECONDS     gc: leave what is younger (3600)\n"
    "  -h, --help              show this\n"
    "\n"
    "Exit status: 0, 2 wrong usage or not possible, 65 the model is wrong, "
    "66 a\n"
    "file is missing, 69 no such device, or the daemon does not answer, 73 "
    "exists\n"
    "with other bytes, 74 storage failed, 75 it is full, 77 not allowed, 78 a\n"
    "runtime that the model needs is not installed.\n";

static const struct {
    const char *name;
    int (*run)(const struct dq_models_wish *wish, struct dq_err *err);
} verbs[] = {
    {"list", dq_models_list},     {"show", dq_models_show},
    {"add", dq_models_add},       {"alias", dq_models_alias},
    {"retire", dq_models_retire}, {"rm", dq_models_rm},
    {"gc", dq_models_gc},         {"verify", dq_models_verify},
};
enum { VERBS = sizeof verbs / sizeof *verbs };

static int usage(const char *what)
{
    fprintf(stderr, "depthq models: %s\nTry: depthq models --help\n", what);
    return DQ_USAGE;
}

static int take(int option, struct dq_models_wish *w, int *asks_help)
{
    struct dq_err err = {0};
    long seconds;

    switch (option) {
    case 'h':
        *asks_help = 1;
        return DQ_OK;
    case 'j':
        w->json = 1;
        return DQ_OK;
    case 'n':
        w->dry_run = 1;
        return DQ_OK;
    case 'l':
        w->library = optarg;
        return DQ_OK;
    case 'c':
        w->contract = optarg;
        return DQ_OK;
    case 'e':
        w->from_export = optarg;
        return DQ_OK;
    case 'w':
        w->why = optarg;
        return DQ_OK;
    case 'd':
        if (!dq_option_device(optarg, &err) && strcmp(optarg, "auto") != 0)
            w->device = optarg;
        else
            return usage("--device is cpu or cuda:N");
        return DQ_OK;
    case 'o':
        if (dq_text_long(optarg, &seconds) || seconds < 0 ||
            seconds > 1000000000)
            return usage("--older is a number of seconds");
        w->older_s = (int)seconds;
        return DQ_OK;
    default:
        return DQ_USAGE;
    }
}

static int take_options(int argc, char **argv, struct dq_models_wish *w,
                        int *asks_help)
{
    static const struct option options[] = {
        {"library", required_argument, NULL, 'l'},
        {"json", no_argument, NULL, 'j'},
        {"contract", required_argument, NULL, 'c'},
        {"from-export", required_argument, NULL, 'e'},
        {"device", required_argument, NULL, 'd'},
        {"why", required_argument, NULL, 'w'},
        {"dry-run", no_argument, NULL, 'n'},
        {"older", required_argument, NULL, 'o'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    int option;

    while ((option = dq_option_next("depthq models", argc, argv, ":nh",
                                    options)) != -1)
        if (take(option, w, asks_help))
            return DQ_USAGE;
    return DQ_OK;
}

static int find_verb(const char *name)
{
    const char *names[VERBS], *near;

    for (int i = 0; i < VERBS; i++) {
        if (strcmp(verbs[i].name, name) == 0)
            return i;
        names[i] = verbs[i].name;
    }
    near = dq_text_nearest(name, names, VERBS);
    fprintf(stderr, "depthq models: there is no verb '%s'%s%s%s\n", name,
            near ? " (did you mean '" : "", near ? near : "",
            near ? "'?)" : "");
    fputs("Try: depthq models --help\n", stderr);
    return -1;
}

/* The folder that is changed is also the first that is looked into. */
static int settle_library(struct dq_models_wish *w, char **own,
                          struct dq_err *err)
{
    w->only = w->library != NULL;
    *own = w->library ? dq_path_absolute(w->library) : dq_library_own();
    if (!*own)
        return dq_fail(err, DQ_USAGE,
                       "no library is known: give --library or set "
                       "DEPTHQ_MODELS");
    if (w->only)
        setenv("DEPTHQ_MODELS", *own, 1);
    w->library = *own;
    return DQ_OK;
}

const char *dq_models_word(const struct dq_models_wish *wish, const char *what,
                           struct dq_err *err)
{
    if (wish->count == 1)
        return wish->words[0];
    dq_fail(err, DQ_USAGE, "wants one word, %s", what);
    return NULL;
}

static int answer(int argc, char **argv)
{
    struct dq_models_wish w = {.why = "", .older_s = 3600, .device = "cpu"};
    struct dq_err err = {0};
    char *own = NULL;
    int verb, asks_help = 0;

    if (take_options(argc, argv, &w, &asks_help))
        return dq_code_exit(DQ_USAGE);
    if (asks_help) {
        fputs(help, stdout);
        return 0;
    }
    if (optind == argc)
        return dq_code_exit(usage("which verb?"));
    verb = find_verb(argv[optind]);
    if (verb < 0)
        return dq_code_exit(DQ_USAGE);
    w.words = argv + optind + 1;
    w.count = argc - optind - 1;
    if (settle_library(&w, &own, &err) || verbs[verb].run(&w, &err))
        fprintf(stderr, "depthq models %s: %s\n", verbs[verb].name, err.text);
    free(own);
    return dq_code_exit(err.code);
}

int main(int argc, char **argv)
{
    dq_log_setup("depthq", DQ_LOG_WARN, DQ_LOG_TEXT);
    dq_fault_setup();
    return dq_output_finish("depthq models", answer(argc, argv));
}
