#include "base/testing.h"

#include "daemon/room.h"

static void it_is_full_below_one_mark_until_above_another(void **state)
{
    (void)state;
    assert_false(dq_room_is_full(1, DQ_ROOM_LOW));
    assert_true(dq_room_is_full(1, DQ_ROOM_LOW - 1));
    assert_true(dq_room_is_full(0, DQ_ROOM_LOW));
    assert_true(dq_room_is_full(0, DQ_ROOM_HIGH - 1));
    assert_false(dq_room_is_full(0, DQ_ROOM_HIGH));
    assert_true(dq_room_is_full(1, 0));
    /* what the ballast gives back must not look like room */
    assert_true(dq_room_is_full(0, DQ_ROOM_LOW + DQ_ROOM_BALLAST));
}

static void on_changed(void *context, int full)
{
    *(int *)context += full ? 1 : 100;
}

static void some_of_the_disk_is_kept_in_a_file(void **state)
{
    int changes = 0;
    uv_loop_t loop;
    struct stat st;
    struct dq_room_rule rule = {.loop = &loop,
                                .folder = ".",
                                .context = &changes,
                                .changed = on_changed};
    struct dq_room *r;

    (void)state;
    uv_loop_init(&loop);
    r = dq_room_new(&rule);
    if (changes == 0) { /* this disk is not full itself */
        assert_int_equal(stat("ballast", &st), 0);
        assert_int_equal(st.st_size, DQ_ROOM_BALLAST);
        assert_true(st.st_blocks * 512 >= DQ_ROOM_BALLAST);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
    dq_room_close(r);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    dq_room_drop_ballast(".");
    assert_int_equal(stat("ballast", &st), -1);
    dq_room_drop_ballast("."); /* none is there */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_full_below_one_mark_until_above_another),
        cmocka_unit_test_setup_teardown(some_of_the_disk_is_kept_in_a_file,
                                        folder_setup, folder_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
