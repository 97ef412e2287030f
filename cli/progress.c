#include "cli/progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/problems.h"

enum { DRAW_MS = 100, REDRAW_MS = 1000, ALIVE_MS = 45000 };

struct dq_progress {
    struct dq_progress_rule rule;
    struct dq_progress_state state;
    struct dq_pace pace;
    int64_t said_ms; /* the last line, or drawing */
    int64_t began_ms;
    int shown;          /* the bar stands on the terminal */
    int dirty;          /* and is not right any more */
    size_t done;        /* as counted by somebody else; SIZE_MAX: not yet */
    int64_t counted_ms; /* when it was */
};

enum dq_progress_form dq_progress_form_for(enum dq_progress_form wish, int fd)
{
    const char *term = getenv("TERM");

    if (wish != DQ_PROGRESS_AUTO)
        return wish;
    if (!isatty(fd) || !term || !*term || strcmp(term, "dumb") == 0)
        return DQ_PROGRESS_PLAIN;
    return DQ_PROGRESS_BAR;
}

struct dq_progress *dq_progress_new(const struct dq_progress_rule *rule,
                                    int64_t now_ms)
{
    struct dq_progress *p = dq_new(sizeof *p);

    p->rule = *rule;
    p->state.name = rule->name;
    p->state.frames = rule->frames;
    p->state.scans = rule->scans;
    p->state.left_s = -1;
    p->pace.workers = rule->workers;
    p->began_ms = p->said_ms = now_ms;
    p->dirty = 1;
    p->done = SIZE_MAX;
    return p;
}

/* ---- writing -------------------------------------------------------------*/

/* A reader that is gone changes nothing about the work. */
static void put(const struct dq_progress *p, const char *text, size_t count)
{
    while (count > 0) {
        ssize_t n = write(p->rule.fd, text, count);

        if (n <= 0)
            return;
        text += n;
        count -= (size_t)n;
    }
}

static void clear(struct dq_progress *p)
{
    if (p->shown)
        put(p, "\r\033[K", 4);
    p->shown = 0;
    p->dirty = 1;
}

static void put_line(struct dq_progress *p, const char *text)
{
    char *line = dq_asprintf("%s\n", text);

    clear(p);
    put(p, line, strlen(line));
    free(line);
}

/* A JSON object with the time; takes the text. */
static void put_json(struct dq_progress *p, char *object)
{
    char now[DQ_TIME_TEXT];
    char *line;

    dq_clock_utc(now);
    line = dq_asprintf("{\"time\":\"%s\",%s", now, object + 1);
    put_line(p, line);
    free(line);
    free(object);
}

void dq_progress_free(struct dq_progress *p)
{
    if (!p)
        return;
    clear(p);
    free(p);
}

/* Texts come from files and workers: nothing in them may command the
 * terminal. */
void dq_progress_say(struct dq_progress *p, const char *level, const char *fmt,
                     ...)
{
    char text[4096];
    va_list args;
    json_t *o;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    dq_text_harmless(text, ' ');
    if (p->rule.form != DQ_PROGRESS_JSON) {
        put_line(p, text);
        return;
    }
    o = json_pack("{s:s, s:s, s:o}", "event", "message", "level", level, "text",
                  dq_text_json(text));
    put_json(p, dq_json_text(o));
    json_decref(o);
}

void dq_progress_sum_up(struct dq_progress *p, const char *text,
                        const json_t *object)
{
    if (p->rule.form == DQ_PROGRESS_JSON)
        put_json(p, dq_json_text(object));
    else
        put_line(p, text);
}

void dq_progress_device(struct dq_progress *p, const char *device,
                        const char *execution)
{
    char *line;

    if (p->rule.form == DQ_PROGRESS_JSON)
        put_json(p, dq_progress_device_json(device, execution));
    if (p->rule.form != DQ_PROGRESS_PLAIN)
        return;
    line = dq_progress_device_plain(device, execution);
    put_line(p, line);
    free(line);
}

/* ---- frames --------------------------------------------------------------*/

static void count(struct dq_progress *p, const struct dq_list_entry *e,
                  int64_t now_ms)
{
    struct dq_progress_state *s = &p->state;

    p->dirty = 1;
    s->blocked = e->state == DQ_TASK_BLOCKED;
    if (e->task.kind == DQ_TASK_SURVEY)
        s->surveyed |= dq_task_settled(e->state);
    if (e->task.kind == DQ_TASK_SCAN)
        s->scanned += dq_task_settled(e->state) != 0;
    if (e->task.kind == DQ_TASK_SOLVE)
        s->solved |= dq_task_settled(e->state);
    if (e->task.kind != DQ_TASK_RENDER)
        return;
    s->settled += dq_task_settled(e->state) != 0;
    s->failed += e->state == DQ_TASK_FAILED;
    if (e->state == DQ_TASK_DONE)
        dq_pace_note(&p->pace, now_ms);
}

/* In the bar only what a person should see; a failure by all means. */
static void tell_person(struct dq_progress *p, const struct dq_list_entry *e)
{
    const char *text = e->text ? e->text : dq_code_text(e->code);
    char who[32] = "";

    if (e->task.kind == DQ_TASK_RENDER)
        snprintf(who, sizeof who, "frame %d", e->task.frame);
    else if (e->task.kind == DQ_TASK_SCAN)
        snprintf(who, sizeof who, "scan of frame %d", e->task.frame);
    else
        snprintf(who, sizeof who, "%s", dq_task_kind_name(e->task.kind));
    if (e->state == DQ_TASK_FAILED)
        dq_progress_say(p, "error", "%s: %s", who, text);
    else if (e->state == DQ_TASK_RETRY && e->code)
        dq_progress_say(p, "warning", "%s: %s (to be tried again)", who, text);
    else if (e->state == DQ_TASK_DONE && e->odd)
        dq_progress_say(p, "warning", "%s: worth a look: %s", who, e->odd);
}

void dq_progress_tell(struct dq_progress *p, const struct dq_list_entry *entry,
                      int64_t now_ms)
{
    char *line;

    if (p->rule.form == DQ_PROGRESS_BAR) {
        tell_person(p, entry);
        return;
    }
    p->said_ms = now_ms;
    if (p->rule.form == DQ_PROGRESS_JSON) {
        put_json(p, dq_progress_json(entry));
        return;
    }
    line = dq_progress_plain(entry);
    put_line(p, line);
    free(line);
}

void dq_progress_task(struct dq_progress *p, const struct dq_list_entry *entry,
                      const struct dq_result *result, int64_t now_ms)
{
    (void)result;
    count(p, entry, now_ms);
    dq_progress_tell(p, entry, now_ms);
}

/* Frames that were done since the last look came one after the other in that
 * time; those that were done before the first look tell nothing. */
static void note_pace(struct dq_progress *p, size_t done, int64_t now_ms)
{
    size_t fresh = p->done < done ? done - p->done : 0;
    int64_t passed = now_ms - p->counted_ms;

    for (size_t i = 1; i <= fresh; i++)
        dq_pace_note(&p->pace,
                     p->counted_ms + passed * (int64_t)i / (int64_t)fresh);
    p->done = done;
    p->counted_ms = now_ms;
}

void dq_progress_count(struct dq_progress *p,
                       const struct dq_progress_counts *counts, int64_t now_ms)
{
    note_pace(p, counts->done, now_ms);
    p->state.frames = counts->frames;
    p->state.settled = counts->settled;
    p->state.failed = counts->failed;
    p->state.blocked = counts->blocked;
    p->state.scans = counts->scans;
    p->state.scanned = counts->scanned;
    p->state.surveyed = counts->surveyed;
    p->state.solved = counts->solved;
    p->dirty = 1;
}

/* ---- time ----------------------------------------------------------------*/

static int columns(int fd)
{
    struct winsize size;

    if (ioctl(fd, TIOCGWINSZ, &size) || size.ws_col < 1)
        return 80;
    return size.ws_col;
}

static void reckon(struct dq_progress *p)
{
    double pace = dq_pace_seconds(&p->pace);
    struct dq_progress_state *s = &p->state;

    s->per_second = pace > 0 ? 1 / pace : 0;
    s->left_s = pace < 0 || s->settled >= s->frames
                    ? -1
                    : pace * (double)(s->frames - s->settled);
}

/* A terminal's last column is left free: some wrap when it is written. */
static void draw(struct dq_progress *p)
{
    char *bar =
        dq_progress_bar(&p->state, columns(p->rule.fd) - 1, p->rule.colour);
    char *line = dq_asprintf("\r%s\033[K", bar);

    put(p, line, strlen(line));
    p->shown = 1;
    p->dirty = 0;
    free(line);
    free(bar);
}

/* The scans are told of until a frame is done. */
static int has_scans(const struct dq_progress_state *s)
{
    return s->scans && !s->settled;
}

static char *alive_json(const struct dq_progress_state *s, double seconds)
{
    json_t *o =
        json_pack("{s:s, s:I, s:I, s:I}", "event", "alive", "settled",
                  (json_int_t)s->settled, "frames", (json_int_t)s->frames,
                  "failed", (json_int_t)s->failed);
    char *text;

    if (has_scans(s)) {
        json_object_set_new(o, "scanned", json_integer((json_int_t)s->scanned));
        json_object_set_new(o, "scans", json_integer((json_int_t)s->scans));
    }
    json_object_set_new(o, "seconds", json_real(seconds));
    text = dq_json_text(o);
    json_decref(o);
    return text;
}

static char *alive_text(const struct dq_progress_state *s, double seconds)
{
    char *scans = has_scans(s) ? dq_asprintf(" scanned=%zu scans=%zu",
                                             s->scanned, s->scans)
                               : dq_strdup("");
    char *text =
        dq_asprintf("alive settled=%zu frames=%zu failed=%zu%s seconds=%.0f",
                    s->settled, s->frames, s->failed, scans, seconds);

    free(scans);
    return text;
}

static void say_alive(struct dq_progress *p, int64_t now_ms)
{
    double seconds = (double)(now_ms - p->began_ms) / 1000;
    char *text;

    if (p->rule.form == DQ_PROGRESS_JSON) {
        put_json(p, alive_json(&p->state, seconds));
        return;
    }
    text = alive_text(&p->state, seconds);
    put_line(p, text);
    free(text);
}

void dq_progress_tick(struct dq_progress *p, int64_t now_ms)
{
    int64_t passed = now_ms - p->said_ms;

    if (p->rule.form != DQ_PROGRESS_BAR) {
        if (passed < ALIVE_MS)
            return;
        say_alive(p, now_ms);
    } else {
        if (passed < (p->dirty ? DRAW_MS : REDRAW_MS))
            return;
        reckon(p);
        draw(p);
    }
    p->said_ms = now_ms;
}
