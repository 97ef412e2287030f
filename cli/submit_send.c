#include "cli/submit_send.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

enum { RESEND_S = 30, KEY_BYTES = 16 };

static char *fresh_key(struct dq_err *err)
{
    unsigned char bytes[KEY_BYTES];
    char *key = dq_new(2 * KEY_BYTES + 1);

    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        dq_fail(err, DQ_BUG, "no random bytes for a key");
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(key + 2 * i, 3, "%02x", bytes[i]);
    return key;
}

static char *body_of(const struct dq_submit_wish *wish,
                     const struct dq_job_plan *plan, const char *key)
{
    char *frames = dq_range_text(&plan->all), *text;
    json_t *o = json_pack("{s:s, s:s%, s:s, s:s, s:s, s:b}", "key", key, "yaml",
                          plan->text.data, plan->text.count, "file",
                          plan->spec->file, "folder", plan->spec->folder,
                          "frames", frames, "hold", wish->hold);

    if (o && wish->priority >= 0)
        json_object_set_new(o, "priority", json_integer(wish->priority));
    if (o && wish->after)
        json_object_set_new(o, "after", json_integer(wish->after));
    text = o ? dq_json_text(o) : NULL;
    json_decref(o);
    free(frames);
    return text;
}

/* Nobody knows what became of it; the same key makes it no second job. */
static void tell_doubt(const char *key, struct dq_err *err)
{
    struct dq_err why = *err;

    dq_fail(err, why.code,
            "the job may be in the queue; submit it again with --key %s: "
            "%s",
            key, why.text);
}

/* A request that may have been heard is sent again, with the same key: the
 * daemon answers with the job that it made. */
static json_t *send_text(struct dq_client *client, const char *key,
                         const char *body, struct dq_err *err)
{
    json_t *answer = dq_client_ask(client, "POST", "/v1/jobs", body, err);

    if (answer || err->code != DQ_DAEMON || dq_client_unheard(client))
        return answer;
    dq_err_clear(err);
    answer = dq_client_insist(client, "POST", "/v1/jobs", body, RESEND_S, err);
    if (!answer && !dq_client_answered(client))
        tell_doubt(key, err);
    return answer;
}

json_t *dq_submit_send(struct dq_client *client,
                       const struct dq_submit_wish *wish,
                       const struct dq_job_plan *plan, struct dq_err *err)
{
    char *key = wish->key ? dq_strdup(wish->key) : fresh_key(err);
    char *body = err->code ? NULL : body_of(wish, plan, key);
    json_t *answer = NULL;

    if (!err->code && !body)
        dq_fail(err, DQ_USAGE, "--key or the job file is not UTF-8 text");
    if (body)
        answer = send_text(client, key, body, err);
    free(body);
    free(key);
    return answer;
}

/* ---- reading -------------------------------------------------------------*/

/* The queue keeps paths as text. */
static int check_text(const struct dq_job_plan *plan, struct dq_err *err)
{
    const char *const paths[] = {plan->spec->file, plan->spec->folder,
                                 plan->output};

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        for (const char *c = paths[i]; *c;) {
            size_t n = dq_text_character(c);

            if (n == 0)
                return dq_fail(err, DQ_SPEC,
                               "%s: the path is not UTF-8 text, which the "
                               "queue needs (depthq run takes it)",
                               paths[i]);
            c += n;
        }
    return DQ_OK;
}

int dq_submit_read(const char *file, int unchecked, struct dq_job_plan *plan,
                   struct dq_err *err)
{
    if (dq_job_plan_read(file, plan, err) || check_text(plan, err))
        return err->code;
    return unchecked ? DQ_OK : dq_job_plan_check(plan, err);
}
