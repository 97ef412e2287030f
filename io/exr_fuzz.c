/* Whatever bytes a plate is: no crash, no endless loop, no read beyond them;
 * what is refused says why; and a plate that decodes can be written again in
 * every form that its header allows. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "io/depth_file.h"
#include "io/plate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MOST_PIXELS (1 << 20) /* of a part, over all its channels */

static int is_small(const struct dq_plate_info *info)
{
    int64_t all = 0;
    int i;

    for (i = 0; i < info->part_count; i++)
        all += dq_box_width(&info->parts[i].data) *
               dq_box_height(&info->parts[i].data) *
               info->parts[i].channel_count;
    return all <= MOST_PIXELS;
}

static void write_again(const struct dq_plate *plate,
                        const struct dq_plate_choice *choice,
                        const struct dq_frame *frame)
{
    int64_t count = dq_box_width(&frame->data) * dq_box_height(&frame->data);
    float *depth = calloc((size_t)count, sizeof *depth);
    struct dq_depth_format format = {.channel = "depthq.Z", .part = "depthq"};
    struct dq_bytes out = {0};
    struct dq_err err = {0};
    int mode;

    for (mode = DQ_DEPTH_SEPARATE; depth && mode <= DQ_DEPTH_CHANNEL; mode++) {
        struct dq_plate *made;

        format.mode = (enum dq_depth_mode)mode;
        dq_err_clear(&err);
        if (dq_depth_file_encode(plate, choice, &format, depth, NULL, NULL, 0,
                                 &out, &err)) {
            assert(err.text[0]);
            continue;
        }
        made = dq_plate_open(out.data, out.count, "made", &err);
        dq_plate_close(made);
    }
    dq_bytes_free(&out);
    free(depth);
}

static int read_plate(const struct dq_plate *plate, struct dq_err *err)
{
    struct dq_plate_wish wish = {0};
    struct dq_plate_choice choice;
    struct dq_frame frame = {0};

    if (!is_small(dq_plate_info(plate)))
        return DQ_OK;
    if (!dq_plate_choose(plate, &wish, &choice, err) &&
        !dq_plate_decode(plate, &choice, &frame, err))
        write_again(plate, &choice, &frame);
    dq_frame_free(&frame);
    dq_plate_verify(plate, NULL);
    return err->code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t magic[4] = {0x76, 0x2f, 0x31, 0x01};
    struct dq_plate *plate;
    struct dq_err err = {0};

    /* Other formats are another library's. */
    if (size < sizeof magic || memcmp(data, magic, sizeof magic) != 0)
        return 0;
    plate = dq_plate_open(data, size, "fuzz.exr", &err);
    assert(plate || (err.code && err.text[0]));
    if (plate && read_plate(plate, &err))
        assert(err.text[0]);
    dq_plate_close(plate);
    return 0;
}
