#include "base/testing.h"

#include "base/secret.h"

static void only_ones_own_file_is_read(void **state)
{
    struct dq_bytes text = {0};
    struct dq_err err = {0};

    (void)state;
    put_file("token", "abc\n");
    chmod("token", 0600);
    assert_int_equal(dq_secret_read("token", &text, &err), 0);
    assert_string_equal(text.data, "abc\n");
    chmod("token", 0400);
    assert_int_equal(dq_secret_read("token", &text, &err), 0);
    chmod("token", 0640);
    assert_int_equal(dq_secret_read("token", &text, &err), DQ_DENIED);
    assert_string_equal(err.text,
                        "token is for others too (mode 0640): chmod 600 token");
    chmod("token", 0601);
    assert_int_equal(dq_secret_read("token", &text, &err), DQ_DENIED);
    if (geteuid() == 0) {
        chmod("token", 0600);
        assert_int_equal(chown("token", 65534, 0), 0);
        assert_int_equal(dq_secret_read("token", &text, &err), DQ_DENIED);
        assert_string_equal(
            err.text, "token is of user 65534: it must be yours or root's");
    }
    assert_int_equal(dq_secret_read("none", &text, &err), DQ_MISSING);
    assert_int_equal(dq_secret_read(".", &text, &err), DQ_CONFIG);
    dq_bytes_free(&text);
}

static void texts_are_the_same_or_not(void **state)
{
    static const char *const all[] = {"", "a", "b", "ab", "abc", "abd", "aabc"};

    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        for (size_t k = 0; k < sizeof all / sizeof *all; k++)
            assert_int_equal(dq_secret_same(all[i], all[k]), i == k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_ones_own_file_is_read,
                                        folder_setup, folder_teardown),
        cmocka_unit_test(texts_are_the_same_or_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
