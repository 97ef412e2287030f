#include "cli/job_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/range.h"
#include "cli/ask.h"
#include "cli/job_pick.h"
#include "cli/table.h"
#include "jobs/store.h"
#include "jobs/task.h"

/* ---- counts --------------------------------------------------------------*/

static long long count_of(const json_t *job, int state)
{
    return dq_ask_number(json_object_get(job, "counts"),
                         dq_task_state_name((enum dq_task_state)state));
}

long long dq_job_frames(const json_t *job)
{
    long long all = 0;

    for (int i = 0; i < DQ_TASK_STATES; i++)
        all += count_of(job, i);
    return all;
}

long long dq_job_settled(const json_t *job)
{
    long long settled = 0;

    for (int i = 0; i < DQ_TASK_STATES; i++)
        if (dq_task_settled((enum dq_task_state)i))
            settled += count_of(job, i);
    return settled;
}

char *dq_job_phase_text(const json_t *job)
{
    const char *phase = dq_ask_text(job, "phase");
    const json_t *scans = json_object_get(job, "scans");

    if (strcmp(phase, dq_task_kind_name(DQ_TASK_RENDER)) == 0)
        return dq_strdup("");
    if (strcmp(phase, dq_task_kind_name(DQ_TASK_SCAN)) == 0)
        return dq_asprintf("%s %lld/%lld", phase,
                           dq_ask_number(scans, "settled"),
                           dq_ask_number(scans, "all"));
    return dq_strdup(phase);
}

/* What is over first, then what is going on, then what is to come. */
char *dq_job_counts_text(const json_t *job)
{
    static const int order[] = {
        DQ_TASK_DONE,     DQ_TASK_SKIPPED, DQ_TASK_FAILED, DQ_TASK_EATEN,
        DQ_TASK_CANCELED, DQ_TASK_RUNNING, DQ_TASK_RETRY,  DQ_TASK_BLOCKED,
        DQ_TASK_READY,    DQ_TASK_WAITING};
    struct dq_bytes out = {0};

    dq_bytes_text(&out, "");
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        if (count_of(job, order[i]))
            dq_bytes_printf(&out, "%s%s %lld", out.count ? ", " : "",
                            dq_task_state_name((enum dq_task_state)order[i]),
                            count_of(job, order[i]));
    return out.data;
}

/* ---- many jobs -----------------------------------------------------------*/

/* Why nothing of it runs, or what went wrong, or what comes before frames. */
static const char *why_of(const json_t *job, const char *phase)
{
    const char *reason = dq_ask_text(job, "reason");
    const char *error = dq_ask_text(job, "error");

    if (*reason || dq_job_is_over(job))
        return reason;
    return *error ? error : phase;
}

char *dq_jobs_text(const json_t *jobs)
{
    static const char *const heads[] = {">JOB",    "NAME",  ">PRIO",
                                        "USER",    "STATE", ">FRAMES",
                                        ">FAILED", "WHY",   NULL};
    struct dq_table *t = dq_table_new(heads);
    char *text;
    json_t *job;
    size_t i;

    json_array_foreach (jobs, i, job) {
        char *phase = dq_job_phase_text(job);
        char *id = dq_asprintf("%lld", dq_ask_number(job, "id"));
        char *prio = dq_asprintf("%lld", dq_ask_number(job, "priority"));
        char *user = dq_user_name(dq_ask_number(job, "uid"));
        char *of =
            dq_asprintf("%lld/%lld", dq_job_settled(job), dq_job_frames(job));
        char *bad = dq_asprintf("%lld", count_of(job, DQ_TASK_FAILED));
        const char *const row[] = {id,
                                   dq_ask_text(job, "name"),
                                   prio,
                                   user,
                                   dq_ask_text(job, "state"),
                                   of,
                                   strcmp(bad, "0") == 0 ? "" : bad,
                                   why_of(job, phase)};

        dq_table_add(t, row);
        free(id);
        free(prio);
        free(user);
        free(of);
        free(bad);
        free(phase);
    }
    text = dq_table_text(t);
    dq_table_free(t);
    return text;
}

/* ---- one job -------------------------------------------------------------*/

static void add_line(struct dq_bytes *out, const char *key, const char *text)
{
    char *copy = dq_strdup(text);

    if (*copy)
        dq_bytes_printf(out, "%-10s %s\n", key, dq_ask_safe(copy));
    free(copy);
}

static void add_model(struct dq_bytes *out, const json_t *model)
{
    char *text = dq_asprintf("%s@%s (%.12s)", dq_ask_text(model, "name"),
                             dq_ask_text(model, "version"),
                             dq_ask_text(model, "sha256"));

    add_line(out, "model", text);
    free(text);
}

/* The phase, where it tells more than the state does. */
static void add_phase(struct dq_bytes *out, const json_t *job)
{
    const json_t *scans = json_object_get(job, "scans");
    const char *phase = dq_ask_text(job, "phase");
    long long failed = dq_ask_number(scans, "failed");
    char *text = dq_asprintf("%lld of %lld%s", dq_ask_number(scans, "settled"),
                             dq_ask_number(scans, "all"), failed ? ", " : "");
    char *all =
        failed ? dq_asprintf("%sfailed %lld", text, failed) : dq_strdup(text);

    if (!dq_job_is_over(job) ||
        strcmp(phase, dq_task_kind_name(DQ_TASK_RENDER)) != 0)
        add_line(out, "phase", phase);
    if (json_is_object(scans))
        add_line(out, "scans", all);
    free(all);
    free(text);
}

static const char *message_of(const json_t *frame)
{
    return dq_ask_text(json_object_get(frame, "error"), "message");
}

/* A frame's own words, without the number that is in its path: failures of
 * one cause differ in it alone. Where text ends in ": cause" that is it. What
 * was not tried has no cause of its own. */
static const char *cause_of(const json_t *frame)
{
    const char *text = message_of(frame), *colon = text, *last = NULL;

    if (strncmp(text, DQ_NOT_TRIED, strlen(DQ_NOT_TRIED)) == 0)
        return text;
    while ((colon = strstr(colon, ": ")))
        last = colon += 2;
    return last && *last ? last : text;
}

/* Frames with the cause of the frame at `first`, which is the first of them;
 * how many they are. */
static size_t same_cause(const json_t *failed, size_t first,
                         struct dq_range *frames)
{
    const char *cause = cause_of(json_array_get(failed, first));

    frames->count = 0;
    for (size_t i = 0; i < json_array_size(failed); i++) {
        const json_t *frame = json_array_get(failed, i);

        if (strcmp(cause_of(frame), cause) != 0)
            continue;
        if (i < first)
            return 0; /* told already */
        frames->frames[frames->count++] =
            (int32_t)dq_ask_number(frame, "frame");
    }
    return frames->count;
}

static void add_causes(struct dq_bytes *out, const json_t *failed)
{
    enum { CAUSES = 10 };
    size_t count = json_array_size(failed), told = 0;
    struct dq_range frames = {0};

    frames.frames = dq_new_array(count + 1, sizeof *frames.frames);
    for (size_t i = 0; i < count && told < CAUSES; i++) {
        char *range, *text;

        if (!same_cause(failed, i, &frames))
            continue;
        told++;
        range = dq_range_text(&frames);
        text =
            dq_asprintf("%s: %s", range, message_of(json_array_get(failed, i)));
        add_line(out, "failed", text);
        free(text);
        free(range);
    }
    dq_range_free(&frames);
}

char *dq_job_text(const json_t *job, const json_t *failed)
{
    struct dq_bytes out = {0};
    char *head = dq_asprintf("%lld %s", dq_ask_number(job, "id"),
                             dq_ask_text(job, "name"));
    char *counts = dq_job_counts_text(job);
    char *user = dq_user_name(dq_ask_number(job, "uid"));
    char *frames = dq_asprintf("%s (%lld): %s", dq_ask_text(job, "frames"),
                               dq_job_frames(job), counts);
    char *prio = dq_asprintf("%lld", dq_ask_number(job, "priority"));
    char *after = dq_asprintf("job %lld", dq_ask_number(job, "after"));

    add_line(&out, "job", head);
    add_line(&out, "state", dq_ask_text(job, "state"));
    add_line(&out, "why", dq_ask_text(job, "reason"));
    add_line(&out, "frames", frames);
    add_phase(&out, job);
    add_line(&out, "error", dq_ask_text(job, "error"));
    add_causes(&out, failed);
    add_line(&out, "priority", prio);
    add_line(&out, "after", dq_ask_number(job, "after") ? after : "");
    add_line(&out, "user", user);
    add_line(&out, "file", dq_ask_text(job, "file"));
    add_line(&out, "output", dq_ask_text(job, "output"));
    add_model(&out, json_object_get(job, "model"));
    add_line(&out, "submitted", dq_ask_text(job, "submitted"));
    add_line(&out, "finished", dq_ask_text(job, "finished"));
    free(head);
    free(counts);
    free(user);
    free(frames);
    free(prio);
    free(after);
    return out.data;
}

/* ---- frames --------------------------------------------------------------*/

static char *seconds_text(const json_t *frame)
{
    const json_t *seconds = json_object_get(frame, "seconds");

    return json_is_number(seconds)
               ? dq_asprintf("%.2f", json_number_value(seconds))
               : dq_strdup("");
}

char *dq_frames_text(const json_t *frames)
{
    static const char *const heads[] = {">FRAME",   "STATE",   ">ATTEMPT",
                                        ">SECONDS", "REMARKS", NULL};
    struct dq_table *t = dq_table_new(heads);
    char *text;
    json_t *frame;
    size_t i;

    json_array_foreach (frames, i, frame) {
        char *number = dq_asprintf("%lld", dq_ask_number(frame, "frame"));
        char *attempt = dq_asprintf("%lld", dq_ask_number(frame, "attempt"));
        char *seconds = seconds_text(frame);
        const char *odd = dq_ask_text(frame, "suspect");
        const char *const row[] = {number, dq_ask_text(frame, "state"), attempt,
                                   seconds, *odd ? odd : message_of(frame)};

        dq_table_add(t, row);
        free(number);
        free(attempt);
        free(seconds);
    }
    text = dq_table_text(t);
    dq_table_free(t);
    return text;
}
