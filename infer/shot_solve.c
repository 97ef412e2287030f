#include "infer/shot_solve.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sorted.h"
#include "infer/band.h"
#include "infer/shot_pairs.h"

enum { ROUNDS = 4, HALF = DQ_SHOT_LAG };

static const double LAMBDA = 1e-6, HUBER = 1.345;

/* ---- differences --------------------------------------------------------- */

struct stretch {
    const struct dq_pair *pairs;
    const double *target;
    double *weight; /* a pair; 0: not of this stretch */
    int count;
    int first, end, anchor; /* frames; end excluded */
    double *a, *b;          /* the band system over first .. end */
};

/* weight (x_i - x_j - target)^2; what is known of the anchor (x = 0) leaves
 * the equations, so that a pair with it may be of any length. */
static void add_difference(struct stretch *s, int i, int j, double target,
                           double weight)
{
    int row = i - s->first, col = j - s->first;

    if (i != s->anchor) {
        *dq_band_at(s->a, HALF, row, row) += weight;
        s->b[row] += weight * target;
    }
    if (j != s->anchor) {
        *dq_band_at(s->a, HALF, col, col) += weight;
        s->b[col] -= weight * target;
    }
    if (i != s->anchor && j != s->anchor)
        *dq_band_at(s->a, HALF, row > col ? row : col, row > col ? col : row) -=
            weight;
}

static void solve_once(struct stretch *s, double *x)
{
    int n = s->end - s->first;

    memset(s->a, 0, (size_t)n * (HALF + 1) * sizeof *s->a);
    memset(s->b, 0, (size_t)n * sizeof *s->b);
    for (int i = 0; i < s->count; i++)
        if (s->weight[i] > 0)
            add_difference(s, s->pairs[i].a, s->pairs[i].c, s->target[i],
                           s->weight[i]);
    for (int t = s->first; t + 1 < s->end; t++)
        add_difference(s, t + 1, t, 0, LAMBDA);
    *dq_band_at(s->a, HALF, s->anchor - s->first, s->anchor - s->first) = 1;
    s->b[s->anchor - s->first] = 0;
    if (dq_band_solve(s->a, s->b, n, HALF) == 0)
        memcpy(x + s->first, s->b, (size_t)n * sizeof *x);
}

static int is_of(const struct stretch *s, const struct dq_pair *p)
{
    int inside =
        p->a >= s->first && p->a < s->end && p->c >= s->first && p->c < s->end;

    return inside &&
           (abs(p->c - p->a) <= HALF || p->a == s->anchor || p->c == s->anchor);
}

/* Huber's weights on what the pairs leave over. */
static void reweigh(struct stretch *s, const double *q, double most,
                    const double *x, double *scratch)
{
    double *size = scratch, *sorted = scratch + s->count, reach;
    int n = 0;

    for (int i = 0; i < s->count; i++) {
        const struct dq_pair *p = &s->pairs[i];

        size[i] = fabs(x[p->a] - x[p->c] - s->target[i]);
        if (s->weight[i] > 0)
            sorted[n++] = size[i];
    }
    if (n == 0)
        return;
    dq_sort_doubles(sorted, (size_t)n);
    reach = HUBER * (1.4826 * sorted[n / 2] + 1e-9);
    for (int i = 0; i < s->count; i++)
        if (s->weight[i] > 0)
            s->weight[i] = q[i] / most * fmin(1, reach / fmax(size[i], 1e-30));
}

void dq_shot_differences(const struct dq_pair *pairs, const double *target,
                         int count, int first, int end, int anchor, double *x)
{
    size_t n = (size_t)(end - first), m = (size_t)count;
    double *all = dq_new_array(n * (HALF + 2) + m * 4, sizeof *all);
    struct stretch s = {.pairs = pairs,
                        .target = target,
                        .count = count,
                        .first = first,
                        .end = end,
                        .anchor = anchor,
                        .a = all,
                        .b = all + n * (HALF + 1),
                        .weight = all + n * (HALF + 2)};
    double *q = s.weight + m, most = 1e-300;

    for (int i = 0; i < count; i++)
        if (is_of(&s, &pairs[i]))
            most = fmax(most, q[i] = pairs[i].q);
    for (int i = 0; i < count; i++)
        s.weight[i] = q[i] / most;
    memset(x + first, 0, n * sizeof *x);
    for (int round = 0; round < ROUNDS; round++) {
        solve_once(&s, x);
        reweigh(&s, q, most, x, q + m);
    }
    free(all);
}

/* ---- the shot ------------------------------------------------------------ */

static void solve_stretch(const struct dq_pairs *l, int first, int end,
                          int anchor, int log_space,
                          struct dq_frame_affine *affine, double *x,
                          double *target)
{
    for (int i = 0; i < l->count; i++)
        target[i] = log(l->list[i].rho);
    if (log_space)
        memset(x + first, 0, (size_t)(end - first) * sizeof *x);
    else
        dq_shot_differences(l->list, target, l->count, first, end, anchor, x);
    for (int t = first; t < end; t++)
        affine[t].scale = exp(x[t]);
    for (int i = 0; i < l->count; i++) {
        const struct dq_pair *p = &l->list[i];

        target[i] = affine[p->c].scale * p->m_c - affine[p->a].scale * p->m_a;
    }
    dq_shot_differences(l->list, target, l->count, first, end, anchor, x);
    for (int t = first; t < end; t++)
        affine[t].shift = x[t];
}

/* Shifts are known along pairs that have a level, from the anchor on. */
static void find_known(const struct dq_pairs *l, int count,
                       struct dq_frame_affine *affine)
{
    int went_on = 1;

    for (int t = 0; t < count; t++)
        affine[t].known = affine[t].anchor     ? DQ_KNOWN_BOTH
                          : affine[t].evidence ? DQ_KNOWN_SCALE
                                               : DQ_KNOWN_NOTHING;
    while (went_on) {
        went_on = 0;
        for (int i = 0; i < l->count; i++) {
            struct dq_frame_affine *a = &affine[l->list[i].a];
            struct dq_frame_affine *c = &affine[l->list[i].c];

            if (!l->list[i].level || a->known == c->known)
                continue;
            a->known = c->known = DQ_KNOWN_BOTH;
            went_on = 1;
        }
    }
}

static void solve_all(const struct dq_shot_views *v, const int *anchors,
                      const struct dq_pairs *l, struct dq_frame_affine *affine)
{
    double *x = dq_new_array((size_t)v->count, sizeof *x);
    double *target = dq_new_array((size_t)l->count + 1, sizeof *target);

    for (int first = 0, end; first < v->count; first = end) {
        int anchor = anchors[affine[first].stretch];

        end = dq_stretch_end(affine, v->count, first);
        if (anchor < 0)
            continue;
        affine[anchor].anchor = 1;
        solve_stretch(l, first, end, anchor, v->log_space, affine, x, target);
    }
    for (int i = 0; i < l->count; i++) {
        affine[l->list[i].a].evidence++;
        affine[l->list[i].c].evidence++;
    }
    find_known(l, v->count, affine);
    free(target);
    free(x);
}

int dq_shot_solve(const struct dq_shot_views *v, struct dq_frame_affine *affine,
                  struct dq_err *err)
{
    struct dq_pairs l = {.count = 0};
    int *anchors = dq_new_array((size_t)v->count + 1, sizeof *anchors);

    for (int t = 0; t < v->count; t++) {
        struct dq_frame_affine fresh = {.scale = 1};

        affine[t] = fresh;
    }
    if (!dq_pairs_find(v, affine, anchors, &l, err))
        solve_all(v, anchors, &l, affine);
    free(l.list);
    free(anchors);
    return err->code;
}
