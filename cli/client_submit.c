/* depthq submit: job files into the queue. Paths are resolved, frames listed
 * and plates looked for here: the daemon touches no storage. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/ask.h"
#include "cli/autostart.h"
#include "cli/client_watch.h"
#include "cli/commands.h"
#include "cli/job_pick.h"
#include "cli/job_plan.h"
#include "cli/problems.h"
#include "cli/run_report.h"
#include "cli/submit_send.h"

static const char help[] =
    "Examples:\n"
    "  depthq submit shot.yaml                  # prints the job's id\n"
    "  depthq submit shots/*.yaml --priority 80\n"
    "  depthq submit shot.yaml --watch          # and follow it to the end\n"
    "  depthq submit shot.yaml --after 12       # when job 12 is over\n"
    "  make_job | depthq submit -               # from standard input\n"
    "\n"
    "Usage: depthq submit [OPTION]... FILE...\n"
    "\n"
    "Puts job files into the queue and prints an id for each. All files are\n"
    "checked before the first is sent. What was acknowledged is not lost.\n"
    "\n"
    "  -w, --watch          follow the jobs; the exit status is theirs\n"
    "      --hold           wait until somebody resumes it\n"
    "      --priority N     0 to 100, instead of the job file's\n"
    "      --after JOB      begin when that job is over, however it ended\n"
    "      --key KEY        sent again with the same key, the same file makes\n"
    "                       no second job (each call has a key of its own)\n"
    "      --unchecked      also when plates are not on disk yet\n"
    "  -n, --dry-run        tell what would be sent, and send nothing\n"
    "      --autostart      start a daemon when none answers\n"
    "      --json           a line a file: {\"file\", \"job\", \"name\", "
    "\"fresh\"},\n"
    "                       job null: not queued, with \"error\" and "
    "\"problems\"\n"
    "                       where it is wrong\n" DQ_ASK_HELP "\n"
    "Exit status: 0 all are queued, 65 a job file is wrong, 66 a plate is\n"
    "missing, 69 no daemon, 73 another job writes these files, 77 not allowed\n"
    "(a model that is not registered, another user's daemon).\n";

enum { HOLD = 256, PRIORITY, AFTER, KEY, UNCHECKED, AUTOSTART };

static const struct option longs[] = {
    {"watch", no_argument, NULL, 'w'},
    {"hold", no_argument, NULL, HOLD},
    {"priority", required_argument, NULL, PRIORITY},
    {"after", required_argument, NULL, AFTER},
    {"key", required_argument, NULL, KEY},
    {"unchecked", no_argument, NULL, UNCHECKED},
    {"dry-run", no_argument, NULL, 'n'},
    {"autostart", no_argument, NULL, AUTOSTART},
    DQ_ASK_OPTIONS,
    {NULL, 0, NULL, 0},
};

struct submit {
    struct dq_ask ask;
    struct dq_submit_wish wish;
    int watch, unchecked, dry_run, autostart;
    const char *after;         /* an id or a name */
    struct dq_job_plan *plans; /* one a file */
};

/* ---- reading -------------------------------------------------------------*/

static void tell_wrong(const struct submit *s, const struct dq_job_plan *plan,
                       const char *file, const struct dq_err *err)
{
    dq_job_plan_tell(plan, file, s->ask.who, err, stderr);
    if (err->code == DQ_MISSING && plan->spec)
        fputs("(--unchecked submits it all the same)\n", stderr);
}

/* With --json, what a program reads of a file that is not in the queue: what
 * is wrong with it, or (err is clear) nothing but that. */
static void print_unsent(const struct submit *s, const char *file,
                         const struct dq_problems *problems,
                         const struct dq_err *err)
{
    json_t *o;

    if (!s->ask.json)
        return;
    o = json_pack("{s:o, s:n}", "file", dq_text_json(file), "job");
    if (err->code) {
        json_object_set_new(o, "error", dq_error_json(err));
        json_object_set_new(o, "problems", dq_problems_json(problems));
    }
    dq_ask_print(o);
}

/* All files, before any is sent: the exit status of the first wrong one. */
static int read_all(struct submit *s)
{
    struct dq_err *errs = dq_new_array((size_t)s->ask.count, sizeof *errs);
    int status = 0;

    for (int i = 0; i < s->ask.count; i++) {
        const char *file = s->ask.words[i];

        if (!dq_submit_read(file, s->unchecked, &s->plans[i], &errs[i]))
            continue;
        tell_wrong(s, &s->plans[i], file, &errs[i]);
        status = status ? status : dq_code_exit(errs[i].code);
    }
    for (int i = 0; status && i < s->ask.count; i++)
        print_unsent(s, s->ask.words[i], &s->plans[i].problems, &errs[i]);
    free(errs);
    return status;
}

/* ---- telling -------------------------------------------------------------*/

static void print_sent(const struct dq_job_plan *plan, const char *file,
                       const json_t *answer)
{
    dq_ask_print(json_pack("{s:o, s:O, s:o, s:O}", "file", dq_text_json(file),
                           "job", json_object_get(answer, "job"), "name",
                           dq_text_json(plan->spec->name), "fresh",
                           json_object_get(answer, "fresh")));
    fflush(stdout);
}

static void tell_sent(const struct submit *s, const struct dq_job_plan *plan,
                      const json_t *answer)
{
    long long job = dq_ask_number(answer, "job");
    char *name = dq_strdup(plan->spec->name);

    if (!s->ask.json) {
        printf("%lld\n", job);
        fflush(stdout);
    }
    fprintf(stderr, "job %lld: %s, %zu frame%s, to %s%s\n", job,
            dq_ask_safe(name), plan->all.count, plan->all.count == 1 ? "" : "s",
            plan->output,
            json_is_true(json_object_get(answer, "fresh"))
                ? ""
                : " (it was here already)");
    free(name);
}

/* What the daemon finds wrong with a job file is shown as our own findings
 * are. */
static void tell_unsent(const struct submit *s, const struct dq_job_plan *plan,
                        const char *file, const struct dq_err *err)
{
    struct dq_problems problems = {0};
    struct dq_err shown = *err;

    dq_problems_from_json(dq_client_problems(s->ask.client), &problems);
    if (problems.count)
        dq_problems_print(stderr, file, &plan->text, &problems);
    else
        fprintf(stderr, "%s: %s: %s\n", s->ask.who, file,
                dq_ask_safe(shown.text));
    print_unsent(s, file, &problems, err);
    dq_problems_free(&problems);
}

static void print_plan(const struct submit *s, const struct dq_job_plan *plan)
{
    char *frames = dq_range_text(&plan->all);
    char *plate = dq_sequence_text(&plan->spec->plate);

    if (s->ask.json)
        dq_ask_print(json_pack("{s:b, s:s, s:s, s:s, s:s, s:s, s:s}", "dry_run",
                               1, "name", plan->spec->name, "file",
                               plan->spec->file, "plate", plate, "frames",
                               frames, "model", plan->spec->model, "output",
                               plan->output));
    else
        printf("job     %s (%s)\nplate   %s\nframes  %s (%zu)\nmodel   %s\n"
               "output  %s\nNothing was sent.\n",
               plan->spec->name, plan->spec->file, plate, frames,
               plan->all.count, plan->spec->model, plan->output);
    free(plate);
    free(frames);
}

/* ---- all files -----------------------------------------------------------*/

/* One file; its job into jobs. */
static int send_file(struct submit *s, int i, json_t *jobs)
{
    const struct dq_job_plan *plan = &s->plans[i];
    const char *file = s->ask.words[i];
    struct dq_err err = {0};
    json_t *answer = dq_submit_send(s->ask.client, &s->wish, plan, &err);

    if (!answer) {
        tell_unsent(s, plan, file, &err);
        return err.code;
    }
    tell_sent(s, plan, answer);
    if (s->ask.json)
        print_sent(plan, file, answer);
    json_array_append_new(jobs, answer);
    return DQ_OK;
}

/* Send each; the exit status of the first that is refused. */
static int send_all(struct submit *s, json_t *jobs)
{
    const struct dq_problems none = {0};
    const struct dq_err fine = {0};
    int status = 0, code = DQ_OK;

    for (int i = 0; i < s->ask.count; i++) {
        if (code == DQ_DAEMON) { /* nor would it hear of the others */
            print_unsent(s, s->ask.words[i], &none, &fine);
            continue;
        }
        code = send_file(s, i, jobs);
        if (code && !status)
            status = dq_code_exit(code);
    }
    return status;
}

static int watch_all(const struct submit *s, const json_t *jobs)
{
    int status = 0;
    json_t *job;
    size_t i;

    json_array_foreach (jobs, i, job) {
        long long id = dq_ask_number(job, "job");
        int one = id ? dq_watch_job(&s->ask, id, 1) : 0;

        status = status ? status : one;
    }
    return status;
}

/* The id in --after JOB, which may be a name. */
static int find_after(struct submit *s, struct dq_err *err)
{
    json_t *job;

    if (!s->after)
        return DQ_OK;
    job = dq_job_pick_one(s->ask.client, s->after, err);
    s->wish.after = dq_ask_number(job, "id");
    json_decref(job);
    return err->code ? dq_because(err, "--after") : DQ_OK;
}

static int submit(struct submit *s, struct dq_err *err)
{
    json_t *jobs;
    int status, watched;

    if ((s->autostart && dq_autostart(s->ask.client, err)) ||
        find_after(s, err))
        return dq_ask_fail(&s->ask, err);
    jobs = json_array();
    status = send_all(s, jobs);
    fflush(stdout);
    watched = s->watch ? watch_all(s, jobs) : 0;
    json_decref(jobs);
    return status ? status : watched;
}

static int read_and_submit(struct submit *s)
{
    struct dq_err err = {0};
    int status;

    if (s->ask.count == 0)
        dq_fail(&err, DQ_USAGE, "which job file?");
    else if (s->wish.key && s->ask.count > 1)
        dq_fail(&err, DQ_USAGE, "--key is for one file");
    if (err.code)
        return dq_ask_fail(&s->ask, &err);
    s->plans = dq_new_array((size_t)s->ask.count, sizeof *s->plans);
    status = read_all(s);
    for (int i = 0; !status && s->dry_run && i < s->ask.count; i++)
        print_plan(s, &s->plans[i]);
    if (!status && !s->dry_run)
        status = submit(s, &err);
    for (int i = 0; i < s->ask.count; i++)
        dq_job_plan_free(&s->plans[i]);
    free(s->plans);
    return status;
}

/* ---- the command ---------------------------------------------------------*/

static int take(void *context, int option, struct dq_err *err)
{
    struct submit *s = context;

    switch (option) {
    case 'w':
        s->watch = 1;
        break;
    case HOLD:
        s->wish.hold = 1;
        break;
    case PRIORITY:
        if (dq_text_long(optarg, &s->wish.priority) || s->wish.priority < 0 ||
            s->wish.priority > 100)
            return dq_fail(err, DQ_USAGE, "--priority is 0 to 100, not '%s'",
                           optarg);
        break;
    case AFTER:
        s->after = optarg;
        break;
    case KEY:
        s->wish.key = optarg;
        break;
    case UNCHECKED:
        s->unchecked = 1;
        break;
    case 'n':
        s->dry_run = 1;
        break;
    default:
        s->autostart = 1;
    }
    return DQ_OK;
}

int dq_cli_submit(int argc, char **argv)
{
    struct submit s = {.wish.priority = -1};
    struct dq_ask_manual manual = {.help = help,
                                   .shorts = ":hwn",
                                   .longs = longs,
                                   .take = take,
                                   .context = &s};
    int status = dq_ask_open(&s.ask, argc, argv, &manual);

    if (status < 0)
        status = read_and_submit(&s);
    dq_ask_close(&s.ask);
    return status;
}
