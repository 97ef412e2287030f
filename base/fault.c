#include "base/fault.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"

enum action { NOTHING, FAIL, ABORT, KILL, HANG, SLOW };

struct point {
    const char *name;
    enum action action;
    long from, to; /* calls that it strikes, from 1 */
    atomic_long calls;
};

static struct point points[DQ_FAULTS] = {
#define DQ_FAULT_POINT(id, point_name, doc) \
    [DQ_FAULT_##id] = {.name = point_name},
#include "base/faults.def"
#undef DQ_FAULT_POINT
};

static atomic_int armed;

static void refuse(const char *what)
{
    fprintf(stderr, "depthq: DQ_FAULT: cannot understand '%s'\n", what);
    exit(dq_code_exit(DQ_CONFIG));
}

static struct point *find_point(const char *name)
{
    for (int i = 0; i < DQ_FAULTS; i++)
        if (strcmp(points[i].name, name) == 0)
            return &points[i];
    return NULL;
}

static enum action action_of(const char *word)
{
    static const struct {
        const char *word;
        enum action action;
    } actions[] = {{"fail", FAIL},
                   {"abort", ABORT},
                   {"kill", KILL},
                   {"hang", HANG},
                   {"slow", SLOW}};

    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (strcmp(actions[i].word, word) == 0)
            return actions[i].action;
    return NOTHING;
}

/* "3" is the third call, "3+" that and every later one. */
static int set_calls(struct point *p, char *calls)
{
    size_t length = strlen(calls);
    int on = length > 0 && calls[length - 1] == '+';

    if (on)
        calls[length - 1] = '\0';
    if (dq_text_long(calls, &p->from) || p->from < 1)
        return -1;
    p->to = on ? 0x7fffffff : p->from;
    return 0;
}

/* point[:N[+]][=action] */
static void arm(char *rule)
{
    char *whole = dq_strdup(rule);
    char *word = strchr(rule, '=');
    char *calls;
    struct point *p;

    if (word)
        *word++ = '\0';
    calls = strchr(rule, ':');
    if (calls)
        *calls++ = '\0';
    p = find_point(rule);
    if (!p)
        refuse(whole);
    p->action = word ? action_of(word) : FAIL;
    p->from = 1;
    p->to = 0x7fffffff;
    if (p->action == NOTHING || (calls && set_calls(p, calls)))
        refuse(whole);
    free(whole);
}

void dq_fault_setup(void)
{
    const char *rules = getenv("DQ_FAULT");
    char *copy, *rest, *rule;

    atomic_store(&armed, 0);
    for (int i = 0; i < DQ_FAULTS; i++) {
        points[i].action = NOTHING;
        atomic_store(&points[i].calls, 0);
    }
    if (!rules || !*rules)
        return;
    copy = rest = dq_strdup(rules);
    while ((rule = strsep(&rest, ",")))
        arm(rule);
    free(copy);
    atomic_store(&armed, 1);
}

static int act(enum action action)
{
    const struct timespec quarter = {0, 250000000};

    switch (action) {
    case ABORT:
        abort();
    case KILL:
        raise(SIGKILL);
        return 0;
    case HANG:
        for (;;)
            pause();
    case SLOW:
        nanosleep(&quarter, NULL);
        return 0;
    default:
        return action == FAIL;
    }
}

int dq_fault(enum dq_fault point)
{
    struct point *p = &points[point];
    long call;

    if (!atomic_load_explicit(&armed, memory_order_relaxed) ||
        p->action == NOTHING)
        return 0;
    call = atomic_fetch_add(&p->calls, 1) + 1;
    return call >= p->from && call <= p->to ? act(p->action) : 0;
}
