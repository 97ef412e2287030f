#include "cli/contact_sheet.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/range.h"
#include "io/preview.h"

enum { MOST_CELLS = 8, COLUMNS = 4 };

/* Pixels. */
enum {
    MARGIN = 16,
    GAP = 12,    /* between cells */
    SEAM = 2,    /* between a plate and its depth */
    LABEL = 22,  /* a frame's number */
    HEADER = 68, /* name and facts */
    BAR_W = 340,
    BAR_H = 14,
    LEGEND = 44,
    WIDE = 1000, /* the legend has room beside the name from here on */
    EMPTY_H = 24 /* of a plate's place when none is there */
};

enum { BACKGROUND = 26, HOLE = 44, DIM = 168, BRIGHT = 236 };

static const struct dq_letters title = {.size = 24, .grey = BRIGHT};
static const struct dq_letters small = {.size = 15, .grey = DIM};
static const struct dq_letters number = {.size = 15, .grey = BRIGHT};
static const struct dq_letters right = {
    .size = 15, .grey = DIM, .ends_at_x = 1};

struct cell {
    int32_t frame;
    struct dq_picture8 plate, depth; /* rgb NULL: not there */
};

struct sheet {
    const struct dq_spec *spec;
    struct cell cells[MOST_CELLS];
    int count;
    const struct dq_range *wanted;  /* the job's frames */
    struct dq_range plates, depths; /* on disk */
    struct dq_range done;           /* wanted, and there is depth */
    struct dq_preview_shot shot;
    int cell_w, plate_h, depth_h;
    struct dq_picture8 all;
};

/* ---- which frames --------------------------------------------------------*/

/* The job's frames; without a list, every plate there is, or every depth
 * where the plates are gone. */
static const struct dq_range *wanted_frames(struct sheet *s)
{
    struct dq_err ignored = {0};

    if (s->spec->frames.count)
        return &s->spec->frames;
    if (dq_sequence_scan(&s->spec->plate, &s->plates, &ignored))
        return &s->depths;
    return &s->plates;
}

/* The first, the last, and evenly spaced ones between. */
static void thin_out(struct sheet *s)
{
    size_t all = s->done.count;
    size_t n = all < MOST_CELLS ? all : MOST_CELLS;

    for (size_t i = 0; i < n; i++)
        s->cells[i].frame = s->done.frames[n > 1 ? i * (all - 1) / (n - 1) : 0];
    s->count = (int)n;
}

static int pick_frames(struct sheet *s, struct dq_err *err)
{
    if (dq_sequence_scan(&s->spec->output.path, &s->depths, err))
        return dq_because(err, "nothing to look at yet");
    s->wanted = wanted_frames(s);
    s->done.frames = dq_new_array(s->depths.count, sizeof *s->done.frames);
    for (size_t i = 0; i < s->depths.count; i++)
        if (dq_range_find(s->wanted, s->depths.frames[i]) >= 0)
            s->done.frames[s->done.count++] = s->depths.frames[i];
    thin_out(s);
    if (s->count)
        return DQ_OK;
    return dq_fail(err, DQ_MISSING,
                   "nothing to look at yet: there is depth, but of no frame "
                   "of the job");
}

static int measure(struct sheet *s, struct dq_err *err)
{
    for (int i = 0; i < s->count && !err->code; i++) {
        char *path = dq_sequence_path(&s->spec->output.path, s->cells[i].frame);

        dq_preview_measure(path, &s->shot, err);
        free(path);
    }
    return err->code;
}

/* ---- cells ---------------------------------------------------------------*/

static void larger(int *most, int value)
{
    if (value > *most)
        *most = value;
}

/* A plate may be gone, or lie elsewhere: its place stays empty then. */
static void draw_plate(struct sheet *s, struct cell *c, int width)
{
    char *path = dq_sequence_path(&s->spec->plate, c->frame);
    struct dq_err ignored = {0};

    dq_preview_plate(path, width,
                     s->shot.has_exposure ? &s->shot.exposure_ev : NULL,
                     &c->plate, &ignored);
    free(path);
}

static int draw_cells(struct sheet *s, int width, struct dq_err *err)
{
    s->plate_h = EMPTY_H;
    for (int i = 0; i < s->count && !err->code; i++) {
        struct cell *c = &s->cells[i];
        char *path = dq_sequence_path(&s->spec->output.path, c->frame);

        draw_plate(s, c, width);
        dq_preview_depth(path, width, &s->shot.range, &c->depth, err);
        free(path);
        larger(&s->cell_w, c->depth.width);
        larger(&s->cell_w, c->plate.width);
        larger(&s->plate_h, c->plate.height);
        larger(&s->depth_h, c->depth.height);
    }
    return err->code;
}

/* ---- the whole -----------------------------------------------------------*/

/* A machine without fonts gets a sheet without letters. */
static void label(struct sheet *s, int x, int y,
                  const struct dq_letters *letters, const char *text)
{
    struct dq_err ignored = {0};

    dq_picture8_label(&s->all, x, y, letters, text, &ignored);
}

static void place_cell(struct sheet *s, int i, int top)
{
    const struct cell *c = &s->cells[i];
    int step = LABEL + s->plate_h + SEAM + s->depth_h + GAP;
    int x = MARGIN + i % COLUMNS * (s->cell_w + GAP);
    int y = top + i / COLUMNS * step;
    char text[32];

    snprintf(text, sizeof text, "%" PRId32, c->frame);
    label(s, x, y, &number, text);
    y += LABEL;
    if (c->plate.rgb) {
        dq_picture8_paste(&s->all, &c->plate, x, y);
    } else {
        dq_picture8_fill(&s->all, x, y, s->cell_w, s->plate_h, HOLE);
        label(s, x + 6, y + 4, &small, "no plate");
    }
    dq_picture8_paste(&s->all, &c->depth, x, y + s->plate_h + SEAM);
}

/* "frames 1001-1240: 236 of 240 done    demo-depth 1.0.0    inverse, relative"
 */
static void say_facts(struct sheet *s)
{
    const struct dq_preview_shot *shot = &s->shot;
    char *frames = dq_range_text(s->wanted);
    char *made = *shot->model
                     ? dq_asprintf("    model %s %s    %s%s%s", shot->model,
                                   shot->version, shot->kind,
                                   *shot->unit ? ", " : "", shot->unit)
                     : dq_strdup("");
    char *text = dq_asprintf("frames %.60s: %zu of %zu done%s", frames,
                             s->done.count, s->wanted->count, made);

    label(s, MARGIN, MARGIN + 34, &small, text);
    free(text);
    free(made);
    free(frames);
}

/* The colours, far to near, with the numbers of both ends. */
static int draw_legend(struct sheet *s, int x, int y, struct dq_err *err)
{
    const struct dq_preview_shot *shot = &s->shot;
    double far = shot->is_distance ? shot->range.high : shot->range.low;
    double near = shot->is_distance ? shot->range.low : shot->range.high;
    const char *unit = strcmp(shot->unit, "relative") ? shot->unit : "";
    struct dq_picture8 bar = {0};
    float steps[BAR_W * BAR_H];
    char text[128];

    for (int i = 0; i < BAR_W * BAR_H; i++)
        steps[i] = (float)(i % BAR_W) / (BAR_W - 1);
    if (dq_picture8_new(&bar, BAR_W, BAR_H, err))
        return err->code;
    if (!dq_picture8_turbo(steps, BAR_W, BAR_H, bar.rgb, err))
        dq_picture8_paste(&s->all, &bar, x, y);
    dq_picture8_free(&bar);
    snprintf(text, sizeof text, "far %.4g%s%s", far, *unit ? " " : "", unit);
    label(s, x, y + BAR_H + 6, &small, text);
    snprintf(text, sizeof text, "%.4g%s%s near", near, *unit ? " " : "", unit);
    label(s, x + BAR_W, y + BAR_H + 6, &right, text);
    return err->code;
}

static int compose(struct sheet *s, struct dq_err *err)
{
    int columns = s->count < COLUMNS ? s->count : COLUMNS;
    int rows = (s->count + COLUMNS - 1) / COLUMNS;
    int width = 2 * MARGIN + columns * (s->cell_w + GAP) - GAP;
    int is_wide = width >= WIDE;
    int top = MARGIN + HEADER + (is_wide ? 0 : LEGEND);
    int step = LABEL + s->plate_h + SEAM + s->depth_h + GAP;

    larger(&width, 2 * MARGIN + BAR_W);
    if (dq_picture8_new(&s->all, width, top + rows * step - GAP + MARGIN, err))
        return err->code;
    dq_picture8_fill(&s->all, 0, 0, s->all.width, s->all.height, BACKGROUND);
    label(s, MARGIN, MARGIN, &title, s->spec->name);
    say_facts(s);
    for (int i = 0; i < s->count; i++)
        place_cell(s, i, top);
    if (is_wide)
        return draw_legend(s, width - MARGIN - BAR_W, MARGIN + 6, err);
    return draw_legend(s, MARGIN, MARGIN + HEADER, err);
}

int dq_contact_sheet(const struct dq_spec *spec, int width, const char *output,
                     struct dq_err *err)
{
    struct sheet *s = dq_new(sizeof *s);

    s->spec = spec;
    if (!pick_frames(s, err) && !measure(s, err) &&
        !draw_cells(s, width, err) && !compose(s, err))
        dq_picture8_save(&s->all, output, err);
    for (int i = 0; i < s->count; i++) {
        dq_picture8_free(&s->cells[i].plate);
        dq_picture8_free(&s->cells[i].depth);
    }
    dq_picture8_free(&s->all);
    dq_range_free(&s->plates);
    dq_range_free(&s->depths);
    dq_range_free(&s->done);
    free(s);
    return err->code;
}
