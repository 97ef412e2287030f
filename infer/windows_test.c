#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "infer/windows.h"

static const struct dq_box hd = {0, 0, 1919, 1079}, uhd = {0, 0, 3839, 2159};

static struct dq_header of(struct dq_box display, float pixel_aspect)
{
    struct dq_header h = {display, display, pixel_aspect};

    return h;
}

static void most_headers_decide_wherever_the_odd_one_stands(void **state)
{
    (void)state;
    for (int odd = 0; odd < 3; odd++) {
        struct dq_header list[] = {of(hd, 1), of(hd, 1), of(hd, 1)};
        const struct dq_header *most;

        list[odd] = of(uhd, 1);
        most = dq_windows_vote(list, 3);
        assert_true(dq_box_equal(&most->display, &hd));
        list[odd] = of(hd, 2);
        most = dq_windows_vote(list, 3);
        assert_true(most->pixel_aspect < 1.5F);
    }
}

static void more_than_the_others_is_enough(void **state)
{
    const struct dq_header list[] = {of(uhd, 1), of(hd, 2), of(hd, 1),
                                     of(uhd, 2), of(hd, 1)};

    (void)state;
    assert_ptr_equal(dq_windows_vote(list, 5), &list[2]);
}

static void of_two_as_frequent_the_earlier_decides(void **state)
{
    const struct dq_header list[] = {of(uhd, 1), of(hd, 1), of(hd, 1),
                                     of(uhd, 1)};

    (void)state;
    assert_ptr_equal(dq_windows_vote(list, 4), &list[0]);
}

static void more_than_half_of_all_plates_overturn_what_was_decided(void **state)
{
    const struct dq_header list[] = {of(uhd, 1), of(uhd, 1), of(hd, 1),
                                     of(uhd, 1), of(hd, 2)};
    const struct dq_shot shot = {.display = hd, .pixel_aspect = 1};

    (void)state;
    assert_true(dq_windows_overturn(list, 5, 5, &shot));
    assert_true(dq_windows_overturn(list, 2, 3, &shot));
    assert_false(dq_windows_overturn(list, 5, 6, &shot));
    /* most cannot be read now */
    assert_false(dq_windows_overturn(list, 1, 16, &shot));
    assert_false(dq_windows_overturn(NULL, 0, 16, &shot));
}

static void what_most_plates_have_is_not_overturned(void **state)
{
    const struct dq_header list[] = {of(uhd, 1), of(hd, 1), of(hd, 1)};
    const struct dq_shot shot = {.display = hd, .pixel_aspect = 1};

    (void)state;
    assert_false(dq_windows_overturn(list, 3, 3, &shot));
    assert_false(dq_windows_overturn(list, 2, 2, &shot));
}

static void the_lattice_holds_the_data_windows_of_those_alike(void **state)
{
    struct dq_header list[] = {of(hd, 1), of(hd, 1), of(uhd, 1), of(hd, 2),
                               of(hd, 1)};
    const struct dq_box want = {-10, 0, 1919, 1100};
    struct dq_shot shot = {.solved_count = 0};

    (void)state;
    list[0].data.x0 = -10;
    list[1].data.y1 = 1100;
    list[2].data.x0 = -500;
    list[3].data.y0 = -500;
    dq_windows_take(list, 5, &list[4], &shot);
    assert_true(dq_box_equal(&shot.display, &hd));
    assert_true(dq_box_equal(&shot.lattice, &want));
}

static void a_data_window_beyond_reason_is_left_out_of_the_lattice(void **state)
{
    struct dq_header list[] = {of(hd, 1), of(hd, 1), of(hd, 1)};
    const struct dq_box all = {-8000, -8000, 8000, 8000};
    struct dq_shot shot = {.solved_count = 0};

    (void)state;
    list[0].data = all;
    dq_windows_take(list, 3, &list[0], &shot);
    assert_true(dq_box_equal(&shot.lattice, &hd));
}

static void plates_cropped_to_what_moves_may_differ_in_size(void **state)
{
    struct dq_header list[] = {of(hd, 1), of(hd, 1), of(hd, 1)};
    const struct dq_box small = {10, 10, 109, 109}, large = {-10, 0, 489, 499};
    const struct dq_box want = {-10, 0, 1919, 1079};
    struct dq_shot shot = {.solved_count = 0};

    (void)state;
    list[0].data = small;
    list[1].data = large;
    list[2].data = small;
    dq_windows_take(list, 3, &list[0], &shot);
    assert_true(dq_box_equal(&shot.lattice, &want));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(most_headers_decide_wherever_the_odd_one_stands),
        cmocka_unit_test(more_than_the_others_is_enough),
        cmocka_unit_test(of_two_as_frequent_the_earlier_decides),
        cmocka_unit_test(
            more_than_half_of_all_plates_overturn_what_was_decided),
        cmocka_unit_test(what_most_plates_have_is_not_overturned),
        cmocka_unit_test(the_lattice_holds_the_data_windows_of_those_alike),
        cmocka_unit_test(
            a_data_window_beyond_reason_is_left_out_of_the_lattice),
        cmocka_unit_test(plates_cropped_to_what_moves_may_differ_in_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
