/* pipeline_testing: a shot of small plates on disk, a fake network, and a
 * pipeline that tells what it does. For tests only; one a process at once. */
#ifndef DQ_INFER_PIPELINE_TESTING_H
#define DQ_INFER_PIPELINE_TESTING_H

#include "base/testing.h"

#include <pthread.h>
#include <time.h>

#include "base/fingerprint.h"
#include "base/mem.h"
#include "base/path.h"
#include "infer/pipeline.h"
#include "tests/exr_make.h"

enum { FIRST = 1, SHOT_FRAMES = 12, WIDTH = 60, HEIGHT = 41 };

/* ---- plates -------------------------------------------------------------- */

/* Frame f shows its R at phase f mod 3, through a window that moves. */
static const struct made_channel rgb_of[3][3] = {{{"R", EXR_PIXEL_FLOAT, 0},
                                                  {"G", EXR_PIXEL_FLOAT, 0},
                                                  {"B", EXR_PIXEL_FLOAT, 0}},
                                                 {{"G", EXR_PIXEL_FLOAT, 0},
                                                  {"R", EXR_PIXEL_FLOAT, 0},
                                                  {"B", EXR_PIXEL_FLOAT, 0}},
                                                 {{"B", EXR_PIXEL_FLOAT, 0},
                                                  {"G", EXR_PIXEL_FLOAT, 0},
                                                  {"R", EXR_PIXEL_FLOAT, 0}}};

static inline struct dq_box window_of(int frame)
{
    struct dq_box box = {frame % 5 - 2, frame % 4, 0, 0};

    box.x1 = box.x0 + WIDTH - 1;
    box.y1 = box.y0 + HEIGHT - 1;
    return box;
}

static inline struct dq_bytes plate_bytes(int frame)
{
    struct made_part part = {.storage = EXR_STORAGE_SCANLINE,
                             .codec = EXR_COMPRESSION_ZIPS,
                             .data = window_of(frame),
                             .channels = rgb_of[frame % 3],
                             .channel_count = 3};
    struct made_file file = {.display = {0, 0, WIDTH - 1, HEIGHT - 1},
                             .pixels = MADE_SMOOTH,
                             .parts = &part,
                             .part_count = 1};

    return made_bytes(&file);
}

static inline void put_plate(int frame, const void *bytes, size_t count)
{
    struct timespec old[2] = {{.tv_sec = time(NULL) - 3600},
                              {.tv_sec = time(NULL) - 3600}};
    char *path = dq_asprintf("plate/p.%04d.exr", frame);
    FILE *out = fopen(path, "wb");

    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, count, out), count);
    assert_int_equal(fclose(out), 0);
    /* a young plate that fails is taken for one still being copied */
    assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
    free(path);
}

/* ---- the job ------------------------------------------------------------- */

/* A recipe as the worker makes it: the network's numbers, every bit. */
static inline struct dq_recipe *recipe_of(const char *net, const char *output)
{
    struct dq_recipe *r = dq_new(sizeof *r);
    char *text = dq_asprintf(
        "{\"depthq_fake\": 1, \"net\": %s, \"contract\": {"
        "\"depthq_model\": 1, \"name\": \"fake\", \"version\": \"1\","
        "\"runtime\": \"fake\", \"input\": {\"transfer\": \"linear\","
        "\"multiple\": 8, \"size\": {\"preferred\": 32, \"min\": 8,"
        "\"max\": 256}, \"batch\": \"any\"},"
        "\"output\": {\"quantity\": \"disparity\", \"scale\": \"affine\"}}}",
        net);
    struct dq_err err = {0};

    put_file("net.fake", text);
    free(text);
    if (dq_sequence_parse("plate/p.####.exr", NULL, &r->plate, &err) ||
        dq_sequence_parse(output, NULL, &r->output, &err) ||
        dq_range_parse("1-12", &r->frames, &err))
        fail_msg("%s", err.text);
    r->model = dq_model_read("net.fake", NULL, &r->artefact, &err);
    if (!r->model)
        fail_msg("%s", err.text);
    r->colorspace = dq_strdup("lin_rec709");
    r->tonemap = DQ_TONEMAP_CLIP;
    r->overlap = 0.25;
    r->align = 1;
    r->kind = DQ_DEPTH_NATIVE;
    r->channel = dq_strdup("Z");
    r->shot_folder = dq_shot_folder(output);
    r->survey_key = dq_asprintf("key of %s", net);
    r->scan_text = dq_asprintf("net=%s\n", net);
    r->pixels_text = dq_asprintf("net=%s\n", net);
    return r;
}

/* ---- what the pipeline told ---------------------------------------------- */

/* All protected by lock. Frame 0 is the survey. */
struct told {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int settled[SHOT_FRAMES + 1];
    struct dq_outcome outcome[SHOT_FRAMES + 1];
    int open_now, open_most; /* past "infer" and not settled */
    int settling;
    int hold_reading;  /* the first reader waits while it is set */
    int hold_settling; /* the n-th to settle waits while it is set */
    int held;
    int beside; /* reached the network while one was held */
    int notes;  /* of guessed colour spaces */
};

static inline int index_of(const struct dq_request *request)
{
    return request->work == DQ_WORK_SURVEY ? 0 : request->frame;
}

/* Wait in a callback until the test lets go. */
static inline void hold(struct told *t, const int *while_set)
{
    while (*while_set) {
        t->held = 1;
        pthread_cond_broadcast(&t->changed);
        pthread_cond_wait(&t->changed, &t->lock);
    }
}

static inline void on_stage(void *context, const struct dq_request *request,
                            const char *stage)
{
    struct told *t = (struct told *)context;

    (void)request;
    pthread_mutex_lock(&t->lock);
    if (strcmp(stage, "infer") == 0) {
        t->open_now++;
        t->beside += t->held;
        t->open_most = t->open_now > t->open_most ? t->open_now : t->open_most;
    }
    pthread_cond_broadcast(&t->changed);
    if (t->hold_reading && strcmp(stage, "read") == 0)
        hold(t, &t->hold_reading);
    pthread_mutex_unlock(&t->lock);
}

static inline void on_settled(void *context, const struct dq_request *request,
                              const struct dq_outcome *outcome)
{
    struct told *t = (struct told *)context;
    int i = index_of(request);

    pthread_mutex_lock(&t->lock);
    if (++t->settling == t->hold_settling)
        hold(t, &t->hold_settling);
    t->settled[i]++;
    t->outcome[i] = *outcome;
    t->open_now -= outcome->seconds.infer > 0;
    pthread_cond_broadcast(&t->changed);
    pthread_mutex_unlock(&t->lock);
}

static inline void on_note(void *context, const char *text)
{
    struct told *t = (struct told *)context;

    pthread_mutex_lock(&t->lock);
    t->notes += strstr(text, "input.colorspace") != NULL;
    pthread_mutex_unlock(&t->lock);
}

static inline void told_start(struct told *t)
{
    memset(t, 0, sizeof *t);
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->changed, NULL);
}

static inline void told_end(struct told *t)
{
    pthread_cond_destroy(&t->changed);
    pthread_mutex_destroy(&t->lock);
}

static inline void wait_held(struct told *t)
{
    pthread_mutex_lock(&t->lock);
    while (!t->held)
        pthread_cond_wait(&t->changed, &t->lock);
    pthread_mutex_unlock(&t->lock);
}

static inline void wait_settled(struct told *t, int frame)
{
    pthread_mutex_lock(&t->lock);
    while (!t->settled[frame])
        pthread_cond_wait(&t->changed, &t->lock);
    pthread_mutex_unlock(&t->lock);
}

/* Wait until so many frames have reached the network beside the held one; a
 * minute without them is a failure. */
static inline void wait_beside(struct told *t, int count)
{
    struct timespec until;
    int code = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 60;
    pthread_mutex_lock(&t->lock);
    while (t->beside < count && !code)
        code = pthread_cond_timedwait(&t->changed, &t->lock, &until);
    pthread_mutex_unlock(&t->lock);
    assert_int_equal(code, 0);
}

static inline void let_go(struct told *t)
{
    pthread_mutex_lock(&t->lock);
    t->hold_reading = t->hold_settling = 0;
    pthread_cond_broadcast(&t->changed);
    pthread_mutex_unlock(&t->lock);
}

/* ---- the pipeline -------------------------------------------------------- */

struct threads {
    int readers, writers, tickets;
    size_t memory;
};

static inline struct dq_pipeline *pipeline_of(struct told *told,
                                              struct threads n)
{
    struct dq_pipeline_rule rule = {.device = {.name = "cpu"},
                                    .readers = n.readers,
                                    .writers = n.writers,
                                    .tickets = n.tickets,
                                    .memory = n.memory,
                                    .run_id = "t",
                                    .context = told,
                                    .stage = on_stage,
                                    .settled = on_settled,
                                    .note = on_note};

    return dq_pipeline_new(&rule);
}

static inline void submit(struct dq_pipeline *p, const struct dq_recipe *recipe,
                          int frame)
{
    struct dq_request request = {.recipe = recipe,
                                 .work = frame == 0 ? DQ_WORK_SURVEY
                                                    : DQ_WORK_RENDER,
                                 .frame = frame,
                                 .attempt = 1};

    dq_pipeline_submit(p, &request);
}

/* ---- a shot on disk ------------------------------------------------------ */

static inline int shot_setup(void **state)
{
    *state = enter_folder();
    assert_int_equal(mkdir("plate", 0777), 0);
    for (int f = FIRST; f <= SHOT_FRAMES; f++) {
        struct dq_bytes bytes = plate_bytes(f);

        put_plate(f, bytes.data, bytes.count);
        dq_bytes_free(&bytes);
    }
    return 0;
}

/* The whole shot, survey first and by a pipeline of its own; told is left for
 * the caller to end. */
static inline void run_shot(const struct dq_recipe *recipe, struct threads n,
                            const int *order, struct told *told)
{
    struct dq_pipeline *p;

    told_start(told);
    p = pipeline_of(told, (struct threads){1, 1, 1, 0});
    submit(p, recipe, 0);
    dq_pipeline_finish(p);
    p = pipeline_of(told, n);
    for (int i = 0; i < SHOT_FRAMES; i++)
        submit(p, recipe, order ? order[i] : FIRST + i);
    dq_pipeline_finish(p);
}

static inline void expect_done(const struct told *told, int frame)
{
    if (told->outcome[frame].err.code)
        fail_msg("frame %d: %s", frame, told->outcome[frame].err.text);
    assert_int_equal(told->settled[frame], 1);
}

static inline void expect_all_done(const struct told *told)
{
    for (int f = 0; f <= SHOT_FRAMES; f++)
        expect_done(told, f);
}

#endif
