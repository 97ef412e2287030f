#include "infer/shot_motion.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sorted.h"

enum { ROUNDS = 5, N = DQ_MOTION_UNKNOWNS, LEAST = 200 };

/* Of every so many pixels one says how far most are off: no divisor of a
 * picture's width, so that all columns are asked. */
enum { ASKED = 5 };

static const double HUBER = 1.345, RIDGE = 1e-7, FARTHEST = 0.5, KAPPA = 0.2,
                    LENS = 1e-5;

/* A step of so many pixels is none; the last round mends what is left. */
static const double NO_STEP = 0.01;

/* ---- the motion ---------------------------------------------------------- */

/* A pixel of a that c shows too. */
struct spot {
    float x, y, g;    /* place and depth in a */
    float to_x, to_y; /* where it comes to */
    float off;        /* how far c's luma there is off, */
    float gx, gy;     /* and its slopes there, over D */
};

/* Compilers make two or four numbers in one step of these. */
typedef double two_doubles __attribute__((vector_size(16)));
typedef float four_floats __attribute__((vector_size(16)));

/* Two frames at one size. */
struct two {
    const struct dq_scape_size *a, *c;
    double aspect;
    struct spot *spots;  /* of all pixels of a at most */
    double *scratch;     /* a fifth as many */
    struct dq_turn turn; /* of the motion in hand */
};

/* Luma and slopes of c at (y, x), inside. */
static inline four_floats shade_at(const struct dq_scape_size *c, double y,
                                   double x)
{
    int j = (int)y, i = (int)x;
    float fy = (float)(y - j), fx = (float)(x - i);
    const float *p = c->shades + 4 * (j * c->cols + i), *q = p + 4 * c->cols;
    four_floats tl, tr, ll, lr;

    memcpy(&tl, p, sizeof tl);
    memcpy(&tr, p + 4, sizeof tr);
    memcpy(&ll, q, sizeof ll);
    memcpy(&lr, q + 4, sizeof lr);
    tl += (tr - tl) * fx;
    ll += (lr - ll) * fx;
    return tl + (ll - tl) * fy;
}

/* The pixel (j, i); false where it leaves the picture. */
static inline int spot_of(const struct two *t, const struct dq_motion *m, int j,
                          int i, struct spot *spot)
{
    const struct dq_scape_size *a = t->a, *c = t->c;
    double wide = c->cols / 2.0, high = c->rows / (2 * t->aspect);
    double x = (i + 0.5) * (2.0 / a->cols) - 1;
    double y = (j + 0.5) * (2 * t->aspect / a->rows) - t->aspect;
    double g = (double)a->depth[j * a->cols + i], to_x, to_y;
    double d = dq_motion_to(m, &t->turn, x, y, g, &to_x, &to_y);
    double px = (to_x + 1) * wide - 0.5, py = (to_y + t->aspect) * high - 0.5;
    double by = 1 / d;
    four_floats shade;

    if (!(d > 0.2) ||
        !(px >= 1 && px <= c->cols - 2 && py >= 1 && py <= c->rows - 2))
        return 0;
    shade = shade_at(c, py, px);
    *spot = (struct spot){.x = (float)x,
                          .y = (float)y,
                          .g = (float)g,
                          .to_x = (float)to_x,
                          .to_y = (float)to_y,
                          .off = shade[0] - a->luma[j * a->cols + i],
                          .gx = shade[1] * (float)(wide * by),
                          .gy = shade[2] * (float)(high * by)};
    return 1;
}

/* All spots, or every other one -> how many. */
static int spots_of(struct two *t, const struct dq_motion *m, int thin)
{
    int n = 0;

    t->turn = dq_motion_turn(m);
    for (int j = 0; j < t->a->rows; j++)
        for (int i = thin ? j & 1 : 0; i < t->a->cols; i += 1 + thin)
            n += spot_of(t, m, j, i, &t->spots[n]);
    return n;
}

/* The Huber bound of what is off. */
static double reach_of(const struct two *t, int n)
{
    int asked = 0;

    for (int i = 0; i < n; i += ASKED)
        t->scratch[asked++] = fabs((double)t->spots[i].off);
    return HUBER * 1.4826 *
               dq_nth_double(t->scratch, (size_t)asked, (size_t)asked / 2) +
           1e-6;
}

/* Geman and McClure's: Huber's still lets a third of the picture that moves
 * of itself pull at the rest. A camera that is free is only asked what could be
 * explained at most. */
static double strict_weight(double r)
{
    double k = 1 + r * r;

    return 1 / (k * k);
}

static double huber_weight(double r)
{
    double size = fabs(r);

    return size > 1 ? 1 / size : 1;
}

struct normal {
    union {
        double left[N][N];
        two_doubles by_two[N][N / 2];
    };
    double right[N];
};

/* How a spot's luma changes with each unknown, w times squared. */
static inline void add_spot(struct normal *e, const struct spot *s,
                            const struct dq_motion *m,
                            const struct dq_turn *turn, double w)
{
    double x = (double)s->x, y = (double)s->y, g = (double)s->g;
    double gx = (double)s->gx, gy = (double)s->gy;
    double along = gx * (double)s->to_x + gy * (double)s->to_y;
    double tx = m->t[0] * x + m->t[1] * y;
    double tt = m->t[0] * m->t[0] + m->t[1] * m->t[1];
    double lens =
        (gx * (tt * x - m->t[0] * tx) + gy * (tt * y - m->t[1] * tx)) /
        (2 * turn->c);
    const union {
        double one[N];
        two_doubles two[N / 2];
    } row = {.one = {gx + m->kappa * x * along, gy + m->kappa * y * along,
                     gx * g, gy * g, along, along * g, along * tx + lens,
                     gy * x - gx * y}};

    for (int k = 0; k < N; k++) {
        double by = w * row.one[k];
        two_doubles *left = e->by_two[k];

        left[0] += by * row.two[0];
        left[1] += by * row.two[1];
        left[2] += by * row.two[2];
        left[3] += by * row.two[3];
        e->right[k] -= by * (double)s->off;
    }
}

/* Solve the symmetric a p = b in place by Cholesky; false: it is singular. */
static int solve(double a[N][N], double b[N])
{
    for (int j = 0; j < N; j++) {
        for (int k = 0; k < j; k++)
            a[j][j] -= a[j][k] * a[j][k];
        if (!(a[j][j] > 0))
            return 0;
        a[j][j] = sqrt(a[j][j]);
        for (int i = j + 1; i < N; i++) {
            for (int k = 0; k < j; k++)
                a[i][j] -= a[i][k] * a[j][k];
            a[i][j] /= a[j][j];
        }
    }
    for (int i = 0; i < N; i++) {
        for (int k = 0; k < i; k++)
            b[i] -= a[i][k] * b[k];
        b[i] /= a[i][i];
    }
    for (int i = N - 1; i >= 0; i--) {
        for (int k = i + 1; k < N; k++)
            b[i] -= a[k][i] * b[k];
        b[i] /= a[i][i];
    }
    return 1;
}

/* What a camera of that kind does not do stays as it is. */
static void hold(struct normal *e, enum dq_motion_kind kind)
{
    int turns = kind == DQ_MOTION_TURN, goes = kind == DQ_MOTION_GO;
    const int held[N] = {[2] = turns || goes, turns || goes, turns, turns};

    for (int k = 0; k < N; k++)
        for (int l = 0; l <= k; l++)
            if (held[k] || held[l])
                e->left[k][l] = k == l;
    for (int k = 0; k < N; k++)
        e->right[k] = held[k] ? 0 : e->right[k];
}

static int solve_normal(struct normal *e, const struct dq_motion *m,
                        enum dq_motion_kind kind)
{
    double trace = 0;

    for (int k = 0; k < N; k++)
        trace += e->left[k][k] / N;
    for (int k = 0; k < N; k++)
        e->left[k][k] += RIDGE * trace + 1e-12;
    e->left[6][6] += LENS * trace; /* a short way tells little of the lens */
    e->right[6] += LENS * trace * (KAPPA - m->kappa);
    hold(e, kind);
    return solve(e->left, e->right);
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

/* Go by what was found -> how far that moves pixels at most, about, in half
 * picture widths. */
static double go_by(struct dq_motion *m, const double found[N])
{
    double kappa = fmin(fmax(m->kappa + found[6], 0), 1);
    double lens = fabs(kappa - m->kappa) * (fabs(m->t[0]) + fabs(m->t[1]));
    double step = larger(lens, fabs(found[7]));

    for (int k = 0; k < 2; k++) {
        m->t[k] += found[k];
        m->s[k] += found[2 + k];
        step = larger(step, larger(fabs(found[k]), 2 * fabs(found[2 + k])));
    }
    m->zeta += found[4];
    m->tz += found[5];
    m->roll += found[7];
    m->kappa = kappa;
    return larger(step, larger(fabs(found[4]), 2 * fabs(found[5])));
}

static int is_sane(const struct dq_motion *m)
{
    double most = fmax(fmax(fabs(m->zeta), fabs(m->tz)), fabs(m->roll));

    most = fmax(most, fmax(fabs(m->s[0]), fabs(m->s[1])));
    return most < FARTHEST && fabs(m->t[0]) < 2 && fabs(m->t[1]) < 2;
}

/* One step of Gauss and Newton -> its size in pixels; < 0: it leads nowhere. */
static double one_round(struct two *t, enum dq_motion_kind kind, int thin,
                        int strict, struct dq_motion *m)
{
    struct normal e = {.right = {0}};
    int n = spots_of(t, m, thin);
    double by, step;

    if (n * (1 + thin) < LEAST)
        return -1;
    by = 1 / reach_of(t, n);
    for (int i = 0; i < n; i++) {
        double r = (double)t->spots[i].off * by;

        add_spot(&e, &t->spots[i], m, &t->turn,
                 strict ? strict_weight(r) : huber_weight(r));
    }
    if (!solve_normal(&e, m, kind))
        return -1;
    step = go_by(m, e.right) * t->a->cols / 2;
    return is_sane(m) ? step : -1;
}

/* All rounds at one size. At the largest every other pixel will do until the
 * last of them; there a camera that may not do everything is asked strictly,
 * once it is about right. */
static int settle(struct two *t, enum dq_motion_kind kind, int largest,
                  struct dq_motion *m)
{
    int strict = largest && kind != DQ_MOTION_FREE;
    double step = INFINITY;

    for (int round = 0; round < ROUNDS; round++) {
        step = one_round(t, kind, largest, strict && round > 0, m);
        if (step < 0)
            return 0;
        if (step < NO_STEP && (round > 0 || !strict))
            break;
    }
    return !largest || one_round(t, kind, 0, strict, m) >= 0;
}

struct dq_motion dq_motion_none(void)
{
    struct dq_motion m = {.kappa = KAPPA};

    return m;
}

void dq_motion_limit(enum dq_motion_kind kind, struct dq_motion *m)
{
    if (kind != DQ_MOTION_FREE)
        m->s[0] = m->s[1] = 0;
    if (kind == DQ_MOTION_TURN)
        m->zeta = m->tz = 0;
}

struct dq_motion dq_motion_twice(const struct dq_motion *m)
{
    struct dq_motion twice = {.t = {2 * m->t[0], 2 * m->t[1]},
                              .s = {2 * m->s[0], 2 * m->s[1]},
                              .zeta = 2 * m->zeta,
                              .tz = 2 * m->tz,
                              .kappa = m->kappa,
                              .roll = 2 * m->roll};

    return twice;
}

int dq_motion_find(const struct dq_scape *a, const struct dq_scape *c,
                   enum dq_motion_kind kind, struct dq_motion *motion)
{
    size_t most = (size_t)a->sizes[0].rows * (size_t)a->sizes[0].cols;
    struct two t = {.aspect = a->aspect};
    struct dq_motion m = *motion;
    int good = most > 0;

    t.spots = dq_new_array(most + 1, sizeof *t.spots);
    t.scratch = dq_new_array(most / ASKED + 1, sizeof *t.scratch);
    for (int k = DQ_SCAPE_SIZES - 1; k >= 0 && good; k--) {
        t.a = &a->sizes[k];
        t.c = &c->sizes[k];
        if (t.a->rows)
            good = settle(&t, kind, k == 0, &m);
    }
    free(t.scratch);
    free(t.spots);
    if (good)
        *motion = m;
    return good;
}
