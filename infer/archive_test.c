#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "infer/archive.h"
#include "infer/model.h"

/* ---- a writer of zip files ------------------------------------------------*/

struct zip {
    struct dq_bytes file, directory;
    int entries;
    unsigned method, flags; /* of the members to come */
};

static void put16(struct dq_bytes *b, unsigned v)
{
    char two[2] = {(char)(v & 255), (char)(v >> 8 & 255)};

    dq_bytes_add(b, two, 2);
}

static void put32(struct dq_bytes *b, unsigned v)
{
    put16(b, v & 0xffff);
    put16(b, v >> 16);
}

/* What local and central header have in common. */
static void put_header(struct dq_bytes *b, const struct zip *z,
                       const char *name, unsigned size, unsigned extra)
{
    put16(b, 20);
    put16(b, z->flags);
    put16(b, z->method);
    put32(b, 0); /* time and date */
    put32(b, 0); /* CRC-32: nobody asks */
    put32(b, size);
    put32(b, size);
    put16(b, (unsigned)strlen(name));
    put16(b, extra);
}

static void add_member(struct zip *z, const char *name, const void *data,
                       size_t size)
{
    unsigned at = (unsigned)z->file.count;

    dq_bytes_add(&z->file, "PK\3\4", 4);
    put_header(&z->file, z, name, (unsigned)size, 5);
    dq_bytes_text(&z->file, name);
    dq_bytes_add(&z->file, "extra", 5); /* torch pads members this way */
    dq_bytes_add(&z->file, data, size);
    dq_bytes_add(&z->directory, "PK\1\2", 4);
    put16(&z->directory, 20);
    put_header(&z->directory, z, name, (unsigned)size, 0);
    put16(&z->directory, 3); /* comment */
    put32(&z->directory, 0);
    put32(&z->directory, 0);
    put32(&z->directory, at);
    dq_bytes_text(&z->directory, name);
    dq_bytes_add(&z->directory, "why", 3);
    z->entries++;
}

/* The directory and the end record; the zip's bytes are the caller's. */
static struct dq_bytes finish(struct zip *z, const char *comment)
{
    unsigned at = (unsigned)z->file.count;

    dq_bytes_add(&z->file, z->directory.data, z->directory.count);
    dq_bytes_add(&z->file, "PK\5\6", 4);
    put32(&z->file, 0);
    put16(&z->file, (unsigned)z->entries);
    put16(&z->file, (unsigned)z->entries);
    put32(&z->file, (unsigned)z->directory.count);
    put32(&z->file, at);
    put16(&z->file, (unsigned)strlen(comment));
    dq_bytes_text(&z->file, comment);
    dq_bytes_free(&z->directory);
    return z->file;
}

static struct dq_bytes archive_with(const char *name, const char *data)
{
    struct zip z = {0};

    add_member(&z, "net/data.pkl", "pickle", 6);
    add_member(&z, name, data, strlen(data));
    add_member(&z, "net/version", "3\n", 2);
    return finish(&z, "");
}

static const char wanted[] = "extra/depthq.json";

static int finds(const struct dq_bytes *zip, const char **data, size_t *size,
                 struct dq_err *err)
{
    dq_err_clear(err);
    return dq_archive_find(zip->data, zip->count, wanted, data, size, err);
}

static void refuses(const struct dq_bytes *zip, const char *told)
{
    struct dq_err err = {0};
    const char *data;
    size_t size;

    assert_int_equal(finds(zip, &data, &size, &err), DQ_MODEL);
    assert_null(data);
    if (!strstr(err.text, told))
        fail_msg("'%s' says nothing of '%s'", err.text, told);
}

/* ---- the archive ----------------------------------------------------------*/

static void a_stored_member_is_found_whatever_the_top_folder(void **state)
{
    static const char *const names[] = {"net/extra/depthq.json",
                                        "another name/extra/depthq.json"};
    struct dq_err err = {0};
    const char *data;
    size_t size;

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct dq_bytes zip = archive_with(names[i], "{\"a\": 1}");

        assert_true(dq_archive_is(zip.data, zip.count));
        assert_int_equal(finds(&zip, &data, &size, &err), 0);
        assert_int_equal(size, 8);
        assert_memory_equal(data, "{\"a\": 1}", 8);
        dq_bytes_free(&zip);
    }
}

static void only_that_place_counts(void **state)
{
    static const char *const names[] = {
        "net/extra/depthq.jso", "net/extra/depthq.json.bak",
        "extra/depthq.json",    "net/sub/extra/depthq.json",
        "/extra/depthq.json",   "net/extra/xdepthq.json",
        "netextra/depthq.json", "depthq.json"};
    struct dq_err err = {0};
    const char *data;
    size_t size;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct dq_bytes zip = archive_with(names[i], "{}");

        assert_int_equal(finds(&zip, &data, &size, &err), 0);
        if (data)
            fail_msg("%s was taken", names[i]);
        dq_bytes_free(&zip);
    }
}

static void a_comment_behind_the_end_is_no_hindrance(void **state)
{
    struct zip z = {0};
    struct dq_err err = {0};
    struct dq_bytes zip;
    const char *data;
    size_t size;

    (void)state;
    add_member(&z, "n/extra/depthq.json", "{}", 2);
    /* with what looks like another end record in it */
    zip = finish(&z, "made by PK\5\6 and twenty-two more letters");
    assert_int_equal(finds(&zip, &data, &size, &err), 0);
    assert_int_equal(size, 2);
    dq_bytes_free(&zip);
}

static void a_compressed_or_encrypted_member_is_refused(void **state)
{
    struct zip z = {.method = 8}, secret = {.flags = 1};
    struct dq_bytes zip;

    (void)state;
    add_member(&z, "n/extra/depthq.json", "{}", 2);
    zip = finish(&z, "");
    refuses(&zip, "compressed");
    dq_bytes_free(&zip);
    add_member(&secret, "n/extra/depthq.json", "{}", 2);
    zip = finish(&secret, "");
    refuses(&zip, "encrypted");
    dq_bytes_free(&zip);
}

static void an_archive_cut_anywhere_is_refused(void **state)
{
    struct dq_bytes zip = archive_with("net/extra/depthq.json", "{}");
    size_t whole = zip.count;

    (void)state;
    while (zip.count-- > 0) {
        /* a copy of its own, so that a read beyond it is seen */
        struct dq_bytes cut = {.data = malloc(zip.count + !zip.count),
                               .count = zip.count};

        memcpy(cut.data, zip.data, zip.count);
        refuses(&cut, "cut short");
        free(cut.data);
    }
    assert_true(whole > 200);
    dq_bytes_free(&zip);
}

/* Any byte of the directory or the end changed: found as before, not found,
 * or refused; never beyond the file (the sanitizers watch). */
static void a_damaged_directory_never_leads_outside(void **state)
{
    struct dq_bytes zip = archive_with("net/extra/depthq.json", "{}");
    struct dq_err err = {0};
    const char *data;
    size_t size;

    (void)state;
    for (size_t i = 0; i < zip.count; i++)
        for (int bit = 0; bit < 8; bit++) {
            zip.data[i] = (char)(zip.data[i] ^ 1 << bit);
            if (finds(&zip, &data, &size, &err) == 0 && data) {
                assert_true(data >= zip.data && size <= zip.count);
                assert_true(data + size <= zip.data + zip.count);
            }
            zip.data[i] = (char)(zip.data[i] ^ 1 << bit);
        }
    dq_bytes_free(&zip);
}

static void a_zip64_directory_is_read(void **state)
{
    struct zip z = {0};
    struct dq_err err = {0};
    struct dq_bytes zip = {0};
    unsigned at, record;
    const char *data;
    size_t size;

    (void)state;
    add_member(&z, "n/extra/depthq.json", "{}", 2);
    zip = z.file;
    at = (unsigned)zip.count;
    dq_bytes_add(&zip, z.directory.data, z.directory.count);
    record = (unsigned)zip.count;
    dq_bytes_add(&zip, "PK\6\6", 4);
    put32(&zip, 44), put32(&zip, 0); /* size of what follows */
    put32(&zip, 0), put32(&zip, 0), put32(&zip, 0);
    put32(&zip, 1), put32(&zip, 0); /* entries here */
    put32(&zip, 1), put32(&zip, 0); /* and in all */
    put32(&zip, (unsigned)z.directory.count), put32(&zip, 0);
    put32(&zip, at), put32(&zip, 0);
    dq_bytes_add(&zip, "PK\6\7", 4);
    put32(&zip, 0), put32(&zip, record), put32(&zip, 0), put32(&zip, 1);
    dq_bytes_add(&zip, "PK\5\6", 4);
    put32(&zip, 0), put32(&zip, 0xffffffff), put32(&zip, 0xffffffff);
    put32(&zip, 0xffffffff), put16(&zip, 0);
    assert_int_equal(finds(&zip, &data, &size, &err), 0);
    assert_int_equal(size, 2);
    zip.data[record] = 'X';
    refuses(&zip, "zip64");
    dq_bytes_free(&z.directory);
    dq_bytes_free(&zip);
}

/* ---- where a contract is looked for ---------------------------------------*/

static int contract_of(const char *path, const struct dq_bytes *bytes,
                       char **json, struct dq_err *err)
{
    size_t count = 0;

    dq_err_clear(err);
    return dq_model_contract(path, bytes->data, bytes->count, json, &count,
                             err);
}

static char *in_folder(const char *folder, const char *name, const char *text)
{
    char *path = dq_asprintf("%s/%s", folder, name);
    FILE *f = text ? fopen(path, "w") : NULL;

    if (f) {
        fputs(text, f);
        fclose(f);
    }
    return path;
}

static void the_archive_wins_over_the_file_beside_it(void **state)
{
    char folder[] = "/tmp/dq_archive_XXXXXX";
    struct dq_bytes with = archive_with("n/extra/depthq.json", "{\"in\": 1}");
    struct dq_bytes without = archive_with("n/other", "");
    struct dq_err err = {0};
    char *pt, *json, *text = NULL;

    (void)state;
    assert_non_null(mkdtemp(folder));
    pt = in_folder(folder, "v1.net.pt", NULL);
    json = in_folder(folder, "v1.net.json", "{\"beside\": 1}");
    assert_int_equal(contract_of(pt, &with, &text, &err), 0);
    assert_string_equal(text, "{\"in\": 1}");
    free(text);
    assert_int_equal(contract_of(pt, &without, &text, &err), 0);
    assert_string_equal(text, "{\"beside\": 1}");
    free(text);
    unlink(json);
    assert_int_equal(contract_of(pt, &without, &text, &err), DQ_MODEL);
    assert_null(text);
    assert_non_null(strstr(err.text, "depthq.json inside"));
    assert_non_null(strstr(err.text, "v1.net.json"));
    rmdir(folder);
    free(pt);
    free(json);
    dq_bytes_free(&with);
    dq_bytes_free(&without);
}

static void other_files_are_called_by_their_name(void **state)
{
    static const char *const files[][2] = {
        {"\x80\x02pickle", "pickle"},        {"\x08\x07onnx", "ONNX"},
        {"hello", "no TorchScript archive"}, {"", "no TorchScript archive"},
        {"PK\3\4 and no more", "cut short"},
    };
    struct dq_err err = {0};
    char *text = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct dq_bytes bytes = {0};

        dq_bytes_text(&bytes, files[i][0]);
        assert_int_equal(contract_of("a/net.pt", &bytes, &text, &err),
                         DQ_MODEL);
        assert_non_null(strstr(err.text, files[i][1]));
        assert_non_null(strstr(err.text, "a/net.pt"));
        dq_bytes_free(&bytes);
    }
}

static void a_zero_byte_in_a_contract_hides_nothing(void **state)
{
    struct zip z = {0};
    struct dq_err err = {0};
    struct dq_bytes zip;
    char *text = NULL;
    size_t count = 0;

    (void)state;
    add_member(&z, "n/extra/depthq.json", "{}\0, more", 9);
    zip = finish(&z, "");
    assert_int_equal(
        dq_model_contract("n.pt", zip.data, zip.count, &text, &count, &err), 0);
    assert_int_equal(count, 9);
    assert_null(dq_model_parse(text, count, &err));
    free(text);
    dq_bytes_free(&zip);
}

static const char contract[] =
    "{\"depthq_model\": 1, \"name\": \"n\", \"version\": \"1\",\n"
    " \"input\": {\"transfer\": \"linear\", \"multiple\": 1,\n"
    "   \"size\": {\"preferred\": 5}}, \"runtime\": \"fake\",\n"
    " \"output\": {\"quantity\": \"disparity\", \"scale\": \"affine\"}}";

static void a_model_is_read_with_the_digest_of_its_bytes(void **state)
{
    char folder[] = "/tmp/dq_model_XXXXXX", sha256[DQ_SHA256_HEX];
    char *text = dq_asprintf("{\"depthq_fake\": 1, \"net\": \"identity\", "
                             "\"contract\": %s}",
                             contract);
    struct dq_bytes bytes = {0};
    struct dq_err err = {0};
    struct dq_model *m;
    char *path;

    (void)state;
    assert_non_null(mkdtemp(folder));
    path = in_folder(folder, "n.fake", text);
    dq_sha256(text, strlen(text), sha256);
    m = dq_model_read(path, sha256, &bytes, &err);
    assert_non_null(m);
    assert_string_equal(m->sha256, sha256);
    assert_string_equal(m->path, path);
    assert_string_equal(m->runtime, "fake");
    assert_int_equal(bytes.count, strlen(text));
    dq_model_free(m);
    sha256[0] = sha256[0] == '0' ? '1' : '0';
    assert_null(dq_model_read(path, sha256, &bytes, &err));
    assert_int_equal(err.code, DQ_MODEL);
    assert_non_null(strstr(err.text, "altered"));
    unlink(path);
    dq_err_clear(&err);
    assert_null(dq_model_read(path, NULL, &bytes, &err));
    assert_int_equal(err.code, DQ_MISSING);
    rmdir(folder);
    free(path);
    free(text);
    dq_bytes_free(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stored_member_is_found_whatever_the_top_folder),
        cmocka_unit_test(only_that_place_counts),
        cmocka_unit_test(a_comment_behind_the_end_is_no_hindrance),
        cmocka_unit_test(a_compressed_or_encrypted_member_is_refused),
        cmocka_unit_test(an_archive_cut_anywhere_is_refused),
        cmocka_unit_test(a_damaged_directory_never_leads_outside),
        cmocka_unit_test(a_zip64_directory_is_read),
        cmocka_unit_test(the_archive_wins_over_the_file_beside_it),
        cmocka_unit_test(other_files_are_called_by_their_name),
        cmocka_unit_test(a_zero_byte_in_a_contract_hides_nothing),
        cmocka_unit_test(a_model_is_read_with_the_digest_of_its_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
