/* exr_work: the EXR part of one frame, for the bench.
 *
 *   exr_work PLATE OUT TIMES
 *
 * Reads the plate, decodes its R, G and B as the pipeline does, encodes R as
 * the float channel Z, ZIPS, and writes that, TIMES times over. Prints a line
 * of JSON with the least CPU seconds of one of them: the least is the one
 * that was disturbed least.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/bytes.h"
#include "io/depth_file.h"
#include "io/plate.h"

static int save(const char *path, const struct dq_bytes *bytes,
                struct dq_err *err)
{
    FILE *out = fopen(path, "wb");

    if (!out || fwrite(bytes->data, 1, bytes->count, out) != bytes->count)
        dq_fail(err, DQ_IO, "%s: cannot be written", path);
    if (out && fclose(out))
        dq_fail(err, DQ_IO, "%s: cannot be closed", path);
    return err->code;
}

static int work(const struct dq_plate *plate, struct dq_bytes *out,
                struct dq_err *err)
{
    struct dq_depth_format format = {
        .mode = DQ_DEPTH_SEPARATE, .codec = DQ_CODEC_ZIPS, .channel = "Z"};
    struct dq_plate_wish wish = {0};
    struct dq_plate_choice choice;
    struct dq_frame frame = {0};
    float *depth = NULL;
    int64_t w, h;

    if (dq_plate_choose(plate, &wish, &choice, err) ||
        dq_plate_decode(plate, &choice, &frame, err))
        goto end;
    w = dq_box_width(&frame.data);
    h = dq_box_height(&frame.data);
    depth = malloc((size_t)(w * h) * sizeof *depth);
    if (!depth) {
        dq_fail(err, DQ_MEMORY, "no memory");
        goto end;
    }
    for (int64_t y = 0; y < h; y++)
        dq_frame_row(&frame, DQ_PLANE_R, y, 0, w, depth + y * w);
    dq_depth_file_encode(plate, &choice, &format, depth, NULL, NULL, 0, out,
                         err);
end:
    free(depth);
    dq_frame_free(&frame);
    return err->code;
}

static double cpu_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int once(char **argv, struct dq_bytes *bytes, struct dq_bytes *out,
                struct dq_err *err)
{
    struct dq_plate *plate = NULL;

    if (!dq_bytes_read_file(bytes, argv[1], DQ_PLATE_MAX_BYTES, DQ_PLATE, err))
        plate = dq_plate_open(bytes->data, bytes->count, argv[1], err);
    if (plate && !work(plate, out, err))
        save(argv[2], out, err);
    dq_plate_close(plate);
    return err->code;
}

int main(int argc, char **argv)
{
    struct dq_bytes bytes = {0}, out = {0};
    struct dq_err err = {0};
    double least = 1e9;

    if (argc != 4) {
        fputs("usage: exr_work PLATE OUT TIMES\n", stderr);
        return 2;
    }
    for (int i = atoi(argv[3]); i > 0 && !err.code; i--) {
        double begun = cpu_s(), spent;

        once(argv, &bytes, &out, &err);
        spent = cpu_s() - begun;
        least = spent < least ? spent : least;
    }
    if (err.code)
        fprintf(stderr, "exr_work: %s\n", err.text);
    else
        printf("{\"cpu\": %.6f}\n", least);
    dq_bytes_free(&bytes);
    dq_bytes_free(&out);
    return err.code ? dq_code_exit(err.code) : 0;
}
