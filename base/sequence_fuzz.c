/* Whatever text a pattern is: no crash; what is accepted gives a path for
 * every frame, each its own, and its canonical text means the same. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sequence.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int32_t frames[] = {INT32_MIN, -1001, -1, 0, 1, 1001, INT32_MAX};
enum { FRAMES = sizeof frames / sizeof *frames };

static void check_paths(const struct dq_sequence *seq)
{
    char *paths[FRAMES];

    for (int i = 0; i < FRAMES; i++) {
        paths[i] = dq_sequence_path(seq, frames[i]);
        assert(strncmp(paths[i], seq->prefix, strlen(seq->prefix)) == 0);
        assert(!strstr(paths[i], "/./") && !strstr(paths[i], "//"));
        for (int j = 0; j < i; j++)
            assert((strcmp(paths[i], paths[j]) == 0) == (seq->digits == 0));
    }
    for (int i = 0; i < FRAMES; i++)
        free(paths[i]);
}

/* The folder that is given is absolute and holds no mark, so the canonical
 * text is a pattern too. */
static void check_text(const struct dq_sequence *seq)
{
    struct dq_sequence again = {0};
    struct dq_err err = {0};
    char *text = dq_sequence_text(seq), *folder = dq_sequence_folder(seq);

    assert(strncmp(text, folder, strlen(folder)) == 0);
    assert(text[0] == '/');
    assert(dq_sequence_parse(text, NULL, &again, &err) == DQ_OK);
    assert(strcmp(again.prefix, seq->prefix) == 0);
    assert(strcmp(again.suffix, seq->suffix) == 0);
    assert(again.digits == seq->digits);
    dq_sequence_free(&again);
    free(text);
    free(folder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *pattern = dq_strndup((const char *)data, size);
    struct dq_sequence seq = {0};
    struct dq_err err = {0};

    if (dq_sequence_parse(pattern, "/jobs", &seq, &err)) {
        assert(err.code == DQ_SPEC && *err.text);
        assert(!seq.prefix && !seq.suffix);
    } else {
        assert(seq.digits >= 0 && seq.digits <= 10);
        check_paths(&seq);
        check_text(&seq);
    }
    dq_sequence_free(&seq);
    free(pattern);
    return 0;
}
