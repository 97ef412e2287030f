/* The words of progress, made from plain values: no descriptor, no clock. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/problems.h"
#include "cli/progress.h"

/* ---- the bar -------------------------------------------------------------*/

enum { BAR_MOST = 40, BAR_LEAST = 5 };

/* 7 -> "0:07", 3700 -> "1:01:40" */
static void clock_text(double seconds, char text[32])
{
    long s = seconds < 359999 ? (long)(seconds + 0.5) : 359999;

    if (s >= 3600)
        snprintf(text, 32, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(text, 32, "%ld:%02ld", s / 60, s % 60);
}

/* What is done before the first frame. */
static void add_phase(struct dq_bytes *text, const struct dq_progress_state *s)
{
    if (s->settled)
        return;
    if (!s->surveyed)
        dq_bytes_text(text, "  looking at the shot");
    else if (s->scanned < s->scans)
        dq_bytes_printf(text, "  scanned %zu/%zu", s->scanned, s->scans);
    else if (s->scans && !s->solved)
        dq_bytes_text(text, "  solving the shot");
}

/* "57/240  1.9 frames/s  1:36 left" */
static char *figures(const struct dq_progress_state *s)
{
    struct dq_bytes text = {0};
    char left[32];

    dq_bytes_printf(&text, "%zu/%zu", s->settled, s->frames);
    add_phase(&text, s);
    if (s->per_second >= 1)
        dq_bytes_printf(&text, "  %.1f frames/s", s->per_second);
    else if (s->per_second > 0)
        dq_bytes_printf(&text, "  %.1f s/frame", 1 / s->per_second);
    if (s->left_s >= 0) {
        clock_text(s->left_s, left);
        dq_bytes_printf(&text, "  %s left", left);
    }
    if (s->blocked)
        dq_bytes_text(&text, "  waiting for storage");
    return text.data;
}

static char *failures(const struct dq_progress_state *s)
{
    return s->failed ? dq_asprintf("  %zu failed", s->failed) : dq_strdup("");
}

static void add_gauge(struct dq_bytes *out, const struct dq_progress_state *s,
                      int cells)
{
    int full =
        s->frames ? (int)((double)s->settled / (double)s->frames * cells) : 0;

    dq_bytes_text(out, "[");
    for (int i = 0; i < cells; i++)
        dq_bytes_text(out, i < full ? "#" : "-");
    dq_bytes_text(out, "] ");
}

char *dq_progress_bar(const struct dq_progress_state *state, int width,
                      int colour)
{
    char *numbers = figures(state), *bad = failures(state);
    int room = width - (int)(strlen(numbers) + strlen(bad)) - 3;
    int name = room - BAR_LEAST - 1, whole = (int)strlen(state->name);
    struct dq_bytes out = {0};

    if (name > whole)
        name = whole;
    if (name == whole || name > 3) { /* less than that names nothing */
        dq_bytes_printf(&out, "%.*s ", name, state->name);
        room -= name + 1;
    }
    if (room >= BAR_LEAST)
        add_gauge(&out, state, room < BAR_MOST ? room : BAR_MOST);
    dq_bytes_text(&out, numbers);
    if ((int)out.count > width)
        out.data[width > 0 ? width : 0] = '\0';
    else if (*bad && (int)(out.count + strlen(bad)) <= width)
        dq_bytes_printf(&out, "%s%s%s", colour ? "\033[31m" : "", bad,
                        colour ? "\033[0m" : "");
    free(numbers);
    free(bad);
    return out.data;
}

/* ---- a frame's line ------------------------------------------------------*/

static void add_word(struct dq_bytes *out, const char *key, const char *value)
{
    char *safe;

    if (!value)
        return;
    safe = dq_text_harmless(dq_strdup(value), ' ');
    dq_bytes_printf(out, " %s=\"", key);
    for (const char *c = safe; *c; c++)
        dq_bytes_printf(out, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
    dq_bytes_text(out, "\"");
    free(safe);
}

static const struct stage_name {
    const char *key;
    size_t offset;
} stages[] = {
    {"seconds", offsetof(struct dq_stage_times, total)},
    {"read", offsetof(struct dq_stage_times, read)},
    {"colour", offsetof(struct dq_stage_times, colour)},
    {"infer", offsetof(struct dq_stage_times, infer)},
    {"encode", offsetof(struct dq_stage_times, encode)},
    {"publish", offsetof(struct dq_stage_times, publish)},
};

enum { STAGES = sizeof stages / sizeof *stages };

static double stage_of(const struct dq_list_entry *e, size_t i)
{
    double seconds;

    memcpy(&seconds, (const char *)&e->seconds + stages[i].offset,
           sizeof seconds);
    return seconds;
}

/* Whether the seconds of its stages are known. */
static int is_timed(const struct dq_list_entry *e)
{
    return e->state == DQ_TASK_DONE && e->seconds.total >= 0;
}

static int went_wrong(const struct dq_list_entry *e)
{
    return e->code != DQ_OK && e->state != DQ_TASK_DONE &&
           e->state != DQ_TASK_SKIPPED;
}

char *dq_progress_plain(const struct dq_list_entry *e)
{
    struct dq_bytes out = {0};

    if (!dq_task_has_frame(e->task.kind))
        dq_bytes_text(&out, dq_task_kind_name(e->task.kind));
    else
        dq_bytes_printf(&out, "%s=%d",
                        e->task.kind == DQ_TASK_SCAN ? "scan" : "frame",
                        e->task.frame);
    dq_bytes_printf(&out, " state=%s attempt=%d", dq_task_state_name(e->state),
                    e->task.attempt);
    if (is_timed(e))
        for (size_t i = 0; i < STAGES; i++)
            dq_bytes_printf(&out, " %s=%.3f", stages[i].key, stage_of(e, i));
    if (went_wrong(e)) {
        dq_bytes_printf(&out, " code=%s", dq_code_name(e->code));
        add_word(&out, "error", e->text);
    }
    add_word(&out, "suspect", e->odd);
    return out.data;
}

char *dq_progress_json(const struct dq_list_entry *e)
{
    json_t *o = json_pack("{s:s}", "event", dq_task_kind_name(e->task.kind));
    char *text;

    if (e->task.kind == DQ_TASK_RENDER)
        json_object_set_new(o, "event", json_string("frame"));
    if (dq_task_has_frame(e->task.kind))
        json_object_set_new(o, "frame", json_integer(e->task.frame));
    json_object_set_new(o, "state", json_string(dq_task_state_name(e->state)));
    json_object_set_new(o, "attempt", json_integer(e->task.attempt));
    for (size_t i = 0; is_timed(e) && i < STAGES; i++) {
        char *key =
            i ? dq_asprintf("%s_seconds", stages[i].key) : dq_strdup("seconds");

        json_object_set_new(o, key, json_real(stage_of(e, i)));
        free(key);
    }
    if (went_wrong(e)) {
        json_object_set_new(o, "code", json_string(dq_code_name(e->code)));
        json_object_set_new(o, "message", dq_text_json(e->text ? e->text : ""));
    }
    if (e->odd)
        json_object_set_new(o, "suspect", dq_text_json(e->odd));
    text = dq_json_text(o);
    json_decref(o);
    return text;
}

/* ---- a device's line -----------------------------------------------------*/

char *dq_progress_device_plain(const char *device, const char *execution)
{
    struct dq_bytes out = {0};
    char *safe = dq_text_harmless(dq_strdup(device), ' ');

    dq_bytes_printf(&out, "device=%s", safe);
    add_word(&out, "execution", execution);
    free(safe);
    return out.data;
}

char *dq_progress_device_json(const char *device, const char *execution)
{
    json_t *o =
        json_pack("{s:s, s:o, s:o}", "event", "device", "device",
                  dq_text_json(device), "execution", dq_text_json(execution));
    char *text = dq_json_text(o);

    json_decref(o);
    return text;
}
