/* A request's path against a route's pattern. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "daemon/api_private.h"

static int take_number(const char *piece, size_t bytes, int64_t *number)
{
    char text[24] = "";
    long value = 0;

    if (bytes == 0 || bytes >= sizeof text)
        return 0;
    memcpy(text, piece, bytes);
    if (dq_text_long(text, &value))
        return 0;
    *number = value;
    return 1;
}

/* A frame, or a kind of task that has none. */
static int take_frame(struct dq_call *c, const char *piece, size_t bytes)
{
    char *word = dq_strndup(piece, bytes);
    int kind = dq_task_kind_from_name(word);

    free(word);
    c->kind = DQ_TASK_RENDER;
    c->frame = 0;
    if (kind < 0)
        return take_number(piece, bytes, &c->frame);
    c->kind = (enum dq_task_kind)kind;
    return !dq_task_has_frame(c->kind);
}

/* One piece of the path against one of the pattern. */
static int fits_piece(struct dq_call *c, const char *pattern, size_t wanted,
                      const char *piece, size_t bytes)
{
    if (strncmp(pattern, "{job}", wanted) == 0)
        return take_number(piece, bytes, &c->job);
    if (strncmp(pattern, "{worker}", wanted) == 0)
        return take_number(piece, bytes, &c->worker);
    if (strncmp(pattern, "{frame}", wanted) == 0)
        return take_frame(c, piece, bytes);
    c->word = piece;
    return wanted == bytes && memcmp(pattern, piece, bytes) == 0;
}

int dq_call_fits(struct dq_call *c, const char *pattern, const char *path)
{
    while (*pattern == '/' && *path == '/') {
        size_t wanted = strcspn(++pattern, "/"), bytes = strcspn(++path, "/");

        if (!fits_piece(c, pattern, wanted, path, bytes))
            return 0;
        pattern += wanted;
        path += bytes;
    }
    return !*pattern && !*path;
}
