#include "cli/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/text.h"

struct dq_table {
    size_t columns, rows; /* rows: with the heads */
    char **words;         /* row by row */
    char *right;          /* a column is aligned to the right */
};

void dq_table_add(struct dq_table *t, const char *const *words)
{
    t->words = dq_grow(t->words, (t->rows + 1) * t->columns, sizeof *t->words);
    for (size_t i = 0; i < t->columns; i++)
        t->words[t->rows * t->columns + i] =
            dq_text_harmless(dq_strdup(words[i]), '?');
    t->rows++;
}

struct dq_table *dq_table_new(const char *const *heads)
{
    struct dq_table *t = dq_new(sizeof *t);
    const char **words;

    while (heads[t->columns])
        t->columns++;
    t->right = dq_new(t->columns);
    words = dq_new_array(t->columns, sizeof *words);
    for (size_t i = 0; i < t->columns; i++) {
        t->right[i] = *heads[i] == '>';
        words[i] = heads[i] + t->right[i];
    }
    dq_table_add(t, words);
    free(words);
    return t;
}

void dq_table_free(struct dq_table *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->rows * t->columns; i++)
        free(t->words[i]);
    free(t->words);
    free(t->right);
    free(t);
}

/* ---- text ----------------------------------------------------------------*/

static size_t characters(const char *text)
{
    size_t count = 0;

    while (*text) {
        size_t n = dq_text_character(text);

        text += n ? n : 1;
        count++;
    }
    return count;
}

static size_t width_of(const struct dq_table *t, size_t column)
{
    size_t width = 0;

    for (size_t row = 0; row < t->rows; row++) {
        size_t n = characters(t->words[row * t->columns + column]);

        width = n > width ? n : width;
    }
    return width;
}

static void add_blanks(struct dq_bytes *out, size_t count)
{
    while (count--)
        dq_bytes_text(out, " ");
}

static void add_row(const struct dq_table *t, size_t row, const size_t *widths,
                    struct dq_bytes *out)
{
    for (size_t i = 0; i < t->columns; i++) {
        const char *word = t->words[row * t->columns + i];
        size_t blanks = widths[i] - characters(word);

        add_blanks(out, (i ? 2 : 0) + (t->right[i] ? blanks : 0));
        dq_bytes_text(out, word);
        add_blanks(out, t->right[i] ? 0 : blanks);
    }
    while (out->count && out->data[out->count - 1] == ' ')
        out->count--;
    dq_bytes_text(out, "\n");
}

char *dq_table_text(const struct dq_table *t)
{
    size_t *widths = dq_new_array(t->columns, sizeof *widths);
    struct dq_bytes out = {0};

    for (size_t i = 0; i < t->columns; i++)
        widths[i] = width_of(t, i);
    for (size_t row = 0; row < t->rows; row++)
        add_row(t, row, widths, &out);
    free(widths);
    return out.data;
}
