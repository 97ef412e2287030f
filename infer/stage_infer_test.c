/* Guides that a survey asked for, and the renders that need the same. */
#include "infer/pipeline_testing.h"

enum { TILES = 6, NET_TEXT = 64 };

/* A pipeline that has made the survey, and will make the renders, too. */
static struct dq_pipeline *surveyed(const struct dq_recipe *recipe,
                                    struct told *told)
{
    struct dq_pipeline *p;

    told_start(told);
    p = pipeline_of(told, (struct threads){1, 1, 3, 0});
    submit(p, recipe, 0);
    wait_settled(told, 0);
    return p;
}

static void run_in_one(const struct dq_recipe *recipe, struct told *told)
{
    struct dq_pipeline *p = surveyed(recipe, told);

    for (int f = FIRST; f <= SHOT_FRAMES; f++)
        submit(p, recipe, f);
    dq_pipeline_finish(p);
}

/* How many frames a network serves that answers so often and no more. */
static int served(int forwards)
{
    char net[NET_TEXT];
    struct dq_recipe *recipe;
    struct told told;
    int done = 0;

    snprintf(net, sizeof net, "\"nan\", \"after\": %d", forwards);
    recipe = recipe_of(net, "out/d.####.exr");
    run_in_one(recipe, &told);
    assert_int_equal(told.outcome[0].err.code, DQ_OK);
    for (int f = FIRST; f <= SHOT_FRAMES; f++)
        done += told.outcome[f].err.code == DQ_OK;
    told_end(&told);
    dq_recipe_free(recipe);
    return done;
}

static void a_surveyed_frame_asks_for_its_tiles_alone(void **state)
{
    int enough = SHOT_FRAMES * (1 + TILES);

    (void)state;
    assert_int_equal(served(enough), SHOT_FRAMES);
    assert_int_equal(served(enough - 1), SHOT_FRAMES - 1);
}

static void digests_of(const struct told *told, char to[][DQ_SHA256_HEX])
{
    for (int f = FIRST; f <= SHOT_FRAMES; f++) {
        expect_done(told, f);
        memcpy(to[f], told->outcome[f].sha256, DQ_SHA256_HEX);
    }
}

static void a_kept_guide_gives_the_bytes_of_a_new_one(void **state)
{
    struct dq_recipe *recipe = recipe_of("\"affine\"", "out/d.####.exr");
    char kept[SHOT_FRAMES + 1][DQ_SHA256_HEX];
    struct told told;

    (void)state;
    run_in_one(recipe, &told);
    digests_of(&told, kept);
    told_end(&told);
    recipe->existing = DQ_REPLACE;
    run_shot(recipe, (struct threads){1, 1, 1, 0}, NULL, &told);
    for (int f = FIRST; f <= SHOT_FRAMES; f++) {
        expect_done(&told, f);
        assert_string_equal(told.outcome[f].sha256, kept[f]);
    }
    told_end(&told);
    dq_recipe_free(recipe);
}

/* Frame 5 becomes a copy of frame 10 when its guide has been kept. */
static void a_plate_that_is_replaced_gets_a_guide_of_its_own(void **state)
{
    struct dq_recipe *recipe = recipe_of("\"affine\"", "out/d.####.exr");
    struct dq_bytes other = plate_bytes(10);
    char *kept;
    struct told told;
    struct dq_pipeline *p;

    (void)state;
    p = surveyed(recipe, &told);
    put_plate(5, other.data, other.count);
    submit(p, recipe, 5);
    dq_pipeline_finish(p);
    expect_done(&told, 5);
    kept = dq_strdup(told.outcome[5].sha256);
    told_end(&told);
    recipe->existing = DQ_REPLACE;
    run_shot(recipe, (struct threads){1, 1, 1, 0}, NULL, &told);
    expect_done(&told, 5);
    assert_string_equal(told.outcome[5].sha256, kept);
    told_end(&told);
    free(kept);
    dq_bytes_free(&other);
    dq_recipe_free(recipe);
}

static void survey_in(struct dq_pipeline *p, const struct dq_recipe *recipe,
                      struct told *told)
{
    pthread_mutex_lock(&told->lock);
    told->settled[0] = 0;
    pthread_mutex_unlock(&told->lock);
    submit(p, recipe, 0);
    wait_settled(told, 0);
    assert_int_equal(told->outcome[0].err.code, DQ_OK);
}

/* How many of the odd frames a network serves that answers so often and no
 * more, when the even ones are another's. */
static int served_in_turn(int forwards)
{
    char net[NET_TEXT];
    struct dq_recipe *one, *other;
    struct told told;
    struct dq_pipeline *p;
    int done = 0;

    snprintf(net, sizeof net, "\"nan\", \"after\": %d", forwards);
    one = recipe_of(net, "out/d.####.exr");
    other = recipe_of("\"identity\"", "out/e.####.exr");
    other->anew = DQ_ANEW_ALL; /* also the second time */
    other->existing = DQ_REPLACE;
    told_start(&told);
    p = pipeline_of(&told, (struct threads){1, 1, 3, 0});
    survey_in(p, one, &told);
    survey_in(p, other, &told);
    for (int f = FIRST; f <= SHOT_FRAMES; f++)
        submit(p, f % 2 ? one : other, f);
    dq_pipeline_finish(p);
    for (int f = FIRST; f <= SHOT_FRAMES; f++)
        if (f % 2)
            done += told.outcome[f].err.code == DQ_OK;
        else
            expect_done(&told, f);
    told_end(&told);
    dq_recipe_free(other);
    dq_recipe_free(one);
    return done;
}

/* One that was loaded anew would begin to count anew. The second survey takes
 * the place of the first one's guides: each frame asks for its own. */
static void two_networks_in_turn_are_loaded_once_each(void **state)
{
    int enough = SHOT_FRAMES + SHOT_FRAMES / 2 * (1 + TILES);

    (void)state;
    assert_int_equal(served_in_turn(enough), SHOT_FRAMES / 2);
    assert_int_equal(served_in_turn(enough - 1), SHOT_FRAMES / 2 - 1);
}

int main(void)
{
#define IN_A_SHOT(test) \
    cmocka_unit_test_setup_teardown(test, shot_setup, folder_teardown)
    const struct CMUnitTest tests[] = {
        IN_A_SHOT(a_surveyed_frame_asks_for_its_tiles_alone),
        IN_A_SHOT(a_kept_guide_gives_the_bytes_of_a_new_one),
        IN_A_SHOT(a_plate_that_is_replaced_gets_a_guide_of_its_own),
        IN_A_SHOT(two_networks_in_turn_are_loaded_once_each),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
