/* exr_decode: the chosen channels of an EXR plate into a frame. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/exr_chroma.h"
#include "io/exr_pixels.h"
#include "io/plate_private.h"

/* ---- every chunk is there ------------------------------------------------ */

static int check_part(const struct dq_plate *plate, int part,
                      struct dq_err *err)
{
    struct dq_exr_stream *stream = dq_exr_stream_of(plate->exr);
    struct dq_exr_walk walk;
    exr_chunk_info_t chunk;
    char place[DQ_EXR_PLACE], where[DQ_PART_TEXT];
    exr_result_t result;

    /* Storage that the library does not know: nothing can be said of it. */
    if (dq_exr_walk_start(&walk, plate->exr, part, 1) != EXR_ERR_SUCCESS)
        return DQ_OK;
    while (dq_exr_walk_next(&walk)) {
        result = dq_exr_walk_read(&walk, &chunk);
        if (result == EXR_ERR_SUCCESS)
            continue;
        dq_exr_walk_place(&walk, place);
        dq_plate_part_text(&plate->info, part, where);
        return dq_exr_fail(stream, result, DQ_PLATE, err,
                           "%s is incomplete or damaged: %s", where, place);
    }
    return DQ_OK;
}

int dq_exr_check_chunks(const struct dq_plate *plate, struct dq_err *err)
{
    int i;

    dq_exr_stream_of(plate->exr)->message[0] = '\0';
    for (i = 0; i < plate->info.part_count; i++)
        if (check_part(plate, i, err))
            return err->code;
    return DQ_OK;
}

/* ---- decode -------------------------------------------------------------- */

static int is_half(const struct dq_plate_part *part, int channel)
{
    return channel < 0 || !strcmp(part->channels[channel].type, "half");
}

/* Half when all are half. Converted chroma is float: its products need more
 * room than half has. */
static enum dq_pixel frame_type(const struct dq_plate_part *part,
                                const struct dq_plate_choice *choice)
{
    int i;

    for (i = 0; i < 4; i++)
        if (!is_half(part, choice->channel[i]))
            return DQ_PIXEL_FLOAT;
    return choice->chroma ? DQ_PIXEL_FLOAT : DQ_PIXEL_HALF;
}

static int decode_planes(const struct dq_plate *plate,
                         const struct dq_plate_choice *choice,
                         struct dq_frame *frame, struct dq_err *err)
{
    struct dq_exr_target targets[4];
    int64_t width = dq_box_width(&frame->data);
    int half = frame->type == DQ_PIXEL_HALF;
    int i, n = 0;

    for (i = 0; i < 4; i++) {
        if (choice->channel[i] < 0 || (choice->grey && (i == 1 || i == 2)))
            continue;
        targets[n].channel = choice->channel[i];
        targets[n].plane = frame->plane[i];
        targets[n].row_bytes = width * (half ? 2 : 4);
        targets[n].type = half ? EXR_PIXEL_HALF : EXR_PIXEL_FLOAT;
        n++;
    }
    return dq_exr_pixels_read(plate->exr, choice->part, targets, n, err);
}

static int decode_chroma(const struct dq_plate *plate,
                         const struct dq_plate_choice *choice,
                         struct dq_frame *frame, struct dq_err *err)
{
    const struct dq_plate_info *info = &plate->info;
    int64_t width = dq_box_width(&frame->data);
    int64_t height = dq_box_height(&frame->data);
    size_t samples = (size_t)((width + 1) / 2 * ((height + 1) / 2));
    float *chroma = calloc(2 * samples, sizeof *chroma);
    struct dq_exr_target targets[4] = {
        {choice->channel[0], frame->plane[0], width * 4, EXR_PIXEL_FLOAT},
        {choice->channel[1], chroma, (width + 1) / 2 * 4, EXR_PIXEL_FLOAT},
        {choice->channel[2], chroma + samples, (width + 1) / 2 * 4,
         EXR_PIXEL_FLOAT},
        {choice->channel[3], frame->plane[3], width * 4, EXR_PIXEL_FLOAT},
    };
    float weights[3];
    int code;

    if (!chroma)
        return dq_fail(err, DQ_MEMORY, "no memory for chroma");
    code = dq_exr_pixels_read(plate->exr, choice->part, targets,
                              choice->channel[3] < 0 ? 3 : 4, err);
    if (!code) {
        dq_exr_chroma_weights(
            info->has_chromaticities ? info->chromaticities : NULL, weights);
        dq_exr_chroma_to_rgb(weights, width, height, chroma, chroma + samples,
                             frame->plane[0], frame->plane[1], frame->plane[2]);
    }
    free(chroma);
    return code;
}

int dq_exr_decode(const struct dq_plate *plate,
                  const struct dq_plate_choice *choice, struct dq_frame *frame,
                  struct dq_err *err)
{
    const struct dq_plate_part *part = &plate->info.parts[choice->part];

    /* First, so that a few bytes that promise a huge window cost nothing. */
    if (dq_exr_check_chunks(plate, err))
        return err->code;
    if (dq_frame_shape(frame, &part->data, frame_type(part, choice),
                       choice->grey, choice->channel[3] >= 0, err))
        return err->code;
    frame->display = plate->info.display;
    frame->pixel_aspect = plate->info.pixel_aspect;
    return choice->chroma ? decode_chroma(plate, choice, frame, err)
                          : decode_planes(plate, choice, frame, err);
}

int dq_exr_verify(const struct dq_plate *plate, struct dq_err *err)
{
    char where[DQ_PART_TEXT];
    int i;

    if (dq_exr_check_chunks(plate, err))
        return err->code;
    for (i = 0; i < plate->info.part_count; i++) {
        if (plate->info.parts[i].deep)
            continue;
        if (dq_exr_pixels_check(plate->exr, i, err)) {
            dq_plate_part_text(&plate->info, i, where);
            return dq_because(err, "%s", where);
        }
    }
    return DQ_OK;
}
