/* depthq watch: a job to its end. Asks whenever something has happened, from
 * the last event on that it knows: a daemon that was started anew is found
 * again, and nothing is missed. */
#include "cli/client_watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/feed.h"
#include "cli/job_pick.h"
#include "cli/job_text.h"
#include "cli/progress.h"
#include "jobs/task.h"

/* At most a look each TURN_MS, and one each LOOK_MS whatever is heard. */
enum { TURN_MS = 200, LOOK_MS = 10000, AWAY_S = 60, PAGE = 1000 };

struct watch {
    const struct dq_ask *ask;
    long long job;
    long long seen; /* the last event */
    json_t *now;    /* the job as it is */
    struct dq_progress *progress;
    struct dq_feed *feed;
};

static int64_t now_ms(void)
{
    return dq_clock_ns() / 1000000;
}

/* ---- asking --------------------------------------------------------------*/

/* A daemon that goes away is told of once, and waited for. */
static json_t *ask(struct watch *w, const char *path, struct dq_err *err)
{
    struct dq_client *client = w->ask->client;
    json_t *answer = dq_client_ask(client, "GET", path, NULL, err);

    if (answer || err->code != DQ_DAEMON || !w->progress)
        return answer;
    dq_progress_say(w->progress, "warning", "%s; waiting for it", err->text);
    dq_err_clear(err);
    answer = dq_client_insist(client, "GET", path, NULL, AWAY_S, err);
    if (answer)
        dq_progress_say(w->progress, "info", "depthqd is back");
    return answer;
}

static json_t *ask_about(struct watch *w, const char *what, struct dq_err *err)
{
    char *path = dq_asprintf("/v1/jobs/%lld%s", w->job, what);
    json_t *answer = ask(w, path, err);

    free(path);
    return answer;
}

static json_t *ask_events(struct watch *w, struct dq_err *err)
{
    char *what = dq_asprintf("/events?limit=%d&after=%lld", (int)PAGE, w->seen);
    json_t *page = ask_about(w, what, err);

    free(what);
    return page;
}

/* ---- telling -------------------------------------------------------------*/

static int state_of(const char *name)
{
    for (int i = 0; i < DQ_TASK_STATES; i++)
        if (strcmp(dq_task_state_name((enum dq_task_state)i), name) == 0)
            return i;
    return -1;
}

static json_t *ask_attempts(struct watch *w, const char *of, struct dq_err *err)
{
    char *what = dq_asprintf("/frames/%s/attempts", of);
    json_t *page = ask_about(w, what, err);

    free(what);
    return page;
}

/* The code of an attempt (the API's object), or DQ_OK. */
static int code_of(const json_t *attempt)
{
    const json_t *error = json_object_get(attempt, "error");
    int code = dq_code_from_name(dq_ask_text(error, "code"));

    return code > 0 ? code : DQ_OK;
}

/* With which code a task failed; from the page of its attempts. */
static void look_up(struct watch *w, struct dq_list_entry *e)
{
    const char *kind = dq_task_kind_name(e->task.kind);
    char *of = dq_task_has_frame(e->task.kind)
                   ? dq_asprintf("%d", e->task.frame)
                   : dq_strdup(kind);
    struct dq_err err = {0};
    json_t *page = ask_attempts(w, of, &err), *attempt;
    size_t i;

    json_array_foreach (json_object_get(page, "attempts"), i, attempt)
        if (strcmp(dq_ask_text(attempt, "kind"), kind) == 0 &&
            dq_ask_number(attempt, "attempt") == e->task.attempt)
            e->code = code_of(attempt);
    json_decref(page);
    free(of);
}

/* Many frames that fail at once have one cause. */
static void tell_many(struct watch *w, const json_t *event)
{
    if (*dq_ask_text(event, "text") &&
        strcmp(dq_ask_text(event, "verb"), "fail") == 0 &&
        strcmp(dq_ask_text(event, "kind"), dq_task_kind_name(DQ_TASK_RENDER)) ==
            0)
        dq_progress_say(w->progress, "error", "%lld frames failed: %s",
                        dq_ask_number(event, "count"),
                        dq_ask_text(event, "text"));
}

/* Moves of single tasks out of RUNNING are what `depthq run` tells of. */
static void tell_event(struct watch *w, const json_t *event)
{
    const char *kind = dq_ask_text(event, "kind");
    struct dq_list_entry e = {.task.job = w->job, .seconds.total = -1};
    int state = state_of(dq_ask_text(event, "after"));

    if (!json_is_integer(json_object_get(event, "number"))) {
        tell_many(w, event);
        return;
    }
    if (dq_task_kind_from_name(kind) < 0 || state < 0 || /* a newer daemon's */
        strcmp(dq_ask_text(event, "before"), "running") != 0)
        return;
    e.task.kind = (enum dq_task_kind)dq_task_kind_from_name(kind);
    e.task.frame = (int32_t)dq_ask_number(event, "number");
    e.task.attempt = (int)dq_ask_number(event, "attempt");
    e.state = (enum dq_task_state)state;
    e.text = dq_strdup(dq_ask_text(event, "text"));
    if (*e.text)
        look_up(w, &e);
    dq_progress_tell(w->progress, &e, now_ms());
    free(e.text);
}

/* Tell all that happened since; seen only when quiet. */
static int tell_events(struct watch *w, int quiet, struct dq_err *err)
{
    int more = 1;

    while (more) {
        json_t *page = ask_events(w, err), *event;
        size_t i;

        if (!page)
            return err->code;
        json_array_foreach (json_object_get(page, "events"), i, event) {
            w->seen = dq_ask_number(event, "id");
            if (!quiet)
                tell_event(w, event);
        }
        more = json_is_integer(json_object_get(page, "next"));
        json_decref(page);
    }
    return DQ_OK;
}

static int is_phase(const struct watch *w, enum dq_task_kind kind)
{
    return strcmp(dq_ask_text(w->now, "phase"), dq_task_kind_name(kind)) == 0;
}

static void count(struct watch *w)
{
    const json_t *counts = json_object_get(w->now, "counts");
    const json_t *scans = json_object_get(w->now, "scans");
    struct dq_progress_counts c = {
        .frames = (size_t)dq_job_frames(w->now),
        .settled = (size_t)dq_job_settled(w->now),
        .done = (size_t)dq_ask_number(counts, "done"),
        .failed = (size_t)dq_ask_number(counts, "failed"),
        .blocked = (size_t)dq_ask_number(counts, "blocked"),
        .scans = (size_t)dq_ask_number(scans, "all"),
        .scanned = (size_t)dq_ask_number(scans, "settled"),
        .surveyed = !is_phase(w, DQ_TASK_SURVEY),
        .solved = is_phase(w, DQ_TASK_RENDER)};

    dq_progress_count(w->progress, &c, now_ms());
}

/* ---- the end -------------------------------------------------------------*/

/* The last attempt at the survey or the solve tells why the whole job
 * failed. */
static int phase_code(struct watch *w, struct dq_err *err)
{
    json_t *page = ask_attempts(w, dq_ask_text(w->now, "phase"), err);
    const json_t *list = json_object_get(page, "attempts");
    size_t count = json_array_size(list);
    int code = count ? code_of(json_array_get(list, count - 1)) : DQ_OK;

    json_decref(page);
    return code ? code : DQ_WORKER;
}

/* The code that all failed frames share, or DQ_OK; page by page, and asked as
 * patiently as all else. */
static int common_code(struct watch *w, struct dq_err *err)
{
    long long after = INT32_MIN;
    int code = -1, more = 1;

    while (more && code != DQ_OK) {
        char *what = dq_asprintf("/frames?state=failed&limit=%d&after=%lld",
                                 (int)PAGE, after);
        json_t *page = ask_about(w, what, err), *frame;
        size_t i;

        json_array_foreach (json_object_get(page, "frames"), i, frame)
            code = code < 0 || code == code_of(frame) ? code_of(frame) : DQ_OK;
        after = dq_ask_number(page, "next");
        more = json_is_integer(json_object_get(page, "next"));
        json_decref(page);
        free(what);
    }
    return code > 0 ? code : DQ_OK;
}

static int exit_status(struct watch *w, struct dq_err *err)
{
    const char *state = dq_ask_text(w->now, "state");
    const json_t *counts = json_object_get(w->now, "counts");
    int code;

    if (strcmp(state, "done") == 0)
        return 0;
    if (strcmp(state, "canceled") == 0)
        return dq_code_exit(DQ_STOPPED);
    if (is_phase(w, DQ_TASK_SURVEY) || is_phase(w, DQ_TASK_SOLVE))
        return dq_code_exit(phase_code(w, err));
    code = common_code(w, err);
    if (code && dq_ask_number(counts, "failed") == dq_job_frames(w->now))
        return dq_code_exit(code);
    return 1;
}

static void sum_up(struct watch *w, int status)
{
    char *counts = dq_job_counts_text(w->now);
    char *text = dq_asprintf(
        "%s: job %lld %s: %s, to %s", dq_ask_text(w->now, "name"), w->job,
        dq_ask_text(w->now, "state"), counts, dq_ask_text(w->now, "output"));
    json_t *summary = json_pack("{s:s, s:i, s:O}", "event", "summary",
                                "exit_status", status, "job", w->now);

    dq_progress_sum_up(w->progress, dq_ask_safe(text), summary);
    json_decref(summary);
    free(text);
    free(counts);
}

/* ---- the turns -----------------------------------------------------------*/

static int look(struct watch *w, struct dq_err *err)
{
    json_t *job = ask_about(w, "", err);

    if (!job)
        return err->code;
    json_decref(w->now);
    w->now = job;
    return DQ_OK;
}

static struct dq_progress *make_progress(const struct watch *w,
                                         const char *name)
{
    const char *no_colour = getenv("NO_COLOR");
    int fd = w->ask->json ? STDOUT_FILENO : STDERR_FILENO;
    struct dq_progress_rule rule = {
        .fd = fd,
        .form = w->ask->json ? DQ_PROGRESS_JSON
                             : dq_progress_form_for(DQ_PROGRESS_AUTO, fd),
        .colour = (!no_colour || !*no_colour) && isatty(fd),
        .name = name,
        .frames = (size_t)dq_job_frames(w->now),
        .workers = 1,
    };

    return dq_progress_new(&rule, now_ms());
}

/* The bar goes on meanwhile. */
static void wait_for_news(struct watch *w)
{
    const int64_t until = now_ms() + LOOK_MS;

    do
        dq_progress_tick(w->progress, now_ms());
    while (!dq_feed_wait(w->feed, TURN_MS, TURN_MS) && now_ms() < until);
}

/* The job is looked at before its events: what ended it is among them. */
static int follow(struct watch *w, struct dq_err *err)
{
    while (!look(w, err)) {
        count(w);
        if (tell_events(w, 0, err) || dq_job_is_over(w->now))
            break;
        wait_for_news(w);
    }
    return err->code;
}

int dq_watch_job(const struct dq_ask *ask, long long job, int from_start)
{
    struct watch w = {.ask = ask, .job = job};
    struct dq_err err = {0};
    char *name = NULL;
    int status = 0;

    if (!look(&w, &err) && !(from_start ? 0 : tell_events(&w, 1, &err))) {
        name = dq_strdup(dq_ask_text(w.now, "name"));
        w.progress = make_progress(&w, name);
        w.feed = dq_feed_new(ask->client, job);
        if (!follow(&w, &err)) {
            status = exit_status(&w, &err);
            sum_up(&w, status);
        }
        dq_feed_free(w.feed);
        dq_progress_free(w.progress);
    }
    if (err.code)
        status = dq_ask_fail(ask, &err);
    json_decref(w.now);
    free(name);
    return status;
}

/* ---- the command ---------------------------------------------------------*/

static const char help[] =
    "Examples:\n"
    "  depthq watch 12                # a bar until it is over\n"
    "  depthq watch sh010 2> log      # a line a frame\n"
    "  depthq watch 12 --json         # JSON lines on standard output\n"
    "\n"
    "Usage: depthq watch [OPTION]... JOB...\n"
    "\n"
    "Follows a job to its end; several one after the other. A daemon that is\n"
    "started again meanwhile is waited for. Stopping it stops no job.\n"
    "\n"
    "      --json           JSON lines\n" DQ_ASK_HELP "\n"
    "Exit status: 0 every frame is done (or given up by a person), 1 some\n"
    "frames failed, 75 canceled, else that of why the whole job failed, as of\n"
    "depthq run; 69 the daemon does not come back.\n";

int dq_cli_watch(int argc, char **argv)
{
    static const struct option longs[] = {DQ_ASK_OPTIONS, {NULL, 0, NULL, 0}};
    const struct dq_job_wish anybody = {.uid = -1};
    struct dq_ask_manual manual = {
        .help = help, .shorts = ":h", .longs = longs};
    struct dq_err err = {0}, missing = {0};
    struct dq_ask ask;
    int status = dq_ask_open(&ask, argc, argv, &manual);
    json_t *jobs = NULL, *job;
    size_t i;

    if (status < 0) {
        jobs =
            dq_job_pick(ask.client, ask.words, &anybody, NULL, &missing, &err);
        status = jobs ? 0 : dq_ask_fail(&ask, &err);
    }
    if (missing.code)
        status = dq_ask_fail(&ask, &missing);
    json_array_foreach (jobs, i, job) {
        int one = dq_watch_job(&ask, dq_ask_number(job, "id"), 0);

        status = status ? status : one;
    }
    json_decref(jobs);
    dq_ask_close(&ask);
    return status;
}
