/* Digests from FIPS 180-4's own examples and from coreutils' sha256sum. */
#include "base/testing.h"

#include "base/mem.h"
#include "base/sha256.h"

#define OF_NOTHING \
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define OF_ABC \
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define OF_MILLION_A \
    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"

static void known_digests_come_out(void **state)
{
    char hex[DQ_SHA256_HEX], *million = dq_new(1000000);

    (void)state;
    dq_sha256("", 0, hex);
    assert_string_equal(hex, OF_NOTHING);
    dq_sha256("abc", 3, hex);
    assert_string_equal(hex, OF_ABC);
    memset(million, 'a', 1000000);
    dq_sha256(million, 1000000, hex);
    assert_string_equal(hex, OF_MILLION_A);
    free(million);
}

static void pieces_make_the_digest_of_the_whole(void **state)
{
    struct dq_sha256 *hash = dq_sha256_new();
    char hex[DQ_SHA256_HEX];

    (void)state;
    dq_sha256_add(hash, "a", 1);
    dq_sha256_add(hash, "", 0);
    dq_sha256_add(hash, "bc", 2);
    dq_sha256_finish(hash, hex);
    assert_string_equal(hex, OF_ABC);
}

static void a_digest_may_be_dropped(void **state)
{
    struct dq_sha256 *hash = dq_sha256_new();

    (void)state;
    dq_sha256_add(hash, "abc", 3);
    dq_sha256_finish(hash, NULL);
    dq_sha256_finish(NULL, NULL);
}

static void a_file_has_the_digest_of_its_bytes(void **state)
{
    enum { BYTES = 3 * 1024 * 1024 + 17 }; /* more than one piece */
    char *bytes = dq_new(BYTES);
    char hex[DQ_SHA256_HEX], want[DQ_SHA256_HEX];
    FILE *file = fopen("f", "w");
    struct dq_err err = {0};

    (void)state;
    for (int i = 0; i < BYTES; i++)
        bytes[i] = (char)(i * 7 + i / 1000);
    fwrite(bytes, 1, BYTES, file);
    fclose(file);
    file = popen("sha256sum f", "r");
    assert_int_equal(fread(want, 1, 64, file), 64);
    want[64] = '\0';
    pclose(file);
    assert_int_equal(dq_sha256_file("f", hex, &err), 0);
    assert_string_equal(hex, want);
    dq_sha256(bytes, BYTES, hex);
    assert_string_equal(hex, want);
    put_file("empty", "");
    assert_int_equal(dq_sha256_file("empty", hex, &err), 0);
    assert_string_equal(hex, OF_NOTHING);
    free(bytes);
}

static void what_is_no_file_has_no_digest(void **state)
{
    char hex[DQ_SHA256_HEX];
    struct dq_err err = {0};

    (void)state;
    mkdir("folder", 0777);
    mkfifo("fifo", 0666);
    assert_int_equal(dq_sha256_file("none", hex, &err), DQ_MISSING);
    assert_string_equal(err.text, "none: No such file or directory");
    assert_int_equal(dq_sha256_file("folder", hex, &err), DQ_IO);
    assert_int_equal(dq_sha256_file("fifo", hex, &err), DQ_IO);
    assert_string_equal(err.text, "fifo: is not a regular file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_digests_come_out),
        cmocka_unit_test(pieces_make_the_digest_of_the_whole),
        cmocka_unit_test(a_digest_may_be_dropped),
        cmocka_unit_test_setup_teardown(a_file_has_the_digest_of_its_bytes,
                                        folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(what_is_no_file_has_no_digest,
                                        folder_setup, folder_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
