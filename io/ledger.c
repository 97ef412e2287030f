#include "io/ledger.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fault.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/publish.h"
#include "base/sequence.h"
#include "io/ledger_quick.h"

/* A line has some 800 bytes: earlier versions beyond 60 or so are cut. */
enum { LEDGER_FORMAT = 1, RECORD_LIMIT = 64 * 1024, KEPT = 48 * 1024 };

static char *record_path(const char *shot_folder, int32_t frame)
{
    return dq_asprintf("%s/done/%" PRId32 ".json", shot_folder, frame);
}

/* ---- a line ---------------------------------------------------------------*/

static int read_digest(const json_t *from, const char *key, char *hex,
                       struct dq_err *err)
{
    const char *text = dq_json_string(from, key, DQ_MISSING, err);

    if (!text)
        return err->code;
    if (strlen(text) != DQ_SHA256_HEX - 1)
        return dq_fail(err, DQ_MISSING, "%s: is no SHA-256", key);
    memcpy(hex, text, DQ_SHA256_HEX);
    return DQ_OK;
}

static int read_mark(const json_t *record, const char *key,
                     struct dq_file_mark *mark, struct dq_err *err)
{
    const json_t *from = json_object_get(record, key);

    if (!json_is_object(from))
        return dq_fail(err, DQ_MISSING, "%s: is missing", key);
    if (dq_json_int(from, "bytes", 0, INT64_MAX, &mark->bytes, DQ_MISSING,
                    err) ||
        dq_json_int(from, "mtime_ns", INT64_MIN, INT64_MAX, &mark->mtime_ns,
                    DQ_MISSING, err) ||
        read_digest(from, "sha256", mark->sha256, err))
        return dq_because(err, "%s", key);
    return DQ_OK;
}

static void read_text(const json_t *from, const char *key, char *text,
                      size_t room)
{
    const char *found = json_string_value(json_object_get(from, key));

    snprintf(text, room, "%s", found ? found : "");
}

/* For people alone, and absent in old records: what is odd is not known. */
static void read_made(const json_t *record, struct dq_made *made)
{
    const json_t *from = json_object_get(record, "made");
    json_int_t attempt = json_integer_value(json_object_get(from, "attempt"));

    read_text(from, "when", made->when, sizeof made->when);
    read_text(from, "model", made->model, sizeof made->model);
    read_text(from, "model_sha256", made->model_sha256,
              sizeof made->model_sha256);
    read_text(from, "suspect", made->suspect, sizeof made->suspect);
    read_text(from, "host", made->host, sizeof made->host);
    read_text(from, "device", made->device, sizeof made->device);
    made->attempt = attempt > 0 && attempt < INT32_MAX ? (int)attempt : 0;
}

static int read_record(const json_t *record, struct dq_done *done,
                       struct dq_err *err)
{
    int64_t format = 0;

    if (dq_json_int(record, "depthq_done", LEDGER_FORMAT, LEDGER_FORMAT,
                    &format, DQ_MISSING, err))
        return err->code;
    if (read_digest(record, "fingerprint", done->fingerprint, err))
        return err->code;
    if (read_mark(record, "output", &done->output, err) ||
        read_mark(record, "plate", &done->plate, err))
        return err->code;
    read_made(record, &done->made);
    return DQ_OK;
}

/* Bytes of the line that text begins with, its end not counted. */
static size_t line_length(const char *text, size_t bytes)
{
    const char *end = memchr(text, '\n', bytes);

    return end ? (size_t)(end - text) : bytes;
}

static int read_line(const char *text, size_t bytes, int32_t frame,
                     struct dq_done *done, struct dq_err *err)
{
    json_t *record;

    memset(done, 0, sizeof *done);
    done->frame = frame;
    record = dq_json_parse(text, bytes, RECORD_LIMIT, DQ_MISSING, err);
    if (record)
        read_record(record, done, err);
    json_decref(record);
    return err->code;
}

/* ---- reading --------------------------------------------------------------*/

static int read_bytes(const char *path, struct dq_bytes *bytes,
                      struct dq_err *err)
{
    if (dq_bytes_read_file(bytes, path, RECORD_LIMIT, DQ_MISSING, err))
        return err->code = DQ_MISSING;
    return DQ_OK;
}

static int read_first(const struct dq_bytes *bytes, int32_t frame,
                      struct dq_done *done, struct dq_err *err)
{
    return read_line(bytes->data, line_length(bytes->data, bytes->count), frame,
                     done, err);
}

int dq_ledger_read(const char *shot_folder, int32_t frame, struct dq_done *done,
                   struct dq_err *err)
{
    struct dq_bytes bytes = {0};
    struct dq_err own = {0};
    char *path = record_path(shot_folder, frame);

    memset(done, 0, sizeof *done);
    done->frame = frame;
    if (!read_bytes(path, &bytes, &own) &&
        !dq_ledger_quick(bytes.data, line_length(bytes.data, bytes.count),
                         done) &&
        read_first(&bytes, frame, done, &own))
        dq_because(&own, "%s", path);
    memset(&done->made, 0, sizeof done->made);
    dq_bytes_free(&bytes);
    free(path);
    if (own.code && err)
        *err = own;
    return own.code;
}

/* Every line that can be read. */
static void read_lines(const struct dq_bytes *bytes, int32_t frame,
                       struct dq_done **versions, size_t *count)
{
    for (size_t at = 0; at < bytes->count;) {
        size_t length = line_length(bytes->data + at, bytes->count - at);
        struct dq_err ignored = {0};

        *versions = dq_grow(*versions, *count + 1, sizeof **versions);
        if (!read_line(bytes->data + at, length, frame, &(*versions)[*count],
                       &ignored))
            ++*count;
        at += length + 1;
    }
}

int dq_ledger_history(const char *shot_folder, int32_t frame,
                      struct dq_done **versions, size_t *count,
                      struct dq_err *err)
{
    struct dq_bytes bytes = {0};
    struct dq_err own = {0};
    struct dq_done first;
    char *path = record_path(shot_folder, frame);

    *versions = NULL;
    *count = 0;
    if (!read_bytes(path, &bytes, &own)) {
        if (read_first(&bytes, frame, &first, &own))
            dq_because(&own, "%s", path);
        else
            read_lines(&bytes, frame, versions, count);
    }
    dq_bytes_free(&bytes);
    free(path);
    if (own.code && err)
        *err = own;
    return own.code;
}

int dq_ledger_frames(const char *shot_folder, struct dq_range *frames,
                     struct dq_err *err)
{
    struct dq_sequence records = {.digits = 1};
    char *folder = dq_asprintf("%s/done", shot_folder);
    struct dq_err own = {0};

    records.prefix = dq_asprintf("%s/", folder);
    records.suffix = dq_strdup(".json");
    memset(frames, 0, sizeof *frames);
    if (dq_sequence_scan(&records, frames, &own) == DQ_MISSING)
        dq_err_clear(&own);
    dq_sequence_free(&records);
    free(folder);
    if (own.code && err)
        *err = own;
    return own.code;
}

/* ---- writing --------------------------------------------------------------*/

static json_t *mark_json(const struct dq_file_mark *mark)
{
    return json_pack("{s:I, s:I, s:s}", "bytes", (json_int_t)mark->bytes,
                     "mtime_ns", (json_int_t)mark->mtime_ns, "sha256",
                     mark->sha256);
}

/* A text that is not UTF-8 is left out (jansson refuses it). */
static void put_text(json_t *to, const char *key, const char *text)
{
    if (*text)
        json_object_set_new(to, key, json_string(text));
}

static json_t *made_json(const struct dq_made *made)
{
    json_t *o = json_object();

    put_text(o, "when", made->when);
    put_text(o, "model", made->model);
    put_text(o, "model_sha256", made->model_sha256);
    put_text(o, "suspect", made->suspect);
    put_text(o, "host", made->host);
    put_text(o, "device", made->device);
    if (made->attempt)
        json_object_set_new(o, "attempt", json_integer(made->attempt));
    return o;
}

static char *record_text(const struct dq_done *done)
{
    json_t *record = json_pack(
        "{s:i, s:i, s:s, s:o, s:o, s:o}", "depthq_done", LEDGER_FORMAT, "frame",
        (int)done->frame, "fingerprint", done->fingerprint, "output",
        mark_json(&done->output), "plate", mark_json(&done->plate), "made",
        made_json(&done->made));
    char *text = dq_json_text(record);

    json_decref(record);
    return text;
}

static int same_version(const struct dq_done *a, const struct dq_done *b)
{
    return strcmp(a->fingerprint, b->fingerprint) == 0 &&
           strcmp(a->output.sha256, b->output.sha256) == 0;
}

static void prefer(char *to, const char *from, size_t room)
{
    if (*from)
        memcpy(to, from, room);
}

/* A version's making is what it was at first, as far as that was noted. */
static void keep_making(struct dq_made *to, const struct dq_done *before)
{
    const struct dq_made *from = &before->made;

    prefer(to->model, from->model, sizeof to->model);
    prefer(to->model_sha256, from->model_sha256, sizeof to->model_sha256);
    prefer(to->suspect, from->suspect, sizeof to->suspect);
    if (*from->host) { /* these three belong together */
        memcpy(to->host, from->host, sizeof to->host);
        memcpy(to->device, from->device, sizeof to->device);
        to->attempt = from->attempt;
    }
    if (*from->when)
        memcpy(to->when, from->when, sizeof to->when);
    else
        dq_clock_utc_of(before->output.mtime_ns, to->when);
}

/* Lines of earlier versions, as many as are kept, whole. */
static void add_lines(struct dq_bytes *to, const char *at, size_t bytes)
{
    while (bytes > 0) {
        size_t length = line_length(at, bytes);
        size_t whole = length + (length < bytes);

        if (to->count + length + 1 > KEPT)
            return;
        if (length) {
            dq_bytes_add(to, at, length);
            dq_bytes_text(to, "\n");
        }
        at += whole;
        bytes -= whole;
    }
}

/* What path is to hold: a line for done, and its earlier versions. The first
 * note of a frame reads nothing. */
static void compose(const char *path, const struct dq_done *done,
                    struct dq_bytes *text)
{
    struct dq_bytes old = {0};
    struct dq_err ignored = {0};
    struct dq_done before = {0}, now = *done;
    size_t skipped = 0;
    char *line;
    int has_old = access(path, F_OK) == 0 &&
                  !read_bytes(path, &old, &ignored) &&
                  !read_first(&old, done->frame, &before, &ignored);

    dq_clock_utc_of(done->output.mtime_ns, now.made.when);
    if (has_old && same_version(&before, done)) {
        keep_making(&now.made, &before);
        skipped = line_length(old.data, old.count);
    }
    line = record_text(&now);
    dq_bytes_text(text, line);
    dq_bytes_text(text, "\n");
    if (has_old)
        add_lines(text, old.data + skipped, old.count - skipped);
    free(line);
    dq_bytes_free(&old);
}

int dq_ledger_write(const char *shot_folder, const struct dq_done *done,
                    const char *tag, struct dq_err *err)
{
    char *path = record_path(shot_folder, done->frame);
    char *folder = dq_path_folder(path);
    struct dq_bytes text = {0};
    int code;

    if (dq_fault(DQ_FAULT_LEDGER))
        code = dq_fail(err, DQ_IO, "%s: injected fault", path);
    else if (!(code = dq_make_folders(folder, err))) {
        compose(path, done, &text);
        code = dq_publish(path, text.data, text.count, tag, DQ_PUBLISH_REPLACE,
                          NULL, err);
    }
    dq_bytes_free(&text);
    free(folder);
    free(path);
    return code;
}

/* ---- marks ----------------------------------------------------------------*/

void dq_file_mark_stat(struct dq_file_mark *mark, const struct stat *st)
{
    mark->bytes = st->st_size;
    mark->mtime_ns =
        (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

int dq_file_mark_look(const char *path, struct dq_file_mark *now)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return -1;
    dq_file_mark_stat(now, &st);
    return 0;
}

static int same_size_and_time(const struct dq_file_mark *a,
                              const struct dq_file_mark *b)
{
    return a->bytes == b->bytes && a->mtime_ns == b->mtime_ns;
}

int dq_file_mark_same(const struct dq_file_mark *mark, const char *path,
                      struct dq_file_mark *now)
{
    struct dq_file_mark found = {0};

    if (dq_file_mark_look(path, &found))
        return 0;
    if (now)
        *now = found;
    return same_size_and_time(&found, mark);
}

int dq_file_mark_holds(const struct dq_file_mark *mark, const char *path,
                       const struct dq_file_mark *now)
{
    struct dq_err ignored = {0};
    char hex[DQ_SHA256_HEX];

    if (same_size_and_time(now, mark))
        return 1;
    return now->bytes == mark->bytes && !dq_sha256_file(path, hex, &ignored) &&
           strcmp(hex, mark->sha256) == 0;
}
