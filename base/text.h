/* text: the words in messages. */
#ifndef DQ_BASE_TEXT_H
#define DQ_BASE_TEXT_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The candidate nearest to word by edits (with swaps of neighbours), if near
 * enough to be what was meant (at most a third of its length, at least 1);
 * else NULL. Borrowed from candidates. */
const char *dq_text_nearest(const char *word, const char *const *candidates,
                            size_t count);

/* Strict conversions of a whole text; 0 on success, -1 otherwise. No octal,
 * no hexadecimal, no infinity, no locale. */
int dq_text_long(const char *text, long *value);
int dq_text_double(const char *text, double *value);

/* "512M", "8G", "1.5GiB", plain bytes -> bytes; -1 when it is none. */
int dq_text_size(const char *text, size_t *bytes);

/* Bytes of the UTF-8 character that text begins with, 1 to 4; 0 where none
 * begins: a stray byte, an overlong form, a surrogate, a cut one. The final
 * zero counts as a character of 1. Never reads beyond it. */
size_t dq_text_character(const char *text);

/* Bytes of the control character that text begins with: C0, delete, or C1 (two
 * bytes of UTF-8); 0 for another. */
size_t dq_text_control(const char *text);

/* In place: what a terminal may take for a command, control characters and
 * bytes of no UTF-8 character, becomes `instead`. Returns text, which may have
 * become shorter. */
char *dq_text_harmless(char *text, char instead);

/* 1234567890 -> "1.1 GiB". */
void dq_size_text(double bytes, char text[16]);

#ifdef __cplusplus
}
#endif
#endif
