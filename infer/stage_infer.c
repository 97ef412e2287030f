/* stage_infer: the one thread that owns networks. Loaded ones stay warm. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "infer/ticket.h"

enum { WARM_NETWORKS = 2 };

/* A loaded network, and the plan it was last used with. */
struct warm {
    char sha256[DQ_SHA256_HEX];
    struct dq_session *session;
    struct dq_tile_plan *plan;
    int width, height, tile_size; /* what the plan was made for */
    double overlap;
    uint64_t used;
};

struct dq_engine {
    struct dq_device device;
    struct warm warm[WARM_NETWORKS];
    uint64_t clock;
    float *guide;
    size_t guide_room;
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
    dq_tile_plan_free(w->plan);
    memset(w, 0, sizeof *w);
}

void dq_engine_free(struct dq_engine *engine)
{
    if (!engine)
        return;
    for (int i = 0; i < WARM_NETWORKS; i++)
        warm_close(&engine->warm[i]);
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

static int plan_is(const struct warm *w, const struct dq_recipe *recipe,
                   int width, int height)
{
    return w->plan && w->width == width && w->height == height &&
           w->tile_size == recipe->tile_size &&
           !(w->overlap < recipe->overlap) && !(w->overlap > recipe->overlap);
}

static struct dq_session_rule rule_of(const struct dq_recipe *recipe)
{
    struct dq_session_rule rule = {.batch = recipe->batch,
                                   .align = recipe->align};

    return rule;
}

size_t dq_engine_bytes(const struct dq_device *device,
                       const struct dq_ticket *t)
{
    const struct dq_recipe *recipe = t->request.recipe;
    struct dq_session_rule rule = rule_of(recipe);
    struct dq_err none = {0};
    struct dq_tile_plan *plan;
    size_t bytes = 0;
    int width, height;

    dq_shot_square(&t->shot, &width, &height);
    plan = dq_tile_plan_new(width, height, recipe->tile_size, recipe->overlap,
                            recipe->model, &none);
    if (plan)
        bytes = dq_session_bytes(recipe->model, plan, &rule, device);
    dq_tile_plan_free(plan);
    return bytes;
}

static int plan_for(struct warm *w, struct dq_ticket *t)
{
    const struct dq_recipe *recipe = t->request.recipe;
    struct dq_session_rule rule = rule_of(recipe);
    int width, height;

    dq_shot_square(&t->shot, &width, &height);
    if (!plan_is(w, recipe, width, height)) {
        dq_tile_plan_free(w->plan);
        w->plan = dq_tile_plan_new(width, height, recipe->tile_size,
                                   recipe->overlap, recipe->model, t->err);
        w->width = width;
        w->height = height;
        w->tile_size = recipe->tile_size;
        w->overlap = recipe->overlap;
    }
    if (!w->plan || dq_session_warm(w->session, w->plan, &rule, t->err))
        return t->err->code;
    dq_tile_plan_text(w->plan, t->plan_text, sizeof t->plan_text);
    return DQ_OK;
}

static struct dq_picture picture_of(const struct dq_ticket *t)
{
    struct dq_picture picture = {
        .rgb = t->picture.rgb,
        .valid = t->picture.valid,
        .width = t->picture.width,
        .height = t->picture.height,
        .x = t->picture.x,
        .y = t->picture.y,
    };

    return picture;
}

/* The ticket's guide: what the network says, and luma and mask beside it. */
static int make_guide(struct warm *w, struct dq_ticket *t,
                      const struct dq_picture *picture)
{
    const struct dq_tile_plan *plan = w->plan;
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
    int fits = t->has_guide && t->guide.width == w->plan->content_w &&
               t->guide.height == w->plan->content_h;

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
    struct dq_picture picture = picture_of(t);
    struct warm *w = network_for(engine, t);

    if (!w || plan_for(w, t))
        return t->err->code;
    if (t->request.recipe->steady) {
        if (steady_frame(w, t, &picture, tag))
            return t->err->code;
        rule.guide = t->guide.depth;
    }
    return dq_session_run(w->session, w->plan, &rule, &picture,
                          t->picture.depth, t->picture.sky, &t->counts, t->err);
}

int dq_engine_scan(struct dq_engine *engine, struct dq_ticket *t)
{
    struct dq_picture picture = picture_of(t);
    struct warm *w = network_for(engine, t);

    if (!w || plan_for(w, t))
        return t->err->code;
    return make_guide(w, t, &picture);
}

const float *dq_engine_guide(struct dq_engine *engine, struct dq_ticket *t,
                             size_t *count)
{
    struct dq_picture picture = picture_of(t);
    struct warm *w = network_for(engine, t);

    if (!w || plan_for(w, t))
        return NULL;
    *count = (size_t)w->plan->content_w * (size_t)w->plan->content_h;
    if (*count > engine->guide_room) {
        engine->guide = dq_grow(engine->guide, *count, sizeof *engine->guide);
        engine->guide_room = *count;
    }
    if (dq_session_guide(w->session, w->plan, &picture, engine->guide, NULL,
                         t->err))
        return NULL;
    return engine->guide;
}
