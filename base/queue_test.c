/* Threads here only count: what a schedule may change is never asserted. Run
 * under TSan too. */
#include "base/testing.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/mem.h"
#include "base/queue.h"

static int items[1000]; /* things to point at */

static void what_is_first_in_is_first_out(void **state)
{
    struct dq_queue *q = dq_queue_new(3);

    (void)state;
    for (int turn = 0; turn < 5; turn++) { /* round the ring */
        dq_queue_put(q, &items[0]);
        dq_queue_put(q, &items[1]);
        assert_ptr_equal(dq_queue_take(q), &items[0]);
        dq_queue_put(q, &items[2]);
        dq_queue_put(q, &items[3]);
        assert_ptr_equal(dq_queue_take(q), &items[1]);
        assert_ptr_equal(dq_queue_take(q), &items[2]);
        assert_ptr_equal(dq_queue_try(q), &items[3]);
    }
    dq_queue_free(q);
    dq_queue_free(NULL);
}

static void trying_never_waits(void **state)
{
    struct dq_queue *q = dq_queue_new(1);

    (void)state;
    assert_null(dq_queue_try(q));
    dq_queue_put(q, items);
    assert_ptr_equal(dq_queue_try(q), items);
    assert_null(dq_queue_try(q));
    dq_queue_close(q);
    assert_null(dq_queue_try(q));
    dq_queue_free(q);
}

static void a_closed_queue_is_drained_first(void **state)
{
    struct dq_queue *q = dq_queue_new(2);

    (void)state;
    dq_queue_put(q, &items[0]);
    dq_queue_put(q, &items[1]);
    dq_queue_close(q);
    assert_ptr_equal(dq_queue_take(q), &items[0]);
    assert_ptr_equal(dq_queue_take(q), &items[1]);
    assert_null(dq_queue_take(q));
    assert_null(dq_queue_take(q));
    dq_queue_free(q);
}

static void the_last_of_several_producers_closes(void **state)
{
    struct dq_queue *q = dq_queue_new(2);

    (void)state;
    dq_queue_producers(q, 2);
    dq_queue_close(q);
    dq_queue_put(q, items); /* the other one */
    assert_ptr_equal(dq_queue_take(q), items);
    dq_queue_close(q);
    assert_null(dq_queue_take(q));
    dq_queue_close(q); /* once too often does no harm */
    dq_queue_free(q);
}

static int put_into_a_closed_one(void *context)
{
    struct dq_queue *q = dq_queue_new(1);

    (void)context;
    dq_queue_close(q);
    dq_queue_put(q, items);
    return 0;
}

static int put_nothing(void *context)
{
    (void)context;
    dq_queue_put(dq_queue_new(1), NULL);
    return 0;
}

static int make_one_without_room(void *context)
{
    (void)context;
    dq_queue_free(dq_queue_new(0));
    return 0;
}

static void our_own_mistakes_end_the_process(void **state)
{
    (void)state;
    assert_true(WIFSIGNALED(status_of_child(put_into_a_closed_one, NULL)));
    assert_true(WIFSIGNALED(status_of_child(put_nothing, NULL)));
    assert_true(WIFSIGNALED(status_of_child(make_one_without_room, NULL)));
}

/* ---- threads ------------------------------------------------------------- */

struct crowd {
    struct dq_queue *in, *out;
    atomic_int next;
    atomic_int seen[1000];
};

static void *produce(void *context)
{
    struct crowd *c = context;
    int i;

    while ((i = atomic_fetch_add(&c->next, 1)) < 1000)
        dq_queue_put(c->in, &items[i]);
    dq_queue_close(c->in);
    return NULL;
}

/* As a stage of the pipeline: take, put on, close behind the last. */
static void *pass_on(void *context)
{
    struct crowd *c = context;
    void *item;

    while ((item = dq_queue_take(c->in)))
        dq_queue_put(c->out, item);
    dq_queue_close(c->out);
    return NULL;
}

static void *consume(void *context)
{
    struct crowd *c = context;
    int *item;

    while ((item = dq_queue_take(c->out)))
        atomic_fetch_add(&c->seen[item - items], 1);
    return NULL;
}

static void run_crowd(size_t room)
{
    void *(*const work[])(void *) = {produce, produce, produce, pass_on,
                                     pass_on, consume, consume, consume};
    struct crowd *c = dq_new(sizeof *c);
    pthread_t threads[8];

    c->in = dq_queue_new(room);
    c->out = dq_queue_new(room);
    dq_queue_producers(c->in, 3);
    dq_queue_producers(c->out, 2);
    for (int i = 0; i < 8; i++)
        pthread_create(&threads[i], NULL, work[i], c);
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(c->seen[i], 1);
    assert_null(dq_queue_try(c->in));
    dq_queue_free(c->in);
    dq_queue_free(c->out);
    free(c);
}

/* A full queue makes producers wait, an empty one consumers; closing ripples
 * down and wakes everyone, or this never ends. */
static void every_item_passes_once_and_everyone_goes_home(void **state)
{
    (void)state;
    run_crowd(1);
    run_crowd(7);
    run_crowd(2000);
}

static void one_producer_keeps_its_order(void **state)
{
    struct crowd *c = dq_new(sizeof *c);
    pthread_t producer, stage;
    int count = 0, *item;

    (void)state;
    c->in = dq_queue_new(3);
    c->out = dq_queue_new(2);
    pthread_create(&producer, NULL, produce, c);
    pthread_create(&stage, NULL, pass_on, c);
    while ((item = dq_queue_take(c->out)))
        assert_ptr_equal(item, &items[count++]);
    assert_int_equal(count, 1000);
    pthread_join(producer, NULL);
    pthread_join(stage, NULL);
    dq_queue_free(c->in);
    dq_queue_free(c->out);
    free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_first_in_is_first_out),
        cmocka_unit_test(trying_never_waits),
        cmocka_unit_test(a_closed_queue_is_drained_first),
        cmocka_unit_test(the_last_of_several_producers_closes),
        cmocka_unit_test(our_own_mistakes_end_the_process),
        cmocka_unit_test(every_item_passes_once_and_everyone_goes_home),
        cmocka_unit_test(one_producer_keeps_its_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
