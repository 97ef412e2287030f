#include "daemon/worker_recipe.h"

#include <stdlib.h>
#include <string.h>

#include "base/fingerprint.h"
#include "base/mem.h"
#include "base/path.h"
#include "infer/tile_plan.h"
#include "io/ledger.h"
#include "io/oiio_shim.h"
#include "jobs/spec.h"

static enum dq_depth_mode mode_of(enum dq_spec_mode mode)
{
    static const enum dq_depth_mode to[] = {
        [DQ_MODE_SEPARATE] = DQ_DEPTH_SEPARATE,
        [DQ_MODE_PART] = DQ_DEPTH_PART,
        [DQ_MODE_CHANNEL] = DQ_DEPTH_CHANNEL,
    };

    return to[mode];
}

static enum dq_depth_codec codec_of(enum dq_spec_compression compression)
{
    static const enum dq_depth_codec to[] = {
        [DQ_COMPRESSION_ZIPS] = DQ_CODEC_ZIPS,
        [DQ_COMPRESSION_ZIP] = DQ_CODEC_ZIP,
        [DQ_COMPRESSION_PIZ] = DQ_CODEC_PIZ,
        [DQ_COMPRESSION_PXR24] = DQ_CODEC_PXR24,
        [DQ_COMPRESSION_RLE] = DQ_CODEC_RLE,
        [DQ_COMPRESSION_NONE] = DQ_CODEC_NONE,
        [DQ_COMPRESSION_HTJ2K] = DQ_CODEC_HTJ2K,
        [DQ_COMPRESSION_ZSTD] = DQ_CODEC_ZSTD,
    };

    return to[compression];
}

static enum dq_existing existing_of(enum dq_spec_existing existing)
{
    static const enum dq_existing to[] = {
        [DQ_EXISTING_RESUME] = DQ_RESUME,
        [DQ_EXISTING_REPLACE] = DQ_REPLACE,
        [DQ_EXISTING_FAIL] = DQ_REFUSE,
    };

    return to[existing];
}

static enum dq_depth_kind kind_of(enum dq_spec_kind kind)
{
    static const enum dq_depth_kind to[] = {
        [DQ_KIND_AUTO] = DQ_DEPTH_AUTO,
        [DQ_KIND_DISTANCE] = DQ_DEPTH_DISTANCE,
        [DQ_KIND_INVERSE] = DQ_DEPTH_INVERSE,
        [DQ_KIND_NATIVE] = DQ_DEPTH_NATIVE,
    };

    return to[kind];
}

static void take_input(struct dq_recipe *r, const struct dq_spec *spec)
{
    r->part = dq_strdup(spec->input.part);
    r->view = dq_strdup(spec->input.view);
    r->layer = dq_strdup(spec->input.layer);
    r->colorspace = dq_strdup(spec->input.colorspace);
    r->exposure_auto = spec->input.exposure_auto;
    r->exposure_ev = (float)spec->input.exposure;
    r->tonemap = spec->input.tonemap == DQ_SPEC_CLIP ? DQ_TONEMAP_CLIP
                                                     : DQ_TONEMAP_SHOULDER;
}

static void take_output(struct dq_recipe *r, const struct dq_spec *spec)
{
    r->mode = mode_of(spec->output.mode);
    r->codec = codec_of(spec->output.compression);
    r->half = spec->output.type == DQ_TYPE_HALF;
    r->channel = dq_strdup(spec->output.channel);
    r->replace_channel = spec->output.replace_channel;
    r->mask = spec->output.mask;
    r->existing = existing_of(spec->output.existing);
    r->kind = kind_of(spec->depth.kind);
    r->near = spec->depth.near;
    r->far = spec->depth.far;
}

static void take_tiles(struct dq_recipe *r, const struct dq_spec *spec)
{
    r->tile_size = spec->tiles.size < 0 ? DQ_TILES_WHOLE : spec->tiles.size;
    r->overlap = spec->tiles.overlap;
    r->batch = spec->tiles.batch;
    r->align = spec->tiles.align == DQ_SPEC_AUTO;
    r->steady = spec->stabilize == DQ_STABILIZE_SHOT;
}

/* A space that we have no matrix for comes from the OCIO configuration, whose
 * digest counts as the job's own words do: another configuration is another
 * picture. (Files that the configuration names are not looked into.) */
static int open_ocio(struct dq_recipe *r, char config[DQ_SHA256_HEX],
                     struct dq_err *err)
{
    const char *path = getenv("OCIO");

    if (!path || !*path || dq_colour_space_known(r->colorspace))
        return DQ_OK;
#if DQ_OIIO
    if (strncmp(path, "ocio://", 7) == 0)
        dq_sha256(path, strlen(path), config); /* built into the library */
    else if (dq_sha256_file(path, config, err))
        return dq_because(err, "the OCIO configuration ($OCIO)");
    r->ocio = dq_ocio_open(r->colorspace, err);
    return err->code;
#else
    (void)config;
    return dq_fail(err, DQ_SPEC,
                   "input.colorspace: '%s' needs OpenColorIO, and this depthq "
                   "is built without it (OIIO=0)",
                   r->colorspace);
#endif
}

/* Texts that digests cover. A job whose plates are others has another shot,
 * even when it writes to the same place. */
static void take_texts(struct dq_recipe *r, const struct dq_spec *spec,
                       const char *ocio)
{
    char *fields = dq_spec_pixels_text(spec);
    char *plate = dq_sequence_text(&r->plate);
    char *output = dq_sequence_text(&r->output);
    char *seen = dq_spec_input_text(spec);
    char *all;

    r->scan_text =
        dq_asprintf("model=%s\ncontract=%s\n%s%s%s%s", r->model->sha256,
                    r->model->contract_sha256, seen, *ocio ? "ocio=" : "", ocio,
                    *ocio ? "\n" : "");
    r->pixels_text =
        dq_asprintf("model=%s\ncontract=%s\n%s%s%s%s", r->model->sha256,
                    r->model->contract_sha256, fields, *ocio ? "ocio=" : "",
                    ocio, *ocio ? "\n" : "");
    r->shot_folder = dq_shot_folder(output);
    all = dq_asprintf("revision=%d\nplate=%s\n%s", DQ_PIXELS_REVISION, plate,
                      r->pixels_text);
    r->survey_key = dq_new(DQ_SHA256_HEX);
    dq_sha256(all, strlen(all), r->survey_key);
    free(all);
    free(seen);
    free(output);
    free(plate);
    free(fields);
}

/* All that is wrong, in one line: the dispatcher has shown it line by line
 * before; here it only must not be lost. */
static int parse_failed(const struct dq_wire_job *job,
                        const struct dq_problems *problems, struct dq_err *err)
{
    const struct dq_problem *p = problems->list;

    if (problems->count == 0)
        return dq_fail(err, DQ_SPEC, "%s: cannot be parsed", job->file);
    return dq_fail(err, DQ_SPEC, "%s:%d:%d: %s", job->file, p->line, p->column,
                   p->text);
}

static struct dq_spec *parse(const struct dq_wire_job *job, struct dq_err *err)
{
    struct dq_problems problems = {0};
    struct dq_spec *spec = dq_spec_parse(job->yaml, strlen(job->yaml),
                                         job->file, job->folder, &problems);

    if (!spec)
        parse_failed(job, &problems, err);
    dq_problems_free(&problems);
    return spec;
}

static enum dq_anew anew_of(int anew)
{
    static const enum dq_anew to[] = {DQ_ANEW_NOTHING, DQ_ANEW_SOLUTION,
                                      DQ_ANEW_ALL};

    return to[anew];
}

static int fill(struct dq_recipe *r, const struct dq_wire_job *job,
                const struct dq_spec *spec, struct dq_err *err)
{
    const char *pin =
        job->model_sha256 && job->model_sha256[0] ? job->model_sha256 : NULL;
    char ocio[DQ_SHA256_HEX] = "";

    r->job = job->job;
    r->anew = anew_of(job->anew);
    r->apart = job->apart;
    if (dq_range_parse(job->frames, &r->frames, err))
        return err->code;
    dq_sequence_copy(&spec->plate, &r->plate);
    dq_sequence_copy(&spec->output.path, &r->output);
    take_input(r, spec);
    take_output(r, spec);
    take_tiles(r, spec);
    r->model = dq_model_read(job->model_path, pin, &r->artefact, err);
    if (!r->model)
        return err->code;
    if (open_ocio(r, ocio, err))
        return err->code;
    take_texts(r, spec, ocio);
    return DQ_OK;
}

struct dq_recipe *dq_recipe_new(const struct dq_wire_job *job,
                                struct dq_err *err)
{
    struct dq_spec *spec = parse(job, err);
    struct dq_recipe *r;

    if (!spec)
        return NULL;
    r = dq_new(sizeof *r);
    if (fill(r, job, spec, err)) {
        dq_recipe_free(r);
        r = NULL;
    }
    dq_spec_free(spec);
    return r;
}
