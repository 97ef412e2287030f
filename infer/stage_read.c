/* stage_read: a frame from its path to the network's picture, unless its
 * output is right already. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "infer/ticket.h"
#include "io/provenance.h"

/* A plate that fails while it is younger than this may still be copied. */
enum { GROWING_S = 60 };

/* ---- is the output right already? ---------------------------------------- */

/* Its place first, in a stabilized shot: a frame that is not fitted yet was
 * never right. */
static int fingerprint(struct dq_ticket *t)
{
    const struct dq_recipe *recipe = t->request.recipe;
    struct dq_err none = {0};

    if (recipe->steady && dq_place_find(recipe, &t->shot, t->request.frame,
                                        t->mark.sha256, &t->place, &none))
        return 0;
    t->placed = 1;
    dq_ticket_fingerprint(t);
    return 1;
}

static int output_has_digest(const char *path, const char *sha256)
{
    struct dq_err ignored = {0};
    char hex[DQ_SHA256_HEX];

    return dq_sha256_file(path, hex, &ignored) == DQ_OK &&
           strcmp(hex, sha256) == 0;
}

/* The record speaks of this fingerprint and the output is as it says. */
static int record_holds(struct dq_ticket *t, struct dq_done *done)
{
    struct dq_file_mark now = {0};

    if (strcmp(done->fingerprint, t->outcome.fingerprint) != 0)
        return 0;
    if (dq_file_mark_same(&done->output, t->output_path, &now))
        return 1;
    if (now.bytes != done->output.bytes ||
        !output_has_digest(t->output_path, done->output.sha256))
        return 0;
    done->output.mtime_ns = now.mtime_ns; /* touched, not changed */
    return 1;
}

static void skip(struct dq_ticket *t, const struct dq_done *done)
{
    t->outcome.skipped = 1;
    t->outcome.bytes = done->output.bytes;
    memcpy(t->outcome.sha256, done->output.sha256, DQ_SHA256_HEX);
}

/* May this attempt take over what is there? `replace` makes it again; a
 * later attempt finds what an earlier one of the same run published. */
static int may_skip(const struct dq_ticket *t)
{
    return t->request.recipe->existing == DQ_RESUME || t->request.attempt > 1;
}

/* Without reading the plate: its size and time are as recorded. */
static int right_by_record(struct dq_ticket *t, struct dq_done *done)
{
    struct dq_err none = {0};

    if (dq_ledger_read(t->request.recipe->shot_folder, t->request.frame, done,
                       &none))
        return 0;
    if (!may_skip(t) || !dq_file_mark_same(&done->plate, t->plate_path, NULL))
        return 0;
    t->mark = done->plate;
    return fingerprint(t) && record_holds(t, done);
}

/* A file of ours without a record (its writer died in between): it counts
 * when its header has the fingerprint and every pixel of it decodes. A frame
 * that has no place in its shot yet has no fingerprint: there it is only
 * ours. */
static int right_by_header(struct dq_ticket *t, struct dq_done *done, int *ours)
{
    struct dq_bytes bytes = {0};
    struct dq_err ignored = {0};
    struct dq_plate *found = NULL;
    const char *has = NULL;
    struct stat st;
    int right;

    *ours = 0;
    if (stat(t->output_path, &st) == 0 &&
        !dq_bytes_read_file(&bytes, t->output_path, DQ_PLATE_MAX_BYTES,
                            DQ_PLATE, &ignored))
        found =
            dq_plate_open(bytes.data, bytes.count, t->output_path, &ignored);
    if (found)
        has = dq_plate_find_attribute(found,
                                      dq_provenance_name(DQ_ATTR_FINGERPRINT));
    *ours = has != NULL;
    right = has && t->outcome.fingerprint[0] &&
            strcmp(has, t->outcome.fingerprint) == 0 &&
            dq_plate_verify(found, &ignored) == DQ_OK;
    if (right) {
        memcpy(done->fingerprint, t->outcome.fingerprint, DQ_SHA256_HEX);
        dq_file_mark_stat(&done->output, &st);
        dq_ticket_made(t, &done->made);
        dq_sha256(bytes.data, bytes.count, done->output.sha256);
    }
    dq_plate_close(found);
    dq_bytes_free(&bytes);
    return right;
}

/* With the plate's digest known: 1 when the output is right, with the record
 * brought up to date; 0 to go on; errors in t->err. */
static int right_by_digest(struct dq_ticket *t, struct dq_done *done)
{
    const struct dq_recipe *recipe = t->request.recipe;
    int exists = access(t->output_path, F_OK) == 0;
    struct dq_err note = {0}; /* the output is right, record or not */
    int ours = 0, right;

    fingerprint(t);
    if (!exists || (recipe->existing == DQ_REPLACE && !may_skip(t)))
        return 0;
    right = may_skip(t) && done->fingerprint[0] && record_holds(t, done);
    /* A record that names these very pixels but another file: it was altered
     * since, however well it decodes. */
    if (!right && may_skip(t) &&
        (!done->fingerprint[0] ||
         strcmp(done->fingerprint, t->outcome.fingerprint) != 0))
        right = right_by_header(t, done, &ours);
    if (right) {
        done->frame = t->request.frame;
        done->plate = t->mark;
        skip(t, done);
        dq_ledger_write(recipe->shot_folder, done, "skip", &note);
        return 1;
    }
    if (recipe->existing == DQ_REFUSE)
        dq_fail(t->err, DQ_EXISTS,
                "%s: exists already (output.existing is fail); remove it, or "
                "use existing: resume or replace",
                t->output_path);
    else if (recipe->existing == DQ_RESUME && !ours && !done->fingerprint[0])
        dq_fail(t->err, DQ_EXISTS,
                "%s: exists and depthq did not make it; remove it, or use "
                "output.existing: replace",
                t->output_path);
    return 0;
}

/* ---- the plate ----------------------------------------------------------- */

static int same_file(const struct stat *plate, const char *output)
{
    struct stat st;

    return stat(output, &st) == 0 && st.st_dev == plate->st_dev &&
           st.st_ino == plate->st_ino;
}

int dq_stage_read_file(struct dq_ticket *t, const char *path)
{
    struct stat st;

    if (dq_bytes_read_still(&t->file, path, DQ_PLATE_MAX_BYTES, DQ_PLATE, &st,
                            t->err))
        return dq_plate_remedy(t->err);
    if (t->request.work == DQ_WORK_RENDER && same_file(&st, t->output_path))
        return dq_fail(t->err, DQ_CREATE,
                       "%s: is the plate itself; choose another output.path",
                       t->output_path);
    dq_file_mark_stat(&t->mark, &st);
    dq_sha256(t->file.data, t->file.count, t->mark.sha256);
    return DQ_OK;
}

/* A young file that does not decode is probably being written. The storage's
 * clock may be ahead of ours. */
static int perhaps_growing(struct dq_ticket *t)
{
    int64_t age_s = (int64_t)time(NULL) - t->mark.mtime_ns / 1000000000;

    if (t->err->code == DQ_PLATE && age_s > -GROWING_S && age_s < GROWING_S)
        t->err->code = DQ_GROWING;
    return t->err->code;
}

static int open_plate(struct dq_ticket *t, const char *path)
{
    const struct dq_recipe *recipe = t->request.recipe;
    struct dq_plate_wish wish = dq_recipe_wish(recipe);

    t->plate = dq_plate_open(t->file.data, t->file.count, path, t->err);
    if (!t->plate)
        return perhaps_growing(t);
    return dq_plate_choose(t->plate, &wish, &t->choice, t->err);
}

static int pass_gate(struct dq_ticket *t, const char *path,
                     const struct dq_reader_hooks *hooks)
{
    if (hooks->gate(hooks->context, t))
        return dq_because(t->err, "%s", path);
    return DQ_OK;
}

int dq_stage_read_plate(struct dq_ticket *t, const char *path,
                        const struct dq_reader_hooks *hooks)
{
    dq_plate_close(t->plate);
    t->plate = NULL;
    if (dq_stage_read_file(t, path))
        return t->err->code;
    if (open_plate(t, path) || pass_gate(t, path, hooks))
        return t->err->code;
    if (dq_plate_decode(t->plate, &t->choice, &t->frame, t->err))
        return perhaps_growing(t);
    return DQ_OK;
}

/* ---- does it belong to the shot? ----------------------------------------- */

enum { WINDOW_TEXT = 64 };
static const char *window_text(const struct dq_box *box, char text[WINDOW_TEXT])
{
    snprintf(text, WINDOW_TEXT, "(%d, %d) to (%d, %d)", box->x0, box->y0,
             box->x1, box->y1);
    return text;
}

#define LIKE_THE_OTHERS                                                        \
    "export it again like the shot's other plates, or the others like it and " \
    "run with --resolve"

int dq_stage_fits_shot(struct dq_ticket *t, const char *path)
{
    const struct dq_shot *shot = &t->shot;
    const struct dq_frame *f = &t->frame;
    struct dq_box all = dq_box_union(&f->data, &shot->lattice);
    char own[WINDOW_TEXT], usual[WINDOW_TEXT];

    if (!dq_box_equal(&f->display, &shot->display))
        return dq_fail(t->err, DQ_PLATE,
                       "%s: its display window %s differs from the shot's "
                       "%s; " LIKE_THE_OTHERS,
                       path, window_text(&f->display, own),
                       window_text(&shot->display, usual));
    if (!dq_shot_has_window(shot, &f->display, f->pixel_aspect))
        return dq_fail(t->err, DQ_PLATE,
                       "%s: its pixel aspect %g differs from the shot's "
                       "%g; " LIKE_THE_OTHERS,
                       path, (double)f->pixel_aspect,
                       (double)shot->pixel_aspect);
    if (!dq_box_equal(&all, &shot->lattice))
        return dq_fail(
            t->err, DQ_PLATE,
            "%s: its data window %s reaches beyond %s, which is what "
            "the shot's survey saw; run with --resolve to survey "
            "the shot again",
            path, window_text(&f->data, own),
            window_text(&shot->lattice, usual));
    return DQ_OK;
}

static int output_allowed(struct dq_ticket *t)
{
    struct dq_depth_format format = dq_recipe_format(t->request.recipe);

    return dq_depth_file_allowed(t->plate, &t->choice, &format, t->err);
}

static void note_guess(struct dq_ticket *t, const struct dq_reader_hooks *hooks,
                       int guessed)
{
    char text[512];

    if (!guessed)
        return;
    snprintf(text, sizeof text,
             "%.300s: says nothing of its colour space; taken as linear "
             "Rec.709 (input.colorspace)",
             t->plate_path);
    hooks->note(hooks->context, t, text);
}

static void note_bad_pixels(struct dq_ticket *t,
                            const struct dq_pixel_counts *n)
{
    if (n->nan || n->inf)
        snprintf(t->outcome.suspect, sizeof t->outcome.suspect,
                 "plate has %lld NaN and %lld infinite values",
                 (long long)n->nan, (long long)n->inf);
}

int dq_stage_read_picture(struct dq_ticket *t,
                          const struct dq_reader_hooks *hooks)
{
    struct dq_pixel_counts counts = {0};
    double begun = dq_clock_s();
    int guessed = 0;

    if (open_plate(t, t->plate_path) ||
        (t->request.work == DQ_WORK_RENDER && output_allowed(t)) ||
        pass_gate(t, t->plate_path, hooks))
        return t->err->code;
    if (dq_plate_decode(t->plate, &t->choice, &t->frame, t->err))
        return perhaps_growing(t);
    if (dq_stage_fits_shot(t, t->plate_path))
        return t->err->code;
    t->outcome.seconds.read += dq_clock_s() - begun;
    begun = dq_clock_s();
    if (dq_picture_make(t, &counts, &guessed))
        return t->err->code;
    note_guess(t, hooks, guessed);
    note_bad_pixels(t, &counts);
    t->outcome.seconds.colour = dq_clock_s() - begun;
    return DQ_OK;
}

/* The guide that the scan kept; without one it is made again. */
static void read_guide(struct dq_ticket *t)
{
    const struct dq_recipe *recipe = t->request.recipe;
    char *path = dq_guide_path(recipe, t->request.frame, 0);
    char key[DQ_SHA256_HEX];
    struct dq_err none = {0};

    dq_guide_key(recipe, &t->shot, key);
    t->has_guide =
        dq_guide_read(path, key, t->mark.sha256, &t->guide, &none) == DQ_OK;
    free(path);
}

int dq_stage_read(struct dq_ticket *t, const struct dq_reader_hooks *hooks)
{
    struct dq_done done = {0};
    double begun = dq_clock_s();

    if (dq_shot_read(t->request.recipe, &t->shot, t->err))
        return t->err->code;
    if (right_by_record(t, &done)) {
        skip(t, &done);
        return DQ_OK;
    }
    hooks->begin(hooks->context, t);
    if (dq_stage_read_file(t, t->plate_path))
        return t->err->code;
    if (right_by_digest(t, &done) || t->err->code)
        return t->err->code;
    if (t->request.recipe->steady)
        read_guide(t);
    t->outcome.seconds.read = dq_clock_s() - begun;
    return dq_stage_read_picture(t, hooks);
}
