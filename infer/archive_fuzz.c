/* Whatever a model file holds: what is found lies inside it. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "infer/archive.h"
#include "infer/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_contract(const char *path, const uint8_t *data, size_t size)
{
    struct dq_err err = {0};
    char *json = NULL;
    size_t count = 0;
    int code = dq_model_contract(path, data, size, &json, &count, &err);

    assert(code == err.code && !code == (json != NULL));
    if (json)
        dq_model_free(dq_model_parse(json, count, &err));
    free(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dq_err err = {0};
    const char *member;
    size_t bytes;

    if (!dq_archive_find(data, size, "extra/depthq.json", &member, &bytes,
                         &err) &&
        member) {
        const uint8_t *at = (const uint8_t *)member;

        assert(at >= data && bytes <= size && at <= data + (size - bytes));
    }
    try_contract("/nowhere/net.pt", data, size);
    try_contract("/nowhere/net.fake", data, size);
    return 0;
}
