/* A guide as a scan leaves it, where one is there already. */
#include "base/testing.h"

#include "base/mem.h"
#include "infer/ticket.h"

enum { W = 16, H = 8, FRAME = 7 };

static char scan_text[] = "model=m\n";

struct scan {
    char *folder;
    struct dq_model model;
    struct dq_recipe recipe;
    struct dq_ticket ticket;
};

static void scan_start(struct scan *s)
{
    struct dq_request request = {
        .recipe = &s->recipe, .work = DQ_WORK_SCAN, .frame = FRAME};
    struct dq_err err = {0};

    memset(s, 0, sizeof *s);
    s->folder = enter_folder();
    s->recipe.shot_folder = s->folder;
    s->recipe.scan_text = scan_text;
    s->recipe.survey_key = scan_text;
    s->recipe.model = &s->model;
    s->recipe.steady = 1;
    assert_int_equal(dq_sequence_parse("p.#.exr", NULL, &s->recipe.plate, &err),
                     DQ_OK);
    dq_ticket_begin(&s->ticket, &request);
}

static void scan_end(struct scan *s)
{
    dq_ticket_end(&s->ticket);
    dq_ticket_free_buffers(&s->ticket);
    dq_sequence_free(&s->recipe.plate);
    leave_folder(s->folder);
}

/* Publish a guide whose first value is `first`, of plate `plate`. */
static void write_guide(struct scan *s, float first, char plate)
{
    struct dq_ticket *t = &s->ticket;

    t->outcome.skipped = 0;
    assert_int_equal(dq_guide_shape(&t->guide, W, H, t->err), DQ_OK);
    for (int i = 0; i < W * H; i++)
        t->guide.depth[i] = t->guide.luma[i] = t->guide.real[i] = 1;
    t->guide.depth[0] = first;
    memset(t->mark.sha256, plate, DQ_SHA256_HEX - 1);
    if (dq_scan_write(t, "t"))
        fail_msg("%s", t->err->text);
}

/* The first value of the guide in place. */
static double first_there(struct scan *s)
{
    struct dq_guide got = {0};
    struct dq_err err = {0};
    char key[DQ_SHA256_HEX];
    double first;

    dq_guide_key(&s->recipe, &s->ticket.shot, key);
    if (dq_guide_read(s->ticket.output_path, key, NULL, &got, &err))
        fail_msg("%s", err.text);
    first = (double)got.depth[0];
    dq_guide_free(&got);
    return first;
}

static void the_first_guide_of_a_plate_stays(void **state)
{
    struct scan s;

    (void)state;
    scan_start(&s);
    write_guide(&s, 2, 'a');
    assert_int_equal(s.ticket.outcome.skipped, 0);
    write_guide(&s, 3, 'a');
    assert_int_equal(s.ticket.outcome.skipped, 1);
    assert_true(first_there(&s) < 2.5);
    scan_end(&s);
}

static void one_of_another_plate_or_key_or_damaged_gives_way(void **state)
{
    struct scan s;

    (void)state;
    scan_start(&s);
    write_guide(&s, 2, 'a');
    write_guide(&s, 3, 'b');
    assert_int_equal(s.ticket.outcome.skipped, 0);
    assert_true(first_there(&s) > 2.5);
    s.ticket.shot.exposure_ev = 1; /* another key */
    write_guide(&s, 4, 'b');
    assert_true(first_there(&s) > 3.5);
    assert_int_equal(truncate(s.ticket.output_path, 500), 0);
    write_guide(&s, 5, 'b');
    assert_int_equal(s.ticket.outcome.skipped, 0);
    assert_true(first_there(&s) > 4.5);
    scan_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_guide_of_a_plate_stays),
        cmocka_unit_test(one_of_another_plate_or_key_or_damaged_gives_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
