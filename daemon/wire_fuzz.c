/* Whatever bytes the other side sends: no crash, no endless loop, and what
 * was read and is said again means the same. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_back(char *line, struct dq_result *again)
{
    struct dq_bytes received = {0};
    struct dq_err err = {0};
    json_t *message;

    dq_bytes_text(&received, line);
    message = dq_wire_next(&received, &err);
    assert(message && !dq_wire_read_result(message, again, &err));
    json_decref(message);
    dq_bytes_free(&received);
    free(line);
}

static void try_result(const json_t *message)
{
    struct dq_result result, again;
    struct dq_err err = {0};

    if (dq_wire_read_result(message, &result, &err))
        return;
    read_back(dq_wire_result_line(&result), &again);
    assert(result.code == again.code && result.bytes == again.bytes);
    assert(strcmp(result.text, again.text) == 0);
    assert(strcmp(result.path, again.path) == 0);
}

static void try_all(const json_t *message)
{
    struct dq_wire_job job;
    struct dq_wire_hello hello;
    struct dq_wire_stage stage;
    struct dq_wire_note note;
    struct dq_task task;
    struct dq_err err = {0};

    dq_wire_read_job(message, &job, &err);
    dq_wire_job_free(&job);
    dq_wire_read_task(message, &task, &err);
    dq_wire_read_hello(message, &hello, &err);
    dq_wire_read_stage(message, &stage, &err);
    dq_wire_read_note(message, &note, &err);
    free(note.text);
    try_result(message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dq_bytes received = {0};
    struct dq_err err = {0};
    size_t half = size / 2;

    for (int part = 0; part < 2 && !err.code; part++) {
        json_t *message;

        dq_bytes_add(&received, part ? data + half : data,
                     part ? size - half : half);
        while ((message = dq_wire_next(&received, &err))) {
            try_all(message);
            json_decref(message);
        }
    }
    dq_bytes_free(&received);
    return 0;
}
