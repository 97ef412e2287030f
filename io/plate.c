/* plate: opening, and which reader a plate goes to. */
#include "io/plate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/mem.h"
#include "io/plate_private.h"
#if DQ_OIIO
#include "io/oiio_shim.h"
#include "io/picture_bounds.h"
#endif

static const uint8_t exr_magic[4] = {0x76, 0x2f, 0x31, 0x01};

static struct dq_plate *plate_new(const char *name)
{
    struct dq_plate *plate = dq_new(sizeof *plate);

    plate->name = dq_strdup(name);
    plate->stream.fd = -1;
    return plate;
}

void dq_plate_close(struct dq_plate *plate)
{
    if (!plate)
        return;
    dq_exr_header_free(plate);
    if (plate->exr)
        exr_finish(&plate->exr);
#if DQ_OIIO
    dq_oiio_close(plate->image);
#endif
    dq_bytes_free(&plate->own);
    free(plate->name);
    free(plate);
}

static int open_exr(struct dq_plate *plate, struct dq_err *err)
{
    plate->exr = dq_exr_open_read(&plate->stream, plate->name, err);
    if (!plate->exr)
        return err->code;
    return dq_exr_header_read(plate, err);
}

static int open_other(struct dq_plate *plate, const void *bytes, size_t count,
                      struct dq_err *err)
{
#if DQ_OIIO
    if (dq_picture_bounds(bytes, count, err))
        return err->code;
    plate->image = dq_oiio_open(bytes, count, plate->name, err);
    return plate->image ? DQ_OK : err->code;
#else
    (void)plate;
    (void)bytes;
    (void)count;
    return dq_fail(
        err, DQ_PLATE,
        "not an EXR file, and this build (OIIO=0) reads nothing else");
#endif
}

static int open_bytes(struct dq_plate *plate, const void *bytes, size_t count,
                      struct dq_err *err)
{
    if (!count)
        return dq_fail(err, DQ_PLATE, "the file is empty");
    if (count > DQ_PLATE_MAX_BYTES)
        return dq_fail(err, DQ_PLATE, "the file is larger than 4 GiB");
    if (count < sizeof exr_magic ||
        memcmp(bytes, exr_magic, sizeof exr_magic) != 0)
        return open_other(plate, bytes, count, err);
    plate->stream.bytes = bytes;
    plate->stream.count = count;
    return open_exr(plate, err);
}

/* Who meets a damaged file cannot mend it. */
int dq_plate_remedy(struct dq_err *err)
{
    char was[sizeof err->text];

    if (err->code != DQ_PLATE || strstr(err->text, DQ_PLATE_REMEDY))
        return err->code;
    memcpy(was, err->text, sizeof was);
    return dq_fail(err, DQ_PLATE, "%.*s; " DQ_PLATE_REMEDY,
                   (int)(sizeof was - sizeof DQ_PLATE_REMEDY - 4), was);
}

struct dq_plate *dq_plate_open(const void *bytes, size_t count,
                               const char *name, struct dq_err *err)
{
    struct dq_plate *plate = plate_new(name);
    struct dq_err local = {0};

    if (!err)
        err = &local;
    if (open_bytes(plate, bytes, count, err)) {
        dq_plate_remedy(err);
        dq_because(err, "%s", name);
        dq_plate_close(plate);
        return NULL;
    }
    return plate;
}

/* ---- the header alone ---------------------------------------------------- */

static int open_failed(int errnum, struct dq_err *err)
{
    int code = errnum == ENOENT || errnum == ENOTDIR ? DQ_MISSING
               : errnum == EACCES || errnum == EPERM ? DQ_DENIED
                                                     : DQ_IO;

    return dq_fail_errno(err, code, errnum, "cannot be opened");
}

static int open_file(struct dq_plate *plate, int fd, struct dq_err *err)
{
    uint8_t magic[sizeof exr_magic];
    struct stat st;
    ssize_t n;

    if (fstat(fd, &st))
        return dq_fail_errno(err, DQ_IO, errno, "cannot be examined");
    if (!S_ISREG(st.st_mode))
        return dq_fail(err, DQ_IO, "not a regular file");
    if ((uint64_t)st.st_size > DQ_PLATE_MAX_BYTES)
        return dq_fail(err, DQ_PLATE, "the file is larger than 4 GiB");
    n = pread(fd, magic, sizeof magic, 0);
    if (n < 0)
        return dq_fail_errno(err, DQ_IO, errno, "cannot be read");
    if (n < (ssize_t)sizeof magic ||
        memcmp(magic, exr_magic, sizeof magic) != 0) {
        if (dq_bytes_read_file(&plate->own, plate->name, DQ_PLATE_MAX_BYTES,
                               DQ_PLATE, err))
            return err->code;
        return open_bytes(plate, plate->own.data, plate->own.count, err);
    }
    plate->stream.fd = fd;
    plate->stream.count = (uint64_t)st.st_size;
    return open_exr(plate, err);
}

struct dq_plate *dq_plate_open_header(const char *path, struct dq_err *err)
{
    struct dq_plate *plate = plate_new(path);
    struct dq_err local = {0};
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    int code;

    if (!err)
        err = &local;
    plate->header_only = 1;
    code = fd < 0 ? open_failed(errno, err) : open_file(plate, fd, err);
    if (fd >= 0)
        close(fd);
    plate->stream.fd = -1;
    if (!code)
        return plate;
    dq_plate_remedy(err);
    /* dq_bytes_read_file has named the path already. */
    if (strncmp(err->text, path, strlen(path)) != 0)
        dq_because(err, "%s", path);
    dq_plate_close(plate);
    return NULL;
}

/* ---- what was opened ----------------------------------------------------- */

const struct dq_plate_info *dq_plate_info(const struct dq_plate *plate)
{
#if DQ_OIIO
    if (plate->image)
        return dq_oiio_info(plate->image);
#endif
    return &plate->info;
}

const char *dq_plate_attribute(const struct dq_plate *plate, int part,
                               const char *name)
{
    const exr_attribute_t *attr = NULL;

    if (!plate->exr || part < 0 || part >= plate->info.part_count ||
        exr_get_attribute_by_name(plate->exr, part, name, &attr) !=
            EXR_ERR_SUCCESS ||
        attr->type != EXR_ATTR_STRING)
        return NULL;
    return attr->string->str;
}

const char *dq_plate_find_attribute(const struct dq_plate *plate,
                                    const char *name)
{
    const char *text = NULL;

    for (int part = 0; !text && part < dq_plate_info(plate)->part_count; part++)
        text = dq_plate_attribute(plate, part, name);
    return text;
}

int dq_plate_decode(const struct dq_plate *plate,
                    const struct dq_plate_choice *choice,
                    struct dq_frame *frame, struct dq_err *err)
{
    struct dq_err local = {0};
    int code;

    if (!err)
        err = &local;
    if (plate->header_only)
        return dq_fail(err, DQ_BUG, "%s: opened for its header, not its pixels",
                       plate->name);
    if (dq_fault(DQ_FAULT_DECODE))
        return dq_fail(err, DQ_PLATE, "%s: a fault was injected", plate->name);
    if (plate->exr)
        code = dq_exr_decode(plate, choice, frame, err);
    else
#if DQ_OIIO
        code = dq_oiio_decode(plate->image, choice, frame, err);
#else
        code = dq_fail(err, DQ_BUG, "no reader");
#endif
    if (code)
        dq_plate_remedy(err);
    return code ? dq_because(err, "%s", plate->name) : DQ_OK;
}

#if DQ_OIIO
/* Formats without parts: decoding is the check. */
static int verify_other(const struct dq_plate *plate, struct dq_err *err)
{
    struct dq_plate_wish wish = {0};
    struct dq_plate_choice choice;
    struct dq_frame frame = {0};

    if (!dq_plate_choose(plate, &wish, &choice, err))
        dq_oiio_decode(plate->image, &choice, &frame, err);
    dq_frame_free(&frame);
    return err->code;
}
#endif

int dq_plate_verify(const struct dq_plate *plate, struct dq_err *err)
{
    struct dq_err local = {0};
    int code;

    if (!err)
        err = &local;
    if (plate->header_only)
        return dq_fail(err, DQ_BUG, "%s: opened for its header, not its pixels",
                       plate->name);
    if (plate->exr)
        code = dq_exr_verify(plate, err);
    else
#if DQ_OIIO
        code = verify_other(plate, err);
#else
        code = dq_fail(err, DQ_BUG, "no reader");
#endif
    return code ? dq_because(err, "%s", plate->name) : DQ_OK;
}
