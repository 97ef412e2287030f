#include "infer/backend.h"

#include <stdio.h>
#include <string.h>

#if DQ_TORCH
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

const struct dq_backend *dq_backend_find(const char *runtime,
                                         struct dq_err *err)
{
    char list[128] = "";

    for (int i = 0; i < BUILT_IN; i++) {
        size_t used = strlen(list);

        if (strcmp(built_in[i].runtime, runtime) == 0)
            return built_in[i].load(err);
        snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "",
                 built_in[i].runtime);
    }
    dq_fail(err, DQ_MODEL,
            "its runtime '%.60s' is not built in; this program has %s", runtime,
            list);
    return NULL;
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
