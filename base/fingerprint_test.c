#include "base/testing.h"

#include "base/fingerprint.h"

#define PLATE "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

/* The digest of the same text, by coreutils' sha256sum. */
static void it_is_the_digest_of_one_text(void **state)
{
    char got[DQ_SHA256_HEX], want[DQ_SHA256_HEX] = "";
    char command[400];
    FILE *out;

    (void)state;
    dq_fingerprint("model=m\nsize=518\n", "exposure=0\n", PLATE, got);
    snprintf(command, sizeof command,
             "printf 'revision=%d\\nmodel=m\\nsize=518\\nexposure=0\\n"
             "plate=%s\\n' | sha256sum",
             DQ_PIXELS_REVISION, PLATE);
    out = popen(command, "r");
    assert_non_null(out);
    assert_int_equal(fread(want, 1, 64, out), 64);
    pclose(out);
    assert_string_equal(got, want);
}

static void expect_other(const char *pixels, const char *shot,
                         const char *plate)
{
    char first[DQ_SHA256_HEX], other[DQ_SHA256_HEX];

    dq_fingerprint("a=1\n", "b=2\n", PLATE, first);
    dq_fingerprint(pixels, shot, plate, other);
    assert_string_not_equal(first, other);
}

static void each_part_makes_another_one(void **state)
{
    (void)state;
    expect_other("a=2\n", "b=2\n", PLATE);
    expect_other("a=1\n", "b=3\n", PLATE);
    expect_other("a=1\n", "b=2\n", "00" PLATE);
    expect_other("", "b=2\n", PLATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_the_digest_of_one_text),
        cmocka_unit_test(each_part_makes_another_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
