#include "daemon/child_words.h"

#include <stdio.h>
#include <string.h>

static void end_line(struct dq_words *w,
                     void (*tell)(void *context, const char *line),
                     void *context)
{
    char *keep = w->last[w->lines % DQ_WORDS_KEPT];

    w->line[w->count] = '\0';
    w->cut = 0;
    if (w->count == 0)
        return; /* an empty line says nothing */
    memcpy(keep, w->line, w->count + 1);
    w->count = 0;
    w->lines++;
    tell(context, keep);
}

void dq_words_add(struct dq_words *w, const char *text, size_t count,
                  void (*tell)(void *context, const char *line), void *context)
{
    for (size_t i = 0; i < count; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c == '\n')
            end_line(w, tell, context);
        else if (w->count < DQ_WORDS_LINE - 1 && !w->cut)
            w->line[w->count++] = c < ' ' || c == 127 ? ' ' : (char)c;
        else
            w->cut = 1;
    }
}

void dq_words_end(struct dq_words *w,
                  void (*tell)(void *context, const char *line), void *context)
{
    end_line(w, tell, context);
}

void dq_words_last(const struct dq_words *w, char *text, size_t size)
{
    unsigned first = w->lines > DQ_WORDS_KEPT ? w->lines - DQ_WORDS_KEPT : 0;
    size_t used = 0;

    text[0] = '\0';
    for (unsigned i = first; i < w->lines && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%.300s",
                                 i > first ? " | " : "",
                                 w->last[i % DQ_WORDS_KEPT]);
}
