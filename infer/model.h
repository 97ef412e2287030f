/* model: what a network says of itself (the contract, docs/models.md).
 *
 * The contract is JSON: the extra file `depthq.json` inside a TorchScript
 * archive, or `<name>.json` beside the artefact. The table of its fields is
 * infer/model_fields.def. A model never changes once read; any thread.
 */
#ifndef DQ_INFER_MODEL_H
#define DQ_INFER_MODEL_H

#include <stddef.h>
#include <stdint.h>
#include "base/err.h"
#include "base/sha256.h"

#ifdef __cplusplus
extern "C" {
#endif

enum dq_model_transfer { DQ_MODEL_SRGB, DQ_MODEL_LINEAR };
enum dq_model_quantity { DQ_QUANTITY_DISPARITY, DQ_QUANTITY_DISTANCE };
enum dq_model_scale { DQ_SCALE_AFFINE, DQ_SCALE_SCALE, DQ_SCALE_METRIC };
enum dq_model_layout { DQ_LAYOUT_NCHW, DQ_LAYOUT_NHW, DQ_LAYOUT_CHW };
enum dq_model_dtype { DQ_DTYPE_FLOAT32, DQ_DTYPE_FLOAT16, DQ_DTYPE_BFLOAT16 };

struct dq_model {
    int format; /* of the contract: 1 */
    char *name, *version;
    /* input */
    char channels[4]; /* "RGB" or "BGR" */
    enum dq_model_transfer transfer;
    float range[2];          /* what 0 and 1 of a display become */
    float mean[3], std[3];   /* 0 and 1 when the network normalises */
    int multiple;            /* sides are multiples of this */
    int preferred, min, max; /* free sizes, pixels a side */
    int fixed[2];            /* height, width; 0, 0 when free */
    int batch;               /* baked in; 0: any */
    enum dq_model_dtype dtype;
    /* output */
    enum dq_model_quantity quantity;
    enum dq_model_scale scale;
    char *unit; /* "m", or "" */
    enum dq_model_layout layout;
    int output_channels, depth_channel, sky_channel; /* sky -1: none */
    char *runtime; /* "torchscript", "fake", ... */
    char *licence, *source, *description, *precision; /* for people */
    char sha256[DQ_SHA256_HEX]; /* of the artefact's bytes */
    /* of the contract's canonical form: what is there for people alone, the
     * order of keys and defaults written out make no difference */
    char contract_sha256[DQ_SHA256_HEX];
    char *path; /* of the artefact */
};

/* Parse a contract. DQ_MODEL with place and cause: unknown key (with
 * did-you-mean), wrong type, out of range, contradictions. The caller frees.
 */
struct dq_model *dq_model_parse(const char *json, size_t bytes,
                                struct dq_err *err);
void dq_model_free(struct dq_model *model); /* NULL is fine */

/* A copy of its own; the caller frees it. */
struct dq_model *dq_model_copy(const struct dq_model *model);

/* The contract text of an artefact: from the archive's `extra/depthq.json`
 * (a stored member of a zip; read without any network library), else from
 * the .json beside it; a `.fake` artefact is its own contract. The caller
 * frees *json. bytes are the artefact's. DQ_MODEL says where it was looked
 * for. */
int dq_model_contract(const char *path, const void *bytes, size_t count,
                      char **json, size_t *json_bytes, struct dq_err *err);

/* Read an artefact whole into bytes (struct dq_bytes, base/bytes.h), hash
 * it, find and parse its contract. want_sha256 NULL or the digest that it
 * must have. The bytes hashed are the bytes to load. */
struct dq_bytes;
struct dq_model *dq_model_read(const char *path, const char *want_sha256,
                               struct dq_bytes *bytes, struct dq_err *err);

#ifdef __cplusplus
}
#endif
#endif
