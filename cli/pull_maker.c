#include "cli/pull_maker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/ask.h"
#include "cli/job_pick.h"

enum { EVERY = 5, NEWEST = 500 };

/* Of the jobs that write the pass (several may, of other frames) the newest
 * that is not over, else the newest (new reference); NULL: the queue knows
 * none, or err is set. */
static json_t *find(struct dq_client *client, const struct dq_pass *pass,
                    struct dq_err *err)
{
    json_t *jobs =
        dq_client_list(client, "/v1/jobs?", "jobs", "before", NEWEST, err);
    json_t *job, *newest = NULL, *living = NULL;
    size_t i;

    json_array_foreach (jobs, i, job) {
        if (strcmp(dq_ask_text(job, "output"), pass->pattern) != 0)
            continue;
        newest = newest ? newest : job;
        living = living || dq_job_is_over(job) ? living : job;
    }
    newest = json_incref(living ? living : newest);
    json_decref(jobs);
    return newest;
}

/* The same of one that is known; NULL without an error: it was removed. */
static json_t *find_again(struct dq_client *client, long long id,
                          struct dq_err *err)
{
    char *path = dq_asprintf("/v1/jobs/%lld", id);
    json_t *job = dq_client_ask(client, "GET", path, NULL, err);

    if (err->code == DQ_MISSING)
        dq_err_clear(err);
    free(path);
    return job;
}

/* The job that is counted on, or another that goes on when that one does not;
 * NULL: there is none, or err is set. */
static json_t *find_working(const struct dq_pull_maker *m,
                            const struct dq_pass *pass, struct dq_err *err)
{
    json_t *known = m->job ? find_again(m->client, m->job, err) : NULL;
    json_t *other;

    if (err->code || (known && !dq_job_is_over(known)))
        return known;
    other = find(m->client, pass, err);
    if (m->job && (!other || dq_job_is_over(other))) {
        json_decref(other);
        return known;
    }
    json_decref(known);
    return other;
}

static int judge(struct dq_pull_maker *m, const json_t *job, char *text,
                 size_t room)
{
    const char *state = dq_ask_text(job, "state");
    long long id = dq_ask_number(job, "id");

    if (!dq_job_is_over(job)) {
        m->job = id;
        snprintf(text, room, "job %lld makes what is missing; it is %s", id,
                 state);
        return 0;
    }
    if (m->job == id) {
        snprintf(text, room, "job %lld is over (%s): no more frames come", id,
                 state);
        return 1;
    }
    snprintf(text, room,
             "job %lld is over (%s) and no other of the queue makes what is "
             "missing: waiting for whoever does",
             id, state);
    return 0;
}

static int look(struct dq_pull_maker *m, const struct dq_pass *pass, char *text,
                size_t room)
{
    struct dq_err err = {0};
    json_t *job = NULL;
    int over = 0;

    if (!m->client)
        m->client = dq_client_open_usual(&err);
    if (m->client)
        job = find_working(m, pass, &err);
    if (job)
        over = judge(m, job, text, room);
    else if (!err.code && m->job)
        snprintf(text, room, "job %lld was removed: no more frames come",
                 m->job);
    else if (!err.code)
        snprintf(text, room,
                 "no job of the queue makes what is missing: waiting for "
                 "whoever does");
    else
        snprintf(text, room,
                 "no queue is known here: waiting for whoever makes what is "
                 "missing");
    json_decref(job);
    return over || (!job && !err.code && m->job);
}

int dq_pull_maker_over(struct dq_pull_maker *m, const struct dq_pass *pass,
                       int *told)
{
    char text[sizeof m->text] = "";
    int over;

    *told = 0;
    if (m->turns++ % EVERY)
        return 0;
    if (!m->job)
        m->job = pass->queued;
    over = look(m, pass, text, sizeof text);
    dq_text_harmless(text, '?');
    *told = strcmp(text, m->text) != 0;
    memcpy(m->text, text, sizeof text);
    return over;
}

void dq_pull_maker_close(struct dq_pull_maker *m)
{
    dq_client_close(m->client);
}
