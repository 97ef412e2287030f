#include "infer/gather.h"

#include "io/resample.h"

int dq_gather_index(int i, int n, int pad)
{
    if (i >= 0 && i < n)
        return i;
    if (pad >= n)
        return i < 0 ? 0 : n - 1;
    return i < 0 ? -i : 2 * (n - 1) - i;
}

/* Source samples for positions start .. start + count - 1. */
static void index_axis(int start, int count, int n, int *index)
{
    int before = -start, after = start + count - n;
    int pad = before > after ? before : after;

    for (int i = 0; i < count; i++)
        index[i] = dq_gather_index(start + i, n, pad);
}

/* Value of display 0..1 -> what the network was trained on. */
struct line {
    float scale, shift;
};

static struct line line_of(const struct dq_model *m, int channel)
{
    struct line l = {(m->range[1] - m->range[0]) / m->std[channel],
                     (m->range[0] - m->mean[channel]) / m->std[channel]};

    return l;
}

/* The identity must stay the identity to the last bit. */
static int is_identity(struct line l)
{
    return !(l.scale < 1) && !(l.scale > 1) && !(l.shift < 0) && !(l.shift > 0);
}

static int source_channel(const struct dq_model *m, int channel)
{
    return m->channels[0] == 'B' ? 2 - channel : channel;
}

static void gather_plane(const float *plane, int width, const int *xs, int w,
                         const int *ys, int h, struct line l, float *out)
{
    int plain = is_identity(l);

    for (int y = 0; y < h; y++) {
        const float *row = plane + (size_t)ys[y] * (size_t)width;

        if (plain)
            for (int x = 0; x < w; x++)
                *out++ = row[xs[x]];
        else
            for (int x = 0; x < w; x++)
                *out++ = row[xs[x]] * l.scale + l.shift;
    }
}

void dq_gather_tile(const struct dq_picture *p, const struct dq_model *model,
                    int x, int y, int w, int h, int *index, float *out)
{
    size_t plane = (size_t)p->width * (size_t)p->height;

    index_axis(x - p->x, w, p->width, index);
    index_axis(y - p->y, h, p->height, index + w);
    for (int c = 0; c < 3; c++)
        gather_plane(p->rgb + plane * (size_t)source_channel(model, c),
                     p->width, index, w, index + w, h, line_of(model, c),
                     out + (size_t)c * (size_t)w * (size_t)h);
}

int dq_gather_guide(const struct dq_picture *p, const struct dq_model *model,
                    const struct dq_tile_plan *plan, float *content, int *index,
                    float *out, struct dq_err *err)
{
    struct dq_window lattice = {-p->x, -p->y, (double)plan->width - p->x,
                                (double)plan->height - p->y};
    size_t plane = (size_t)p->width * (size_t)p->height;
    size_t guide = (size_t)plan->guide_w * (size_t)plan->guide_h;

    index_axis(0, plan->guide_w, plan->content_w, index);
    index_axis(0, plan->guide_h, plan->content_h, index + plan->guide_w);
    for (int c = 0; c < 3; c++) {
        if (dq_resample_window(p->rgb +
                                   plane * (size_t)source_channel(model, c),
                               p->height, p->width, p->width, &lattice, content,
                               plan->content_h, plan->content_w, err))
            return err->code;
        gather_plane(content, plan->content_w, index, plan->guide_w,
                     index + plan->guide_w, plan->guide_h, line_of(model, c),
                     out + (size_t)c * guide);
    }
    return DQ_OK;
}
