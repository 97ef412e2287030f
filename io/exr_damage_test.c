/* Damaged and hostile files: an error that says where, never a crash, never
 * a picture. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/plate_private.h"
#include "tests/exr_make.h"

#define CUTS 64

static const struct made_channel rgb[] = {{"R", EXR_PIXEL_HALF, 0},
                                          {"G", EXR_PIXEL_HALF, 0},
                                          {"B", EXR_PIXEL_FLOAT, 0}};

static struct dq_bytes picture(exr_compression_t codec, exr_storage_t storage,
                               struct made_part *part)
{
    struct made_file file = {.display = {0, 0, 63, 63},
                             .pixels = MADE_SMOOTH,
                             .parts = part,
                             .part_count = 1};

    *part = (struct made_part){.storage = storage,
                               .codec = codec,
                               .data = {-3, 10, 46, 79},
                               .tile_x = 16,
                               .tile_y = 32,
                               .channels = rgb,
                               .channel_count = 3};
    return made_bytes(&file);
}

/* Open, choose and decode; the code of whatever failed. */
static int read_all(const void *bytes, size_t count, struct dq_frame *frame,
                    struct dq_err *err)
{
    struct dq_plate_wish wish = {0};
    struct dq_plate_choice choice;
    struct dq_plate *plate = dq_plate_open(bytes, count, "bad.exr", err);
    int code = err->code;

    if (plate && !dq_plate_choose(plate, &wish, &choice, err))
        dq_plate_decode(plate, &choice, frame, err);
    code = err->code;
    dq_plate_close(plate);
    return code;
}

/* A copy of its own size, so that a sanitizer sees one byte too far. */
static int read_copy(const struct dq_bytes *bytes, size_t count,
                     struct dq_frame *frame, struct dq_err *err)
{
    void *copy = malloc(count ? count : 1);
    int code;

    if (!copy)
        abort();
    memcpy(copy, bytes->data, count);
    code = read_all(copy, count, frame, err);
    free(copy);
    return code;
}

/* ---- cut short ----------------------------------------------------------- */

static void assert_cuts_fail(const struct dq_bytes *bytes)
{
    struct dq_frame frame = {0};
    size_t i;

    for (i = 0; i <= CUTS; i++) {
        size_t count = i == CUTS ? bytes->count - 1 : bytes->count * i / CUTS;
        struct dq_err err = {0};

        if (read_copy(bytes, count, &frame, &err) != DQ_PLATE)
            fail_msg("cut at %zu of %zu: %s", count, bytes->count,
                     err.code ? err.text : "was read");
        assert_int_equal(strncmp(err.text, "bad.exr: ", 9), 0);
    }
    dq_frame_free(&frame);
}

static void a_file_of_any_codec_cut_anywhere_is_refused(void **state)
{
    int codec, storage;

    (void)state;
    for (codec = 0; codec < EXR_COMPRESSION_LAST_TYPE; codec++)
        for (storage = EXR_STORAGE_SCANLINE; storage <= EXR_STORAGE_TILED;
             storage++) {
            struct made_part part;
            struct dq_bytes bytes = picture((exr_compression_t)codec,
                                            (exr_storage_t)storage, &part);

            assert_cuts_fail(&bytes);
            dq_bytes_free(&bytes);
        }
}

/* Also when the part that is asked for is whole. */
static void a_file_cut_in_its_second_part_is_refused(void **state)
{
    struct made_part parts[2] = {{.name = "a",
                                  .data = {0, 0, 9, 9},
                                  .channels = rgb,
                                  .channel_count = 3},
                                 {.name = "b",
                                  .data = {0, 0, 9, 9},
                                  .channels = rgb,
                                  .channel_count = 3}};
    struct made_file file = {.parts = parts, .part_count = 2};
    struct dq_bytes bytes = made_bytes(&file);
    struct dq_frame frame = {0};
    struct dq_err err = {0};

    (void)state;
    assert_int_equal(read_copy(&bytes, bytes.count - 1, &frame, &err),
                     DQ_PLATE);
    assert_non_null(
        strstr(err.text, "part 'b' is incomplete or damaged: scan line 9"));
    assert_null(frame.buffer); /* told before pixels had a place */
    dq_bytes_free(&bytes);
}

static void a_missing_line_is_named(void **state)
{
    struct made_part part;
    struct dq_bytes bytes =
        picture(EXR_COMPRESSION_ZIP, EXR_STORAGE_SCANLINE, &part);
    struct dq_frame frame = {0};
    struct dq_err err = {0};

    (void)state;
    read_copy(&bytes, bytes.count - 1, &frame, &err);
    assert_non_null(strstr(err.text, "scan lines 74 to 79"));
    dq_bytes_free(&bytes);
    bytes = picture(EXR_COMPRESSION_ZIP, EXR_STORAGE_TILED, &part);
    read_copy(&bytes, bytes.count - 1, &frame, &err);
    assert_non_null(strstr(err.text, "scan lines 74 to 79, tile (3, 2)"));
    dq_bytes_free(&bytes);
}

/* What is left when a writer dies, or a disk loses its last blocks. */
static void a_file_whose_tail_is_zero_is_refused(void **state)
{
    int codec;

    (void)state;
    for (codec = 0; codec < EXR_COMPRESSION_LAST_TYPE; codec++) {
        struct made_part part;
        struct dq_bytes bytes =
            picture((exr_compression_t)codec, EXR_STORAGE_TILED, &part);
        struct dq_frame frame = {0};
        struct dq_err err = {0};
        size_t from = bytes.count / 2;

        memset(bytes.data + from, 0, bytes.count - from);
        assert_int_equal(read_copy(&bytes, bytes.count, &frame, &err),
                         DQ_PLATE);
        dq_frame_free(&frame);
        dq_bytes_free(&bytes);
    }
}

/* The writer died with all its lines stored, and their table not. */
static void a_file_without_its_table_is_refused(void **state)
{
    struct made_part part;
    struct dq_bytes bytes =
        picture(EXR_COMPRESSION_ZIPS, EXR_STORAGE_SCANLINE, &part);
    struct dq_frame frame = {0};
    struct dq_err err = {0};
    struct dq_plate *plate =
        dq_plate_open(bytes.data, bytes.count, "whole.exr", &err);
    uint64_t table = 0;
    exr_chunk_info_t chunk;

    (void)state;
    assert_non_null(plate);
    made_check(exr_read_scanline_chunk_info(plate->exr, 0, 10, &chunk));
    table = chunk.data_offset - 8 - 70 * 8; /* 70 lines, a leader of 8 */
    dq_plate_close(plate);
    memset(bytes.data + table, 0, 70 * 8);
    assert_int_equal(read_copy(&bytes, bytes.count, &frame, &err), DQ_PLATE);
    assert_non_null(strstr(err.text, "scan line 10"));
    dq_bytes_free(&bytes);
}

/* ---- flipped bits -------------------------------------------------------- */

static int same_picture(const struct dq_frame *a, const struct dq_frame *b)
{
    size_t bytes = (size_t)dq_box_width(&a->data) *
                   (size_t)dq_box_height(&a->data) * sizeof(float);
    int i;

    for (i = 0; i < 3; i++)
        if (memcmp(a->plane[i], b->plane[i], bytes) != 0)
            return 0;
    return 1;
}

/* Deflate carries a checksum: a flipped bit is found, or changes nothing. */
static void a_flipped_bit_never_changes_a_deflated_picture(void **state)
{
    static const exr_compression_t codecs[] = {EXR_COMPRESSION_ZIPS,
                                               EXR_COMPRESSION_ZIP};
    size_t c, at;

    (void)state;
    for (c = 0; c < 2; c++) {
        struct made_part part;
        struct dq_bytes bytes = picture(codecs[c], EXR_STORAGE_SCANLINE, &part);
        struct dq_frame whole = {0}, frame = {0};
        struct dq_err err = {0};
        size_t chunks = bytes.count * 3 / 4; /* well behind the header */
        int found = 0;

        assert_int_equal(read_copy(&bytes, bytes.count, &whole, &err), 0);
        for (at = chunks; at < bytes.count; at += 3) {
            bytes.data[at] = (char)(bytes.data[at] ^ (1 << at % 8));
            dq_err_clear(&err);
            if (read_copy(&bytes, bytes.count, &frame, &err))
                found++;
            else
                assert_true(same_picture(&whole, &frame));
            bytes.data[at] = (char)(bytes.data[at] ^ (1 << at % 8));
        }
        assert_true(found > 0);
        dq_frame_free(&whole);
        dq_frame_free(&frame);
        dq_bytes_free(&bytes);
    }
}

/* The library inside the library (HTJ2K) prints what it finds. */
static void hush(int saved[2])
{
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

    fflush(stdout);
    saved[0] = dup(1);
    saved[1] = dup(2);
    dup2(nowhere, 1);
    dup2(nowhere, 2);
    close(nowhere);
}

static void unhush(const int saved[2])
{
    fflush(stdout);
    dup2(saved[0], 1);
    dup2(saved[1], 2);
    close(saved[0]);
    close(saved[1]);
}

/* The other codecs carry none: a verdict either way, in bounded memory. */
static void flipped_bytes_anywhere_crash_nothing(void **state)
{
    int codec, i, saved[2];
    uint32_t seed = 7;

    (void)state;
    hush(saved);
    for (codec = 0; codec < EXR_COMPRESSION_LAST_TYPE; codec++) {
        struct made_part part;
        struct dq_bytes bytes =
            picture((exr_compression_t)codec, EXR_STORAGE_SCANLINE, &part);
        struct dq_frame frame = {0};

        for (i = 0; i < 400; i++) {
            struct dq_err err = {0};
            char *byte;
            char was;

            seed = seed * 1664525u + 1013904223u;
            byte = &bytes.data[(seed >> 8) % bytes.count];
            was = *byte;
            *byte = (char)(seed >> 3);
            read_copy(&bytes, bytes.count, &frame, &err);
            *byte = was;
        }
        dq_frame_free(&frame);
        dq_bytes_free(&bytes);
    }
    unhush(saved);
}

/* ---- headers that promise too much --------------------------------------- */

static void put(struct dq_bytes *b, uint32_t value)
{
    uint8_t le[4] = {(uint8_t)value, (uint8_t)(value >> 8),
                     (uint8_t)(value >> 16), (uint8_t)(value >> 24)};

    dq_bytes_add(b, le, 4);
}

static void put_attr(struct dq_bytes *b, const char *name, const char *type,
                     uint32_t size)
{
    dq_bytes_add(b, name, strlen(name) + 1);
    dq_bytes_add(b, type, strlen(type) + 1);
    put(b, size);
}

static void put_box(struct dq_bytes *b, const char *name,
                    const struct dq_box *box)
{
    put_attr(b, name, "box2i", 16);
    put(b, (uint32_t)box->x0);
    put(b, (uint32_t)box->y0);
    put(b, (uint32_t)box->x1);
    put(b, (uint32_t)box->y1);
}

/* A header written byte by byte, and some zeros behind it. */
struct promise {
    struct dq_box data, display;
    int channels;
    uint32_t tile; /* 0: scan lines */
    uint8_t codec;
};

static struct dq_bytes header_of(const struct promise *p)
{
    static const struct dq_box none;
    const struct dq_box *display =
        dq_box_equal(&p->display, &none) ? &p->data : &p->display;
    struct dq_bytes b = {0};
    uint8_t order = 0;
    char name[8];
    int i;

    put(&b, 0x01312f76);
    put(&b, p->tile ? 0x202 : 2);
    put_attr(&b, "channels", "chlist", (uint32_t)p->channels * 22 - 12 + 1);
    for (i = 0; i < p->channels; i++) {
        snprintf(name, sizeof name, "%03x.%c", (i / 3) & 0xfff, "RGB"[i % 3]);
        dq_bytes_add(&b, name + (i < 3 ? 4 : 0), i < 3 ? 2 : 6);
        put(&b, 1);
        put(&b, 0);
        put(&b, 1);
        put(&b, 1);
    }
    dq_bytes_add(&b, "", 1);
    put_attr(&b, "compression", "compression", 1);
    dq_bytes_add(&b, &p->codec, 1);
    put_box(&b, "dataWindow", &p->data);
    put_box(&b, "displayWindow", display);
    put_attr(&b, "lineOrder", "lineOrder", 1);
    dq_bytes_add(&b, &order, 1);
    put_attr(&b, "pixelAspectRatio", "float", 4);
    put(&b, 0x3f800000);
    put_attr(&b, "screenWindowCenter", "v2f", 8);
    put(&b, 0);
    put(&b, 0);
    put_attr(&b, "screenWindowWidth", "float", 4);
    put(&b, 0x3f800000);
    if (p->tile) {
        put_attr(&b, "tiles", "tiledesc", 9);
        put(&b, p->tile);
        put(&b, p->tile);
        dq_bytes_add(&b, "", 1);
    }
    dq_bytes_add(&b, "", 1);
    for (i = 0; i < 256; i++)
        put(&b, 0);
    return b;
}

static void assert_promise(struct promise p, const char *want)
{
    struct dq_bytes bytes = header_of(&p);
    struct dq_frame frame = {0};
    struct dq_err err = {0};

    assert_int_equal(read_copy(&bytes, bytes.count, &frame, &err), DQ_PLATE);
    if (!strstr(err.text, want))
        fail_msg("'%s' does not say '%s'", err.text, want);
    assert_null(frame.buffer);
    dq_bytes_free(&bytes);
}

#define PROMISE(...) ((struct promise){__VA_ARGS__})

static void huge_windows_are_refused_before_any_pixel_has_a_place(void **state)
{
    (void)state;
    assert_promise(PROMISE(.data = {0, 0, 262660, 15104}, .channels = 8),
                   "too large (max 32768)");
    assert_promise(PROMISE(.data = {0, 0, 0, 520027905}, .channels = 3),
                   "too large (max 32768)");
    assert_promise(PROMISE(.data = {0, 0, 32767, 8192}, .channels = 3),
                   "32768 x 8193 pixels; at most 32768 a side and 2^28");
    assert_promise(PROMISE(.data = {0, 0, 9, 9}, .display = {0, 0, 40000, 9},
                           .channels = 3),
                   "the display window is 40001 x 10");
    assert_promise(PROMISE(.data = {20000000, 0, 20000009, 9}, .channels = 3),
                   "the display window (20000000, 0)");
    assert_promise(PROMISE(.data = {5, 5, 4, 4}, .channels = 3),
                   "Invalid display window");
    assert_promise(PROMISE(.data = {INT32_MIN, 0, INT32_MAX, 0}, .channels = 3),
                   "Invalid");
}

static void too_many_channels_rows_and_tiles_are_refused(void **state)
{
    (void)state;
    assert_promise(PROMISE(.data = {0, 0, 9, 9}, .channels = 1025),
                   "1025 channels; 1 to 1024 are read");
    assert_promise(PROMISE(.data = {0, 0, 32767, 9}, .channels = 1024 + 1),
                   "1025 channels");
    assert_promise(PROMISE(.data = {0, 0, 9, 9}, .channels = 3, .tile = 4097),
                   "tile exceeds max size");
    assert_promise(PROMISE(.data = {0, 0, 32767, 8191}, .channels = 1000,
                           .codec = EXR_COMPRESSION_DWAB),
                   "one chunk is");
}

/* io/exr_scan.h says why. */
static void long_lists_are_refused_before_they_are_sorted(void **state)
{
    struct dq_bytes b = {0};
    struct dq_frame frame = {0};
    struct dq_err err = {0};
    char name[16];
    int i;

    (void)state;
    assert_promise(PROMISE(.data = {0, 0, 9, 9}, .channels = 1000000),
                   "1000000 channels; 1 to 1024 are read");
    put(&b, 0x01312f76);
    put(&b, 2);
    for (i = 0; i < 1000000; i++) {
        snprintf(name, sizeof name, "a%06d", 1000000 - i);
        put_attr(&b, name, "int", 4);
        put(&b, 0);
    }
    dq_bytes_add(&b, "", 1);
    assert_int_equal(read_copy(&b, b.count, &frame, &err), DQ_PLATE);
    assert_non_null(strstr(err.text, "more than 4096 attributes"));
    dq_bytes_free(&b);
}

static void a_window_whose_chunks_are_not_there_costs_nothing(void **state)
{
    (void)state;
    /* 64 chunks of 256 lines: a table of 512 bytes stands for 2^28 pixels. */
    assert_promise(PROMISE(.data = {0, 0, 16383, 16383}, .channels = 3,
                           .codec = EXR_COMPRESSION_DWAB),
                   "incomplete or damaged: scan lines 0 to 255");
    assert_promise(PROMISE(.data = {0, 0, 9, 9}, .channels = 3, .codec = 99),
                   "or newer than OpenEXR");
}

static void a_part_too_many_is_refused(void **state)
{
    struct made_part parts[65];
    char names[65][16];
    struct made_file file = {.parts = parts, .part_count = 65};
    struct dq_bytes bytes;
    struct dq_frame frame = {0};
    struct dq_err err = {0};
    int i;

    (void)state;
    for (i = 0; i < 65; i++) {
        snprintf(names[i], sizeof names[i], "p%d", i);
        parts[i] = (struct made_part){
            .name = names[i], .channels = rgb, .channel_count = 3};
    }
    bytes = made_bytes(&file);
    assert_int_equal(read_copy(&bytes, bytes.count, &frame, &err), DQ_PLATE);
    assert_non_null(strstr(err.text, "more than 64 parts are not read"));
    dq_bytes_free(&bytes);
}

/* ---- no EXR at all, and files by path ------------------------------------ */

static void what_is_no_exr_is_told_apart(void **state)
{
    struct dq_frame frame = {0};
    struct dq_err err = {0};

    (void)state;
    assert_int_equal(read_all("", 0, &frame, &err), DQ_PLATE);
    assert_string_equal(err.text,
                        "bad.exr: the file is empty; copy or export it "
                        "again");
    assert_int_equal(read_all("\x76\x2f\x31", 3, &frame, &err), DQ_PLATE);
    assert_int_equal(read_all("#!/bin/sh\necho no picture\n", 26, &frame, &err),
                     DQ_PLATE);
}

static void a_header_alone_is_read_from_a_path(void **state)
{
    struct made_part part;
    struct dq_bytes bytes =
        picture(EXR_COMPRESSION_PIZ, EXR_STORAGE_SCANLINE, &part);
    char path[] = "/tmp/dq_header_XXXXXX";
    int fd = mkstemp(path);
    struct dq_err err = {0};
    struct dq_plate_wish wish = {0};
    struct dq_plate_choice choice;
    struct dq_frame frame = {0};
    struct dq_plate *plate;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes.data, bytes.count), bytes.count);
    close(fd);
    plate = dq_plate_open_header(path, &err);
    assert_non_null(plate);
    assert_true(dq_box_equal(&dq_plate_info(plate)->parts[0].data, &part.data));
    assert_string_equal(dq_plate_info(plate)->parts[0].compression, "piz");
    assert_int_equal(dq_plate_choose(plate, &wish, &choice, &err), 0);
    assert_int_equal(dq_plate_decode(plate, &choice, &frame, &err), DQ_BUG);
    dq_plate_close(plate);
    unlink(path);
    assert_null(dq_plate_open_header(path, &err));
    assert_int_equal(err.code, DQ_MISSING);
    assert_int_equal(mkfifo(path, 0600), 0); /* never waits for a writer */
    assert_null(dq_plate_open_header(path, &err));
    assert_int_equal(err.code, DQ_IO);
    unlink(path);
    assert_null(dq_plate_open_header("/tmp", &err));
    assert_int_equal(err.code, DQ_IO);
    dq_bytes_free(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_of_any_codec_cut_anywhere_is_refused),
        cmocka_unit_test(a_file_cut_in_its_second_part_is_refused),
        cmocka_unit_test(a_missing_line_is_named),
        cmocka_unit_test(a_file_whose_tail_is_zero_is_refused),
        cmocka_unit_test(a_file_without_its_table_is_refused),
        cmocka_unit_test(a_flipped_bit_never_changes_a_deflated_picture),
        cmocka_unit_test(flipped_bytes_anywhere_crash_nothing),
        cmocka_unit_test(huge_windows_are_refused_before_any_pixel_has_a_place),
        cmocka_unit_test(too_many_channels_rows_and_tiles_are_refused),
        cmocka_unit_test(long_lists_are_refused_before_they_are_sorted),
        cmocka_unit_test(a_window_whose_chunks_are_not_there_costs_nothing),
        cmocka_unit_test(a_part_too_many_is_refused),
        cmocka_unit_test(what_is_no_exr_is_told_apart),
        cmocka_unit_test(a_header_alone_is_read_from_a_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
