#include "jobs/task.h"

#include <stddef.h>
#include <string.h>

#include "base/bytes.h"

static const char *const kind_names[DQ_TASK_KINDS] = {
    [DQ_TASK_SURVEY] = "survey",
    [DQ_TASK_SCAN] = "scan",
    [DQ_TASK_SOLVE] = "solve",
    [DQ_TASK_RENDER] = "render",
};

struct word {
    const char *name, *doc;
};

static const struct word states[DQ_TASK_STATES] = {
#define DQ_STATE(name, word, doc) {word, doc},
#include "jobs/task_states.def"
};

static const struct word events[DQ_EVENTS] = {
#define DQ_EVENT(name, word, doc) {word, doc},
#include "jobs/task_states.def"
};

static const struct move {
    enum dq_task_state from;
    enum dq_task_event event;
    enum dq_task_state to;
    const char *doc;
} moves[] = {
#define DQ_MOVE(from, event, to, doc) \
    {DQ_TASK_##from, DQ_EVENT_##event, DQ_TASK_##to, doc},
#include "jobs/task_states.def"
};

enum { MOVES = sizeof moves / sizeof *moves };

const char *dq_task_kind_name(enum dq_task_kind kind)
{
    return kind_names[kind];
}

int dq_task_kind_from_name(const char *name)
{
    for (int i = 0; i < DQ_TASK_KINDS; i++)
        if (strcmp(kind_names[i], name) == 0)
            return i;
    return -1;
}

int dq_task_has_frame(enum dq_task_kind kind)
{
    return kind == DQ_TASK_SCAN || kind == DQ_TASK_RENDER;
}

const char *dq_task_state_name(enum dq_task_state state)
{
    return states[state].name;
}

const char *dq_task_event_name(enum dq_task_event event)
{
    return events[event].name;
}

int dq_task_move(enum dq_task_state from, enum dq_task_event event)
{
    for (size_t i = 0; i < MOVES; i++)
        if (moves[i].from == from && moves[i].event == event)
            return (int)moves[i].to;
    return -1;
}

/* No event but a person's leads out of it. */
static int of_a_person(enum dq_task_event event)
{
    return event == DQ_EVENT_CANCEL || event == DQ_EVENT_EAT ||
           event == DQ_EVENT_RETRY;
}

int dq_task_settled(enum dq_task_state state)
{
    for (size_t i = 0; i < MOVES; i++)
        if (moves[i].from == state && !of_a_person(moves[i].event))
            return 0;
    return 1;
}

/* ---- manual --------------------------------------------------------------*/

static void write_diagram(struct dq_bytes *out)
{
    dq_bytes_text(out, "```mermaid\nstateDiagram-v2\n    [*] --> waiting\n");
    for (size_t i = 0; i < MOVES; i++)
        dq_bytes_printf(out, "    %s --> %s: %s\n", states[moves[i].from].name,
                        states[moves[i].to].name, events[moves[i].event].name);
    dq_bytes_text(out, "```\n");
}

static void write_words(struct dq_bytes *out, const char *title,
                        const struct word *words, size_t count)
{
    dq_bytes_printf(out, "\n| %s | means |\n| --- | --- |\n", title);
    for (size_t i = 0; i < count; i++)
        dq_bytes_printf(out, "| `%s` | %s |\n", words[i].name, words[i].doc);
}

static void write_moves(struct dq_bytes *out)
{
    dq_bytes_text(out, "\n| from | event | to | why |\n"
                       "| --- | --- | --- | --- |\n");
    for (size_t i = 0; i < MOVES; i++)
        dq_bytes_printf(out, "| `%s` | %s | `%s` | %s |\n",
                        states[moves[i].from].name, events[moves[i].event].name,
                        states[moves[i].to].name, moves[i].doc);
}

char *dq_task_manual(void)
{
    struct dq_bytes out = {0};

    dq_bytes_text(
        &out,
        "# The states of a task\n\n"
        "Made from `jobs/task_states.def` by `scripts/generate`; "
        "edit that.\n\n"
        "A task is one unit of work: a shot's survey or solve, the "
        "scan or the\nrender of one frame.\nWhat is not in the table of moves "
        "is refused.\n\n");
    write_diagram(&out);
    dq_bytes_text(&out, "\n## States\n");
    write_words(&out, "state", states, DQ_TASK_STATES);
    dq_bytes_text(&out, "\n## Events\n");
    write_words(&out, "event", events, DQ_EVENTS);
    dq_bytes_text(&out, "\n## Moves\n");
    write_moves(&out);
    return out.data;
}
