#include "cli/contact_sheet.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/range.h"
#include "io/preview.h"
#include "jobs/spec.h"

enum { MOST_CELLS = 8, COLUMNS = 4, GAP = 6, LETTERS = 16, LABEL = 24 };

struct cell {
    int32_t frame;
    struct dq_picture8 plate, depth;
};

struct sheet {
    struct cell cells[MOST_CELLS];
    int count;
    int cell_w, plate_h, depth_h;
    struct dq_preview_range range;
};

/* Frames whose depth is on disk, thinned to what a sheet holds. */
static int pick_frames(const struct dq_spec *spec, struct sheet *s,
                       struct dq_err *err)
{
    struct dq_range found = {0};
    int n;

    if (dq_sequence_scan(&spec->output.path, &found, err))
        return dq_because(err, "nothing to look at yet");
    n = found.count < MOST_CELLS ? (int)found.count : MOST_CELLS;
    for (int i = 0; i < n; i++) {
        size_t at = n > 1 ? (size_t)i * (found.count - 1) / (size_t)(n - 1) : 0;

        s->cells[i].frame = found.frames[at];
    }
    s->count = n;
    dq_range_free(&found);
    return DQ_OK;
}

static int measure(const struct dq_spec *spec, struct sheet *s,
                   struct dq_err *err)
{
    int first = 1;

    for (int i = 0; i < s->count && !err->code; i++) {
        char *path = dq_sequence_path(&spec->output.path, s->cells[i].frame);

        dq_preview_measure(path, &s->range, &first, err);
        free(path);
    }
    return err->code;
}

/* A plate may be gone, or lie elsewhere: its place stays black then. */
static void draw_plate(const struct dq_spec *spec, struct cell *c, int width)
{
    char *path = dq_sequence_path(&spec->plate, c->frame);
    struct dq_err ignored = {0};

    dq_preview_plate(path, width, &c->plate, &ignored);
    free(path);
}

static int draw_cells(const struct dq_spec *spec, struct sheet *s, int width,
                      struct dq_err *err)
{
    for (int i = 0; i < s->count && !err->code; i++) {
        struct cell *c = &s->cells[i];
        char *path = dq_sequence_path(&spec->output.path, c->frame);

        draw_plate(spec, c, width);
        dq_preview_depth(path, width, &s->range, &c->depth, err);
        free(path);
        if (c->depth.width > s->cell_w)
            s->cell_w = c->depth.width;
        if (c->plate.width > s->cell_w)
            s->cell_w = c->plate.width;
        if (c->plate.height > s->plate_h)
            s->plate_h = c->plate.height;
        if (c->depth.height > s->depth_h)
            s->depth_h = c->depth.height;
    }
    return err->code;
}

/* A machine without fonts gets a sheet without letters. */
static void label(struct dq_picture8 *all, int x, int y, const char *text)
{
    struct dq_err ignored = {0};

    dq_picture8_label(all, x, y, LETTERS, text, &ignored);
}

static int compose(const struct dq_spec *spec, struct sheet *s,
                   struct dq_picture8 *all, struct dq_err *err)
{
    int columns = s->count < COLUMNS ? s->count : COLUMNS;
    int rows = (s->count + COLUMNS - 1) / COLUMNS;
    int cell_h = LABEL + s->plate_h + 2 + s->depth_h;
    char text[256];

    if (dq_picture8_new(all, columns * (s->cell_w + GAP) + GAP,
                        LABEL + GAP + rows * (cell_h + GAP), err))
        return err->code;
    snprintf(text, sizeof text, "%.80s   depth %.4g to %.4g, one range",
             spec->name, s->range.low, s->range.high);
    label(all, GAP, GAP, text);
    for (int i = 0; i < s->count && !err->code; i++) {
        int x = GAP + i % COLUMNS * (s->cell_w + GAP);
        int y = LABEL + GAP + i / COLUMNS * (cell_h + GAP);

        snprintf(text, sizeof text, "%" PRId32, s->cells[i].frame);
        label(all, x, y + 2, text);
        dq_picture8_paste(all, &s->cells[i].plate, x, y + LABEL);
        dq_picture8_paste(all, &s->cells[i].depth, x,
                          y + LABEL + s->plate_h + 2);
    }
    return err->code;
}

static void first_problem(const struct dq_problems *problems,
                          const char *job_file, struct dq_err *err)
{
    if (problems->count)
        dq_fail(err, DQ_SPEC, "%s:%d:%d: %s", job_file, problems->list[0].line,
                problems->list[0].column, problems->list[0].text);
}

int dq_contact_sheet(const char *job_file, int width, const char *output,
                     struct dq_err *err)
{
    struct dq_problems problems = {0};
    struct dq_picture8 all = {0};
    struct sheet *s = dq_new(sizeof *s);
    struct dq_spec *spec = dq_spec_read(job_file, &problems, err);

    if (!spec)
        first_problem(&problems, job_file, err);
    else if (!pick_frames(spec, s, err) && !measure(spec, s, err) &&
             !draw_cells(spec, s, width, err) && !compose(spec, s, &all, err))
        dq_picture8_save(&all, output, err);
    for (int i = 0; i < s->count; i++) {
        dq_picture8_free(&s->cells[i].plate);
        dq_picture8_free(&s->cells[i].depth);
    }
    free(s);
    dq_picture8_free(&all);
    dq_spec_free(spec);
    dq_problems_free(&problems);
    return err->code;
}
