/* log: one line an event on stderr, `key=value` words or JSON.
 *
 *   dq_log_info("frame settled", "frame", "1007", "state", "done");
 *
 * A line is written with one write(2), so lines of several threads never
 * mix. Control characters are escaped; a field is cut at 1 KiB. Any thread.
 */
#ifndef DQ_BASE_LOG_H
#define DQ_BASE_LOG_H

#ifdef __cplusplus
extern "C" {
#endif

enum dq_log_level { DQ_LOG_ERROR, DQ_LOG_WARN, DQ_LOG_INFO, DQ_LOG_DEBUG };
enum dq_log_form { DQ_LOG_TEXT, DQ_LOG_JSON };

/* Choose level and form for the process; call before threads start. The
 * default is WARN as text. who (static) is put first in every line. */
void dq_log_setup(const char *who, enum dq_log_level level,
                  enum dq_log_form form);

/* An event: a constant sentence, then key, value pairs of C strings, ended
 * by NULL. A NULL value leaves the pair out. */
void dq_log(enum dq_log_level level, const char *event, ...)
    __attribute__((sentinel));

#define dq_log_error(...) dq_log(DQ_LOG_ERROR, __VA_ARGS__, (char *)0)
#define dq_log_warn(...) dq_log(DQ_LOG_WARN, __VA_ARGS__, (char *)0)
#define dq_log_info(...) dq_log(DQ_LOG_INFO, __VA_ARGS__, (char *)0)
#define dq_log_debug(...) dq_log(DQ_LOG_DEBUG, __VA_ARGS__, (char *)0)

#ifdef __cplusplus
}
#endif
#endif
