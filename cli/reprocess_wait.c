#include "cli/reprocess_wait.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cli/job_pick.h"
#include "cli/job_text.h"

enum { TURN_MS = 500, AWAY_S = 60 };

struct counts {
    long long done, failed, right, left;
};

struct model {
    char *name, *version;
    struct counts counts;
    double hours;
    int runs;
};

struct job {
    long long id;
    json_t *entry; /* what is told of it; lent */
    json_t *now;   /* as it was seen last; NULL: it is gone */
    struct model *model;
};

struct night {
    const struct dq_ask *ask;
    struct job *jobs;
    struct model *models;
    size_t count, model_count;
    double hours;
};

/* ---- asking --------------------------------------------------------------*/

static json_t *ask(const struct night *n, const struct job *j, const char *verb,
                   struct dq_err *err)
{
    char *path = dq_asprintf("/v1/jobs/%lld%s", j->id, verb);
    const char *method = *verb ? "POST" : "GET";
    json_t *answer =
        dq_client_insist(n->ask->client, method, path, NULL, AWAY_S, err);

    free(path);
    return answer;
}

static int look(struct night *n, struct job *j, struct dq_err *err)
{
    json_t *now = ask(n, j, "", err);

    if (!now && err->code != DQ_MISSING)
        return err->code;
    dq_err_clear(err);
    json_decref(j->now);
    j->now = now;
    return DQ_OK;
}

static long long count_of(const struct job *j, const char *state)
{
    return dq_ask_number(json_object_get(j->now, "counts"), state);
}

static int is_over(const struct job *j)
{
    return !j->now || dq_job_is_over(j->now);
}

static int is_paused(const struct job *j)
{
    return strcmp(dq_ask_text(j->now, "state"), "paused") == 0;
}

/* A frame of it was touched: the shot is not what it was. */
static int is_begun(const struct job *j)
{
    return count_of(j, "running") + count_of(j, "done") +
               count_of(j, "failed") + count_of(j, "retry") +
               count_of(j, "blocked") >
           0;
}

/* ---- the limit -----------------------------------------------------------*/

/* While it is paused nothing of it begins between the look and the cancel. A
 * verb that the daemon refuses (it just ended; somebody paused it) changes
 * nothing of what is right to do next. */
static int put_off(struct night *n, struct job *j, struct dq_err *err)
{
    struct dq_err refused = {0};

    json_decref(ask(n, j, "/pause", &refused));
    if (look(n, j, err) || is_over(j))
        return err->code;
    dq_err_clear(&refused);
    json_decref(ask(n, j, is_begun(j) ? "/resume" : "/cancel", &refused));
    return look(n, j, err);
}

static int close_night(struct night *n, struct dq_err *err)
{
    for (size_t i = 0; i < n->count; i++) {
        struct job *j = &n->jobs[i];

        if (is_over(j) || is_begun(j))
            continue;
        if (put_off(n, j, err))
            return err->code;
    }
    return DQ_OK;
}

/* ---- time ----------------------------------------------------------------*/

/* The time since the last look belongs to every model of which a frame ran
 * then. */
static void add_time(struct night *n, double seconds)
{
    int any = 0;

    for (size_t i = 0; i < n->model_count; i++) {
        struct model *m = &n->models[i];

        m->hours += m->runs ? seconds / 3600 : 0;
        any |= m->runs;
        m->runs = 0;
    }
    n->hours += any ? seconds / 3600 : 0;
    for (size_t i = 0; i < n->count; i++)
        n->jobs[i].model->runs |= count_of(&n->jobs[i], "running") > 0;
}

/* How many jobs are worth waiting for. After the limit nobody knows when a
 * paused one goes on. */
static int look_at_all(struct night *n, int closed, size_t *open,
                       struct dq_err *err)
{
    *open = 0;
    for (size_t i = 0; i < n->count; i++) {
        struct job *j = &n->jobs[i];

        if (is_over(j))
            continue;
        if (look(n, j, err))
            return err->code;
        *open += !is_over(j) && !(closed && is_paused(j));
    }
    return DQ_OK;
}

static int follow(struct night *n, double limit_s, struct dq_err *err)
{
    const struct timespec turn = {.tv_nsec = TURN_MS * 1000000L};
    double begun = dq_clock_s(), before = begun, now;
    size_t open;
    int closed = 0;

    for (;;) {
        if (look_at_all(n, closed, &open, err))
            return err->code;
        now = dq_clock_s();
        add_time(n, now - before);
        before = now;
        if (open == 0)
            return DQ_OK;
        if (!closed && limit_s > 0 && now - begun >= limit_s) {
            closed = 1;
            if (close_night(n, err))
                return err->code;
            continue;
        }
        nanosleep(&turn, NULL);
    }
}

/* ---- what came of it -----------------------------------------------------*/

static struct counts counts_of(const struct job *j)
{
    struct counts c = {.done = count_of(j, "done"),
                       .failed = count_of(j, "failed"),
                       .right = count_of(j, "skipped")};

    if (j->now)
        c.left = dq_job_frames(j->now) - c.done - c.failed - c.right -
                 count_of(j, "eaten");
    return c;
}

static void add(struct counts *to, const struct counts *c)
{
    to->done += c->done;
    to->failed += c->failed;
    to->right += c->right;
    to->left += c->left;
}

static void note(const struct job *j, const struct counts *c)
{
    json_t *more =
        json_pack("{s:s, s:I, s:I, s:I, s:I}", "state",
                  j->now ? dq_ask_text(j->now, "state") : "removed", "done",
                  (json_int_t)c->done, "failed", (json_int_t)c->failed, "right",
                  (json_int_t)c->right, "left", (json_int_t)c->left);

    json_object_update(j->entry, more);
    json_decref(more);
}

static void tell(const struct night *n, const struct counts *c, size_t put_off)
{
    fprintf(stderr,
            "%s: %lld frames made, %lld failed, %lld found right, %lld left, "
            "in %.2f hours\n",
            n->ask->who, c->done, c->failed, c->right, c->left, n->hours);
    if (put_off)
        fprintf(stderr, "%s: %zu job%s put off: the limit came first\n",
                n->ask->who, put_off, put_off == 1 ? "" : "s");
    for (size_t i = 0; i < n->model_count; i++)
        fprintf(stderr,
                "%s: %s@%s: %lld frames made, %lld failed, %.2f hours\n",
                n->ask->who, n->models[i].name, n->models[i].version,
                n->models[i].counts.done, n->models[i].counts.failed,
                n->models[i].hours);
}

static json_t *models_json(const struct night *n)
{
    json_t *list = json_array();

    for (size_t i = 0; i < n->model_count; i++) {
        const struct model *m = &n->models[i];

        json_array_append_new(
            list,
            json_pack("{s:s, s:s, s:I, s:I, s:f}", "name", m->name, "version",
                      m->version, "done", (json_int_t)m->counts.done, "failed",
                      (json_int_t)m->counts.failed, "hours", m->hours));
    }
    return list;
}

static json_t *sum_up(struct night *n)
{
    struct counts all = {0};
    size_t put_off = 0;

    for (size_t i = 0; i < n->count; i++) {
        struct job *j = &n->jobs[i];
        struct counts c = counts_of(j);

        note(j, &c);
        add(&all, &c);
        add(&j->model->counts, &c);
        put_off += !is_begun(j) && c.left > 0;
    }
    tell(n, &all, put_off);
    return json_pack("{s:I, s:I, s:I, s:I, s:f, s:o}", "done",
                     (json_int_t)all.done, "failed", (json_int_t)all.failed,
                     "right", (json_int_t)all.right, "left",
                     (json_int_t)all.left, "hours", n->hours, "models",
                     models_json(n));
}

/* ---- together ------------------------------------------------------------*/

static struct model *model_of(struct night *n, const json_t *job)
{
    const json_t *model = json_object_get(job, "model");
    const char *name = dq_ask_text(model, "name");
    const char *version = dq_ask_text(model, "version");
    struct model *m = n->models;

    while (m < n->models + n->model_count &&
           (strcmp(m->name, name) != 0 || strcmp(m->version, version) != 0))
        m++;
    if (m == n->models + n->model_count) {
        n->model_count++;
        m->name = dq_strdup(name);
        m->version = dq_strdup(version);
    }
    return m;
}

/* Those that were submitted. */
static int take_jobs(struct night *n, json_t *told, struct dq_err *err)
{
    json_t *entry;
    size_t i;

    n->jobs = dq_new_array(json_array_size(told) + 1, sizeof *n->jobs);
    n->models = dq_new_array(json_array_size(told) + 1, sizeof *n->models);
    json_array_foreach (told, i, entry) {
        struct job *j = &n->jobs[n->count];

        *j = (struct job){.id = dq_ask_number(entry, "job"), .entry = entry};
        if (!j->id)
            continue;
        n->count++;
        if (look(n, j, err))
            return err->code;
        j->model = model_of(n, j->now);
    }
    return DQ_OK;
}

static void night_free(struct night *n)
{
    for (size_t i = 0; i < n->count; i++)
        json_decref(n->jobs[i].now);
    for (size_t i = 0; i < n->model_count; i++) {
        free(n->models[i].name);
        free(n->models[i].version);
    }
    free(n->jobs);
    free(n->models);
}

json_t *dq_reprocess_wait(const struct dq_ask *ask, json_t *told,
                          double limit_s, struct dq_err *err)
{
    struct night n = {.ask = ask};
    json_t *sum = NULL;

    if (!take_jobs(&n, told, err) && !follow(&n, limit_s, err))
        sum = sum_up(&n);
    night_free(&n);
    return sum;
}
