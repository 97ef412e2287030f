#include "base/testing.h"

#include <unistd.h>

#include "daemon/access.h"

enum { DAEMON = 300, ANN = 1001, OTHER = 1002, TD = 500 };

static struct dq_err err;

static void take(struct dq_access *a, const char *key, const char *text)
{
    dq_err_clear(&err);
    assert_int_equal(dq_access_take(a, key, text, &err), 1);
    assert_string_equal(err.text, "");
}

/* ---- who may do what -----------------------------------------------------*/

static void each_role_may_what_the_table_says_and_no_more(void **state)
{
    /* role, then: look, submit, touch, workers, exceed; of one's own, of
     * somebody else's */
    static const char *const wanted[DQ_ROLES][2] = {
        {"yyynn", "yynnn"}, /* artist */
        {"yyyyn", "yyyyn"}, /* wrangler */
        {"yyyyy", "yyyyy"}, /* admin */
    };

    (void)state;
    assert_int_equal(DQ_RIGHTS, 5);
    for (int role = 0; role < DQ_ROLES; role++)
        for (int own = 0; own < 2; own++)
            for (int action = 0; action < DQ_RIGHTS; action++)
                assert_int_equal(
                    dq_role_may((enum dq_role)role, (enum dq_right)action, own),
                    wanted[role][!own][action] == 'y');
}

static void a_refusal_says_who_may_and_how_to_become_that(void **state)
{
    (void)state;
    dq_err_clear(&err);
    assert_int_equal(
        dq_role_denied(DQ_ROLE_ARTIST, DQ_RIGHT_WORKERS, ANN, &err), DQ_DENIED);
    assert_string_equal(err.text,
                        "only the role wrangler may drain or resume workers, "
                        "and user 1001 has the role artist: ask one, or have "
                        "depthqd's configuration name you (wrangler: [...])");
}

/* ---- who is what ---------------------------------------------------------*/

static void without_a_word_root_and_the_daemons_user_are_admins(void **state)
{
    static const struct dq_access usual = {0};
    static const gid_t groups[] = {0, TD};

    (void)state;
    assert_int_equal(dq_access_role(&usual, DAEMON, DAEMON, NULL, 0),
                     DQ_ROLE_ADMIN);
    assert_int_equal(dq_access_role(&usual, DAEMON, 0, NULL, 0), DQ_ROLE_ADMIN);
    assert_int_equal(dq_access_role(&usual, DAEMON, ANN, groups, 2),
                     DQ_ROLE_ARTIST);
}

static void users_and_groups_have_the_highest_role_that_is_theirs(void **state)
{
    struct dq_access a = {0};
    static const gid_t td[] = {7, TD}, none[] = {7};

    (void)state;
    take(&a, "admin", "1001");
    take(&a, "wrangler", "1001");
    take(&a, "wrangler", "group:500");
    assert_int_equal(dq_access_role(&a, DAEMON, ANN, none, 1), DQ_ROLE_ADMIN);
    assert_int_equal(dq_access_role(&a, DAEMON, OTHER, td, 2),
                     DQ_ROLE_WRANGLER);
    assert_int_equal(dq_access_role(&a, DAEMON, OTHER, none, 1),
                     DQ_ROLE_ARTIST);
    /* a user's number is no group's, nor the other way round */
    assert_int_equal(dq_access_role(&a, DAEMON, TD, none, 1), DQ_ROLE_ARTIST);
    dq_access_free(&a);
}

static void names_are_looked_up_and_unknown_ones_told(void **state)
{
    struct dq_access a = {0};

    (void)state;
    take(&a, "wrangler", "root");
    take(&a, "wrangler", "group:root");
    assert_int_equal(a.grants[0].id, 0);
    assert_false(a.grants[0].is_group);
    assert_true(a.grants[1].is_group);
    assert_int_equal(dq_access_take(&a, "wrangler", "no such user", &err), 1);
    assert_string_equal(err.text, "wrangler: there is no user 'no such user'");
    dq_err_clear(&err);
    assert_int_equal(dq_access_take(&a, "admin", "group:", &err), 1);
    assert_string_equal(err.text, "admin: there is no group ''");
    dq_err_clear(&err);
    assert_int_equal(dq_access_take(&a, "admin", "-1", &err), 1);
    assert_int_equal(err.code, DQ_USAGE);
    dq_err_clear(&err);
    assert_int_equal(dq_access_take(&a, "artist", "root", &err), 0);
    assert_int_equal(a.grant_count, 2);
    dq_access_free(&a);
}

/* ---- where jobs may be ---------------------------------------------------*/

static int may_be(const struct dq_access *a, int64_t owner, enum dq_role role,
                  const char *path)
{
    dq_err_clear(&err);
    return dq_access_path(a, owner, role, "plate", path, &err) == DQ_OK;
}

static void jobs_of_others_stay_below_the_roots(void **state)
{
    struct dq_access a = {0};
    static const char *const in[] = {"/shows/a.exr", "/shows/x/../a.exr",
                                     "/fast/disk/b.####.exr",
                                     "/tmp/../shows/./a.exr"};
    static const char *const out[] = {
        "/etc/a.exr",     "/showsx/a.exr",         "/shows/../etc/a.exr",
        "/shows",         "/fast/a.exr",           "/",
        "/shows/a/../..", "/../../etc/shows/a.exr"};

    (void)state;
    take(&a, "roots", "/shows/");
    take(&a, "roots", "//fast/./disk");
    for (size_t i = 0; i < sizeof in / sizeof *in; i++) {
        assert_true(may_be(&a, DAEMON, DQ_ROLE_ARTIST, in[i]));
        assert_true(may_be(&a, 0, DQ_ROLE_WRANGLER, in[i]));
    }
    for (size_t i = 0; i < sizeof out / sizeof *out; i++) {
        assert_false(may_be(&a, DAEMON, DQ_ROLE_ARTIST, out[i]));
        assert_false(may_be(&a, 0, DQ_ROLE_WRANGLER, out[i]));
        assert_true(may_be(&a, 0, DQ_ROLE_ADMIN, out[i]));
    }
    assert_false(may_be(&a, DAEMON, DQ_ROLE_ARTIST, "/etc/a.exr"));
    assert_string_equal(err.text,
                        "plate: /etc/a.exr is in none of the folders for jobs "
                        "(roots in depthqd's configuration): /shows and "
                        "others");
    dq_access_free(&a);
}

static void without_roots_root_lends_nothing_and_others_what_they_have(
    void **state)
{
    static const struct dq_access usual = {0};

    (void)state;
    assert_true(may_be(&usual, DAEMON, DQ_ROLE_ARTIST, "/shows/a.exr"));
    assert_true(may_be(&usual, 0, DQ_ROLE_ADMIN, "/shows/a.exr"));
    assert_false(may_be(&usual, 0, DQ_ROLE_WRANGLER, "/shows/a.exr"));
    assert_int_equal(err.code, DQ_DENIED);
    assert_non_null(strstr(err.text, "roots: [...]"));
}

static void the_root_of_all_is_a_root_too(void **state)
{
    struct dq_access a = {0};

    (void)state;
    take(&a, "roots", "/");
    assert_true(may_be(&a, 0, DQ_ROLE_ARTIST, "/shows/a.exr"));
    dq_err_clear(&err);
    assert_int_equal(dq_access_take(&a, "roots", "shows", &err), 1);
    assert_string_equal(err.text, "roots: 'shows' is no absolute folder");
    dq_access_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_role_may_what_the_table_says_and_no_more),
        cmocka_unit_test(a_refusal_says_who_may_and_how_to_become_that),
        cmocka_unit_test(without_a_word_root_and_the_daemons_user_are_admins),
        cmocka_unit_test(users_and_groups_have_the_highest_role_that_is_theirs),
        cmocka_unit_test(names_are_looked_up_and_unknown_ones_told),
        cmocka_unit_test(jobs_of_others_stay_below_the_roots),
        cmocka_unit_test(
            without_roots_root_lends_nothing_and_others_what_they_have),
        cmocka_unit_test(the_root_of_all_is_a_root_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
