#include "infer/backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if DQ_TORCH
#include "base/plugin.h"
#include "infer/runtime.h"
#include "infer/torch_shim.h"
#endif

static const struct dq_backend *fake(struct dq_err *err)
{
    (void)err;
    return &dq_backend_fake;
}

static const struct {
    const char *runtime;
    const struct dq_backend *(*load)(struct dq_err *err);
} built_in[] = {
#if DQ_TORCH
    {"torchscript", dq_torch_backend},
    {"aoti", dq_torch_packages},
#endif
    {"fake", fake},
};
enum { BUILT_IN = sizeof built_in / sizeof *built_in };

/* Any other kind is TorchScript for which a library has to be there first: it
 * finds our libtorch loaded, and registers its operators and classes there. */
static const struct dq_backend *foreign(const char *runtime, struct dq_err *err)
{
#if DQ_TORCH
    char *library = dq_runtime_library(runtime, err);
    const struct dq_backend *backend = library ? dq_torch_backend(err) : NULL;

    if (backend && dq_plugin_preload(library, err))
        backend = NULL;
    free(library);
    return backend;
#else
    (void)runtime;
    dq_fail(err, DQ_CONFIG, "this build has no torch");
    return NULL;
#endif
}

const struct dq_backend *dq_backend_find(const char *runtime,
                                         struct dq_err *err)
{
    const struct dq_backend *backend;
    char list[128] = "";

    for (int i = 0; i < BUILT_IN; i++) {
        size_t used = strlen(list);

        if (strcmp(built_in[i].runtime, runtime) == 0)
            return built_in[i].load(err);
        snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "",
                 built_in[i].runtime);
    }
    backend = foreign(runtime, err);
    if (!backend)
        dq_because(err, "its runtime '%.60s' is not built in as %s are",
                   runtime, list);
    return backend;
}

static const char *instruction_set(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f"))
        return "avx512";
    if (__builtin_cpu_supports("avx2"))
        return "avx2";
    return "x86-64";
#else
    return "generic";
#endif
}

void dq_backend_execution_class(const struct dq_device *device, char *text,
                                size_t room)
{
#if DQ_TORCH
    snprintf(text, room, "%s %s torch %s threads %d", device->name,
             instruction_set(), dq_torch_version(), device->threads);
#else
    snprintf(text, room, "%s %s no torch", device->name, instruction_set());
#endif
}
