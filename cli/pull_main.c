/* depthq-pull: a depth pass into an artist's folder. Run by `depthq pull`.
 *
 *   depthq pull sh010.yaml --to ~/sh010
 *   depthq pull sh010.yaml --list
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/option.h"
#include "base/path.h"
#include "base/publish.h"
#include "cli/output.h"
#include "cli/pass_models.h"
#include "cli/problems.h"
#include "cli/progress.h"
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

/* ---- pulling -------------------------------------------------------------*/

static volatile sig_atomic_t stopped;

static void stop(int signal_number)
{
    (void)signal_number;
    stopped = 1;
}

/* The frame in hand is finished; a second signal ends us at once. */
static void hear_signals(void)
{
    struct sigaction action = {.sa_handler = stop,
                               .sa_flags = (int)SA_RESETHAND};

    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static int64_t now_ms(void)
{
    return dq_clock_ns() / 1000000;
}

static struct dq_progress *make_progress(const struct dq_pull *p, size_t frames)
{
    const char *no_colour = getenv("NO_COLOR");
    struct dq_progress_rule rule = {
        .fd = STDERR_FILENO,
        .form = dq_progress_form_for(DQ_PROGRESS_AUTO, STDERR_FILENO),
        .colour = (!no_colour || !*no_colour) && isatty(STDERR_FILENO),
        .name = p->pass.name,
        .frames = frames,
        .workers = 1,
    };

    return dq_progress_new(&rule, now_ms());
}

/* Whether no other frame would fare better. */
static int ends_all(int code)
{
    return code == DQ_FULL || code == DQ_CREATE || code == DQ_STOPPED;
}

/* Bring what is wanted, until it is there or all others would fail as well.
 * Returns what ended it. */
static int bring(struct dq_pull *p, struct dq_progress *progress, size_t frames)
{
    char *tag = dq_asprintf("pull-%ld", (long)getpid());
    struct dq_pull_rule rule = {p->wish->copy, p->wish->replace, tag};
    struct dq_progress_counts counts = {.frames = frames, .surveyed = 1};
    int ended = DQ_OK;

    for (size_t i = 0; i < p->count && !ended; i++) {
        struct dq_pull_frame *f = &p->frames[i];

        if (f->state != DQ_PULL_WANTED)
            continue;
        if (stopped) {
            ended = DQ_STOPPED;
            break;
        }
        dq_pull_file(f->path, f->to, f->versions, f->count, &rule, &f->way,
                     &f->err);
        f->state = f->err.code ? DQ_PULL_REFUSED : DQ_PULL_DONE;
        if (f->err.code)
            dq_progress_say(progress, "error", "frame %d: %s", (int)f->frame,
                            f->err.text);
        ended = ends_all(f->err.code) ? f->err.code : DQ_OK;
        counts.settled++;
        counts.done += f->state == DQ_PULL_DONE;
        counts.failed += f->state == DQ_PULL_REFUSED;
        dq_progress_count(progress, &counts, now_ms());
        dq_progress_tick(progress, now_ms());
    }
    free(tag);
    return ended;
}

static int code_of(const struct dq_pull_frame *f)
{
    return f->state == DQ_PULL_REFUSED ? f->err.code : DQ_MISSING;
}

/* 0: all are there; 1: some; else why none is, when all have one reason. */
static int status_of(const struct dq_pull *p, int ended)
{
    size_t done = 0;
    int code = DQ_OK, mixed = 0;

    for (size_t i = 0; i < p->count; i++) {
        const struct dq_pull_frame *f = &p->frames[i];

        done += f->state == DQ_PULL_DONE;
        if (f->state == DQ_PULL_DONE)
            continue;
        mixed |= code && code != code_of(f);
        code = code_of(f);
    }
    if (ended)
        return dq_code_exit(ended);
    if (done == p->count)
        return 0;
    return done || mixed ? 1 : dq_code_exit(code);
}

/* Temps of pulls that were killed. */
enum { OLD_TEMP_S = 600 };

static int make_folder(const struct dq_pull *p, struct dq_err *err)
{
    char *folder = dq_path_folder(p->target);
    int code = dq_make_folders(folder, err);

    if (!code)
        dq_publish_sweep(folder, "pull", OLD_TEMP_S);
    free(folder);
    return code;
}

static void sum_up(const struct dq_pull *p, struct dq_progress *progress,
                   const char *nuke, int status)
{
    char *text = dq_pull_summary(p);
    json_t *all = dq_pull_json(p, nuke, status);

    dq_progress_sum_up(progress, text, all);
    if (p->wish->json) {
        json_dumpf(all, stdout, JSON_INDENT(1));
        puts("");
    } else if (nuke) {
        puts(nuke);
    }
    json_decref(all);
    free(text);
}

static int pull_frames(struct dq_pull *p, struct dq_err *err)
{
    struct dq_range wanted;
    struct dq_progress *progress;
    char *nuke;
    int ended, status;

    dq_pull_tell_state(p, stderr);
    dq_pull_range(p, DQ_PULL_WANTED, &wanted);
    if (wanted.count && make_folder(p, err)) {
        dq_range_free(&wanted);
        return dq_code_exit(err->code);
    }
    hear_signals();
    progress = make_progress(p, wanted.count);
    ended = bring(p, progress, wanted.count);
    nuke = dq_pull_write_nuke(p, err);
    status = status_of(p, ended);
    if (err->code && !status)
        status = dq_code_exit(err->code);
    sum_up(p, progress, err->code ? NULL : nuke, status);
    dq_progress_free(progress);
    dq_range_free(&wanted);
    free(nuke);
    return status;
}

static int pull(const struct dq_pull_wish *w, const char *word)
{
    struct dq_pull p;
    struct dq_err err = {0};
    int status;

    if (dq_pull_open(&p, w, word, &err))
        status = dq_code_exit(err.code);
    else
        status = pull_frames(&p, &err);
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
