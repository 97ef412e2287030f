/* worker_check: could this worker work? `depthq-worker --check`, for depthq
 * doctor: libtorch is loaded and the device looked for, and nothing is made. */
#ifndef DQ_DAEMON_WORKER_CHECK_H
#define DQ_DAEMON_WORKER_CHECK_H

#include "infer/backend.h"

/* One line of JSON on standard output: {"version", "torch" (a release, or null
 * in a build without), "device", "execution", "cuda" (how many CUDA devices
 * libtorch sees), "code", "text"}. The last two are of what is wrong: OK;
 * CONFIG, libtorch cannot be loaded; DEVICE, the device is not there. Main
 * thread, before all others. Returns whether the line could be written. */
int dq_worker_check(const struct dq_device *device);

#endif
