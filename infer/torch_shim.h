/* torch_shim: libtorch as a program that runs networks sees it. It is loaded
 * (infer/torch.c, the plugin libdq_torch.so) by the first call that needs it:
 * a worker whose network is none of torch's never does. Only in builds with
 * TORCH=1 (DQ_TORCH).
 */
#ifndef DQ_INFER_TORCH_SHIM_H
#define DQ_INFER_TORCH_SHIM_H

#include "infer/backend.h"

#ifdef __cplusplus
extern "C" {
#endif

/* "2.13.0", the release it was compiled for. Static; loads nothing. */
const char *dq_torch_version(void);

/* The backends of TorchScript networks and of AOTInductor's packages; load
 * libtorch. DQ_CONFIG when that cannot be loaded. Any thread. */
const struct dq_backend *dq_torch_backend(struct dq_err *err);
const struct dq_backend *dq_torch_packages(struct dq_err *err);

/* CUDA devices that this process sees; 0 without CUDA or its driver, or when
 * libtorch cannot be loaded. Loads libtorch where there is a driver, and
 * touches that: never fork after it. */
int dq_torch_cuda_devices(void);

/* Settle allocator and environment of a process that will run networks: glibc
 * keeps freed memory (a forward returns and faults in tens of MB otherwise),
 * and variables that would change pixels are taken out before libtorch reads
 * them. Call once, first in main: before threads start and before anything
 * else here. */
void dq_torch_process_setup(void);

#ifdef __cplusplus
}
#endif
#endif
