/* torch_table: what the plugin libdq_torch.so shows (base/plugin.h).
 * infer/torch.c asks for it, infer/torch_shim.cc fills it.
 */
#ifndef DQ_INFER_TORCH_TABLE_H
#define DQ_INFER_TORCH_TABLE_H

#include "infer/backend.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DQ_TORCH_PLUGIN "libdq_torch.so"

struct dq_torch_table {
    const struct dq_backend *backend;  /* TorchScript */
    const struct dq_backend *packages; /* of AOTInductor */

    /* Once, before all else: the plugin's own log and fault points. */
    void (*start)(void);

    int (*cuda_devices)(void);
};

#ifdef __cplusplus
}
#endif
#endif
