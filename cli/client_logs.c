/* depthq logs: what happened to a job, or to one frame of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/client_logs.h"
#include "cli/commands.h"
#include "cli/feed.h"
#include "cli/job_pick.h"
#include "cli/table.h"
#include "jobs/task.h"

static const char help[] =
    "Examples:\n"
    "  depthq logs 12 1007            # every try of frame 1007\n"
    "  depthq logs 12 survey          # of the look at the whole shot; solve\n"
    "  depthq logs 12                 # who did what to job 12\n"
    "  depthq logs 12 -f              # and what comes, to its end\n"
    "\n"
    "Usage: depthq logs [OPTION]... JOB [FRAME]\n"
    "\n"
    "  -f, --follow         go on until the job is over\n"
    "      --json           JSON lines, one an attempt or event\n" DQ_ASK_HELP;

static const struct option longs[] = {
    {"follow", no_argument, NULL, 'f'}, DQ_ASK_OPTIONS, {NULL, 0, NULL, 0}};

/* At most a look each TURN_MS, and one each LOOK_MS whatever is heard. */
enum { PAGE = 1000, TURN_MS = 300, LOOK_MS = 10000, AWAY_S = 60 };

struct logs {
    struct dq_ask ask;
    int follow;
    long long job;
    const char *frame; /* a number, "survey", "solve", or NULL */
    long long seen;    /* the last event that was told */
};

/* ---- a frame's attempts --------------------------------------------------*/

static int is_kind(const json_t *o, enum dq_task_kind kind)
{
    return strcmp(dq_ask_text(o, "kind"), dq_task_kind_name(kind)) == 0;
}

/* Attempts of two kinds, a frame's and its scan's, are told apart. */
static void add_attempt(struct dq_table *t, const json_t *a, int kinds)
{
    const json_t *seconds = json_object_get(a, "seconds");
    const json_t *error = json_object_get(a, "error");
    char *number = dq_asprintf("%lld", dq_ask_number(a, "attempt"));
    char *took = json_number_value(seconds) > 0
                     ? dq_asprintf("%.2f", json_number_value(seconds))
                     : dq_strdup("");
    const char *how = dq_ask_text(a, "event");
    const char *const row[] = {
        dq_ask_text(a, "kind"),     number,
        dq_ask_text(a, "began"),    dq_ask_text(a, "ended"),
        *how ? how : "at work",     took,
        dq_ask_text(error, "code"), dq_ask_text(error, "message")};

    dq_table_add(t, row + !kinds);
    free(took);
    free(number);
}

static void print_attempts(const struct logs *l, const json_t *attempts)
{
    static const char *const heads[] = {"KIND",  ">ATTEMPT", "BEGAN",
                                        "ENDED", "HOW",      ">SECONDS",
                                        "CODE",  "ERROR",    NULL};
    int kinds = is_kind(json_array_get(attempts, 0), DQ_TASK_SCAN);
    struct dq_table *t = dq_table_new(heads + !kinds);
    json_t *a;
    char *text;
    size_t i;

    json_array_foreach (attempts, i, a) {
        if (l->ask.json)
            dq_ask_print(json_incref(a));
        else
            add_attempt(t, a, kinds);
    }
    text = dq_table_text(t);
    if (!l->ask.json)
        fputs(json_array_size(attempts) ? text : "not tried yet\n", stdout);
    free(text);
    dq_table_free(t);
}

/* Who follows waits for a daemon that is started again. */
static json_t *ask(struct logs *l, const char *path, struct dq_err *err)
{
    return dq_client_insist(l->ask.client, "GET", path, NULL,
                            l->follow ? AWAY_S : 0, err);
}

static int show_attempts(struct logs *l, struct dq_err *err)
{
    char *path =
        dq_asprintf("/v1/jobs/%lld/frames/%s/attempts", l->job, l->frame);
    json_t *page = dq_client_ask(l->ask.client, "GET", path, NULL, err);

    if (page)
        print_attempts(l, json_object_get(page, "attempts"));
    json_decref(page);
    free(path);
    return err->code;
}

/* ---- events --------------------------------------------------------------*/

/* Whether the word is a kind of task that has no frame. */
static int is_whole_shots(const char *word)
{
    int kind = dq_task_kind_from_name(word);

    return kind >= 0 && !dq_task_has_frame((enum dq_task_kind)kind);
}

/* Whether it is of one task. */
static int is_single(const json_t *event)
{
    return json_is_integer(json_object_get(event, "number"));
}

static int is_about(const struct logs *l, const json_t *event)
{
    const char *kind = dq_ask_text(event, "kind");
    long number = 0;

    if (dq_ask_number(event, "job") != l->job)
        return 0; /* of workers: the daemon tells of all jobs, too */
    if (!l->frame || !*kind)
        return 1;
    if (is_whole_shots(l->frame) || is_whole_shots(kind))
        return strcmp(kind, l->frame) == 0;
    dq_text_long(l->frame, &number);
    return !is_single(event) || dq_ask_number(event, "number") == number;
}

/* "frame 1007, attempt 2", "scan of frame 1007, attempt 1", "survey, attempt
 * 1" */
static void add_task(struct dq_bytes *out, const json_t *e)
{
    if (is_kind(e, DQ_TASK_RENDER))
        dq_bytes_printf(out, " frame %lld", dq_ask_number(e, "number"));
    else if (is_kind(e, DQ_TASK_SCAN))
        dq_bytes_printf(out, " scan of frame %lld", dq_ask_number(e, "number"));
    else
        dq_bytes_printf(out, " %s", dq_ask_text(e, "kind"));
    dq_bytes_printf(out, ", attempt %lld", dq_ask_number(e, "attempt"));
}

/* One task, or "57 frames", "57 scans", "survey", or "" */
static void add_subject(struct dq_bytes *out, const json_t *e)
{
    const char *kind = dq_ask_text(e, "kind");
    long long count = dq_ask_number(e, "count");

    if (is_single(e))
        add_task(out, e);
    else if (is_whole_shots(kind))
        dq_bytes_printf(out, " %s", kind);
    else if (count > 0)
        dq_bytes_printf(out, " %lld %s%s", count,
                        is_kind(e, DQ_TASK_SCAN) ? "scan" : "frame",
                        count == 1 ? "" : "s");
}

static void print_event(const json_t *e)
{
    long long uid = dq_ask_number(e, "uid");
    const char *text = dq_ask_text(e, "text");
    struct dq_bytes out = {0};

    dq_bytes_printf(&out, "%s %s", dq_ask_text(e, "time"),
                    dq_ask_text(e, "verb"));
    add_subject(&out, e);
    if (*dq_ask_text(e, "before"))
        dq_bytes_printf(&out, " (%s to %s)", dq_ask_text(e, "before"),
                        dq_ask_text(e, "after"));
    if (uid >= 0) {
        char *user = dq_user_name(uid);

        dq_bytes_printf(&out, " by %s", user);
        free(user);
    }
    dq_bytes_printf(&out, "%s%s", *text ? ": " : "", text);
    puts(dq_ask_safe(out.data));
    dq_bytes_free(&out);
}

/* All that is new. */
static int show_events(struct logs *l, struct dq_err *err)
{
    int more = 1;

    while (more) {
        char *path = dq_asprintf("/v1/jobs/%lld/events?limit=%d&after=%lld",
                                 l->job, (int)PAGE, l->seen);
        json_t *page = ask(l, path, err);
        json_t *e;
        size_t i;

        free(path);
        if (!page)
            return err->code;
        json_array_foreach (json_object_get(page, "events"), i, e) {
            l->seen = dq_ask_number(e, "id");
            if (is_about(l, e) && l->ask.json)
                dq_ask_print(json_incref(e));
            else if (is_about(l, e))
                print_event(e);
        }
        more = json_is_integer(json_object_get(page, "next"));
        json_decref(page);
    }
    return DQ_OK;
}

/* Until the job is over; 1 once it is, or is gone. */
static int is_over(struct logs *l, struct dq_err *err)
{
    char *path = dq_asprintf("/v1/jobs/%lld", l->job);
    json_t *job = ask(l, path, err);
    int over = !job || dq_job_is_over(job);

    json_decref(job);
    free(path);
    return over;
}

static int follow(struct logs *l, struct dq_err *err)
{
    struct dq_feed *feed = dq_feed_new(l->ask.client, l->job);
    int over = 0;

    while (!over) {
        over = is_over(l, err);
        if (err->code || show_events(l, err))
            break;
        fflush(stdout);
        if (!over)
            dq_feed_wait(feed, TURN_MS, LOOK_MS);
    }
    dq_feed_free(feed);
    return err->code;
}

int dq_logs_workers(const struct dq_ask *ask, struct dq_err *err)
{
    struct logs l = {.ask = *ask}; /* what is of no job */

    return show_events(&l, err);
}

/* ---- the command ---------------------------------------------------------*/

static int show(struct logs *l, struct dq_err *err)
{
    json_t *job;
    long number;

    if (l->ask.count < 1 || l->ask.count > 2)
        return dq_fail(err, DQ_USAGE, "which job, and which frame?");
    l->frame = l->ask.words[1];
    if (l->frame && !is_whole_shots(l->frame) &&
        dq_text_long(l->frame, &number))
        return dq_fail(err, DQ_USAGE,
                       "a frame is a number, survey or solve, not '%s'",
                       l->frame);
    job = dq_job_pick_one(l->ask.client, l->ask.words[0], err);
    l->job = dq_ask_number(job, "id");
    json_decref(job);
    if (err->code)
        return err->code;
    if (l->follow)
        return follow(l, err);
    return l->frame ? show_attempts(l, err) : show_events(l, err);
}

static int take(void *context, int option, struct dq_err *err)
{
    struct logs *l = context;

    (void)option;
    (void)err;
    l->follow = 1;
    return DQ_OK;
}

int dq_cli_logs(int argc, char **argv)
{
    struct logs l = {0};
    struct dq_ask_manual manual = {.help = help,
                                   .shorts = ":hf",
                                   .longs = longs,
                                   .take = take,
                                   .context = &l};
    struct dq_err err = {0};
    int status = dq_ask_open(&l.ask, argc, argv, &manual);

    if (status < 0) {
        show(&l, &err);
        status = err.code ? dq_ask_fail(&l.ask, &err) : 0;
    }
    dq_ask_close(&l.ask);
    return status;
}
