/* Whatever text a frame list is: no crash, no boundless list; what is
 * accepted is sorted, without duplicates, and reads back from its own text. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/range.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_range(const struct dq_range *range)
{
    assert(range->count >= 1 && range->count <= DQ_RANGE_MAX);
    for (size_t i = 0; i < range->count; i++) {
        assert(range->frames[i] >= -DQ_FRAME_LIMIT);
        assert(range->frames[i] <= DQ_FRAME_LIMIT);
        assert(!i || range->frames[i] > range->frames[i - 1]);
    }
    assert(dq_range_find(range, range->frames[range->count / 2]) ==
           (long)(range->count / 2));
    assert(dq_range_missing(range, range) == NULL);
}

static void check_round_trip(const struct dq_range *range)
{
    struct dq_range again = {0};
    struct dq_err err = {0};
    char *text = dq_range_text(range), *twice;

    assert(dq_range_parse(text, &again, &err) == DQ_OK);
    assert(again.count == range->count);
    assert(memcmp(again.frames, range->frames,
                  range->count * sizeof *range->frames) == 0);
    twice = dq_range_text(&again);
    assert(strcmp(text, twice) == 0);
    free(twice);
    free(text);
    dq_range_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = dq_strndup((const char *)data, size);
    struct dq_range range = {0};
    struct dq_err err = {0};

    if (dq_range_parse(text, &range, &err)) {
        assert(err.code == DQ_SPEC && *err.text);
        assert(!range.frames && !range.count);
    } else {
        assert(err.code == DQ_OK);
        check_range(&range);
        check_round_trip(&range);
    }
    dq_range_free(&range);
    free(text);
    return 0;
}
