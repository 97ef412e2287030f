/* The rules that bind several keys of a job file. Text only: what is on disk
 * is looked at by whoever runs the job. */
#include "jobs/spec_fields.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct check {
    const struct dq_spec *spec;
    const struct dq_given_field *given;
    struct dq_problems *problems;
};

static int good(const struct check *c, enum dq_field_id id)
{
    return c->given[id].state == DQ_GOOD;
}

/* A problem at a key that was given. */
static void problem(const struct check *c, enum dq_field_id id,
                    const char *text)
{
    const struct dq_yaml *where = c->given[id].where;
    char name[DQ_FIELD_ROOM];

    dq_field_name(&dq_fields[id], name);
    dq_problem_add(c->problems, where->line, where->column, "%s: %s", name,
                   text);
}

/* ---- names of files ------------------------------------------------------*/

static int still(const struct dq_sequence *sequence)
{
    return sequence->digits == 0;
}

static int ends_in_exr(const char *path)
{
    size_t bytes = strlen(path);

    return bytes >= 4 && strcasecmp(path + bytes - 4, ".exr") == 0;
}

static void check_output_ending(const struct check *c)
{
    const struct dq_sequence *path = &c->spec->output.path;

    if (!ends_in_exr(still(path) ? path->prefix : path->suffix))
        problem(c, DQ_FIELD_OUTPUT_PATH,
                "depthq writes OpenEXR; let the name end in .exr");
}

static int same_file(const struct dq_sequence *a, const struct dq_sequence *b,
                     int32_t frame)
{
    char *one = dq_sequence_path(a, frame);
    char *other = dq_sequence_path(b, frame);
    int same = strcmp(one, other) == 0;

    free(one);
    free(other);
    return same;
}

/* Patterns that differ only in how many digits a number has at least name
 * the same file for large enough frames. */
static int meets_plate(const struct dq_sequence *plate,
                       const struct dq_sequence *output)
{
    if (still(plate) || still(output))
        return same_file(plate, output, 1);
    return strcmp(plate->prefix, output->prefix) == 0 &&
           strcmp(plate->suffix, output->suffix) == 0;
}

static void check_plate_and_output(const struct check *c)
{
    const struct dq_sequence *plate = &c->spec->plate;
    const struct dq_sequence *output = &c->spec->output.path;

    if (!still(plate) && still(output))
        problem(c, DQ_FIELD_OUTPUT_PATH,
                "needs a frame number, such as ####, as the plate has one; "
                "else every frame would go to one file");
    else if (meets_plate(plate, output))
        problem(c, DQ_FIELD_OUTPUT_PATH,
                "is the plate itself; it would be overwritten");
}

static void check_still_frames(const struct check *c)
{
    const struct dq_range *frames = &c->spec->frames;

    if (still(&c->spec->plate) &&
        (frames->count != 1 || frames->frames[0] != 1))
        problem(c, DQ_FIELD_FRAMES,
                "the plate is one file, which is frame 1; give 'plate' a "
                "frame number, such as ####, or leave 'frames' away");
}

static void check_files(const struct check *c)
{
    if (good(c, DQ_FIELD_OUTPUT_PATH))
        check_output_ending(c);
    if (good(c, DQ_FIELD_PLATE) && good(c, DQ_FIELD_OUTPUT_PATH))
        check_plate_and_output(c);
    if (good(c, DQ_FIELD_PLATE) && good(c, DQ_FIELD_FRAMES))
        check_still_frames(c);
}

/* ---- depth ---------------------------------------------------------------*/

static void check_near_and_far(const struct check *c)
{
    int near = c->given[DQ_FIELD_DEPTH_NEAR].state != DQ_ABSENT;
    int far = c->given[DQ_FIELD_DEPTH_FAR].state != DQ_ABSENT;

    if (near && !far)
        problem(c, DQ_FIELD_DEPTH_NEAR, "needs 'far' beside it");
    if (far && !near)
        problem(c, DQ_FIELD_DEPTH_FAR, "needs 'near' beside it");
    if (good(c, DQ_FIELD_DEPTH_NEAR) && good(c, DQ_FIELD_DEPTH_FAR) &&
        c->spec->depth.near >= c->spec->depth.far)
        problem(c, DQ_FIELD_DEPTH_FAR, "must be larger than 'near'");
}

/* A range makes distances; nothing else has one. */
static void check_range_of_kind(const struct check *c)
{
    static const enum dq_field_id ends[] = {DQ_FIELD_DEPTH_NEAR,
                                            DQ_FIELD_DEPTH_FAR};

    if (c->spec->depth.kind != DQ_KIND_INVERSE &&
        c->spec->depth.kind != DQ_KIND_NATIVE)
        return;
    for (size_t i = 0; i < 2; i++)
        if (c->given[ends[i]].state != DQ_ABSENT)
            problem(c, ends[i],
                    "has a meaning only with 'kind: distance' or "
                    "'kind: auto'");
}

static void check_half_range(const struct check *c)
{
    if (c->spec->output.type == DQ_TYPE_HALF && good(c, DQ_FIELD_DEPTH_FAR) &&
        c->spec->depth.far > 65504)
        problem(c, DQ_FIELD_DEPTH_FAR,
                "is more than a half can hold (65504); write "
                "'type: float' under 'output:'");
}

/* ---- the rest ------------------------------------------------------------*/

static void check_replace_channel(const struct check *c)
{
    if (c->spec->output.replace_channel &&
        good(c, DQ_FIELD_OUTPUT_REPLACE_CHANNEL) &&
        c->given[DQ_FIELD_OUTPUT_MODE].state != DQ_BAD &&
        c->spec->output.mode != DQ_MODE_CHANNEL)
        problem(c, DQ_FIELD_OUTPUT_REPLACE_CHANNEL,
                "has a meaning only with 'mode: channel'");
}

/* What steadies a shot are its guides; tiles that do not follow them stay as
 * unsteady as they are. */
static void check_stabilize(const struct check *c)
{
    if (good(c, DQ_FIELD_STABILIZE) &&
        c->spec->stabilize == DQ_STABILIZE_SHOT &&
        c->given[DQ_FIELD_TILES_ALIGN].state != DQ_BAD &&
        c->spec->tiles.align == DQ_SPEC_OFF)
        problem(c, DQ_FIELD_STABILIZE,
                "'shot' needs tiles that are aligned; write 'align: auto' "
                "under 'tiles:', or 'stabilize: off'");
}

void dq_spec_check(const struct dq_spec *spec,
                   const struct dq_given_field given[DQ_FIELDS],
                   struct dq_problems *problems)
{
    const struct check c = {spec, given, problems};

    check_files(&c);
    check_near_and_far(&c);
    check_range_of_kind(&c);
    check_half_range(&c);
    check_replace_channel(&c);
    check_stabilize(&c);
}
