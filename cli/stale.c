#include "cli/stale.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fingerprint.h"
#include "base/mem.h"
#include "base/sequence.h"
#include "daemon/worker_recipe.h"
#include "infer/shot.h"
#include "io/ledger.h"
#include "io/plate.h"
#include "io/provenance.h"

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

/* Whether the file is what mark says: by size and time, else by digest. */
static int is_same(const struct dq_file_mark *mark, const char *path)
{
    struct dq_file_mark now = {0};
    struct dq_err ignored = {0};
    char hex[DQ_SHA256_HEX];

    if (dq_file_mark_same(mark, path, &now))
        return 1;
    return now.bytes == mark->bytes && !dq_sha256_file(path, hex, &ignored) &&
           strcmp(hex, mark->sha256) == 0;
}

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

static const char *attribute(const struct dq_plate *file,
                             enum dq_provenance which)
{
    const char *text = NULL;

    for (int part = 0; !text && part < dq_plate_info(file)->part_count; part++)
        text = dq_plate_attribute(file, part, dq_provenance_name(which));
    return text ? text : "";
}

/* Other pixels are wanted: of another model, as the header says, or not. */
static enum dq_stale_why ask_header(const struct look *l, const char *path,
                                    struct dq_stale_frame *f)
{
    struct dq_err ignored = {0};
    struct dq_plate *file = dq_plate_open_header(path, &ignored);
    int same;

    if (!file)
        return DQ_STALE_ALTERED;
    same = strcmp(attribute(file, DQ_ATTR_MODEL_SHA256),
                  l->recipe->model->sha256) == 0;
    if (!same)
        snprintf(f->was, sizeof f->was, "%s@%s", attribute(file, DQ_ATTR_MODEL),
                 attribute(file, DQ_ATTR_MODEL_VERSION));
    dq_plate_close(file);
    return same ? DQ_STALE_SETTINGS : DQ_STALE_MODEL;
}

static enum dq_stale_why judge(const struct look *l, const char *plate,
                               const char *output, struct dq_stale_frame *f)
{
    struct dq_done done;
    struct dq_err ignored = {0};
    char now[DQ_SHA256_HEX];
    int has_record =
        !dq_ledger_read(l->recipe->shot_folder, f->frame, &done, &ignored);

    if (access(plate, F_OK) != 0)
        return DQ_STALE_NO_PLATE;
    if (access(output, F_OK) != 0)
        return DQ_STALE_ABSENT;
    if (!has_record) /* not ours, or its writer died */
        return DQ_STALE_ALTERED;
    if (!is_same(&done.output, output))
        return DQ_STALE_ALTERED;
    if (!is_same(&done.plate, plate))
        return DQ_STALE_PLATE;
    if (fingerprint(l, &done, now) && strcmp(now, done.fingerprint) == 0)
        return DQ_FRESH;
    return ask_header(l, output, f);
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
