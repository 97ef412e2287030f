#include "base/testing.h"

#include <malloc.h>
#include <signal.h>
#include <stdlib.h>

#include "base/mem.h"

static void new_memory_is_zero(void **state)
{
    unsigned char *a = dq_new(100), *b = dq_new_array(7, 30);

    (void)state;
    for (int i = 0; i < 100; i++)
        assert_int_equal(a[i], 0);
    for (int i = 0; i < 210; i++)
        assert_int_equal(b[i], 0);
    free(a);
    free(b);
}

static void nothing_is_something_too(void **state)
{
    void *a = dq_new(0), *b = dq_new_array(0, 8), *c = dq_grow(NULL, 0, 8);

    (void)state;
    assert_non_null(a);
    assert_non_null(b);
    assert_non_null(c);
    free(a);
    free(b);
    free(c);
}

static void growing_keeps_what_was_there(void **state)
{
    char *text = dq_strdup("0123456789");

    (void)state;
    text = dq_grow(text, 5000, 3);
    assert_string_equal(text, "0123456789");
    text[14999] = 'x';
    free(text);
}

static int grow_beyond_counting(void *context)
{
    signal(SIGABRT, SIG_DFL);
    free(dq_grow(NULL, SIZE_MAX / 2, 3));
    (void)context;
    return 0;
}

static void a_size_that_overflows_ends_the_process(void **state)
{
    int status = status_of_child(grow_beyond_counting, NULL);

    (void)state;
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void copies_are_their_own(void **state)
{
    char text[] = "depth", *a = dq_strdup(text), *b = dq_strndup(text, 3);
    char *c = dq_strndup(text, 99), *d = dq_asprintf("%s-%03d", text, 7);

    (void)state;
    memset(text, 'x', 5);
    assert_string_equal(a, "depth");
    assert_string_equal(b, "dep");
    assert_string_equal(c, "depth");
    assert_string_equal(d, "depth-007");
    assert_null(dq_strdup(NULL));
    assert_null(dq_strndup(NULL, 3));
    free(a);
    free(b);
    free(c);
    free(d);
}

static void products_that_overflow_are_told(void **state)
{
    size_t out = 0;

    (void)state;
    assert_true(dq_mul(32768, 32768, &out));
    assert_int_equal(out, 1073741824);
    assert_true(dq_mul(SIZE_MAX, 1, &out));
    assert_true(out == SIZE_MAX);
    assert_true(dq_mul(SIZE_MAX, 0, &out));
    assert_int_equal(out, 0);
    assert_false(dq_mul(SIZE_MAX, 2, &out));
    assert_false(dq_mul((size_t)1 << 40, (size_t)1 << 24, &out));
}

/* Sanitizers bring an allocator of their own, which mallopt does not reach. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define OWN_ALLOCATOR 1

static void large_blocks_go_back_to_the_system_once_it_is_wished(void **state)
{
    size_t before;
    void *block;

    (void)state;
    mallopt(M_MMAP_MAX, 0);
    before = mallinfo2().hblks;
    block = malloc(2 << 20);
    assert_non_null(block);
    assert_int_equal(mallinfo2().hblks, before);
    free(block);
    dq_give_back_large();
    block = malloc(2 << 20);
    assert_non_null(block);
    assert_int_equal(mallinfo2().hblks, before + 1);
    free(block);
    assert_int_equal(mallinfo2().hblks, before);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_memory_is_zero),
        cmocka_unit_test(nothing_is_something_too),
        cmocka_unit_test(growing_keeps_what_was_there),
        cmocka_unit_test(a_size_that_overflows_ends_the_process),
        cmocka_unit_test(copies_are_their_own),
        cmocka_unit_test(products_that_overflow_are_told),
#ifdef OWN_ALLOCATOR
        cmocka_unit_test(large_blocks_go_back_to_the_system_once_it_is_wished),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
