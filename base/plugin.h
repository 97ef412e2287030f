/* plugin: a heavy library behind a small table, loaded when it is first
 * needed and kept until the process ends.
 *
 * libtorch and OpenImageIO take most of a second to load. What links them is a
 * shared object beside our programs, which shows nothing but one table; the
 * programs themselves start in milliseconds. A plugin has copies of its own
 * of what it uses of base/ and io/: it shares no state with the program.
 */
#ifndef DQ_BASE_PLUGIN_H
#define DQ_BASE_PLUGIN_H

#include "base/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What `file` (found as dq_path_libexec finds a program) shows as `table`.
 * DQ_CONFIG with the loader's words: it is not installed, or a library that
 * it needs is not. Any thread; loaded again it is the same. */
const void *dq_plugin_load(const char *file, const char *table,
                           struct dq_err *err);

/* Load a library of somebody else's, for what it registers by being loaded.
 * path is absolute. DQ_CONFIG with the loader's words. Any thread; again it
 * is nothing. */
int dq_plugin_preload(const char *path, struct dq_err *err);

#ifdef __cplusplus
}
#endif
#endif
