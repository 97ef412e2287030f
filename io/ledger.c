#include "io/ledger.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/publish.h"

enum { LEDGER_FORMAT = 1, RECORD_LIMIT = 64 * 1024 };

static char *record_path(const char *shot_folder, int32_t frame)
{
    return dq_asprintf("%s/done/%" PRId32 ".json", shot_folder, frame);
}

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

static int read_record(const json_t *record, struct dq_done *done,
                       struct dq_err *err)
{
    int64_t format = 0;

    if (dq_json_int(record, "depthq_done", LEDGER_FORMAT, LEDGER_FORMAT,
                    &format, DQ_MISSING, err))
        return err->code;
    if (read_digest(record, "fingerprint", done->fingerprint, err))
        return err->code;
    if (read_mark(record, "output", &done->output, err))
        return err->code;
    return read_mark(record, "plate", &done->plate, err);
}

int dq_ledger_read(const char *shot_folder, int32_t frame, struct dq_done *done,
                   struct dq_err *err)
{
    struct dq_err own = {0};
    char *path = record_path(shot_folder, frame);
    json_t *record = dq_json_read(path, RECORD_LIMIT, DQ_MISSING, &own);

    memset(done, 0, sizeof *done);
    done->frame = frame;
    if (record && read_record(record, done, &own))
        dq_because(&own, "%s", path);
    json_decref(record);
    free(path);
    if (own.code && err)
        *err = own;
    return own.code ? DQ_MISSING : DQ_OK;
}

static json_t *mark_json(const struct dq_file_mark *mark)
{
    return json_pack("{s:I, s:I, s:s}", "bytes", (json_int_t)mark->bytes,
                     "mtime_ns", (json_int_t)mark->mtime_ns, "sha256",
                     mark->sha256);
}

static char *record_text(const struct dq_done *done)
{
    json_t *record = json_pack(
        "{s:i, s:i, s:s, s:o, s:o}", "depthq_done", LEDGER_FORMAT, "frame",
        (int)done->frame, "fingerprint", done->fingerprint, "output",
        mark_json(&done->output), "plate", mark_json(&done->plate));
    char *text = dq_json_text(record);

    json_decref(record);
    return text;
}

int dq_ledger_write(const char *shot_folder, const struct dq_done *done,
                    const char *tag, struct dq_err *err)
{
    char *path = record_path(shot_folder, done->frame);
    char *folder = dq_path_folder(path);
    char *text = record_text(done);
    int code;

    if (dq_fault(DQ_FAULT_LEDGER))
        code = dq_fail(err, DQ_IO, "%s: injected fault", path);
    else if (!(code = dq_make_folders(folder, err)))
        code = dq_publish(path, text, strlen(text), tag, DQ_PUBLISH_REPLACE,
                          NULL, err);
    free(text);
    free(folder);
    free(path);
    return code;
}

void dq_file_mark_stat(struct dq_file_mark *mark, const struct stat *st)
{
    mark->bytes = st->st_size;
    mark->mtime_ns =
        (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

int dq_file_mark_same(const struct dq_file_mark *mark, const char *path,
                      struct dq_file_mark *now)
{
    struct dq_file_mark found = {0};
    struct stat st;

    if (stat(path, &st) != 0)
        return 0;
    dq_file_mark_stat(&found, &st);
    if (now)
        *now = found;
    return found.bytes == mark->bytes && found.mtime_ns == mark->mtime_ns;
}
