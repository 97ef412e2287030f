/* backend: a loaded network behind a small table of functions.
 *
 * torchscript and aoti (infer/torch_shim.h), fake (infer/backend_fake.c), and
 * kinds that a site has a library for (infer/runtime.h). A net is used by one
 * thread at a time.
 */
#ifndef DQ_INFER_BACKEND_H
#define DQ_INFER_BACKEND_H

#include <stddef.h>
#include "base/err.h"
#include "infer/model.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dq_net; /* opaque; each backend has its own */

struct dq_device {
    char name[32]; /* "cpu", "cuda:0" */
    int threads;   /* intra-op threads on the CPU; 0: the library's */
};

struct dq_backend {
    const char *runtime; /* the contract's `runtime` */

    /* Load a network from its artefact's bytes onto a device. Checks what it
     * can (it is a TorchScript archive; no baked device). DQ_MODEL,
     * DQ_DEVICE (absent or lost), DQ_MEMORY. */
    struct dq_net *(*open)(const struct dq_model *model, const void *bytes,
                           size_t count, const struct dq_device *device,
                           struct dq_err *err);

    /* One forward: in is batch x 3 x h x w float32 on the host (already in
     * the contract's channel order, range, mean and std); out receives
     * output_channels planes of batch x c x h x w float32. The answer's
     * shape is checked against the contract: DQ_MODEL tells what came.
     * DQ_MEMORY: the device's memory did not suffice for this batch (all of
     * its tensors are released, the cache is emptied, the net is usable).
     * DQ_DEVICE: it is lost; only a new process helps. DQ_ANSWER: the
     * network threw. NaN is passed on: the session looks. Fault points:
     * infer, infer.memory. */
    int (*run)(struct dq_net *net, const float *in, int batch, int h, int w,
               float *out, struct dq_err *err);

    void (*close)(struct dq_net *net); /* NULL is fine */

    /* Operators of its code that reach outside the network (files, other
     * machines), "aten::save aten::from_file", or "". A hint, no boundary.
     * NULL: the backend has none. Borrowed from the net. */
    const char *(*outside)(const struct dq_net *net);
};

/* The backend for a contract's runtime, its library loaded: what is built in,
 * or TorchScript after a library of the site's (infer/runtime.h). DQ_CONFIG: it
 * is not installed, or cannot be loaded. Any thread. */
const struct dq_backend *dq_backend_find(const char *runtime,
                                         struct dq_err *err);
extern const struct dq_backend dq_backend_fake;

/* The class of machine and library that decides bits: "cpu avx512 torch
 * 2.13.0 threads 2"; for the database and result files, never the EXR. */
void dq_backend_execution_class(const struct dq_device *device, char *text,
                                size_t room);

#ifdef __cplusplus
}
#endif
#endif
