#include "infer/probe.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

enum { TRY_BATCH = 4 };
enum shade { SCENE, BLACK, WHITE };

/* One size under trial: buffers for the largest batch. */
struct trial {
    const struct dq_model *model;
    const struct dq_backend *backend;
    struct dq_net *net;
    int height, width;
    float *in, *alone, *out;
};

static size_t pixels(const struct trial *t)
{
    return (size_t)t->height * (size_t)t->width;
}

static size_t answers(const struct trial *t)
{
    return pixels(t) * (size_t)t->model->output_channels;
}

/* ---- pictures ------------------------------------------------------------*/

/* A display value in the network's numbers. */
static float number(const struct dq_model *m, int plane, double display)
{
    double value = m->range[0] + display * (m->range[1] - m->range[0]);

    return (float)((value - m->mean[plane]) / m->std[plane]);
}

/* A slope, a pattern and grain, another for every seed; or one shade. */
static void paint(const struct trial *t, float *into, uint32_t seed,
                  enum shade shade)
{
    uint32_t noise = seed * 2654435761U + 1;

    for (int plane = 0; plane < 3; plane++)
        for (int y = 0; y < t->height; y++)
            for (int x = 0; x < t->width; x++) {
                double v = 0.5 * y / t->height +
                           0.25 * (((x + (int)seed * 3) / 16 + y / 16) & 1);

                noise = noise * 1664525U + 1013904223U;
                v = (v + 0.25 * (noise >> 8) / 16777216.0) * (1 - 0.1 * plane);
                *into++ = number(t->model, plane,
                                 shade == SCENE ? v : shade == WHITE);
            }
}

static void paint_batch(const struct trial *t, int batch, uint32_t seed,
                        enum shade shade)
{
    for (int i = 0; i < batch; i++)
        paint(t, t->in + (size_t)i * 3 * pixels(t), seed + (uint32_t)i, shade);
}

/* ---- answers -------------------------------------------------------------*/

static double bound_of(const struct dq_model *model, double of_float32)
{
    return model->dtype == DQ_DTYPE_FLOAT32   ? of_float32
           : model->dtype == DQ_DTYPE_FLOAT16 ? 5e-3
                                              : 4e-2;
}

/* Largest difference as a share of want's range. */
static double apart(const float *want, const float *got, size_t count)
{
    double low = want[0], high = want[0], worst = 0;

    for (size_t i = 0; i < count; i++) {
        low = fmin(low, want[i]);
        high = fmax(high, want[i]);
        worst = fmax(worst, fabs((double)want[i] - got[i]));
    }
    return worst > 0 ? worst / (high - low) : 0;
}

static int forward(const struct trial *t, int batch, float *out,
                   struct dq_err *err)
{
    size_t count = (size_t)batch * answers(t);

    if (t->backend->run(t->net, t->in, batch, t->height, t->width, out, err))
        return dq_because(err, "%dx3x%dx%d", batch, t->height, t->width);
    for (size_t i = 0; i < count; i++)
        if (!isfinite(out[i]))
            return dq_fail(err, DQ_ANSWER, "%dx3x%dx%d: answers NaN or Inf",
                           batch, t->height, t->width);
    return DQ_OK;
}

/* The faster of two, and that they are the same. */
static int measure(const struct trial *t, int batch, float *out,
                   struct dq_probe *found, struct dq_err *err)
{
    struct dq_probe_measure *m = &found->measures[found->measured];
    size_t bytes = (size_t)batch * answers(t) * sizeof *out;
    float *first = dq_new_array(1, bytes);
    double begun = dq_clock_s(), seconds;

    assert(found->measured < DQ_PROBE_MEASURES);
    if (!forward(t, batch, first, err)) {
        seconds = dq_clock_s() - begun;
        begun = dq_clock_s();
        if (!forward(t, batch, out, err) && memcmp(first, out, bytes) != 0)
            dq_fail(err, DQ_ANSWER,
                    "%dx3x%dx%d: answers otherwise when it is asked again; "
                    "does it draw random numbers?",
                    batch, t->height, t->width);
        *m = (struct dq_probe_measure){t->height, t->width, batch,
                                       fmin(seconds, dq_clock_s() - begun)};
        found->measured++;
    }
    free(first);
    return err->code;
}

/* ---- what must hold ------------------------------------------------------*/

static int check_shades(const struct trial *t, int batch, struct dq_err *err)
{
    for (enum shade shade = BLACK; shade <= WHITE; shade++) {
        paint_batch(t, batch, 0, shade);
        if (forward(t, batch, t->out, err))
            return dq_because(err, "a %s picture",
                              shade == BLACK ? "black" : "white");
    }
    return DQ_OK;
}

/* alone holds the answer to the pictures of seed 0. */
static int check_looks(const struct trial *t, int batch, struct dq_err *err)
{
    paint_batch(t, batch, 77, SCENE);
    if (!forward(t, batch, t->out, err) &&
        memcmp(t->out, t->alone, (size_t)batch * answers(t) * sizeof(float)) ==
            0)
        return dq_fail(err, DQ_ANSWER, "answers the same for any picture");
    return err->code;
}

/* before: a batch's answers to the pictures of seeds 0 and on. In another batch
 * of that size each picture is a place earlier, beside others: the same sums
 * are made, so that any difference is the neighbours' doing. */
static int check_places(const struct trial *t, int batch, const float *before,
                        struct dq_probe *found, struct dq_err *err)
{
    size_t one = answers(t);
    float *moved = dq_new_array((size_t)batch * one, sizeof *moved);

    paint_batch(t, batch, 1, SCENE);
    forward(t, batch, moved, err);
    for (size_t i = 1; i < (size_t)batch && !err->code; i++)
        found->place_apart =
            fmax(found->place_apart,
                 apart(before + i * one, moved + (i - 1) * one, one));
    free(moved);
    if (!err->code && found->place_apart > bound_of(t->model, 1e-5))
        dq_fail(err, DQ_ANSWER,
                "%dx3x%dx%d: a picture's answer moves by %.2g of its range "
                "with what lies beside it in the batch; export it with a "
                "batch of 1 and say so, input.batch",
                batch, t->height, t->width, found->place_apart);
    return err->code;
}

/* The last picture of a batch against itself alone, and the first. */
static int check_batch(const struct trial *t, int batch, struct dq_probe *found,
                       struct dq_err *err)
{
    size_t last = (size_t)(batch - 1) * answers(t);
    double first_apart, last_apart;

    paint_batch(t, batch, 0, SCENE);
    if (measure(t, batch, t->out, found, err))
        return err->code;
    first_apart = apart(t->alone, t->out, answers(t));
    paint(t, t->in, (uint32_t)batch - 1, SCENE);
    if (forward(t, 1, t->alone, err))
        return err->code;
    last_apart = apart(t->alone, t->out + last, answers(t));
    found->batch_apart =
        fmax(found->batch_apart, fmax(first_apart, last_apart));
    if (found->batch_apart > bound_of(t->model, 1e-4))
        return dq_fail(err, DQ_ANSWER,
                       "%dx3x%dx%d: a picture's answer is %.2g of its range "
                       "away from its answer alone; declare the batch that is "
                       "baked in, input.batch",
                       batch, t->height, t->width, found->batch_apart);
    return DQ_OK;
}

static int try_size(const struct trial *t, int is_first, struct dq_probe *found,
                    struct dq_err *err)
{
    int batch = t->model->batch ? t->model->batch : 1;

    paint_batch(t, batch, 0, SCENE);
    if (measure(t, batch, t->alone, found, err))
        return err->code;
    if (is_first && (check_looks(t, batch, err) || check_shades(t, batch, err)))
        return err->code;
    if (t->model->batch)
        return batch > 1 ? check_places(t, batch, t->alone, found, err) : DQ_OK;
    if (check_batch(t, is_first ? TRY_BATCH : 2, found, err))
        return err->code;
    return is_first ? check_places(t, TRY_BATCH, t->out, found, err) : DQ_OK;
}

/* ---- sizes ---------------------------------------------------------------*/

static int near_side(const struct dq_model *m, int side)
{
    int step = m->multiple, most = m->max / step * step;

    side = side < m->min ? m->min : side > m->max ? m->max : side;
    side = (side + step - 1) / step * step;
    side = side > most ? most : side;
    return side < step ? step : side;
}

/* Square, wide, tall, small -> how many there are. */
static int sizes_of(const struct dq_model *m, int sizes[4][2])
{
    int side = m->preferred, wide, small;

    if (m->fixed[0]) {
        memcpy(sizes[0], m->fixed, sizeof sizes[0]);
        return 1;
    }
    wide = near_side(m, side * 4 / 3 + m->multiple);
    small = near_side(m, side / 2);
    sizes[0][0] = sizes[0][1] = sizes[1][0] = sizes[2][1] = side;
    sizes[1][1] = sizes[2][0] = wide;
    sizes[3][0] = small;
    sizes[3][1] = near_side(m, side / 2 + m->multiple);
    return wide == side && small == side ? 1 : 4;
}

static void trial_open(struct trial *t, int height, int width)
{
    size_t batch = t->model->batch > TRY_BATCH ? (size_t)t->model->batch
                                               : (size_t)TRY_BATCH;

    t->height = height;
    t->width = width;
    t->in = dq_new_array(batch * 3 * pixels(t), sizeof *t->in);
    t->alone = dq_new_array(batch * answers(t), sizeof *t->alone);
    t->out = dq_new_array(batch * answers(t), sizeof *t->out);
}

static void trial_close(struct trial *t)
{
    free(t->in);
    free(t->alone);
    free(t->out);
}

static int try_golden(struct trial *t, const struct dq_golden *golden,
                      struct dq_probe *found, struct dq_err *err)
{
    size_t batch = (size_t)golden->batch;

    if (t->model->batch && golden->batch != t->model->batch)
        return dq_fail(err, DQ_MODEL, "the golden tile is of another batch");
    trial_open(t, golden->height, golden->width);
    free(t->in);
    t->in = dq_new_array(batch * 3 * pixels(t), sizeof *t->in);
    memcpy(t->in, golden->picture, batch * 3 * pixels(t) * sizeof *t->in);
    free(t->out);
    t->out = dq_new_array(batch * answers(t), sizeof *t->out);
    if (!forward(t, golden->batch, t->out, err)) {
        found->golden_apart = apart(golden->answer, t->out, batch * answers(t));
        if (!(found->golden_apart <= golden->bound))
            dq_fail(err, DQ_ANSWER,
                    "the golden tile's answer is %.2g of its range away from "
                    "the one that is stored (allowed %.2g)",
                    found->golden_apart, golden->bound);
    }
    trial_close(t);
    return err->code;
}

int dq_probe_run(const struct dq_model *model, const struct dq_backend *backend,
                 struct dq_net *net, const struct dq_golden *golden,
                 struct dq_probe *found, struct dq_err *err)
{
    struct trial t = {.model = model, .backend = backend, .net = net};
    int sizes[4][2], count = sizes_of(model, sizes);

    memset(found, 0, sizeof *found);
    found->golden_apart = -1;
    for (int i = 0; i < count && !err->code; i++) {
        trial_open(&t, sizes[i][0], sizes[i][1]);
        try_size(&t, i == 0, found, err);
        trial_close(&t);
    }
    if (!err->code && golden->picture)
        try_golden(&t, golden, found, err);
    return err->code;
}
