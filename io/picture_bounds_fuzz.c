/* Whatever bytes a picture is: nothing is read beyond them, what is refused
 * says why, and what is whole stays whole with more behind it. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "io/picture_bounds.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int verdict(const uint8_t *data, size_t size, size_t more)
{
    struct dq_err err = {0};
    uint8_t *exactly = calloc(size + more ? size + more : 1, 1);
    int code;

    assert(exactly);
    if (size)
        memcpy(exactly, data, size);
    code = dq_picture_bounds(exactly, size + more, &err);
    assert(code == err.code && !code == !err.text[0]);
    free(exactly);
    return code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 16 && !verdict(data, size, 0))
        assert(!verdict(data, size, 64));
    else
        verdict(data, size, 0);
    return 0;
}
