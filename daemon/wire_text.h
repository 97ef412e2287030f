/* wire_text: any bytes as text that JSON can carry, and back.
 *
 * Paths and messages are bytes, JSON is UTF-8. A byte that is no part of a
 * character (and every byte of the characters used for this) becomes the
 * character U+EF00 + byte, from the private area. Reading undoes it exactly,
 * so a Latin-1 path arrives as it was. Any thread.
 */
#ifndef DQ_DAEMON_WIRE_TEXT_H
#define DQ_DAEMON_WIRE_TEXT_H

/* Valid UTF-8 for any zero-terminated bytes. The caller frees. */
char *dq_wire_escape(const char *bytes);

/* The bytes that were escaped. The caller frees. */
char *dq_wire_unescape(const char *text);

#endif
