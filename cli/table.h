/* table: rows of words in columns, for people. Pure: text in, text out.
 *
 *   JOB  NAME          STATE   DONE
 *    12  sh010_depth   active  57/240
 *
 * Columns are as wide as their widest word, in characters of UTF-8; control
 * characters come out as '?'. One thread.
 */
#ifndef DQ_CLI_TABLE_H
#define DQ_CLI_TABLE_H

#ifdef __cplusplus
extern "C" {
#endif

struct dq_table;

/* heads ends with NULL; one that begins with '>' is of a column that is
 * aligned to the right. Words are copied. */
struct dq_table *dq_table_new(const char *const *heads);
void dq_table_free(struct dq_table *t); /* NULL is fine */

/* One row, as many words as there are heads. */
void dq_table_add(struct dq_table *t, const char *const *words);

/* All of it, a line a row; no blanks at the ends of lines. Caller frees. */
char *dq_table_text(const struct dq_table *t);

#ifdef __cplusplus
}
#endif
#endif
