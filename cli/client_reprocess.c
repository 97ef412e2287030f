/* depthq reprocess: what `depthq stale` finds, into the queue. A job is
 * submitted whole, for the whole shot decides its exposure and range; the
 * worker passes over the frames that are right. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/ask.h"
#include "cli/autostart.h"
#include "cli/commands.h"
#include "cli/problems.h"
#include "cli/program_text.h"
#include "cli/reprocess_wait.h"
#include "cli/run_report.h"
#include "cli/submit_send.h"

static const char help[] =
    "Examples:\n"
    "  depthq reprocess *.yaml --dry-run        # what would be made again\n"
    "  depthq reprocess *.yaml --model mine@prod\n"
    "  depthq reprocess *.yaml --limit-hours 6  # what one night has room "
    "for\n"
    "\n"
    "Usage: depthq reprocess [OPTION]... FILE...\n"
    "\n"
    "Submits the job files of which frames are stale (see depthq stale), with\n"
    "a low priority, so that they run when nothing else does. Exactly the\n"
    "stale frames are made: the others are found right and left alone. Jobs\n"
    "that have none are not submitted.\n"
    "\n"
    "      --model NAME         only jobs whose model it is (NAME, or\n"
    "                           NAME@ALIAS)\n"
    "      --priority N         0 to 100 (10)\n"
    "  -n, --dry-run            tell what would be sent, and send nothing\n"
    "      --unchecked          also when plates are not on disk\n"
    "  -w, --wait               until all is done, then sum up: frames and "
    "hours,\n"
    "                           for each model\n"
    "      --limit-hours H      --wait, and after H hours begin no further "
    "job: one\n"
    "                           that has begun is finished, the others are "
    "canceled\n"
    "                           and stale again the next time\n"
    "      --autostart          start a daemon when none answers\n"
    "      --json               {\"jobs\": [{\"file\", \"stale\", \"frames\", "
    "\"job\"}]},\n"
    "                           with --wait what came of each and a "
    "\"summary\"\n" DQ_ASK_HELP "\n"
    "Exit status: as of depthq submit; that of the first job that failed, and\n"
    "the others are submitted all the same. With --wait 1 when frames failed;\n"
    "a limit that was reached is no failure.\n";

enum { MODEL = 256, PRIORITY, UNCHECKED, AUTOSTART, LIMIT };

static const struct option longs[] = {
    {"model", required_argument, NULL, MODEL},
    {"priority", required_argument, NULL, PRIORITY},
    {"dry-run", no_argument, NULL, 'n'},
    {"wait", no_argument, NULL, 'w'},
    {"limit-hours", required_argument, NULL, LIMIT},
    {"unchecked", no_argument, NULL, UNCHECKED},
    {"autostart", no_argument, NULL, AUTOSTART},
    DQ_ASK_OPTIONS,
    {NULL, 0, NULL, 0},
};

enum { LOW_PRIORITY = 10 };

struct reprocess {
    struct dq_ask ask;
    int dry_run, unchecked, autostart, wait;
    double limit_s; /* 0: none */
    const char *model;
    struct dq_submit_wish wish;
    json_t *told; /* of each job */
};

/* ---- asking depthq stale -------------------------------------------------*/

/* What depthq stale says of a file: [] or [{...}]; NULL when it failed and has
 * said why: *status is its exit status. */
static json_t *ask_stale(const struct reprocess *r, const char *file,
                         int *status, struct dq_err *err)
{
    const char *words[6] = {"--json"};
    int n = 1;

    if (r->model) {
        words[n++] = "--model";
        words[n++] = r->model;
    }
    words[n++] = "--";
    words[n] = file;
    return dq_program_json("depthq-stale", words, status, err);
}

/* The stale frames that have a plate to be made from; the caller frees. */
static void stale_frames(const json_t *answer, struct dq_range *frames)
{
    const json_t *list = json_object_get(json_array_get(answer, 0), "stale");
    const json_t *one;
    size_t i;

    frames->count = 0;
    frames->frames =
        dq_new_array(json_array_size(list) + 1, sizeof *frames->frames);
    json_array_foreach (list, i, one)
        if (strcmp(dq_ask_text(one, "why"), "plate missing") != 0)
            frames->frames[frames->count++] =
                (int32_t)dq_ask_number(one, "frame");
}

/* ---- one job -------------------------------------------------------------*/

/* `replace` makes every frame again and `fail` none that is there. */
static int check_existing(const struct dq_spec *spec, struct dq_err *err)
{
    if (spec->output.existing == DQ_EXISTING_RESUME)
        return DQ_OK;
    return dq_fail(err, DQ_SPEC,
                   "output.existing is not resume: more or less than the stale "
                   "frames would be made; submit it as it is");
}

static void tell(struct reprocess *r, const char *file,
                 const struct dq_range *frames, json_t *answer)
{
    char *text = dq_range_text(frames), *name = dq_strdup(file);
    long long job = answer ? dq_ask_number(answer, "job") : 0;

    fprintf(stderr, "%s: %zu stale frame%s%s%s", dq_ask_safe(name),
            frames->count, frames->count == 1 ? "" : "s",
            frames->count ? ": " : "", text);
    if (job)
        fprintf(stderr, ", job %lld", job);
    fputs(r->dry_run && frames->count ? " (nothing was sent)\n" : "\n", stderr);
    if (job && !r->ask.json)
        printf("%lld\n", job);
    json_array_append_new(
        r->told, json_pack("{s:o, s:I, s:s, s:o}", "file", dq_text_json(file),
                           "stale", (json_int_t)frames->count, "frames", text,
                           "job", job ? json_integer(job) : json_null()));
    free(name);
    free(text);
}

/* The job into the queue. Errors are told by the caller, problems here. */
static json_t *send_file(struct reprocess *r, const char *file,
                         struct dq_err *err)
{
    struct dq_job_plan plan;
    json_t *answer = NULL;

    if (!dq_submit_read(file, r->unchecked, &plan, err) &&
        !check_existing(plan.spec, err)) {
        if (r->dry_run)
            answer = json_object();
        else
            answer = dq_submit_send(r->ask.client, &r->wish, &plan, err);
    }
    dq_job_plan_free(&plan);
    return answer;
}

static int one_job(struct reprocess *r, const char *file, struct dq_err *err)
{
    struct dq_range frames;
    int status = 0;
    json_t *answer = ask_stale(r, file, &status, err);

    if (!answer)
        return err->code ? dq_code_exit(err->code) : status;
    if (json_array_size(answer) == 0) { /* of another model */
        json_decref(answer);
        return 0;
    }
    stale_frames(answer, &frames);
    json_decref(answer);
    answer = frames.count ? send_file(r, file, err) : NULL;
    if (!err->code)
        tell(r, file, &frames, answer);
    json_decref(answer);
    dq_range_free(&frames);
    return dq_code_exit(err->code);
}

/* ---- the command ---------------------------------------------------------*/

static void tell_failed(struct reprocess *r, const char *file,
                        const struct dq_err *err)
{
    struct dq_err shown = *err;

    fprintf(stderr, "%s: %s: %s\n", r->ask.who, file, dq_ask_safe(shown.text));
    json_array_append_new(r->told,
                          json_pack("{s:o, s:o}", "file", dq_text_json(file),
                                    "error", dq_error_json(err)));
}

static int get_ready(struct reprocess *r, struct dq_err *err)
{
    if (r->ask.count == 0)
        return dq_fail(err, DQ_USAGE, "which job files?");
    if (r->autostart && !r->dry_run)
        dq_autostart(r->ask.client, err);
    return err->code;
}

static int all_jobs(struct reprocess *r)
{
    struct dq_err err = {0};
    int status = 0;

    for (int i = 0; i < r->ask.count && err.code != DQ_DAEMON; i++) {
        int one;

        dq_err_clear(&err);
        one = one_job(r, r->ask.words[i], &err);
        if (err.code)
            tell_failed(r, r->ask.words[i], &err);
        status = status ? status : one;
    }
    return status;
}

/* What came of those that were sent; NULL: it was told why nobody knows. */
static json_t *wait_for_jobs(struct reprocess *r, int *status)
{
    struct dq_err err = {0};
    json_t *sum = dq_reprocess_wait(&r->ask, r->told, r->limit_s, &err);
    int own = sum ? dq_ask_number(sum, "failed") > 0 : dq_code_exit(err.code);

    if (!sum)
        fprintf(stderr, "%s: %s\n", r->ask.who, dq_ask_safe(err.text));
    *status = *status ? *status : own;
    return sum;
}

static int reprocess(struct reprocess *r)
{
    struct dq_err err = {0};
    json_t *sum = NULL;
    int status;

    if (get_ready(r, &err))
        return dq_ask_fail(&r->ask, &err);
    r->told = json_array();
    status = all_jobs(r);
    if (r->wait && !r->dry_run)
        sum = wait_for_jobs(r, &status);
    if (r->ask.json)
        dq_ask_print(json_pack("{s:O, s:o*}", "jobs", r->told, "summary", sum));
    else
        json_decref(sum);
    json_decref(r->told);
    return status;
}

static int take(void *context, int option, struct dq_err *err)
{
    struct reprocess *r = context;

    switch (option) {
    case MODEL:
        r->model = optarg;
        break;
    case PRIORITY:
        if (dq_text_long(optarg, &r->wish.priority) || r->wish.priority < 0 ||
            r->wish.priority > 100)
            return dq_fail(err, DQ_USAGE, "--priority is 0 to 100, not '%s'",
                           optarg);
        break;
    case 'w':
        r->wait = 1;
        break;
    case LIMIT:
        if (dq_text_double(optarg, &r->limit_s) || !(r->limit_s > 0) ||
            r->limit_s > 1000)
            return dq_fail(err, DQ_USAGE,
                           "--limit-hours is a number of hours above 0, not "
                           "'%s'",
                           optarg);
        r->limit_s *= 3600;
        r->wait = 1;
        break;
    case 'n':
        r->dry_run = 1;
        break;
    case UNCHECKED:
        r->unchecked = 1;
        break;
    default:
        r->autostart = 1;
    }
    return DQ_OK;
}

int dq_cli_reprocess(int argc, char **argv)
{
    struct reprocess r = {.wish.priority = LOW_PRIORITY};
    struct dq_ask_manual manual = {.help = help,
                                   .shorts = ":hnw",
                                   .longs = longs,
                                   .take = take,
                                   .context = &r};
    int status = dq_ask_open(&r.ask, argc, argv, &manual);

    if (status < 0)
        status = reprocess(&r);
    dq_ask_close(&r.ask);
    return status;
}
