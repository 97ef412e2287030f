#include "infer/ticket.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fingerprint.h"
#include "base/mem.h"

void dq_ticket_begin(struct dq_ticket *t, const struct dq_request *request)
{
    const struct dq_recipe *recipe = request->recipe;

    t->request = *request;
    memset(&t->outcome, 0, sizeof t->outcome);
    memset(&t->mark, 0, sizeof t->mark);
    memset(&t->counts, 0, sizeof t->counts);
    t->err = &t->outcome.err;
    t->has_guide = t->placed = 0;
    t->plan_text[0] = '\0';
    t->started = dq_clock_s();
    if (dq_ticket_of_shot(t)) {
        t->output_path = dq_asprintf("%s/shot.json", recipe->shot_folder);
    } else {
        t->plate_path = dq_sequence_path(&recipe->plate, request->frame);
        t->output_path =
            request->work == DQ_WORK_SCAN
                ? dq_guide_path(recipe, request->frame, 0)
                : dq_sequence_path(&recipe->output, request->frame);
    }
    t->outcome.path = t->output_path;
}

int dq_ticket_of_shot(const struct dq_ticket *t)
{
    return t->request.work == DQ_WORK_SURVEY ||
           t->request.work == DQ_WORK_SOLVE;
}

void dq_ticket_fingerprint(struct dq_ticket *t)
{
    char *shot = dq_shot_text(&t->shot);
    char *all = t->request.recipe->steady
                    ? dq_shot_frame_text(shot, t->place.scale, t->place.shift)
                    : dq_strdup(shot);

    dq_fingerprint(t->request.recipe->pixels_text, all, t->mark.sha256,
                   t->outcome.fingerprint);
    free(all);
    free(shot);
}

void dq_ticket_end(struct dq_ticket *t)
{
    dq_plate_close(t->plate);
    t->plate = NULL;
    dq_shot_free(&t->shot);
    dq_tile_plan_free(t->plan);
    t->plan = NULL;
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
    dq_guide_free(&t->guide);
    dq_answers_free(&t->answers);
    free(t->picture.buffer);
    memset(&t->picture, 0, sizeof t->picture);
    free(t->plane);
    free(t->mask);
    t->plane = t->mask = NULL;
    t->plane_room = 0;
}

/* As picture.c and depth_file.c take it; the parts of a plate that are copied
 * are no more than its file. */
size_t dq_ticket_bytes(const struct dq_ticket *t)
{
    const struct dq_recipe *recipe = t->request.recipe;
    const struct dq_plate_info *info = dq_plate_info(t->plate);
    const struct dq_box *data = &info->parts[t->choice.part].data;
    double pixels = (double)dq_box_width(data) * (double)dq_box_height(data);
    double aspect = (double)t->shot.pixel_aspect, file = (double)t->file.room;
    int has_alpha = t->choice.channel[3] >= 0;
    double decoded = t->choice.grey ? 1 : 3 + has_alpha; /* float at most */
    double square = 4 + has_alpha + (recipe->model->sky_channel >= 0);
    double anamorphic = aspect < 1 || aspect > 1 ? 4 : 0;
    double back = 2 + 1 + (recipe->mask != 0); /* plane, mask; encoded */

    return (size_t)(file * (recipe->mode == DQ_DEPTH_SEPARATE ? 1 : 2) +
                    4 * pixels *
                        (decoded + square * aspect + anamorphic + back));
}

void dq_ticket_tag(const struct dq_ticket *t, const char *run_id, char *tag,
                   size_t room)
{
    static const char *const words[] = {"", "survey", "scan", "solve"};

    if (t->request.work == DQ_WORK_RENDER)
        snprintf(tag, room, "%s-%" PRId32 "-%d", run_id, t->request.frame,
                 t->request.attempt);
    else
        snprintf(tag, room, "%s-%s%" PRId32 "-%d", run_id,
                 words[t->request.work], t->request.frame, t->request.attempt);
}
