#include "daemon/worker_check.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#if DQ_TORCH
#include "infer/torch_shim.h"
#endif

#if DQ_TORCH
static json_t *look_at_torch(int *cuda, struct dq_err *err)
{
    if (dq_torch_backend(err))
        *cuda = dq_torch_cuda_devices();
    return json_string(dq_torch_version());
}
#else
static json_t *look_at_torch(int *cuda, struct dq_err *err)
{
    (void)cuda;
    (void)err;
    return json_null();
}
#endif

static void look_for_device(const char *name, int cuda, struct dq_err *err)
{
    long number = 0;

    if (strncmp(name, "cuda:", 5) == 0 &&
        (dq_text_long(name + 5, &number) || number >= cuda))
        dq_fail(err, DQ_DEVICE,
                "there is no device '%s': libtorch sees %d CUDA devices", name,
                cuda);
}

int dq_worker_check(const struct dq_device *device)
{
    struct dq_err err = {0};
    char class[256], *text;
    int cuda = 0, written;
    json_t *torch = look_at_torch(&cuda, &err), *told;

    if (!err.code)
        look_for_device(device->name, cuda, &err);
    dq_backend_execution_class(device, class, sizeof class);
    told = json_pack(
        "{s:s, s:o, s:s, s:s, s:i, s:s, s:s}", "version", DQ_VERSION, "torch",
        torch, "device", device->name, "execution", class, "cuda", cuda, "code",
        dq_code_name(err.code), "text", dq_text_harmless(err.text, '?'));
    text = dq_json_text(told);
    written = puts(text) >= 0 && fflush(stdout) == 0;
    free(text);
    json_decref(told);
    return written ? DQ_OK : DQ_IO;
}
