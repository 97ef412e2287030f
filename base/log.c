#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/text.h"

enum { FIELD_LIMIT = 1024 };

static struct {
    const char *who;
    enum dq_log_level level;
    enum dq_log_form form;
} setup = {"depthq", DQ_LOG_WARN, DQ_LOG_TEXT};

void dq_log_setup(const char *who, enum dq_log_level level,
                  enum dq_log_form form)
{
    setup.who = who;
    setup.level = level;
    setup.form = form;
}

/* U+2028 and U+2029 end lines in some readers, in three bytes of UTF-8. */
static int is_line_separator(const char *c)
{
    return strncmp(c, "\xe2\x80\xa8", 3) == 0 ||
           strncmp(c, "\xe2\x80\xa9", 3) == 0;
}

/* U+0080 to U+009F are commands to a terminal, in two bytes of UTF-8. */
static int is_c1(const char *c)
{
    return c[0] == '\xc2' && (unsigned char)c[1] < 0xa0;
}

/* Bytes that are no UTF-8 (paths may hold any) would make the JSON invalid;
 * in text they can be told. */
static void add_stray(struct dq_bytes *line, unsigned char byte)
{
    if (setup.form == DQ_LOG_JSON)
        dq_bytes_text(line, "\\ufffd");
    else
        dq_bytes_printf(line, "\\x%02x", byte);
}

static void add_character(struct dq_bytes *line, const char *c, size_t bytes)
{
    unsigned char byte = (unsigned char)*c;

    if (byte == '"' || byte == '\\')
        dq_bytes_printf(line, "\\%c", byte);
    else if (byte < 0x20 || byte == 0x7f)
        dq_bytes_printf(line, "\\u%04x", byte);
    else if (is_line_separator(c))
        dq_bytes_printf(line, "\\u202%c", c[2] == '\xa8' ? '8' : '9');
    else if (is_c1(c))
        dq_bytes_printf(line, "\\u%04x", (unsigned char)c[1]);
    else
        dq_bytes_add(line, c, bytes);
}

static void add_escaped(struct dq_bytes *line, const char *text)
{
    size_t bytes;

    for (const char *c = text; *c; c += bytes) {
        bytes = dq_text_character(c);
        if ((size_t)(c - text) + (bytes ? bytes : 1) > FIELD_LIMIT)
            break;
        if (bytes == 0)
            add_stray(line, (unsigned char)*c);
        else
            add_character(line, c, bytes);
        bytes += bytes == 0;
    }
}

static void add_quoted(struct dq_bytes *line, const char *text)
{
    dq_bytes_text(line, "\"");
    add_escaped(line, text);
    dq_bytes_text(line, "\"");
}

static int is_special(const char *c)
{
    return (unsigned char)*c <= ' ' || *c == '"' || *c == '=' || *c == '\\' ||
           *c == 0x7f || is_line_separator(c) || is_c1(c);
}

static int needs_quotes(const char *text)
{
    size_t bytes;

    for (const char *c = text; *c; c += bytes) {
        bytes = dq_text_character(c);
        if (bytes == 0 || is_special(c))
            return 1;
    }
    return !*text || strlen(text) > FIELD_LIMIT;
}

static void add_pair(struct dq_bytes *line, const char *key, const char *value)
{
    if (setup.form == DQ_LOG_JSON) {
        dq_bytes_text(line, ",");
        add_quoted(line, key);
        dq_bytes_text(line, ":");
        add_quoted(line, value);
        return;
    }
    dq_bytes_printf(line, " %s=", key);
    if (needs_quotes(value))
        add_quoted(line, value);
    else
        dq_bytes_text(line, value);
}

static void add_head(struct dq_bytes *line, enum dq_log_level level,
                     const char *event)
{
    static const char *const levels[] = {"error", "warn", "info", "debug"};
    char now[DQ_TIME_TEXT];

    dq_clock_utc(now);
    if (setup.form == DQ_LOG_JSON) {
        dq_bytes_printf(line, "{\"time\":\"%s\",\"level\":\"%s\",\"who\":", now,
                        levels[level]);
        add_quoted(line, setup.who);
        dq_bytes_text(line, ",\"event\":");
        add_quoted(line, event);
        return;
    }
    dq_bytes_printf(line, "%s %s %s: %s", now, setup.who, levels[level], event);
}

void dq_log(enum dq_log_level level, const char *event, ...)
{
    struct dq_bytes line = {0};
    const char *key;
    va_list args;

    if (level > setup.level)
        return;
    add_head(&line, level, event);
    va_start(args, event);
    while ((key = va_arg(args, const char *))) {
        const char *value = va_arg(args, const char *);

        if (value)
            add_pair(&line, key, value);
    }
    va_end(args);
    dq_bytes_text(&line, setup.form == DQ_LOG_JSON ? "}\n" : "\n");
    if (write(STDERR_FILENO, line.data, line.count) < 0) {
        /* nobody listens: there is nobody to tell */
    }
    dq_bytes_free(&line);
}
