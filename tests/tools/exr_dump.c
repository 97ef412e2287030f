/* exr_dump: what depthq reads from a plate, for the oracle.
 *
 *   exr_dump PLATE OUT [part=P] [view=V] [layer=L]
 *
 * Prints one line of JSON about the frame and writes its planes (R, G, B or
 * one grey one, then A), row by row as they are in memory, to OUT. Fails
 * with the message on stderr and the code's exit status.
 */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "io/plate.h"

static int parse(int argc, char **argv, struct dq_plate_wish *wish)
{
    int i;

    for (i = 3; i < argc; i++) {
        if (!strncmp(argv[i], "part=", 5))
            wish->part = argv[i] + 5;
        else if (!strncmp(argv[i], "view=", 5))
            wish->view = argv[i] + 5;
        else if (!strncmp(argv[i], "layer=", 6))
            wish->layer = argv[i] + 6;
        else
            return -1;
    }
    return argc < 3 ? -1 : 0;
}

static void print(const struct dq_plate_info *info,
                  const struct dq_plate_choice *choice,
                  const struct dq_frame *f)
{
    printf("{\"format\":\"%s\",\"parts\":%d,\"part\":%d,\"grey\":%d,"
           "\"chroma\":%d,\"alpha\":%d,\"type\":\"%s\",\"aspect\":%.9g,"
           "\"data\":[%d,%d,%d,%d],\"display\":[%d,%d,%d,%d]}\n",
           info->format, info->part_count, choice->part, choice->grey,
           choice->chroma, f->plane[DQ_PLANE_A] != NULL,
           f->type == DQ_PIXEL_HALF ? "half" : "float", (double)f->pixel_aspect,
           f->data.x0, f->data.y0, f->data.x1, f->data.y1, f->display.x0,
           f->display.y0, f->display.x1, f->display.y1);
}

static int write_planes(const struct dq_frame *f, int grey, const char *path)
{
    size_t bytes = (size_t)dq_box_width(&f->data) *
                   (size_t)dq_box_height(&f->data) *
                   (f->type == DQ_PIXEL_HALF ? 2 : 4);
    FILE *out = fopen(path, "wb");
    int i, bad = 0;

    if (!out)
        return -1;
    for (i = 0; i < DQ_PLANES; i++) {
        if (!f->plane[i] || (grey && (i == DQ_PLANE_G || i == DQ_PLANE_B)))
            continue;
        bad |= fwrite(f->plane[i], 1, bytes, out) != bytes;
    }
    return fclose(out) || bad ? -1 : 0;
}

int main(int argc, char **argv)
{
    struct dq_plate_wish wish = {0};
    struct dq_plate_choice choice;
    struct dq_bytes bytes = {0};
    struct dq_frame frame = {0};
    struct dq_plate *plate = NULL;
    struct dq_err err = {0};

    if (parse(argc, argv, &wish)) {
        fprintf(stderr, "usage: exr_dump PLATE OUT [part=P] [view=V] "
                        "[layer=L]\n");
        return 2;
    }
    if (!dq_bytes_read_file(&bytes, argv[1], DQ_PLATE_MAX_BYTES, DQ_PLATE,
                            &err))
        plate = dq_plate_open(bytes.data, bytes.count, argv[1], &err);
    if (plate && !dq_plate_choose(plate, &wish, &choice, &err) &&
        !dq_plate_decode(plate, &choice, &frame, &err)) {
        print(dq_plate_info(plate), &choice, &frame);
        if (write_planes(&frame, choice.grey, argv[2]))
            dq_fail(&err, DQ_IO, "%s: cannot be written", argv[2]);
    }
    if (err.code)
        fprintf(stderr, "%s\n", err.text);
    dq_frame_free(&frame);
    dq_plate_close(plate);
    dq_bytes_free(&bytes);
    return err.code ? dq_code_exit(err.code) : 0;
}
