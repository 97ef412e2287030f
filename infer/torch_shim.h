/* torch_shim: what a process that runs networks asks of libtorch, beside the
 * backend (dq_backend_torchscript, infer/backend.h).
 */
#ifndef DQ_INFER_TORCH_SHIM_H
#define DQ_INFER_TORCH_SHIM_H

#ifdef __cplusplus
extern "C" {
#endif

/* "2.13.0", the release it was compiled for. Static. */
const char *dq_torch_version(void);

/* CUDA devices that this process sees; 0 without CUDA or its driver. Touches
 * the driver: never fork after it. */
int dq_torch_cuda_devices(void);

/* Settle allocator and environment of a process that will run networks: glibc
 * keeps freed memory (a forward returns and faults in tens of MB otherwise),
 * and variables that would change pixels are taken out. Call once, first in
 * main: before threads start and before anything else here. */
void dq_torch_process_setup(void);

#ifdef __cplusplus
}
#endif
#endif
