/* depthq retry cancel pause resume eat rm priority: what changes jobs. One
 * shape for all: pick jobs, ask for each, tell what became of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/range.h"
#include "base/text.h"
#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/job_pick.h"
#include "cli/run_report.h"

enum { FRAMES = 256 };

static const struct option longs[] = {
    {"frames", required_argument, NULL, FRAMES},
    DQ_JOB_WISH_OPTIONS,
    DQ_ASK_OPTIONS,
    {NULL, 0, NULL, 0},
};
/* The same without --frames. */
#define WHOLE_JOBS (longs + 1)

#define USAGE_END                                                             \
    DQ_JOB_WISH_HELP                                                          \
    "      --all            all jobs with which it can be done\n"             \
    "                       (beside JOB these mean those of them that are "   \
    "so)\n"                                                                   \
    "      --json           {\"jobs\": [{\"job\", \"name\", \"moved\" or "    \
    "\"error\"}]}\n" DQ_ASK_HELP "\n"                                         \
    "JOB is an id (12, 12-15), a name or a pattern (sh0*). Exit status: 0,\n" \
    "or that of the first job with which it could not be done; the others "   \
    "go\n"                                                                    \
    "on.\n"

struct verb {
    const char *word; /* of the API; NULL: DELETE */
    const char *help, *done;
    int (*fits)(const json_t *job); /* it can be done with it */
    int frames;                     /* takes --frames */
    int value;                      /* takes a number first */
};

struct order {
    const struct verb *verb;
    struct dq_job_wish wish;
    const char *frames;
    long priority;
};

/* ---- which jobs ----------------------------------------------------------*/

static int is_state(const json_t *job, const char *state)
{
    return strcmp(dq_ask_text(job, "state"), state) == 0;
}

static int is_open(const json_t *job)
{
    return !dq_job_is_over(job);
}

static int can_pause(const json_t *job)
{
    return is_open(job) && !is_state(job, "paused") &&
           !is_state(job, "pausing") && !is_state(job, "canceling");
}

static int can_resume(const json_t *job)
{
    return is_state(job, "paused") || is_state(job, "pausing") ||
           is_state(job, "held");
}

static int has_failed(const json_t *job)
{
    return dq_ask_number(json_object_get(job, "counts"), "failed") > 0;
}

static int can_retry(const json_t *job)
{
    return has_failed(job) || is_state(job, "canceled");
}

/* ---- one job -------------------------------------------------------------*/

static char *body_of(const struct order *o)
{
    json_t *body = json_object();
    char *text;

    if (o->frames)
        json_object_set_new(body, "frames", json_string(o->frames));
    if (o->verb->value)
        json_object_set_new(body, "priority", json_integer(o->priority));
    text = dq_json_text(body);
    json_decref(body);
    return text;
}

/* {"job", "name", "moved" or "error"}. */
static json_t *do_one(struct dq_client *client, const struct order *o,
                      const json_t *job, struct dq_err *err)
{
    const struct verb *verb = o->verb;
    long long id = dq_ask_number(job, "id");
    char *path = dq_asprintf("/v1/jobs/%lld%s%s", id, verb->word ? "/" : "",
                             verb->word ? verb->word : "");
    char *body = verb->word ? body_of(o) : NULL;
    json_t *answer =
        dq_client_ask(client, verb->word ? "POST" : "DELETE", path, body, err);
    json_t *told = json_pack("{s:I, s:O}", "job", (json_int_t)id, "name",
                             json_object_get(job, "name"));

    if (answer)
        json_object_set(told, "moved", json_object_get(answer, "moved"));
    else
        json_object_set_new(told, "error", dq_error_json(err));
    json_decref(answer);
    free(body);
    free(path);
    return told;
}

static void tell_one(const struct dq_ask *ask, const struct order *o,
                     const json_t *told, struct dq_err *err)
{
    char *name = dq_strdup(dq_ask_text(told, "name"));
    long long moved = dq_ask_number(told, "moved");

    if (err->code)
        fprintf(stderr, "%s: %s\n", ask->who, dq_ask_safe(err->text));
    else if (!ask->json) {
        printf("job %lld (%s): ", dq_ask_number(told, "job"),
               dq_ask_safe(name));
        fputs(o->verb->done, stdout);
        if (o->verb->value)
            printf(" %ld", o->priority);
        if (moved)
            printf(", %lld frame%s", moved, moved == 1 ? "" : "s");
        putchar('\n');
    }
    free(name);
}

/* ---- the command ---------------------------------------------------------*/

/* missing: what is said of ids that no job has, if it is. */
static int do_all(const struct dq_ask *ask, const struct order *o,
                  const json_t *jobs, struct dq_err *missing)
{
    json_t *list = json_array(), *job;
    int status = missing->code ? dq_code_exit(missing->code) : 0;
    size_t i;

    if (missing->code) {
        fprintf(stderr, "%s: %s\n", ask->who, missing->text);
        json_array_append_new(
            list, json_pack("{s:o}", "error", dq_error_json(missing)));
    }

    json_array_foreach (jobs, i, job) {
        struct dq_err err = {0};
        json_t *told = do_one(ask->client, o, job, &err);

        tell_one(ask, o, told, &err);
        json_array_append_new(list, told);
        if (err.code && !status)
            status = dq_code_exit(err.code);
    }
    if (json_array_size(jobs) == 0)
        fprintf(stderr, "%s: there is no such job now\n", ask->who);
    if (ask->json)
        dq_ask_print(json_pack("{s:O}", "jobs", list));
    json_decref(list);
    return status;
}

static int take(void *context, int option, struct dq_err *err)
{
    struct order *o = context;

    if (!dq_job_wish_take(&o->wish, option, err))
        o->frames = optarg;
    return err->code;
}

/* The number that comes first; the words after it. */
static char *const *take_value(const struct dq_ask *ask, struct order *o,
                               struct dq_err *err)
{
    if (!o->verb->value)
        return ask->words;
    if (ask->count == 0 || dq_text_long(ask->words[0], &o->priority) ||
        o->priority < 0 || o->priority > 100) {
        dq_fail(err, DQ_USAGE,
                "the priority comes first: a number from 0 to 100, not '%s'",
                ask->count ? ask->words[0] : "");
        return ask->words;
    }
    return ask->words + 1;
}

static int check_frames(const struct order *o, struct dq_err *err)
{
    struct dq_range range = {0};

    if (o->frames && dq_range_parse(o->frames, &range, err)) {
        dq_because(err, "--frames");
        err->code = DQ_USAGE;
    }
    dq_range_free(&range);
    return err->code;
}

static int run_verb(const struct verb *verb, int argc, char **argv)
{
    struct order o = {.verb = verb, .wish = {.uid = -1}};
    struct dq_ask_manual manual = {.help = verb->help,
                                   .shorts = ":h",
                                   .longs = verb->frames ? longs : WHOLE_JOBS,
                                   .take = take,
                                   .context = &o};
    struct dq_err err = {0}, missing = {0};
    struct dq_ask ask;
    int status = dq_ask_open(&ask, argc, argv, &manual);
    json_t *jobs = NULL;

    if (status < 0) {
        char *const *words = take_value(&ask, &o, &err);

        if (!err.code && !check_frames(&o, &err))
            jobs = dq_job_pick(ask.client, words, &o.wish, verb->fits, &missing,
                               &err);
        status =
            jobs ? do_all(&ask, &o, jobs, &missing) : dq_ask_fail(&ask, &err);
    }
    json_decref(jobs);
    dq_ask_close(&ask);
    return status;
}

#define FRAMES_HELP \
    "      --frames RANGE   these frames alone: 1001-1010,1020\n"

int dq_cli_retry(int argc, char **argv)
{
    static const struct verb verb = {
        .word = "retry",
        .help = "Examples:\n"
                "  depthq retry 12                      # its failed frames\n"
                "  depthq retry 12 --frames 1007,1033   # chosen ones\n"
                "  depthq retry --failed --user me      # all of mine\n"
                "\n"
                "Usage: depthq retry [OPTION]... JOB...\n"
                "\n"
                "Failed and canceled frames begin anew, with all their "
                "tries.\n\n" FRAMES_HELP USAGE_END,
        .done = "begins anew",
        .fits = can_retry,
        .frames = 1};

    return run_verb(&verb, argc, argv);
}

int dq_cli_cancel(int argc, char **argv)
{
    static const struct verb verb = {
        .word = "cancel",
        .help = "Examples:\n"
                "  depthq cancel 12               # stop it\n"
                "  depthq cancel --user me        # all of mine\n"
                "\n"
                "Usage: depthq cancel [OPTION]... JOB...\n"
                "\n"
                "Stops jobs: no more frames are begun, those at work are "
                "dropped.\nFinished frames stay; retry goes on where it "
                "stopped.\n\n" USAGE_END,
        .done = "canceled",
        .fits = is_open};

    return run_verb(&verb, argc, argv);
}

int dq_cli_pause(int argc, char **argv)
{
    static const struct verb verb = {
        .word = "pause",
        .help =
            "Examples:\n"
            "  depthq pause 12                # begin no more frames of it\n"
            "  depthq pause 'sh0*'            # by name\n"
            "\n"
            "Usage: depthq pause [OPTION]... JOB...\n"
            "\n"
            "Begins no more frames; those at work are finished.\n"
            "\n" USAGE_END,
        .done = "paused",
        .fits = can_pause};

    return run_verb(&verb, argc, argv);
}

int dq_cli_resume(int argc, char **argv)
{
    static const struct verb verb = {
        .word = "resume",
        .help =
            "Examples:\n"
            "  depthq resume 12               # paused, or held by submit\n"
            "  depthq resume --all            # whatever is paused or held\n"
            "\n"
            "Usage: depthq resume [OPTION]... JOB...\n"
            "\n"
            "Goes on with paused and held jobs.\n"
            "\n" USAGE_END,
        .done = "goes on",
        .fits = can_resume};

    return run_verb(&verb, argc, argv);
}

int dq_cli_eat(int argc, char **argv)
{
    static const struct verb verb = {
        .word = "eat",
        .help =
            "Examples:\n"
            "  depthq eat 12                  # give up its failed frames\n"
            "  depthq eat 12 --frames 1007    # and this one, tried or not\n"
            "\n"
            "Usage: depthq eat [OPTION]... JOB...\n"
            "\n"
            "Gives up frames: they count as finished, without a file.\n"
            "\n" FRAMES_HELP USAGE_END,
        .done = "failed frames are given up",
        .fits = has_failed,
        .frames = 1};

    return run_verb(&verb, argc, argv);
}

int dq_cli_rm(int argc, char **argv)
{
    static const struct verb verb = {
        .help = "Examples:\n"
                "  depthq rm 12                   # forget a job that is over\n"
                "  depthq rm --state done         # all that are done\n"
                "\n"
                "Usage: depthq rm [OPTION]... JOB...\n"
                "\n"
                "The queue forgets jobs that are over. Their files stay.\n"
                "\n" USAGE_END,
        .done = "forgotten",
        .fits = dq_job_is_over};

    return run_verb(&verb, argc, argv);
}

int dq_cli_priority(int argc, char **argv)
{
    static const struct verb verb = {
        .word = "priority",
        .help = "Examples:\n"
                "  depthq priority 90 12          # job 12 goes before others\n"
                "  depthq priority 10 --user me   # mine can wait\n"
                "\n"
                "Usage: depthq priority [OPTION]... 0-100 JOB...\n"
                "\n"
                "Higher goes first; 50 is usual. Frames at work are finished.\n"
                "\n" USAGE_END,
        .done = "has priority",
        .fits = is_open,
        .value = 1};

    return run_verb(&verb, argc, argv);
}
