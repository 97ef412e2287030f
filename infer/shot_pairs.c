#include "infer/shot_pairs.h"

#include <stdlib.h>

#include "base/parallel.h"
#include "base/mem.h"
#include "infer/shot_match.h"

/* Frames that a thread takes at a time: what it keeps of one serves the next.
 */
enum { BLOCK = 8, LAGS = 5 };

/* What is matched of one frame. */
struct of_frame {
    int before;           /* the last frame before it that is there; -1 */
    struct dq_match from; /* from that one to this */
    struct dq_pair pairs[LAGS + 1];
    int count;
};

struct hand {
    struct dq_matcher *matcher;
};

struct work {
    const struct dq_shot_views *views;
    struct hand *hands; /* one a thread */
    struct of_frame *frames;
    const struct dq_frame_affine *affine;
    const int *anchors;
};

/* The caller's thread tells for all. */
static void going(const struct work *w, int hand)
{
    if (hand == 0 && w->views->going)
        w->views->going(w->views->context);
}

static int end_of(const struct work *w, int item)
{
    int end = (item + 1) * BLOCK;

    return end < w->views->count ? end : w->views->count;
}

/* ---- from each frame to the next ----------------------------------------- */

static void match_next(void *context, int item, int hand)
{
    struct work *w = context;

    for (int t = item * BLOCK; t < end_of(w, item); t++) {
        struct of_frame *f = &w->frames[t];

        if (f->before >= 0)
            dq_match(w->hands[hand].matcher, f->before, t, NULL, &f->from);
        going(w, hand);
    }
}

static void find_befores(struct work *w)
{
    int before = -1;

    for (int t = 0; t < w->views->count; t++) {
        w->frames[t].before = w->views->frames[t].guide ? before : -1;
        if (w->views->frames[t].guide)
            before = t;
    }
}

/* A cut lies before frame t when it does not show what the frame before it
 * that is there showed. */
static void find_stretches(const struct work *w, struct dq_frame_affine *affine)
{
    int stretch = 0;

    for (int t = 0; t < w->views->count; t++) {
        const struct of_frame *f = &w->frames[t];

        stretch += f->before >= 0 && dq_match_is_cut(&f->from);
        affine[t].stretch = stretch;
    }
}

static int anchor_of(const struct dq_shot_views *v, int first, int end)
{
    int there = 0, passed = 0;

    for (int t = first; t < end; t++)
        there += v->frames[t].guide != NULL;
    for (int t = first; t < end; t++)
        if (v->frames[t].guide && passed++ == there / 2)
            return t;
    return -1;
}

int dq_stretch_end(const struct dq_frame_affine *affine, int count, int first)
{
    int end = first + 1;

    while (end < count && affine[end].stretch == affine[first].stretch)
        end++;
    return end;
}

static void find_anchors(const struct work *w, int *anchors)
{
    const struct dq_frame_affine *affine = w->affine;

    for (int first = 0, end; first < w->views->count; first = end) {
        end = dq_stretch_end(affine, w->views->count, first);
        anchors[affine[first].stretch] = anchor_of(w->views, first, end);
    }
}

/* ---- farther ------------------------------------------------------------- */

static void keep(struct of_frame *f, const struct dq_match *match)
{
    if (match->tells)
        f->pairs[f->count++] = match->pair;
}

/* From frame a to those after it: what came of each is where the next, twice
 * as far, begins. */
static void match_lags(const struct work *w, struct dq_matcher *matcher, int a)
{
    const struct dq_shot_view *frames = w->views->frames;
    int stretch = w->affine[a].stretch;
    struct dq_match match = {.moved = 0};

    for (int lag = 1; lag <= DQ_SHOT_LAG && a + lag < w->views->count;
         lag *= 2) {
        const struct dq_match half = match;
        int c = a + lag;

        match = (struct dq_match){.moved = 0};
        if (!frames[c].guide || w->affine[c].stretch != stretch)
            continue;
        if (lag == 1)
            match = w->frames[c].from;
        else
            dq_match(matcher, a, c, &half, &match);
        keep(&w->frames[a], &match);
    }
}

static void match_farther(void *context, int item, int hand)
{
    struct work *w = context;
    struct dq_matcher *matcher = w->hands[hand].matcher;

    for (int a = item * BLOCK; a < end_of(w, item); a++) {
        int anchor = w->anchors[w->affine[a].stretch];
        struct dq_match match;

        if (w->views->frames[a].guide) {
            match_lags(w, matcher, a);
            if (abs(anchor - a) > DQ_SHOT_LAG) {
                dq_match(matcher, anchor, a, NULL, &match);
                keep(&w->frames[a], &match);
            }
        }
        going(w, hand);
    }
}

/* ---- all ----------------------------------------------------------------- */

static void list_pairs(const struct work *w, struct dq_pairs *pairs)
{
    int count = 0;

    for (int t = 0; t < w->views->count; t++)
        count += w->frames[t].count;
    pairs->list = dq_new_array((size_t)count + 1, sizeof *pairs->list);
    pairs->count = 0;
    for (int t = 0; t < w->views->count; t++)
        for (int i = 0; i < w->frames[t].count; i++)
            pairs->list[pairs->count++] = w->frames[t].pairs[i];
}

static int items_of(const struct dq_shot_views *views)
{
    return (views->count + BLOCK - 1) / BLOCK;
}

int dq_pairs_threads(const struct dq_shot_views *views)
{
    int items = items_of(views), threads = views->threads;

    threads = threads < items ? threads : items;
    return threads > 1 ? threads : 1;
}

static int hire(struct work *w, int threads, struct dq_err *err)
{
    for (int i = 0; i < threads; i++)
        if (!(w->hands[i].matcher = dq_matcher_new(w->views, err)))
            return err->code;
    return DQ_OK;
}

int dq_pairs_find(const struct dq_shot_views *views,
                  struct dq_frame_affine *affine, int *anchors,
                  struct dq_pairs *pairs, struct dq_err *err)
{
    int threads = dq_pairs_threads(views), items = items_of(views);
    struct work w = {.views = views, .affine = affine, .anchors = anchors};

    w.hands = dq_new_array((size_t)threads, sizeof *w.hands);
    w.frames = dq_new_array((size_t)views->count + 1, sizeof *w.frames);
    if (!hire(&w, threads, err)) {
        find_befores(&w);
        dq_parallel(threads, items, match_next, &w);
        find_stretches(&w, affine);
        find_anchors(&w, anchors);
        dq_parallel(threads, items, match_farther, &w);
        list_pairs(&w, pairs);
    }
    for (int i = 0; i < threads; i++)
        dq_matcher_free(w.hands[i].matcher);
    free(w.frames);
    free(w.hands);
    return err->code;
}
