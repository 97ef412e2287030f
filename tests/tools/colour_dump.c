/* colour_dump: what a network is shown of a plate, for the oracle.
 *
 *   colour_dump PLATE OUT SPACE EV shoulder|clip srgb|linear
 *
 * SPACE is input.colorspace: auto, a name that is built in, or ocio:NAME for
 * a space of the OCIO configuration. Writes three float planes to OUT.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "io/colour.h"
#if DQ_OIIO
#include "io/oiio_shim.h"
#endif

static int set_space(const char *space, const struct dq_plate *plate,
                     struct dq_colour *colour, struct dq_err *err)
{
    int guessed;

    if (strncmp(space, "ocio:", 5) != 0)
        return dq_colour_matrix(space, dq_plate_info(plate), colour, &guessed,
                                err);
#if DQ_OIIO
    colour->ocio = dq_ocio_open(space + 5, err);
    return err->code;
#else
    return dq_fail(err, DQ_SPEC, "no OCIO in this build");
#endif
}

static int save(const struct dq_colour *colour, const struct dq_frame *frame,
                const char *path, struct dq_err *err)
{
    size_t count = 3 * (size_t)dq_box_width(&frame->data) *
                   (size_t)dq_box_height(&frame->data);
    float *rgb = calloc(count, sizeof *rgb);
    struct dq_pixel_counts counts = {0};
    FILE *out = fopen(path, "wb");

    if (!rgb || !out)
        return dq_fail(err, DQ_IO, "%s: cannot be written", path);
    dq_colour_apply(colour, frame, rgb, NULL, &counts);
    if (fwrite(rgb, sizeof *rgb, count, out) != count || fclose(out))
        dq_fail(err, DQ_IO, "%s: cannot be written", path);
    free(rgb);
    return err->code;
}

int main(int argc, char **argv)
{
    struct dq_plate_wish wish = {0};
    struct dq_plate_choice choice;
    struct dq_colour colour = {0};
    struct dq_bytes bytes = {0};
    struct dq_frame frame = {0};
    struct dq_plate *plate = NULL;
    struct dq_err err = {0};

    if (argc != 7) {
        fprintf(stderr, "usage: colour_dump PLATE OUT SPACE EV shoulder|clip "
                        "srgb|linear\n");
        return 2;
    }
    colour.gain = exp2f(strtof(argv[4], NULL));
    colour.tonemap =
        !strcmp(argv[5], "clip") ? DQ_TONEMAP_CLIP : DQ_TONEMAP_SHOULDER;
    colour.transfer =
        !strcmp(argv[6], "linear") ? DQ_TRANSFER_LINEAR : DQ_TRANSFER_SRGB;
    if (!dq_bytes_read_file(&bytes, argv[1], DQ_PLATE_MAX_BYTES, DQ_PLATE,
                            &err))
        plate = dq_plate_open(bytes.data, bytes.count, argv[1], &err);
    if (plate && !dq_plate_choose(plate, &wish, &choice, &err) &&
        !dq_plate_decode(plate, &choice, &frame, &err) &&
        !set_space(argv[3], plate, &colour, &err))
        save(&colour, &frame, argv[2], &err);
    if (err.code)
        fprintf(stderr, "%s\n", err.text);
#if DQ_OIIO
    dq_ocio_close((struct dq_ocio *)colour.ocio);
#endif
    dq_frame_free(&frame);
    dq_plate_close(plate);
    dq_bytes_free(&bytes);
    return err.code ? dq_code_exit(err.code) : 0;
}
