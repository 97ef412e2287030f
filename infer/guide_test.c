#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/publish.h"
#include "infer/guide.h"

enum { W = 37, H = 11 };

static char text[] = "model=m\n", other_text[] = "model=n\n";

static void fill(struct dq_guide *g)
{
    struct dq_err err = {0};

    memset(g, 0, sizeof *g);
    assert_int_equal(dq_guide_shape(g, W, H, &err), DQ_OK);
    for (int i = 0; i < W * H; i++) {
        g->depth[i] = (float)(i * 7919 % 1000) / 3.0F - 100;
        g->luma[i] = (float)(i % 64) / 64;
        g->real[i] = (float)(i % 3 != 0);
    }
    memset(g->plate.sha256, 'a', DQ_SHA256_HEX - 1);
    g->plate.bytes = 123456789012;
    g->plate.mtime_ns = 1700000000123456789;
}

/* A guide as a file of its own. */
static char *written(const struct dq_guide *g, const char *key)
{
    char *path = dq_strdup("/tmp/guide_test.XXXXXX");
    struct dq_bytes bytes = {0};
    struct dq_err err = {0};
    int fd = mkstemp(path);
    FILE *out = fd >= 0 ? fdopen(fd, "wb") : NULL;

    assert_non_null(out);
    assert_int_equal(dq_guide_encode(g, key, &bytes, &err), DQ_OK);
    assert_int_equal(fwrite(bytes.data, 1, bytes.count, out), bytes.count);
    fclose(out);
    dq_bytes_free(&bytes);
    return path;
}

static void done_with(char *path)
{
    remove(path);
    free(path);
}

static void a_guide_comes_back_to_the_last_bit(void **state)
{
    struct dq_guide was, got = {0};
    struct dq_err err = {0};
    char *path;

    (void)state;
    fill(&was);
    path = written(&was, "key");
    if (dq_guide_read(path, "key", was.plate.sha256, &got, &err))
        fail_msg("%s", err.text);
    assert_int_equal(got.width, W);
    assert_int_equal(got.height, H);
    assert_memory_equal(got.depth, was.depth, 3 * W * H * sizeof(float));
    assert_string_equal(got.plate.sha256, was.plate.sha256);
    assert_int_equal(got.plate.bytes, was.plate.bytes);
    assert_int_equal(got.plate.mtime_ns, was.plate.mtime_ns);
    dq_guide_free(&got);
    dq_guide_free(&was);
    done_with(path);
}

static void its_header_alone_tells_the_plate(void **state)
{
    struct dq_guide was;
    struct dq_file_mark plate = {0};
    struct dq_err err = {0};
    char *path;

    (void)state;
    fill(&was);
    path = written(&was, "key");
    assert_int_equal(dq_guide_look(path, "key", &plate, &err), DQ_OK);
    assert_string_equal(plate.sha256, was.plate.sha256);
    assert_int_equal(plate.bytes, was.plate.bytes);
    assert_int_equal(plate.mtime_ns, was.plate.mtime_ns);
    assert_int_equal(dq_guide_look(path, "yek", &plate, &err), DQ_MISSING);
    dq_guide_free(&was);
    done_with(path);
}

static void another_key_or_plate_is_no_guide(void **state)
{
    struct dq_guide was, got = {0};
    struct dq_err err = {0};
    char *path;

    (void)state;
    fill(&was);
    path = written(&was, "key");
    assert_int_equal(dq_guide_read(path, "other", NULL, &got, &err),
                     DQ_MISSING);
    dq_err_clear(&err);
    assert_int_equal(dq_guide_read(path, "key", "bbbb", &got, &err),
                     DQ_MISSING);
    dq_err_clear(&err);
    assert_int_equal(dq_guide_read("/nowhere/1.exr", "key", NULL, &got, &err),
                     DQ_MISSING);
    dq_guide_free(&got);
    dq_guide_free(&was);
    done_with(path);
}

/* Any byte: header, attribute, table, pixels. */
static void a_damaged_guide_is_none(void **state)
{
    struct dq_guide was;
    struct dq_bytes bytes = {0};
    struct dq_err err = {0};
    int told = 0;

    (void)state;
    fill(&was);
    assert_int_equal(dq_guide_encode(&was, "key", &bytes, &err), DQ_OK);
    for (size_t at = 0; at < bytes.count; at += 13) {
        struct dq_guide got = {0};
        char path[] = "/tmp/guide_test.XXXXXX";
        int fd = mkstemp(path);
        FILE *out = fd >= 0 ? fdopen(fd, "wb") : NULL;

        assert_non_null(out);
        bytes.data[at] = (char)(bytes.data[at] ^ 0x55);
        assert_int_equal(fwrite(bytes.data, 1, bytes.count, out), bytes.count);
        fclose(out);
        bytes.data[at] = (char)(bytes.data[at] ^ 0x55);
        dq_err_clear(&err);
        if (dq_guide_read(path, "key", was.plate.sha256, &got, &err) == DQ_OK)
            assert_memory_equal(got.depth, was.depth,
                                3 * W * H * sizeof(float));
        else
            told++;
        dq_guide_free(&got);
        remove(path);
    }
    assert_true(told > (int)bytes.count / 13 / 2);
    dq_bytes_free(&bytes);
    dq_guide_free(&was);
}

static void one_that_cannot_be_read_now_is_not_missing(void **state)
{
    struct dq_guide was, got = {0};
    struct dq_err err = {0};
    char *path, *second;

    (void)state;
    fill(&was);
    path = written(&was, "key");
    assert_int_equal(setenv("DQ_FAULT", "read:1", 1), 0);
    dq_fault_setup();
    assert_int_equal(dq_guide_read(path, "key", NULL, &got, &err), DQ_IO);
    /* the path is said, and once */
    assert_ptr_equal(strstr(err.text, path), err.text);
    second = strstr(err.text + 1, path);
    assert_null(second);
    assert_int_equal(unsetenv("DQ_FAULT"), 0);
    dq_fault_setup();
    dq_err_clear(&err);
    assert_int_equal(dq_guide_read(path, "key", NULL, &got, &err), DQ_OK);
    assert_int_equal(dq_guide_read(path, "yek", NULL, &got, &err), DQ_MISSING);
    assert_ptr_equal(strstr(err.text, path), err.text);
    dq_guide_free(&got);
    dq_guide_free(&was);
    done_with(path);
}

static void its_key_follows_what_the_network_sees(void **state)
{
    struct dq_recipe recipe = {.scan_text = text};
    struct dq_shot shot = {.lattice = {0, 0, 9, 9}, .pixel_aspect = 1};
    char one[DQ_SHA256_HEX], two[DQ_SHA256_HEX];

    (void)state;
    dq_guide_key(&recipe, &shot, one);
    shot.range_low = 5; /* what comes after the network is no matter */
    dq_guide_key(&recipe, &shot, two);
    assert_string_equal(one, two);
    shot.exposure_ev = 1;
    dq_guide_key(&recipe, &shot, two);
    assert_string_not_equal(one, two);
    shot.exposure_ev = 0;
    shot.lattice.x1 = 10;
    dq_guide_key(&recipe, &shot, two);
    assert_string_not_equal(one, two);
    shot.lattice.x1 = 9;
    recipe.scan_text = other_text;
    dq_guide_key(&recipe, &shot, two);
    assert_string_not_equal(one, two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_guide_comes_back_to_the_last_bit),
        cmocka_unit_test(its_header_alone_tells_the_plate),
        cmocka_unit_test(another_key_or_plate_is_no_guide),
        cmocka_unit_test(a_damaged_guide_is_none),
        cmocka_unit_test(one_that_cannot_be_read_now_is_not_missing),
        cmocka_unit_test(its_key_follows_what_the_network_sees),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
