/* What a natural world promises: nothing hangs in the air, and nothing stands
 * against the lens. */
#include "base/testing.h"

#include <math.h>

#include "scene/scene.h"

enum { SEEDS = 200 };

static void make(uint64_t seed, int indoor, struct dq_scene *s)
{
    const struct dq_scene_rule rule = {.seed = seed,
                                       .kind = DQ_NATURAL,
                                       .width = 96,
                                       .height = 64,
                                       .indoor = indoor};

    dq_scene_make(&rule, s);
}

static float half_height(const struct dq_body *b)
{
    return b->kind == DQ_SPHERE     ? b->size.x
           : b->kind == DQ_CYLINDER ? b->axis.y
                                    : b->size.y;
}

static int is_cable(const struct dq_body *b)
{
    return b->kind == DQ_CYLINDER && fabsf(b->axis.y) < 0.5F * b->length;
}

static int stands_on(const struct dq_scene *s, const struct dq_body *b)
{
    float foot = b->centre.y - half_height(b);

    if (fabsf(foot - s->slope * b->centre.z) < 1e-3F)
        return 1;
    for (int i = 0; i < s->count; i++) {
        const struct dq_body *o = &s->bodies[i];

        if (o->kind == DQ_BOX && o->centre.x == b->centre.x &&
            o->centre.z == b->centre.z &&
            fabsf(o->centre.y + o->size.y - foot) < 1e-3F)
            return 1;
    }
    return 0;
}

static void everything_outdoors_stands_on_something(void **state)
{
    struct dq_scene s;
    int bodies = 0, stacked = 0;

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        make(seed, 0, &s);
        assert_true(s.has_ground);
        for (int i = 0; i < s.count; i++) {
            const struct dq_body *b = &s.bodies[i];

            if (is_cable(b))
                continue;
            assert_true(stands_on(&s, b));
            bodies++;
            stacked += fabsf(b->centre.y - half_height(b) -
                             s.slope * b->centre.z) > 0.1F;
        }
    }
    assert_true(bodies > 10 * SEEDS);
    assert_true(stacked > SEEDS / 4);
}

/* A ball about the body, as loose as it is: the body is inside. */
static float clearance(const struct dq_scene *s, const struct dq_body *b)
{
    float x = b->centre.x - s->eye.x, z = b->centre.z - s->eye.z;
    float reach = b->kind == DQ_BOX ? hypotf(b->size.x, b->size.z) : b->size.x;

    return hypotf(x, z) - reach;
}

static void nothing_small_stands_against_the_lens(void **state)
{
    struct dq_scene s;

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        make(seed, 0, &s);
        for (int i = 0; i < s.count; i++)
            if (s.bodies[i].size.x <= 2 && !is_cable(&s.bodies[i]))
                assert_true(clearance(&s, &s.bodies[i]) > 0.8F);
    }
}

static void the_seed_decides_between_room_and_street(void **state)
{
    struct dq_scene s;
    int rooms = 0;

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        make(seed, -1, &s);
        rooms += !s.has_ground;
    }
    assert_in_range(rooms, SEEDS / 5, SEEDS * 2 / 5);
    make(1, 1, &s);
    assert_false(s.has_ground);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_outdoors_stands_on_something),
        cmocka_unit_test(nothing_small_stands_against_the_lens),
        cmocka_unit_test(the_seed_decides_between_room_and_street),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
