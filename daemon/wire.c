#include "daemon/wire.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/range.h"
#include "daemon/wire_text.h"

enum member_type { INT, REAL, TEXT, OWNED, KIND, CODE };

static const char *const words[DQ_MESSAGES] = {
#define DQ_MESSAGE(id, word, to, doc) word,
#include "daemon/messages.def"
};

/* A member of a message, and where it lies in the message's struct. */
static const struct member {
    enum dq_message message;
    enum member_type type;
    const char *key;
    size_t offset, size;
    int64_t low, high;
} members[] = {
#define DQ_MEMBER(id, of, key, type, member, low, high) \
    {DQ_MESSAGE_##id,                                   \
     type,                                              \
     key,                                               \
     offsetof(struct of, member),                       \
     sizeof(((struct of *)NULL)->member),               \
     low,                                               \
     high},
#include "daemon/messages.def"
};

enum { MEMBERS = sizeof members / sizeof *members };

int dq_wire_message(const json_t *message)
{
    const char *m = json_string_value(json_object_get(message, "m"));

    for (int i = 0; m && i < DQ_MESSAGES; i++)
        if (strcmp(words[i], m) == 0)
            return i;
    return -1;
}

/* ---- out -----------------------------------------------------------------*/

static int64_t int_at(const void *at, size_t size)
{
    int32_t narrow;
    int64_t wide;

    if (size == sizeof narrow) {
        memcpy(&narrow, at, sizeof narrow);
        return narrow;
    }
    assert(size == sizeof wide);
    memcpy(&wide, at, sizeof wide);
    return wide;
}

static json_t *text_value(const char *bytes)
{
    char *text = dq_wire_escape(bytes ? bytes : "");
    json_t *value = json_string(text);

    free(text);
    return value;
}

static json_t *value_of(const struct member *m, const void *from)
{
    const char *at = (const char *)from + m->offset;
    const char *owned;
    double real;

    switch (m->type) {
    case INT:
        return json_integer(int_at(at, m->size));
    case REAL:
        memcpy(&real, at, sizeof real);
        return isfinite(real) ? json_real(real) : json_null();
    case TEXT:
        return text_value(at);
    case OWNED:
        memcpy(&owned, at, sizeof owned);
        return text_value(owned);
    case KIND:
        return json_string(
            dq_task_kind_name((enum dq_task_kind)int_at(at, m->size)));
    case CODE:
        return json_string(dq_code_name((int)int_at(at, m->size)));
    }
    return NULL;
}

static char *line_of(enum dq_message message, const void *from)
{
    json_t *object = json_object();
    char *text, *line;

    json_object_set_new(object, "m", json_string(words[message]));
    for (size_t i = 0; i < MEMBERS; i++)
        if (members[i].message == message)
            json_object_set_new(object, members[i].key,
                                value_of(&members[i], from));
    text = dq_json_text(object);
    json_decref(object);
    line = dq_asprintf("%s\n", text);
    free(text);
    return line;
}

char *dq_wire_job_line(const struct dq_wire_job *job)
{
    return line_of(DQ_MESSAGE_JOB, job);
}

char *dq_wire_task_line(const struct dq_task *task)
{
    return line_of(DQ_MESSAGE_TASK, task);
}

char *dq_wire_drop_line(const struct dq_task *task)
{
    return line_of(DQ_MESSAGE_DROP, task);
}

char *dq_wire_forget_line(int64_t job)
{
    struct dq_wire_job message = {.job = job};

    return line_of(DQ_MESSAGE_FORGET, &message);
}

char *dq_wire_drain_line(void)
{
    return line_of(DQ_MESSAGE_DRAIN, NULL);
}

char *dq_wire_hello_line(const struct dq_wire_hello *hello)
{
    return line_of(DQ_MESSAGE_HELLO, hello);
}

char *dq_wire_stage_line(const struct dq_task *task, const char *stage)
{
    struct dq_wire_stage message = {.task = *task};
    size_t length = strnlen(stage, sizeof message.stage - 1);

    memcpy(message.stage, stage, length);
    return line_of(DQ_MESSAGE_STAGE, &message);
}

char *dq_wire_result_line(const struct dq_result *result)
{
    return line_of(DQ_MESSAGE_RESULT, result);
}

char *dq_wire_note_line(const char *text)
{
    struct dq_wire_note message = {.text = dq_strdup(text)};
    char *line = line_of(DQ_MESSAGE_NOTE, &message);

    free(message.text);
    return line;
}

/* ---- in ------------------------------------------------------------------*/

static void put_int(void *at, size_t size, int64_t value)
{
    int32_t narrow = (int32_t)value;

    if (size == sizeof narrow)
        memcpy(at, &narrow, sizeof narrow);
    else
        memcpy(at, &value, sizeof value);
}

static int read_int(const json_t *from, const struct member *m, void *at,
                    struct dq_err *err)
{
    int64_t value = 0;

    if (dq_json_int(from, m->key, m->low, m->high, &value, DQ_BUG, err))
        return err->code;
    put_int(at, m->size, value);
    return DQ_OK;
}

static int read_real(const json_t *from, const struct member *m, void *at,
                     struct dq_err *err)
{
    double value = NAN;

    if (!json_is_null(json_object_get(from, m->key)) &&
        dq_json_double(from, m->key, &value, DQ_BUG, err))
        return err->code;
    memcpy(at, &value, sizeof value);
    return DQ_OK;
}

static int read_text(const json_t *from, const struct member *m, void *at,
                     struct dq_err *err)
{
    const char *value = dq_json_string(from, m->key, DQ_BUG, err);
    char *bytes;

    if (!value)
        return err->code;
    bytes = dq_wire_unescape(value);
    if (m->type == OWNED) {
        memcpy(at, &bytes, sizeof bytes);
        return DQ_OK;
    }
    if (strlen(bytes) >= m->size)
        dq_fail(err, DQ_BUG, "%s: is longer than %zu bytes", m->key,
                m->size - 1);
    else
        memcpy(at, bytes, strlen(bytes) + 1);
    free(bytes);
    return err->code;
}

static int read_name(const json_t *from, const struct member *m, void *at,
                     struct dq_err *err)
{
    const char *value = dq_json_string(from, m->key, DQ_BUG, err);
    int number;

    if (!value)
        return err->code;
    number = m->type == KIND ? dq_task_kind_from_name(value)
                             : dq_code_from_name(value);
    if (number < 0)
        return dq_fail(err, DQ_BUG, "%s: '%.40s' is none", m->key, value);
    put_int(at, m->size, number);
    return DQ_OK;
}

static int read_member(const json_t *from, const struct member *m, void *to,
                       struct dq_err *err)
{
    void *at = (char *)to + m->offset;

    switch (m->type) {
    case INT:
        return read_int(from, m, at, err);
    case REAL:
        return read_real(from, m, at, err);
    case TEXT:
    case OWNED:
        return read_text(from, m, at, err);
    case KIND:
    case CODE:
        return read_name(from, m, at, err);
    }
    return DQ_OK;
}

/* to is zeroed; what is owned in it is the caller's, on failure too. */
static int read_message(const json_t *from, enum dq_message message, void *to,
                        struct dq_err *err)
{
    for (size_t i = 0; i < MEMBERS; i++)
        if (members[i].message == message &&
            read_member(from, &members[i], to, err))
            return dq_because(err, "message '%s'", words[message]);
    return DQ_OK;
}

int dq_wire_read_job(const json_t *message, struct dq_wire_job *job,
                     struct dq_err *err)
{
    memset(job, 0, sizeof *job);
    if (read_message(message, DQ_MESSAGE_JOB, job, err))
        dq_wire_job_free(job);
    return err->code;
}

int dq_wire_read_task(const json_t *message, struct dq_task *task,
                      struct dq_err *err)
{
    memset(task, 0, sizeof *task);
    return read_message(message, DQ_MESSAGE_TASK, task, err);
}

int dq_wire_read_hello(const json_t *message, struct dq_wire_hello *hello,
                       struct dq_err *err)
{
    memset(hello, 0, sizeof *hello);
    return read_message(message, DQ_MESSAGE_HELLO, hello, err);
}

int dq_wire_read_stage(const json_t *message, struct dq_wire_stage *stage,
                       struct dq_err *err)
{
    memset(stage, 0, sizeof *stage);
    return read_message(message, DQ_MESSAGE_STAGE, stage, err);
}

int dq_wire_read_result(const json_t *message, struct dq_result *result,
                        struct dq_err *err)
{
    memset(result, 0, sizeof *result);
    return read_message(message, DQ_MESSAGE_RESULT, result, err);
}

int dq_wire_read_note(const json_t *message, struct dq_wire_note *note,
                      struct dq_err *err)
{
    memset(note, 0, sizeof *note);
    return read_message(message, DQ_MESSAGE_NOTE, note, err);
}

void dq_wire_job_free(struct dq_wire_job *job)
{
    free(job->yaml);
    free(job->file);
    free(job->folder);
    free(job->frames);
    free(job->model_path);
    free(job->model_sha256);
    memset(job, 0, sizeof *job);
}

/* ---- lines ---------------------------------------------------------------*/

static json_t *parse_line(const char *line, size_t count, struct dq_err *err)
{
    json_t *message = dq_json_parse(line, count, DQ_WIRE_MAX, DQ_BUG, err);

    if (message && dq_wire_message(message) < 0) {
        dq_fail(err, DQ_BUG, "no message of ours: '%.*s'",
                (int)(count < 80 ? count : 80), line);
        json_decref(message);
        message = NULL;
    }
    return message;
}

json_t *dq_wire_next(struct dq_bytes *received, struct dq_err *err)
{
    char *end =
        received->count ? memchr(received->data, '\n', received->count) : NULL;
    size_t count = end ? (size_t)(end - received->data) : received->count;
    json_t *message = NULL;

    dq_err_clear(err);
    if (count >= DQ_WIRE_MAX) {
        dq_fail(err, DQ_BUG, "a line of more than %zu bytes", DQ_WIRE_MAX);
        received->count = 0; /* the conversation is over */
        return NULL;
    }
    if (!end)
        return NULL;
    message = parse_line(received->data, count, err);
    received->count -= count + 1;
    memmove(received->data, end + 1, received->count);
    return message;
}
