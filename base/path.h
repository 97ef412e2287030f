/* path: names of files, as text. No links are followed. Callers free. */
#ifndef DQ_BASE_PATH_H
#define DQ_BASE_PATH_H

#include "base/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* path as it is when absolute, else folder/path; "." pieces and doubled
 * slashes go, ".." stays (a link may lie before it). */
char *dq_path_join(const char *folder, const char *path);
/* From the working folder; still relative when that folder is gone. */
char *dq_path_absolute(const char *path);
char *dq_path_folder(const char *path);     /* "a/b.exr" -> "a"; "b" -> "." */
const char *dq_path_name(const char *path); /* borrowed: "b.exr" */

/* The shot's folder for an output pattern (absolute, #-form): `.depthq/
 * <file name of the pattern, '#' as '@'>` in the output folder. */
char *dq_shot_folder(const char *output_pattern);

/* A program or plugin of our own: <folder of this executable>/../libexec/
 * depthq/name, or beside this executable, or where a build's tests have it
 * (../../libexec/depthq), or, from libexec/depthq, in ../../bin. DQ_CONFIG
 * when it is not there. */
char *dq_path_libexec(const char *name, struct dq_err *err);

/* The site's or the user's file of that name that counts: $XDG_CONFIG_HOME/
 * depthq/name (~/.config), else /etc/depthq/name; NULL when there is none. */
char *dq_path_config(const char *name);

#ifdef __cplusplus
}
#endif
#endif
