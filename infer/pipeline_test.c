#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "infer/pipeline.h"

enum { FRAMES = 60 };

/* What the pipeline told; protected by lock. */
struct told {
    pthread_mutex_t lock;
    int32_t begun[FRAMES];
    int begun_count;
    int settled[FRAMES], code[FRAMES];
};

static void on_stage(void *context, const struct dq_request *request,
                     const char *stage)
{
    struct told *told = context;

    pthread_mutex_lock(&told->lock);
    if (strcmp(stage, "read") == 0 && told->begun_count < FRAMES)
        told->begun[told->begun_count++] = request->frame;
    pthread_mutex_unlock(&told->lock);
}

static void on_settled(void *context, const struct dq_request *request,
                       const struct dq_outcome *outcome)
{
    struct told *told = context;

    pthread_mutex_lock(&told->lock);
    told->settled[request->frame]++;
    told->code[request->frame] = outcome->err.code;
    pthread_mutex_unlock(&told->lock);
}

static void on_note(void *context, const char *text)
{
    (void)context;
    (void)text;
}

/* All frames of a shot that has no plates, through so many threads. */
static void without_plates(struct told *told, int readers, int writers,
                           int tickets)
{
    static char folder[] = "/nonexistent/shot", key[] = "key";
    struct dq_recipe recipe = {.shot_folder = folder, .survey_key = key};
    struct dq_err err = {0};
    struct dq_pipeline_rule rule = {.device = {.name = "cpu"},
                                    .readers = readers,
                                    .writers = writers,
                                    .tickets = tickets,
                                    .run_id = "t",
                                    .context = told,
                                    .stage = on_stage,
                                    .settled = on_settled,
                                    .note = on_note};
    struct dq_pipeline *p;

    assert_int_equal(
        dq_sequence_parse("/nonexistent/p.####.exr", NULL, &recipe.plate, &err),
        0);
    assert_int_equal(dq_sequence_parse("/nonexistent/d.####.exr", NULL,
                                       &recipe.output, &err),
                     0);
    memset(told, 0, sizeof *told);
    pthread_mutex_init(&told->lock, NULL);
    p = dq_pipeline_new(&rule);
    for (int i = 0; i < FRAMES; i++) {
        struct dq_request request = {.recipe = &recipe, .frame = i};

        dq_pipeline_submit(p, &request);
    }
    dq_pipeline_finish(p);
    pthread_mutex_destroy(&told->lock);
    dq_sequence_free(&recipe.plate);
    dq_sequence_free(&recipe.output);
}

static void every_error_settles_its_own_frame_once(void **state)
{
    static struct told told;

    (void)state;
    for (int n = 1; n <= 4; n++) {
        without_plates(&told, n, 5 - n, n);
        for (int i = 0; i < FRAMES; i++) {
            assert_int_equal(told.settled[i], 1);
            assert_int_equal(told.code[i], DQ_MISSING);
        }
    }
}

static void tasks_start_in_the_order_given(void **state)
{
    static struct told told;

    (void)state;
    without_plates(&told, 1, 2, 3);
    assert_int_equal(told.begun_count, FRAMES);
    for (int i = 0; i < FRAMES; i++)
        assert_int_equal(told.begun[i], i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_settles_its_own_frame_once),
        cmocka_unit_test(tasks_start_in_the_order_given),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
