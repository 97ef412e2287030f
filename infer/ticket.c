#include "infer/ticket.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

void dq_ticket_begin(struct dq_ticket *t, const struct dq_request *request)
{
    const struct dq_recipe *recipe = request->recipe;

    t->request = *request;
    memset(&t->outcome, 0, sizeof t->outcome);
    memset(&t->mark, 0, sizeof t->mark);
    memset(&t->counts, 0, sizeof t->counts);
    t->err = &t->outcome.err;
    t->plan_text[0] = '\0';
    t->started = dq_clock_s();
    if (request->survey) {
        t->output_path = dq_asprintf("%s/shot.json", recipe->shot_folder);
    } else {
        t->plate_path = dq_sequence_path(&recipe->plate, request->frame);
        t->output_path = dq_sequence_path(&recipe->output, request->frame);
    }
    t->outcome.path = t->output_path;
}

void dq_ticket_end(struct dq_ticket *t)
{
    dq_plate_close(t->plate);
    t->plate = NULL;
    free(t->plate_path);
    free(t->output_path);
    t->plate_path = t->output_path = NULL;
    t->outcome.path = NULL;
}

void dq_ticket_free_buffers(struct dq_ticket *t)
{
    dq_bytes_free(&t->file);
    dq_bytes_free(&t->encoded);
    dq_frame_free(&t->frame);
    free(t->picture.buffer);
    memset(&t->picture, 0, sizeof t->picture);
    free(t->plane);
    free(t->mask);
    t->plane = t->mask = NULL;
    t->plane_room = 0;
}

size_t dq_ticket_bytes(const struct dq_ticket *t)
{
    const struct dq_plate_info *info = dq_plate_info(t->plate);
    const struct dq_box *data = &info->parts[t->choice.part].data;
    double pixels = (double)dq_box_width(data) * (double)dq_box_height(data);
    double square = pixels * (double)t->shot.pixel_aspect;
    int has_alpha = t->choice.channel[3] >= 0;
    double planes = t->choice.grey ? 1 : 3 + has_alpha;

    if (t->request.survey)
        square = pixels;
    /* file, decoded planes (float at most), picture + depth + valid + sky,
     * plane + mask, and the encoded file (no larger than its pixels) */
    return (size_t)((double)t->file.room + pixels * planes * 4 +
                    square * 4 * 6 + pixels * 4 * 2 + pixels * 4);
}

void dq_ticket_tag(const struct dq_ticket *t, const char *run_id, char *tag,
                   size_t room)
{
    if (t->request.survey)
        snprintf(tag, room, "%s-survey-%d", run_id, t->request.attempt);
    else
        snprintf(tag, room, "%s-%" PRId32 "-%d", run_id, t->request.frame,
                 t->request.attempt);
}
