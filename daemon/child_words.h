/* child_words: what a worker prints, cut into lines; the last few are kept
 * for its obituary. One thread. */
#ifndef DQ_DAEMON_CHILD_WORDS_H
#define DQ_DAEMON_CHILD_WORDS_H

#include <stddef.h>

enum { DQ_WORDS_LINE = 2048, DQ_WORDS_KEPT = 3 };

/* Zero-initialise. Nothing in it needs to be freed. */
struct dq_words {
    char line[DQ_WORDS_LINE]; /* the one that has not ended yet */
    size_t count;
    int cut; /* the rest of an over-long line is being dropped */
    char last[DQ_WORDS_KEPT][DQ_WORDS_LINE];
    unsigned lines; /* seen in all */
};

/* Take in what was read; every line that ends is told, without its newline,
 * control characters as spaces, cut at DQ_WORDS_LINE - 1 bytes. */
void dq_words_add(struct dq_words *words, const char *text, size_t count,
                  void (*tell)(void *context, const char *line), void *context);
/* There is no more: a line without an end is one too. */
void dq_words_end(struct dq_words *words,
                  void (*tell)(void *context, const char *line), void *context);

/* The last lines, oldest first, " | " between them, "" for none. */
void dq_words_last(const struct dq_words *words, char *text, size_t size);

#endif
