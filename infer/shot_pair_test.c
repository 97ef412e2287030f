#include "infer/shot_pair.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { N = 600 };

struct points {
    double u[N], v[N], w[N];
};

static double random_unit(uint32_t *state)
{
    *state = *state * 1664525U + 1013904223U;
    return (*state >> 8) / 16777216.0;
}

/* Sum of twelve uniforms: near a normal deviate. */
static double deviate(uint32_t *state)
{
    double sum = -6;

    for (int i = 0; i < 12; i++)
        sum += random_unit(state);
    return sum;
}

static void make(struct points *p, double rho, double beta)
{
    uint32_t state = 5;

    for (int i = 0; i < N; i++) {
        p->u[i] = 0.02 + 0.3 * random_unit(&state);
        p->v[i] = rho * p->u[i] + beta;
        p->w[i] = 1;
    }
}

static void an_affine_comes_back(void **state)
{
    struct points p;
    struct dq_pair pair;

    (void)state;
    make(&p, 1.7, -0.4);
    assert_true(dq_pair_affine(p.u, p.v, p.w, N, &pair));
    assert_true(fabs(pair.rho - 1.7) < 1e-9);
    assert_true(fabs(pair.m_c - (1.7 * pair.m_a - 0.4)) < 1e-9);
    assert_true(fabs(pair.q - N) < 1e-3);
}

static void noise_does_not_shrink_the_ratio_as_it_does_a_slope(void **state)
{
    uint32_t seed = 11;
    struct points p;
    struct dq_pair pair;
    double uu = 0, uv = 0;

    (void)state;
    make(&p, 1, 0);
    for (int i = 0; i < N; i++) { /* noise of 30 % of the spread in both */
        p.u[i] += 0.026 * deviate(&seed);
        p.v[i] += 0.026 * deviate(&seed);
    }
    assert_true(dq_pair_affine(p.u, p.v, p.w, N, &pair));
    for (int i = 0; i < N; i++) {
        uu += (p.u[i] - 0.17) * (p.u[i] - 0.17);
        uv += (p.u[i] - 0.17) * (p.v[i] - 0.17);
    }
    assert_true(uv / uu < 0.95);
    assert_true(fabs(pair.rho - 1) < 0.02);
}

static void what_moves_of_itself_loses_its_weight(void **state)
{
    struct points p;
    struct dq_pair pair;

    (void)state;
    make(&p, 0.8, 0.1);
    for (int i = 0; i < N / 5; i++)
        p.v[i] = 1.2;
    assert_true(dq_pair_affine(p.u, p.v, p.w, N, &pair));
    assert_true(fabs(pair.rho - 0.8) < 1e-4);
}

/* Two fifths of the points move together, where least squares and quartiles
 * begin half way to them. */
static void a_large_mover_is_outvoted_by_what_agrees_better(void **state)
{
    struct points p;
    struct dq_pair pair;

    (void)state;
    make(&p, 0.8, 0.1);
    for (int i = 0; i < 2 * N / 5; i++)
        p.v[i] = 0.3 * p.u[i] + 0.9;
    assert_true(dq_pair_affine(p.u, p.v, p.w, N, &pair));
    assert_true(fabs(pair.rho - 0.8) < 1e-4);
}

/* Disparity 0 is told as 0.07; a turn to the right, seen by a lens of kappa t
 * = 0.01, and a mover. */
static void a_turn_tells_where_infinity_lies(void **state)
{
    struct points p;
    double turn[N], zero = 0;

    (void)state;
    make(&p, 1, 0);
    for (int i = 0; i < N; i++) {
        turn[i] = 1 - 0.01 * (2.0 * (i % 29) / 28 - 1);
        p.u[i] += 0.4;
        p.v[i] = 1.5 * (p.u[i] - 0.07) / turn[i] - 0.2;
        if (i % 4 == 0)
            p.v[i] += 0.05;
    }
    assert_true(dq_pair_zero(p.u, p.v, p.w, turn, N, &zero));
    assert_true(fabs(zero - 0.07) < 1e-3);
    for (int i = 0; i < N; i++)
        turn[i] = 1;
    assert_false(dq_pair_zero(p.u, p.v, p.w, turn, N, &zero));
}

static void half_a_picture_of_flat_sky_takes_nothing_away(void **state)
{
    struct points p;
    struct dq_pair pair;
    uint32_t seed = 3;

    (void)state;
    make(&p, 1.3, 0.2);
    for (int i = 0; i < N; i++) {
        if (i % 5 < 3)
            p.u[i] = 0;
        p.v[i] = 1.3 * p.u[i] + 0.2;
        if (i % 5 >= 3) /* the rest is not exact */
            p.v[i] += 1e-5 * deviate(&seed);
    }
    assert_true(dq_pair_affine(p.u, p.v, p.w, N, &pair));
    assert_true(fabs(pair.rho - 1.3) < 1e-3);
    assert_true(pair.q > 0.99 * N);
}

static void points_without_weight_say_nothing(void **state)
{
    struct points p;
    struct dq_pair pair;

    (void)state;
    make(&p, 2, 0);
    for (int i = 100; i < N; i++) {
        p.v[i] = -9 * p.u[i];
        p.w[i] = 0;
    }
    assert_true(dq_pair_affine(p.u, p.v, p.w, N, &pair));
    assert_true(fabs(pair.rho - 2) < 1e-9);
    for (int i = 15; i < 100; i++)
        p.w[i] = 0;
    assert_false(dq_pair_affine(p.u, p.v, p.w, N, &pair));
    assert_false(dq_pair_dolly(p.u, p.v, p.w, N, &pair));
}

static void flat_and_inverted_guides_are_no_evidence(void **state)
{
    struct points p;
    struct dq_pair pair;

    (void)state;
    make(&p, -1, 0.5);
    assert_false(dq_pair_affine(p.u, p.v, p.w, N, &pair));
    make(&p, 0, 0.5);
    assert_false(dq_pair_affine(p.u, p.v, p.w, N, &pair));
    assert_false(dq_pair_affine(p.v, p.u, p.w, N, &pair));
    assert_false(dq_pair_dolly(p.v, p.u, p.w, N, &pair));
}

/* The camera goes 0.4 m ahead; points from 4 m to the horizon at 2 km. */
static void make_dolly(struct points *p, double rho, double beta)
{
    uint32_t state = 9;

    for (int i = 0; i < N; i++) {
        double u = i % 4 == 0 ? 0.0005 : 0.0005 + 0.25 * random_unit(&state);

        p->u[i] = u;
        p->v[i] = rho * u / (1 - 0.4 * u) + beta;
        p->w[i] = 1;
    }
}

static void a_dolly_has_its_scale_at_the_far_end(void **state)
{
    struct points p;
    struct dq_pair dolly, plain;

    (void)state;
    make_dolly(&p, 1.6, 0.3);
    assert_true(dq_pair_dolly(p.u, p.v, p.w, N, &dolly));
    assert_true(dq_pair_affine(p.u, p.v, p.w, N, &plain));
    assert_true(fabs(log(dolly.rho / 1.6)) < 0.002);
    assert_true(fabs(log(plain.rho / 1.6)) > 0.05);
    assert_true(fabs(dolly.m_c - (1.6 * dolly.m_a + 0.3)) < 1e-3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_affine_comes_back),
        cmocka_unit_test(noise_does_not_shrink_the_ratio_as_it_does_a_slope),
        cmocka_unit_test(what_moves_of_itself_loses_its_weight),
        cmocka_unit_test(a_large_mover_is_outvoted_by_what_agrees_better),
        cmocka_unit_test(a_turn_tells_where_infinity_lies),
        cmocka_unit_test(half_a_picture_of_flat_sky_takes_nothing_away),
        cmocka_unit_test(points_without_weight_say_nothing),
        cmocka_unit_test(flat_and_inverted_guides_are_no_evidence),
        cmocka_unit_test(a_dolly_has_its_scale_at_the_far_end),
    };

    return cmocka_run_group_tests_name("shot_pair", tests, NULL, NULL);
}
