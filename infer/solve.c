/* solve: all guides of a shot to shot.json, once. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "infer/steady.h"
#include "infer/ticket.h"

/* What the solve found in the shot's folder. */
struct scanned {
    struct dq_ticket *ticket;
    const struct dq_reader_hooks *hooks;
    const struct dq_recipe *recipe;
    size_t missing; /* guides */
    int32_t first;  /* a frame without one whose plate can be read, */
    int has_first;  /* when there is any */
    char key[DQ_SHA256_HEX];
    struct dq_steady *steady; /* made at the first guide */
    char (*plate)[DQ_SHA256_HEX];
};

static void going(void *context)
{
    struct scanned *s = context;

    s->hooks->going(s->hooks->context, s->ticket, "solve");
}

/* As many threads as there are, and room for what they match with. */
static void take_threads(struct scanned *s)
{
    int threads = s->hooks->threads;

    dq_steady_threads(s->steady, threads);
    while (s->hooks->memory && threads > 1 &&
           dq_steady_bytes(s->steady) > s->hooks->memory)
        dq_steady_threads(s->steady, --threads);
}

static int begin(struct scanned *s, const struct dq_guide *guide)
{
    s->steady = dq_steady_new(s->recipe, (int)s->recipe->frames.count,
                              guide->width, guide->height);
    dq_steady_tell(s->steady, going, s);
    take_threads(s);
    return s->hooks->hold(s->hooks->context, s->ticket,
                          dq_steady_bytes(s->steady));
}

/* Would a scan of it have succeeded? Errors that may pass are errors. */
static int look_at_plate(struct scanned *s, int32_t frame, struct dq_err *err)
{
    struct dq_ticket *t = s->ticket;

    t->plate_path = dq_sequence_path(&s->recipe->plate, frame);
    if (!dq_stage_read_file(t, t->plate_path) &&
        !dq_stage_read_picture(t, s->hooks)) {
        s->first = frame;
        s->has_first = 1;
    }
    dq_plate_close(t->plate);
    t->plate = NULL;
    free(t->plate_path);
    t->plate_path = NULL;
    if (dq_code_policy(err->code) == DQ_POLICY_FAIL_FRAME)
        dq_err_clear(err);
    return err->code;
}

/* A frame whose scan failed is solved without: the scan has said why. Its
 * neighbours do not need it. */
static int do_without(struct scanned *s, int32_t frame, struct dq_err *err)
{
    dq_log_info("the shot is solved without a frame", "cause", err->text);
    dq_err_clear(err);
    s->missing++;
    return s->recipe->apart && !s->has_first ? look_at_plate(s, frame, err)
                                             : DQ_OK;
}

static int take_guide(struct scanned *s, int at, struct dq_guide *guide,
                      struct dq_err *err)
{
    int32_t frame = s->recipe->frames.frames[at];
    char *path = dq_guide_path(s->recipe, frame, 0);
    int code = dq_guide_read(path, s->key, NULL, guide, err);

    free(path);
    if (code == DQ_MISSING)
        return do_without(s, frame, err);
    if (code || (!s->steady && begin(s, guide)))
        return err->code;
    memcpy(s->plate[at], guide->plate.sha256, DQ_SHA256_HEX);
    return dq_steady_add(s->steady, at, guide, err);
}

static int take_guides(struct scanned *s, struct dq_err *err)
{
    struct dq_guide guide = {0};

    for (size_t i = 0; i < s->recipe->frames.count && !err->code; i++) {
        take_guide(s, (int)i, &guide, err);
        going(s);
    }
    dq_guide_free(&guide);
    if (!err->code && s->has_first)
        return dq_fail(err, DQ_MISSING,
                       "%zu of the shot's %zu guides are not there, though "
                       "plates can be read (frame %" PRId32
                       " is the first); make them with --stage scan",
                       s->missing, s->recipe->frames.count, s->first);
    if (!err->code && !s->steady)
        return dq_fail(err, DQ_MISSING,
                       "none of the shot's %zu frames could be scanned",
                       s->recipe->frames.count);
    return err->code;
}

static void keep(struct dq_shot *shot, const struct scanned *s,
                 const struct dq_frame_affine *place)
{
    size_t count = s->recipe->frames.count;

    shot->solved = dq_new_array(count, sizeof *shot->solved);
    for (size_t i = 0; i < count; i++) {
        struct dq_solved *to;

        if (!s->plate[i][0])
            continue;
        to = &shot->solved[shot->solved_count++];
        to->frame = s->recipe->frames.frames[i];
        memcpy(to->plate, s->plate[i], DQ_SHA256_HEX);
        to->scale = place[i].scale;
        to->shift = place[i].shift;
        to->stretch = place[i].stretch;
        to->evidence = place[i].evidence;
        to->known = place[i].known;
    }
}

static int solve(struct dq_ticket *t, const struct dq_reader_hooks *hooks)
{
    const struct dq_recipe *recipe = t->request.recipe;
    size_t count = recipe->frames.count;
    struct scanned s = {.ticket = t, .hooks = hooks, .recipe = recipe};
    struct dq_frame_affine *place = dq_new_array(count, sizeof *place);

    s.plate = dq_new_array(count, sizeof *s.plate);
    dq_guide_key(recipe, &t->shot, s.key);
    if (!take_guides(&s, t->err) &&
        !dq_steady_solve(s.steady, place, &t->shot.range_low,
                         &t->shot.range_high, t->err))
        keep(&t->shot, &s, place);
    dq_steady_free(s.steady);
    free(s.plate);
    free(place);
    return t->err->code;
}

/* What pictures alone do not tell, so that nobody takes it for known. */
static void tell_what_is_not_known(struct dq_ticket *t)
{
    int of[] = {0, 0, 0}, count = t->shot.solved_count;
    char *suspect = t->outcome.suspect;

    for (int i = 0; i < count; i++)
        of[t->shot.solved[i].known]++;
    if (of[DQ_KNOWN_SCALE])
        snprintf(suspect, sizeof t->outcome.suspect,
                 "of %d of %d frames the scale is determined and the shift is "
                 "not: the camera goes, and no sky is in view",
                 of[DQ_KNOWN_SCALE], count);
    else if (of[DQ_KNOWN_NOTHING])
        snprintf(suspect, sizeof t->outcome.suspect,
                 "%d of %d frames show nothing of others: their scale and "
                 "shift are bridged",
                 of[DQ_KNOWN_NOTHING], count);
    if (suspect[0])
        dq_log_warn("the shot is not wholly determined", "cause", suspect);
}

int dq_solve(struct dq_ticket *t, const char *tag,
             const struct dq_reader_hooks *hooks)
{
    const struct dq_recipe *recipe = t->request.recipe;

    if (dq_shot_read_survey(recipe, &t->shot, t->err))
        return t->err->code;
    if (t->shot.solved_count) {
        t->outcome.skipped = 1;
        return DQ_OK;
    }
    if (solve(t, hooks))
        return t->err->code;
    tell_what_is_not_known(t);
    return dq_shot_write(recipe, &t->shot, tag, t->err);
}
