#include "daemon/api.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "daemon/api_private.h"

/* ---- what a request says -------------------------------------------------*/

static int known(const char *key, const char *const *keys, struct dq_err *err)
{
    for (; *keys; keys++)
        if (strcmp(*keys, key) == 0)
            return 1;
    dq_fail(err, DQ_USAGE, "unknown member '%.100s'", key);
    return 0;
}

json_t *dq_call_body(struct dq_call *c, const char *const *keys,
                     struct dq_err *err)
{
    const char *text = c->request->body_bytes ? c->request->body : "{}";
    size_t bytes = c->request->body_bytes ? c->request->body_bytes : 2;
    json_t *o = dq_json_parse(text, bytes, DQ_HTTP_BODY, DQ_USAGE, err);
    const char *key;
    json_t *value;

    if (o && !json_is_object(o))
        dq_fail(err, DQ_USAGE, "the body is no JSON object");
    json_object_foreach (o, key, value)
        if (!known(key, keys, err))
            break;
    if (err->code) {
        json_decref(o);
        return NULL;
    }
    return o;
}

int dq_call_number(const struct dq_call *c, const char *key, int64_t low,
                   int64_t high, int64_t *value, struct dq_err *err)
{
    const char *text = dq_http_query(c->request, key);
    long number = 0;

    if (!text)
        return DQ_OK;
    if (dq_text_long(text, &number) || number < low || number > high)
        return dq_fail(err, DQ_USAGE,
                       "%s: '%.40s' is not a number from %lld "
                       "to %lld",
                       key, text, (long long)low, (long long)high);
    *value = number;
    return DQ_OK;
}

/* ---- reading -------------------------------------------------------------*/

static json_t *health(struct dq_call *c, struct dq_err *err)
{
    (void)err;
    return json_pack("{s:s, s:s}", "status", c->api->full ? "full" : "ok",
                     "version", DQ_VERSION);
}

static json_t *metrics(struct dq_call *c, struct dq_err *err)
{
    json_t *totals = dq_store_totals_json(c->api->store), *value;
    struct dq_bytes out = {0};
    const char *state;

    (void)err;
    dq_bytes_printf(&out,
                    "# HELP depthq_jobs Jobs that are kept.\n"
                    "# TYPE depthq_jobs gauge\ndepthq_jobs %lld\n"
                    "# HELP depthq_jobs_open Jobs that are not over.\n"
                    "# TYPE depthq_jobs_open gauge\ndepthq_jobs_open %lld\n"
                    "# HELP depthq_tasks Tasks by state.\n"
                    "# TYPE depthq_tasks gauge\n",
                    json_integer_value(json_object_get(totals, "jobs")),
                    json_integer_value(json_object_get(totals, "open")));
    json_object_foreach (json_object_get(totals, "tasks"), state, value)
        dq_bytes_printf(&out, "depthq_tasks{state=\"%s\"} %lld\n", state,
                        json_integer_value(value));
    json_decref(totals);
    c->text = out.data;
    return NULL;
}

static json_t *workers(struct dq_call *c, struct dq_err *err)
{
    (void)err;
    return json_pack("{s:o}", "workers", dq_crew_json(c->api->crew));
}

static json_t *list_jobs(struct dq_call *c, struct dq_err *err)
{
    struct dq_store_filter filter = {.uid = -1};
    int64_t limit = DQ_CALL_PAGE;

    filter.state = dq_http_query(c->request, "state");
    if (dq_call_number(c, "limit", 1, DQ_CALL_PAGE_MOST, &limit, err) ||
        dq_call_number(c, "before", 1, INT64_MAX, &filter.before, err) ||
        dq_call_number(c, "uid", 0, UINT32_MAX, &filter.uid, err))
        return NULL;
    filter.limit = (int)limit;
    return dq_store_jobs_json(c->api->store, &filter);
}

static json_t *one_job(struct dq_call *c, struct dq_err *err)
{
    return dq_store_job_json(c->api->store, c->job, err);
}

static json_t *frames(struct dq_call *c, struct dq_err *err)
{
    const char *state = dq_http_query(c->request, "state");
    int64_t limit = DQ_CALL_PAGE, after = INT64_MIN;

    if (dq_call_number(c, "limit", 1, DQ_CALL_PAGE_MOST, &limit, err) ||
        dq_call_number(c, "after", INT32_MIN, INT32_MAX, &after, err))
        return NULL;
    return dq_store_frames_json(c->api->store, c->job, after, (int)limit, state,
                                err);
}

static json_t *attempts(struct dq_call *c, struct dq_err *err)
{
    return dq_store_attempts_json(c->api->store, c->job, c->kind, c->frame,
                                  err);
}

static json_t *events(struct dq_call *c, struct dq_err *err)
{
    int64_t limit = DQ_CALL_PAGE, after = 0;

    if (dq_call_number(c, "limit", 1, DQ_CALL_PAGE_MOST, &limit, err) ||
        dq_call_number(c, "after", 0, INT64_MAX, &after, err))
        return NULL;
    return dq_store_events_json(c->api->store, c->job, after, (int)limit);
}

/* All events, as they happen: an answer without an end. */
static json_t *listen_to_events(struct dq_call *c, struct dq_err *err)
{
    const char *last = dq_http_header(c->request, "Last-Event-ID");
    int64_t job = 0, after = -1;
    long id = 0;

    if (dq_call_number(c, "job", 1, INT64_MAX, &job, err) ||
        dq_call_number(c, "after", 0, INT64_MAX, &after, err))
        return NULL;
    if (last && (dq_text_long(last, &id) || id < 0))
        dq_fail(err, DQ_USAGE, "Last-Event-ID: '%.40s' is no event's id", last);
    else
        dq_events_listen(c->api->events, c->who.uid, job, last ? id : after,
                         &c->stream, err);
    return NULL;
}

int dq_call_has_room(const struct dq_call *c, struct dq_err *err)
{
    if (c->api->full)
        dq_fail(err, DQ_FULL,
                "the disk of depthqd's state is full: it takes nothing new "
                "until there is room, and then goes on by itself");
    return !c->api->full;
}

/* ---- changing ------------------------------------------------------------*/

static json_t *moved_answer(int64_t moved)
{
    return json_pack("{s:I}", "moved", (json_int_t)moved);
}

/* {"frames": "1001-1004"} or nothing. */
static int body_frames(struct dq_call *c, enum dq_verb verb,
                       struct dq_range *range, struct dq_err *err)
{
    static const char *const some[] = {"frames", NULL}, *const none[] = {NULL};
    int may = verb == DQ_VERB_RETRY || verb == DQ_VERB_EAT;
    json_t *o = dq_call_body(c, may ? some : none, err);
    const char *text;

    if (o && json_object_get(o, "frames") &&
        (text = dq_json_string(o, "frames", DQ_USAGE, err)) &&
        dq_range_parse(text, range, err)) {
        dq_because(err, "frames");
        err->code = DQ_USAGE;
    }
    json_decref(o);
    return err->code;
}

static json_t *verb(struct dq_call *c, struct dq_err *err)
{
    enum dq_verb what = (enum dq_verb)dq_verb_from_name(c->word);
    struct dq_range range = {0};
    int64_t moved = 0;

    if (!body_frames(c, what, &range, err) &&
        (what != DQ_VERB_RETRY || dq_call_has_room(c, err)))
        dq_store_do(c->api->store, &c->who, what, c->job,
                    range.count ? &range : NULL, &moved, err);
    dq_range_free(&range);
    if (!err->code && what == DQ_VERB_CANCEL)
        dq_crew_drop(c->api->crew, c->job);
    return err->code ? NULL : moved_answer(moved);
}

static json_t *priority(struct dq_call *c, struct dq_err *err)
{
    static const char *const keys[] = {"priority", NULL};
    json_t *o = dq_call_body(c, keys, err);
    int64_t value = 0;

    if (o && !dq_json_int(o, "priority", 0, 100, &value, DQ_USAGE, err))
        dq_store_priority(c->api->store, &c->who, c->job, (int)value, err);
    json_decref(o);
    return err->code ? NULL : moved_answer(0);
}

static json_t *remove_job(struct dq_call *c, struct dq_err *err)
{
    return dq_store_remove(c->api->store, &c->who, c->job, err)
               ? NULL
               : moved_answer(0);
}

/* POST /v1/workers/{worker}/drain, /resume: no body. */
static json_t *drain(struct dq_call *c, struct dq_err *err)
{
    static const char *const none[] = {NULL};
    json_t *o = dq_call_body(c, none, err);

    json_decref(o);
    if (!err->code && !dq_crew_drain(c->api->crew, &c->who, c->worker,
                                     strcmp(c->word, "drain") == 0))
        dq_fail(err, DQ_MISSING, "there is no worker %lld",
                (long long)c->worker);
    return err->code ? NULL : workers(c, err);
}

/* ---- routes --------------------------------------------------------------*/

static const struct route {
    const char *method, *pattern;
    json_t *(*call)(struct dq_call *c, struct dq_err *err);
    enum dq_right action;
} routes[] = {
    {"GET", "/healthz", health, DQ_RIGHT_LOOK},
    {"GET", "/metrics", metrics, DQ_RIGHT_LOOK},
    {"GET", "/v1/workers", workers, DQ_RIGHT_LOOK},
    {"POST", "/v1/workers/{worker}/drain", drain, DQ_RIGHT_WORKERS},
    {"POST", "/v1/workers/{worker}/resume", drain, DQ_RIGHT_WORKERS},
    {"GET", "/v1/events", listen_to_events, DQ_RIGHT_LOOK},
    {"GET", "/v1/models", dq_call_models, DQ_RIGHT_LOOK},
    {"POST", "/v1/models", dq_call_know, DQ_RIGHT_SUBMIT},
    {"GET", "/v1/jobs", list_jobs, DQ_RIGHT_LOOK},
    {"POST", "/v1/jobs", dq_call_submit, DQ_RIGHT_SUBMIT},
    {"GET", "/v1/jobs/{job}", one_job, DQ_RIGHT_LOOK},
    {"DELETE", "/v1/jobs/{job}", remove_job, DQ_RIGHT_TOUCH},
    {"GET", "/v1/jobs/{job}/frames", frames, DQ_RIGHT_LOOK},
    {"GET", "/v1/jobs/{job}/frames/{frame}/attempts", attempts, DQ_RIGHT_LOOK},
    {"GET", "/v1/jobs/{job}/events", events, DQ_RIGHT_LOOK},
    {"POST", "/v1/jobs/{job}/priority", priority, DQ_RIGHT_TOUCH},
    {"POST", "/v1/jobs/{job}/cancel", verb, DQ_RIGHT_TOUCH},
    {"POST", "/v1/jobs/{job}/pause", verb, DQ_RIGHT_TOUCH},
    {"POST", "/v1/jobs/{job}/resume", verb, DQ_RIGHT_TOUCH},
    {"POST", "/v1/jobs/{job}/retry", verb, DQ_RIGHT_TOUCH},
    {"POST", "/v1/jobs/{job}/eat", verb, DQ_RIGHT_TOUCH},
};

enum { ROUTES = sizeof routes / sizeof *routes };

/* The route, or NULL with the status and the methods that there are. */
static const struct route *find(struct dq_call *c,
                                struct dq_http_answer *answer)
{
    answer->status = 404;
    for (int i = 0; i < ROUTES; i++) {
        if (!dq_call_fits(c, routes[i].pattern, c->request->path))
            continue;
        if (strcmp(routes[i].method, c->request->method) == 0)
            return &routes[i];
        if (answer->status == 405)
            answer->allow = "GET, POST, DELETE"; /* more than one */
        else
            answer->allow = routes[i].method;
        answer->status = 405;
    }
    return NULL;
}

/* ---- answering -----------------------------------------------------------*/

static int status_of(int code)
{
    static const struct {
        int code, status;
    } known[] = {
        {DQ_USAGE, 400},  {DQ_DENIED, 403}, {DQ_MISSING, 404}, {DQ_STATE, 409},
        {DQ_EXISTS, 409}, {DQ_SPEC, 422},   {DQ_MODEL, 422},   {DQ_LIMIT, 429},
        {DQ_BUSY, 503},   {DQ_FULL, 507},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].code == code)
            return known[i].status;
    return 500;
}

static json_t *error_object(const struct dq_err *err,
                            const struct dq_problems *problems)
{
    json_t *list = json_array(), *o;

    for (size_t i = 0; i < problems->count; i++)
        json_array_append_new(list, json_pack("{s:i, s:i, s:s}", "line",
                                              problems->list[i].line, "column",
                                              problems->list[i].column, "text",
                                              problems->list[i].text));
    o = json_pack("{s:{s:s, s:s}}", "error", "code", dq_code_name(err->code),
                  "message", err->text);
    if (!o) /* bytes that are no UTF-8 */
        o = json_pack("{s:{s:s, s:s}}", "error", "code",
                      dq_code_name(err->code), "message",
                      dq_code_text(err->code));
    if (problems->count)
        json_object_set(o, "problems", list);
    json_decref(list);
    return o;
}

static char *line_of(json_t *value)
{
    char *text = dq_json_text(value), *line = dq_asprintf("%s\n", text);

    free(text);
    json_decref(value);
    return line;
}

/* Nothing is told before it is durable, nor what others did: an event that
 * was read and then lost would give its number to another one. */
static void commit(struct dq_call *c)
{
    struct dq_err err = {0};

    if (dq_store_commit(c->api->store, &err))
        c->api->broken(c->api->context, &err);
    if (strcmp(c->request->method, "GET") != 0)
        dq_crew_wake(c->api->crew);
}

static void call(struct dq_call *c, const struct route *route,
                 struct dq_http_answer *answer)
{
    struct dq_err err = {0};
    json_t *value = NULL;

    /* whose a job is only the store knows */
    if (dq_role_may(c->role, route->action, 1))
        value = route->call(c, &err);
    else
        dq_role_denied(c->role, route->action, c->who.uid, &err);
    commit(c);
    answer->status = err.code ? status_of(err.code) : c->status;
    if (c->stream.read) {
        answer->stream = c->stream;
        answer->type = "text/event-stream";
        return;
    }
    if (c->text) {
        answer->text = c->text;
        answer->type = "text/plain; version=0.0.4";
        return;
    }
    answer->text = line_of(err.code ? error_object(&err, &c->problems) : value);
    dq_problems_free(&c->problems);
}

void dq_api_handle(void *context, const struct dq_http_request *request,
                   struct dq_http_answer *answer)
{
    struct dq_api *api = context;
    struct dq_call c = {.api = api, .request = request, .status = 200};
    struct dq_err err = {0};
    int refused = dq_call_take_who(&c, &err);
    const struct route *route = refused ? NULL : find(&c, answer);
    struct dq_problems none = {0};

    answer->type = "application/json";
    if (route) {
        call(&c, route, answer);
        return;
    }
    if (refused)
        answer->status = refused;
    else
        dq_fail(&err, DQ_USAGE,
                answer->status == 405 ? "no such method here"
                                      : "there is no such page");
    answer->text = line_of(error_object(&err, &none));
}
