#include "infer/shot_points.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* From so many blocks on a look takes one of four. */
enum { MANY = 4096 };

struct dq_matcher *dq_matcher_new(const struct dq_shot_views *v,
                                  struct dq_err *err)
{
    struct dq_matcher *m;
    size_t n = (size_t)v->rows * (size_t)v->cols;

    if (v->count < 1 || v->rows < 2 || v->cols < 2 || v->luma_rows < 4 ||
        v->luma_cols < 4 || (v->luma_rows & (v->luma_rows - 1)) ||
        (v->luma_cols & (v->luma_cols - 1))) {
        dq_fail(err, DQ_BUG,
                "a shot of %d frames, %d x %d blocks, luma %d x %d", v->count,
                v->cols, v->rows, v->luma_cols, v->luma_rows);
        return NULL;
    }
    m = dq_new(sizeof *m);
    m->views = v;
    m->step = v->rows * v->cols < MANY ? 1 : 2;
    for (int i = 0; i < DQ_POINTS_KEPT; i++)
        m->kept_of[i].frame = -1;
    for (int i = 0; i < DQ_POINTS_SPECTRA; i++)
        m->spectrum_of[i].frame = -1;
    m->u = dq_new_array(n * 11, sizeof *m->u);
    m->v = m->u + n;
    m->w = m->v + n;
    m->luma_a = m->w + n;
    m->luma_c = m->luma_a + n;
    m->turn = m->luma_c + n;
    m->scratch = m->turn + n;
    for (int i = 0; i < 4; i++)
        m->off[i] = m->scratch + (size_t)(i + 1) * n;
    m->sums = dq_new_array(2 * (size_t)(v->rows + 1) * (size_t)(v->cols + 1),
                           sizeof *m->sums);
    m->at = dq_new_array(n, sizeof *m->at);
    return m;
}

void dq_matcher_free(struct dq_matcher *m)
{
    if (!m)
        return;
    for (int i = 0; i < DQ_POINTS_KEPT; i++) {
        dq_scape_free(m->kept[i].scape);
        free(m->kept[i].weight);
    }
    for (int i = 0; i < DQ_POINTS_SPECTRA; i++)
        dq_spectrum_free(m->spectra[i]);
    free(m->at);
    free(m->sums);
    free(m->u);
    free(m);
}

size_t dq_matcher_bytes(const struct dq_shot_views *v)
{
    size_t blocks = (size_t)v->rows * (size_t)v->cols;
    size_t lumas = (size_t)v->luma_rows * (size_t)v->luma_cols;
    size_t of_pair = blocks * (13 * sizeof(double) + sizeof(int));
    size_t of_frame = (2 * lumas + blocks) * sizeof(float); /* a scape has six
                                        planes of a third of its pixels */
    size_t spectrum = 2 * lumas * sizeof(double);

    return of_pair + DQ_POINTS_KEPT * of_frame + DQ_POINTS_SPECTRA * spectrum;
}

/* ---- a frame's own ------------------------------------------------------- */

/* Least and greatest of 3 x 3 blocks. */
static double range_about(const float *p, int rows, int cols, int y, int x)
{
    float low = INFINITY, high = -INFINITY;

    for (int j = y > 0 ? y - 1 : 0; j <= y + 1 && j < rows; j++)
        for (int i = x > 0 ? x - 1 : 0; i <= x + 1 && i < cols; i++) {
            float v = p[j * cols + i];

            low = v < low ? v : low;
            high = v > high ? v : high;
        }
    return (double)(high - low);
}

/* 1 / (1 + (r / (0.05 spread))^2), r the range over 3 x 3 blocks. */
static float *weight_new(const struct dq_shot_views *v, int t, double spread)
{
    const struct dq_shot_view *f = &v->frames[t];
    int rows = v->rows, cols = v->cols;
    float *weight = dq_new_array((size_t)rows * (size_t)cols, sizeof *weight);

    for (int y = 0; y < rows; y++)
        for (int x = 0; x < cols; x++) {
            double r = range_about(f->guide, rows, cols, y, x) /
                       (0.05 * spread + 1e-30);

            weight[y * cols + x] = (float)(1 / (1 + r * r)) *
                                   (f->real ? f->real[y * cols + x] : 1);
        }
    return weight;
}

/* The place of frame t: its own, or that of the frame that was asked for
 * longest ago. Whether it is its own. */
static int place_of(struct dq_matcher *m, struct dq_place *places, int count,
                    int t, int *at)
{
    int is_own;

    *at = 0;
    for (int i = 0; i < count && places[*at].frame != t; i++)
        if (places[i].frame == t || places[i].used < places[*at].used)
            *at = i;
    is_own = places[*at].frame == t;
    places[*at] = (struct dq_place){.frame = t, .used = ++m->clock};
    return is_own;
}

const struct dq_kept *dq_points_kept(struct dq_matcher *m, int t)
{
    const struct dq_shot_views *v = m->views;
    const struct dq_shot_view *f = &v->frames[t];
    struct dq_kept *k;
    int at, is_own = place_of(m, m->kept_of, DQ_POINTS_KEPT, t, &at);

    k = &m->kept[at];
    if (is_own)
        return k;
    dq_scape_free(k->scape);
    free(k->weight);
    k->scape = dq_scape_new(f->luma, v->luma_rows, v->luma_cols, f->guide,
                            v->rows, v->cols);
    k->weight = weight_new(v, t, k->scape->spread);
    return k;
}

const struct dq_spectrum *dq_points_spectrum(struct dq_matcher *m, int t)
{
    const struct dq_shot_views *v = m->views;
    struct dq_spectrum **k;
    int at, is_own = place_of(m, m->spectrum_of, DQ_POINTS_SPECTRA, t, &at);

    k = &m->spectra[at];
    if (is_own)
        return *k;
    dq_spectrum_free(*k);
    *k = dq_spectrum_new(v->frames[t].luma, v->luma_rows, v->luma_cols);
    return *k;
}

/* ---- sampling ------------------------------------------------------------ */

/* Bilinear p at (y, x); false outside. */
static inline int sample(const float *p, int rows, int cols, double y, double x,
                         double *value)
{
    if (!(y >= 0 && x >= 0 && y <= rows - 1 && x <= cols - 1))
        return 0;
    *value = dq_scape_sample(p, rows, cols, y, x);
    return 1;
}

static inline double inside(double at, double end)
{
    at = at > 0 ? at : 0;
    return at < end ? at : end;
}

/* The luma at a place in blocks. */
static void sample_luma(const struct dq_shot_views *v, const float *luma,
                        double y, double x, double *value)
{
    double ry = (double)v->luma_rows / v->rows;
    double rx = (double)v->luma_cols / v->cols;

    sample(luma, v->luma_rows, v->luma_cols,
           inside((y + 0.5) * ry - 0.5, v->luma_rows - 1),
           inside((x + 0.5) * rx - 0.5, v->luma_cols - 1), value);
}

/* ---- where points meet --------------------------------------------------- */

/* Places in a and in c (blocks) that are one point. */
struct meeting {
    double a[2], c[2];
    double turn;
};

/* What is the same for all points of a pair. */
struct way {
    const struct dq_shot_views *views;
    const struct dq_course *course;
    const struct dq_scape *scape; /* of a */
    const float *guide;           /* of a */
    double aspect;                /* height over width */
    double unit, half;            /* a block; half of a way, in blocks */
    struct dq_turn turn;          /* of the course's motion */
};

/* Half way at the block (y, x) by a motion; false: nowhere. */
static int meet_moved(const struct way *way, int y, int x, struct meeting *at)
{
    const struct dq_shot_views *v = way->views;
    const struct dq_motion *motion = way->course->motion;
    double aspect = way->aspect, px, py, to_x, to_y, value;

    at->a[0] = y;
    at->a[1] = x;
    for (int round = 0; round < 3; round++) {
        double half_y, half_x;

        if (!sample(way->guide, v->rows, v->cols, at->a[0], at->a[1], &value))
            return 0;
        px = (at->a[1] + 0.5) * way->unit - 1;
        py = (at->a[0] + 0.5) * way->unit - aspect;
        if (!(dq_motion_to(motion, &way->turn, px, py,
                           dq_scape_depth(way->scape, value), &to_x,
                           &to_y) > 0.2))
            return 0;
        at->turn =
            (1 - motion->kappa * (motion->t[0] * px + motion->t[1] * py)) /
            way->turn.c;
        half_y = (to_y - py) * way->half;
        half_x = (to_x - px) * way->half;
        at->a[0] = y - half_y;
        at->a[1] = x - half_x;
        at->c[0] = y + half_y;
        at->c[1] = x + half_x;
    }
    return 1;
}

static inline int meet(const struct way *way, int y, int x, struct meeting *at)
{
    const struct dq_course *course = way->course;

    if (course->motion)
        return meet_moved(way, y, x, at);
    at->a[0] = y - course->dy / 2;
    at->a[1] = x - course->dx / 2;
    at->c[0] = y + course->dy / 2;
    at->c[1] = x + course->dx / 2;
    at->turn = 1;
    return 1;
}

static struct way way_of(struct dq_matcher *m, int a,
                         const struct dq_course *course)
{
    const struct dq_shot_views *v = m->views;
    struct way way = {.views = m->views,
                      .course = course,
                      .scape = dq_points_kept(m, a)->scape,
                      .guide = m->views->frames[a].guide,
                      .aspect = (double)v->rows / v->cols,
                      .unit = 2.0 / v->cols,
                      .half = v->cols / 4.0};

    if (course->motion)
        way.turn = dq_motion_turn(course->motion);
    return way;
}

static int is_inside(const struct dq_shot_views *v, const double at[2])
{
    return at[0] >= 0 && at[1] >= 0 && at[0] <= v->rows - 1 &&
           at[1] <= v->cols - 1;
}

int dq_points_looked(const struct dq_matcher *m)
{
    return ((m->views->rows + m->step - 1) / m->step) *
           ((m->views->cols + m->step - 1) / m->step);
}

int dq_points_look(struct dq_matcher *m, int a, int c,
                   const struct dq_course *course)
{
    const struct dq_shot_views *v = m->views;
    const struct way way = way_of(m, a, course);
    struct meeting at;
    int n = 0;

    for (int y = 0; y < v->rows; y += m->step)
        for (int x = 0; x < v->cols; x += m->step) {
            if (!meet(&way, y, x, &at) || !is_inside(v, at.a) ||
                !is_inside(v, at.c))
                continue;
            sample_luma(v, v->frames[a].luma, at.a[0], at.a[1], &m->luma_a[n]);
            sample_luma(v, v->frames[c].luma, at.c[0], at.c[1], &m->luma_c[n]);
            n++;
        }
    return n;
}

int dq_points_gather(struct dq_matcher *m, int a, int c,
                     const struct dq_course *course)
{
    const struct dq_shot_views *v = m->views;
    const struct dq_shot_view *fa = &v->frames[a], *fc = &v->frames[c];
    const float *wa = dq_points_kept(m, a)->weight;
    const float *wc = dq_points_kept(m, c)->weight;
    const struct way way = way_of(m, a, course);
    struct meeting at;
    int n = 0, rows = v->rows, cols = v->cols;

    for (int y = 0; y < rows; y++)
        for (int x = 0; x < cols; x++) {
            double one, two;

            if (!meet(&way, y, x, &at) ||
                !sample(fa->guide, rows, cols, at.a[0], at.a[1], &m->u[n]) ||
                !sample(fc->guide, rows, cols, at.c[0], at.c[1], &m->v[n]))
                continue;
            sample(wa, rows, cols, at.a[0], at.a[1], &one);
            sample(wc, rows, cols, at.c[0], at.c[1], &two);
            m->w[n] = one < two ? one : two;
            m->at[n] = y * cols + x;
            m->turn[n] = at.turn;
            sample_luma(v, fa->luma, at.a[0], at.a[1], &m->luma_a[n]);
            sample_luma(v, fc->luma, at.c[0], at.c[1], &m->luma_c[n]);
            n++;
        }
    return n;
}
