#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/compare.h"
#include "io/preview.h"

enum { MOST = 8, COLUMNS = 4, MARGIN = 16, GAP = 12, SEAM = 2, LABEL = 22 };
enum { BACKGROUND = 26, BRIGHT = 236 };

static const struct dq_letters letters = {.size = 15, .grey = BRIGHT};

struct sheet {
    const struct dq_sequence *old, *new;
    const struct dq_compare *c;
    struct dq_preview_range ranges[2]; /* of old's and of new's own numbers */
    int width;
    struct dq_picture8 all;
};

/* Frames that were compared, first, last and evenly between. */
static int pick(const struct dq_compare *c,
                const struct dq_compare_frame *picked[MOST])
{
    size_t good = 0, at = 0;
    int count = 0;

    for (size_t i = 0; i < c->count; i++)
        good += !c->frames[i].err.code;
    for (size_t i = 0; i < c->count && count < MOST; i++) {
        size_t n = good < MOST ? good : MOST;

        if (c->frames[i].err.code)
            continue;
        if (at == (n > 1 ? (size_t)count * (good - 1) / (n - 1) : 0))
            picked[count++] = &c->frames[i];
        at++;
    }
    return count;
}

/* The same colours for the same depth: new's range is old's through the fit.
 * (A fit that turns depth over has no such range; new shows its own.) */
static void find_ranges(struct sheet *s)
{
    const struct dq_compare *c = s->c;

    s->ranges[0] = (struct dq_preview_range){c->low, c->high};
    s->ranges[1] = (struct dq_preview_range){(c->low - c->shift) / c->scale,
                                             (c->high - c->shift) / c->scale};
}

static int draw(const struct sheet *s, const struct dq_sequence *from,
                int which, int32_t frame, struct dq_picture8 *out,
                struct dq_err *err)
{
    char *path = dq_sequence_path(from, frame);
    const struct dq_preview_range *range = &s->ranges[which];

    dq_preview_depth(path, s->width, range->low < range->high ? range : NULL,
                     out, err);
    free(path);
    return err->code;
}

static void place(struct sheet *s, const struct dq_compare_frame *f, int i,
                  const struct dq_picture8 cell[2])
{
    int step = LABEL + cell[0].height + SEAM + cell[1].height + GAP;
    int x = MARGIN + i % COLUMNS * (s->width + GAP);
    int y = MARGIN + LABEL + i / COLUMNS * step;
    char text[96];
    struct dq_err ignored = {0};

    snprintf(text, sizeof text, "%" PRId32 "  mean %.2f %%  p95 %.2f %%",
             f->frame, 100 * f->mean, 100 * f->p95);
    dq_picture8_label(&s->all, x, y, &letters, text, &ignored);
    dq_picture8_paste(&s->all, &cell[0], x, y + LABEL);
    dq_picture8_paste(&s->all, &cell[1], x, y + LABEL + cell[0].height + SEAM);
}

static int begin(struct sheet *s, int count, const struct dq_picture8 cell[2],
                 struct dq_err *err)
{
    int columns = count < COLUMNS ? count : COLUMNS;
    int rows = (count + COLUMNS - 1) / COLUMNS;
    int step = LABEL + cell[0].height + SEAM + cell[1].height + GAP;
    struct dq_err ignored = {0};

    if (dq_picture8_new(&s->all, 2 * MARGIN + columns * (s->width + GAP) - GAP,
                        2 * MARGIN + LABEL + rows * step - GAP, err))
        return err->code;
    dq_picture8_fill(&s->all, 0, 0, s->all.width, s->all.height, BACKGROUND);
    dq_picture8_label(&s->all, MARGIN, MARGIN - 6, &letters,
                      "old above, new below, in one range", &ignored);
    return DQ_OK;
}

static int add_cell(struct sheet *s, const struct dq_compare_frame *f, int i,
                    int count, struct dq_err *err)
{
    struct dq_picture8 cell[2] = {{0}, {0}};

    if (!draw(s, s->old, 0, f->frame, &cell[0], err) &&
        !draw(s, s->new, 1, f->frame, &cell[1], err) &&
        (s->all.rgb || !begin(s, count, cell, err)))
        place(s, f, i, cell);
    dq_picture8_free(&cell[0]);
    dq_picture8_free(&cell[1]);
    return err->code;
}

int dq_compare_sheet(const struct dq_sequence *old,
                     const struct dq_sequence *newer,
                     const struct dq_compare *compare, int width,
                     const char *output, struct dq_err *err)
{
    struct sheet s = {.old = old, .new = newer, .c = compare, .width = width};
    const struct dq_compare_frame *picked[MOST];
    int count = pick(compare, picked);

    find_ranges(&s);
    for (int i = 0; i < count && !err->code; i++)
        add_cell(&s, picked[i], i, count, err);
    if (!err->code)
        dq_picture8_save(&s.all, output, err);
    dq_picture8_free(&s.all);
    return err->code;
}
