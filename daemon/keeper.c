#include "daemon/keeper.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "daemon/trust.h"

enum { FIRST_MS = 1000, ROUND_MS = 60000, STEP_MS = 20, STEP_ROWS = 1000 };

#define DAY_NS ((int64_t)86400 * 1000000000)
#define HOUR_MS ((int64_t)3600 * 1000)

struct dq_keeper {
    struct dq_keeper_rule rule;
    struct dq_trust trust;
    int64_t seen_ms; /* of the clock, as the store has it */
    uv_timer_t timer;
};

/* ---- what is kept --------------------------------------------------------*/

int dq_keep_take(struct dq_keep *keep, const char *key, const char *text,
                 struct dq_err *err)
{
    int *value = strcmp(key, "keep-days") == 0     ? &keep->days
                 : strcmp(key, "keep-events") == 0 ? &keep->events
                                                   : NULL;
    const long most = value == &keep->days ? 36500 : INT32_MAX;
    long number = 0;

    if (!value)
        return 0;
    if (dq_text_long(text, &number) || number < 1 || number > most)
        dq_fail(err, DQ_USAGE, "%s: '%.40s' is no number from 1 to %ld", key,
                text, most);
    else
        *value = (int)number;
    return 1;
}

void dq_keep_before(const struct dq_keep *keep, int64_t now_ns,
                    char text[DQ_TIME_TEXT])
{
    dq_clock_utc_of(now_ns - keep->days * DAY_NS, text);
}

/* ---- rounds --------------------------------------------------------------*/

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void tell_doubt(const struct dq_keeper *k)
{
    char *days = dq_asprintf("%lld", (long long)(k->trust.ahead_ns / DAY_NS));

    dq_log_warn("the clock is far ahead of what it was: nothing is forgotten "
                "by its age before it has stayed so for a day",
                "days", days);
    free(days);
}

/* Whether the time of day may decide what is old. An hour more or less does
 * not, so the store is told of it each hour. */
static int believes(struct dq_keeper *k, int64_t day_ns, struct dq_err *err)
{
    const int64_t day_ms = day_ns / 1000000;
    int doubted = k->trust.doubted;

    if (!dq_trust_day(&k->trust, day_ns, dq_clock_ns())) {
        if (!doubted)
            tell_doubt(k);
        return 0;
    }
    if (llabs(day_ms - k->seen_ms) >= HOUR_MS &&
        !dq_store_set_clock(k->rule.store, day_ms, err))
        k->seen_ms = day_ms;
    return !err->code;
}

static void on_step(uv_timer_t *timer)
{
    struct dq_keeper *k = timer->data;
    const int64_t day_ns = now_ns();
    char before[DQ_TIME_TEXT];
    struct dq_prune_rule rule = {.events_most = k->rule.keep.events,
                                 .most = STEP_ROWS};
    struct dq_err err = {0};
    int more = 0;

    dq_keep_before(&k->rule.keep, day_ns, before);
    if (k->rule.keep.days && believes(k, day_ns, &err))
        rule.before = before;
    if (err.code || dq_store_prune(k->rule.store, &rule, &more, &err) ||
        dq_store_commit(k->rule.store, &err))
        k->rule.broken(k->rule.context, &err);
    uv_timer_start(&k->timer, on_step, more ? STEP_MS : ROUND_MS, 0);
}

struct dq_keeper *dq_keeper_new(const struct dq_keeper_rule *rule)
{
    struct dq_keeper *k = dq_new(sizeof *k);

    k->rule = *rule;
    k->seen_ms = dq_store_clock(rule->store);
    k->trust.day_ns = k->seen_ms * 1000000;
    k->trust.boot_ns = dq_clock_ns();
    uv_timer_init(rule->loop, &k->timer);
    k->timer.data = k;
    if (rule->keep.days || rule->keep.events)
        uv_timer_start(&k->timer, on_step, FIRST_MS, 0);
    return k;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void dq_keeper_close(struct dq_keeper *k)
{
    if (k)
        uv_close((uv_handle_t *)&k->timer, on_closed);
}
