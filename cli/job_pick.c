#include "cli/job_pick.h"

#include <fnmatch.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/range.h"
#include "base/text.h"
#include "cli/ask.h"

int dq_job_is_over(const json_t *job)
{
    static const char *const over[] = {"done", "failed", "canceled"};

    for (int i = 0; i < 3; i++)
        if (strcmp(dq_ask_text(job, "state"), over[i]) == 0)
            return 1;
    return 0;
}

int dq_job_state_check(const char *word, struct dq_err *err)
{
    static const char *const states[] = {"held",     "queued", "active",
                                         "pausing",  "paused", "canceling",
                                         "canceled", "done",   "failed"};
    enum { STATES = sizeof states / sizeof *states };
    const char *near;

    for (int i = 0; i < STATES; i++)
        if (strcmp(states[i], word) == 0)
            return DQ_OK;
    near = dq_text_nearest(word, states, STATES);
    return dq_fail(err, DQ_USAGE, "there is no state '%s' of jobs%s%s%s", word,
                   near ? " (did you mean '" : "", near ? near : "",
                   near ? "'?)" : "");
}

/* ---- users ---------------------------------------------------------------*/

int dq_user_uid(const char *word, long long *uid, struct dq_err *err)
{
    const struct passwd *user;
    long number;

    if (strcmp(word, "me") == 0) {
        *uid = getuid();
        return DQ_OK;
    }
    if (dq_text_long(word, &number) == 0 && number >= 0) {
        *uid = number;
        return DQ_OK;
    }
    user = getpwnam(word);
    if (!user)
        return dq_fail(err, DQ_USAGE, "there is no user '%s'", word);
    *uid = user->pw_uid;
    return DQ_OK;
}

char *dq_user_name(long long uid)
{
    const struct passwd *user = uid < 0 ? NULL : getpwuid((uid_t)uid);

    return user ? dq_strdup(user->pw_name) : dq_asprintf("%lld", uid);
}

/* ---- all that the daemon has ---------------------------------------------*/

int dq_job_wish_any(const struct dq_job_wish *wish)
{
    return wish->uid >= 0 || wish->state || wish->failed || wish->all;
}

static int is_wished(const json_t *job, const struct dq_job_wish *wish)
{
    const json_t *counts = json_object_get(job, "counts");

    return !wish->failed || dq_ask_number(counts, "failed") > 0;
}

static json_t *list_jobs(struct dq_client *client,
                         const struct dq_job_wish *wish, struct dq_err *err)
{
    char *uid =
        wish->uid >= 0 ? dq_asprintf("uid=%lld&", wish->uid) : dq_strdup("");
    char *path =
        dq_asprintf("/v1/jobs?%s%s%s%s", uid, wish->state ? "state=" : "",
                    wish->state ? wish->state : "", wish->state ? "&" : "");
    json_t *list = dq_client_list(client, path, "jobs", "before", 0, err);

    free(path);
    free(uid);
    return list;
}

/* ---- by number -----------------------------------------------------------*/

static int is_number(const char *word)
{
    return *word && strspn(word, "0123456789,-x") == strlen(word);
}

static json_t *ask_job(struct dq_client *client, int32_t id, struct dq_err *err)
{
    char *path = dq_asprintf("/v1/jobs/%d", id);
    json_t *job = dq_client_ask(client, "GET", path, NULL, err);

    free(path);
    return job;
}

static int add_numbers(struct dq_client *client, const char *word,
                       json_t *picked, struct dq_err *err)
{
    struct dq_range ids = {0};

    if (dq_range_parse(word, &ids, err)) {
        dq_because(err, "job");
        return err->code = DQ_USAGE;
    }
    for (size_t i = 0; i < ids.count && !err->code; i++) {
        json_t *job = ask_job(client, ids.frames[i], err);

        if (job)
            json_array_append_new(picked, job);
    }
    dq_range_free(&ids);
    return err->code;
}

/* ---- by name -------------------------------------------------------------*/

static int no_such_name(const json_t *all, const char *word, struct dq_err *err)
{
    size_t count = json_array_size(all);
    const char **names = dq_new_array(count + 1, sizeof *names);
    const char *near;

    for (size_t i = 0; i < count; i++)
        names[i] = dq_ask_text(json_array_get(all, i), "name");
    near = dq_text_nearest(word, names, count);
    dq_fail(err, DQ_MISSING, "there is no job '%.200s'%s%s%s", word,
            near ? " (did you mean '" : "", near ? near : "",
            near ? "'?)" : "");
    free(names);
    return err->code;
}

static int add_names(const json_t *all, const char *word,
                     const struct dq_job_wish *wish,
                     int (*fits)(const json_t *job), json_t *picked,
                     struct dq_err *err)
{
    int known = 0;
    json_t *job;
    size_t i;

    json_array_foreach (all, i, job) {
        if (word && fnmatch(word, dq_ask_text(job, "name"), 0) != 0)
            continue;
        known = 1;
        if (is_wished(job, wish) && (!fits || fits(job)))
            json_array_append(picked, job);
    }
    return known || !word ? DQ_OK : no_such_name(all, word, err);
}

/* ---- all together --------------------------------------------------------*/

static int by_id(const void *a, const void *b)
{
    long long x = dq_ask_number(*(json_t *const *)a, "id");
    long long y = dq_ask_number(*(json_t *const *)b, "id");

    return (x > y) - (x < y);
}

/* Sorted, each once; takes the reference. */
static json_t *in_order(json_t *picked)
{
    size_t count = json_array_size(picked);
    json_t **jobs = dq_new_array(count + 1, sizeof(json_t *));
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        jobs[i] = json_array_get(picked, i);
    qsort(jobs, count, sizeof(json_t *), by_id);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || by_id(&jobs[i - 1], &jobs[i]) != 0)
            json_array_append(list, jobs[i]);
    free(jobs);
    json_decref(picked);
    return list;
}

json_t *dq_job_pick(struct dq_client *client, char *const *words,
                    const struct dq_job_wish *wish,
                    int (*fits)(const json_t *job), struct dq_err *err)
{
    json_t *picked = json_array(), *all = NULL;

    if (!*words && !dq_job_wish_any(wish))
        dq_fail(err, DQ_USAGE, "which job?");
    else if (!*words && (all = list_jobs(client, wish, err)))
        add_names(all, NULL, wish, fits, picked, err);
    for (; *words && !err->code; words++) {
        if (is_number(*words))
            add_numbers(client, *words, picked, err);
        else if (all || (all = list_jobs(client, wish, err)))
            add_names(all, *words, wish, fits, picked, err);
    }
    json_decref(all);
    if (!err->code)
        return in_order(picked);
    json_decref(picked);
    return NULL;
}

json_t *dq_job_pick_one(struct dq_client *client, const char *word,
                        struct dq_err *err)
{
    const struct dq_job_wish anybody = {.uid = -1};
    char *words[] = {(char *)word, NULL};
    json_t *list = dq_job_pick(client, words, &anybody, NULL, err), *job = NULL;
    size_t count = json_array_size(list);

    if (count > 0)
        job = json_incref(json_array_get(list, count - 1));
    json_decref(list);
    return job;
}
