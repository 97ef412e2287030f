/* stage_infer: the one thread that owns networks. Loaded ones stay warm. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "infer/ticket.h"

enum { WARM_NETWORKS = 2 };

/* A loaded network. */
struct warm {
    char sha256[DQ_SHA256_HEX];
    struct dq_session *session;
    uint64_t used;
};

/* A guide that a survey asked for, until the frame's render takes it. */
struct kept {
    char key[DQ_SHA256_HEX]; /* dq_guide_key: what decides it, less the plate */
    char plate[DQ_SHA256_HEX];
    int width, height;
    float *depth; /* NULL: none */
};

struct dq_engine {
    struct dq_device device;
    struct warm warm[WARM_NETWORKS];
    uint64_t clock;
    float *guide;
    size_t guide_room;
    struct kept kept[DQ_SHOT_SAMPLES]; /* a ring */
    int next_kept;
};

struct dq_engine *dq_engine_new(const struct dq_device *device)
{
    struct dq_engine *engine = dq_new(sizeof *engine);

    engine->device = *device;
    return engine;
}

static void warm_close(struct warm *w)
{
    dq_session_close(w->session);
    memset(w, 0, sizeof *w);
}

void dq_engine_free(struct dq_engine *engine)
{
    if (!engine)
        return;
    for (int i = 0; i < WARM_NETWORKS; i++)
        warm_close(&engine->warm[i]);
    for (int i = 0; i < DQ_SHOT_SAMPLES; i++)
        free(engine->kept[i].depth);
    free(engine->guide);
    free(engine);
}

/* The slot that holds the model, or the one longest unused. */
static struct warm *find_slot(struct dq_engine *engine, const char *sha256)
{
    struct warm *oldest = &engine->warm[0];

    for (int i = 0; i < WARM_NETWORKS; i++) {
        if (strcmp(engine->warm[i].sha256, sha256) == 0)
            return &engine->warm[i];
        if (engine->warm[i].used < oldest->used)
            oldest = &engine->warm[i];
    }
    return oldest;
}

static struct warm *network_for(struct dq_engine *engine, struct dq_ticket *t)
{
    const struct dq_recipe *recipe = t->request.recipe;
    const char *sha256 = recipe->model->sha256;
    struct warm *w = find_slot(engine, sha256);

    w->used = ++engine->clock;
    if (w->session && strcmp(w->sha256, sha256) == 0)
        return w;
    warm_close(w);
    w->session =
        dq_session_open(recipe->model, recipe->artefact.data,
                        recipe->artefact.count, &engine->device, t->err);
    if (!w->session)
        return NULL;
    w->used = engine->clock;
    snprintf(w->sha256, sizeof w->sha256, "%s", sha256);
    return w;
}

static struct dq_session_rule rule_of(const struct dq_recipe *recipe)
{
    struct dq_session_rule rule = {.batch = recipe->batch,
                                   .align = recipe->align};

    return rule;
}

/* ---- guides of the survey ------------------------------------------------ */

/* Whether renders of such a frame need what the survey asked for. */
static int keeps_guides(const struct dq_recipe *recipe,
                        const struct dq_tile_plan *plan)
{
    return plan->needs_guide && recipe->align && dq_survey_asks(recipe);
}

/* Those of another shot: the budget counts one shot's. */
static void forget_others(struct dq_engine *engine, const char *key)
{
    for (int i = 0; i < DQ_SHOT_SAMPLES; i++)
        if (strcmp(engine->kept[i].key, key) != 0) {
            free(engine->kept[i].depth);
            engine->kept[i].depth = NULL;
        }
}

static void keep(struct dq_engine *engine, const struct dq_ticket *t,
                 const struct dq_tile_plan *plan)
{
    struct kept *k = &engine->kept[engine->next_kept];
    size_t count = dq_area(plan->content_w, plan->content_h);

    engine->next_kept = (engine->next_kept + 1) % DQ_SHOT_SAMPLES;
    dq_guide_key(t->request.recipe, &t->shot, k->key);
    forget_others(engine, k->key);
    memcpy(k->plate, t->mark.sha256, sizeof k->plate);
    k->width = plan->content_w;
    k->height = plan->content_h;
    free(k->depth);
    k->depth = dq_new_array(count, sizeof *k->depth);
    memcpy(k->depth, engine->guide, count * sizeof *k->depth);
}

/* The guide that was kept for this frame, now the caller's; NULL: none. */
static float *take_kept(struct dq_engine *engine, const struct dq_ticket *t,
                        const struct dq_tile_plan *plan)
{
    char key[DQ_SHA256_HEX];
    float *depth = NULL;

    dq_guide_key(t->request.recipe, &t->shot, key);
    for (int i = 0; i < DQ_SHOT_SAMPLES && !depth; i++) {
        struct kept *k = &engine->kept[i];

        if (!k->depth || k->width != plan->content_w ||
            k->height != plan->content_h || strcmp(k->key, key) != 0 ||
            strcmp(k->plate, t->mark.sha256) != 0)
            continue;
        depth = k->depth;
        k->depth = NULL;
    }
    return depth;
}

/* ---- plans --------------------------------------------------------------- */

/* Cheap enough to be made for every frame. */
static struct dq_tile_plan *plan_of(const struct dq_ticket *t,
                                    struct dq_err *err)
{
    const struct dq_recipe *recipe = t->request.recipe;
    int width, height;

    dq_shot_square(&t->shot, &width, &height);
    return dq_tile_plan_new(width, height, recipe->tile_size, recipe->overlap,
                            recipe->model, err);
}

size_t dq_engine_bytes(const struct dq_device *device,
                       const struct dq_ticket *t, size_t *answers)
{
    const struct dq_recipe *recipe = t->request.recipe;
    struct dq_session_rule rule = rule_of(recipe);
    struct dq_err none = {0};
    struct dq_tile_plan *plan = plan_of(t, &none);
    size_t bytes = 0;

    *answers = plan ? dq_answers_bytes(plan, recipe->model) : 0;
    if (plan)
        bytes = dq_session_bytes(recipe->model, plan, &rule, device);
    if (plan && keeps_guides(recipe, plan))
        bytes += DQ_SHOT_SAMPLES * sizeof(float) *
                 dq_area(plan->content_w, plan->content_h);
    dq_tile_plan_free(plan);
    return bytes;
}

/* The ticket's plan, with its network warmed up for it. */
static int plan_for(struct warm *w, struct dq_ticket *t)
{
    struct dq_session_rule rule = rule_of(t->request.recipe);

    dq_tile_plan_free(t->plan); /* a survey's last sample's */
    t->plan = plan_of(t, t->err);
    if (!t->plan || dq_session_warm(w->session, t->plan, &rule, t->err))
        return t->err->code;
    dq_tile_plan_text(t->plan, t->plan_text, sizeof t->plan_text);
    return DQ_OK;
}

/* The ticket's guide: what the network says, and luma and mask beside it. */
static int make_guide(struct warm *w, struct dq_ticket *t,
                      const struct dq_picture *picture)
{
    const struct dq_tile_plan *plan = t->plan;
    float *sky;

    if (dq_guide_shape(&t->guide, plan->content_w, plan->content_h, t->err))
        return t->err->code;
    sky = t->request.recipe->model->sky_channel >= 0 ? t->guide.real : NULL;
    if (dq_session_guide(w->session, plan, picture, t->guide.depth, sky,
                         t->err))
        return t->err->code;
    return dq_scan_planes(picture, plan, sky, &t->guide, t->err);
}

/* A stabilized frame has its guide, from the scan or made now, and by it its
 * place in the shot. */
static int steady_frame(struct warm *w, struct dq_ticket *t,
                        const struct dq_picture *picture, const char *tag)
{
    const struct dq_recipe *recipe = t->request.recipe;
    int fits = t->has_guide && t->guide.width == t->plan->content_w &&
               t->guide.height == t->plan->content_h;

    if (!fits && make_guide(w, t, picture))
        return t->err->code;
    if (t->placed)
        return DQ_OK;
    t->guide.plate = t->mark;
    if (dq_place_fit(recipe, &t->shot, t->request.frame, &t->guide, tag,
                     &t->place, t->err))
        return t->err->code;
    t->placed = 1;
    dq_ticket_fingerprint(t);
    return DQ_OK;
}

int dq_engine_run(struct dq_engine *engine, struct dq_ticket *t,
                  const char *tag)
{
    struct dq_session_rule rule = rule_of(t->request.recipe);
    struct dq_picture picture = dq_ticket_picture(t);
    struct warm *w = network_for(engine, t);
    float *kept = NULL;

    if (!w || plan_for(w, t))
        return t->err->code;
    if (t->request.recipe->steady) {
        if (steady_frame(w, t, &picture, tag))
            return t->err->code;
        rule.guide = t->guide.depth;
    } else if (keeps_guides(t->request.recipe, t->plan)) {
        rule.guide = kept = take_kept(engine, t, t->plan);
    }
    dq_session_run(w->session, t->plan, &rule, &picture, &t->answers,
                   &t->counts, t->err);
    free(kept);
    return t->err->code;
}

int dq_engine_scan(struct dq_engine *engine, struct dq_ticket *t)
{
    struct dq_picture picture = dq_ticket_picture(t);
    struct warm *w = network_for(engine, t);

    if (!w || plan_for(w, t))
        return t->err->code;
    return make_guide(w, t, &picture);
}

const float *dq_engine_guide(struct dq_engine *engine, struct dq_ticket *t,
                             int *width, int *height)
{
    struct dq_picture picture = dq_ticket_picture(t);
    struct warm *w = network_for(engine, t);
    size_t count;

    if (!w || plan_for(w, t))
        return NULL;
    *width = t->plan->content_w;
    *height = t->plan->content_h;
    count = dq_area(*width, *height);
    if (count > engine->guide_room) {
        engine->guide = dq_grow(engine->guide, count, sizeof *engine->guide);
        engine->guide_room = count;
    }
    if (dq_session_guide(w->session, t->plan, &picture, engine->guide, NULL,
                         t->err))
        return NULL;
    if (keeps_guides(t->request.recipe, t->plan))
        keep(engine, t, t->plan);
    return engine->guide;
}
