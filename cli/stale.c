#include "cli/stale.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fingerprint.h"
#include "base/mem.h"
#include "base/sequence.h"
#include "cli/pass.h"
#include "daemon/worker_recipe.h"
#include "infer/shot.h"
#include "io/ledger.h"

enum { THREADS = 8 };

static const struct {
    const char *text, *word;
} whys[DQ_STALE_WHYS] = {
    [DQ_FRESH] = {"as it should be", ""},
    [DQ_STALE_ABSENT] = {"output missing", "output"},
    [DQ_STALE_ALTERED] = {"output altered", "output"},
    [DQ_STALE_PLATE] = {"plate changed", "plate"},
    [DQ_STALE_NO_PLATE] = {"plate missing", "plate"},
    [DQ_STALE_MODEL] = {"model changed", "model"},
    [DQ_STALE_SETTINGS] = {"settings changed", "settings"},
};

const char *dq_stale_text(enum dq_stale_why why)
{
    return whys[why].text;
}

const char *dq_stale_word(enum dq_stale_why why)
{
    return whys[why].word;
}

/* A shot under inspection. */
struct look {
    const struct dq_recipe *recipe;
    struct dq_shot shot;
    int frozen;      /* shot is this recipe's */
    char *shot_text; /* of shot */
};

/* ---- one frame -----------------------------------------------------------*/

/* The fingerprint that the frame would get now: 0 when the shot has none for
 * it yet. */
static int fingerprint(const struct look *l, const struct dq_done *done,
                       char hex[DQ_SHA256_HEX])
{
    const struct dq_solved *place = NULL;
    char *all = NULL;

    if (!l->frozen)
        return 0;
    if (l->recipe->steady) {
        place = dq_shot_find(&l->shot, done->frame, done->plate.sha256);
        if (!place)
            return 0;
        all = dq_shot_frame_text(l->shot_text, place->scale, place->shift);
    }
    dq_fingerprint(l->recipe->pixels_text, all ? all : l->shot_text,
                   done->plate.sha256, hex);
    free(all);
    return 1;
}

/* Who made the frame: as its record says, else its header. -1: neither does. */
static int ask_making(const struct look *l, const char *path, int32_t frame,
                      struct dq_made *made)
{
    struct dq_done *versions;
    struct dq_err ignored = {0};
    size_t count;

    if (!dq_ledger_history(l->recipe->shot_folder, frame, &versions, &count,
                           &ignored))
        *made = versions[0].made;
    free(versions);
    return dq_pass_ask_header(path, made);
}

/* Other pixels are wanted: of another model, or with other settings. */
static enum dq_stale_why why_other(const struct look *l, const char *path,
                                   struct dq_stale_frame *f)
{
    struct dq_made made = {0};

    if (ask_making(l, path, f->frame, &made))
        return DQ_STALE_ALTERED;
    if (strcmp(made.model_sha256, l->recipe->model->sha256) == 0)
        return DQ_STALE_SETTINGS;
    snprintf(f->was, sizeof f->was, "%s", made.model);
    return DQ_STALE_MODEL;
}

static enum dq_stale_why judge(const struct look *l, const char *plate,
                               const char *output, struct dq_stale_frame *f)
{
    struct dq_file_mark plate_now = {0}, output_now = {0};
    struct dq_done done;
    struct dq_err ignored = {0};
    char now[DQ_SHA256_HEX];

    if (dq_file_mark_look(plate, &plate_now))
        return DQ_STALE_NO_PLATE;
    if (dq_file_mark_look(output, &output_now))
        return DQ_STALE_ABSENT;
    if (dq_ledger_read(l->recipe->shot_folder, f->frame, &done, &ignored))
        return DQ_STALE_ALTERED; /* not ours, or its writer died */
    if (!dq_file_mark_holds(&done.output, output, &output_now))
        return DQ_STALE_ALTERED;
    if (!dq_file_mark_holds(&done.plate, plate, &plate_now))
        return DQ_STALE_PLATE;
    if (fingerprint(l, &done, now) && strcmp(now, done.fingerprint) == 0)
        return DQ_FRESH;
    return why_other(l, output, f);
}

/* ---- a job ---------------------------------------------------------------*/

static struct dq_recipe *recipe_of(const struct dq_run_plan *plan,
                                   struct dq_err *err)
{
    struct dq_wire_job job;
    struct dq_recipe *recipe;

    dq_run_plan_wire(plan, 0, &job);
    recipe = dq_recipe_new(&job, err);
    free(job.frames);
    return recipe;
}

static int look_at_shot(struct look *l, struct dq_err *err)
{
    int code = dq_shot_read(l->recipe, &l->shot, err);

    if (code && code != DQ_MISSING)
        return code;
    dq_err_clear(err);
    l->frozen = !code;
    l->shot_text = l->frozen ? dq_shot_text(&l->shot) : NULL;
    return DQ_OK;
}

/* Every THREADS-th frame from first on: what it takes is mostly waiting for
 * storage. */
struct part {
    const struct look *look;
    const struct dq_range *all;
    struct dq_stale_frame *frames;
    size_t first;
};

static void *judge_part(void *argument)
{
    const struct part *p = argument;
    const struct dq_recipe *recipe = p->look->recipe;

    for (size_t i = p->first; i < p->all->count; i += THREADS) {
        char *plate = dq_sequence_path(&recipe->plate, p->all->frames[i]);
        char *output = dq_sequence_path(&recipe->output, p->all->frames[i]);

        p->frames[i].frame = p->all->frames[i];
        p->frames[i].why = judge(p->look, plate, output, &p->frames[i]);
        free(output);
        free(plate);
    }
    return NULL;
}

/* A thread that cannot be had is done here. */
static struct dq_stale_frame *judge_all(const struct look *l,
                                        const struct dq_range *all)
{
    struct dq_stale_frame *frames = dq_new_array(all->count, sizeof *frames);
    struct part parts[THREADS];
    pthread_t threads[THREADS];
    int started[THREADS];

    for (size_t i = 0; i < THREADS; i++) {
        parts[i] = (struct part){l, all, frames, i};
        started[i] = !pthread_create(&threads[i], NULL, judge_part, &parts[i]);
        if (!started[i])
            judge_part(&parts[i]);
    }
    for (size_t i = 0; i < THREADS; i++)
        if (started[i])
            pthread_join(threads[i], NULL);
    return frames;
}

struct dq_stale_frame *dq_stale_find(const struct dq_run_plan *plan,
                                     struct dq_err *err)
{
    struct dq_recipe *recipe = recipe_of(plan, err);
    struct look l = {.recipe = recipe};
    struct dq_stale_frame *frames = NULL;

    if (recipe && !look_at_shot(&l, err))
        frames = judge_all(&l, &plan->job.all);
    free(l.shot_text);
    dq_shot_free(&l.shot);
    dq_recipe_free(recipe);
    return frames;
}
