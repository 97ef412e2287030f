/* frame: boxes, planes and half floats. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/frame.h"

/* ---- boxes --------------------------------------------------------------- */

static void a_box_counts_both_of_its_ends(void **state)
{
    struct dq_box box = {-2, 3, 4, 3};

    (void)state;
    assert_int_equal(dq_box_width(&box), 7);
    assert_int_equal(dq_box_height(&box), 1);
}

static void an_empty_or_huge_box_never_overflows(void **state)
{
    struct dq_box empty = {5, 5, 4, 2};
    struct dq_box huge = {INT32_MIN, INT32_MIN, INT32_MAX, INT32_MAX};

    (void)state;
    assert_int_equal(dq_box_width(&empty), 0);
    assert_int_equal(dq_box_height(&empty), 0);
    assert_true(dq_box_width(&huge) == (int64_t)1 << 32);
}

static void disjoint_boxes_have_a_union_and_nothing_in_common(void **state)
{
    struct dq_box a = {0, 0, 9, 9}, b = {20, -5, 29, -1};
    struct dq_box all = dq_box_union(&a, &b), both = dq_box_common(&a, &b);
    struct dq_box want = {0, -5, 29, 9};

    (void)state;
    assert_true(dq_box_equal(&all, &want));
    assert_int_equal(dq_box_width(&both), 0);
}

/* ---- planes -------------------------------------------------------------- */

static void planes_are_apart_aligned_and_zero_after_reuse(void **state)
{
    struct dq_box box = {-1, 2, 11, 8};
    struct dq_frame frame = {0};
    struct dq_err err = {0};
    void *buffer;
    int i;

    (void)state;
    assert_int_equal(dq_frame_shape(&frame, &box, DQ_PIXEL_FLOAT, 0, 1, &err),
                     0);
    buffer = frame.buffer;
    memset(buffer, 0xff, frame.room);
    assert_int_equal(dq_frame_shape(&frame, &box, DQ_PIXEL_HALF, 0, 1, &err),
                     0);
    assert_ptr_equal(frame.buffer, buffer); /* recycled */
    for (i = 0; i < DQ_PLANES; i++) {
        const uint16_t *plane = frame.plane[i];
        int k;

        assert_int_equal((uintptr_t)plane % 64, 0);
        assert_true(i == 0 ||
                    (char *)plane - (char *)frame.plane[i - 1] >= 13 * 7 * 2);
        for (k = 0; k < 13 * 7; k++)
            assert_int_equal(plane[k], 0);
    }
    dq_frame_free(&frame);
    assert_null(frame.buffer);
}

static void a_grey_frame_shows_one_plane_three_times(void **state)
{
    struct dq_box box = {0, 0, 0, 0};
    struct dq_frame frame = {0};

    (void)state;
    assert_int_equal(dq_frame_shape(&frame, &box, DQ_PIXEL_HALF, 1, 0, NULL),
                     0);
    assert_ptr_equal(frame.plane[DQ_PLANE_R], frame.plane[DQ_PLANE_G]);
    assert_ptr_equal(frame.plane[DQ_PLANE_R], frame.plane[DQ_PLANE_B]);
    assert_null(frame.plane[DQ_PLANE_A]);
    dq_frame_free(&frame);
    dq_frame_free(NULL);
}

static void a_frame_beyond_memory_is_refused_politely(void **state)
{
    struct dq_box box = {INT32_MIN, INT32_MIN, INT32_MAX, INT32_MAX};
    struct dq_frame frame = {0};
    struct dq_err err = {0};

    (void)state;
    assert_int_equal(dq_frame_shape(&frame, &box, DQ_PIXEL_FLOAT, 0, 1, &err),
                     DQ_PLATE);
    assert_null(frame.buffer);
}

static void rows_come_out_as_floats(void **state)
{
    struct dq_box box = {0, 0, 3, 1};
    struct dq_frame frame = {0};
    float row[2];

    (void)state;
    dq_frame_shape(&frame, &box, DQ_PIXEL_HALF, 0, 0, NULL);
    ((uint16_t *)frame.plane[DQ_PLANE_G])[6] = 0x3c00; /* 1 */
    ((uint16_t *)frame.plane[DQ_PLANE_G])[7] = 0xc000; /* -2 */
    dq_frame_row(&frame, DQ_PLANE_G, 1, 2, 2, row);
    assert_true(row[0] == 1.0f && row[1] == -2.0f);
    dq_frame_shape(&frame, &box, DQ_PIXEL_FLOAT, 0, 0, NULL);
    ((float *)frame.plane[DQ_PLANE_B])[5] = 0.25f;
    dq_frame_row(&frame, DQ_PLANE_B, 1, 1, 1, row);
    assert_true(row[0] == 0.25f);
    dq_frame_free(&frame);
}

/* ---- half ---------------------------------------------------------------- */

/* A half's value from its definition. */
static double half_value(unsigned h)
{
    double sign = h & 0x8000u ? -1 : 1;
    int exponent = (int)(h >> 10) & 31;
    double mantissa = h & 0x3ffu;

    if (exponent == 0)
        return sign * ldexp(mantissa, -24);
    return sign * ldexp(1024 + mantissa, exponent - 25);
}

static void every_half_becomes_the_float_of_its_value(void **state)
{
    uint16_t in[65536];
    float out[65536];
    unsigned h;

    (void)state;
    for (h = 0; h < 65536; h++)
        in[h] = (uint16_t)h;
    dq_half_to_float(in, out, 65536);
    for (h = 0; h < 65536; h++) {
        if ((h & 0x7c00u) != 0x7c00u)
            assert_true((double)out[h] == half_value(h));
        else if (h & 0x3ffu)
            assert_true(isnan(out[h]));
        else
            assert_true(isinf(out[h]) && !signbit(out[h]) == !(h & 0x8000u));
    }
}

static void every_half_survives_the_way_to_float_and_back(void **state)
{
    uint16_t in[65536], out[65536];
    float wide[65536];
    unsigned h;

    (void)state;
    for (h = 0; h < 65536; h++)
        in[h] = (uint16_t)h;
    dq_half_to_float(in, wide, 65536);
    dq_float_to_half(wide, out, 65536);
    for (h = 0; h < 65536; h++) {
        int nan = (h & 0x7c00u) == 0x7c00u && (h & 0x3ffu);

        assert_int_equal(out[h], nan ? (h | 0x200u) : h);
    }
}

/* Between each pair of halves: just below the middle, the middle, just above.
 * The middle goes to the even one. */
static void floats_round_to_the_nearest_half_and_ties_to_even(void **state)
{
    unsigned h;

    (void)state;
    for (h = 0; h < 0x7bffu; h++) {
        double middle = (half_value(h) + half_value(h + 1)) / 2;
        float in[3] = {nextafterf((float)middle, 0), (float)middle,
                       nextafterf((float)middle, INFINITY)};
        uint16_t out[3];

        dq_float_to_half(in, out, 3);
        assert_int_equal(out[0], h);
        assert_int_equal(out[1], h & 1 ? h + 1 : h);
        assert_int_equal(out[2], h + 1);
    }
}

static void floats_at_the_ends_of_halfs_range(void **state)
{
    const float in[] = {65504,     65519.996f, 65520,    1e30f,
                        -1e30f,    -INFINITY,  0x1p-25f, 0x1.000002p-25f,
                        -0x1p-30f, 1e-40f};
    const uint16_t want[] = {0x7bff, 0x7bff, 0x7c00, 0x7c00, 0xfc00,
                             0xfc00, 0,      1,      0x8000, 0};
    uint16_t out[10];
    int i;

    (void)state;
    dq_float_to_half(in, out, 10);
    for (i = 0; i < 10; i++)
        assert_int_equal(out[i], want[i]);
}

/* Eight at a time by instructions, the rest one by one: the position in a
 * row must not show. */
static void instructions_and_portable_code_agree_bit_for_bit(void **state)
{
    uint32_t seed = 1;
    int round, i;

    (void)state;
    for (round = 0; round < 20000; round++) {
        uint32_t bits[9];
        float in[9], one;
        uint16_t all[9], alone;

        for (i = 0; i < 9; i++) {
            seed = seed * 1664525u + 1013904223u;
            bits[i] = seed ^ (seed >> 15);
        }
        bits[8] = bits[round % 8];
        memcpy(in, bits, sizeof in);
        dq_float_to_half(in, all, 9);
        assert_int_equal(all[8], all[round % 8]);
        one = in[round % 8];
        dq_float_to_half(&one, &alone, 1);
        assert_int_equal(alone, all[8]);
    }
}

static void half_to_float_agrees_with_itself_anywhere_in_a_row(void **state)
{
    uint16_t in[9];
    float all[9];
    unsigned h;

    (void)state;
    for (h = 0; h < 65536; h++) {
        int i;

        for (i = 0; i < 9; i++)
            in[i] = (uint16_t)h;
        dq_half_to_float(in, all, 9);
        assert_memory_equal(&all[0], &all[8], sizeof all[0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_box_counts_both_of_its_ends),
        cmocka_unit_test(an_empty_or_huge_box_never_overflows),
        cmocka_unit_test(disjoint_boxes_have_a_union_and_nothing_in_common),
        cmocka_unit_test(planes_are_apart_aligned_and_zero_after_reuse),
        cmocka_unit_test(a_grey_frame_shows_one_plane_three_times),
        cmocka_unit_test(a_frame_beyond_memory_is_refused_politely),
        cmocka_unit_test(rows_come_out_as_floats),
        cmocka_unit_test(every_half_becomes_the_float_of_its_value),
        cmocka_unit_test(every_half_survives_the_way_to_float_and_back),
        cmocka_unit_test(floats_round_to_the_nearest_half_and_ties_to_even),
        cmocka_unit_test(floats_at_the_ends_of_halfs_range),
        cmocka_unit_test(instructions_and_portable_code_agree_bit_for_bit),
        cmocka_unit_test(half_to_float_agrees_with_itself_anywhere_in_a_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
