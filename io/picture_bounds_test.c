#include "base/testing.h"

#include "io/picture_bounds.h"

/* ---- files made by hand -------------------------------------------------- */

struct file {
    uint8_t bytes[4096];
    size_t count;
    int big; /* the most significant byte first */
};

static void put(struct file *f, uint64_t value, int size)
{
    for (int i = 0; i < size; i++)
        f->bytes[f->count++] =
            (uint8_t)(value >> 8 * (f->big ? size - 1 - i : i));
}

static void put_text(struct file *f, const char *text, size_t count)
{
    memcpy(f->bytes + f->count, text, count);
    f->count += count;
}

static void poke(struct file *f, size_t at, uint64_t value, int size)
{
    size_t end = f->count;

    f->count = at;
    put(f, value, size);
    f->count = end;
}

/* A picture of 20 x 12 in three strips of 5 rows, or in tiles of 16 x 16, of
 * one or three samples; 100 bytes each, behind the directory. */
struct form {
    int big_endian, big_tiff, tiled, planar;
};

static int word_of(const struct form *form)
{
    return form->big_tiff ? 8 : 4;
}

static void entry(struct file *f, const struct form *form, int tag,
                  uint64_t count, uint64_t value)
{
    int word = word_of(form);

    put(f, (uint64_t)tag, 2);
    put(f, form->big_tiff ? 16 : 4, 2);
    put(f, count, word);
    put(f, value, word);
}

static void list(struct file *f, const struct form *form, int n, uint64_t first,
                 uint64_t step)
{
    for (int i = 0; i < n; i++)
        put(f, first + step * (uint64_t)i, word_of(form));
}

static int pieces_of(const struct form *form)
{
    return (form->tiled ? 2 : 3) * (form->planar ? 3 : 1);
}

enum { ENTRIES = 8 };

static size_t lists_at(const struct form *form)
{
    return form->big_tiff ? 16 + 8 + ENTRIES * 20 + 8
                          : 8 + 2 + ENTRIES * 12 + 4;
}

static struct file tiff(struct form form)
{
    struct file f = {.big = form.big_endian};
    int n = pieces_of(&form), word = word_of(&form);
    size_t at = lists_at(&form), sizes = at + (size_t)(n * word);

    put_text(&f, form.big_endian ? "MM" : "II", 2);
    put(&f, form.big_tiff ? 43 : 42, 2);
    if (form.big_tiff)
        put(&f, 8, 2), put(&f, 0, 2);
    put(&f, form.big_tiff ? 16 : 8, word);
    put(&f, ENTRIES, form.big_tiff ? 8 : 2);
    entry(&f, &form, 256, 1, 20);
    entry(&f, &form, 257, 1, 12);
    entry(&f, &form, form.tiled ? 324 : 273, (uint64_t)n, at);
    entry(&f, &form, 277, 1, 3);
    entry(&f, &form, form.tiled ? 322 : 278, 1, form.tiled ? 16 : 5);
    entry(&f, &form, form.tiled ? 325 : 279, (uint64_t)n, sizes);
    entry(&f, &form, 284, 1, form.planar ? 2 : 1);
    entry(&f, &form, 323, 1, 16);
    put(&f, 0, word);
    list(&f, &form, n, sizes + (size_t)(n * word), 100);
    list(&f, &form, n, 100, 0);
    f.count += 100 * (size_t)n;
    return f;
}

/* ---- verdicts ------------------------------------------------------------ */

static void expect_whole(const struct file *f)
{
    struct dq_err err = {0};

    assert_int_equal(dq_picture_bounds(f->bytes, f->count, &err), DQ_OK);
    assert_string_equal(err.text, "");
}

static void expect_refused(const struct file *f, const char *because)
{
    struct dq_err err = {0};

    assert_int_equal(dq_picture_bounds(f->bytes, f->count, &err), DQ_PLATE);
    if (!strstr(err.text, because))
        fail_msg("'%s' does not say '%s'", err.text, because);
}

static void expect_every_cut_refused(const struct file *whole, size_t from)
{
    expect_whole(whole);
    for (size_t n = from; n < whole->count; n++) {
        struct dq_err err = {0};
        uint8_t *exactly = malloc(n);

        assert_non_null(exactly);
        memcpy(exactly, whole->bytes, n);
        if (dq_picture_bounds(exactly, n, &err) != DQ_PLATE ||
            !strstr(err.text, "cut short") ||
            !strstr(err.text, "copy or export it again"))
            fail_msg("%zu of %zu bytes: '%s'", n, whole->count, err.text);
        free(exactly);
    }
}

static const struct form FORMS[] = {{0, 0, 0, 0}, {1, 0, 0, 0}, {0, 1, 0, 0},
                                    {1, 1, 0, 0}, {0, 0, 1, 0}, {1, 1, 1, 0},
                                    {0, 0, 0, 1}, {1, 0, 1, 1}, {0, 1, 1, 1}};

static void a_tiff_cut_at_any_byte_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof FORMS / sizeof *FORMS; i++) {
        struct file f = tiff(FORMS[i]);

        expect_every_cut_refused(&f, 4);
    }
}

/* Where an entry of the classic little-endian directory has its value. */
static size_t value_at(int which)
{
    return 10 + 12 * (size_t)which + 8;
}

static void a_tiff_that_lists_too_few_strips_is_refused(void **state)
{
    struct file f = tiff(FORMS[0]);

    (void)state;
    poke(&f, value_at(1), 16, 4);
    expect_refused(&f, "lists fewer than its 4 strips");
    f = tiff(FORMS[4]);
    poke(&f, value_at(0), 33, 4);
    expect_refused(&f, "lists fewer than its 3 tiles");
    f = tiff(FORMS[6]);
    poke(&f, value_at(3), 4, 4);
    expect_refused(&f, "lists fewer than its 12 strips");
}

static void a_tiff_with_an_empty_strip_is_refused(void **state)
{
    struct file f = tiff(FORMS[0]);

    (void)state;
    poke(&f, lists_at(&FORMS[0]) + 3 * 4 + 4, 0, 4);
    expect_refused(&f, "strip 2 is empty");
}

static void a_tiff_whose_numbers_overflow_is_refused(void **state)
{
    struct file f = tiff(FORMS[2]);
    const size_t offsets = lists_at(&FORMS[2]);

    (void)state;
    poke(&f, offsets + 8, UINT64_MAX - 50, 8);
    expect_refused(&f, "strip 2 has 100 bytes from byte 18446744073709551565");
    f = tiff(FORMS[2]);
    poke(&f, offsets + 3 * 8, UINT64_MAX, 8);
    expect_refused(&f, "strip 1 has");
    f = tiff(FORMS[2]);
    poke(&f, 16 + 8 + 2 * 20 + 4, UINT64_MAX / 8 + 2, 8); /* the list's count */
    expect_refused(&f, "cut short: a list of its directory");
    f = tiff(FORMS[2]);
    poke(&f, 16, UINT64_MAX, 8); /* entries */
    expect_refused(&f, "too many entries");
    f = tiff(FORMS[2]);
    poke(&f, 8, UINT64_MAX - 2, 8); /* where the directory is */
    expect_refused(&f, "cut short");
}

static void a_tiff_without_a_size_is_refused(void **state)
{
    struct file f = tiff(FORMS[0]);

    (void)state;
    poke(&f, value_at(0), 0, 4);
    expect_refused(&f, "its size makes no sense");
    f = tiff(FORMS[0]);
    poke(&f, value_at(4), 0, 4); /* rows a strip */
    expect_refused(&f, "its size makes no sense");
    f = tiff(FORMS[0]);
    poke(&f, value_at(1), UINT32_MAX, 4);
    poke(&f, value_at(4), 1, 4);
    expect_refused(&f, "its size makes no sense");
    f = tiff(FORMS[0]);
    poke(&f, value_at(0) - 6, 5, 2); /* a rational width */
    expect_refused(&f, "an entry of a wrong type");
}

static struct file jpeg(void)
{
    static const char bytes[] =
        "\xff\xd8"
        "\xff\xe0\x00\x06\xff\xd9\xff\xd9" /* looks like two ends */
        "\xff\xff\xc2\x00\x05\x08\x00\x10" /* fill; progressive */
        "\xff\xda\x00\x04\x01\x01"         /* a scan */
        "coded\xff\x00more\xff\xd0rest"    /* stuffing, a restart */
        "\xff\xc4\x00\x03\x00"             /* tables between scans */
        "\xff\xda\x00\x04\x01\x02"
        "again\xff\xd9";
    struct file f = {.big = 1};

    put_text(&f, bytes, sizeof bytes - 1);
    return f;
}

static void a_jpeg_cut_at_any_byte_is_refused(void **state)
{
    struct file f = jpeg();

    (void)state;
    expect_every_cut_refused(&f, 3);
}

static void a_jpeg_with_something_behind_its_end_is_whole(void **state)
{
    struct file f = jpeg();

    (void)state;
    put_text(&f, "a camera's second picture", 25);
    expect_whole(&f);
}

static void a_jpeg_whose_tail_is_zero_is_refused(void **state)
{
    struct file f = jpeg();

    (void)state;
    memset(f.bytes + 30, 0, f.count - 30);
    expect_refused(&f, "cut short: it ends in the picture's data");
}

static void a_jpeg_without_a_picture_is_refused(void **state)
{
    struct file f = {.big = 1};

    (void)state;
    put_text(&f, "\xff\xd8\xff\xe0\x00\x02\xff\xd9", 8);
    expect_refused(&f, "has no picture");
}

static void chunk(struct file *f, const char *name, size_t size)
{
    put(f, size, 4);
    put_text(f, name, 4);
    f->count += size + 4;
}

static struct file png(void)
{
    struct file f = {.big = 1};

    put_text(&f, "\x89PNG\r\n\x1a\n", 8);
    chunk(&f, "IHDR", 13);
    chunk(&f, "IDAT", 40);
    chunk(&f, "IDAT", 7);
    chunk(&f, "IEND", 0);
    return f;
}

static void a_png_cut_at_any_byte_is_refused(void **state)
{
    struct file f = png();

    (void)state;
    expect_every_cut_refused(&f, 8);
}

static void a_png_whose_tail_is_zero_is_refused(void **state)
{
    struct file f = png();

    (void)state;
    memset(f.bytes + 8 + 25 + 52, 0, f.count - (8 + 25 + 52));
    expect_refused(&f, "damaged: no chunk at byte 85");
}

static void a_png_without_a_picture_is_refused(void **state)
{
    struct file f = {.big = 1};

    (void)state;
    put_text(&f, "\x89PNG\r\n\x1a\n", 8);
    chunk(&f, "IHDR", 13);
    chunk(&f, "IEND", 0);
    expect_refused(&f, "has no picture");
}

/* 7 x 5 pixels behind a header of 1,000 bytes. */
static struct file dpx(int big, int descriptor, int bits, int packing)
{
    struct file f = {.big = big};

    put_text(&f, big ? "SDPX" : "XPDS", 4);
    poke(&f, 4, 1000, 4);
    poke(&f, 16, UINT32_MAX, 4);
    poke(&f, 772, 7, 4);
    poke(&f, 776, 5, 4);
    poke(&f, 800, (uint64_t)descriptor, 1);
    poke(&f, 803, (uint64_t)bits, 1);
    poke(&f, 804, (uint64_t)packing, 2);
    poke(&f, 808, UINT32_MAX, 4);
    return f;
}

static void a_dpx_needs_its_pixels(void **state)
{
    static const struct {
        int descriptor, bits, packing;
        size_t bytes;
    } cases[] = {{50, 8, 0, 105},  {50, 10, 1, 140}, {50, 10, 0, 132},
                 {51, 16, 0, 280}, {6, 12, 1, 70},   {6, 12, 0, 53},
                 {100, 8, 0, 70},  {150, 8, 0, 70},  {156, 32, 0, 1120}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct file f = dpx(i % 2 == 1, cases[i].descriptor, cases[i].bits,
                            cases[i].packing);

        f.count = 1000 + cases[i].bytes;
        expect_every_cut_refused(&f, 4);
    }
}

static void a_dpx_may_say_where_its_pixels_are(void **state)
{
    struct file f = dpx(1, 50, 8, 0);

    (void)state;
    poke(&f, 808, 2000, 4);
    f.count = 2105;
    expect_every_cut_refused(&f, 4);
}

static void a_run_length_dpx_goes_by_the_size_it_tells(void **state)
{
    struct file f = dpx(0, 50, 8, 0);

    (void)state;
    poke(&f, 806, 1, 2);
    f.count = 1010;
    expect_whole(&f);
    poke(&f, 16, 1020, 4);
    expect_refused(&f, "ends at byte 1020, the file at 1010");
}

static void other_bytes_are_not_judged(void **state)
{
    (void)state;
    assert_int_equal(dq_picture_bounds("GIF89a", 6, NULL), DQ_OK);
    assert_int_equal(dq_picture_bounds("II", 2, NULL), DQ_OK);
    assert_int_equal(dq_picture_bounds("", 0, NULL), DQ_OK);
}

static void nobody_has_to_want_the_reason(void **state)
{
    struct file f = tiff(FORMS[0]);

    (void)state;
    assert_int_equal(dq_picture_bounds(f.bytes, f.count - 1, NULL), DQ_PLATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tiff_cut_at_any_byte_is_refused),
        cmocka_unit_test(a_tiff_that_lists_too_few_strips_is_refused),
        cmocka_unit_test(a_tiff_with_an_empty_strip_is_refused),
        cmocka_unit_test(a_tiff_whose_numbers_overflow_is_refused),
        cmocka_unit_test(a_tiff_without_a_size_is_refused),
        cmocka_unit_test(a_jpeg_cut_at_any_byte_is_refused),
        cmocka_unit_test(a_jpeg_with_something_behind_its_end_is_whole),
        cmocka_unit_test(a_jpeg_whose_tail_is_zero_is_refused),
        cmocka_unit_test(a_jpeg_without_a_picture_is_refused),
        cmocka_unit_test(a_png_cut_at_any_byte_is_refused),
        cmocka_unit_test(a_png_whose_tail_is_zero_is_refused),
        cmocka_unit_test(a_png_without_a_picture_is_refused),
        cmocka_unit_test(a_dpx_needs_its_pixels),
        cmocka_unit_test(a_dpx_may_say_where_its_pixels_are),
        cmocka_unit_test(a_run_length_dpx_goes_by_the_size_it_tells),
        cmocka_unit_test(other_bytes_are_not_judged),
        cmocka_unit_test(nobody_has_to_want_the_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
