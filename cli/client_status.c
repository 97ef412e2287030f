/* depthq status: the queue, a job, a job's frames; once, or live. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/feed.h"
#include "cli/job_pick.h"
#include "cli/job_text.h"
#include "jobs/task.h"

static const char help[] =
    "Examples:\n"
    "  depthq status                     # the queue\n"
    "  depthq status --watch             # and how it goes on\n"
    "  depthq status 12                  # one job, and why it waits\n"
    "  depthq status 12 --frames failed  # its failed frames, with causes\n"
    "\n"
    "Usage: depthq status [OPTION]... [JOB]...\n"
    "\n"
    "Without a JOB: what is not over, and what came to its end last. JOB is\n"
    "an id (12, 12-15), a name or a pattern (sh0*).\n"
    "\n"
    "      --frames [STATE] of one job, all or those in a "
    "state\n" DQ_JOB_WISH_HELP "  -a, --all            all jobs that are kept\n"
    "  -w, --watch          draw it again as things happen, on a terminal\n"
    "      --json           {\"jobs\": [...]} or {\"frames\": "
    "[...]}\n" DQ_ASK_HELP;

enum { FRAMES = 256, RECENT = 25 };
/* Drawn at most each second, and each LOOK_MS whatever is heard. */
enum { TURN_MS = 1000, LOOK_MS = 10000 };

static const struct option longs[] = {
    {"frames", optional_argument, NULL, FRAMES},
    DQ_JOB_WISH_OPTIONS,
    {"watch", no_argument, NULL, 'w'},
    DQ_ASK_OPTIONS,
    {NULL, 0, NULL, 0},
};

struct status {
    struct dq_ask ask;
    struct dq_job_wish wish;
    struct dq_err missing; /* of ids that no job has */
    int frames, watch;
    const char *frame_state; /* or NULL */
};

/* ---- jobs ----------------------------------------------------------------*/

/* Those that are not over, and the last ones that are; oldest first. */
static json_t *recent(const json_t *jobs)
{
    json_t *list = json_array();
    size_t over = 0, skip = 0;
    json_t *job;
    size_t i;

    json_array_foreach (jobs, i, job)
        over += dq_job_is_over(job) != 0;
    skip = over > RECENT ? over - RECENT : 0;
    json_array_foreach (jobs, i, job) {
        if (dq_job_is_over(job) && skip)
            skip--;
        else
            json_array_append(list, job);
    }
    return list;
}

static json_t *pick(struct status *s, struct dq_err *err)
{
    struct dq_job_wish wish = s->wish;
    int plain = s->ask.count == 0 && !dq_job_wish_any(&wish);
    json_t *jobs, *list;

    wish.all |= plain;
    dq_err_clear(&s->missing);
    jobs =
        dq_job_pick(s->ask.client, s->ask.words, &wish, NULL, &s->missing, err);
    if (!jobs || !plain)
        return jobs;
    list = recent(jobs);
    json_decref(jobs);
    return list;
}

static json_t *frames_of(struct status *s, const json_t *job, const char *state,
                         struct dq_err *err)
{
    char *path = dq_asprintf("/v1/jobs/%lld/frames?%s%s%s",
                             dq_ask_number(job, "id"), state ? "state=" : "",
                             state ? state : "", state ? "&" : "");
    json_t *frames =
        dq_client_list(s->ask.client, path, "frames", "after", 0, err);

    free(path);
    return frames;
}

/* ---- what is shown -------------------------------------------------------*/

/* One job that was asked for is told in full. */
static char *job_text(struct status *s, const json_t *jobs, struct dq_err *err)
{
    const json_t *job = json_array_get(jobs, 0);
    json_t *failed;
    char *text;

    if (s->ask.count != 1 || json_array_size(jobs) != 1)
        return json_array_size(jobs) ? dq_jobs_text(jobs)
                                     : dq_strdup("no jobs\n");
    failed = frames_of(s, job, "failed", err);
    text = failed ? dq_job_text(job, failed) : NULL;
    json_decref(failed);
    return text;
}

static char *frames_text(struct status *s, const json_t *frames)
{
    if (json_array_size(frames))
        return dq_frames_text(frames);
    return dq_asprintf("no %sframes\n", s->frame_state ? "such " : "");
}

/* The text, or NULL; with --json the document has been printed. */
static char *show_frames(struct status *s, struct dq_err *err)
{
    json_t *job, *frames = NULL;
    char *text = NULL;

    if (s->ask.count != 1) {
        dq_fail(err, DQ_USAGE, "--frames is for one job");
        return NULL;
    }
    job = dq_job_pick_one(s->ask.client, s->ask.words[0], err);
    if (job)
        frames = frames_of(s, job, s->frame_state, err);
    if (frames && s->ask.json)
        dq_ask_print(json_pack("{s:O}", "frames", frames));
    else if (frames)
        text = frames_text(s, frames);
    json_decref(frames);
    json_decref(job);
    return text;
}

static char *show(struct status *s, struct dq_err *err)
{
    json_t *jobs;
    char *text = NULL;

    if (s->frames)
        return show_frames(s, err);
    jobs = pick(s, err);
    if (jobs && s->ask.json)
        dq_ask_print(json_pack("{s:O}", "jobs", jobs));
    else if (jobs)
        text = job_text(s, jobs, err);
    json_decref(jobs);
    return text;
}

/* ---- live ----------------------------------------------------------------*/

/* As much of the text as the terminal has room for. */
static void add_screen(struct dq_bytes *out, const char *text)
{
    struct winsize size = {0};
    int rows = 24, columns = 80;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 1 &&
        size.ws_col > 0) {
        rows = size.ws_row;
        columns = size.ws_col;
    }
    while (*text && --rows > 0) {
        size_t line = strcspn(text, "\n"), shown = 0;

        for (int i = 0; shown < line && i < columns; i++) {
            size_t n = dq_text_character(text + shown);

            shown += n ? n : 1;
        }
        dq_bytes_add(out, text, shown < line ? shown : line);
        dq_bytes_text(out, "\033[K\n");
        text += line + (text[line] == '\n');
    }
}

static int draw(struct status *s, struct dq_err *err)
{
    struct dq_bytes out = {0};
    char *text = show(s, err);
    int gone = 0;

    if (!err->code || err->code == DQ_DAEMON) {
        dq_bytes_text(&out, "\033[H");
        add_screen(&out, text ? text : dq_ask_safe(err->text));
        dq_bytes_text(&out, "\033[J");
        fwrite(out.data, 1, out.count, stdout);
        gone = fflush(stdout);
        dq_err_clear(err); /* of a daemon that may come back */
    }
    dq_bytes_free(&out);
    free(text);
    return gone ? dq_fail(err, DQ_IO, "the terminal is gone") : err->code;
}

static int watch(struct status *s, struct dq_err *err)
{
    struct dq_feed *feed;

    if (!isatty(STDOUT_FILENO) || s->ask.json)
        return dq_fail(err, DQ_USAGE,
                       "--watch draws on a terminal; for logs: depthq watch");
    feed = dq_feed_new(s->ask.client, 0);
    while (!draw(s, err))
        dq_feed_wait(feed, TURN_MS, LOOK_MS);
    dq_feed_free(feed);
    return err->code;
}

/* ---- the command ---------------------------------------------------------*/

static int is_frame_state(const char *word)
{
    for (int i = 0; i < DQ_TASK_STATES; i++)
        if (strcmp(dq_task_state_name((enum dq_task_state)i), word) == 0)
            return 1;
    return 0;
}

static int take_frames(struct status *s, const char *state, struct dq_err *err)
{
    s->frames = 1;
    s->frame_state = state;
    if (state && !is_frame_state(state))
        return dq_fail(err, DQ_USAGE, "there is no state '%s' of frames",
                       state);
    return DQ_OK;
}

static int take(void *context, int option, struct dq_err *err)
{
    struct status *s = context;

    if (dq_job_wish_take(&s->wish, option, err))
        return err->code;
    if (option == FRAMES)
        return take_frames(s, optarg, err);
    s->watch = 1;
    return DQ_OK;
}

/* `--frames failed`, as people write it: getopt wants `--frames=failed`. */
static void take_loose_state(struct status *s)
{
    int last = s->ask.count - 1;

    if (!s->frames || s->frame_state || last < 1 ||
        !is_frame_state(s->ask.words[last]))
        return;
    s->frame_state = s->ask.words[last];
    s->ask.words[last] = NULL;
    s->ask.count = last;
}

/* What there was has been shown. */
static int tell_missing(const struct status *s)
{
    if (!s->missing.code)
        return 0;
    fprintf(stderr, "%s: %s\n", s->ask.who, s->missing.text);
    return dq_code_exit(s->missing.code);
}

int dq_cli_status(int argc, char **argv)
{
    struct status s = {.wish = {.uid = -1}};
    struct dq_ask_manual manual = {.help = help,
                                   .shorts = ":haw",
                                   .longs = longs,
                                   .take = take,
                                   .context = &s};
    struct dq_err err = {0};
    int status = dq_ask_open(&s.ask, argc, argv, &manual);
    char *text;

    if (status < 0) {
        take_loose_state(&s);
        if (s.watch)
            watch(&s, &err);
        else if ((text = show(&s, &err))) {
            fputs(text, stdout);
            free(text);
        }
        status = err.code ? dq_ask_fail(&s.ask, &err) : tell_missing(&s);
    }
    dq_ask_close(&s.ask);
    return status;
}
