#include "daemon/events.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "base/mem.h"

enum {
    TICK_MS = 100,
    BEAT_TICKS = 150, /* of silence, then a heartbeat: 15 s */
    WAKE_TICKS = 50,
    KEPT = 1024,        /* newest events */
    PAGE = 64,          /* events read at once for one that is behind */
    PAGE_BYTES = 16384, /* of text ready for one listener */
    NEWS = 1000         /* events read in a tick */
};

/* An event as it is sent. */
struct told {
    int64_t id, job;
    char *text;
};

struct dq_events {
    struct dq_events_rule rule;
    uv_timer_t timer;
    struct told kept[KEPT]; /* ids rise; the oldest is at first */
    size_t first, count;
    int64_t last; /* id; what is younger is not told yet */
    int64_t ticks;
    struct listener *listeners;
    int listener_count;
    int stopped;
};

struct listener {
    struct listener *next, **here;
    struct dq_events *events;
    int64_t uid, job;
    int64_t heard;  /* id; all before it is ready or was sent */
    int64_t spoken; /* the tick when something was sent last */
    struct dq_bytes ready;
    size_t sent; /* bytes of ready */
};

/* ---- the newest events ---------------------------------------------------*/

static struct told *kept_at(struct dq_events *e, size_t i)
{
    return &e->kept[(e->first + i) % KEPT];
}

static void forget_oldest(struct dq_events *e)
{
    free(kept_at(e, 0)->text);
    e->first = (e->first + 1) % KEPT;
    e->count--;
}

/* data is one line: JSON has none. */
static char *text_of(const json_t *event, int64_t id)
{
    char *data = dq_json_text(event);
    char *text = dq_asprintf("id: %lld\ndata: %s\n\n", (long long)id, data);

    free(data);
    return text;
}

static int64_t number_of(const json_t *event, const char *key)
{
    return json_integer_value(json_object_get(event, key));
}

static void keep(struct dq_events *e, const json_t *event)
{
    int64_t id = number_of(event, "id");

    if (e->count == KEPT)
        forget_oldest(e);
    *kept_at(e, e->count++) = (struct told){
        .id = id, .job = number_of(event, "job"), .text = text_of(event, id)};
    e->last = id;
}

/* What was committed since; how much. */
static size_t take_news(struct dq_events *e)
{
    struct dq_err err = {0};
    json_t *page, *list, *event;
    size_t i, count;

    if (dq_store_commit(e->rule.store, &err))
        e->rule.broken(e->rule.context, &err);
    page = dq_store_events_json(e->rule.store, 0, e->last, NEWS);
    list = json_object_get(page, "events");
    json_array_foreach (list, i, event)
        keep(e, event);
    count = json_array_size(list);
    json_decref(page);
    return count;
}

static void on_tick(uv_timer_t *timer)
{
    struct dq_events *e = timer->data;

    e->ticks++;
    if (take_news(e) || e->ticks % WAKE_TICKS == 0)
        e->rule.wake(e->rule.context);
}

/* ---- one listener --------------------------------------------------------*/

static int is_full(const struct listener *l)
{
    return l->ready.count >= PAGE_BYTES;
}

static void hear(struct listener *l, int64_t id, int64_t job, const char *text)
{
    l->heard = id;
    if (l->job == 0 || l->job == job)
        dq_bytes_text(&l->ready, text);
}

/* Those that are kept, when none before them is missing. */
static int read_kept(struct listener *l)
{
    struct dq_events *e = l->events;
    size_t i = 0, end = e->count;

    if (e->count == 0 || kept_at(e, 0)->id > l->heard + 1)
        return 0;
    while (i < end) { /* the first that was not heard */
        size_t middle = (i + end) / 2;

        if (kept_at(e, middle)->id <= l->heard)
            i = middle + 1;
        else
            end = middle;
    }
    for (; i < e->count && !is_full(l); i++)
        hear(l, kept_at(e, i)->id, kept_at(e, i)->job, kept_at(e, i)->text);
    return 1;
}

static void read_store(struct listener *l)
{
    struct dq_events *e = l->events;
    json_t *page = dq_store_events_json(e->rule.store, l->job, l->heard, PAGE);
    json_t *list = json_object_get(page, "events"), *event;
    int more = json_array_size(list) == PAGE;
    size_t i;

    json_array_foreach (list, i, event) {
        int64_t id = number_of(event, "id");
        char *text;

        if (is_full(l) || id > e->last) {
            more = id <= e->last;
            break;
        }
        text = text_of(event, id);
        hear(l, id, number_of(event, "job"), text);
        free(text);
    }
    if (!more)
        l->heard = e->last;
    json_decref(page);
}

static void refill(struct listener *l)
{
    struct dq_events *e = l->events;

    l->ready.count = l->sent = 0;
    while (l->heard < e->last && l->ready.count == 0)
        if (!read_kept(l))
            read_store(l);
    if (l->ready.count == 0 && e->ticks - l->spoken >= BEAT_TICKS)
        dq_bytes_text(&l->ready, ": still here\n\n");
}

static size_t on_read(void *context, char *buffer, size_t room)
{
    struct listener *l = context;
    size_t bytes;

    if (l->sent == l->ready.count)
        refill(l);
    bytes = l->ready.count - l->sent;
    if (bytes > room)
        bytes = room;
    if (bytes == 0)
        return 0;
    memcpy(buffer, l->ready.data + l->sent, bytes);
    l->sent += bytes;
    l->spoken = l->events->ticks;
    return bytes;
}

static void on_close(void *context)
{
    struct listener *l = context;
    struct dq_events *e = l->events;

    *l->here = l->next;
    if (l->next)
        l->next->here = l->here;
    if (--e->listener_count == 0 && !e->stopped)
        uv_timer_stop(&e->timer);
    dq_bytes_free(&l->ready);
    free(l);
}

/* ---- listening -----------------------------------------------------------*/

static int too_many(const struct dq_events *e, int64_t uid, struct dq_err *err)
{
    int own = 0;

    for (const struct listener *l = e->listeners; l; l = l->next)
        own += l->uid == uid;
    if (e->listener_count >= DQ_LISTENERS)
        return dq_fail(err, DQ_LIMIT,
                       "%d listen to events already, and that is the most",
                       DQ_LISTENERS);
    if (own >= DQ_LISTENERS_EACH)
        return dq_fail(err, DQ_LIMIT,
                       "user %lld listens to events %d times already, and "
                       "that is the most",
                       (long long)uid, DQ_LISTENERS_EACH);
    return DQ_OK;
}

/* Nobody has listened for a while: what is kept is old. */
static void begin(struct dq_events *e)
{
    struct dq_err err = {0};

    while (e->count)
        forget_oldest(e);
    if (dq_store_commit(e->rule.store, &err))
        e->rule.broken(e->rule.context, &err);
    e->last = dq_store_last_event(e->rule.store);
    uv_timer_start(&e->timer, on_tick, e->rule.tick_ms, e->rule.tick_ms);
}

int dq_events_listen(struct dq_events *e, int64_t uid, int64_t job,
                     int64_t after, struct dq_http_stream *stream,
                     struct dq_err *err)
{
    struct listener *l;

    if (too_many(e, uid, err))
        return err->code;
    if (e->listener_count++ == 0)
        begin(e);
    l = dq_new(sizeof *l);
    l->events = e;
    l->uid = uid;
    l->job = job;
    l->heard = after < 0 || after > e->last ? e->last : after;
    l->spoken = e->ticks;
    l->next = e->listeners;
    l->here = &e->listeners;
    if (l->next)
        l->next->here = &l->next;
    e->listeners = l;
    dq_bytes_printf(&l->ready,
                    "retry: 2000\nid: %lld\nevent: open\n"
                    "data: {\"after\":%lld}\n\n",
                    (long long)l->heard, (long long)l->heard);
    *stream = (struct dq_http_stream){on_read, on_close, l};
    return DQ_OK;
}

/* ---- its life ------------------------------------------------------------*/

struct dq_events *dq_events_new(const struct dq_events_rule *rule)
{
    struct dq_events *e = dq_new(sizeof *e);

    e->rule = *rule;
    if (!e->rule.tick_ms)
        e->rule.tick_ms = TICK_MS;
    uv_timer_init(rule->loop, &e->timer);
    e->timer.data = e;
    return e;
}

void dq_events_stop(struct dq_events *e)
{
    if (!e || e->stopped)
        return;
    e->stopped = 1;
    uv_close((uv_handle_t *)&e->timer, NULL);
}

void dq_events_free(struct dq_events *e)
{
    if (!e)
        return;
    while (e->count)
        forget_oldest(e);
    free(e);
}
