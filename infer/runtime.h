/* runtime: libraries of others that networks need, as Torch-TensorRT's do.
 *
 * A contract names a kind (`runtime`), never a file: which library that is, and
 * whether it is here at all, the site says in runtimes.yaml ($XDG_CONFIG_HOME/
 * depthq, ~/.config/depthq, else /etc/depthq), a map of kinds to absolute
 * paths:
 *
 *   torch_tensorrt: /opt/torch_tensorrt/lib/libtorchtrt_runtime.so
 *
 * The file and the library must be the user's own or root's, and not writable
 * by everyone. Read by the process that is about to load a network. Any thread.
 */
#ifndef DQ_INFER_RUNTIME_H
#define DQ_INFER_RUNTIME_H

#include "base/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The path of a kind's library; the caller frees. NULL with DQ_CONFIG: the
 * site names none, the file is wrong (with its line), or it or the library
 * could be another's doing. */
char *dq_runtime_library(const char *kind, struct dq_err *err);

#ifdef __cplusplus
}
#endif
#endif
