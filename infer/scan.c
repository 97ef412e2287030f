/* scan: one frame's guide, made once and kept in the shot's folder. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/publish.h"
#include "infer/ticket.h"
#include "io/resample.h"

/* ---- is it there already? ------------------------------------------------ */

/* Before the shot is solved a guide must prove every value of it, for what is
 * solved is frozen; afterwards its header will do. */
static int is_whole(struct dq_ticket *t, const char *key)
{
    struct dq_err none = {0};

    return t->shot.solved_count ||
           dq_guide_read(t->output_path, key, NULL, &t->guide, &none) == DQ_OK;
}

static int there_by_time(struct dq_ticket *t, const char *key)
{
    struct dq_file_mark plate = {0};
    struct dq_err none = {0};

    return dq_guide_look(t->output_path, key, &plate, &none) == DQ_OK &&
           dq_file_mark_same(&plate, t->plate_path, NULL) && is_whole(t, key);
}

static int there_by_digest(struct dq_ticket *t, const char *key)
{
    struct dq_file_mark plate = {0};
    struct dq_err none = {0};

    return dq_guide_look(t->output_path, key, &plate, &none) == DQ_OK &&
           strcmp(plate.sha256, t->mark.sha256) == 0 && is_whole(t, key);
}

/* Whether the guide in place is one that the shot was solved with. A run that
 * decides anew may yet fail: it counts until shot.json is replaced. */
static int is_solved_with(const struct dq_ticket *t)
{
    const struct dq_recipe *recipe = t->request.recipe;
    struct dq_file_mark plate = {0};
    struct dq_shot frozen = {.solved_count = 0};
    struct dq_err none = {0};
    char key[DQ_SHA256_HEX];
    int is = 0;

    if (!dq_shot_read(recipe, &frozen, &none)) {
        dq_guide_key(recipe, &frozen, key);
        is = !dq_guide_look(t->output_path, key, &plate, &none) &&
             dq_shot_find(&frozen, t->request.frame, plate.sha256);
    }
    dq_shot_free(&frozen);
    return is;
}

/* A guide that the shot was solved with makes room for that of a new plate:
 * late frames are fitted to it. */
static int keep_solved(struct dq_ticket *t, const char *tag)
{
    const struct dq_recipe *recipe = t->request.recipe;
    struct dq_bytes bytes = {0};
    struct dq_err none = {0};
    char *kept;

    if (!is_solved_with(t) ||
        dq_bytes_read_file(&bytes, t->output_path, DQ_PLATE_MAX_BYTES, DQ_PLATE,
                           &none)) {
        dq_bytes_free(&bytes);
        return DQ_OK;
    }
    kept = dq_guide_path(recipe, t->request.frame, 1);
    dq_publish(kept, bytes.data, bytes.count, tag, DQ_PUBLISH_REPLACE, NULL,
               t->err);
    free(kept);
    dq_bytes_free(&bytes);
    return t->err->code;
}

/* ---- stages -------------------------------------------------------------- */

int dq_scan_read(struct dq_ticket *t, const struct dq_reader_hooks *hooks)
{
    char key[DQ_SHA256_HEX];

    if (dq_shot_read_survey(t->request.recipe, &t->shot, t->err))
        return t->err->code;
    dq_guide_key(t->request.recipe, &t->shot, key);
    if (there_by_time(t, key)) {
        t->outcome.skipped = 1;
        return DQ_OK;
    }
    hooks->begin(hooks->context, t);
    if (dq_stage_read_file(t, t->plate_path))
        return t->err->code;
    if (there_by_digest(t, key)) {
        t->outcome.skipped = 1;
        return DQ_OK;
    }
    return dq_stage_read_picture(t, hooks);
}

/* Luma as the network sees it, on the guide's pixels. */
static int make_luma(const struct dq_picture *p,
                     const struct dq_tile_plan *plan, struct dq_guide *g,
                     struct dq_err *err)
{
    static const float share[3] = {0.2126F, 0.7152F, 0.0722F};
    struct dq_window lattice = {-p->x, -p->y, (double)plan->width - p->x,
                                (double)plan->height - p->y};
    size_t plane = (size_t)p->width * (size_t)p->height;
    size_t n = (size_t)g->width * (size_t)g->height;
    float *one = malloc(n * sizeof *one);

    if (!one)
        return dq_fail(err, DQ_MEMORY, "no memory for a guide's luma");
    memset(g->luma, 0, n * sizeof *g->luma);
    for (size_t c = 0; c < 3 && !err->code; c++) {
        dq_resample_window(p->rgb + c * plane, p->height, p->width, p->width,
                           &lattice, one, g->height, g->width, err);
        for (size_t i = 0; i < n && !err->code; i++)
            g->luma[i] += share[c] * one[i];
    }
    free(one);
    /* grain is no pattern; fewer digits are fewer bytes */
    for (size_t i = 0; i < n; i++)
        g->luma[i] = (float)(int)(g->luma[i] * 4096 + 0.5F) / 4096;
    return err->code;
}

/* 1 where plate and not the network's sky (which may be guide->real). */
static void make_real(const struct dq_picture *p,
                      const struct dq_tile_plan *plan, const float *sky,
                      struct dq_guide *g)
{
    double sx = (double)plan->width / plan->content_w;
    double sy = (double)plan->height / plan->content_h;

    for (int y = 0; y < g->height; y++)
        for (int x = 0; x < g->width; x++) {
            size_t at = (size_t)y * (size_t)g->width + (size_t)x;
            int px = (int)((x + 0.5) * sx) - p->x;
            int py = (int)((y + 0.5) * sy) - p->y;
            int inside = px >= 0 && py >= 0 && px < p->width && py < p->height;
            int real =
                inside && !(sky && sky[at] >= DQ_SKY_FROM) &&
                !(p->valid &&
                  p->valid[(size_t)py * (size_t)p->width + (size_t)px] < 0.5F);

            g->real[at] = real ? 1.0F : 0.0F;
        }
}

int dq_scan_planes(const struct dq_picture *picture,
                   const struct dq_tile_plan *plan, const float *sky,
                   struct dq_guide *guide, struct dq_err *err)
{
    make_real(picture, plan, sky, guide);
    return make_luma(picture, plan, guide, err);
}

/* The first guide of a key and plate stays, whoever else makes one: with
 * another library or device its last bits may differ, and the shot may have
 * been solved with it already. */
static int publish(struct dq_ticket *t, const char *key, const char *tag)
{
    if (dq_publish(t->output_path, t->encoded.data, t->encoded.count, tag,
                   DQ_PUBLISH_NEW, NULL, t->err) != DQ_EXISTS)
        return t->err->code;
    dq_err_clear(t->err);
    if (!dq_guide_read(t->output_path, key, t->mark.sha256, &t->guide,
                       t->err)) {
        t->outcome.skipped = 1;
        return DQ_OK;
    }
    if (t->err->code != DQ_MISSING)
        return t->err->code;
    dq_err_clear(t->err);
    if (keep_solved(t, tag))
        return t->err->code;
    return dq_publish(t->output_path, t->encoded.data, t->encoded.count, tag,
                      DQ_PUBLISH_REPLACE, NULL, t->err);
}

int dq_scan_write(struct dq_ticket *t, const char *run_id)
{
    const struct dq_recipe *recipe = t->request.recipe;
    char *folder = dq_asprintf("%s/guides", recipe->shot_folder);
    double begun = dq_clock_s();
    char key[DQ_SHA256_HEX], tag[64];

    dq_guide_key(recipe, &t->shot, key);
    dq_ticket_tag(t, run_id, tag, sizeof tag);
    t->guide.plate = t->mark;
    if (!dq_guide_encode(&t->guide, key, &t->encoded, t->err) &&
        !dq_make_folders(folder, t->err)) {
        t->outcome.seconds.encode = dq_clock_s() - begun;
        begun = dq_clock_s();
        publish(t, key, tag);
        t->outcome.seconds.publish = dq_clock_s() - begun;
        t->outcome.bytes = (int64_t)t->encoded.count;
    }
    free(folder);
    return t->err->code;
}
