#include "base/testing.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/mem.h"
#include "daemon/remote.h"

#define ANN "0123456789abcdef0123456789abcdef"
#define BOB "fedcba9876543210fedcba9876543210"

static struct dq_err err;

static void take(struct dq_remote *r, const char *key, const char *text)
{
    dq_err_clear(&err);
    assert_int_equal(dq_remote_take(r, key, text, &err), 1);
    assert_string_equal(err.text, "");
}

static void refused(struct dq_remote *r, const char *key, const char *text,
                    const char *why)
{
    dq_err_clear(&err);
    assert_int_equal(dq_remote_take(r, key, text, &err), 1);
    if (!strstr(err.text, why))
        fail_msg("'%s' has no '%s'", err.text, why);
}

/* A file of tokens; its absolute path, lent. */
static const char *tokens(const char *text)
{
    static char path[4096];

    put_file("tokens", text);
    chmod("tokens", 0600);
    assert_non_null(realpath("tokens", path));
    return path;
}

/* ---- addresses -----------------------------------------------------------*/

static void addresses_are_numbers_with_a_port(void **state)
{
    static const char *const wrong[] = {
        "",          "8630",        "localhost:8630",  "127.0.0.1",
        ":8630",     "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:x",
        "::1:8630",  "[::1]",       "[]:8630",         "[127.0.0.1]:8630",
        "127.1:80 ", "[::1]8630",   "1.2.3.4:5:6",     "[::1"};
    struct sockaddr_storage a;
    const struct sockaddr_in *v4 = (struct sockaddr_in *)&a;
    const struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&a;

    (void)state;
    assert_int_equal(dq_remote_address("127.0.0.1:8630", &a), sizeof *v4);
    assert_int_equal(ntohs(v4->sin_port), 8630);
    assert_int_equal(ntohl(v4->sin_addr.s_addr), 0x7f000001);
    assert_int_equal(dq_remote_address("[::1]:65535", &a), sizeof *v6);
    assert_int_equal(ntohs(v6->sin6_port), 65535);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (dq_remote_address(wrong[i], &a))
            fail_msg("'%s' is taken for an address", wrong[i]);
}

/* ---- names ---------------------------------------------------------------*/

static void only_names_of_ours_are_answered(void **state)
{
    struct dq_remote usual = {0}, named = {0};

    (void)state;
    take(&usual, "listen", "127.0.0.1:8630");
    assert_true(dq_remote_is_ours(&usual, "127.0.0.1:8630"));
    assert_true(dq_remote_is_ours(&usual, "127.0.0.1"));
    assert_true(dq_remote_is_ours(&usual, "LocalHost:8630"));
    assert_false(dq_remote_is_ours(&usual, "evil.example:8630"));
    assert_false(dq_remote_is_ours(&usual, "127.0.0.1.evil.example"));
    assert_false(dq_remote_is_ours(&usual, "localhost.evil.example:8630"));
    assert_false(dq_remote_is_ours(&usual, ""));
    assert_false(dq_remote_is_ours(&usual, ":8630"));
    assert_false(dq_remote_is_ours(&usual, NULL));
    take(&named, "listen", "[::1]:8630");
    assert_true(dq_remote_is_ours(&named, "[::1]:8630"));
    assert_true(dq_remote_is_ours(&named, "localhost"));
    take(&named, "hosts", "farm01");
    take(&named, "hosts", "farm01.example");
    assert_true(dq_remote_is_ours(&named, "FARM01.example:8630"));
    assert_false(dq_remote_is_ours(&named, "localhost"));
    assert_false(dq_remote_is_ours(&named, "[::1]:8630"));
    refused(&named, "hosts", "farm01:8630", "no name without a port");
    dq_remote_free(&named);
    dq_remote_free(&usual);
}

/* ---- tokens --------------------------------------------------------------*/

static void a_token_says_who_asks(void **state)
{
    struct dq_remote r = {0};
    const struct dq_token *who;

    (void)state;
    take(&r, "tokens",
         tokens("# who asks\n\n1001 artist " ANN "\nroot\tadmin " BOB "\r\n"));
    assert_int_equal(r.token_count, 2);
    who = dq_remote_who(&r, "Bearer " ANN);
    assert_int_equal(who->uid, 1001);
    assert_int_equal(who->role, DQ_ROLE_ARTIST);
    who = dq_remote_who(&r, "bearer " BOB);
    assert_int_equal(who->uid, 0);
    assert_int_equal(who->role, DQ_ROLE_ADMIN);
    assert_null(dq_remote_who(&r, NULL));
    assert_null(dq_remote_who(&r, ""));
    assert_null(dq_remote_who(&r, "Bearer "));
    assert_null(dq_remote_who(&r, ANN));
    assert_null(dq_remote_who(&r, "Basic " ANN));
    assert_null(dq_remote_who(&r, "Bearer " ANN "0"));
    assert_null(dq_remote_who(&r, "Bearer 0123456789abcdef"));
    dq_remote_free(&r);
}

static void a_file_of_tokens_is_right_and_for_nobody_else(void **state)
{
    static const struct {
        const char *text, *why;
    } wrong[] = {
        {"", "has no token"},
        {"# root admin " ANN "\n", "has no token"},
        {"root " ANN "\n", "tokens:1: is not `USER ROLE TOKEN`"},
        {"root admin " ANN " x\n", "tokens:1: is not `USER ROLE TOKEN`"},
        {"\nroot boss " ANN "\n", "tokens:2: 'boss' is not artist, wrangler"},
        {"root admin short\n", "tokens:1: a token has 32 to 256 characters"},
        {"nosuchuser admin " ANN "\n", "tokens:1: there is no user"},
        {"root admin " ANN "\n1 artist " ANN "\n", "tokens:2: the same token"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct dq_remote r = {0};

        refused(&r, "tokens", tokens(wrong[i].text), wrong[i].why);
        /* a token is never told */
        assert_null(strstr(err.text, ANN));
        dq_remote_free(&r);
    }
    for (int mode = 0610; mode <= 0666; mode += 0026) {
        struct dq_remote r = {0};
        const char *path = tokens("root admin " ANN "\n");

        chmod(path, (mode_t)mode);
        refused(&r, "tokens", path, "is for others too");
        assert_int_equal(err.code, DQ_DENIED);
        dq_remote_free(&r);
    }
}

/* ---- all of it -----------------------------------------------------------*/

static void what_goes_together_is_checked(void **state)
{
    struct dq_remote r = {0};

    (void)state;
    dq_err_clear(&err);
    assert_int_equal(dq_remote_check(&r, &err), 0);
    refused(&r, "listen", "localhost:8630", "is no ADDRESS:PORT");
    take(&r, "listen", "0.0.0.0:8630");
    dq_err_clear(&err);
    assert_int_equal(dq_remote_check(&r, &err), DQ_CONFIG);
    assert_non_null(strstr(err.text, "tokens: /etc/depthq/tokens"));
    take(&r, "tokens", tokens("root admin " ANN "\n"));
    dq_err_clear(&err);
    assert_int_equal(dq_remote_check(&r, &err), DQ_CONFIG);
    assert_non_null(strstr(err.text, "hosts: [farm01]"));
    take(&r, "hosts", "farm01");
    dq_err_clear(&err);
    assert_int_equal(dq_remote_check(&r, &err), 0);
    assert_int_equal(dq_remote_take(&r, "port", "8630", &err), 0);
    dq_remote_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) \
    cmocka_unit_test_setup_teardown(f, folder_setup, folder_teardown)
        TEST(addresses_are_numbers_with_a_port),
        TEST(only_names_of_ours_are_answered),
        TEST(a_token_says_who_asks),
        TEST(a_file_of_tokens_is_right_and_for_nobody_else),
        TEST(what_goes_together_is_checked),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
