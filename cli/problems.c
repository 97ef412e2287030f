#include "cli/problems.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

/* Longest stretch of a line that is shown, and how much of it stands before
 * the caret when the line is longer. */
enum { SHOWN = 150, BEFORE = 60 };

/* Bytes of the character that begins a text of count bytes. */
static size_t character(const char *text, size_t count)
{
    size_t bytes = 1;

    while (bytes < count && ((unsigned char)text[bytes] & 0xc0) == 0x80)
        bytes++;
    return bytes;
}

/* The line of that number (from 1); its bytes in *bytes. */
static const char *find_line(const struct dq_bytes *text, int number,
                             size_t *bytes)
{
    const char *at = text->data, *end = at + text->count;

    while (at && --number > 0) {
        at = memchr(at, '\n', (size_t)(end - at));
        at = at ? at + 1 : NULL;
    }
    if (at) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));

        *bytes = (size_t)((stop ? stop : end) - at);
        *bytes -= *bytes && at[*bytes - 1] == '\r';
    }
    return at;
}

/* A character of the file, one column wide whatever its bytes are. */
static void print_safe(FILE *to, const char *text, size_t bytes)
{
    char one[5] = "";

    memcpy(one, text, bytes < sizeof one ? bytes : sizeof one - 1);
    if (*one == '\t')
        putc(' ', to);
    else if (!*one || dq_text_control(one) || dq_text_character(one) != bytes)
        putc('?', to);
    else
        fwrite(text, 1, bytes, to);
}

/* The characters from first to last (from 1) of a line. */
static void print_characters(FILE *to, const char *line, size_t bytes,
                             int first, int last)
{
    int column = 0;

    for (size_t i = 0, one; i < bytes && ++column <= last; i += one) {
        one = character(line + i, bytes - i);
        if (column >= first)
            print_safe(to, line + i, one);
    }
}

static void print_line(FILE *to, const struct dq_bytes *text, int number,
                       int column)
{
    size_t bytes = 0;
    const char *line = text->count ? find_line(text, number, &bytes) : NULL;
    int first = column > SHOWN - BEFORE ? column - BEFORE : 1;

    if (!line)
        return;
    fprintf(to, "%6d | ", number);
    print_characters(to, line, bytes, first, first + SHOWN - 1);
    fprintf(to, "\n       | %*s\n", column - first + 1, "^");
}

static void print_text(FILE *to, const char *text)
{
    print_characters(to, text, strlen(text), 1, INT_MAX);
}

void dq_problems_print(FILE *to, const char *file, const struct dq_bytes *text,
                       const struct dq_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct dq_problem *p = &problems->list[i];

        print_text(to, file);
        fprintf(to, ":%d:%d: ", p->line, p->column);
        print_text(to, p->text);
        putc('\n', to);
        print_line(to, text, p->line, p->column);
    }
}

json_t *dq_text_json(const char *text)
{
    json_t *json = json_string(text);
    char *clean;

    if (json)
        return json;
    clean = dq_strdup(text);
    for (char *p = clean; *p; p++)
        if ((unsigned char)*p >= 0x80)
            *p = '?';
    json = json_string(clean);
    free(clean);
    return json;
}

json_t *dq_problems_json(const struct dq_problems *problems)
{
    json_t *all = json_array();

    for (size_t i = 0; i < problems->count; i++) {
        const struct dq_problem *p = &problems->list[i];

        json_array_append_new(all, json_pack("{s:i, s:i, s:o}", "line", p->line,
                                             "column", p->column, "text",
                                             dq_text_json(p->text)));
    }
    return all;
}

void dq_problems_from_json(const json_t *list, struct dq_problems *problems)
{
    const json_t *p;
    size_t i;

    json_array_foreach (list, i, p) {
        json_int_t line = json_integer_value(json_object_get(p, "line"));
        json_int_t column = json_integer_value(json_object_get(p, "column"));
        const char *text = json_string_value(json_object_get(p, "text"));

        if (text && line > 0 && line < INT_MAX && column > 0 &&
            column < INT_MAX)
            dq_problem_add(problems, (int)line, (int)column, "%s", text);
    }
}
