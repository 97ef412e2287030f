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

int dq_job_wish_take(struct dq_job_wish *wish, int option, struct dq_err *err)
{
    switch (option) {
    case DQ_JOB_USER:
        dq_user_uid(optarg, &wish->uid, err);
        return 1;
    case DQ_JOB_STATE:
        wish->state = optarg;
        dq_job_state_check(optarg, err);
        return 1;
    case DQ_JOB_FAILED:
        wish->failed = 1;
        return 1;
    case DQ_JOB_ALL:
        wish->all = 1;
        return 1;
    default:
        return 0;
    }
}

int dq_job_wish_any(const struct dq_job_wish *wish)
{
    return wish->uid >= 0 || wish->state || wish->failed || wish->all;
}

static int is_wished(const json_t *job, const struct dq_job_wish *wish)
{
    const json_t *counts = json_object_get(job, "counts");

    return (wish->uid < 0 || wish->uid == dq_ask_number(job, "uid")) &&
           (!wish->state ||
            strcmp(wish->state, dq_ask_text(job, "state")) == 0) &&
           (!wish->failed || dq_ask_number(counts, "failed") > 0);
}

/* wish NULL: all. */
static json_t *list_jobs(struct dq_client *client,
                         const struct dq_job_wish *wish, struct dq_err *err)
{
    const char *state = wish ? wish->state : NULL;
    char *uid = wish && wish->uid >= 0 ? dq_asprintf("uid=%lld&", wish->uid)
                                       : dq_strdup("");
    char *path = dq_asprintf("/v1/jobs?%s%s%s%s", uid, state ? "state=" : "",
                             state ? state : "", state ? "&" : "");
    json_t *list = dq_client_list(client, path, "jobs", "before", 0, err);

    free(path);
    free(uid);
    return list;
}

/* ---- one pick ------------------------------------------------------------*/

struct pick {
    const struct dq_job_wish *wish;
    int (*fits)(const json_t *job);
    json_t *all;            /* that the daemon has */
    json_t *picked;         /* of them */
    struct dq_range absent; /* ids that no job has, as they came */
    size_t known;           /* jobs that a word means, wished or not */
};

/* ---- by number -----------------------------------------------------------*/

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int is_number(const char *word)
{
    return *word && strspn(word, "0123456789,-x") == strlen(word);
}

/* Where a number begins with a zero, as ids do not; NULL: nowhere. */
static const char *leading_zero(const char *word)
{
    for (const char *c = word; *c; c++)
        if (*c == '0' && is_digit(c[1]) && (c == word || !is_digit(c[-1])))
            return c;
    return NULL;
}

static void add_absent(struct pick *p, const struct dq_range *ids,
                       const char *found)
{
    for (size_t i = 0; i < ids->count; i++)
        if (!found[i]) {
            p->absent.frames = dq_grow(p->absent.frames, p->absent.count + 1,
                                       sizeof *p->absent.frames);
            p->absent.frames[p->absent.count++] = ids->frames[i];
        }
}

/* Ids are taken at their word: whether it fits a job is for the daemon. */
static void add_ids(struct pick *p, const struct dq_range *ids)
{
    char *found = dq_new(ids->count + 1);
    json_t *job;
    size_t i;

    json_array_foreach (p->all, i, job) {
        long long id = dq_ask_number(job, "id");
        long at = id > INT32_MAX ? -1 : dq_range_find(ids, (int32_t)id);

        if (at < 0)
            continue;
        found[at] = 1;
        p->known++;
        if (is_wished(job, p->wish))
            json_array_append(p->picked, job);
    }
    add_absent(p, ids, found);
    free(found);
}

/* Whether an id of these is of another job than the one of that name. */
static int means_another(const struct pick *p, const struct dq_range *ids,
                         const char *name)
{
    json_t *job;
    size_t i;

    json_array_foreach (p->all, i, job) {
        long long id = dq_ask_number(job, "id");

        if (id <= INT32_MAX && dq_range_find(ids, (int32_t)id) >= 0 &&
            strcmp(dq_ask_text(job, "name"), name) != 0)
            return 1;
    }
    return 0;
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

/* Word NULL: all. */
static int add_names(struct pick *p, const char *word, struct dq_err *err)
{
    size_t known = 0, i;
    json_t *job;

    json_array_foreach (p->all, i, job) {
        if (word && fnmatch(word, dq_ask_text(job, "name"), 0) != 0)
            continue;
        known++;
        if (is_wished(job, p->wish) && (!p->fits || p->fits(job)))
            json_array_append(p->picked, job);
    }
    p->known += known;
    return known || !word ? DQ_OK : no_such_name(p->all, word, err);
}

/* The newest job of that very name, or 0. */
static long long named(const json_t *all, const char *word)
{
    long long newest = 0;
    json_t *job;
    size_t i;

    json_array_foreach (all, i, job)
        if (strcmp(dq_ask_text(job, "name"), word) == 0 &&
            dq_ask_number(job, "id") > newest)
            newest = dq_ask_number(job, "id");
    return newest;
}

/* ---- a word --------------------------------------------------------------*/

static void ask_which(const char *word, long long name, struct dq_err *err)
{
    char *id = strchr(word, 'x')   ? dq_strdup("single ids")
               : strchr(word, '-') ? dq_asprintf("%sx1", word)
                                   : dq_asprintf("%s-%s", word, word);

    dq_fail(err, DQ_USAGE,
            "'%.80s' is an id, and the name of job %lld: say %lld for that "
            "one, %.80s for the id",
            word, name, name, id);
    free(id);
}

/* A number may be a job's name; which of two is meant, people say. */
static int add_number(struct pick *p, const char *word, struct dq_err *err)
{
    long long name = named(p->all, word);
    const char *zero = leading_zero(word);
    struct dq_range ids = {0};
    struct dq_err ignored = {0};

    if (name && (zero || dq_range_parse(word, &ids, &ignored)))
        return add_names(p, word, err);
    if (zero)
        return dq_fail(err, DQ_USAGE,
                       "'%.80s' is no job's name, and an id has no zeros in "
                       "front: %.20s",
                       word, zero + strspn(zero, "0"));
    if (!name && dq_range_parse(word, &ids, err)) {
        dq_because(err, "job");
        return err->code = DQ_USAGE;
    }
    if (!name)
        add_ids(p, &ids);
    else if (!means_another(p, &ids, word))
        add_names(p, word, err);
    else
        ask_which(word, name, err);
    dq_range_free(&ids);
    return err->code;
}

static int add_word(struct pick *p, const char *word, struct dq_err *err)
{
    return is_number(word) ? add_number(p, word, err) : add_names(p, word, err);
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

static int by_number(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

    return (x > y) - (x < y);
}

static void tell_absent(struct dq_range *ids, struct dq_err *err)
{
    size_t count = 0;
    char *text;

    qsort(ids->frames, ids->count, sizeof *ids->frames, by_number);
    for (size_t i = 0; i < ids->count; i++)
        if (i == 0 || ids->frames[i] != ids->frames[count - 1])
            ids->frames[count++] = ids->frames[i];
    ids->count = count;
    text = dq_range_text(ids);
    dq_fail(err, DQ_MISSING, "there is no job %s", text);
    free(text);
}

json_t *dq_job_pick(struct dq_client *client, char *const *words,
                    const struct dq_job_wish *wish,
                    int (*fits)(const json_t *job), struct dq_err *missing,
                    struct dq_err *err)
{
    struct pick p = {.wish = wish, .fits = fits, .picked = json_array()};

    if (!*words && !dq_job_wish_any(wish))
        dq_fail(err, DQ_USAGE, "which job?");
    else
        p.all = list_jobs(client, *words ? NULL : wish, err);
    if (!*words && p.all)
        add_names(&p, NULL, err);
    for (; *words && !err->code; words++)
        add_word(&p, *words, err);
    if (!err->code && p.absent.count)
        tell_absent(&p.absent, missing && p.known ? missing : err);
    dq_range_free(&p.absent);
    json_decref(p.all);
    if (!err->code)
        return in_order(p.picked);
    json_decref(p.picked);
    return NULL;
}

json_t *dq_job_pick_one(struct dq_client *client, const char *word,
                        struct dq_err *err)
{
    const struct dq_job_wish anybody = {.uid = -1};
    char *words[] = {(char *)word, NULL};
    json_t *list = dq_job_pick(client, words, &anybody, NULL, NULL, err),
           *job = NULL;
    size_t count = json_array_size(list);

    if (count > 0)
        job = json_incref(json_array_get(list, count - 1));
    json_decref(list);
    return job;
}
