#include "cli/pull.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "jobs/library.h"

/* ---- what is asked for ---------------------------------------------------*/

/* An alias stands for its version; a version need not be here any more. */
static void find_version(struct dq_pull_wish *w)
{
    struct dq_model_ref ref;
    struct dq_err ignored = {0};

    if (!dq_library_find(w->model, NULL, 0, &ref, &ignored) && ref.version)
        snprintf(w->version, sizeof w->version, "%s", ref.version);
    dq_model_ref_free(&ref);
}

static int read_model(struct dq_pull_wish *w, struct dq_err *err)
{
    const char *at = strchr(w->model, '@');
    size_t n = at ? (size_t)(at - w->model) : strlen(w->model);

    if (n == 0 || n >= sizeof w->name || (at && !at[1]) ||
        strlen(at ? at : "") >= sizeof w->version)
        return dq_fail(err, DQ_USAGE,
                       "--model is NAME, NAME@VERSION or NAME@ALIAS, not '%s'",
                       w->model);
    memcpy(w->name, w->model, n);
    if (at) {
        snprintf(w->version, sizeof w->version, "%s", at + 1);
        find_version(w);
    }
    return DQ_OK;
}

/* Forms of a moment, and how much later the next one is. */
static const struct {
    const char *form;
    int64_t seconds;
} moments[] = {
    {"%Y-%m-%d", 86400},
    {"%Y-%m-%dT%H:%M", 60},
    {"%Y-%m-%dT%H:%M:%S", 1},
};

/* Milliseconds, as history writes them, say one moment exactly. */
static int is_exact(const char *text)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

    return end && strlen(text) == DQ_TIME_TEXT - 1 && *end == '.' &&
           strspn(end + 1, "0123456789") == 3 && strcmp(end + 4, "Z") == 0;
}

static int read_moment(struct dq_pull_wish *w, struct dq_err *err)
{
    if (is_exact(w->as_of)) {
        memcpy(w->moment, w->as_of, sizeof w->moment);
        return DQ_OK;
    }
    for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
        struct tm tm = {.tm_isdst = -1};
        const char *end = strptime(w->as_of, moments[i].form, &tm);
        int utc = end && strcmp(end, "Z") == 0;
        struct tm asked = tm;
        time_t at;

        if (!end || (*end && !utc))
            continue;
        at = utc ? timegm(&tm) : mktime(&tm);
        if (tm.tm_mday != asked.tm_mday || tm.tm_mon != asked.tm_mon ||
            tm.tm_year < 70 || tm.tm_year > 361)
            break; /* 31 February, or no nanoseconds that far away */
        dq_clock_utc_of(((int64_t)at + moments[i].seconds) * 1000000000 -
                            1000000,
                        w->moment);
        return DQ_OK;
    }
    return dq_fail(err, DQ_USAGE,
                   "--as-of is a day or a time, 2026-11-24 or "
                   "2026-11-24T18:00, not '%s'",
                   w->as_of);
}

int dq_pull_wish_read(struct dq_pull_wish *w, struct dq_err *err)
{
    if ((w->model && read_model(w, err)) || (w->as_of && read_moment(w, err)))
        return err->code;
    return DQ_OK;
}

/* ---- one frame -----------------------------------------------------------*/

/* "mine@2.0.0" is of the model that is asked for. */
static int is_model(const struct dq_pull_wish *w, const char *model)
{
    size_t n = strlen(w->name);

    return strncmp(model, w->name, n) == 0 && model[n] == '@' &&
           (!*w->version || strcmp(model + n + 1, w->version) == 0);
}

static enum dq_pull_state judge(const struct dq_pull *p,
                                struct dq_pull_frame *f)
{
    const struct dq_pull_wish *w = p->wish;
    struct dq_err ignored = {0};
    int has_record = !dq_ledger_history(p->pass.shot_folder, f->frame,
                                        &f->versions, &f->count, &ignored);

    if (access(f->path, F_OK) != 0)
        return DQ_PULL_MISSING;
    if (!has_record)
        return DQ_PULL_UNKNOWN;
    dq_pass_ask_header(f->path, &f->versions[0].made);
    if (*w->name && !is_model(w, f->versions[0].made.model))
        return DQ_PULL_OTHER;
    if (!f->versions[0].made.when[0])
        dq_clock_utc_of(f->versions[0].output.mtime_ns,
                        f->versions[0].made.when);
    if (*w->moment && strcmp(f->versions[0].made.when, w->moment) > 0)
        return DQ_PULL_LATER;
    return DQ_PULL_WANTED;
}

/* ---- the pass ------------------------------------------------------------*/

/* What would be made otherwise now. A machine without the model or the shot's
 * plates cannot say; what was delivered is there all the same. */
void dq_pull_judge(struct dq_pull *p)
{
    const struct dq_range *all = &p->pass.plan.job.all;
    struct dq_stale_frame *stale = NULL;

    p->unjudged = p->pass.unplanned;
    if (!p->pass.has_job)
        dq_fail(&p->unjudged, DQ_USAGE, "only a job file tells");
    if (!p->unjudged.code)
        stale = dq_stale_find(&p->pass.plan, &p->unjudged);
    for (size_t i = 0; stale && i < p->count; i++) {
        long at = dq_range_find(all, p->frames[i].frame);

        if (at >= 0)
            p->frames[i].stale = stale[at];
    }
    free(stale);
}

static void list_frames(struct dq_pull *p)
{
    struct dq_sequence target;
    struct dq_err ignored = {0};

    dq_sequence_parse(p->target, NULL, &target, &ignored);
    p->count = p->pass.frames.count;
    p->frames = dq_new_array(p->count, sizeof *p->frames);
    for (size_t i = 0; i < p->count; i++) {
        struct dq_pull_frame *f = &p->frames[i];

        f->frame = p->pass.frames.frames[i];
        f->path = dq_sequence_path(&p->pass.output, f->frame);
        f->to = dq_sequence_path(&target, f->frame);
        f->state = judge(p, f);
    }
    dq_sequence_free(&target);
}

int dq_pull_open(struct dq_pull *p, const struct dq_pull_wish *wish,
                 const char *word, struct dq_err *err)
{
    char *folder = dq_path_absolute(wish->to ? wish->to : ".");

    memset(p, 0, sizeof *p);
    p->wish = wish;
    if (!dq_pass_find(word, &p->pass, err) &&
        !dq_pass_cut(&p->pass, wish->frames, err)) {
        p->target = dq_path_join(folder, dq_path_name(p->pass.pattern));
        list_frames(p);
    }
    free(folder);
    return err->code;
}

void dq_pull_close(struct dq_pull *p)
{
    for (size_t i = 0; i < p->count; i++) {
        free(p->frames[i].path);
        free(p->frames[i].to);
        free(p->frames[i].versions);
    }
    free(p->frames);
    free(p->target);
    dq_pass_free(&p->pass);
    memset(p, 0, sizeof *p);
}

void dq_pull_range(const struct dq_pull *p, enum dq_pull_state state,
                   struct dq_range *range)
{
    range->count = 0;
    range->frames = dq_new_array(p->count, sizeof *range->frames);
    for (size_t i = 0; i < p->count; i++)
        if (p->frames[i].state == state)
            range->frames[range->count++] = p->frames[i].frame;
}
