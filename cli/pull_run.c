/* pull_run: the files one by one, and as they arrive. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/publish.h"
#include "cli/progress.h"
#include "cli/pull.h"
#include "cli/pull_maker.h"

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

static void count(const struct dq_pull *p, struct dq_progress *progress,
                  size_t frames)
{
    struct dq_progress_counts counts = {.frames = frames, .surveyed = 1};

    for (size_t i = 0; i < p->count; i++) {
        counts.done += p->frames[i].state == DQ_PULL_DONE;
        counts.failed += p->frames[i].state == DQ_PULL_REFUSED;
    }
    counts.settled = counts.done + counts.failed;
    dq_progress_count(progress, &counts, now_ms());
}

/* A frame is published a moment before its record is: what is altered by the
 * old one may be right by the new. */
static int record_is_new(const struct dq_pull *p, struct dq_pull_frame *f)
{
    struct dq_done *now = NULL;
    struct dq_err none = {0};
    size_t count = 0;
    int is;

    if (dq_ledger_history(p->pass.shot_folder, f->frame, &now, &count, &none))
        return 0;
    is = strcmp(now[0].output.sha256, f->versions[0].output.sha256) != 0;
    if (is) {
        free(f->versions);
        f->versions = now;
        f->count = count;
    } else {
        free(now);
    }
    return is;
}

static void bring_one(const struct dq_pull *p, struct dq_pull_frame *f,
                      const struct dq_pull_rule *rule)
{
    dq_pull_file(f->path, f->to, f->versions, f->count, rule, &f->way, &f->err);
    if (f->err.code == DQ_ALTERED && record_is_new(p, f)) {
        dq_err_clear(&f->err);
        dq_pull_file(f->path, f->to, f->versions, f->count, rule, &f->way,
                     &f->err);
    }
    f->state = f->err.code ? DQ_PULL_REFUSED : DQ_PULL_DONE;
}

/* Bring what is wanted, until it is there or all others would fail as well.
 * Returns what ended it. */
static int bring(struct dq_pull *p, struct dq_progress *progress, size_t frames)
{
    char *tag = dq_asprintf("pull-%ld", (long)getpid());
    struct dq_pull_rule rule = {p->wish->copy, p->wish->replace, tag};
    int ended = DQ_OK;

    for (size_t i = 0; i < p->count && !ended; i++) {
        struct dq_pull_frame *f = &p->frames[i];

        if (f->state != DQ_PULL_WANTED)
            continue;
        if (stopped) {
            ended = DQ_STOPPED;
            break;
        }
        bring_one(p, f, &rule);
        if (f->err.code)
            dq_progress_say(progress, "error", "frame %d: %s", (int)f->frame,
                            f->err.text);
        ended = ends_all(f->err.code) ? f->err.code : DQ_OK;
        count(p, progress, frames);
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

/* Temps of pulls that were killed. A temp has the modification time of its
 * source, so its last change of any kind (a link's, too) tells its age. */
enum { OLD_TEMP_S = 600 };

static int is_dead(void *context, const char *file, const char *tag)
{
    char *path = dq_asprintf("%s/.%s.%s.tmp", (char *)context, file, tag);
    struct stat st;
    int dead = strncmp(tag, "pull-", 5) == 0 && lstat(path, &st) == 0 &&
               time(NULL) - st.st_ctime >= OLD_TEMP_S;

    free(path);
    return dead;
}

static int make_folder(const struct dq_pull *p, struct dq_err *err)
{
    char *folder = dq_path_folder(p->target);
    int code = dq_make_folders(folder, err);

    if (!code)
        dq_publish_sweep_if(folder, is_dead, folder);
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

/* ---- watching ------------------------------------------------------------*/

enum { TURN_S = 1 };

/* Frames that may still come: not made yet, or by another model yet. */
static int is_waiting(const struct dq_pull *p)
{
    for (size_t i = 0; i < p->count; i++) {
        enum dq_pull_state state = p->frames[i].state;

        if (state == DQ_PULL_MISSING || state == DQ_PULL_UNKNOWN ||
            state == DQ_PULL_OTHER)
            return 1;
    }
    return 0;
}

/* What became of a version stays: it is neither hashed nor refused again. */
static void keep(struct dq_pull_frame *now, const struct dq_pull_frame *before)
{
    if (now->state != DQ_PULL_WANTED || now->frame != before->frame ||
        !before->count ||
        strcmp(now->versions[0].output.sha256,
               before->versions[0].output.sha256) != 0)
        return;
    now->state = before->state;
    now->way = before->way;
    now->stale = before->stale;
    now->err = before->err;
}

/* Look again; a look that fails changes nothing. A job's frames are the same
 * each time, those of a folder may become more. */
static void refresh(struct dq_pull *p, const char *word)
{
    struct dq_pull next;
    struct dq_err ignored = {0};
    size_t at = 0;

    if (dq_pull_open(&next, p->wish, word, &ignored)) {
        dq_pull_close(&next);
        return;
    }
    for (size_t i = 0; i < next.count; i++) {
        while (at < p->count && p->frames[at].frame < next.frames[i].frame)
            at++;
        if (at < p->count && p->frames[at].state != DQ_PULL_MISSING)
            keep(&next.frames[i], &p->frames[at]);
    }
    next.unjudged = p->unjudged;
    dq_pull_close(p);
    *p = next;
}

/* Whether nobody makes frames any more; asked before the records are looked
 * at, so that the last of them are seen. */
static int is_over(struct dq_pull_maker *maker, const struct dq_pull *p,
                   struct dq_progress *progress)
{
    int told, over = dq_pull_maker_over(maker, &p->pass, &told);

    if (told)
        dq_progress_say(progress, over ? "warning" : "info", "%s", maker->text);
    return over;
}

/* Until nothing is missing, or nothing comes any more, or a signal comes. */
static int watch(struct dq_pull *p, const char *word,
                 struct dq_progress *progress)
{
    const struct timespec turn = {.tv_sec = TURN_S};
    struct dq_pull_maker maker = {0};
    int ended = DQ_OK, over = 0;

    while (!ended && !over && is_waiting(p)) {
        over = is_over(&maker, p, progress);
        if (!over && !stopped)
            nanosleep(&turn, NULL);
        if (stopped) {
            ended = DQ_STOPPED;
            break;
        }
        refresh(p, word);
        ended = bring(p, progress, p->count);
        dq_progress_tick(progress, now_ms());
    }
    dq_pull_maker_close(&maker);
    return ended;
}

/* ---- all of it -----------------------------------------------------------*/

static size_t wanted(const struct dq_pull *p)
{
    struct dq_range range;
    size_t count;

    dq_pull_range(p, DQ_PULL_WANTED, &range);
    count = p->wish->watch ? p->count : range.count;
    dq_range_free(&range);
    return count;
}

int dq_pull_run(struct dq_pull *p, const char *word, struct dq_err *err)
{
    size_t frames = wanted(p);
    struct dq_progress *progress;
    char *nuke;
    int ended, status;

    dq_pull_judge(p);
    dq_pull_tell_state(p, stderr);
    if (frames && make_folder(p, err))
        return dq_code_exit(err->code);
    hear_signals();
    progress = make_progress(p, frames);
    ended = bring(p, progress, frames);
    if (p->wish->watch && !ended)
        ended = watch(p, word, progress);
    nuke = dq_pull_write_nuke(p, err);
    status = status_of(p, ended);
    if (err->code && !status)
        status = dq_code_exit(err->code);
    sum_up(p, progress, err->code ? NULL : nuke, status);
    dq_progress_free(progress);
    free(nuke);
    return status;
}
