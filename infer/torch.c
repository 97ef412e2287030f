/* torch: libtorch on demand. It takes half a second and 400 MB of address
 * space to load, which networks of other kinds, --help and a wrong argument
 * need not pay, and it reads its environment while it is loaded: so it comes
 * after dq_torch_process_setup, not before main.
 */
#include "infer/torch_shim.h"

#if DQ_TORCH

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/plugin.h"
#include "infer/torch_table.h"

const char *dq_torch_version(void)
{
    return DQ_TORCH_VERSION;
}

static const struct dq_torch_table *table(struct dq_err *err)
{
    static pthread_mutex_t loading = PTHREAD_MUTEX_INITIALIZER;
    static const struct dq_torch_table *loaded;
    const struct dq_torch_table *t;

    pthread_mutex_lock(&loading);
    if (!loaded) {
        loaded = dq_plugin_load(DQ_TORCH_PLUGIN, "dq_torch_table", err);
        if (loaded)
            loaded->start();
    }
    t = loaded;
    pthread_mutex_unlock(&loading);
    return t;
}

const struct dq_backend *dq_torch_backend(struct dq_err *err)
{
    const struct dq_torch_table *t = table(err);

    return t ? t->backend : NULL;
}

const struct dq_backend *dq_torch_packages(struct dq_err *err)
{
    const struct dq_torch_table *t = table(err);

    return t ? t->packages : NULL;
}

/* NVIDIA's driver, the same inside WSL, and AMD's: libtorch calls all "cuda".
 * Where none is there, no library needs to look. */
static int has_driver(void)
{
    static const char *const nodes[] = {"/dev/nvidiactl", "/dev/dxg",
                                        "/dev/kfd"};

    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++)
        if (access(nodes[i], F_OK) == 0)
            return 1;
    return 0;
}

int dq_torch_cuda_devices(void)
{
    struct dq_err err = {0};
    const struct dq_torch_table *t = has_driver() ? table(&err) : NULL;

    return t ? t->cuda_devices() : 0;
}

void dq_torch_process_setup(void)
{
    static const char *const changes_pixels[] = {
        "ONEDNN_DEFAULT_FPMATH_MODE", "DNNL_DEFAULT_FPMATH_MODE",
        "NVIDIA_TF32_OVERRIDE", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE"};

    for (size_t i = 0; i < sizeof changes_pixels / sizeof *changes_pixels; i++)
        unsetenv(changes_pixels[i]);
    /* cuBLAS is only deterministic with a workspace of its own. */
    setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0);
    /* Without it a package reads beyond a picture that its contract gave the
     * wrong size. */
    setenv("AOTI_RUNTIME_CHECK_INPUTS", "1", 1);
    /* One arena: what one thread has freed another can use again. With an
     * arena a thread the peak crept up with the number of frames. */
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_TRIM_THRESHOLD, -1); /* never */
    mallopt(M_TOP_PAD, 256 << 20);
}

#endif
