/* contract: where an artefact keeps what it says of itself. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "base/mem.h"
#include "infer/archive.h"
#include "infer/model.h"

enum { CONTRACT_LIMIT = 256 * 1024 };

static int ends_in(const char *text, const char *suffix)
{
    size_t n = strlen(text), s = strlen(suffix);

    return n >= s && strcmp(text + n - s, suffix) == 0;
}

static int from_archive(const void *bytes, size_t count, char **json,
                        size_t *json_bytes, struct dq_err *err)
{
    const char *data;
    size_t size;

    if (dq_archive_find(bytes, count, "extra/depthq.json", &data, &size, err))
        return err->code;
    if (!data)
        return DQ_OK;
    if (size > CONTRACT_LIMIT)
        return dq_fail(err, DQ_MODEL, "its contract has %zu bytes", size);
    *json = dq_new(size + 1);
    memcpy(*json, data, size); /* all of it: a zero byte is an error too */
    *json_bytes = size;
    return DQ_OK;
}

/* "net.pt" -> "net.json" */
static char *beside(const char *path)
{
    const char *dot = strrchr(path, '.');
    const char *slash = strrchr(path, '/');
    size_t stem =
        dot && (!slash || dot > slash) ? (size_t)(dot - path) : strlen(path);

    return dq_asprintf("%.*s.json", (int)stem, path);
}

static int from_beside(const char *path, char **json, size_t *json_bytes,
                       struct dq_err *err)
{
    char *name = beside(path);
    struct dq_bytes text = {0};
    struct dq_err own = {0};

    if (!dq_bytes_read_file(&text, name, CONTRACT_LIMIT, DQ_MODEL, &own)) {
        *json = text.data;
        *json_bytes = text.count;
    } else if (own.code == DQ_MISSING) {
        dq_fail(err, DQ_MODEL,
                "%s: has no contract: neither depthq.json inside it nor %s "
                "beside it",
                path, name);
    } else {
        *err = own;
    }
    if (own.code)
        dq_bytes_free(&text);
    free(name);
    return err->code;
}

/* {"depthq_fake": 1, ..., "contract": {...}} */
static int from_fake(const char *path, const void *bytes, size_t count,
                     char **json, size_t *json_bytes, struct dq_err *err)
{
    json_t *all = dq_json_parse(bytes, count, CONTRACT_LIMIT, DQ_MODEL, err);
    const json_t *contract = json_object_get(all, "contract");

    if (contract) {
        *json = dq_json_text(contract);
        *json_bytes = strlen(*json);
    } else if (all) {
        dq_fail(err, DQ_MODEL, "contract: is missing");
    }
    json_decref(all);
    return err->code ? dq_because(err, "%s", path) : DQ_OK;
}

/* What people hand over by mistake, by its first bytes. */
static int not_a_model(const char *path, const void *bytes, size_t count,
                       struct dq_err *err)
{
    const unsigned char *b = bytes;

    if (count >= 2 && b[0] == 0x80 && b[1] <= 5)
        return dq_fail(err, DQ_MODEL,
                       "%s: is a pickle (a checkpoint of an old torch.save), "
                       "not TorchScript; export the network first",
                       path);
    if (count >= 2 && b[0] == 0x08 && b[1] < 32)
        return dq_fail(err, DQ_MODEL, "%s: looks like ONNX, not TorchScript",
                       path);
    return dq_fail(err, DQ_MODEL, "%s: is no TorchScript archive", path);
}

int dq_model_contract(const char *path, const void *bytes, size_t count,
                      char **json, size_t *json_bytes, struct dq_err *err)
{
    *json = NULL;
    *json_bytes = 0;
    if (ends_in(path, ".fake"))
        return from_fake(path, bytes, count, json, json_bytes, err);
    if (!dq_archive_is(bytes, count))
        return not_a_model(path, bytes, count, err);
    if (from_archive(bytes, count, json, json_bytes, err))
        return dq_because(err, "%s", path);
    return *json ? DQ_OK : from_beside(path, json, json_bytes, err);
}
