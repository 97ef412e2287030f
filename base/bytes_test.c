#include "base/testing.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "base/bytes.h"
#include "base/fault.h"

/* Sanitizers end a process that asks for too much, unless told. */
const char *__asan_default_options(void);
const char *__tsan_default_options(void);

const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

const char *__tsan_default_options(void)
{
    return "allocator_may_return_null=1";
}

enum { LIMIT = 1000, TOO_BIG = DQ_SPEC };

static void pieces_add_up_to_a_text(void **state)
{
    struct dq_bytes b = {0};

    (void)state;
    dq_bytes_text(&b, "frame ");
    dq_bytes_printf(&b, "%d of %s", 7, "12");
    dq_bytes_add(&b, "!?", 1);
    assert_string_equal(b.data, "frame 7 of 12!");
    assert_int_equal(b.count, strlen(b.data));
    dq_bytes_free(&b);
    assert_null(b.data);
    assert_int_equal(b.count + b.room, 0);
    dq_bytes_free(&b);
    dq_bytes_free(NULL);
}

static void bytes_may_be_zero(void **state)
{
    struct dq_bytes b = {0};

    (void)state;
    dq_bytes_add(&b, "a\0b", 3);
    dq_bytes_add(&b, NULL, 0);
    assert_int_equal(b.count, 3);
    assert_memory_equal(b.data, "a\0b", 4); /* and the zero behind */
    dq_bytes_free(&b);
}

static void many_pieces_keep_their_order(void **state)
{
    struct dq_bytes b = {0};

    (void)state;
    for (int i = 0; i < 20000; i++)
        dq_bytes_add(&b, &i, sizeof i);
    for (int i = 0, seen; i < 20000; i++) {
        memcpy(&seen, b.data + (size_t)i * sizeof i, sizeof seen);
        assert_int_equal(seen, i);
    }
    dq_bytes_free(&b);
}

static void room_that_is_there_is_used_again(void **state)
{
    struct dq_bytes b = {0};
    struct dq_err err = {0};
    char *first;

    (void)state;
    assert_int_equal(dq_bytes_reserve(&b, 500, &err), 0);
    first = b.data;
    assert_int_equal(dq_bytes_reserve(&b, 400, &err), 0);
    assert_ptr_equal(b.data, first);
    assert_int_equal(b.room, 500);
    put_file("f", "twenty bytes of text");
    assert_int_equal(dq_bytes_read_file(&b, "f", LIMIT, TOO_BIG, &err), 0);
    assert_ptr_equal(b.data, first);
    dq_bytes_free(&b);
}

static void a_file_that_is_a_little_larger_finds_room(void **state)
{
    struct dq_bytes b = {0};
    struct dq_err err = {0};
    size_t allocated;

    (void)state;
    assert_int_equal(dq_bytes_reserve(&b, 1000000, &err), 0);
    allocated = b.allocated;
    assert_int_equal(b.room, 1000000); /* what is to spare is not in use */
    assert_int_equal(dq_bytes_reserve(&b, 1100000, &err), 0);
    assert_int_equal(b.allocated, allocated);
    assert_int_equal(b.room, 1100000);
    dq_bytes_free(&b);
}

static void room_that_cannot_be_had_is_an_error(void **state)
{
    struct dq_bytes b = {0};
    struct dq_err err = {0};

    (void)state;
    dq_bytes_text(&b, "kept");
    assert_int_equal(dq_bytes_reserve(&b, SIZE_MAX / 4, &err), DQ_MEMORY);
    assert_string_equal(b.data, "kept");
    dq_bytes_free(&b);
}

static void a_file_is_read_whole(void **state)
{
    struct dq_bytes b = {0};
    struct dq_err err = {0};

    (void)state;
    dq_bytes_text(&b, "what was there before");
    put_file("f", "first line\nlast line");
    assert_int_equal(dq_bytes_read_file(&b, "f", LIMIT, TOO_BIG, &err), 0);
    assert_string_equal(b.data, "first line\nlast line");
    assert_int_equal(b.count, 20);
    put_file("f", "");
    assert_int_equal(dq_bytes_read_file(&b, "f", LIMIT, TOO_BIG, &err), 0);
    assert_int_equal(b.count, 0);
    assert_string_equal(b.data, "");
    dq_bytes_free(&b);
}

static void the_limit_is_the_largest_size(void **state)
{
    struct dq_bytes b = {0};
    struct dq_err err = {0};

    (void)state;
    put_file("f", "12345");
    assert_int_equal(dq_bytes_read_file(&b, "f", 5, TOO_BIG, &err), 0);
    assert_int_equal(dq_bytes_read_file(&b, "f", 4, TOO_BIG, &err), TOO_BIG);
    assert_string_equal(err.text, "f: has 5 bytes; at most 4 are read");
    dq_bytes_free(&b);
}

static void expect_refusal(const char *path, int code, const char *text)
{
    struct dq_bytes b = {0};
    struct dq_err err = {0};

    assert_int_equal(dq_bytes_read_file(&b, path, LIMIT, TOO_BIG, &err), code);
    assert_int_equal(err.code, code);
    assert_string_equal(err.text, text);
    dq_bytes_free(&b);
}

static void what_is_no_file_is_refused_by_name(void **state)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "socket"};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)state;
    mkdir("folder", 0777);
    mkfifo("fifo", 0666);
    assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
    assert_int_equal(symlink("b", "a"), 0);
    assert_int_equal(symlink("a", "b"), 0);
    put_file("file", "x");
    expect_refusal("folder", TOO_BIG, "folder: is a folder, not a file");
    expect_refusal("fifo", TOO_BIG, "fifo: is not a regular file");
    expect_refusal("socket", TOO_BIG, "socket: is not a regular file");
    expect_refusal("/dev/null", TOO_BIG, "/dev/null: is not a regular file");
    expect_refusal("none", DQ_MISSING, "none: No such file or directory");
    expect_refusal("file/x", DQ_MISSING, "file/x: Not a directory");
    expect_refusal("a", DQ_MISSING, "a: Too many levels of symbolic links");
    close(fd);
}

static int read_as_nobody(void *context)
{
    struct dq_bytes b = {0};
    struct dq_err err = {0};
    int code;

    if (geteuid() == 0 && setuid(65534) != 0)
        return 100;
    code = dq_bytes_read_file(&b, context, LIMIT, TOO_BIG, &err);
    dq_bytes_free(&b);
    return code;
}

static void a_file_that_may_not_be_read_is_denied(void **state)
{
    (void)state;
    assert_int_equal(chmod(*state, 0755), 0);
    put_file("secret", "x");
    assert_int_equal(chmod("secret", 0), 0);
    assert_int_equal(
        WEXITSTATUS(status_of_child(read_as_nobody, (void *)"secret")),
        DQ_DENIED);
}

static void the_fault_point_read_makes_reading_fail(void **state)
{
    struct dq_bytes b = {0};
    struct dq_err err = {0};

    (void)state;
    put_file("f", "x");
    setenv("DQ_FAULT", "read:2", 1);
    dq_fault_setup();
    assert_int_equal(dq_bytes_read_file(&b, "f", LIMIT, TOO_BIG, &err), 0);
    assert_int_equal(dq_bytes_read_file(&b, "f", LIMIT, TOO_BIG, &err), DQ_IO);
    assert_int_equal(dq_bytes_read_file(&b, "f", LIMIT, TOO_BIG, &err), 0);
    unsetenv("DQ_FAULT");
    dq_fault_setup();
    dq_bytes_free(&b);
}

#define in_folder(test) \
    cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_add_up_to_a_text),
        cmocka_unit_test(bytes_may_be_zero),
        cmocka_unit_test(many_pieces_keep_their_order),
        in_folder(room_that_is_there_is_used_again),
        cmocka_unit_test(a_file_that_is_a_little_larger_finds_room),
        cmocka_unit_test(room_that_cannot_be_had_is_an_error),
        in_folder(a_file_is_read_whole),
        in_folder(the_limit_is_the_largest_size),
        in_folder(what_is_no_file_is_refused_by_name),
        in_folder(a_file_that_may_not_be_read_is_denied),
        in_folder(the_fault_point_read_makes_reading_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
